//! The lines of a story, each from the state it is about. Text from outside is made harmless before it is shown.

use std::collections::BTreeMap;

use kaizen_domain::path::is_invisible;
use kaizen_domain::{
    Answer, Attempt, AttemptEvent, Cycle, Diagnostic, Opportunity, OpportunityId, PatchSource, Signal, TrialOutcome,
    TrialReport, Verdict,
};

use crate::story::outcome::{compared, count, fitted};
use crate::story::paint::Paint;

/// Failing tests, or errors, that are named at most.
const FAILING: usize = 5;
/// Columns that the title of an opportunity has in a list.
const OPPORTUNITY: usize = 80;
/// Said when tests fail before anything was changed.
pub const COMPARED: &str = "            tests are compared one by one: what fails already is held against no patch";
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
    format!("{} ({}{tree})  {}", paint.bold(&title), shown(branch), paint.dim(&format!("cycle {}", cycle.id.short())))
}

/// `  base      builds, 41 tests pass, 1 fails, 0 flaky      6.2 s`.
#[must_use]
pub fn base(paint: &Paint, report: &TrialReport) -> String {
    let builds = if report.outcome == TrialOutcome::Ran { "builds, " } else { "" };
    format!(
        "  {} {:<66} {}",
        paint.label("base"),
        format!("{builds}{}", result(report)),
        paint.dim(&report.wall.to_string())
    )
}

/// What a trial showed, on its own.
#[must_use]
pub fn result(report: &TrialReport) -> String {
    let (passed, failed, ignored) = report.counts();
    match &report.outcome {
        TrialOutcome::Ran if passed + failed + ignored + report.flaky.len() == 0 => "no tests".to_owned(),
        TrialOutcome::Ran => {
            let passed = if passed == 1 { "1 test passes".to_owned() } else { format!("{passed} tests pass") };
            let failed = if failed == 1 { "1 fails".to_owned() } else { format!("{failed} fail") };
            let ignored = if ignored > 0 { format!(", {ignored} ignored") } else { String::new() };
            let network = match report.network_attempts {
                0 => String::new(),
                1 => ", tried once to reach a network".to_owned(),
                times => format!(", tried {times} times to reach a network"),
            };
            format!("{passed}, {failed}, {} flaky{ignored}{network}", report.flaky.len())
        }
        TrialOutcome::BuildFailed { errors, tail } if errors.is_empty() => {
            format!("does not build: {}", shown(tail.lines().last().unwrap_or("cargo gives no reason")))
        }
        TrialOutcome::BuildFailed { errors, .. } => format!("does not build: {}", first_of(errors)),
        TrialOutcome::LimitHit { stage, limit } => format!("the {stage} ran into the limit of {limit}"),
        TrialOutcome::Unclear { stage, why } => format!("the {stage} prove nothing: {}", shown(why)),
    }
}

fn first_of(errors: &[Diagnostic]) -> String {
    let first = errors.first().map(error).unwrap_or_default();
    if errors.len() > 1 { format!("{first}, and {} more", count(errors.len() - 1, "error")) } else { first }
}

fn error(error: &Diagnostic) -> String {
    let at = error.path.as_ref().map(|path| format!(" ({path}:{})", error.line)).unwrap_or_default();
    format!("{}{at}", shown(&error.message))
}

/// What is wrong with the base, one line each: its errors, or the tests that fail, with where.
#[must_use]
pub fn failing(report: &TrialReport) -> Vec<String> {
    let all: Vec<String> = match &report.outcome {
        TrialOutcome::BuildFailed { errors, .. } if errors.len() > 1 => errors.iter().map(error).collect(),
        _ => report
            .failing()
            .map(|(test, result)| format!("{}  {}", shown(&test.0), shown(&panic_of(&result.output))))
            .collect(),
    };
    let left = all.len().saturating_sub(FAILING);
    let more = (left > 0).then(|| format!("... and {left} more"));
    all.iter().take(FAILING).chain(&more).map(|line| format!("            {}", line.trim_end())).collect()
}

/// What a test said when it failed, and where: `assertion `left == right` failed (src/tax.rs:88)`.
fn panic_of(output: &str) -> String {
    let mut lines = output.lines().map(str::trim).skip_while(|line| !line.contains("panicked at "));
    let Some((_, place)) = lines.next().and_then(|line| line.split_once("panicked at ")) else { return String::new() };
    // The column says nothing to a person.
    let place = place.trim_end_matches(':').rsplit_once(':').map_or(place, |(place, _)| place);
    format!("{} ({place})", lines.next().unwrap_or_default()).trim_start().to_owned()
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
    let words: Vec<String> = counts.iter().map(|(word, number)| count(*number, word)).collect();
    if words.is_empty() { "none".to_owned() } else { format!("{}: {}", signals.len(), words.join(", ")) }
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

/// `  patch     Round half to even`, when somebody else wrote it.
#[must_use]
pub fn given(paint: &Paint, cycle: &Cycle) -> Option<String> {
    let (title, how) = match &cycle.request.source {
        PatchSource::Engines => return None,
        PatchSource::Diff { title, approves: Some(patch), .. } => (title, format!(", approved as {}", patch.short())),
        PatchSource::Diff { title, .. } => (title, String::new()),
        PatchSource::Revert { title, .. } => (title, ", as it hurts".to_owned()),
        PatchSource::Commit { title, commit } => (title, format!(", commit {}", commit.short())),
    };
    Some(format!("  {} {}{}", paint.label("patch"), shown(title), paint.dim(&how)))
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
            fitted(&shown(&opportunity.title), OPPORTUNITY).trim_end()
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
        AttemptEvent::Answered { answer: Answer::Plan(plan), .. } => {
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
        AttemptEvent::Read { findings, .. } => {
            let read: Vec<&str> = findings.iter().map(|finding| finding.detail.as_str()).collect();
            note(format!("read: {}", shown(&read.join("; "))))
        }
        AttemptEvent::Reworked { reason } => note(format!("again: {}", shown(reason))),
        _ => Vec::new(),
    }
}

/// The first lines of a diff, indented.
#[must_use]
pub fn diff(paint: &Paint, text: &str, most: usize) -> Vec<String> {
    let header =
        |line: &&str| !line.starts_with("diff --git") && !line.starts_with("index ") && !line.starts_with("---");
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
    match (&report.outcome, &cycle.base_report) {
        (TrialOutcome::Ran, Some(base)) => compared(base, report),
        _ => result(report),
    }
}

#[cfg(test)]
mod tests {
    use super::{panic_of, shown};

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\r"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }

    #[test]
    fn a_failed_test_says_what_and_where() {
        let output =
            "\nthread 'tests::adds' (5) panicked at src/lib.rs:19:9:\nassertion `left == right` failed\n  left: -1";
        assert_eq!(panic_of(output), "assertion `left == right` failed (src/lib.rs:19)");
        assert_eq!(panic_of("Error: NotFound"), "");
        assert_eq!(panic_of("panicked at x"), "(x)");
    }
}
