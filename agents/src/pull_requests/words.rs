//! What pull requests and comments say: what was wrong with its evidence, what changed, what was tried, what was not, how to
//! undo it, and that a program wrote it. Facts from the journal alone; nothing is claimed that was not measured.

use kaizen_contributing::{BodyParts, Facts};
use kaizen_domain::{
    CommitId, Comparison, Cycle, Millis, OpportunityKind, Patch, RevisionReason, Signal, SignalKind, TrialReport,
    trial::SpeedVerdict,
};

use crate::pull_requests::book::Entry;

/// What every comment of Kaizen's own has in it.
pub(super) const MARK: &str = "<!-- kaizen operation=";
/// Findings that are named one by one, at most.
const NAMED: usize = 8;

/// The hidden mark of an operation, by which its outcome is known again.
pub(super) fn marker(operation: &str) -> String {
    BodyParts { operation: operation.to_owned(), ..BodyParts::default() }.marker()
}

/// What the body of a pull request says.
pub(super) fn parts(cycle: &Cycle, entry: &Entry) -> BodyParts {
    let attempt = cycle.attempt(entry.opportunity.id);
    let trial = attempt.and_then(|attempt| attempt.current()).and_then(|round| round.trial.as_ref());
    told(cycle, entry, &entry.patch, (cycle.first_report.as_ref(), trial))
}

/// The same after it was changed: what was wrong stays, what was tried is that of the change.
pub(super) fn parts_after(cycle: &Cycle, entry: &Entry, patch: &Patch, revised: &Cycle) -> BodyParts {
    let rounds = revised.attempts.iter().flat_map(|attempt| &attempt.rounds);
    let round = rounds.into_iter().find(|round| round.patch.id == patch.id);
    told(cycle, entry, patch, (revised.first_report.as_ref(), round.and_then(|round| round.trial.as_ref())))
}

fn told(
    cycle: &Cycle,
    entry: &Entry,
    patch: &Patch,
    (base, trial): (Option<&TrialReport>, Option<&TrialReport>),
) -> BodyParts {
    let (added, removed) = patch.lines();
    let files: Vec<String> = patch.files.iter().map(|file| format!("`{}`", file.path)).collect();
    let who = match &entry.patch.author.model {
        Some(model) => format!("written by the model `{model}`"),
        None => format!("made by the fixer `{}`, without a language model", entry.patch.author.engine.word()),
    };
    let mut changed = format!(
        "{}\n\n{} ({}, -{removed} +{added} lines), {who}.",
        entry.patch.rationale,
        files.join(", "),
        count(files.len(), "file")
    );
    if changed.starts_with('\n') {
        changed = changed.trim_start().to_owned();
    }
    BodyParts {
        wrong: wrong(cycle, entry),
        changed,
        tried: tried(base, trial),
        not_tried: not_tried(trial),
        undo: "`git revert COMMIT`, with the commit that the merge makes. Or close this pull request: Kaizen will not propose \
               it again."
            .to_owned(),
        disclosure: format!(
            "This pull request was written and opened by a program, Kaizen, {}. No person has \
             read it before. People with write access may answer with `/kaizen revise TEXT`, `/kaizen explain`, \
             `/kaizen retry` or `/kaizen close`.",
            if entry.patch.author.model.is_some() { "with a language model" } else { "without a language model" }
        ),
        operation: entry.patch.id.to_string(),
        facts: facts(base, trial),
    }
}

/// What boxes of a form may be ticked for.
fn facts(base: Option<&TrialReport>, trial: Option<&TrialReport>) -> Facts {
    let Some(trial) = trial else { return Facts::default() };
    let (passed, failed, _) = trial.counts();
    let added = base.map(|base| !Comparison::of(base, trial).added.is_empty());
    Facts { tests_pass: Some(failed == 0 && passed > 0), builds: Some(true), tests_added: added, ..Facts::default() }
}

fn wrong(cycle: &Cycle, entry: &Entry) -> String {
    let evidence: Vec<&Signal> =
        cycle.signals.iter().filter(|signal| entry.opportunity.evidence.contains(&signal.id)).collect();
    let mut lines: Vec<String> = evidence.iter().take(NAMED).map(|signal| line(signal)).collect();
    if evidence.len() > NAMED {
        lines.push(format!("- and {} more of the same kind", evidence.len() - NAMED));
    }
    let kind = match entry.opportunity.kind {
        OpportunityKind::Repair => "Something fails",
        OpportunityKind::Goal => "Somebody asked for this",
        OpportunityKind::Performance => "Work is done in vain",
        OpportunityKind::Dependency => "A dependency could be better",
        OpportunityKind::Cleanup => "The compiler's own tools report this",
        OpportunityKind::Debt => "A note in the code asks for this",
        OpportunityKind::Proposal => "Somebody proposed this",
    };
    format!("{kind}, seen on `{}`:\n\n{}", cycle.request.base.commit.short(), lines.join("\n"))
}

