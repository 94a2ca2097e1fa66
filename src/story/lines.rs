//! The lines of a story, each from the state it is about. Text from outside is made harmless before it is shown.

use std::collections::BTreeMap;
use std::time::Duration;

use kaizen_domain::path::is_invisible;
use kaizen_domain::{
    Answer, Attempt, AttemptEvent, AttemptStage, Comparison, Cycle, LandingMode, Millis, Opportunity, OpportunityId,
    Signal, TrialOutcome, TrialReport, Verdict, Word,
};

use crate::story::paint::Paint;

/// Lines of a diff that are shown at most.
const DIFF_LINES: usize = 24;

/// What the header says about where it works.
#[derive(Debug, Clone)]
pub struct Place {
    /// The repository's name.
    pub name: String,
    /// Paths of the work tree that are changed or untracked.
    pub dirty: usize,
}

/// Text from outside as a terminal may show it: no control characters, nothing that hides or reverses.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// `kaizen · ledger @ 3f2c1d8 (main, work tree has 2 changes: not touched)`.
#[must_use]
pub fn header(paint: &Paint, place: &Place, cycle: &Cycle) -> String {
    let base = &cycle.request.base;
    let branch = base.target.as_ref().map_or("detached HEAD", |target| target.short());
    let tree = match place.dirty {
        0 => String::new(),
        1 => ", work tree has 1 change: not touched".to_owned(),
        n => format!(", work tree has {n} changes: not touched"),
    };
    let folder = if base.folder.is_empty() { String::new() } else { format!("/{}", base.folder) };
    let title = format!("kaizen · {}{} @ {}", shown(&place.name), shown(&folder), base.commit.short());
    format!("{} ({}{tree}) {}", paint.bold(&title), shown(branch), paint.dim(&format!("cycle {}", cycle.id.short())))
}

/// `  base      builds, 41 tests pass, 1 fails, 0 flaky      6.2 s`.
#[must_use]
pub fn base(paint: &Paint, report: &TrialReport) -> String {
    let (passed, failed, ignored) = report.counts();
    let text = match &report.outcome {
        TrialOutcome::Ran => {
            let failed = if failed == 1 { "1 fails".to_owned() } else { format!("{failed} fail") };
            let ignored = if ignored > 0 { format!(", {ignored} ignored") } else { String::new() };
            format!("builds, {passed} tests pass, {failed}, {} flaky{ignored}", report.flaky.len())
        }
        TrialOutcome::BuildFailed { errors, .. } => format!("does not build: {} errors", errors.len()),
        TrialOutcome::LimitHit { stage, limit } => format!("the {stage} ran into the limit of {limit}"),
        TrialOutcome::Unclear { stage, why } => format!("the {stage} prove nothing: {}", shown(why)),
    };
    format!("  {} {text:<66} {}", paint.label("base"), paint.dim(&report.wall.to_string()))
}

/// The tests that fail on the base, with where.
#[must_use]
pub fn failing(report: &TrialReport) -> Vec<String> {
    let all: Vec<String> = report
        .failing()
        .take(5)
        .map(|(test, result)| {
            let why = result.output.lines().map(str::trim).find(|line| line.starts_with("assertion") || line.contains("panicked at"));
            let why = why.map(|line| format!("  {}", shown(line))).unwrap_or_default();
            format!("            fails: {}{why}", shown(&test.0))
        })
        .collect();
    all
}

/// `  signals   23: 17 clippy, 3 rustc, 1 failing test`.
#[must_use]
pub fn signals(paint: &Paint, signals: &[Signal]) -> String {
    format!("  {} {}", paint.label("signals"), counted(signals))
}

/// The same for a later look.
#[must_use]
pub fn again(paint: &Paint, signals: &[Signal]) -> String {
    format!("  {} after what landed, {}", paint.label("signals"), counted(signals))
}

