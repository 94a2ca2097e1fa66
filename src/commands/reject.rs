//! `kaizen reject`: a person turns down a patch that waits for one. The reason is kept, the branch goes, and what the patch
//! did is not proposed again.

use kaizen_agents::Clock as _;
use kaizen_agents::steps::learn::turned_down_item;
use kaizen_domain::{Event, OpportunityKind, Signal, SignalKind, TurnedDownItem};
use kaizen_journal::Journal;
use serde_json::json;

use crate::commands::LEASE;
use crate::commands::given::waiting;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::session::{Session, SessionOptions};
use crate::story::lines::shown;

/// A longer reason is cut, characters.
const LONGEST: usize = 2_000;

/// Turns the patch down.
///
/// # Errors
/// When it does not wait for a person, the reason says nothing, or the journal cannot be written.
pub fn run(options: SessionOptions, id: &str, reason: &str, json: bool) -> Result<Exit, Failure> {
    let session = Session::open(options)?;
    let reason: String = reason.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if reason.is_empty() {
        return Err(Failure::input("the reason is empty", "say what is wrong with the patch: `--reason \"...\"`"));
    }
    let (cycle, patch) = waiting(&session, id)?;
    let repo = session.repo();
    // What consists of suggestions is closed suggestion by suggestion; anything else as a whole. What a person asked for
    // themselves may be asked for again.
    let opportunity = cycle
        .opportunity(patch.opportunity)
        .filter(|opportunity| !matches!(opportunity.kind, OpportunityKind::Proposal | OpportunityKind::Goal));
    let topic = opportunity.filter(|_| patch.items.is_empty()).map(|opportunity| opportunity.topic.clone());
    let in_it =
        |signal: &&Signal| matches!(&signal.kind, SignalKind::Diagnostic { key, .. } if patch.items.contains(key));
    let mut items: Vec<TurnedDownItem> = Vec::new();
    for signal in cycle.signals.iter().filter(in_it) {
        items.extend(turned_down_item(repo, &patch.base, signal).filter(|item| !items.contains(item)));
    }
    let event = Event::TurnedDown { patch: patch.id, reason: reason.clone(), items, topic };
    let mut journal = Journal::open(&session.state_dir)?;
    let lease = journal.acquire_patiently(&repo.key(), LEASE)?;
    journal.append(&lease, &kaizen_domain::TenantId::local(), kaizen_agents::SystemClock.now(), &[event])?;
    journal.release(lease)?;
    // Its branch showed what was asked about. One that somebody moved holds work of theirs, and stays.
    let landing = cycle.attempt(patch.opportunity).and_then(|attempt| attempt.landing.as_ref());
    let gone = landing.is_some_and(|landing| repo.delete_ref(&landing.target, &landing.to).is_ok());
    if json {
        output::json(&json!({"of": "turned_down", "patch": patch.id, "reason": reason, "branch_gone": gone}));
    } else {
        let branch = if gone { "; its branch is gone" } else { "" };
        say!("{}  turned down: {}{branch}", patch.id.short(), shown(&reason));
    }
    Ok(Exit::Done)
}
