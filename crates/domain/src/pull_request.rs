//! Pull request: what becomes of a patch that is proposed to others, as a state machine from "about to be opened" to merged,
//! closed, superseded or withheld. It outlives the cycle that wrote the patch, so it has events of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::IllegalEvent;
use crate::id::PatchId;
use crate::names::{BranchName, CommitId};

/// How often a pull request is changed for one kind of reason before a person is asked.
pub const MAX_ROUNDS: u32 = 3;
/// How often it follows a base that moves. Bases move all the time, so this is often.
pub const MAX_REBASES: u32 = 20;

/// What a pull request is opened with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The branch it proposes, of the same name here and there.
    pub branch: BranchName,
    /// The commit it proposes.
    pub head: CommitId,
    /// The branch it goes to.
    pub onto: BranchName,
    /// The commit of that branch that it was written and tried on.
    pub base: CommitId,
    /// The title.
    pub title: String,
    /// The body, Markdown.
    pub body: String,
    /// Whether it says that it is not ready.
    pub draft: bool,
    /// Labels.
    pub labels: Vec<String>,
    /// Who is asked to look, teams as `org/team`.
    pub reviewers: Vec<String>,
}

/// Why a pull request changes after it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum RevisionReason {
    /// Checks of the forge failed.
    RedCheck {
        /// Their names. Text from outside.
        checks: Vec<String>,
        /// What they printed. Text from outside.
        log: String,
    },
    /// Somebody who may push asked for it.
    Asked {
        /// Who.
        author: String,
        /// Their words.
        text: String,
    },
    /// The branch it goes to moved.
    BaseMoved {
        /// To where.
        to: CommitId,
    },
    /// The branch moved in a way that the change does not fit any more: it is made again from the same findings.
    Redo {
        /// The branch's commit.
        onto: CommitId,
        /// The matter.
        topic: String,
    },
}

impl RevisionReason {
    /// The kind of reason, by which rounds are counted.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RedCheck { .. } => "red_check",
            Self::Asked { .. } => "asked",
            Self::BaseMoved { .. } => "base_moved",
            Self::Redo { .. } => "redo",
        }
    }
}

/// Something that happened to a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum PullRequestEvent {
    /// Its branch is about to be pushed, and it is about to be opened.
    OpeningIntended {
        /// With this.
        proposal: Proposal,
    },
    /// It is open.
    Opened {
        /// Its number there.
        number: u64,
        /// Where a person looks at it.
        url: String,
    },
    /// It is not opened, or not kept open any more by Kaizen, and why.
    Withheld {
        /// Why.
        reason: String,
    },
    /// All checks of its commit are over.
    Checked {
        /// The commit.
        commit: CommitId,
        /// Those that failed.
        failed: Vec<String>,
    },
    /// A remark was read; it is never taken up twice.
    Heard {
        /// Which.
        key: String,
        /// What it asked for, when its author may.
        asks: Option<String>,
    },
    /// The change is about to be made anew, or added to.
    RevisionBegun {
        /// Why.
        reason: RevisionReason,
    },
    /// Nothing came of it.
    RevisionFailed {
        /// Why.
        reason: String,
    },
    /// Its branch is about to move.
    PushIntended {
        /// To this commit.
        to: CommitId,
        /// The commit of the other branch that it was tried on.
        base: CommitId,
        /// The patch that it holds from then on.
        holds: PatchId,
    },
    /// The branch is there.
    Pushed {
        /// What the pull request says from then on, when that changed with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
    /// Something is about to be said below it.
    CommentIntended {
        /// What tells it from every other comment.
        key: String,
        /// The words, Markdown.
        text: String,
    },
    /// It was said.
    Commented {
        /// What.
        key: String,
    },
    /// Somebody merged it.
    Merged {
        /// The commit that it became, when the forge says.
        commit: Option<CommitId>,
    },
    /// It is about to be closed by Kaizen, for a reason that is said below it.
    CloseIntended {
        /// Why.
        reason: String,
        /// Whether what it proposed is there already, or is not needed any more.
        superseded: bool,
    },
    /// It is closed.
    Closed {
        /// Whether Kaizen did it; a person's "no" is remembered.
        by_us: bool,
    },
}

