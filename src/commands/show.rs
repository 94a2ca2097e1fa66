//! `kaizen show`: a cycle, a patch or an opportunity, with what it was decided on.

use std::path::PathBuf;

use kaizen_domain::trial::SpeedVerdict;
use kaizen_domain::{
    Attempt, AttemptStage, Comparison, Coverage, Cycle, CycleId, CycleStage, Layer, LayerState, Millis, Patch, PatchId,
    TestId, TestOutcome, TrialReport, Word,
};
use kaizen_journal::{Filter, Found, Journal, Noun};

use crate::commands::{find, journal};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{History, folded};
use crate::output::{self, say};
use crate::story::lines::{self, shown};
use crate::story::outcome;
use crate::story::paint::Paint;

/// Tests that take less, milliseconds, are not worth a word.
const SLOW: u64 = 100;

/// Shows the thing whose id begins with these letters.
///
/// # Errors
/// When there is none, or several.
pub fn run(state: Option<PathBuf>, id: &str, opportunities: bool, evidence: bool, json: bool) -> Result<Exit, Failure> {
    let journal = journal(state)?.ok_or_else(no_journal)?;
    let found = find(&journal, id, None)?;
    let Some(cycle_id) = found.cycle else { return Err(known_by_commit(&journal, &found)?) };
    if json {
        journal.records(&Filter::cycle(cycle_id))?.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    let cycle = load(&journal, cycle_id)?;
    let paint = Paint::new(std::io::IsTerminal::is_terminal(&std::io::stdout()));
    let history = History::since(&journal, &found.repo, found.seq)?;
    let attempt = cycle.attempts.iter().find(|attempt| {
        let of = attempt.opportunity.to_string() == found.id;
        of || attempt.rounds.iter().any(|round| {
            round.patch.id.to_string() == found.id
                || round.trial.as_ref().is_some_and(|trial| trial.id.to_string() == found.id)
        })
    });
    match attempt {
        Some(attempt) => Shown { paint: &paint, cycle: &cycle, attempt, history: &history }.print(&found.id, evidence),
        None => show_cycle(&paint, &cycle, &history, opportunities),
    }
    Ok(Exit::Done)
}

/// There is nothing to look at yet.
pub(crate) fn no_journal() -> Failure {
    Failure::input("there is no journal yet", "`kaizen run-cycle` begins one")
}

/// The journal names a thing that its cycle does not hold.
pub(crate) fn lost(id: &str) -> Failure {
    Failure::fault(format!("{id} is in the index but not in its cycle")).or("`kaizen log --verify` checks the journal")
}

/// What can be said about a patch of a journal that was lost: where its commit is.
pub(crate) fn known_by_commit(journal: &Journal, found: &Found) -> Result<Failure, Failure> {
    let history = History::since(journal, &found.repo, 0)?;
    let known = history.found_again.into_iter().find(|(patch, _)| patch.to_string() == found.id);
    let (patch, commit) = known.ok_or_else(|| lost(&found.id))?;
    let message = format!(
        "the journal was begun anew since patch {} landed; all that is known is its commit {}",
        patch.short(),
        commit.short()
    );
    Ok(Failure::input(message, format!("`git show {0}` shows it, `git revert {0}` takes it back", commit.short())))
}

/// A cycle from the journal.
///
/// # Errors
/// When it cannot be read.
pub fn load(journal: &Journal, id: CycleId) -> Result<Cycle, Failure> {
    folded(id, &journal.records(&Filter::cycle(id))?)
}

/// The patch whose id begins with these letters, with its cycle.
///
/// # Errors
/// When there is none, or several.
pub fn patch(state: Option<PathBuf>, id: &str) -> Result<(Cycle, Patch, Found), Failure> {
    let journal = journal(state)?.ok_or_else(no_journal)?;
    let found = find(&journal, id, Some(Noun::Patch))?;
    let (cycle, patch) = patch_of(&journal, &found)?;
    Ok((cycle, patch, found))
}

/// The patch that was found, with its cycle.
///
/// # Errors
/// When the journal holds it no more.
pub(crate) fn patch_of(journal: &Journal, found: &Found) -> Result<(Cycle, Patch), Failure> {
    let Some(cycle) = found.cycle else { return Err(known_by_commit(journal, found)?) };
    let cycle = load(journal, cycle)?;
    let rounds = cycle.attempts.iter().flat_map(|attempt| &attempt.rounds);
    let patch = rounds.map(|round| &round.patch).find(|patch| patch.id.to_string() == found.id).cloned();
    patch.map(|patch| (cycle, patch)).ok_or_else(|| lost(&found.id))
}

/// Where a cycle stands, in a word.
pub(crate) fn stage(cycle: &Cycle, running: bool) -> &'static str {
    match cycle.stage {
        CycleStage::Finished => "finished",
        CycleStage::Failed => "failed",
        _ if running => "running",
        _ => "cut off",
    }
}

