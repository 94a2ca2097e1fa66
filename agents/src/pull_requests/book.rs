//! The book: every patch that is proposed or waits to be, folded from the journal.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::watch::WatchEvent;
use kaizen_domain::{
    Attempt, AttemptEvent, Cycle, CycleId, Event, IllegalEvent, Landing, Opportunity, Patch, PatchId, PullRequest,
    PullRequestEvent, PullRequestStage, Record, Timestamp, Word,
};

use crate::cycle::fold;

/// After so many milliseconds what was refused is tried once more: rules change.
const AGAIN: u64 = 24 * 3_600_000;

/// A patch that is proposed, or waits to be.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The cycle that wrote it.
    pub cycle: CycleId,
    /// The patch.
    pub patch: Patch,
    /// What it is for.
    pub opportunity: Opportunity,
    /// Its branch here.
    pub landing: Landing,
    /// Since when it waits.
    pub since: Timestamp,
    /// Its pull request, once it is about to be opened.
    pub pull: Option<PullRequest>,
    /// When something last happened to that.
    pub touched: Timestamp,
}

impl Entry {
    /// Whether it waits to be opened: for the first time, or since the forge refused it a day ago.
    #[must_use]
    pub fn waits(&self, now: Timestamp) -> bool {
        self.pull.as_ref().is_none_or(|pull| {
            let refused = matches!(pull.stage, PullRequestStage::Withheld { .. }) && pull.number.is_none();
            refused && now.0.saturating_sub(self.touched.0) >= AGAIN
        })
    }
}

/// A cycle that was run to change a pull request.
#[derive(Debug, Clone)]
pub struct Revised {
    /// The patch that the pull request was opened for.
    pub patch: PatchId,
    /// The record that it began with.
    pub seq: u64,
    /// The cycle.
    pub cycle: Cycle,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Book {
    /// The patches, in the order they were written.
    pub entries: Vec<Entry>,
    /// Cycles that were run to change pull requests, in the order they began.
    pub revised: Vec<Revised>,
    /// The record of the last change that was begun, by patch.
    begun: BTreeMap<PatchId, u64>,
    merged: Vec<Timestamp>,
    closed: Vec<Timestamp>,
}

impl Book {
    /// Reads the records of a repository.
    ///
    /// # Errors
    /// When they do not follow each other.
    pub fn read(records: &[Record]) -> Result<Self, IllegalEvent> {
        let mut book = Self::default();
        let mut pulls: BTreeMap<PatchId, PullRequest> = BTreeMap::new();
        let mut ends: BTreeMap<CycleId, Timestamp> = BTreeMap::new();
        let mut touched: BTreeMap<PatchId, Timestamp> = BTreeMap::new();
        let mut cycles = Vec::new();
        for record in records {
            match &record.event {
                Event::Cycle { cycle, event: CycleEvent::Started { request } } => {
                    let proposes = request.landing == kaizen_domain::LandingMode::PullRequest;
                    if proposes {
                        cycles.push((*cycle, record.seq, request.revises.as_ref().map(|revision| revision.patch)));
                    }
                }
                Event::Cycle { cycle, .. } => drop(ends.insert(*cycle, record.at)),
                Event::PullRequest { patch, event } => {
                    let next = match pulls.remove(patch) {
                        Some(pull) => pull.next(event)?,
                        None => PullRequest::begin(*patch, Some(event))?,
                    };
                    match event {
                        PullRequestEvent::Merged { .. } => book.merged.push(record.at),
                        PullRequestEvent::Closed { .. } if next.stage == PullRequestStage::Closed => {
                            book.closed.push(record.at);
                        }
                        PullRequestEvent::RevisionBegun { .. } => drop(book.begun.insert(*patch, record.seq)),
                        _ => {}
                    }
                    pulls.insert(*patch, next);
                    touched.insert(*patch, record.at);
                }
                _ => {}
            }
        }
        for (id, seq, revises) in cycles {
            let cycle = fold(id, records)?;
            if let Some(patch) = revises {
                book.revised.push(Revised { patch, seq, cycle });
                continue;
            }
            let since = ends.get(&id).copied().unwrap_or_default();
            for attempt in cycle.attempts.iter().filter(|attempt| attempt.word() == Some(Word::Queued)) {
                let (Some(patch), Some(landing)) = (newest(attempt), attempt.landing.clone()) else { continue };
                let Some(opportunity) = cycle.opportunity(attempt.opportunity).cloned() else { continue };
                let pull = pulls.remove(&patch.id);
                let touched = touched.get(&patch.id).copied().unwrap_or_default();
                book.entries.push(Entry { cycle: id, patch, opportunity, landing, since, pull, touched });
            }
        }
        Ok(book)
    }

    /// Whether nothing is proposed and nothing waits.
    #[must_use]
    pub fn is_empty(&self, now: Timestamp) -> bool {
        self.entries
            .iter()
            .all(|entry| !entry.waits(now) && entry.pull.as_ref().is_some_and(|pull| pull.stage.is_over()))
    }

    /// How many are open, or about to be.
    #[must_use]
    pub fn open(&self) -> u32 {
        let open = self.entries.iter().filter_map(|entry| entry.pull.as_ref()).filter(|pull| !pull.stage.is_over());
        u32::try_from(open.count()).unwrap_or(u32::MAX)
    }

    /// When others were merged.
    #[must_use]
    pub fn merged_at(&self) -> Vec<Timestamp> {
        self.merged.clone()
    }

    /// When others were closed without being merged.
    #[must_use]
    pub fn closed_at(&self) -> Vec<Timestamp> {
        self.closed.clone()
    }

    /// The cycle that was run for the change of a pull request that is under way, when it was.
    #[must_use]
    pub fn revision_of(&self, patch: PatchId) -> Option<&Cycle> {
        let begun = self.begun.get(&patch)?;
        let newest = self.revised.iter().rev().find(|revised| revised.patch == patch)?;
        (newest.seq > *begun).then_some(&newest.cycle)
    }
}

/// The patch that an attempt ended with.
pub(crate) fn newest(attempt: &Attempt) -> Option<Patch> {
    attempt.current().map(|round| round.patch.clone())
}

/// Matters that are proposed, wait to be, or got a "no": a cycle that looks for work leaves them alone.
#[must_use]
pub fn taken_topics(records: &[Record]) -> BTreeSet<String> {
    let Ok(book) = Book::read(records) else { return BTreeSet::new() };
    let taken = book.entries.into_iter().filter(|entry| {
        entry
            .pull
            .as_ref()
            .is_none_or(|pull| !matches!(pull.stage, PullRequestStage::Merged | PullRequestStage::Superseded))
    });
    let mut topics: BTreeSet<String> = taken.map(|entry| entry.opportunity.topic).collect();
    // What was taken back is not proposed again as it was.
    for record in records {
        if let Event::Watch { patch, event: WatchEvent::RolledBack { .. } } = &record.event {
            topics.extend(topic_of(records, *patch));
        }
    }
    topics
}

/// The matter that a patch is about.
fn topic_of(records: &[Record], patch: PatchId) -> Option<String> {
    let opportunity = records.iter().find_map(|record| match &record.event {
        Event::Cycle {
            event: CycleEvent::Attempt { opportunity, what: AttemptEvent::Written { patch: written } },
            ..
        } if written.id == patch => Some(*opportunity),
        _ => None,
    })?;
    records.iter().find_map(|record| match &record.event {
        Event::Cycle { event: CycleEvent::Ranked { opportunities, .. }, .. } => {
            opportunities.iter().find(|one| one.id == opportunity).map(|one| one.topic.clone())
        }
        _ => None,
    })
}
