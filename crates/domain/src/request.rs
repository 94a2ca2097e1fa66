//! What a person or a schedule asks of a cycle.

use serde::{Deserialize, Serialize};

use crate::id::{CycleId, PatchId};
use crate::landing::LandingMode;
use crate::money::Usd;
use crate::names::{CommitId, RefName};
use crate::opportunity::OpportunityKind;
use crate::pull_request::RevisionReason;

/// Everything a cycle is started with. It is journalled first, so that a resumed cycle runs under the same terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleRequest {
    /// Where the cycle starts from.
    pub base: Base,
    /// Where the patches come from.
    pub source: PatchSource,
    /// What a person asked for.
    pub goal: Option<Goal>,
    /// The kinds of work; empty means all.
    pub only: Vec<OpportunityKind>,
    /// How many patches may land.
    pub max_landings: u32,
    /// How many opportunities are taken up.
    pub max_opportunities: u32,
    /// Where landed patches go.
    pub landing: LandingMode,
    /// Whether the work tree that has the target checked out moves along with a merge.
    pub update_worktree: bool,
    /// Everything but the landing.
    pub dry_run: bool,
    /// What a model may cost.
    pub budget: Usd,
    /// The pull request that it changes, when it was asked for by what became of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<Revision>,
    /// The cycle that it repeats, with what was known and answered then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays: Option<CycleId>,
}

/// A pull request that is to be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The patch that it was opened for.
    pub patch: PatchId,
    /// Its branch here.
    pub branch: RefName,
    /// Where that stands.
    pub head: CommitId,
    /// Why.
    #[serde(flatten)]
    pub reason: RevisionReason,
}

/// The commit a cycle starts from, and the branch it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The commit.
    pub commit: CommitId,
    /// The branch; none when HEAD is detached.
    pub target: Option<RefName>,
    /// The folder of the cargo project below the top of the repository; empty when it is the top.
    pub folder: String,
}

/// What a person asked for, in their words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Goal(pub String);

/// Where the patches of a cycle come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum PatchSource {
    /// The specialists write them.
    Engines,
    /// A diff that somebody else wrote.
    Diff {
        /// The unified diff.
        text: String,
        /// What it says it does.
        title: String,
        /// The patch of ours that a person approved, when it is one: what needs a person then has one.
        approves: Option<PatchId>,
    },
    /// A landed patch that hurts, to be taken back.
    Revert {
        /// The patch.
        patch: PatchId,
        /// The commit that it was written on.
        base: CommitId,
        /// Its commit.
        commit: CommitId,
        /// What is said of it.
        title: String,
        /// What the watch found.
        evidence: Vec<String>,
    },
    /// A commit that somebody else made: what it changes since it left the base.
    Commit {
        /// The tip of their branch.
        commit: CommitId,
        /// What it says it does.
        title: String,
    },
}

impl PatchSource {
    /// Whether a person has already said yes to what needs a person.
    #[must_use]
    pub fn approved(&self) -> bool {
        matches!(self, Self::Diff { approves: Some(_), .. })
    }

    /// The title of a patch that somebody else wrote.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        match self {
            Self::Engines => None,
            Self::Diff { title, .. } | Self::Commit { title, .. } | Self::Revert { title, .. } => Some(title),
        }
    }
}

impl CycleRequest {
    /// Whether the cycle looks for this kind of work.
    #[must_use]
    pub fn wants(&self, kind: OpportunityKind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }
}
