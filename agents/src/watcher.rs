//! The Watcher: looks after what has landed. It begins a watch for each landing, asks for samples from before and after, lets
//! the statistics judge, and takes back what hurts: by a cycle of its own, reviewed and tried like any patch, that lands in
//! the same way. A round that was cut off is repeated; the samples are asked for again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::watch::{Verdict, Watch, WatchEvent, WatchStage};
use kaizen_domain::{
    AttemptEvent, AttemptStage, Base, CommitId, Cycle, CycleId, CycleRequest, Event, LandingMode, Patch, PatchId,
    PatchSource, PullRequestEvent, Record, RefName, Timestamp, Usd, Word,
};
use kaizen_forge::{CheckState, Forge};
use kaizen_metrics::Prometheus;
use kaizen_watch::{Look, MetricTerms, Outcome, Series, judge};

use crate::coordinator::CoordinatorHandle;
use crate::cycle::fold;
use crate::error::AgentError;
use crate::journal::JournalHandle;
use crate::start::Kaizen;
use crate::world::World;

/// A metric that is watched.
pub struct Watched {
    /// What is promised about it.
    pub terms: MetricTerms,
    /// Where it is measured.
    pub source: Prometheus,
    /// What is asked there.
    pub query: String,
    /// The time between two samples.
    pub every: Duration,
}

/// What a watcher goes by.
pub struct WatcherTerms {
    /// The metrics.
    pub metrics: Vec<Watched>,
    /// How long a window is open.
    pub window: Duration,
    /// The forge, when checks of the landed commit count.
    pub forge: Option<Arc<dyn Forge>>,
    /// How many landings may be taken back in any window of a day before a person is asked instead.
    pub max_rollbacks: u32,
    /// The folder of the cargo project below the top of the repository.
    pub folder: String,
}

/// Looks after what has landed in one repository.
pub struct Watcher {
    world: Arc<World>,
    journal: JournalHandle,
    terms: WatcherTerms,
}

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
}

/// What came of a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchTold {
    /// The patch.
    pub patch: PatchId,
    /// How it stands: a word, or that a person is asked.
    pub word: Word,
    /// On what ground.
    pub why: String,
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
    takes_back: Vec<(PatchId, CycleId)>,
}