fn show_cycle(paint: &Paint, cycle: &Cycle, history: &History, opportunities: bool) {
    let base = &cycle.request.base;
    let target = base.target.as_ref().map_or("detached HEAD", |target| target.short());
    say!("{}  on {} ({})  {}", paint.bold(&cycle.id.short()), base.commit.short(), shown(target), stage(cycle, false));
    if let Some(report) = &cycle.first_report {
        say!("{}", lines::base(paint, report));
        lines::failing(report).iter().for_each(|line| say!("{line}"));
    }
    say!("{}", lines::signals(paint, &cycle.signals));
    if opportunities {
        let chosen: Vec<_> = cycle.attempts.iter().map(|attempt| attempt.opportunity).collect();
        lines::opportunities(&cycle.opportunities, &chosen).iter().for_each(|line| say!("{line}"));
    }
    for attempt in cycle.attempts.iter().filter(|attempt| attempt.word().is_some()) {
        outcome::lines(paint, cycle, attempt).iter().for_each(|line| say!("{line}"));
        if let Some(commit) = attempt.current().and_then(|round| history.reverted.get(&round.patch.id)) {
            say!("{}", outcome::below(&paint.dim(&format!("taken back by {}", commit.short()))));
        }
    }
    if let Some((reason, help)) = &cycle.failure {
        say!("  {} {}", paint.label("failed"), shown(reason));
        help.iter().for_each(|help| say!("  {} {}", paint.label("help"), shown(help)));
    }
}

/// The work on one opportunity, as it is shown.
struct Shown<'a> {
    paint: &'a Paint,
    cycle: &'a Cycle,
    attempt: &'a Attempt,
    history: &'a History,
}

