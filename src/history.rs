//! The recent history of a repository, folded from the journal: its cycles, and what persons decided about patches
//! since. It only reads.

use std::collections::BTreeMap;

use kaizen_agents::cycle::fold;
use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{Attempt, CommitId, Cycle, CycleId, Event, PatchId, PatchSource, Record, Word};
use kaizen_journal::{Filter, Journal};

use crate::failure::Failure;

/// Cycles of a repository and what became of their patches afterwards.
#[derive(Default)]
pub(crate) struct History {
    /// The cycles, the oldest first.
    pub cycles: Vec<Cycle>,
    /// Patches that were taken back, with the commit that did it.
    pub reverted: BTreeMap<PatchId, CommitId>,
    /// Patches that a person approved, with the patch that landed in their place.
    pub approved: BTreeMap<PatchId, PatchId>,
    /// Patches that a person turned down, with the reason.
    pub turned_down: BTreeMap<PatchId, String>,
    /// Patches that were found in the commits when the journal was begun anew.
    pub found_again: BTreeMap<PatchId, CommitId>,
}

impl History {
    /// The last `most` cycles of a repository, and everything since the oldest of them.
    ///
    /// # Errors
    /// When the journal cannot be read or does not add up.
    pub fn recent(journal: &Journal, repo: &str, most: usize) -> Result<Self, Failure> {
        let entries = journal.cycles(Some(repo))?;
        let after = match entries.len().checked_sub(most).and_then(|skipped| entries.get(skipped)) {
            Some(entry) => entry.first.saturating_sub(1),
            None => 0,
        };
        Self::since(journal, repo, after)
    }

    /// Everything after a record.
    ///
    /// # Errors
    /// When the journal cannot be read or does not add up.
    pub fn since(journal: &Journal, repo: &str, after: u64) -> Result<Self, Failure> {
        let records = journal.records(&Filter { after: Some(after), ..Filter::repo(repo) })?;
        let mut history = Self::default();
        let mut begun: Vec<CycleId> = Vec::new();
        for record in &records {
            match &record.event {
                Event::Cycle { cycle, event: CycleEvent::Started { .. } } => begun.push(*cycle),
                Event::Reverted { patch, commit } => drop(history.reverted.insert(*patch, commit.clone())),
                Event::TurnedDown { patch, reason, .. } => drop(history.turned_down.insert(*patch, reason.clone())),
                Event::Rebuilt { landed, .. } => history.found_again.extend(landed.iter().cloned()),
                Event::Cycle { .. }
                | Event::PullRequest { .. }
                | Event::Watch { .. }
                | Event::ScheduleSeen { .. }
                | Event::ScheduleSettled { .. }
                | Event::RevertIntended { .. }
                | Event::RevertFailed { .. } => {}
            }
        }
        for id in begun {
            history.cycles.push(folded(id, &records)?);
        }
        for cycle in &history.cycles {
            if let PatchSource::Diff { approves: Some(asked), .. } = &cycle.request.source {
                let landed = cycle.attempts.iter().filter(|attempt| attempt.word() == Some(Word::Landed));
                history.approved.extend(landed.filter_map(Attempt::current).map(|round| (*asked, round.patch.id)));
            }
        }
        Ok(history)
    }
}

/// A cycle from its records.
///
/// # Errors
/// When they do not follow each other.
pub(crate) fn folded(id: CycleId, records: &[Record]) -> Result<Cycle, Failure> {
    fold(id, records).map_err(|error| {
        Failure::fault(format!("the journal does not add up: {error}")).or("`kaizen log --verify` checks it")
    })
}

/// The revert that was announced and of which no end is recorded, when there is one: it was cut off.
pub(crate) fn open_revert(records: &[Record]) -> Option<(PatchId, kaizen_domain::Landing)> {
    records.iter().fold(None, |open, record| match &record.event {
        Event::RevertIntended { patch, landing } => Some((*patch, landing.clone())),
        Event::Reverted { .. } | Event::RevertFailed { .. } => None,
        _ => open,
    })
}