fn line(signal: &Signal) -> String {
    let at = signal.place.as_ref().map(|place| format!(" in `{}:{}`", place.path, place.line)).unwrap_or_default();
    let short = |text: &str| text.lines().next().unwrap_or("").chars().take(160).collect::<String>();
    match &signal.kind {
        SignalKind::Diagnostic { lint, message, .. } => format!("- `{lint}`{at}: {}", short(message)),
        SignalKind::FailingTest { test, output } => {
            let last = output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
            format!("- test `{test}` fails{at}: {}", short(last))
        }
        SignalKind::FlakyTest { test } => format!("- test `{test}` fails now and then"),
        SignalKind::BuildFailure { errors } => {
            format!("- the build fails: {}", errors.first().map(|error| short(&error.message)).unwrap_or_default())
        }
        SignalKind::UnusedDependency { package, dependency, table } => {
            format!("- no source of `{package}` names `{dependency}`, which its `{table}` declare")
        }
        SignalKind::DuplicateDependency { name, versions } => {
            format!("- `{name}` is locked in {}", versions.join(", "))
        }
        SignalKind::Todo { text, .. } => format!("- a note{at}: {}", short(text)),
        SignalKind::Goal { text } => format!("- {}", short(text)),
        SignalKind::RedCheck { checks, .. } => format!("- failed checks: {}", short(&checks.join(", "))),
        SignalKind::Proposal { title } => format!("- {}", short(title)),
    }
}

/// What was run, with its outcome beside that of the base.
fn tried(base: Option<&TrialReport>, trial: Option<&TrialReport>) -> String {
    let Some(trial) = trial else { return "Nothing was run.".to_owned() };
    let (passed, failed, ignored) = trial.counts();
    let mut lines = vec![format!(
        "Built and tested in a sandbox without network, with {}: {passed} of {} tests pass, {ignored} are ignored.",
        trial.toolchain.lines().next().unwrap_or("the repository's toolchain"),
        passed + failed
    )];
    if let Some(base) = base {
        let comparison = Comparison::of(base, trial);
        let moved = [
            ("fail now", &comparison.broken),
            ("pass now that failed", &comparison.repaired),
            ("are new", &comparison.added),
            ("are gone", &comparison.missing),
            ("are flaky", &comparison.flaky),
        ];
        let moved: Vec<String> = moved
            .iter()
            .filter(|(_, tests)| !tests.is_empty())
            .map(|(what, tests)| format!("{} {what}", tests.len()))
            .collect();
        lines.push(match moved.is_empty() {
            true => format!("Every test ends as it does on `{}` without the change.", base.commit.short()),
            false => format!("Beside `{}` without the change: {}.", base.commit.short(), moved.join(", ")),
        });
    }
    if let Some(speed) = &trial.speed {
        let verdict = match speed.verdict {
            SpeedVerdict::Better => "measured faster",
            SpeedVerdict::Worse => "measured slower",
            SpeedVerdict::Inconclusive | SpeedVerdict::NoData => "no difference could be shown",
        };
        lines.push(format!("Speed: {verdict}: {} ({} pairs of runs).", speed.detail, speed.pairs));
    }
    lines.push(format!("The trial took {}.", Millis(trial.wall.0)));
    lines.join("\n")
}

fn not_tried(trial: Option<&TrialReport>) -> String {
    let more = trial.and_then(|trial| trial.with_features.as_deref()).map(|more| format!(" and the one {}", more.on()));
    let mut lines = vec![format!(
        "Other platforms, other toolchains and other sets of features than the default one{}.",
        more.unwrap_or_default()
    )];
    if trial.is_none_or(|trial| trial.speed.is_none()) {
        lines.push("Nothing was measured about speed, so nothing is claimed about it.".to_owned());
    }
    if let Some(trial) = trial.filter(|trial| !trial.unreached.is_empty()) {
        lines.push(format!("Targets that the change cannot reach were not run again: {}.", trial.unreached.join(", ")));
    }
    lines.join("\n")
}

/// What it was decided on, for whoever asks.
pub(super) fn explanation(cycle: &Cycle, entry: &Entry) -> String {
    let parts = parts(cycle, entry);
    let opportunity = &entry.opportunity;
    let review =
        cycle.attempt(opportunity.id).and_then(|attempt| attempt.current()).and_then(|round| round.review.as_ref());
    let review = match review.map(|review| review.reasons()) {
        Some(reasons) if !reasons.is_empty() => format!("The review noted: {}.", reasons.join("; ")),
        _ => "The review had nothing to note.".to_owned(),
    };
    format!(
        "**Why this change**\n\n{}\n\nImpact {:.1}, risk {}, chosen among {}.\n\n**What was tried**\n\n{}\n\n{review}\n\n**What was \
         not**\n\n{}",
        parts.wrong,
        opportunity.impact.score(),
        format!("{:?}", opportunity.risk).to_lowercase(),
        count(cycle.opportunities.len(), "opportunity"),
        parts.tried,
        parts.not_tried
    )
}

/// That a person is needed.
pub(super) fn stuck(reason: &RevisionReason, why: &str) -> String {
    let matter = match reason {
        RevisionReason::RedCheck { checks, .. } => format!("The checks {} fail", code(&checks.join(", "))),
        RevisionReason::Asked { .. } => "The change that was asked for".to_owned(),
        RevisionReason::BaseMoved { .. } | RevisionReason::Redo { .. } => {
            "The branch this goes to has moved, and the change does not fit it".to_owned()
        }
    };
    let end = match reason {
        RevisionReason::Asked { .. } => "could not be made",
        _ => "and I could not mend it",
    };
    format!("{matter} {end}: {}\n\nA person is needed here; I leave this as it is.", quoted(why))
}

/// That the branch holds something else now.
pub(super) fn changed(to: &CommitId, how: &str) -> String {
    format!("Changed: {how}. `{}` was reviewed and tried like the first version.", to.short())
}

/// Why it is closed.
pub(super) fn closing(reason: &str) -> String {
    format!("I close this: {}.", quoted(reason))
}

/// A text from outside in one line, in which nothing acts on the forge.
fn quoted(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).take(400).collect();
    code(line.trim())
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

fn count(n: usize, noun: &str) -> String {
    match (n, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        (_, None) => format!("{n} {noun}s"),
    }
}
