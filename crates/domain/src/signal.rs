//! Signal: one observation of a repository. Analysis never changes it; it only refers to it by its id.

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Tool};
use crate::id::SignalId;
use crate::path::RelPath;
use crate::trial::TestId;

/// One observation, with where it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Its id.
    pub id: SignalId,
    /// The file and line it points at, when it points at one.
    pub place: Option<Place>,
    /// What was observed.
    #[serde(flatten)]
    pub kind: SignalKind,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file.
    pub path: RelPath,
    /// The line, counted from 1; 0 when the whole file is meant.
    pub line: u32,
}

/// What can be observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "snake_case")]
pub enum SignalKind {
    /// A warning of rustc or clippy.
    Diagnostic {
        /// Who said it.
        tool: Tool,
        /// The lint, such as `clippy::needless_borrow`.
        lint: String,
        /// What it said.
        message: String,
        /// Whether it came with a suggestion that a machine may apply.
        fixable: bool,
        /// A name for the finding that stays the same from run to run on the same text.
        key: String,
    },
    /// The base does not build.
    BuildFailure {
        /// The compiler's errors.
        errors: Vec<Diagnostic>,
    },
    /// A test that fails on the base.
    FailingTest {
        /// The test.
        test: TestId,
        /// What it printed, shortened.
        output: String,
    },
    /// A test whose outcome differed between runs on the same base.
    FlakyTest {
        /// The test.
        test: TestId,
    },
    /// A dependency that no source of its package names.
    UnusedDependency {
        /// The package that declares it.
        package: String,
        /// The name it is declared under.
        dependency: String,
        /// The manifest table, such as `dependencies` or `dev-dependencies`.
        table: String,
    },
    /// A crate that the lock file holds in several versions.
    DuplicateDependency {
        /// The crate.
        name: String,
        /// Its versions.
        versions: Vec<String>,
    },
    /// A `TODO` or `FIXME` left in a comment.
    Todo {
        /// The text after the marker.
        text: String,
        /// Days since the line was last changed, from git; `None` when git cannot tell.
        age_days: Option<u32>,
    },
    /// Something a person asked for.
    Goal {
        /// Their words.
        text: String,
    },
    /// Checks of a forge that fail on a patch of Kaizen's own.
    RedCheck {
        /// Their names.
        checks: Vec<String>,
        /// What they printed, shortened.
        log: String,
    },
    /// A patch that somebody else wrote and wants judged.
    Proposal {
        /// What it says it does.
        title: String,
    },
}

impl SignalKind {
    /// The word people see for this kind of signal, singular.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Diagnostic { tool: Tool::Clippy, .. } => "clippy",
            Self::Diagnostic { tool: Tool::Rustc, .. } => "rustc",
            Self::BuildFailure { .. } => "build failure",
            Self::FailingTest { .. } => "failing test",
            Self::FlakyTest { .. } => "flaky test",
            Self::UnusedDependency { .. } => "unused dependency",
            Self::DuplicateDependency { .. } => "duplicate dependency",
            Self::Todo { .. } => "todo",
            Self::Goal { .. } => "goal",
            Self::RedCheck { .. } => "red check",
            Self::Proposal { .. } => "proposal",
        }
    }
}
