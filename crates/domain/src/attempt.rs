//! Attempt: the work on one opportunity, as a state machine from "chosen" to a word of result.
//!
//! One total function, [`Attempt::next`], serves live work, replay after a crash and tests. A stage carries what the
//! next step needs; what happened in earlier rounds stays in `rounds`, as evidence for whoever writes the next patch.

use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::event::IllegalEvent;
use crate::id::{OpportunityId, TrialId};
use crate::landing::Landing;
use crate::model_use::ModelUse;
use crate::money::Spend;
use crate::patch::Patch;
use crate::plan::{Answer, Plan};
use crate::review::{Finding, Review, Verdict};
use crate::trial::TrialReport;
use crate::word::Word;

/// Something that happened to the work on one opportunity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum AttemptEvent {
    /// The Architect answered.
    Answered {
        /// A plan, or why not.
        answer: Answer,
        /// What that cost, when a model was asked.
        #[serde(default)]
        spend: Spend,
    },
    /// A specialist wrote a patch; its commit exists.
    Written {
        /// The patch.
        patch: Patch,
    },
    /// No patch can be written (any more).
    GaveUp {
        /// Why.
        reasons: Vec<String>,
        /// What that cost, when a model was asked in vain.
        spend: Spend,
        /// The model gave no answer at all, which says nothing about the matter.
        #[serde(default)]
        unanswered: bool,
        /// The questions to models that led to it.
        #[serde(default)]
        uses: Vec<ModelUse>,
    },
    /// Security and the policy have spoken.
    Reviewed {
        /// What they said.
        review: Review,
    },
    /// A trial is about to start.
    TrialStarted {
        /// Which.
        trial: TrialId,
    },
    /// The trial ended.
    TrialFinished {
        /// What it measured.
        report: TrialReport,
    },
    /// A second reader has read the patch that would land.
    Read {
        /// What they found; at least that they did.
        findings: Vec<Finding>,
        /// What that cost.
        spend: Spend,
    },
    /// The patch goes back to its writer with what was learned.
    Reworked {
        /// Why.
        reason: String,
    },
    /// It is decided.
    Decided {
        /// What becomes of the patch.
        decision: Decision,
    },
    /// A ref is about to move.
    LandingIntended {
        /// Which, from where, to where.
        landing: Landing,
    },
    /// The ref has moved.
    Landed,
    /// The target had moved meanwhile: the patch must be written and tried again on the new base.
    BaseMoved {
        /// What was found.
        reason: String,
    },
    /// The ref cannot move.
    LandingFailed {
        /// Why.
        reason: String,
    },
    /// A dry run ends before the landing.
    Withheld,
    /// The work was stopped from outside.
    Stopped {
        /// Why.
        reason: String,
    },
}

impl AttemptEvent {
    /// The name of the event, as the journal spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::Written { .. } => "written",
            Self::GaveUp { .. } => "gave_up",
            Self::Reviewed { .. } => "reviewed",
            Self::TrialStarted { .. } => "trial_started",
            Self::TrialFinished { .. } => "trial_finished",
            Self::Read { .. } => "read",
            Self::Reworked { .. } => "reworked",
            Self::Decided { .. } => "decided",
            Self::LandingIntended { .. } => "landing_intended",
            Self::Landed => "landed",
            Self::BaseMoved { .. } => "base_moved",
            Self::LandingFailed { .. } => "landing_failed",
            Self::Withheld => "withheld",
            Self::Stopped { .. } => "stopped",
        }
    }
}

/// Where the work on an opportunity stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptStage {
    /// The Architect is to answer.
    Chosen,
    /// A specialist is to write a patch.
    Writing,
    /// The newest patch is to be reviewed.
    Written,
    /// It is to be tried, or refused.
    Reviewed,
    /// Its trial runs, or was cut off.
    Trying {
        /// The trial.
        trial: TrialId,
    },
    /// What it showed is to be weighed.
    Tried,
    /// The decision is to be carried out.
    Decided {
        /// The decision.
        decision: Decision,
    },
    /// The ref is to move, unless it has.
    Landing {
        /// How.
        landing: Landing,
        /// Why a person is asked; empty when it lands.
        asked: Vec<String>,
    },
    /// It is over.
    Done {
        /// How it ended.
        word: Word,
        /// Why.
        reasons: Vec<String>,
    },
}

impl AttemptStage {
    /// The name of the stage.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Writing => "writing",
            Self::Written => "written",
            Self::Reviewed => "reviewed",
            Self::Trying { .. } => "trying",
            Self::Tried => "tried",
            Self::Decided { .. } => "decided",
            Self::Landing { .. } => "landing",
            Self::Done { .. } => "done",
        }
    }
}

/// One patch of an attempt with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The patch.
    pub patch: Patch,
    /// Its review, once there is one.
    pub review: Option<Review>,
    /// Whether a second reader has added to the review.
    pub read: bool,
    /// Its trial, once it is over.
    pub trial: Option<TrialReport>,
    /// Why it went back to its writer, when it did.
    pub reworked: Option<String>,
}

/// The work on one opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The opportunity.
    pub opportunity: OpportunityId,
    /// Where it stands.
    pub stage: AttemptStage,
    /// The plan, once there is one.
    pub plan: Option<Plan>,
    /// The patches so far, the newest last.
    pub rounds: Vec<Round>,
    /// How the last landing was meant, once there was one.
    pub landing: Option<Landing>,
    /// What writing has cost.
    pub spend: Spend,
}

