//! Watch: the window after a landing, as a state machine that ends as kept, rolled back or inconclusive, or with a person who
//! is asked. Samples stay where they are measured; what was promised about them before is kept here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::IllegalEvent;
use crate::id::PatchId;
use crate::names::{CommitId, RefName};
use crate::time::Timestamp;

/// What a watch found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing got worse.
    Kept,
    /// Something got worse; it is to be taken back.
    Harmful,
    /// Nothing could be shown either way; it stays.
    Inconclusive,
}

/// What a measurement of two commits came to. Numbers are kept as they were printed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// On the commit before.
    pub before: Vec<String>,
    /// On the commit that landed.
    pub after: Vec<String>,
    /// Why there are no numbers, or fewer than were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Something that happened to a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum WatchEvent {
    /// It begins, with what is promised beforehand.
    WatchBegun {
        /// The branch that the patch landed on.
        target: RefName,
        /// The commit that landed.
        commit: CommitId,
        /// When it landed.
        landed: Timestamp,
        /// When the window ends.
        until: Timestamp,
        /// The terms of each metric, as JSON.
        terms: Vec<String>,
        /// The tests are run on the commit that landed.
        #[serde(default)]
        tests: bool,
    },
    /// Checks of the forge were seen to fail on the commit that landed, which did not on the one before it. They count when
    /// they still do at a later look.
    SeenRed {
        /// Their names. Text from outside.
        checks: Vec<String>,
    },
    /// The tests were run on the commit that landed, and compared with those of the commit before it.
    Tested {
        /// What that shows.
        verdict: Verdict,
        /// On what ground.
        evidence: String,
    },
    /// A metric was measured on the commit before and on the one that landed, in turn.
    Measured {
        /// The metric.
        metric: String,
        /// What was measured, or why nothing was.
        samples: Measured,
    },
    /// It found something, or its window is over.
    Judged {
        /// What.
        verdict: Verdict,
        /// On what ground, one line a metric.
        evidence: Vec<String>,
    },
    /// What landed is taken back, or proposed to be.
    RolledBack {
        /// The commit that does it.
        commit: CommitId,
        /// Whether others have to take it.
        proposed: bool,
    },
    /// It could not be taken back; a person is asked.
    RollbackFailed {
        /// Why.
        reason: String,
    },
}

impl WatchEvent {
    /// The name of the event, as the journal spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::WatchBegun { .. } => "watch_begun",
            Self::SeenRed { .. } => "seen_red",
            Self::Tested { .. } => "tested",
            Self::Measured { .. } => "measured",
            Self::Judged { .. } => "judged",
            Self::RolledBack { .. } => "rolled_back",
            Self::RollbackFailed { .. } => "rollback_failed",
        }
    }
}

/// Where a watch stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchStage {
    /// The window is open.
    Watching,
    /// What landed is to be taken back, unless it is.
    RollingBack,
    /// It ended well.
    Kept,
    /// It ended without an answer.
    Inconclusive,
    /// It was taken back.
    RolledBack,
    /// A person is asked.
    Asked {
        /// Why.
        reason: String,
    },
}

/// The window after a landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The patch that landed.
    pub patch: PatchId,
    /// The branch.
    pub target: RefName,
    /// The commit.
    pub commit: CommitId,
    /// When it landed.
    pub landed: Timestamp,
    /// When the window ends.
    pub until: Timestamp,
    /// The terms of each metric, as JSON.
    pub terms: Vec<String>,
    /// The tests are run on the commit that landed.
    pub tests: bool,
    /// Checks that were seen to fail at an earlier look.
    pub red: Vec<String>,
    /// What the tests showed, and on what ground.
    pub tested: Option<(Verdict, String)>,
    /// Metrics that were measured on the two commits.
    pub measured: BTreeMap<String, Measured>,
    /// Where it stands.
    pub stage: WatchStage,
    /// What was found.
    pub evidence: Vec<String>,
}

impl Watch {
    /// The state after the first event.
    ///
    /// # Errors
    /// When it is none that a watch begins with.
    pub fn begin(patch: PatchId, first: &WatchEvent) -> Result<Self, IllegalEvent> {
        let WatchEvent::WatchBegun { target, commit, landed, until, terms, tests } = first else {
            return Err(IllegalEvent {
                thing: format!("the watch over {patch}"),
                stage: "nothing".to_owned(),
                event: first.name().to_owned(),
            });
        };
        Ok(Self {
            patch,
            target: target.clone(),
            commit: commit.clone(),
            landed: *landed,
            until: *until,
            terms: terms.clone(),
            tests: *tests,
            red: Vec::new(),
            tested: None,
            measured: BTreeMap::new(),
            stage: WatchStage::Watching,
            evidence: Vec::new(),
        })
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !matches!(self.stage, WatchStage::Watching | WatchStage::RollingBack)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// When the event cannot follow this stage.
    pub fn next(mut self, event: &WatchEvent) -> Result<Self, IllegalEvent> {
        use WatchEvent as E;
        use WatchStage as S;
        self.stage = match (&self.stage, event) {
            (S::Watching, E::SeenRed { checks }) => {
                self.red.clone_from(checks);
                S::Watching
            }
            (S::Watching, E::Tested { verdict, evidence }) if self.tested.is_none() => {
                self.tested = Some((*verdict, evidence.clone()));
                S::Watching
            }
            (S::Watching, E::Measured { metric, samples }) if !self.measured.contains_key(metric) => {
                self.measured.insert(metric.clone(), samples.clone());
                S::Watching
            }
            (S::Watching, E::Judged { verdict, evidence }) => {
                self.evidence.clone_from(evidence);
                match verdict {
                    Verdict::Kept => S::Kept,
                    Verdict::Harmful => S::RollingBack,
                    Verdict::Inconclusive => S::Inconclusive,
                }
            }
            (S::RollingBack, E::RolledBack { .. }) => S::RolledBack,
            (S::RollingBack, E::RollbackFailed { reason }) => S::Asked { reason: reason.clone() },
            (stage, event) => {
                return Err(IllegalEvent {
                    thing: format!("the watch over {}", self.patch),
                    stage: format!("{stage:?}").to_lowercase(),
                    event: event.name().to_owned(),
                });
            }
        };
        Ok(self)
    }
}