fn counted(signals: &[Signal]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for signal in signals {
        *counts.entry(signal.kind.word()).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let words: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {}", plural(word, *count))).collect();
    if words.is_empty() { "none".to_owned() } else { format!("{}: {}", signals.len(), words.join(", ")) }
}

fn plural(word: &str, count: usize) -> String {
    match (word, count) {
        (word, 1) | (word @ ("clippy" | "rustc"), _) => word.to_owned(),
        (word, _) if word.ends_with("dependency") => format!("{}ies", word.trim_end_matches('y')),
        (word, _) => format!("{word}s"),
    }
}

/// `  chosen    5 of 9 opportunities (impact, risk, cost)`; nothing when a later look brought nothing new.
#[must_use]
pub fn chosen(paint: &Paint, cycle: &Cycle, opportunities: &[Opportunity], chosen: &[OpportunityId]) -> Option<String> {
    if opportunities.is_empty() && cycle.collections > 1 {
        return None;
    }
    let hint = paint.dim(&format!("kaizen show {} --opportunities", cycle.id.short()));
    let text = format!("{} of {} opportunities (impact, risk, cost)", chosen.len(), opportunities.len());
    Some(format!("  {} {text:<46} {hint}\n", paint.label("chosen")))
}

/// Every opportunity with what it is ranked by.
#[must_use]
pub fn opportunities(opportunities: &[Opportunity], chosen: &[OpportunityId]) -> Vec<String> {
    let mut lines = vec![format!("    {:<7} {:>7} {:<7} {:>8} {:>5}  what", "", "impact", "risk", "cost", "sure")];
    lines.extend(opportunities.iter().map(|opportunity| {
        let mark = if chosen.contains(&opportunity.id) { "chosen" } else { "" };
        format!(
            "    {mark:<7} {:>7.1} {:<7} {:>8} {:>4.0}%  {}",
            opportunity.impact.score(),
            opportunity.risk.word(),
            opportunity.cost.to_string(),
            opportunity.confidence * 100.0,
            shown(&opportunity.title)
        )
    }));
    lines.push(String::new());
    lines
}

/// What happens on the way to a result, for who wants the whole story.
#[must_use]
pub fn detail(paint: &Paint, cycle: &Cycle, attempt: &Attempt, what: &AttemptEvent) -> Vec<String> {
    let note = |text: String| vec![format!("      {}", paint.dim(&text))];
    match what {
        AttemptEvent::Answered { answer: Answer::Plan(plan) } => {
            let title = cycle.opportunity(attempt.opportunity).map_or("", |opportunity| opportunity.title.as_str());
            let mut lines = vec![format!("  {} {}", cycle.number(attempt.opportunity), paint.bold(&shown(title)))];
            let (who, engine) = (plan.task.specialist.word(), plan.task.engine.word());
            lines.extend(note(format!("plan: the {who} with {engine}, because {}", shown(&plan.rationale))));
            lines
        }
        AttemptEvent::Written { patch } => {
            let mut lines = note(format!("patch {}: {}", patch.id.short(), shown(&patch.title)));
            // A later part of a search repeats most of what was shown.
            if attempt.rounds.len() == 1 {
                lines.extend(diff(paint, &patch.diff, DIFF_LINES));
            }
            lines
        }
        AttemptEvent::Reviewed { review } if review.verdict != Verdict::Pass => {
            note(format!("review: {}", shown(&review.reasons().join("; "))))
        }
        AttemptEvent::TrialFinished { report } => note(format!("trial: {} ({})", tried(cycle, report), report.wall)),
        AttemptEvent::Reworked { reason } => note(format!("again: {}", shown(reason))),
        _ => Vec::new(),
    }
}

/// The first lines of a diff, indented.
#[must_use]
pub fn diff(paint: &Paint, text: &str, most: usize) -> Vec<String> {
    let header = |line: &&str| !line.starts_with("diff --git") && !line.starts_with("index ") && !line.starts_with("---");
    let all: Vec<&str> = text.lines().filter(header).collect();
    let mut lines: Vec<String> =
        all.iter().take(most).map(|line| format!("        {}", paint.diff_line(&shown(line)))).collect();
    if all.len() > most {
        lines.push(format!("        {}", paint.dim(&format!("... and {} more lines", all.len() - most))));
    }
    lines
}

/// What a trial showed against the base it is compared with.
#[must_use]
pub fn tried(cycle: &Cycle, report: &TrialReport) -> String {
    match &report.outcome {
        TrialOutcome::BuildFailed { errors, tail } => {
            let first = errors.first().map_or_else(|| tail.lines().last().unwrap_or(""), |error| error.message.as_str());
            return format!("does not build: {}", shown(first));
        }
        TrialOutcome::LimitHit { stage, limit } => return format!("the {stage} ran into the limit of {limit}"),
        TrialOutcome::Unclear { why, .. } => return format!("unclear: {}", shown(why)),
        TrialOutcome::Ran => {}
    }
    let (passed, failed, _) = report.counts();
    let Some(base) = &cycle.base_report else { return format!("{passed}/{} tests pass", passed + failed) };
    let comparison = Comparison::of(base, report);
    let (before, before_failed, _) = base.counts();
    let mut text = if comparison.broken.is_empty() && before == passed {
        format!("{passed}/{} same", passed + failed)
    } else {
        format!("{passed}/{}, was {before}/{}", passed + failed, before + before_failed)
    };
    if let Some(speed) = &report.speed {
        text.push_str(&format!(", {}", speed.detail));
    }
    text
}

/// The numbered line of a result.
#[must_use]
pub fn outcome(paint: &Paint, cycle: &Cycle, attempt: &Attempt) -> String {
    let AttemptStage::Done { word, reasons } = &attempt.stage else { return String::new() };
    let number = cycle.number(attempt.opportunity);
    let title = cycle.opportunity(attempt.opportunity).map_or("", |opportunity| opportunity.title.as_str());
    let why = shown(&reasons.join("; "));
    let Some(round) = attempt.current() else {
        return format!("{number:>3} {} {:<7} {:<52} {}", paint.word(*word), "", shown(title), paint.dim(&why));
    };
    let patch = &round.patch;
    let (added, removed) = patch.lines();
    let name = if *word == Word::Landed { &patch.title } else { title };
    let evidence = match word {
        Word::Landed => shown_trial(cycle, attempt),
        _ => why,
    };
    format!(
        "{number:>3} {} {:<7} {:<52} {:<8} {:<9} {evidence}",
        paint.word(*word),
        patch.id.short(),
        shown(name),
        patch.author.engine.word(),
        format!("-{removed} +{added}"),
    )
}

fn shown_trial(cycle: &Cycle, attempt: &Attempt) -> String {
    let Some(report) = attempt.current().and_then(|round| round.trial.as_ref()) else { return String::new() };
    let (passed, failed, _) = report.counts();
    // The base is what this patch was tried on: the trial of the patch landed before it, or of the base itself.
    let before = attempt_base(cycle, attempt).map(TrialReport::counts);
    match before {
        Some((was, _, _)) if was == passed => format!("{passed}/{} same", passed + failed),
        Some((was, was_failed, _)) => format!("{passed}/{}, was {was}/{}", passed + failed, was + was_failed),
        None => format!("{passed}/{}", passed + failed),
    }
}

fn attempt_base<'a>(cycle: &'a Cycle, attempt: &Attempt) -> Option<&'a TrialReport> {
    let base = &attempt.current()?.patch.base;
    cycle
        .attempts
        .iter()
        .filter_map(|other| other.current())
        .find(|round| round.patch.commit == *base)
        .and_then(|round| round.trial.as_ref())
        .or_else(|| cycle.first_report.as_ref().filter(|report| report.commit == *base))
}

