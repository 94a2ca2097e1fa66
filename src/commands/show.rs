//! `kaizen show`: a cycle, a patch or an opportunity, with what it was decided on.

use std::path::PathBuf;

use kaizen_agents::cycle::fold;
use kaizen_domain::{Attempt, AttemptStage, Comparison, Cycle, CycleId, LayerState, Patch, TrialReport, Word};
use kaizen_journal::{Filter, Journal, Noun};

use crate::commands::{find, journal};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::story::lines::{self, shown};
use crate::story::paint::Paint;

/// Shows the thing whose id begins with these letters.
///
/// # Errors
/// When there is none, or several.
pub fn run(state: Option<PathBuf>, id: &str, opportunities: bool, evidence: bool, json: bool) -> Result<Exit, Failure> {
    let journal = open(state)?;
    let found = find(&journal, id, None)?;
    let Some(cycle_id) = found.cycle else {
        return Err(Failure::input(format!("`{id}` belongs to no cycle"), "`kaizen log` lists what happened"));
    };
    let cycle = load(&journal, cycle_id)?;
    if json {
        for record in journal.records(&Filter::cycle(cycle_id))? {
            println!("{}", serde_json::to_string(&record).unwrap_or_default());
        }
        return Ok(Exit::Done);
    }
    let paint = Paint::new(std::io::IsTerminal::is_terminal(&std::io::stdout()));
    let attempt = cycle.attempts.iter().find(|attempt| {
        let of = attempt.opportunity.to_string() == found.id;
        of || attempt.rounds.iter().any(|round| {
            round.patch.id.to_string() == found.id || round.trial.as_ref().is_some_and(|trial| trial.id.to_string() == found.id)
        })
    });
    match attempt {
        Some(attempt) => show_attempt(&paint, &cycle, attempt, &found.id, evidence),
        None => show_cycle(&paint, &cycle, opportunities),
    }
    Ok(Exit::Done)
}

fn open(state: Option<PathBuf>) -> Result<Journal, Failure> {
    journal(state)?.ok_or_else(|| Failure::input("there is no journal yet", "`kaizen run-cycle` begins one"))
}

/// A cycle from the journal.
///
/// # Errors
/// When it cannot be read.
pub fn load(journal: &Journal, id: CycleId) -> Result<Cycle, Failure> {
    let records = journal.records(&Filter::cycle(id))?;
    fold(id, &records).map_err(|error| Failure::fault(format!("the journal does not add up: {error}")).or("`kaizen log --verify` checks it"))
}

/// The patch whose id begins with these letters, with its cycle.
///
/// # Errors
/// When there is none, or several.
pub fn patch(state: Option<PathBuf>, id: &str, noun: Noun) -> Result<(Cycle, Patch), Failure> {
    let journal = open(state)?;
    let found = find(&journal, id, Some(noun))?;
    let missing = || Failure::fault(format!("patch {id} is in the index but not in its cycle")).or("`kaizen log --verify` checks the journal");
    let cycle = load(&journal, found.cycle.ok_or_else(missing)?)?;
    let rounds = cycle.attempts.iter().flat_map(|attempt| &attempt.rounds);
    let patch = rounds.map(|round| &round.patch).find(|patch| patch.id.to_string() == found.id).cloned();
    patch.map(|patch| (cycle, patch)).ok_or_else(missing)
}

fn show_cycle(paint: &Paint, cycle: &Cycle, opportunities: bool) {
    let base = &cycle.request.base;
    let target = base.target.as_ref().map_or("detached HEAD", |target| target.short());
    println!("{}  on {} ({})  {:?}", paint.bold(&cycle.id.short()), base.commit.short(), shown(target), cycle.stage);
    if let Some(report) = &cycle.first_report {
        println!("{}", lines::base(paint, report));
        lines::failing(report).iter().for_each(|line| println!("{line}"));
    }
    println!("{}", lines::signals(paint, &cycle.signals));
    if opportunities {
        let chosen: Vec<_> = cycle.attempts.iter().map(|attempt| attempt.opportunity).collect();
        lines::opportunities(&cycle.opportunities, &chosen).iter().for_each(|line| println!("{line}"));
    }
    for attempt in cycle.attempts.iter().filter(|attempt| attempt.word().is_some()) {
        println!("{}", lines::outcome(paint, cycle, attempt));
    }
    if let Some((reason, help)) = &cycle.failure {
        println!("  {} {}", paint.label("failed"), shown(reason));
        help.iter().for_each(|help| println!("  {} {}", paint.label("help"), shown(help)));
    }
}

