//! History: what the journal of the soak says. Every cycle, pull request and watch must fold, none may be open, no time of a
//! schedule may have been run twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use kaizen_domain::{
    AttemptEvent, Cycle, CycleEvent, CycleId, Event, PatchId, PullRequest, PullRequestEvent, Record, TenantId,
    Timestamp,
};
use kaizen_journal::{Filter, Journal};

/// How far a lease of the measurement reaches.
const LEASE: std::time::Duration = std::time::Duration::from_secs(30);

/// What it says.
#[derive(Debug, Default)]
pub struct History {
    /// Cycles that came to their end.
    pub finished: usize,
    /// Those that failed.
    pub failed: usize,
    /// Cycles without an end.
    pub open: usize,
    /// Landings.
    pub landed: usize,
    /// Records.
    pub records: usize,
    /// Pull requests that were opened, by repository.
    pub opened: BTreeMap<String, usize>,
    /// What must not be.
    pub faults: Vec<String>,
}

/// How many cycles are over; 0 while there is no journal.
///
/// # Errors
/// When it cannot be read.
pub fn over(state: &Path) -> Result<(usize, usize)> {
    let Some(journal) = Journal::open_read_only(state)? else { return Ok((0, 0)) };
    let cycles = journal.cycles(None)?;
    let over = cycles.iter().filter(|cycle| cycle.over).count();
    Ok((over, cycles.len() - over))
}

/// The repositories whose schedule was seen.
///
/// # Errors
/// When it cannot be read.
pub fn seen(state: &Path) -> Result<BTreeSet<String>> {
    let Some(journal) = Journal::open_read_only(state)? else { return Ok(BTreeSet::new()) };
    let records = journal.records(&Filter::default())?;
    Ok(records
        .into_iter()
        .filter(|record| matches!(record.event, Event::ScheduleSeen { .. }))
        .map(|record| record.repo)
        .collect())
}

/// Journals that each schedule was seen this long ago already: as if the daemon had been off since, so that all its
/// times are to be caught up.
///
/// # Errors
/// When it cannot be written.
pub fn was_off(state: &Path, repositories: &BTreeSet<String>, schedule: &str, since: u64) -> Result<()> {
    let mut journal = Journal::open(state)?;
    for repo in repositories {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
        let now = Timestamp(u64::try_from(now)?);
        let lease = journal.acquire(repo, LEASE)?;
        let event = Event::ScheduleSeen { schedule: schedule.to_owned(), at: Timestamp(now.0.saturating_sub(since)) };
        journal.append(&lease, &TenantId::local(), now, &[event])?;
        journal.release(lease)?;
    }
    Ok(())
}

impl History {
    /// Reads it.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(state: &Path) -> Result<Self> {
        let journal = Journal::open_read_only(state)?.context("there is no journal")?;
        let records = journal.records(&Filter::default())?;
        let mut of = Self { records: records.len(), ..Self::default() };
        of.cycles(&records);
        of.rest(&records);
        Ok(of)
    }

    fn cycles(&mut self, records: &[Record]) {
        let mut cycles: BTreeMap<CycleId, Vec<&CycleEvent>> = BTreeMap::new();
        for record in records {
            if let Event::Cycle { cycle, event } = &record.event {
                cycles.entry(*cycle).or_default().push(event);
            }
        }
        for (id, events) in cycles {
            if let Err(error) = Cycle::fold(id, events.iter().copied()) {
                self.faults.push(format!("cycle {id} does not fold: {error}"));
            }
            match events.last() {
                Some(CycleEvent::Finished) => self.finished += 1,
                Some(CycleEvent::Failed { .. }) => self.failed += 1,
                _ => self.open += 1,
            }
            let did = |event: &&&CycleEvent| matches!(event, CycleEvent::Attempt { what: AttemptEvent::Landed, .. });
            self.landed += events.iter().filter(did).count();
        }
    }

    fn rest(&mut self, records: &[Record]) {
        let mut pulls: BTreeMap<PatchId, PullRequest> = BTreeMap::new();
        let mut runs = BTreeSet::new();
        for record in records {
            match &record.event {
                Event::PullRequest { patch, event } => {
                    if matches!(event, PullRequestEvent::Opened { .. }) {
                        *self.opened.entry(record.repo.clone()).or_default() += 1;
                    }
                    let next = match pulls.remove(patch) {
                        Some(known) => known.next(event),
                        None => PullRequest::begin(*patch, Some(event)),
                    };
                    match next {
                        Ok(next) => drop(pulls.insert(*patch, next)),
                        Err(error) => self.faults.push(format!("pull request of {patch}: {error}")),
                    }
                }
                Event::ScheduleSettled { nominal, left_out: None, schedule }
                    if !runs.insert((record.repo.clone(), schedule.clone(), *nominal)) =>
                {
                    self.faults.push(format!("{} was run twice for {}", schedule, nominal.0));
                }
                _ => {}
            }
        }
    }
}