/// What came of it all, and what a person can do next.
#[must_use]
pub fn summary(paint: &Paint, cycle: &Cycle, elapsed: Duration) -> String {
    let count = |word| cycle.count(word);
    let mut parts = Vec::new();
    let landed = count(Word::Landed);
    let onto = match (cycle.request.landing, &cycle.request.base.target) {
        (LandingMode::Merge, Some(target)) => format!(" on {}", target.short()),
        _ if landed > 0 => format!(" on branch kaizen/{}/landed", cycle.id.short()),
        _ => String::new(),
    };
    parts.push(format!("landed {landed}{onto}"));
    for (word, name) in [(Word::Asked, "asked"), (Word::Rejected, "rejected"), (Word::Inconclusive, "inconclusive"), (Word::Declined, "declined")] {
        if count(word) > 0 {
            parts.push(format!("{name} {}", count(word)));
        }
    }
    let spend = cycle.spend();
    if spend.usd.0 > 0 || spend.output.0 > 0 {
        parts.push(format!("{} of {}", spend.usd, cycle.request.budget));
    }
    let in_sandbox = sandbox_time(cycle);
    let all = Millis::from_duration(elapsed);
    parts.push(format!("{all}, {} of it in trials", Millis(in_sandbox.0.min(all.0))));
    let mut lines = vec![String::new(), format!("  {}", parts.join(" · "))];
    lines.extend(next_steps(paint, cycle));
    lines.join("\n")
}

fn next_steps(paint: &Paint, cycle: &Cycle) -> Vec<String> {
    let mut lines = Vec::new();
    let of = |word: Word| cycle.attempts.iter().filter(move |attempt| attempt.word() == Some(word)).filter_map(|attempt| attempt.current());
    let last = of(Word::Landed).last();
    if let Some(round) = last {
        let base = cycle.request.base.target.as_ref().map_or(cycle.request.base.commit.as_str(), |target| target.short());
        let branch = format!("kaizen/{}/landed", cycle.id.short());
        if cycle.request.landing == LandingMode::Branch {
            lines.push(format!("  {} git log -p {base}..{branch}", paint.label("look")));
            lines.push(format!("  {} git merge {branch}", paint.label("take")));
        } else {
            lines.push(format!("  {} git log -p {}..{base}", paint.label("look"), cycle.request.base.commit.short()));
        }
        lines.push(format!("  {} kaizen revert {}", paint.label("undo"), round.patch.id.short()));
    }
    if let Some(round) = of(Word::Asked).next()
        && !cycle.request.dry_run
    {
        lines.push(format!("  {} kaizen approve {}", paint.label("decide"), round.patch.id.short()));
    }
    lines
}

fn sandbox_time(cycle: &Cycle) -> Millis {
    let trials = cycle.attempts.iter().flat_map(|attempt| &attempt.rounds).filter_map(|round| round.trial.as_ref());
    let base = cycle.first_report.iter();
    Millis(trials.chain(base).map(|report| report.wall.0).sum())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\r"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }
}