fn show_attempt(paint: &Paint, cycle: &Cycle, attempt: &Attempt, id: &str, evidence: bool) {
    let round = attempt.rounds.iter().find(|round| round.patch.id.to_string() == id).or_else(|| attempt.current());
    let opportunity = cycle.opportunity(attempt.opportunity);
    let word = attempt.word().map_or("WORKING", Word::shout);
    let title = round.map(|round| round.patch.title.as_str()).or(opportunity.map(|o| o.title.as_str())).unwrap_or_default();
    let name = round.map_or_else(|| attempt.opportunity.short(), |round| round.patch.id.short());
    println!("{}  {word}  {:<58} cycle {}", paint.bold(&name), shown(title), cycle.id.short());
    let line = |label: &str, text: String| println!("  {} {text}", paint.label(label));
    if let Some(opportunity) = opportunity {
        let impact = opportunity.impact;
        line("why", format!(
            "{} (impact {:.1} = gain {}% x {} affected x {} a day / 100, risk {}, sure {:.0}%)",
            shown(&opportunity.title), impact.score(), impact.performance_gain, impact.affected_users, impact.frequency,
            opportunity.risk.word(), opportunity.confidence * 100.0,
        ));
    }
    if let AttemptStage::Done { reasons, .. } = &attempt.stage {
        reasons.iter().for_each(|reason| line("because", shown(reason)));
    }
    let Some(round) = round else { return };
    show_patch(&line, &round.patch);
    if let Some(review) = &round.review {
        let kept = if review.items.is_empty() { "no item changed".to_owned() } else { format!("{} items changed", review.items.len()) };
        line("review", format!("{kept}, {} findings", review.findings.len()));
        for finding in &review.findings {
            let at = finding.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
            line("", format!("{at}{} ({})", shown(&finding.detail), finding.rule));
        }
    }
    if let Some(trial) = &round.trial {
        show_trial(&line, cycle, trial);
    }
    if attempt.word() == Some(Word::Landed) {
        if let Some(landing) = &attempt.landing {
            line("landed", format!("as {} on {}", landing.to.short(), landing.target.short()));
        }
        line("undo", format!("kaizen revert {}", round.patch.id.short()));
    }
    if evidence {
        print!("\n{}", round.patch.diff);
        if let Some(trial) = &round.trial {
            println!();
            trial.tests.iter().for_each(|(test, result)| println!("{:>8?}  {}", result.outcome, shown(&test.0)));
        }
    } else {
        line("all", format!("kaizen show {} --evidence   or   kaizen diff {}", round.patch.id.short(), round.patch.id.short()));
    }
}

fn show_patch(line: &dyn Fn(&str, String), patch: &Patch) {
    let (added, removed) = patch.lines();
    let files = if patch.files.len() == 1 { "1 file".to_owned() } else { format!("{} files", patch.files.len()) };
    line("change", format!("{files}, -{removed} +{added}, on {}", patch.base.short()));
    let model = patch.author.model.as_ref().map(|model| format!(" ({})", shown(model))).unwrap_or_default();
    let tokens = patch.spend.input.0 + patch.spend.output.0;
    line("by", format!("{}, {}{model}, {tokens} tokens, {}", patch.author.agent, patch.author.engine.word(), patch.spend.usd));
}

fn show_trial(line: &dyn Fn(&str, String), cycle: &Cycle, trial: &TrialReport) {
    let (passed, failed, ignored) = trial.counts();
    line("tried", format!("{passed} tests pass, {failed} fail, {ignored} ignored, {} flaky; {} wall, {} cpu, {} MiB", trial.flaky.len(), trial.wall, trial.cpu, trial.peak_memory >> 20));
    if let Some(base) = &cycle.first_report {
        let comparison = Comparison::of(base, trial);
        for (what, tests) in [("broken", &comparison.broken), ("repaired", &comparison.repaired), ("gone", &comparison.missing)] {
            tests.iter().take(10).for_each(|test| line("", format!("{what}: {}", shown(&test.0))));
        }
    }
    let odd: Vec<String> = trial
        .layers
        .iter()
        .filter(|layer| layer.state != LayerState::Active)
        .map(|layer| format!("{} {:?}", layer.name, layer.state).to_lowercase())
        .collect();
    let layers = if odd.is_empty() { "all layers".to_owned() } else { odd.join(", ") };
    line("sandbox", format!("{layers}; {}", trial.toolchain));
    if let Some(speed) = &trial.speed {
        line("speed", speed.detail.clone());
    }
}
