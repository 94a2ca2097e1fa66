//! Landing: a ref moved by compare-and-swap from exactly the base that was tried.

use serde::{Deserialize, Serialize};

use crate::names::{CommitId, RefName};

/// Where landed patches go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum LandingMode {
    /// Onto branches of Kaizen's own; nothing of the user's moves.
    #[default]
    Branch,
    /// Onto the target branch.
    Merge,
    /// Onto a branch of their own each, proposed to others on a forge.
    #[serde(rename = "pull-request")]
    PullRequest,
}

/// One ref and how it moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// The ref that moves.
    pub target: RefName,
    /// Where it must stand before; `None` when it must not exist.
    pub from: Option<CommitId>,
    /// Where it stands afterwards.
    pub to: CommitId,
    /// The branch of this patch alone, made beside the target; none when the target is the user's.
    pub branch: Option<RefName>,
    /// Whether the work tree that has the target checked out moves along.
    pub update_worktree: bool,
    /// It is to be proposed to others: the target is its own branch, and nothing builds on it here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub proposed: bool,
}
