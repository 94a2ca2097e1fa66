//! Steps: what is due next in a cycle follows from its state alone, so that a cycle killed at any instant goes on where
//! it stood. Pure: doing the step is the business of the floors above.

use crate::attempt::{Attempt, AttemptStage};
use crate::cycle::{Cycle, CycleStage, MAX_COLLECTIONS};
use crate::decision::Decision;
use crate::id::OpportunityId;
use crate::request::PatchSource;
use crate::review::Verdict;
use crate::word::Word;

/// What is due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Try the tip.
    TryBase,
    /// Collect signals on the tip.
    Collect,
    /// Rank them.
    Rank,
    /// Ask the Architect.
    Plan(OpportunityId),
    /// Have a patch written.
    Write(OpportunityId),
    /// Have it reviewed.
    Review(OpportunityId),
    /// Try it.
    Try(OpportunityId),
    /// Decide, or send it back.
    Weigh(OpportunityId),
    /// Carry the decision out: say which ref will move.
    Intend(OpportunityId),
    /// Move the ref, unless it has moved already.
    Land(OpportunityId),
    /// Draw the lesson of an opportunity that is done.
    Learn(OpportunityId),
    /// Say that it is over.
    Finish,
    /// Nothing: it is over.
    Nothing,
}

impl Cycle {
    /// What is due next.
    #[must_use]
    pub fn step(&self) -> Step {
        match self.stage {
            CycleStage::Finished | CycleStage::Failed => Step::Nothing,
            CycleStage::Started => Step::TryBase,
            CycleStage::BaseTried => Step::Collect,
            CycleStage::Collected => Step::Rank,
            CycleStage::Working => self.working_step(),
        }
    }

    fn working_step(&self) -> Step {
        for attempt in &self.attempts {
            let id = attempt.opportunity;
            match &attempt.stage {
                AttemptStage::Done { .. } if self.learned.contains(&id) => {}
                AttemptStage::Done { .. } => return Step::Learn(id),
                // A new attempt waits for the tip's own trial, and for room below the cap.
                AttemptStage::Chosen if self.full() => {}
                AttemptStage::Chosen if self.base_report.is_none() => return Step::TryBase,
                AttemptStage::Chosen => return Step::Plan(id),
                AttemptStage::Writing if self.base_report.is_none() => return Step::TryBase,
                AttemptStage::Writing => return Step::Write(id),
                AttemptStage::Written => return Step::Review(id),
                AttemptStage::Reviewed | AttemptStage::Trying { .. } if attempt.screened_out() => {
                    return Step::Weigh(id);
                }
                AttemptStage::Reviewed | AttemptStage::Trying { .. } => return Step::Try(id),
                AttemptStage::Tried => return Step::Weigh(id),
                AttemptStage::Decided { .. } => return Step::Intend(id),
                AttemptStage::Landing { .. } => return Step::Land(id),
            }
        }
        if self.worth_another_look() { Step::Collect } else { Step::Finish }
    }

    /// Whether as many patches have landed as were asked for.
    #[must_use]
    pub fn full(&self) -> bool {
        self.count(Word::Landed) + self.count(Word::Queued) >= self.request.max_landings as usize
    }

    /// Something landed since signals were last collected, so there may be new ones.
    fn worth_another_look(&self) -> bool {
        !self.full()
            && !self.request.dry_run
            && matches!(self.request.source, PatchSource::Engines)
            && self.collections < MAX_COLLECTIONS
            && self.collected_on.as_ref() != Some(&self.tip)
            && self.base_report.is_some()
            && self.attempts.len() < self.request.max_opportunities as usize
    }
}

impl Attempt {
    /// A patch that is refused is never tried. Nor is a batch of suggestions that needs a person: the search goes on to
    /// find which of them does, and only that one is worth a trial and a question.
    fn screened_out(&self) -> bool {
        self.current().is_some_and(|round| match round.review.as_ref().map(|review| review.verdict) {
            Some(Verdict::Refuse) => true,
            Some(Verdict::AskPerson) => round.patch.items.len() > 1,
            Some(Verdict::Pass) | None => false,
        })
    }

    /// The decision that is being carried out, when there is one.
    #[must_use]
    pub fn decision(&self) -> Option<&Decision> {
        match &self.stage {
            AttemptStage::Decided { decision } => Some(decision),
            _ => None,
        }
    }
}
