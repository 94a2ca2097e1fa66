//! Weighing: what a review and a trial mean for a patch, and whether it goes back to its writer. Pure.

use kaizen_domain::attempt::Round;
use kaizen_domain::{Attempt, AttemptEvent, Check, Cycle, Decision, EngineName, Plan, Verdict, decide};
use kaizen_settings::Settings;

use crate::engine::Brief;

/// What comes after a review that refused, or after a trial.
#[must_use]
pub fn weigh(cycle: &Cycle, attempt: &Attempt, settings: &Settings) -> AttemptEvent {
    let (Some(round), Some(plan)) = (attempt.current(), attempt.plan.as_ref()) else {
        return AttemptEvent::Stopped { reason: "BUG: there is nothing to weigh".to_owned() };
    };
    let decision = match &round.review {
        // A batch that needs a person is not tried: the search goes on for the suggestion that does.
        Some(review) if round.trial.is_none() && review.verdict == Verdict::AskPerson => {
            Decision::Inconclusive { reasons: review.reasons() }
        }
        _ => verdict(cycle, plan, round),
    };
    let tried = attempt.rounds.iter().filter(|other| other.patch.base == round.patch.base).count();
    let most = match plan.task.engine {
        EngineName::Rustfix => settings.agents.fixer_rounds,
        EngineName::Model => plan.task.rounds,
        EngineName::Manifest | EngineName::Given => 1,
    };
    let again = tried < most as usize;
    match (plan.task.engine, &decision) {
        (_, Decision::Land) if round.patch.more && again => {
            AttemptEvent::Reworked { reason: "passed; the rest of the suggestions is tried with these".to_owned() }
        }
        (_, Decision::Land) => AttemptEvent::Decided { decision },
        // One suggestion that needs a person must not hold back the others.
        (EngineName::Rustfix, Decision::Ask { reasons }) if again && round.patch.items.len() > 1 => {
            AttemptEvent::Reworked { reason: reasons.join("; ") }
        }
        (EngineName::Rustfix, Decision::Reject { reasons } | Decision::Inconclusive { reasons }) if again => {
            AttemptEvent::Reworked { reason: reasons.join("; ") }
        }
        (EngineName::Model, Decision::Reject { reasons } | Decision::Inconclusive { reasons }) if again => {
            AttemptEvent::Reworked { reason: reasons.join("; ") }
        }
        _ => AttemptEvent::Decided { decision },
    }
}

/// What the review and the trial of a patch decide.
#[must_use]
pub fn verdict(cycle: &Cycle, plan: &Plan, round: &Round) -> Decision {
    let (Some(review), Some(base)) = (round.review.as_ref(), cycle.base_report.as_ref()) else {
        return Decision::Inconclusive { reasons: vec!["it was not reviewed".to_owned()] };
    };
    decide(review, &plan.task.check, base, round.trial.as_ref(), cycle.request.source.approved())
}

/// Whether the patch of a round would have landed by itself: the outcome that a search among suggestions goes by.
#[must_use]
pub fn passed(brief: &Brief, round: &Round) -> bool {
    let Some(plan) = brief.attempt.plan.as_ref() else { return false };
    if round.review.as_ref().is_none_or(|review| review.verdict != Verdict::Pass) {
        return false;
    }
    matches!(verdict(&brief.cycle, plan, round), Decision::Land)
}

/// The check of a proposal from outside: a base that does not build is only asked to build.
#[must_use]
pub fn proposal_check(cycle: &Cycle) -> Check {
    match cycle.base_report.as_ref().map(|report| &report.outcome) {
        Some(kaizen_domain::TrialOutcome::Ran) | None => Check::NothingBreaks,
        Some(_) => Check::Builds,
    }
}
