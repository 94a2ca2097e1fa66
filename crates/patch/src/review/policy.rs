//! What a patch may do without a person, as plain values with careful defaults.

use std::sync::Arc;

use kaizen_domain::RelPath;

use super::advisories::Advisories;
use super::glob::matches;

/// The policy of a review. Sizes are per patch unless they say otherwise; patterns are those of the review's globs:
/// `*` and `?` within a part of a path, `**` for any parts, `!` in front for an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Files that may change.
    pub max_files: usize,
    /// Lines that may be added and removed, together.
    pub max_changed_lines: usize,
    /// Bytes that a file may have, unless it had more before.
    pub max_file_bytes: usize,
    /// Bytes that a line may have, unless the file had a longer one before.
    pub max_line_bytes: usize,
    /// Paths that may change at all; empty for all of them.
    pub allow: Vec<String>,
    /// Paths that no patch may touch.
    pub forbidden: Vec<String>,
    /// Paths that steer the judge (build, lints, CI): any change asks a person.
    pub protected: Vec<String>,
    /// Paths that hold tests, benchmarks and what they compare with: new files are fine, a change asks a person.
    pub judges: Vec<String>,
    /// The repository is Kaizen's own: `own_gates` hold as well.
    pub own_repository: bool,
    /// Paths of Kaizen's own review, policy, sandbox and journal.
    pub own_gates: Vec<String>,
    /// New dependencies from the registry need no person.
    pub allow_new_dependencies: bool,
    /// Other versions of packages in the lock file need no person.
    pub allow_lock_updates: bool,
    /// What is known against packages; none of it may come in.
    pub advisories: Arc<Advisories>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_files: 40,
            max_changed_lines: 2_000,
            max_file_bytes: 1 << 20,
            max_line_bytes: 4_096,
            allow: Vec::new(),
            forbidden: owned(&["**/.gitmodules", "**/.gitattributes"]),
            protected: owned(&[
                "**/build.rs",
                "**/.cargo/**",
                "**/rust-toolchain",
                "**/rust-toolchain.*",
                ".github/**",
                ".gitlab/**",
                ".gitlab-ci.yml",
                ".ci/**",
                "ci/**",
                ".circleci/**",
                "**/azure-pipelines*",
                ".travis.yml",
                "appveyor.yml",
                ".appveyor.yml",
                "bitbucket-pipelines.yml",
                "Jenkinsfile",
                ".drone.yml",
                ".cirrus.yml",
                ".woodpecker*/**",
                ".woodpecker.yml",
                ".forgejo/**",
                ".gitea/**",
                ".buildkite/**",
                ".pre-commit-config.yaml",
                "bors.toml",
                "**/kaizen.toml",
                "**/.kaizen/**",
                // What other automatic maintainers obey.
                "**/AGENTS.md",
                "**/AGENT.md",
                "**/CLAUDE.md",
                "**/GEMINI.md",
                "**/.cursorrules",
                "**/.cursor/**",
                "**/.windsurfrules",
                "**/.clinerules",
                "**/.junie/**",
                "**/.aider*",
                "**/copilot-instructions.md",
                "**/clippy.toml",
                "**/.clippy.toml",
                "**/rustfmt.toml",
                "**/.rustfmt.toml",
                "**/.gitignore",
                "**/deny.toml",
                "**/.config/nextest.toml",
                "**/Makefile",
                "**/makefile",
                "**/justfile",
                "**/Dockerfile",
            ]),
            judges: owned(&[
                "**/tests/**",
                "**/benches/**",
                "**/*.snap",
                "**/fixtures/**",
                "**/testdata/**",
                "**/golden/**",
                "**/snapshots/**",
                "**/proptest-regressions/**",
                "!**/src/**/tests/**",
            ]),
            own_repository: false,
            own_gates: owned(&[
                "crates/patch/**",
                "crates/domain/**",
                "crates/journal/**",
                "crates/settings/**",
                "crates/repo/**",
                "sandbox/**",
                "agents/src/security*",
                "agents/src/security/**",
                "agents/src/**/security*",
                "prompts/security*",
                "src/policy*",
                "src/**/policy*",
            ]),
            allow_new_dependencies: false,
            allow_lock_updates: false,
            advisories: Arc::default(),
        }
    }
}

impl Policy {
    /// Whether changing what is at this path on the base is a person's to allow, or nobody's.
    #[must_use]
    pub fn guards(&self, path: &RelPath) -> bool {
        let gates = if self.own_repository { self.own_gates.as_slice() } else { &[] };
        [self.forbidden.as_slice(), &self.protected, &self.judges, gates]
            .iter()
            .any(|list| matches(list, path.as_str()))
    }
}

fn owned(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
}
