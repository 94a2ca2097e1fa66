//! `kaizen status`: who works on the repository, what waits for a person, how the last cycles ended.

use kaizen_domain::attempt::Round;
use kaizen_domain::{Attempt, Cycle, Word};
use kaizen_repo::Repo;

use crate::commands::running;
use crate::commands::show::stage;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::History;
use crate::output::{self, say};
use crate::project;
use crate::session::SessionOptions;
use crate::story::lines::shown;

/// How many cycles are shown.
const CYCLES: usize = 5;
/// How many cycles are looked through for what waits for a person.
const LOOKED_THROUGH: usize = 50;

/// Shows how things stand.
///
/// # Errors
/// When the repository or the journal cannot be read.
pub fn run(options: &SessionOptions, follow: bool, json: bool) -> Result<Exit, Failure> {
    let address = running::address(options);
    if follow {
        return super::runtime()?.block_on(running::follow(&address, json));
    }
    let daemon = super::runtime()?.block_on(running::status(&address));
    if let Some(status) = &daemon {
        running::show(status, json);
    }
    // Outside of any repository the daemon is all there is to show.
    if daemon.is_some() && project::open(&options.repo).is_err() {
        return Ok(Exit::Done);
    }
    let repo = project::open(&options.repo)?;
    let (history, holder) = match super::journal(options.state_dir.clone())? {
        Some(journal) => (History::recent(&journal, &repo.key(), LOOKED_THROUGH)?, journal.holder(&repo.key())?),
        None => (History::default(), None),
    };
    let running = holder.as_ref().map(|holder| holder.pid);
    let waiting = waiting(&repo, &history)?;
    let shown_cycles: Vec<&Cycle> = history.cycles.iter().rev().take(CYCLES).collect();
    if json {
        let list: Vec<_> = shown_cycles.iter().map(|cycle| summary(cycle, &history, running.is_some())).collect();
        let waiting: Vec<_> = waiting
            .iter()
            .map(|round| serde_json::json!({"patch": round.patch.id, "title": round.patch.title}))
            .collect();
        output::json(&serde_json::json!({
            "of": "status", "repo": repo.name(), "running": running, "cycles": list, "waiting": waiting,
        }));
        return Ok(Exit::Done);
    }
    match running {
        Some(pid) => say!("{}  process {pid} works on it", shown(&repo.name())),
        None => say!("{}  nothing runs", shown(&repo.name())),
    }
    if shown_cycles.is_empty() {
        say!("  no cycle has run yet: `kaizen run-cycle` runs one");
    }
    for cycle in &shown_cycles {
        let stage = stage(cycle, running.is_some());
        say!(
            "  {}  on {}  {stage:<10} {}",
            cycle.id.short(),
            cycle.request.base.commit.short(),
            words(cycle, &history, stage)
        );
    }
    if !waiting.is_empty() {
        say!("\n  waits for a person");
    }
    for round in waiting {
        say!(
            "  {}  {:<52} kaizen approve {}",
            round.patch.id.short(),
            shown(&round.patch.title),
            round.patch.id.short()
        );
    }
    Ok(Exit::Done)
}

/// How a cycle has gone, in words.
fn words(cycle: &Cycle, history: &History, stage: &str) -> String {
    let mut words: Vec<String> =
        [Word::Landed, Word::Queued, Word::Asked, Word::Rejected, Word::Inconclusive, Word::Declined]
            .into_iter()
            .filter(|word| cycle.count(*word) > 0)
            .map(|word| format!("{} {}", word.shout().to_lowercase(), cycle.count(word)))
            .collect();
    let back = cycle
        .attempts
        .iter()
        .filter_map(Attempt::current)
        .filter(|round| history.reverted.contains_key(&round.patch.id))
        .count();
    if back > 0 {
        words.push(format!("taken back {back}"));
    }
    match (stage, &cycle.failure) {
        ("cut off", _) => words.push("`kaizen run-cycle` goes on with it".to_owned()),
        (_, Some((reason, _))) => words.push(shown(reason.lines().next().unwrap_or_default())),
        ("finished", _) if words.is_empty() => words.push("nothing to do".to_owned()),
        _ => {}
    }
    words.join(" · ")
}

/// The patches that a person was asked about and has not decided on: neither approved, nor turned down, nor merged
/// by hand, nor their branch deleted.
fn waiting<'h>(repo: &Repo, history: &'h History) -> Result<Vec<&'h Round>, Failure> {
    let mut waiting = Vec::new();
    for cycle in &history.cycles {
        for attempt in cycle.attempts.iter().filter(|attempt| attempt.word() == Some(Word::Asked)) {
            let (Some(round), Some(landing)) = (attempt.current(), &attempt.landing) else { continue };
            let decided = |id| history.approved.contains_key(id) || history.turned_down.contains_key(id);
            if decided(&round.patch.id) || repo.ref_target(&landing.target)?.is_none() {
                continue;
            }
            let tip = match &cycle.request.base.target {
                Some(target) => repo.ref_target(target)?,
                None => None,
            };
            let merged = tip.is_some_and(|tip| repo.is_ancestor(&landing.to, &tip).unwrap_or(false));
            if !merged {
                waiting.push(round);
            }
        }
    }
    Ok(waiting)
}

pub(crate) fn summary(cycle: &Cycle, history: &History, running: bool) -> serde_json::Value {
    let attempts: Vec<_> = cycle
        .attempts
        .iter()
        .map(|attempt| {
            let patch = attempt.current().map(|round| round.patch.id);
            serde_json::json!({
                "opportunity": attempt.opportunity,
                "title": cycle.opportunity(attempt.opportunity).map(|o| o.title.clone()),
                "patch": patch,
                "word": attempt.word(),
                "taken_back": patch.and_then(|patch| history.reverted.get(&patch)),
            })
        })
        .collect();
    let failure = cycle.failure.as_ref().map(|(reason, _)| reason);
    serde_json::json!({
        "id": cycle.id, "base": cycle.request.base.commit, "stage": stage(cycle, running), "failure": failure, "attempts": attempts,
    })
}
