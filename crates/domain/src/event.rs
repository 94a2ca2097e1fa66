//! Events: what the journal holds. What is not in the journal did not happen.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::cycle::CycleEvent;
use crate::id::{CycleId, PatchId};
use crate::landing::Landing;
use crate::names::{CommitId, TenantId};
use crate::path::RelPath;
use crate::pull_request::PullRequestEvent;
use crate::time::Timestamp;
use crate::watch::WatchEvent;

/// Something that happened to a repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Event {
    /// To a cycle.
    Cycle {
        /// Which one.
        cycle: CycleId,
        /// What.
        #[serde(flatten)]
        event: CycleEvent,
    },
    /// To a pull request.
    PullRequest {
        /// The patch that it was opened for.
        patch: PatchId,
        /// What.
        #[serde(flatten)]
        event: PullRequestEvent,
    },
    /// To the watch over a landing.
    Watch {
        /// The patch that landed.
        patch: PatchId,
        /// What.
        #[serde(flatten)]
        event: WatchEvent,
    },
    /// A schedule was seen for the first time; what lies before is none of its business.
    ScheduleSeen {
        /// Its name.
        schedule: String,
        /// When.
        at: Timestamp,
    },
    /// A time of a schedule was run, or is left out, with all before it.
    ScheduleSettled {
        /// Its name.
        schedule: String,
        /// The time that it names.
        nominal: Timestamp,
        /// Whether it is run; otherwise why not.
        left_out: Option<String>,
    },
    /// A person is about to take a landed patch back.
    RevertIntended {
        /// The patch.
        patch: PatchId,
        /// The ref that will move, and how.
        landing: Landing,
    },
    /// It is taken back.
    Reverted {
        /// The patch.
        patch: PatchId,
        /// The commit that takes it back.
        commit: CommitId,
    },
    /// The ref had moved; nothing was taken back.
    RevertFailed {
        /// The patch.
        patch: PatchId,
        /// Why.
        reason: String,
    },
    /// A person turned down a patch that waited for one.
    TurnedDown {
        /// The patch.
        patch: PatchId,
        /// Why.
        reason: String,
        /// The suggestions in it: none of them is proposed again, wherever in its file it stands by then.
        items: Vec<TurnedDownItem>,
        /// What it was about, when that as a whole is not proposed again.
        topic: Option<String>,
    },
    /// The journal was begun anew from what the repository itself remembers.
    Rebuilt {
        /// Where the damaged journal was put.
        from: String,
        /// Landed patches that were found again by the trailers of their commits.
        landed: Vec<(PatchId, CommitId)>,
    },
}

/// A suggestion that a person does not want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedDownItem {
    /// The lint.
    pub lint: String,
    /// The file.
    pub path: RelPath,
    /// The code that it was about.
    pub text: String,
}

impl Event {
    /// The name of the event, as the journal spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cycle { event, .. } => event.name(),
            Self::PullRequest { event, .. } => event.name(),
            Self::Watch { event, .. } => event.name(),
            Self::ScheduleSeen { .. } => "schedule_seen",
            Self::ScheduleSettled { .. } => "schedule_settled",
            Self::RevertIntended { .. } => "revert_intended",
            Self::Reverted { .. } => "reverted",
            Self::RevertFailed { .. } => "revert_failed",
            Self::TurnedDown { .. } => "turned_down",
            Self::Rebuilt { .. } => "rebuilt",
        }
    }
}

/// An event with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number in the journal, from 1 without gaps.
    pub seq: u64,
    /// When it was written, for display.
    pub at: Timestamp,
    /// Whose it is.
    pub tenant: TenantId,
    /// The repository, by the key that the `repo` crate makes.
    pub repo: String,
    /// What happened.
    pub event: Event,
}

/// An event that does not fit the state it met: the journal is damaged or a step is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("event `{event}` cannot follow stage `{stage}` of {thing}")]
pub struct IllegalEvent {
    /// What the event was about.
    pub thing: String,
    /// The stage it met.
    pub stage: String,
    /// The event.
    pub event: String,
}
