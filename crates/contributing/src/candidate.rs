//! Candidates: which paths of a tree can hold rules for changes from outside, and of what kind a file is by its path.

/// What a file is, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A policy about generated work.
    Policy,
    /// A guide for contributors.
    Contributing,
    /// Instructions for coding agents.
    Agents,
    /// The form of a pull request.
    Template,
    /// The first text a visitor reads.
    Readme,
    /// Another text that may say something about contributions.
    Other,
    /// The text of the Developer Certificate of Origin.
    Dco,
    /// The settings of the app that asks for sign-offs.
    DcoSettings,
    /// Who owns which paths.
    Owners,
}

/// The longest path that is looked at.
const LONGEST: usize = 300;
/// How the name of a text ends.
const TEXTS: [&str; 7] = ["md", "markdown", "mdx", "rst", "txt", "adoc", "asciidoc"];
/// Folders in which the usual files are looked for.
const PLACES: [&str; 9] =
    ["", ".github", ".gitlab", ".gitea", ".forgejo", "docs", "doc", "documentation", ".github/docs"];
/// What makes the name of another text in such a folder worth reading.
const TELLING: [&str; 14] = [
    "contribut",
    "pull-request",
    "patch",
    "bot",
    "hacking",
    "developing",
    "development",
    "governance",
    "submitting",
    "workflow",
    "guidelines",
    "commit",
    "maintain",
    "community",
];

/// Whether a path of a tree listing should be read.
#[must_use]
pub fn candidate(path: &str) -> bool {
    kind(path).is_some()
}

/// What the file at a path is; `None` when it is not worth reading.
pub(crate) fn kind(path: &str) -> Option<Kind> {
    if path.len() > LONGEST || path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return None;
    }
    let path = path.to_lowercase().replace('_', "-");
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    if is_template_folder(folder) {
        return is_text(name).then_some(Kind::Template);
    }
    if folder == ".github/instructions" || folder == ".cursor/rules" {
        return Some(Kind::Agents);
    }
    if !PLACES.contains(&folder) {
        return None;
    }
    if name == "codeowners" {
        return Some(Kind::Owners);
    }
    if name == "dco.yml" || name == "dco.yaml" {
        return Some(Kind::DcoSettings);
    }
    if !is_text(name) {
        return matches!(name, ".cursorrules" | ".windsurfrules" | ".clinerules").then_some(Kind::Agents);
    }
    let stem = name.split('.').next().unwrap_or(name);
    let about_ai = stem.split(['-', ' ']).any(|word| matches!(word, "ai" | "llm" | "llms" | "genai" | "generative"));
    Some(match stem {
        "dco" | "developer-certificate-of-origin" => Kind::Dco,
        "agents" | "agent" | "claude" | "gemini" | "copilot-instructions" | "warp" => Kind::Agents,
        "pull-request-template" | "merge-request-template" => Kind::Template,
        "readme" => Kind::Readme,
        "cla" | "code-of-conduct" | "support" => Kind::Other,
        _ if stem.starts_with("contribut") => Kind::Contributing,
        _ if about_ai => Kind::Policy,
        _ if TELLING.iter().any(|part| stem.contains(part)) => Kind::Other,
        _ => return None,
    })
}

/// Whether a folder holds forms for pull requests.
fn is_template_folder(folder: &str) -> bool {
    let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    matches!(name, "pull-request-template" | "merge-request-templates" | "pull-request-templates")
        && PLACES.contains(&parent)
}

/// Whether a name is that of a text: with an ending of one, or without any.
fn is_text(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((stem, ending)) => !stem.is_empty() && TEXTS.contains(&ending),
        None => !name.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_places_are_read_in_any_case() {
        for (path, wanted) in [
            ("CONTRIBUTING.md", Some(Kind::Contributing)),
            (".github/contributing.rst", Some(Kind::Contributing)),
            ("docs/Contributing", Some(Kind::Contributing)),
            ("AI_POLICY.md", Some(Kind::Policy)),
            ("docs/ai-policy.md", Some(Kind::Policy)),
            ("docs/generative-AI.adoc", Some(Kind::Policy)),
            ("AGENTS.md", Some(Kind::Agents)),
            (".github/copilot-instructions.md", Some(Kind::Agents)),
            (".cursorrules", Some(Kind::Agents)),
            ("README", Some(Kind::Readme)),
            ("CODE_OF_CONDUCT.md", Some(Kind::Other)),
            ("PULL_REQUEST_TEMPLATE.md", Some(Kind::Template)),
            (".github/PULL_REQUEST_TEMPLATE/bug.md", Some(Kind::Template)),
            (".gitlab/merge_request_templates/Default.md", Some(Kind::Template)),
            (".gitea/pull_request_template.md", Some(Kind::Template)),
            ("DCO", Some(Kind::Dco)),
            (".github/dco.yml", Some(Kind::DcoSettings)),
            (".github/CODEOWNERS", Some(Kind::Owners)),
            ("docs/bots.md", Some(Kind::Other)),
            ("src/lib.rs", None),
            ("src/contributing.md", None),
            ("docs/tutorial.md", None),
            ("main.md", None),
            ("CONTRIBUTING.png", None),
            ("../CONTRIBUTING.md", None),
            ("/CONTRIBUTING.md", None),
        ] {
            assert_eq!(kind(path), wanted, "{path}");
        }
    }
}