impl PullRequestEvent {
    /// The name of the event, as the journal spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpeningIntended { .. } => "opening_intended",
            Self::Opened { .. } => "opened",
            Self::Withheld { .. } => "withheld",
            Self::Checked { .. } => "checked",
            Self::Heard { .. } => "heard",
            Self::RevisionBegun { .. } => "revision_begun",
            Self::RevisionFailed { .. } => "revision_failed",
            Self::PushIntended { .. } => "push_intended",
            Self::Pushed { .. } => "pushed",
            Self::CommentIntended { .. } => "comment_intended",
            Self::Commented { .. } => "commented",
            Self::Merged { .. } => "merged",
            Self::CloseIntended { .. } => "close_intended",
            Self::Closed { .. } => "closed",
        }
    }
}

/// Where a pull request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullRequestStage {
    /// It is to be opened, unless it is open.
    Opening,
    /// It waits for others.
    Open,
    /// Its change is being made anew.
    Revising {
        /// Why.
        reason: RevisionReason,
    },
    /// Its branch is to move, unless it has.
    Pushing {
        /// To this commit.
        to: CommitId,
        /// The commit of the other branch that it was tried on.
        base: CommitId,
        /// The patch that it will hold.
        holds: PatchId,
    },
    /// It is to be closed, unless it is.
    Closing {
        /// Why.
        reason: String,
        /// Whether it is not needed any more.
        superseded: bool,
    },
    /// Somebody merged it.
    Merged,
    /// Somebody closed it.
    Closed,
    /// It is not needed any more.
    Superseded,
    /// It is not opened, and why.
    Withheld {
        /// Why.
        reason: String,
    },
}

impl PullRequestStage {
    /// The name of the stage.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Open => "open",
            Self::Revising { .. } => "revising",
            Self::Pushing { .. } => "pushing",
            Self::Closing { .. } => "closing",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Superseded => "superseded",
            Self::Withheld { .. } => "withheld",
        }
    }

    /// Whether nothing follows any more. What was refused before it was open may be tried again all the same.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Merged | Self::Closed | Self::Superseded | Self::Withheld { .. })
    }
}

/// What becomes of a patch that is proposed to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// The patch that it was opened for.
    pub patch: PatchId,
    /// The patch that it holds now.
    pub holds: PatchId,
    /// Where it stands.
    pub stage: PullRequestStage,
    /// What it was opened with; head and base are those of now.
    pub proposal: Proposal,
    /// Its number there, once it is open.
    pub number: Option<u64>,
    /// Where a person looks at it.
    pub url: String,
    /// The last commit whose checks are over, and those that failed.
    pub checked: Option<(CommitId, Vec<String>)>,
    /// Remarks that were read.
    pub heard: BTreeSet<String>,
    /// What was said, or is about to be.
    pub said: BTreeSet<String>,
    /// What is about to be said.
    pub to_say: Option<(String, String)>,
    /// How often it was changed, by kind of reason.
    pub rounds: BTreeMap<String, u32>,
    /// Why the last change came to nothing.
    pub stuck: Option<String>,
}

