//! The end of a story: what came of it all, what it cost, and what a person can do next.

use std::time::Duration;

use kaizen_domain::attempt::Round;
use kaizen_domain::{Attempt, AttemptStage, Cycle, LandingMode, Millis, Word};

use crate::story::lines::shown;
use crate::story::paint::Paint;

/// Patches that are named one by one at the end, at most.
const NAMED: usize = 5;

/// What came of it all, and what a person can do next.
#[must_use]
pub fn summary(paint: &Paint, cycle: &Cycle, elapsed: Duration) -> String {
    let landed = cycle.count(Word::Landed);
    let onto = match (cycle.request.landing, &cycle.request.base.target) {
        (LandingMode::Merge, Some(target)) if landed > 0 => format!(" on {}", shown(target.short())),
        _ if landed > 0 => format!(" on branch kaizen/{}/landed", cycle.id.short()),
        _ => String::new(),
    };
    let queued = cycle.count(Word::Queued);
    let mut parts = match cycle.request.landing {
        LandingMode::PullRequest => vec![format!("to propose {queued}")],
        _ => vec![format!("landed {landed}{onto}")],
    };
    let would = withheld(cycle).count();
    if cycle.request.dry_run {
        parts.push(format!("dry run: {would} would have"));
    }
    let asked = cycle.count(Word::Asked) - would;
    let counts = [("rejected", Word::Rejected), ("inconclusive", Word::Inconclusive), ("declined", Word::Declined)];
    for (name, count) in [("asked", asked)].into_iter().chain(counts.map(|(name, word)| (name, cycle.count(word)))) {
        if count > 0 {
            parts.push(format!("{name} {count}"));
        }
    }
    let left = cycle.attempts.iter().filter(|attempt| attempt.stage == AttemptStage::Chosen).count();
    if left > 0 {
        parts.push(format!("{left} left for the next cycle"));
    }
    let spend = cycle.spend();
    if spend.usd.0 > 0 || spend.output.0 > 0 {
        parts.push(format!("{} of {}", spend.usd, cycle.request.budget));
    }
    let all = Millis::from_duration(elapsed);
    parts.push(format!("{all}, {} of it in trials", Millis(sandbox_time(cycle).min(all.0))));
    let mut lines = vec![String::new(), format!("  {}", parts.join(" · "))];
    lines.extend(next_steps(paint, cycle));
    lines.join("\n")
}

fn next_steps(paint: &Paint, cycle: &Cycle) -> Vec<String> {
    let mut lines = Vec::new();
    let mut step = |label: &str, text: String| lines.push(format!("  {} {text}", paint.label(label)));
    if let Some(round) = ended(cycle, Word::Landed).filter_map(Attempt::current).last() {
        let base =
            cycle.request.base.target.as_ref().map_or(cycle.request.base.commit.as_str(), |target| target.short());
        let base = shown(base);
        let branch = format!("kaizen/{}/landed", cycle.id.short());
        if cycle.request.landing == LandingMode::Branch {
            step("look", format!("git log -p {base}..{branch}"));
            step("take", format!("git merge {branch}"));
        } else {
            step("look", format!("git log -p {}..{base}", cycle.request.base.commit.short()));
        }
        step("undo", format!("kaizen revert {}", round.patch.id.short()));
    }
    if let Some(landing) = ended(cycle, Word::Queued).filter_map(|attempt| attempt.landing.as_ref()).last() {
        step("look", format!("git show {}", landing.target.short()));
        step("follow", "kaizen pull-requests".to_owned());
    }
    if let Some(round) = withheld(cycle).next() {
        step("take", format!("the same without --dry-run, or one alone: kaizen approve {}", round.patch.id.short()));
    }
    for attempt in ended(cycle, Word::Asked).take(NAMED) {
        if let (Some(round), Some(landing)) = (attempt.current(), &attempt.landing) {
            step("look", format!("git show {}", landing.target.short()));
            step("decide", format!("kaizen approve {}", round.patch.id.short()));
        }
    }
    lines
}

fn ended(cycle: &Cycle, word: Word) -> impl Iterator<Item = &Attempt> {
    cycle.attempts.iter().filter(move |attempt| attempt.word() == Some(word))
}

/// What a dry run kept from landing, beside what a person would be asked about.
fn withheld(cycle: &Cycle) -> impl Iterator<Item = &Round> {
    let would = |attempt: &&Attempt| matches!(&attempt.stage, AttemptStage::Done { reasons, .. } if reasons.iter().all(|reason| reason.starts_with("dry run")));
    ended(cycle, Word::Asked).filter(|_| cycle.request.dry_run).filter(would).filter_map(Attempt::current)
}

fn sandbox_time(cycle: &Cycle) -> u64 {
    let trials = cycle.attempts.iter().flat_map(|attempt| &attempt.rounds).filter_map(|round| round.trial.as_ref());
    trials.chain(cycle.first_report.iter()).map(|report| report.wall.0).sum()
}
