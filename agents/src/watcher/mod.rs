//! The Watcher: looks after what has landed. It begins a watch for each landing, has the tests and the benches run on it,
//! asks for samples from before and after, lets the statistics judge, and takes back what hurts: by a cycle of its own,
//! reviewed and tried like any patch, that lands in the same way. A round that was cut off is repeated; the samples are
//! asked for again, and what was measured in the sandbox is in the journal.

pub mod book;
mod samples;
mod taking_back;
mod trying;

use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::watch::{Verdict, Watch, WatchEvent, WatchStage};
use kaizen_domain::{Event, PatchId, Timestamp, Word};
use kaizen_forge::{CheckState, Forge};
use kaizen_metrics::{Kept, Prometheus};
use kaizen_watch::MetricTerms;

use crate::address::blocking;
use crate::error::AgentError;
use crate::journal::JournalHandle;
use crate::start::Kaizen;
use crate::trial_pool::PoolHandle;
use crate::watcher::book::Watches;
use crate::world::World;

/// A metric that is watched.
pub struct Watched {
    /// What is promised about it.
    pub terms: MetricTerms,
    /// Where its samples come from.
    pub source: Source,
}

/// Where samples come from.
pub enum Source {
    /// A Prometheus, which knows what was.
    Prometheus {
        /// The server.
        server: Prometheus,
        /// What is asked there.
        query: String,
        /// What is asked about something that a landing cannot change.
        control: Option<String>,
        /// The time between two samples.
        every: Duration,
    },
    /// Samples that are taken all the while.
    Kept {
        /// Where they are.
        samples: Kept,
        /// The time between two of them.
        every: Duration,
    },
    /// A line for a shell that prints a number, run in the sandbox on the commit before and on the one that landed.
    Bench {
        /// The line.
        command: String,
    },
}

/// What a watcher goes by.
pub struct WatcherTerms {
    /// The metrics.
    pub metrics: Vec<Watched>,
    /// How long a window is open.
    pub window: Duration,
    /// The forge, when checks of the landed commit count.
    pub forge: Option<Arc<dyn Forge>>,
    /// Whether the tests are run on the landed commit.
    pub tests: bool,
    /// How many landings may be taken back in any window of a day before a person is asked instead.
    pub max_rollbacks: u32,
    /// The folder of the cargo project below the top of the repository.
    pub folder: String,
}

