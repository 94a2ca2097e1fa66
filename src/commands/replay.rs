//! `kaizen replay`: a recorded cycle once more, from its own commit, with the answers that models gave then. Nothing is
//! sent to anybody; what was written then must be written again, to the byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use kaizen_agents::Notice;
use kaizen_agents::cycle::fold;
use kaizen_domain::{Cycle, CycleId, CycleRequest, LandingMode, Patch};
use kaizen_journal::{Filter, Noun};
use serde_json::json;

use crate::commands::carry::stop_signal;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::session::{Session, SessionOptions, heard};

/// Runs the cycle again and compares the patches.
///
/// # Errors
/// When there is no such cycle, it cannot be run here, or it was about a patch of somebody else.
pub fn run(options: SessionOptions, id: &str, json: bool) -> Result<Exit, Failure> {
    let session = Session::open(options)?;
    let Some(journal) = super::journal(Some(session.state_dir.clone()))? else {
        return Err(Failure::input("nothing has happened yet", "`kaizen run-cycle` runs a cycle"));
    };
    let found = super::find(&journal, id, Some(Noun::Cycle))?;
    let unknown = || Failure::fault(format!("the journal does not add up about cycle {}", found.id));
    let cycle_id: CycleId = found.id.parse().map_err(|_| unknown())?;
    let recorded = fold(cycle_id, &journal.records(&Filter::cycle(cycle_id))?).map_err(|_| unknown())?;
    drop(journal);
    let request = CycleRequest {
        landing: LandingMode::Branch,
        update_worktree: false,
        revises: None,
        replays: Some(cycle_id),
        ..recorded.request.clone()
    };
    let again = super::runtime()?.block_on(async {
        let kaizen = session.start_to_replay(cycle_id).await?;
        let outcome = {
            let mut silent = |_: &Notice| {};
            let work = heard(&kaizen, kaizen.run_cycle(request), &mut silent);
            tokio::pin!(work);
            tokio::select! {
                outcome = &mut work => outcome,
                signal = stop_signal() => {
                    kaizen.park(signal);
                    work.await
                }
            }
        };
        kaizen.stop().await;
        outcome
    })?;
    clean(&session, &again)?;
    told(&recorded, &again, json)
}

/// The branches that the replay landed on are nobody's.
fn clean(session: &Session, cycle: &Arc<Cycle>) -> Result<(), Failure> {
    let targets = cycle.attempts.iter().filter_map(|attempt| attempt.landing.as_ref());
    let names: std::collections::BTreeSet<_> =
        targets.flat_map(|landing| [Some(landing.target.clone()), landing.branch.clone()]).flatten().collect();
    for name in names {
        if let Some(tip) = session.repo().ref_target(&name)? {
            session.repo().delete_ref(&name, &tip)?;
        }
    }
    Ok(())
}

/// Every patch of a cycle, by what it was for and in which round.
fn patches(cycle: &Cycle) -> BTreeMap<(String, usize), &Patch> {
    let mut patches = BTreeMap::new();
    for attempt in &cycle.attempts {
        let topic = cycle.opportunity(attempt.opportunity).map(|one| one.topic.clone()).unwrap_or_default();
        for (round, one) in attempt.rounds.iter().enumerate() {
            patches.insert((topic.clone(), round), &one.patch);
        }
    }
    patches
}

fn told(recorded: &Cycle, again: &Cycle, json: bool) -> Result<Exit, Failure> {
    let (before, after) = (patches(recorded), patches(again));
    let mut differ = 0;
    for (key, patch) in &before {
        let other = after.get(key);
        let same = other.is_some_and(|other| other.tree == patch.tree);
        differ += usize::from(!same);
        if json {
            output::json(&json!({
                "of": "replayed", "patch": patch.id, "title": patch.title, "tree": patch.tree,
                "again": other.map(|other| &other.tree), "same": same,
            }));
        } else {
            let verdict = if same { "same" } else { "OTHER" };
            let why = if other.is_none() { " (not written again)" } else { "" };
            say!("  {verdict:<5}  {}  {}{why}", patch.id.short(), crate::story::lines::shown(&patch.title));
        }
    }
    let new = after.keys().filter(|key| !before.contains_key(*key)).count();
    if !json {
        let words = if differ + new == 0 { "every patch is the same" } else { "the replay went another way" };
        say!(
            "  {} of {} patches written again, {new} besides; {words}; nothing was sent",
            before.len() - differ,
            before.len()
        );
    }
    Ok(if differ + new == 0 { Exit::Done } else { Exit::Inconclusive })
}
