//! Cycle: one run from signals to lessons. Its state is a fold over its events, and the step that is due follows from
//! the state alone, so that a cycle killed at any instant goes on where it stood.

use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, AttemptEvent, AttemptStage};
use crate::event::IllegalEvent;
use crate::id::{CycleId, LessonId, OpportunityId};
use crate::landing::LandingMode;
use crate::money::Spend;
use crate::names::CommitId;
use crate::opportunity::Opportunity;
use crate::request::CycleRequest;
use crate::signal::Signal;
use crate::trial::TrialReport;
use crate::word::Word;

/// Something that happened to a cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CycleEvent {
    /// It was asked for.
    Started {
        /// The terms.
        request: CycleRequest,
    },
    /// The commit that patches will be compared with was tried itself.
    BaseTried {
        /// What that showed.
        report: TrialReport,
    },
    /// Signals were collected on the tip.
    Collected {
        /// The commit they were collected on.
        commit: CommitId,
        /// The signals.
        signals: Vec<Signal>,
    },
    /// Analysis turned them into opportunities, the best first.
    Ranked {
        /// What is new since the last ranking.
        opportunities: Vec<Opportunity>,
        /// Those that will be taken up, in order.
        chosen: Vec<OpportunityId>,
        /// Keys of suggestions that earlier cycles settled on this base: shown to be bad, or landed on a branch that
        /// still waits to be taken.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        settled: Vec<String>,
    },
    /// Something happened to the work on one opportunity.
    Attempt {
        /// Which.
        opportunity: OpportunityId,
        /// What.
        #[serde(flatten)]
        what: AttemptEvent,
    },
    /// The target moved under the cycle; everything is measured again on the new tip.
    TipMoved {
        /// Where it stands now.
        to: CommitId,
    },
    /// An outcome taught something.
    Learned {
        /// The lesson.
        lesson: Lesson,
    },
    /// It cannot go on; nothing more will land.
    Failed {
        /// Why.
        reason: String,
        /// What a person can do.
        help: Vec<String>,
    },
    /// It is over.
    Finished,
}

impl CycleEvent {
    /// The name of the event, as the journal spells it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::BaseTried { .. } => "base_tried",
            Self::Collected { .. } => "collected",
            Self::Ranked { .. } => "ranked",
            Self::Attempt { what, .. } => what.name(),
            Self::TipMoved { .. } => "tip_moved",
            Self::Learned { .. } => "learned",
            Self::Failed { .. } => "failed",
            Self::Finished => "finished",
        }
    }
}

/// What an outcome taught: looked up by topic when the same matter comes up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// Its id.
    pub id: LessonId,
    /// The matter, see [`Opportunity::topic`].
    pub topic: String,
    /// How it ended.
    pub word: Word,
    /// What is worth remembering, one line.
    pub text: String,
    /// Keys of suggestions that were shown to be bad.
    pub bad_items: Vec<String>,
    /// It says something about the matter itself. What came to nothing before anything was tried does not.
    #[serde(default = "yes")]
    pub tells: bool,
}

fn yes() -> bool {
    true
}

/// Where a cycle stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CycleStage {
    /// The base is to be tried.
    Started,
    /// Signals are to be collected.
    BaseTried,
    /// They are to be ranked.
    Collected,
    /// Opportunities are worked on.
    Working,
    /// It is over.
    Finished,
    /// It could not go on.
    Failed,
}

/// How often signals are collected again after landings, so that what one fix uncovers is fixed too.
pub const MAX_COLLECTIONS: u32 = 4;
/// How often the target may move under a cycle before it gives up.
pub const MAX_MOVES: u32 = 5;

/// One run from signals to lessons.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    /// Its id.
    pub id: CycleId,
    /// The terms it runs under.
    pub request: CycleRequest,
    /// Where it stands.
    pub stage: CycleStage,
    /// The commit the next patch is written on.
    pub tip: CommitId,
    /// What the trial of the tip showed.
    pub base_report: Option<TrialReport>,
    /// What the trial of the commit the cycle started from showed.
    pub first_report: Option<TrialReport>,
    /// All signals.
    pub signals: Vec<Signal>,
    /// The commit of the last collection.
    pub collected_on: Option<CommitId>,
    /// How often signals were collected.
    pub collections: u32,
    /// How often the target moved.
    pub moves: u32,
    /// All opportunities, the best first.
    pub opportunities: Vec<Opportunity>,
    /// The work on those that were chosen, in order.
    pub attempts: Vec<Attempt>,
    /// What was learned.
    pub lessons: Vec<Lesson>,
    /// Keys of suggestions that earlier cycles settled.
    pub settled: Vec<String>,
    /// Opportunities whose lesson is drawn.
    pub(crate) learned: Vec<OpportunityId>,
    /// Why it failed, and what to do.
    pub failure: Option<(String, Vec<String>)>,
}

impl Cycle {
    /// A cycle that was just asked for.
    #[must_use]
    pub fn new(id: CycleId, request: CycleRequest) -> Self {
        Self {
            id,
            tip: request.base.commit.clone(),
            request,
            stage: CycleStage::Started,
            base_report: None,
            first_report: None,
            signals: Vec::new(),
            collected_on: None,
            collections: 0,
            moves: 0,
            opportunities: Vec::new(),
            attempts: Vec::new(),
            lessons: Vec::new(),
            settled: Vec::new(),
            learned: Vec::new(),
            failure: None,
        }
    }