/// Looks after what has landed in one repository.
pub struct Watcher {
    world: Arc<World>,
    journal: JournalHandle,
    pool: PoolHandle,
    terms: WatcherTerms,
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

/// What was promised about the metrics at the beginning: it holds, whatever the settings say now.
fn promised(watch: &Watch) -> Vec<MetricTerms> {
    watch.terms.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Watcher {
    /// A watcher for a running system.
    #[must_use]
    pub fn new(kaizen: &Kaizen, terms: WatcherTerms) -> Self {
        Self {
            world: kaizen.world().clone(),
            journal: kaizen.journal(),
            pool: PoolHandle::new(&kaizen.world().system),
            terms,
        }
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
                tests: self.terms.tests,
            };
            self.record(landed.patch.id, event).await?;
        }
        let all = self.read().await?;
        for watch in all.watches.values().filter(|watch| !watch.is_over()) {
            let watch = match watch.stage {
                WatchStage::Watching => match self.look(watch, &mut told).await {
                    Ok(Some(judged)) => judged,
                    Ok(None) => continue,
                    // A commit that is not here keeps the others from nothing.
                    Err(AgentError::Repo(error)) => {
                        tracing::warn!(patch = %watch.patch, %error, "a landing could not be looked at");
                        continue;
                    }
                    Err(error) => return Err(error),
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

    /// Records an event of a watch and goes on with the state after it. Checked first: what cannot follow must not be in the
    /// journal.
    async fn follow(&self, watch: Watch, event: WatchEvent) -> Result<Watch, AgentError> {
        let patch = watch.patch;
        let next = watch.next(&event)?;
        self.record(patch, event).await?;
        Ok(next)
    }

    /// The checks that fail on the commit that landed and not on the one before it, and whether all passed. What failed
    /// before is not the landing's doing.
    async fn failing(&self, forge: &dyn Forge, watch: &Watch) -> Result<(Vec<String>, bool), AgentError> {
        let checks = forge.checks(&watch.commit).await?;
        if checks.state != CheckState::Failed {
            return Ok((Vec::new(), checks.state == CheckState::Passed));
        }
        let (world, commit) = (self.world.clone(), watch.commit.clone());
        let before = blocking(move || world.repo().ok()?.parent(&commit).ok()?).await;
        let known: Vec<String> = match before {
            Some(before) => forge.checks(&before).await?.failed.into_iter().map(|check| check.name).collect(),
            None => Vec::new(),
        };
        let new: Vec<String> =
            checks.failed.into_iter().map(|check| check.name).filter(|name| !known.contains(name)).collect();
        let passed = new.is_empty();
        Ok((new, passed))
    }

    /// Looks at tests, checks and samples; gives the watch when it was judged.
    async fn look(&self, watch: &Watch, told: &mut Vec<WatchTold>) -> Result<Option<Watch>, AgentError> {
        let now = self.world.clock.now();
        let finished = now >= watch.until;
        let mut watch = self.try_commits(watch.clone(), finished).await?;
        let mut evidence = Vec::new();
        let mut red = false;
        // Without a forge nothing is waited for.
        let mut green = self.terms.forge.is_none();
        if let Some((Verdict::Harmful | Verdict::Inconclusive, said)) = &watch.tested {
            evidence.push(said.clone());
        }
        if let Some(forge) = &self.terms.forge {
            match self.failing(forge.as_ref(), &watch).await {
                Ok((now_red, passed)) => {
                    green = passed;
                    // Seen at two looks: a check that is run again may pass.
                    let still: Vec<&str> =
                        now_red.iter().filter(|name| watch.red.contains(name)).map(String::as_str).collect();
                    if !still.is_empty() {
                        evidence.push(format!("checks of {} fail: {}", watch.commit.short(), still.join(", ")));
                        red = true;
                    } else if now_red != watch.red {
                        watch = self.follow(watch, WatchEvent::SeenRed { checks: now_red }).await?;
                    }
                }
                Err(error) => tracing::warn!(%error, "the checks of a landing could not be read"),
            }
        }
        let (verdict, looks) = self.judge(&watch, now, finished).await;
        evidence.extend(looks);
        let tested = watch.tested.as_ref().map(|(verdict, _)| *verdict);
        let verdict = match (red, tested, verdict) {
            (true, ..) | (_, Some(Verdict::Harmful), _) | (.., Some(Verdict::Harmful)) => Some(Verdict::Harmful),
            // Checks that still run may yet fail.
            (false, tested, Some(verdict)) if green || finished => {
                Some(if tested == Some(Verdict::Inconclusive) { Verdict::Inconclusive } else { verdict })
            }
            // Only tests and checks count.
            (false, tested, None) if watch.terms.is_empty() && (finished || self.terms.forge.is_none()) => {
                Some(tested.unwrap_or(Verdict::Kept))
            }
            // A window that is over has an answer, whatever the settings have become.
            (false, ..) if finished => Some(Verdict::Inconclusive),
            (false, ..) => None,
        };
        let Some(verdict) = verdict else { return Ok(None) };
        let next = self.follow(watch, WatchEvent::Judged { verdict, evidence: evidence.clone() }).await?;
        let word = match verdict {
            Verdict::Kept => Word::Kept,
            Verdict::Inconclusive => Word::Inconclusive,
            Verdict::Harmful => return Ok(Some(next)),
        };
        told.push(WatchTold { patch: next.patch, word, why: evidence.join("; ") });
        Ok(Some(next))
    }
}
