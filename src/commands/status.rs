//! `kaizen status`: who works on the repository, what waits for a person, how the last cycles ended.

use kaizen_domain::{Cycle, CycleStage, Word};
use kaizen_repo::Repo;

use crate::commands::show;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::SessionOptions;
use crate::story::lines::shown;

/// How many cycles are shown.
const CYCLES: usize = 5;

/// Shows how things stand.
///
/// # Errors
/// When the repository or the journal cannot be read.
pub fn run(options: &SessionOptions, json: bool) -> Result<Exit, Failure> {
    let repo = Repo::open(&options.repo)?;
    let Some(journal) = super::journal(options.state_dir.clone())? else {
        if json { println!("{}", serde_json::json!({"of": "status", "cycles": []})) } else { println!("no cycle has run yet: `kaizen run-cycle` runs one") }
        return Ok(Exit::Done);
    };
    let entries = journal.cycles(Some(&repo.key()))?;
    let cycles: Vec<Cycle> =
        entries.iter().rev().take(CYCLES).map(|entry| show::load(&journal, entry.id)).collect::<Result<_, _>>()?;
    let holder = journal.holder(&repo.key())?;
    if json {
        let list: Vec<_> = cycles.iter().map(summary_json).collect();
        println!("{}", serde_json::json!({"of": "status", "repo": repo.name(), "running": holder.map(|holder| holder.pid), "cycles": list}));
        return Ok(Exit::Done);
    }
    match holder {
        Some(holder) => println!("{}  process {} works on it", shown(&repo.name()), holder.pid),
        None => println!("{}  nothing runs", shown(&repo.name())),
    }
    if cycles.is_empty() {
        println!("  no cycle has run yet: `kaizen run-cycle` runs one");
    }
    for cycle in &cycles {
        let words: Vec<String> = [Word::Landed, Word::Asked, Word::Rejected, Word::Inconclusive, Word::Declined]
            .into_iter()
            .filter(|word| cycle.count(*word) > 0)
            .map(|word| format!("{} {}", word.shout().to_lowercase(), cycle.count(word)))
            .collect();
        let words = if words.is_empty() { "nothing to do".to_owned() } else { words.join(" · ") };
        println!("  {}  on {}  {:<10} {words}", cycle.id.short(), cycle.request.base.commit.short(), stage(cycle));
    }
    waiting(&cycles);
    Ok(Exit::Done)
}

fn waiting(cycles: &[Cycle]) {
    let asked: Vec<_> = cycles
        .iter()
        .flat_map(|cycle| &cycle.attempts)
        .filter(|attempt| attempt.word() == Some(Word::Asked))
        .filter_map(|attempt| attempt.current())
        .collect();
    if !asked.is_empty() {
        println!("\n  waits for a person");
    }
    for round in asked {
        println!("  {}  {:<52} kaizen approve {}", round.patch.id.short(), shown(&round.patch.title), round.patch.id.short());
    }
}

fn stage(cycle: &Cycle) -> &'static str {
    match cycle.stage {
        CycleStage::Finished => "finished",
        CycleStage::Failed => "failed",
        _ => "cut off",
    }
}

fn summary_json(cycle: &Cycle) -> serde_json::Value {
    let attempts: Vec<_> = cycle
        .attempts
        .iter()
        .map(|attempt| {
            serde_json::json!({
                "opportunity": attempt.opportunity,
                "title": cycle.opportunity(attempt.opportunity).map(|o| o.title.clone()),
                "patch": attempt.current().map(|round| round.patch.id),
                "word": attempt.word(),
            })
        })
        .collect();
    serde_json::json!({"id": cycle.id, "base": cycle.request.base.commit, "stage": stage(cycle), "attempts": attempts})
}
