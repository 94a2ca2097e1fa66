//! What a run of the tests of a tree gave, and what several runs of the same tree give together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kaizen_domain::{TestId, TestResult, TrialOutcome};

use crate::direct::{self, Outcome, Reach};
use crate::harness::HarnessRun;
use crate::isolation::Finished;

/// What one run of cargo gave, or several on the same tree.
pub(super) struct Run {
    pub(super) outcome: TrialOutcome,
    pub(super) tests: BTreeMap<TestId, TestResult>,
    pub(super) durations: BTreeMap<TestId, Duration>,
    /// Of programs of tests, by their targets.
    pub(super) digests: BTreeMap<String, String>,
    pub(super) flaky: BTreeSet<TestId>,
    pub(super) wall: Duration,
    /// The part of it in which cargo, the compiler or tests were at work.
    pub(super) working: Duration,
    pub(super) cpu: Duration,
    pub(super) peak_memory: u64,
    pub(super) network_attempts: u32,
    /// It was ended at the first tests that were worse.
    pub(super) stopped_early: bool,
    /// Targets whose tests the change cannot reach.
    pub(super) unreached: Vec<String>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            outcome: TrialOutcome::Ran,
            tests: BTreeMap::new(),
            durations: BTreeMap::new(),
            digests: BTreeMap::new(),
            flaky: BTreeSet::new(),
            wall: Duration::ZERO,
            working: Duration::ZERO,
            cpu: Duration::ZERO,
            peak_memory: 0,
            network_attempts: 0,
            stopped_early: false,
            unreached: Vec::new(),
        }
    }
}

/// A run of the direct way.
pub(super) fn run_of(tried: direct::Tried, reach: &Reach) -> Run {
    let direct::Tried { durations, digests, wall, working, cpu, peak_memory, network_attempts, .. } = tried;
    let unreached = reach.untouched().map(str::to_owned).collect();
    let run =
        Run { durations, digests, wall, working, cpu, peak_memory, network_attempts, unreached, ..Run::default() };
    match tried.outcome {
        Outcome::Ran(tests) => Run { tests, ..run },
        Outcome::Stopped(tests) => Run { tests, stopped_early: true, ..run },
        Outcome::Other(outcome) => Run { outcome, ..run },
    }
}

impl Run {
    /// A run of cargo or nextest, out of what it said and what the job used.
    pub(super) fn of(outcome: TrialOutcome, said: HarnessRun, job: &Finished) -> Self {
        let HarnessRun { tests, durations, flaky, .. } = said;
        let (wall, working, cpu) = (job.wall, job.running, job.cpu);
        let (peak_memory, network_attempts) = (job.peak_memory, job.network_attempts);
        let used = Self { wall, working, cpu, peak_memory, network_attempts, ..Self::default() };
        Self { outcome, tests, durations, flaky, ..used }
    }

    /// Counts what another run used.
    pub(super) fn used(&mut self, other: &Self) {
        self.wall += other.wall;
        self.working += other.working;
        self.cpu += other.cpu;
        self.peak_memory = self.peak_memory.max(other.peak_memory);
        self.network_attempts = self.network_attempts.saturating_add(other.network_attempts);
    }

    /// Whether every test is in both and gave the same.
    pub(super) fn gave_the_same_as(&self, known: &Self) -> bool {
        self.outcome == TrialOutcome::Ran
            && self.tests.len() == known.tests.len()
            && self.tests.iter().all(|(id, test)| known.tests.get(id).map(|known| known.outcome) == Some(test.outcome))
    }

    /// Whether a run with swapped libraries says enough. What does not build has to be shown in a source: that programs
    /// of the base do not fit is none of the change's.
    pub(super) fn is_settled(&self) -> bool {
        match &self.outcome {
            TrialOutcome::Unclear { .. } => false,
            TrialOutcome::BuildFailed { errors, .. } => errors.iter().any(|error| error.path.is_some()),
            TrialOutcome::Ran | TrialOutcome::LimitHit { .. } => true,
        }
    }

    /// Adds another run on the same tree: what differs is flaky, what is not there in both is no evidence either.
    pub(super) fn add(&mut self, other: Self) {
        self.used(&other);
        self.unreached.clear();
        if other.outcome != TrialOutcome::Ran {
            self.outcome = other.outcome;
            return;
        }
        for (id, test) in &other.tests {
            if self.tests.get(id).map(|known| known.outcome) != Some(test.outcome) {
                self.flaky.insert(id.clone());
            }
        }
        self.flaky.extend(self.tests.keys().filter(|id| !other.tests.contains_key(*id)).cloned());
        for (id, test) in other.tests {
            self.tests.entry(id).or_insert(test);
        }
        // The shorter one of two runs is less of the machine's doing.
        for (id, took) in other.durations {
            let known = self.durations.entry(id).or_insert(took);
            *known = took.min(*known);
        }
        self.flaky.extend(other.flaky);
    }
}