impl Watches {
    /// Reads the records of a repository.
    ///
    /// # Errors
    /// When they do not follow each other.
    pub fn read(records: &[Record]) -> Result<Self, kaizen_domain::IllegalEvent> {
        let mut all = Self::default();
        let mut merging: BTreeMap<CycleId, bool> = BTreeMap::new();
        let mut proposed: BTreeMap<PatchId, RefName> = BTreeMap::new();
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
                            patch: round.patch.clone(),
                            commit: landing.to,
                            target: landing.target,
                            at: record.at,
                            mode: LandingMode::Merge,
                            takes_back: merging.get(cycle).copied().unwrap_or(false),
                        });
                    }
                }
                Event::PullRequest { patch, event: PullRequestEvent::OpeningIntended { proposal } } => {
                    proposed.insert(*patch, proposal.onto.to_ref());
                }
                Event::PullRequest { patch, event: PullRequestEvent::Merged { commit: Some(commit) } } => {
                    let found = patch_of(records, *patch);
                    if let (Some((patch, back)), Some(target)) = (found, proposed.get(patch)) {
                        let (commit, target) = (commit.clone(), target.clone());
                        let mode = LandingMode::PullRequest;
                        all.landed.push(Landed { patch, commit, target, at: record.at, mode, takes_back: back });
                    }
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

    fn to_begin(&self, window: Duration, now: Timestamp) -> impl Iterator<Item = &Landed> {
        let since = now.0.saturating_sub(millis(window));
        self.landed.iter().filter(move |landed| {
            landed.at.0 >= since && !landed.takes_back && !self.watches.contains_key(&landed.patch.id)
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
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

impl Watcher {
    /// A watcher for a running system.
    #[must_use]
    pub fn new(kaizen: &Kaizen, terms: WatcherTerms) -> Self {
        Self { world: kaizen.world().clone(), journal: kaizen.journal(), terms }
    }

    /// One round over all watches.
    ///
    /// # Errors
    /// When the journal fails or Kaizen was stopped. A metric that does not answer leaves its watch open.
    pub async fn round(&self) -> Result<Vec<WatchTold>, AgentError> {
        let mut told = Vec::new();
        let all = self.read().await?;
        let now = self.world.clock.now();
        for landed in all.to_begin(self.terms.window, now).cloned().collect::<Vec<_>>() {
            let until = Timestamp(landed.at.0.saturating_add(millis(self.terms.window)));
            let terms =
                self.terms.metrics.iter().filter_map(|metric| serde_json::to_string(&metric.terms).ok()).collect();
            let event = WatchEvent::WatchBegun {
                target: landed.target,
                commit: landed.commit,
                landed: landed.at,
                until,
                terms,
            };
            self.record(landed.patch.id, event).await?;
        }
        let all = self.read().await?;
        for watch in all.watches.values().filter(|watch| !watch.is_over()) {
            let watch = match watch.stage {
                WatchStage::Watching => match self.look(watch, &mut told).await? {
                    Some(judged) => judged,
                    None => continue,
                },
                _ => watch.clone(),
            };
            if watch.stage == WatchStage::RollingBack {
                self.roll_back(&all, watch, &mut told).await?;
            }
        }
        Ok(told)
    }

    async fn read(&self) -> Result<Watches, AgentError> {
        Ok(Watches::read(&self.journal.records(None).await?)?)
    }

    async fn record(&self, patch: PatchId, event: WatchEvent) -> Result<(), AgentError> {
        self.journal.append(vec![Event::Watch { patch, event }]).await.map(drop)
    }

    /// Looks at the samples; gives the watch when it was judged.
    async fn look(&self, watch: &Watch, told: &mut Vec<WatchTold>) -> Result<Option<Watch>, AgentError> {
        let now = self.world.clock.now();
        let finished = now >= watch.until;
        let mut evidence = Vec::new();
        let mut red = false;
        if let Some(forge) = &self.terms.forge {
            match forge.checks(&watch.commit).await {
                Ok(checks) if checks.state == CheckState::Failed => {
                    let names: Vec<&str> = checks.failed.iter().map(|check| check.name.as_str()).collect();
                    evidence.push(format!("checks of {} failed: {}", watch.commit.short(), names.join(", ")));
                    red = true;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the checks of a landing could not be read"),
            }
        }
        let (verdict, looks) = self.judge(watch, now, finished).await;
        evidence.extend(looks);
        let verdict = match (red, verdict) {
            (true, _) => Some(Verdict::Harmful),
            (false, Some(verdict)) => Some(verdict),
            // Only checks count, and none failed until the end.
            (false, None) if finished && self.terms.metrics.is_empty() => Some(Verdict::Kept),
            (false, None) => None,
        };
        let Some(verdict) = verdict else { return Ok(None) };
        let event = WatchEvent::Judged { verdict, evidence: evidence.clone() };
        let next = watch.clone().next(&event)?;
        self.record(watch.patch, event).await?;
        let word = match verdict {
            Verdict::Kept => Word::Kept,
            Verdict::Inconclusive => Word::Inconclusive,
            Verdict::Harmful => return Ok(Some(next)),
        };
        told.push(WatchTold { patch: watch.patch, word, why: evidence.join("; ") });
        Ok(Some(next))
    }

    /// What the metrics say; no verdict as long as the watch goes on.
    async fn judge(&self, watch: &Watch, now: Timestamp, finished: bool) -> (Option<Verdict>, Vec<String>) {
        if self.terms.metrics.is_empty() {
            return (None, Vec::new());
        }
        // What was promised at the beginning holds, whatever the settings say now.
        let promised: Vec<MetricTerms> =
            watch.terms.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        let end = now.min(watch.until);
        let mut samples: BTreeMap<String, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for terms in &promised {
            let Some(metric) = self.terms.metrics.iter().find(|metric| metric.terms.name == terms.name) else {
                continue;
            };
            // Half as many again: a scrape may have failed, and what is no number does not count.
            let wanted = terms.baseline.saturating_add(terms.baseline / 2);
            let span = metric.every.saturating_mul(u32::try_from(wanted).unwrap_or(u32::MAX));
            let from = Timestamp(watch.landed.0.saturating_sub(millis(span)));
            let ask = async |from, to| metric.source.range(&metric.query, from, to, metric.every).await;
            let (before, after) = (ask(from, watch.landed).await, ask(watch.landed, end).await);
            match (before, after) {
                (Ok(before), Ok(mut after)) => {
                    // The step at the very moment of the landing is neither before nor after.
                    if after.first().is_some_and(|(at, _)| *at <= watch.landed) {
                        after.remove(0);
                    }
                    let values = |all: Vec<kaizen_metrics::Sample>| all.into_iter().map(|(_, value)| value).collect();
                    samples.insert(terms.name.clone(), (values(before), values(after)));
                }
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!(metric = terms.name, %error, "a metric of a landing could not be read");
                    // It may answer later; without an answer until the end it counts as missing.
                    if !finished && error.may_pass() {
                        return (None, Vec::new());
                    }
                }
            }
        }
        let series: BTreeMap<String, Series<'_>> = samples
            .iter()
            .map(|(name, (baseline, after))| (name.clone(), Series { baseline, after, control: None }))
            .collect();
        match judge(&promised, &series, finished) {
            Ok(judgement) => {
                let looks = judgement.looks.iter().map(|(name, look)| format!("{name}: {}", said(look))).collect();
                let verdict = match judgement.outcome {
                    Outcome::Open(_) => None,
                    Outcome::Kept => Some(Verdict::Kept),
                    Outcome::RolledBack => Some(Verdict::Harmful),
                    Outcome::Inconclusive => Some(Verdict::Inconclusive),
                };
                (verdict, looks)
            }
            Err(error) => (finished.then_some(Verdict::Inconclusive), vec![error.to_string()]),
        }
    }

    /// Takes a landing back by a cycle of its own; where that does not go, a person is asked with the state of things.
    async fn roll_back(&self, all: &Watches, watch: Watch, told: &mut Vec<WatchTold>) -> Result<(), AgentError> {
        let Some(landed) = all.landed.iter().find(|landed| landed.patch.id == watch.patch) else {
            return Err(AgentError::Bug("a watch is over a patch that did not land".to_owned()));
        };
        let day = self.world.clock.now().0.saturating_sub(24 * 3_600_000);
        let recent = all.rolled_back.iter().filter(|at| at.0 > day).count();
        let known = all.takes_back.iter().rev().find(|(patch, _)| *patch == watch.patch).map(|(_, cycle)| *cycle);
        let outcome = match known {
            Some(cycle) => Ok(fold(cycle, &self.journal.records(Some(cycle)).await?)?),
            None if recent >= self.terms.max_rollbacks as usize => Err(format!(
                "{recent} landings were taken back within a day, which is as many as may be without a person"
            )),
            None => self.take_back(&watch, landed).await?,
        };
        let why = watch.evidence.join("; ");
        let event = match outcome {
            Ok(cycle) => of_cycle(&cycle),
            Err(reason) => WatchEvent::RollbackFailed { reason },
        };
        let word = match &event {
            WatchEvent::RolledBack { .. } => WatchTold { patch: watch.patch, word: Word::RolledBack, why },
            WatchEvent::RollbackFailed { reason } => {
                let by_hand = format!("`git revert {}` does it by hand", watch.commit.short());
                let why = format!("it hurts ({why}) and could not be taken back: {reason}; {by_hand}");
                WatchTold { patch: watch.patch, word: Word::Asked, why }
            }
            _ => return Ok(()),
        };
        self.record(watch.patch, event).await?;
        told.push(word);
        Ok(())
    }

    async fn take_back(&self, watch: &Watch, landed: &Landed) -> Result<Result<Cycle, String>, AgentError> {
        let (world, target, mode) = (self.world.clone(), landed.target.clone(), landed.mode);
        let tip = crate::address::blocking(move || -> Result<_, AgentError> {
            let name = match mode {
                // What others have is known from the last fetch.
                LandingMode::PullRequest => RefName::new(format!("refs/kaizen/upstream/{}", target.short()))
                    .map_err(|error| AgentError::Bug(error.to_string()))?,
                _ => target,
            };
            Ok(world.repo()?.ref_target(&name)?)
        })
        .await?;
        let Some(tip) = tip else {
            return Ok(Err(format!("the branch {} is not there any more", landed.target.short())));
        };
        let request = CycleRequest {
            base: Base { commit: tip, target: Some(landed.target.clone()), folder: self.terms.folder.clone() },
            source: PatchSource::Revert {
                patch: landed.patch.id,
                base: landed.patch.base.clone(),
                commit: landed.patch.commit.clone(),
                title: format!("Revert \"{}\"", landed.patch.title),
                evidence: watch.evidence.clone(),
            },
            goal: None,
            only: Vec::new(),
            max_landings: 1,
            max_opportunities: 1,
            landing: landed.mode,
            update_worktree: true,
            dry_run: false,
            budget: Usd::default(),
            revises: None,
        };
        let cycle = CoordinatorHandle::new(&self.world.system).run(request).await?;
        Ok(Ok(Cycle::clone(&cycle)))
    }
}

fn of_cycle(cycle: &Cycle) -> WatchEvent {
    let landed = cycle
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.word(), Some(Word::Landed | Word::Queued)))
        .find_map(|attempt| Some((attempt.word()?, attempt.landing.clone()?)));
    if let Some((word, landing)) = landed {
        return WatchEvent::RolledBack { commit: landing.to, proposed: word == Word::Queued };
    }
    let mut reasons: Vec<String> = cycle.failure.iter().map(|(reason, _)| reason.clone()).collect();
    for attempt in &cycle.attempts {
        if let AttemptStage::Done { reasons: said, .. } = &attempt.stage {
            reasons.extend(said.iter().cloned());
        }
    }
    WatchEvent::RollbackFailed { reason: reasons.join("; ") }
}

/// A look in words.
fn said(look: &Look) -> String {
    match look {
        Look::NeedMore { have, need } => format!("{have} of {need} samples for the next look"),
        Look::Suspect { ratio, .. } => format!("{ratio:.2}x, to be confirmed"),
        Look::Worse { ratio, p, look } => {
            let p = p.map(|p| format!(", p = {p:.1e}")).unwrap_or_default();
            format!("{ratio:.2}x of before{p}, confirmed at look {look}")
        }
        Look::Silent => "reports nothing any more".to_owned(),
        Look::Fine { ratio } => format!("{ratio:.2}x of before, no harm shown"),
        Look::NoData { what } => format!("no data: {what}"),
        Look::Inconclusive { why } => format!("inconclusive: {why}"),
    }
}