impl Shown<'_> {
    fn line(&self, label: &str, text: &str) {
        say!("  {} {text}", self.paint.label(label));
    }

    fn print(&self, id: &str, evidence: bool) {
        let (cycle, attempt) = (self.cycle, self.attempt);
        let round = attempt.rounds.iter().find(|round| round.patch.id.to_string() == id).or_else(|| attempt.current());
        let opportunity = cycle.opportunity(attempt.opportunity);
        let word = attempt.word().map_or("WORKING", Word::shout);
        let title =
            round.map(|round| round.patch.title.as_str()).or(opportunity.map(|o| o.title.as_str())).unwrap_or_default();
        let name = round.map_or_else(|| attempt.opportunity.short(), |round| round.patch.id.short());
        say!("{}  {word}  {:<58} cycle {}", self.paint.bold(&name), shown(title), cycle.id.short());
        if let Some(opportunity) = opportunity {
            let impact = opportunity.impact;
            self.line(
                "why",
                &format!(
                    "{} (impact {:.1} = gain {}% x {} affected x {} a day / 100, risk {}, sure {:.0}%)",
                    shown(&opportunity.title),
                    impact.score(),
                    impact.performance_gain,
                    impact.affected_users,
                    impact.frequency,
                    opportunity.risk.word(),
                    opportunity.confidence * 100.0,
                ),
            );
        }
        if let AttemptStage::Done { reasons, .. } = &attempt.stage {
            for reason in reasons {
                let mut reason = reason.lines();
                self.line("because", &shown(reason.next().unwrap_or_default()));
                reason.for_each(|line| self.line("", &shown(line)));
            }
        }
        let Some(round) = round else { return };
        self.patch(&round.patch);
        if let Some(review) = &round.review {
            let items = outcome::count(review.items.len(), "item");
            self.line("review", &format!("{items} changed, {}", outcome::count(review.findings.len(), "finding")));
            for finding in &review.findings {
                let at = finding.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
                self.line("", &format!("{at}{} ({})", shown(&finding.detail), finding.rule));
            }
        }
        if let Some(trial) = &round.trial {
            self.trial(trial);
        }
        self.next_steps(round.patch.id);
        if evidence {
            output::text(&format!("\n{}", round.patch.diff));
            if let Some(trial) = &round.trial {
                say!("");
                for (test, result) in &trial.tests {
                    let outcome = match result.outcome {
                        TestOutcome::Passed => "passed",
                        TestOutcome::Failed => "failed",
                        TestOutcome::Ignored => "ignored",
                    };
                    say!("{outcome:>8}  {}", shown(&test.0));
                }
            }
        } else {
            let id = round.patch.id.short();
            self.line("all", &format!("kaizen show {id} --evidence   or   kaizen diff {id}"));
        }
    }

    fn patch(&self, patch: &Patch) {
        let (added, removed) = patch.lines();
        self.line(
            "change",
            &format!("{}, -{removed} +{added}, on {}", outcome::count(patch.files.len(), "file"), patch.base.short()),
        );
        let model = patch.author.model.as_ref().map(|model| format!(" ({})", shown(model))).unwrap_or_default();
        let tokens = patch.spend.input.0 + patch.spend.output.0;
        let cost =
            if tokens > 0 { format!(", {tokens} tokens, {}", patch.spend.usd) } else { ", no tokens".to_owned() };
        self.line("by", &format!("{}, {}{model}{cost}", patch.author.agent, patch.author.engine.word()));
    }

    fn trial(&self, trial: &TrialReport) {
        let measured = format!("{} wall, {} cpu, {} MiB", trial.wall, trial.cpu, trial.peak_memory >> 20);
        self.line("tried", &format!("{}; {measured}", lines::result(trial)));
        if let Some(base) = &self.cycle.first_report {
            let comparison = Comparison::of(base, trial);
            for (what, tests) in
                [("broken", &comparison.broken), ("repaired", &comparison.repaired), ("gone", &comparison.missing)]
            {
                tests.iter().take(10).for_each(|test| self.line("", &format!("{what}: {}", shown(&test.0))));
            }
        }
        let mut slowest: Vec<(&Millis, &TestId)> = trial.durations.iter().map(|(id, took)| (took, id)).collect();
        slowest.sort_unstable_by(|one, other| other.cmp(one));
        let shown_of = |(took, id): &(&Millis, &TestId)| format!("{} {took}", shown(&id.0));
        let slow: Vec<String> = slowest.iter().take(3).filter(|(took, _)| took.0 >= SLOW).map(shown_of).collect();
        if !slow.is_empty() {
            self.line("slowest", &slow.join(", "));
        }
        if trial.stopped_early {
            self.line(
                "left out",
                "all tests behind the first that was worse than on the base: one is enough to drop it",
            );
        }
        if !trial.unreached.is_empty() {
            let names: Vec<String> = trial.unreached.iter().map(|target| shown(target)).collect();
            self.line("left out", &names.join(", "));
            self.line("", "they are built from nothing that changed, so they give what they gave on the base");
        }
        self.noticed(trial);
        self.behaviour(trial);
        if let Some(more) = trial.with_features.as_deref() {
            self.line("tried", &format!("{}: {}", shown(&more.on()), lines::result(&more.candidate)));
            let comparison = more.comparison();
            for (what, tests) in [("broken", &comparison.broken), ("gone", &comparison.missing)] {
                tests.iter().take(10).for_each(|test| self.line("", &format!("{what}: {}", shown(&test.0))));
            }
            self.noticed(&more.candidate);
            self.behaviour(&more.candidate);
        }
        self.line("sandbox", &format!("{}; {}", sandbox(&trial.layers), trial.toolchain));
        if let Some(speed) = &trial.speed {
            let word = match speed.verdict {
                SpeedVerdict::Better => "faster",
                SpeedVerdict::Worse => "slower",
                SpeedVerdict::Inconclusive => "inconclusive, nothing is claimed",
                SpeedVerdict::NoData => "no data",
            };
            self.line("speed", &format!("{word}: {}", shown(&speed.detail)));
        }
    }

    /// Whether anything would notice if the change were wrong.
    fn noticed(&self, trial: &TrialReport) {
        let Some(noticed) = &trial.noticed else { return };
        self.line("noticed", &shown(&noticed.shown()));
        for function in &noticed.functions {
            let before = function.before.as_ref().map(|before| format!(", was {} of {}", before.caught, before.tried));
            let (name, now) = (shown(&function.function), &function.now);
            self.line("", &format!("{name}: {} of {}{}", now.caught, now.tried, before.unwrap_or_default()));
            now.survivors.iter().for_each(|survivor| self.line("", &format!("  passes: {}", shown(survivor))));
            if let Some(lines) = function.lines.as_ref().and_then(Coverage::missing) {
                let by_inputs =
                    trial.behaviour.as_deref().and_then(|seen| seen.runs_of(&function.path, &function.function));
                let by_inputs = match by_inputs.zip(function.lines.as_ref()) {
                    None => "",
                    Some((run, lines)) if lines.not_run.iter().all(|line| run.contains(line)) => ", made-up inputs do",
                    Some(_) => ", nor do made-up inputs run all of that",
                };
                self.line("", &format!("  no test runs {lines}{by_inputs}"));
            }
        }
    }

    /// Whether functions do the same as before.
    fn behaviour(&self, trial: &TrialReport) {
        let Some(behaviour) = &trial.behaviour else { return };
        self.line("behaviour", &shown(&behaviour.shown()));
        for driven in behaviour.driven.iter().filter(|driven| driven.changes || driven.inputs > 0) {
            self.line("", &format!("{}: {} inputs", shown(&driven.function), driven.inputs));
        }
        behaviour.differences.iter().skip(1).for_each(|one| self.line("", &shown(&one.shown())));
        behaviour.no_data.iter().for_each(|why| self.line("", &format!("no data: {}", shown(why))));
    }

    /// Where the patch is now, and what a person can do about it.
    fn next_steps(&self, patch: PatchId) {
        let id = patch.short();
        let landing = self.attempt.landing.as_ref();
        match self.attempt.word() {
            Some(Word::Landed) => {
                if let Some(landing) = landing {
                    self.line("landed", &format!("as {} on {}", landing.to.short(), shown(landing.target.short())));
                }
                match self.history.reverted.get(&patch) {
                    Some(commit) => self.line("undone", &format!("taken back by {}", commit.short())),
                    None => self.line("undo", &format!("kaizen revert {id}")),
                }
            }
            Some(Word::Asked) => {
                if let Some(landing) = landing {
                    self.line("look", &format!("git show {}", landing.target.short()));
                }
                match (self.history.approved.get(&patch), self.history.turned_down.get(&patch)) {
                    (Some(landed), _) => self.line("decided", &format!("approved; it landed as {}", landed.short())),
                    (None, Some(reason)) => self.line("decided", &format!("turned down: {}", shown(reason))),
                    (None, None) => {
                        self.line("decide", &format!("kaizen approve {id}   or   kaizen reject {id} --reason TEXT"));
                    }
                }
            }
            _ => {}
        }
    }
}

/// How the sandbox was arranged, and which of its layers did not hold in full.
fn sandbox(layers: &[Layer]) -> String {
    let (kind, layers): (Vec<&Layer>, Vec<&Layer>) = layers.iter().partition(|layer| layer.name == "arrangement");
    let odd: Vec<String> = layers
        .iter()
        .filter(|layer| layer.state != LayerState::Active)
        .map(|layer| format!("{} {:?}", layer.name, layer.state).to_lowercase())
        .collect();
    let layers = if odd.is_empty() { "all layers".to_owned() } else { format!("all layers but: {}", odd.join(", ")) };
    match kind.first().and_then(|kind| kind.detail.split(':').next()) {
        Some(kind) => format!("{kind}, {layers}"),
        None => layers,
    }
}
