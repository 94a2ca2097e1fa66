//! The landings and watches of a repository, as its records have them.

use std::collections::BTreeMap;
use std::time::Duration;

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::watch::{Watch, WatchEvent};
use kaizen_domain::{
    AttemptEvent, CommitId, CycleId, Event, LandingMode, Patch, PatchId, PatchSource, Proposal, PullRequest,
    PullRequestEvent, Record, RefName, Timestamp,
};

use crate::cycle::fold;
use crate::watcher::millis;

/// A landing, as the journal has it.
#[derive(Debug, Clone)]
pub struct Landed {
    /// The patch.
    pub patch: Patch,
    /// The commit that landed.
    pub commit: CommitId,
    /// The branch.
    pub target: RefName,
    /// When.
    pub at: Timestamp,
    /// How.
    pub mode: LandingMode,
    /// It takes another one back.
    pub takes_back: bool,
    /// What it changed: from one commit to another. Of a pull request, what it proposed in the end.
    pub change: (CommitId, CommitId),
}

/// All landings and watches of a repository.
#[derive(Debug, Default)]
pub struct Watches {
    /// What landed, in order.
    pub landed: Vec<Landed>,
    /// The watches, by patch.
    pub watches: BTreeMap<PatchId, Watch>,
    /// When something was taken back.
    pub rolled_back: Vec<Timestamp>,
    /// Cycles that take a patch back, the newest last.
    pub(super) takes_back: Vec<(PatchId, CycleId)>,
}

impl Watches {
    /// Reads the records of a repository.
    ///
    /// # Errors
    /// When they do not follow each other.
    pub fn read(records: &[Record]) -> Result<Self, kaizen_domain::IllegalEvent> {
        let mut all = Self::default();
        let mut merging: BTreeMap<CycleId, bool> = BTreeMap::new();
        let mut pulls: BTreeMap<PatchId, PullRequest> = BTreeMap::new();
        for record in records {
            match &record.event {
                Event::Cycle { cycle, event: CycleEvent::Started { request } } => {
                    let back = match &request.source {
                        PatchSource::Revert { patch, .. } => Some(*patch),
                        _ => None,
                    };
                    all.takes_back.extend(back.map(|patch| (patch, *cycle)));
                    if request.landing == LandingMode::Merge {
                        merging.insert(*cycle, back.is_some());
                    }
                }
                Event::Cycle { cycle, event: CycleEvent::Attempt { opportunity, what: AttemptEvent::Landed } }
                    if merging.contains_key(cycle) =>
                {
                    let of = fold(*cycle, records)?;
                    let attempt = of.attempt(*opportunity);
                    let landing = attempt.and_then(|attempt| attempt.landing.clone());
                    let round = attempt.and_then(|attempt| attempt.current());
                    if let (Some(landing), Some(round)) = (landing, round) {
                        all.landed.push(Landed {
                            change: (round.patch.base.clone(), round.patch.commit.clone()),
                            patch: round.patch.clone(),
                            commit: landing.to,
                            target: landing.target,
                            at: record.at,
                            mode: LandingMode::Merge,
                            takes_back: merging.get(cycle).copied().unwrap_or(false),
                        });
                    }
                }
                Event::PullRequest { patch, event } => {
                    let pull = match pulls.remove(patch) {
                        Some(pull) => pull.next(event)?,
                        None => PullRequest::begin(*patch, Some(event))?,
                    };
                    if let PullRequestEvent::Merged { commit: Some(commit) } = event
                        && let Some((patch, takes_back)) = patch_of(records, *patch)
                    {
                        let Proposal { onto, base, head, .. } = &pull.proposal;
                        all.landed.push(Landed {
                            patch,
                            commit: commit.clone(),
                            target: onto.to_ref(),
                            at: record.at,
                            mode: LandingMode::PullRequest,
                            takes_back,
                            change: (base.clone(), head.clone()),
                        });
                    }
                    pulls.insert(*patch, pull);
                }
                Event::Watch { patch, event } => {
                    let next = match all.watches.remove(patch) {
                        Some(watch) => watch.next(event)?,
                        None => Watch::begin(*patch, event)?,
                    };
                    if matches!(event, WatchEvent::RolledBack { .. }) {
                        all.rolled_back.push(record.at);
                    }
                    all.watches.insert(*patch, next);
                }
                _ => {}
            }
        }
        Ok(all)
    }

    /// Whether a watch is open, or is to begin, when windows are so long.
    #[must_use]
    pub fn is_due(&self, window: Duration, now: Timestamp) -> bool {
        self.watches.values().any(|watch| !watch.is_over()) || self.to_begin(window, now).next().is_some()
    }

    pub(super) fn to_begin(&self, window: Duration, now: Timestamp) -> impl Iterator<Item = &Landed> {
        let since = now.0.saturating_sub(millis(window));
        self.landed.iter().filter(move |landed| {
            landed.at.0 >= since && !landed.takes_back && !self.watches.contains_key(&landed.patch.id)
        })
    }
}

/// A patch of a cycle that proposes, and whether it takes another one back.
fn patch_of(records: &[Record], id: PatchId) -> Option<(Patch, bool)> {
    let written = records.iter().find_map(|record| match &record.event {
        Event::Cycle { cycle, event: CycleEvent::Attempt { what: AttemptEvent::Written { patch }, .. } }
            if patch.id == id =>
        {
            Some((*cycle, patch.clone()))
        }
        _ => None,
    });
    let (of, patch) = written?;
    let back = records.iter().any(|record| {
        matches!(&record.event, Event::Cycle { cycle, event: CycleEvent::Started { request } }
            if *cycle == of && matches!(request.source, PatchSource::Revert { .. }))
    });
    Some((patch, back))
}