impl Attempt {
    /// The work on an opportunity that was just chosen.
    #[must_use]
    pub fn new(opportunity: OpportunityId) -> Self {
        Self {
            opportunity,
            stage: AttemptStage::Chosen,
            plan: None,
            rounds: Vec::new(),
            landing: None,
            spend: Spend::default(),
        }
    }

    /// The newest round.
    #[must_use]
    pub fn current(&self) -> Option<&Round> {
        self.rounds.last()
    }

    /// How it ended, when it has.
    #[must_use]
    pub fn word(&self) -> Option<Word> {
        match &self.stage {
            AttemptStage::Done { word, .. } => Some(*word),
            _ => None,
        }
    }

    /// The state after an event.
    ///
    /// # Errors
    /// When the event cannot follow this stage.
    pub fn next(mut self, event: &AttemptEvent) -> Result<Self, IllegalEvent> {
        use AttemptEvent as E;
        use AttemptStage as S;
        let illegal = IllegalEvent {
            thing: format!("the attempt at {}", self.opportunity),
            stage: self.stage.name().to_owned(),
            event: event.name().to_owned(),
        };
        let done = |word, reasons: &[String]| S::Done { word, reasons: reasons.to_vec() };
        let may_be_tried = self.may_be_tried();
        let stage = match (self.stage, event) {
            (S::Done { .. }, _) => return Err(illegal),
            (_, E::Stopped { reason }) => done(Word::Inconclusive, std::slice::from_ref(reason)),

            (S::Chosen, E::Answered { answer: Answer::Declined { reason }, spend }) => {
                self.spend = self.spend.plus(*spend);
                done(Word::Declined, std::slice::from_ref(reason))
            }
            (S::Chosen, E::Answered { answer: Answer::Plan(plan), spend }) => {
                self.spend = self.spend.plus(*spend);
                self.plan = Some(plan.clone());
                S::Writing
            }
            (S::Writing, E::Written { patch }) => {
                self.spend = self.spend.plus(patch.spend);
                self.rounds.push(Round {
                    patch: patch.clone(),
                    review: None,
                    read: false,
                    trial: None,
                    reworked: None,
                });
                S::Written
            }
            (S::Writing, E::GaveUp { reasons, spend, unanswered, .. }) => {
                self.spend = self.spend.plus(*spend);
                done(if *unanswered { Word::Inconclusive } else { Word::Rejected }, reasons)
            }
            (S::Written, E::Reviewed { review }) => {
                let Some(round) = self.rounds.last_mut() else { return Err(illegal) };
                round.review = Some(review.clone());
                S::Reviewed
            }
            // A trial that was cut off by a crash is started again under a new id.
            (S::Reviewed | S::Trying { .. }, E::TrialStarted { trial }) if may_be_tried => S::Trying { trial: *trial },
            (S::Trying { trial }, E::TrialFinished { report }) if trial == report.id => {
                let Some(round) = self.rounds.last_mut() else { return Err(illegal) };
                round.trial = Some(report.clone());
                S::Tried
            }
            (S::Tried, E::Read { findings, spend }) => {
                self.spend = self.spend.plus(*spend);
                let Some(round) = self.rounds.last_mut().filter(|round| !round.read) else { return Err(illegal) };
                let Some(review) = round.review.take() else { return Err(illegal) };
                let findings = review.findings.into_iter().chain(findings.iter().cloned()).collect();
                round.review = Some(Review::of(findings, review.items));
                round.read = true;
                S::Tried
            }
            (S::Reviewed | S::Tried, E::Reworked { reason }) | (S::Landing { .. }, E::BaseMoved { reason }) => {
                let Some(round) = self.rounds.last_mut() else { return Err(illegal) };
                round.reworked = Some(reason.clone());
                S::Writing
            }
            (
                S::Reviewed,
                E::Decided { decision: decision @ (Decision::Reject { .. } | Decision::Inconclusive { .. }) },
            )
            | (S::Tried, E::Decided { decision }) => match decision {
                Decision::Reject { reasons } => done(Word::Rejected, reasons),
                Decision::Inconclusive { reasons } => done(Word::Inconclusive, reasons),
                Decision::Land | Decision::Ask { .. } => S::Decided { decision: decision.clone() },
            },
            (S::Decided { decision }, E::LandingIntended { landing }) => {
                self.landing = Some(landing.clone());
                let asked = if let Decision::Ask { reasons } = decision { reasons } else { Vec::new() };
                S::Landing { landing: landing.clone(), asked }
            }
            (S::Decided { decision }, E::Withheld) => match decision {
                Decision::Ask { reasons } => done(Word::Asked, &reasons),
                _ => done(Word::Asked, &["dry run: it would have landed".to_owned()]),
            },
            (S::Decided { .. } | S::Landing { .. }, E::LandingFailed { reason }) => {
                done(Word::Rejected, std::slice::from_ref(reason))
            }
            (S::Landing { asked, landing }, E::Landed) => {
                let word = match (asked.is_empty(), landing.proposed) {
                    (true, false) => Word::Landed,
                    (true, true) => Word::Queued,
                    (false, _) => Word::Asked,
                };
                S::Done { word, reasons: asked }
            }
            (
                S::Chosen
                | S::Writing
                | S::Written
                | S::Reviewed
                | S::Trying { .. }
                | S::Tried
                | S::Decided { .. }
                | S::Landing { .. },
                _,
            ) => return Err(illegal),
        };
        self.stage = stage;
        Ok(self)
    }

    /// A patch that was refused in review is never tried.
    fn may_be_tried(&self) -> bool {
        self.current().and_then(|round| round.review.as_ref()).is_some_and(|review| review.verdict != Verdict::Refuse)
    }
}