impl PullRequest {
    /// Folds the events of one pull request, of which the first must say that it is to be opened.
    ///
    /// # Errors
    /// When an event cannot follow the ones before it.
    pub fn fold<'a>(
        patch: PatchId,
        events: impl IntoIterator<Item = &'a PullRequestEvent>,
    ) -> Result<Self, IllegalEvent> {
        let mut events = events.into_iter();
        let first = events.next();
        events.try_fold(Self::begin(patch, first)?, Self::next)
    }

    /// The state after the first event.
    ///
    /// # Errors
    /// When it is none that a pull request begins with.
    pub fn begin(patch: PatchId, first: Option<&PullRequestEvent>) -> Result<Self, IllegalEvent> {
        let Some(PullRequestEvent::OpeningIntended { proposal }) = first else {
            return Err(IllegalEvent {
                thing: format!("the pull request of {patch}"),
                stage: "nothing".to_owned(),
                event: first.map_or("nothing", PullRequestEvent::name).to_owned(),
            });
        };
        Ok(Self {
            patch,
            holds: patch,
            stage: PullRequestStage::Opening,
            proposal: proposal.clone(),
            number: None,
            url: String::new(),
            checked: None,
            heard: BTreeSet::new(),
            said: BTreeSet::new(),
            to_say: None,
            rounds: BTreeMap::new(),
            stuck: None,
        })
    }

    /// How often it may still be changed for this kind of reason.
    #[must_use]
    pub fn rounds_left(&self, reason: &RevisionReason) -> u32 {
        let most = if matches!(reason, RevisionReason::BaseMoved { .. }) { MAX_REBASES } else { MAX_ROUNDS };
        most.saturating_sub(self.rounds.get(reason.kind()).copied().unwrap_or(0))
    }

    /// The state after an event.
    ///
    /// # Errors
    /// When the event cannot follow this stage.
    pub fn next(mut self, event: &PullRequestEvent) -> Result<Self, IllegalEvent> {
        use PullRequestEvent as E;
        use PullRequestStage as S;
        let illegal = IllegalEvent {
            thing: format!("the pull request of {}", self.patch),
            stage: self.stage.name().to_owned(),
            event: event.name().to_owned(),
        };
        let open = matches!(self.stage, S::Open | S::Revising { .. } | S::Pushing { .. } | S::Closing { .. });
        match (&self.stage, event) {
            // Opened again with other words after a crash before anything happened there.
            (S::Opening, E::OpeningIntended { proposal }) => self.proposal = proposal.clone(),
            // What was refused may be let in later, when somebody has changed the rules.
            (S::Withheld { .. }, E::OpeningIntended { proposal }) if self.number.is_none() => {
                self.proposal = proposal.clone();
                self.stage = S::Opening;
            }
            (S::Opening, E::Opened { number, url }) => {
                self.number = Some(*number);
                self.url.clone_from(url);
                self.stage = S::Open;
            }
            (S::Opening | S::Open | S::Revising { .. } | S::Pushing { .. }, E::Withheld { reason }) => {
                self.stage = S::Withheld { reason: reason.clone() };
            }
            (_, E::Checked { commit, failed }) if open => self.checked = Some((commit.clone(), failed.clone())),
            (_, E::Heard { key, .. }) if open => drop(self.heard.insert(key.clone())),
            (_, E::CommentIntended { key, text }) if open && self.to_say.is_none() => {
                self.said.insert(key.clone());
                self.to_say = Some((key.clone(), text.clone()));
            }
            (_, E::Commented { key }) if open && self.to_say.as_ref().is_some_and(|(other, _)| other == key) => {
                self.to_say = None;
            }
            (S::Open, E::RevisionBegun { reason }) if self.rounds_left(reason) > 0 => {
                *self.rounds.entry(reason.kind().to_owned()).or_default() += 1;
                self.stage = S::Revising { reason: reason.clone() };
            }
            (S::Revising { .. } | S::Pushing { .. }, E::RevisionFailed { reason }) => {
                self.stuck = Some(reason.clone());
                self.stage = S::Open;
            }
            (S::Revising { .. }, E::PushIntended { to, base, holds }) => {
                self.stage = S::Pushing { to: to.clone(), base: base.clone(), holds: *holds };
            }
            (S::Pushing { to, base, holds }, E::Pushed { body }) => {
                if let Some(body) = body {
                    self.proposal.body.clone_from(body);
                }
                (self.proposal.head, self.proposal.base, self.holds) = (to.clone(), base.clone(), *holds);
                self.stuck = None;
                self.stage = S::Open;
            }
            (_, E::Merged { .. }) if open => self.stage = S::Merged,
            (S::Open | S::Revising { .. }, E::CloseIntended { reason, superseded }) => {
                self.stage = S::Closing { reason: reason.clone(), superseded: *superseded };
            }
            (S::Closing { superseded: true, .. }, E::Closed { .. }) => self.stage = S::Superseded,
            (_, E::Closed { .. }) if open => self.stage = S::Closed,
            _ => return Err(illegal),
        }
        Ok(self)
    }
}