    /// Folds the events of one cycle, of which the first must be `Started`.
    ///
    /// # Errors
    /// When an event cannot follow the ones before it.
    pub fn fold<'a>(id: CycleId, events: impl IntoIterator<Item = &'a CycleEvent>) -> Result<Self, IllegalEvent> {
        let mut events = events.into_iter();
        let Some(CycleEvent::Started { request }) = events.next() else {
            return Err(IllegalEvent {
                thing: format!("cycle {id}"),
                stage: "nothing".to_owned(),
                event: "anything but started".to_owned(),
            });
        };
        events.try_fold(Self::new(id, request.clone()), |cycle, event| cycle.next(event))
    }

    /// The opportunity of that id.
    #[must_use]
    pub fn opportunity(&self, id: OpportunityId) -> Option<&Opportunity> {
        self.opportunities.iter().find(|opportunity| opportunity.id == id)
    }

    /// The work on the opportunity of that id.
    #[must_use]
    pub fn attempt(&self, id: OpportunityId) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.opportunity == id)
    }

    /// How many opportunities ended with this word.
    #[must_use]
    pub fn count(&self, word: Word) -> usize {
        self.attempts.iter().filter(|attempt| attempt.word() == Some(word)).count()
    }

    /// What writing has cost so far.
    #[must_use]
    pub fn spend(&self) -> Spend {
        self.attempts.iter().fold(Spend::default(), |sum, attempt| sum.plus(attempt.spend))
    }

    /// Keys of suggestions that are not to be tried: this cycle has shown them to be bad, or an earlier one settled them.
    #[must_use]
    pub fn bad_items(&self) -> Vec<&str> {
        self.lessons.iter().flat_map(|lesson| &lesson.bad_items).chain(&self.settled).map(String::as_str).collect()
    }

    /// The number of the attempt among all, from 1: part of its branch name.
    #[must_use]
    pub fn number(&self, id: OpportunityId) -> usize {
        self.attempts.iter().position(|attempt| attempt.opportunity == id).map_or(0, |index| index + 1)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// When the event cannot follow this state.
    pub fn next(mut self, event: &CycleEvent) -> Result<Self, IllegalEvent> {
        use CycleEvent as E;
        use CycleStage as S;
        let illegal = IllegalEvent {
            thing: format!("cycle {}", self.id),
            stage: format!("{:?}", self.stage).to_lowercase(),
            event: event.name().to_owned(),
        };
        match (self.stage, event) {
            (S::Finished | S::Failed, _) | (_, E::Started { .. }) => return Err(illegal),
            (_, E::Failed { reason, help }) => {
                self.failure = Some((reason.clone(), help.clone()));
                self.stage = S::Failed;
            }
            // Tried again on a new tip while opportunities are being worked on.
            (S::Started | S::Working, E::BaseTried { report })
                if self.base_report.is_none() && report.commit == self.tip =>
            {
                self.base_report = Some(report.clone());
                self.first_report.get_or_insert_with(|| report.clone());
                if self.stage == S::Started {
                    self.stage = S::BaseTried;
                }
            }
            (S::BaseTried | S::Working, E::Collected { commit, signals }) => {
                self.signals.extend(signals.iter().cloned());
                self.collected_on = Some(commit.clone());
                self.collections += 1;
                self.stage = S::Collected;
            }
            (S::Collected, E::Ranked { opportunities, chosen, settled }) => {
                self.settled.extend(settled.iter().cloned());
                self.opportunities.extend(opportunities.iter().cloned());
                self.attempts.extend(chosen.iter().copied().map(Attempt::new));
                self.stage = S::Working;
            }
            (S::Working, E::Attempt { opportunity, what }) => self.apply(*opportunity, what, illegal)?,
            (S::Working, E::TipMoved { to }) => {
                self.tip = to.clone();
                self.base_report = None;
                self.moves += 1;
            }
            (S::Working, E::Learned { lesson }) => {
                let next = self.attempts.iter().find(|a| a.word().is_some() && !self.learned.contains(&a.opportunity));
                let Some(done) = next.map(|attempt| attempt.opportunity) else { return Err(illegal) };
                self.learned.push(done);
                self.lessons.push(lesson.clone());
            }
            (S::Working, E::Finished) => self.stage = S::Finished,
            (S::Started | S::BaseTried | S::Collected | S::Working, _) => return Err(illegal),
        }
        Ok(self)
    }

    fn apply(&mut self, id: OpportunityId, event: &AttemptEvent, illegal: IllegalEvent) -> Result<(), IllegalEvent> {
        let Some(slot) = self.attempts.iter_mut().find(|attempt| attempt.opportunity == id) else {
            return Err(illegal);
        };
        let before = slot.stage.clone();
        *slot = slot.clone().next(event)?;
        // A landing makes the landed tree the base of what follows, with the evidence it was landed on.
        if let (AttemptStage::Landing { landing, asked }, AttemptEvent::Landed) = (before, event)
            && asked.is_empty()
            && !landing.proposed
        {
            self.tip = landing.to.clone();
            let round = slot.current();
            // A merge commit has the tree that was tried; the report stands for that tree.
            self.base_report = round.and_then(|round| round.trial.clone()).map(|mut report| {
                report.commit = landing.to;
                report
            });
        }
        Ok(())
    }

    /// Whether the user's own ref is what moves.
    #[must_use]
    pub fn merges(&self) -> bool {
        self.request.landing == LandingMode::Merge
    }
}
