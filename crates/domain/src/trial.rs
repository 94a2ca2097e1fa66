//! Trial: what the sandbox measured of one tree, and how two trees compare test by test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::behaviour::Behaviour;
use crate::diagnostic::Diagnostic;
use crate::id::TrialId;
use crate::names::CommitId;
use crate::noticed::Noticed;
use crate::time::Millis;

/// A test by package, target and name: `ledger/lib::tax::rounds_half_even`. For a doctest the name is the item and
/// its ordinal, never a line, so that a change above it does not make it another test.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TestId(pub String);

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It was not run.
    Ignored,
}

/// One test of one trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestResult {
    /// How it ended.
    pub outcome: TestOutcome,
    /// What it printed when it failed, shortened; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// The part of a trial that something happened in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Compiling the code and its tests.
    Build,
    /// Running the tests.
    Tests,
    /// Running the benchmark.
    Benchmark,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Build => "build",
            Self::Tests => "tests",
            Self::Benchmark => "benchmark",
        })
    }
}

/// How far a trial came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TrialOutcome {
    /// It built, and every test was run to its end.
    Ran,
    /// It did not build.
    BuildFailed {
        /// The compiler's errors; may be empty when a build script or the linker failed.
        errors: Vec<Diagnostic>,
        /// The last lines that the build printed.
        tail: String,
    },
    /// A limit ended it.
    LimitHit {
        /// In which part.
        stage: Stage,
        /// Which limit, such as `wall time 300 s`.
        limit: String,
    },
    /// It ended in a way that proves nothing: the harness died or its output does not add up.
    Unclear {
        /// In which part.
        stage: Stage,
        /// What was odd.
        why: String,
    },
}

/// A layer of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name, such as `user namespace` or `seccomp`; waivers use it.
    pub name: String,
    /// Whether it holds.
    pub state: LayerState,
    /// What that means, and the way to mend it when it does not hold.
    pub detail: String,
}

/// Whether a layer of the sandbox holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerState {
    /// It holds.
    Active,
    /// It holds less than it could.
    Weaker,
    /// It cannot be had here.
    Missing,
    /// It cannot be had, and a person said to go on without it.
    Waived,
}

/// What the sandbox measured of one tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialReport {
    /// The trial.
    pub id: TrialId,
    /// The commit whose tree was tried.
    pub commit: CommitId,
    /// How far it came.
    #[serde(flatten)]
    pub outcome: TrialOutcome,
    /// Every test, by id.
    pub tests: BTreeMap<TestId, TestResult>,
    /// How long tests took, where their harness tells when each ended; of several runs the shortest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub durations: BTreeMap<TestId, Millis>,
    /// The SHA-256 digest of each program of tests as it was built, before any of them ran, by target. Of programs that
    /// cargo built for this trial alone there is none: they were gone with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artefacts: BTreeMap<String, String>,
    /// Tests that gave different outcomes on the same tree: no evidence for anything.
    pub flaky: BTreeSet<TestId>,
    /// The benchmark's verdict against the base, when there is one.
    pub speed: Option<Speed>,
    /// How far tests notice what the changed functions do, when that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noticed: Option<Box<Noticed>>,
    /// Whether functions do the same before and after the change, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behaviour: Option<Box<Behaviour>>,
    /// The layers of the sandbox as they were.
    pub layers: Vec<Layer>,
    /// The compiler, as `rustc -vV` names it.
    pub toolchain: String,
    /// Wall time.
    pub wall: Millis,
    /// Processor time of everything that ran in the sandbox.
    pub cpu: Millis,
    /// The most memory that all its processes held at once, bytes.
    pub peak_memory: u64,
    /// How often something in it tried to reach a network, which it has none of.
    #[serde(default)]
    pub network_attempts: u32,
    /// It was ended at the first tests that were worse than on the base; the others were not run.
    #[serde(default)]
    pub stopped_early: bool,
    /// Targets that the change cannot reach: their tests were not run, and have the outcomes of the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreached: Vec<String>,
    /// Tests that stood in another file of the base, word for word, each with the id that it had there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<TestId, TestId>,
    /// The same with more features on, where what changes is behind some that are off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_features: Option<Box<WithFeatures>>,
}

/// A change, and the tree before it, with features on that are off otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithFeatures {
    /// The features, such as `shop/serde`.
    pub features: Vec<String>,
    /// The tree before the change.
    pub base: TrialReport,
    /// The tree after it.
    pub candidate: TrialReport,
}

impl WithFeatures {
    /// How the tests compare.
    #[must_use]
    pub fn comparison(&self) -> Comparison {
        Comparison::of(&self.base, &self.candidate)
    }

    /// The features in a sentence: "with the feature `shop/serde` on".
    #[must_use]
    pub fn on(&self) -> String {
        let (word, names) = (if self.features.len() == 1 { "feature" } else { "features" }, self.features.join("`, `"));
        format!("with the {word} `{names}` on")
    }
}

/// What a benchmark says about candidate against base, from interleaved runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    /// The verdict of the test.
    pub verdict: SpeedVerdict,
    /// The median of base time over candidate time, in thousandths: 2000 means twice as fast.
    pub ratio_milli: u64,
    /// Pairs measured.
    pub pairs: u32,
    /// What the verdict rests on, for a person.
    pub detail: String,
}

/// The four verdicts about a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeedVerdict {
    /// Faster, beyond the noise.
    Better,
    /// Slower, beyond the noise.
    Worse,
    /// The noise hides it.
    Inconclusive,
    /// Nothing could be measured.
    NoData,
}

impl TrialReport {
    /// How many tests passed, failed and were ignored; flaky ones count in none of them.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count =
            |wanted| self.tests.iter().filter(|(id, test)| test.outcome == wanted && !self.flaky.contains(*id)).count();
        (count(TestOutcome::Passed), count(TestOutcome::Failed), count(TestOutcome::Ignored))
    }

    /// This, and the same with more features on, with how to say which it is.
    pub fn with_and_without(&self) -> impl Iterator<Item = (String, &Self)> {
        let more = self.with_features.as_deref().map(|more| (more.on(), &more.candidate));
        std::iter::once((String::new(), self)).chain(more)
    }

    /// Whether the compiler makes the same of the code before and after the change, wherever it is seen.
    #[must_use]
    pub fn is_same_code(&self) -> bool {
        let is_same = |noticed: &Noticed| noticed.same_code;
        let more = self.with_features.as_deref().map(|more| more.candidate.is_same_code());
        self.noticed.as_deref().map_or(more == Some(true), |noticed| is_same(noticed) && more != Some(false))
    }

    /// Tests that failed every time.
    pub fn failing(&self) -> impl Iterator<Item = (&TestId, &TestResult)> {
        self.tests.iter().filter(|(id, test)| test.outcome == TestOutcome::Failed && !self.flaky.contains(*id))
    }
}

/// How a candidate's tests compare with its base's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Passed on the base, fails now.
    pub broken: Vec<TestId>,
    /// Passed on the base, gone now.
    pub missing: Vec<TestId>,
    /// Passed on the base, ignored now.
    pub silenced: Vec<TestId>,
    /// Failed on the base, passes now.
    pub repaired: Vec<TestId>,
    /// Failed on the base, still fails.
    pub still_failing: Vec<TestId>,
    /// Not there on the base.
    pub added: Vec<TestId>,
    /// New and failing.
    pub added_failing: Vec<TestId>,
    /// Passes on both.
    pub held: usize,
    /// Passed on the base, but flaky on one of the sides: no evidence.
    pub flaky: Vec<TestId>,
}

impl Comparison {
    /// Compares test by test. Tests that are flaky on either side are set aside.
    #[must_use]
    pub fn of(base: &TrialReport, candidate: &TrialReport) -> Self {
        use TestOutcome::{Failed, Ignored, Passed};
        let mut result = Self::default();
        let places: BTreeMap<&TestId, &TestId> = candidate.moved.iter().map(|(now, was)| (was, now)).collect();
        let flaky =
            |id: &TestId| base.flaky.contains(id) || candidate.flaky.contains(places.get(id).copied().unwrap_or(id));
        for (id, before) in &base.tests {
            let now = candidate.tests.get(places.get(id).copied().unwrap_or(id));
            let after = now.map(|test| test.outcome);
            let list = match (before.outcome, after) {
                (Passed | Failed, Some(Passed | Failed)) if flaky(id) => &mut result.flaky,
                (Passed, Some(Passed)) => {
                    result.held += 1;
                    continue;
                }
                (Passed, Some(Failed)) => &mut result.broken,
                (Passed | Failed, Some(Ignored)) => &mut result.silenced,
                (Passed | Failed, None) => &mut result.missing,
                (Failed, Some(Passed)) => &mut result.repaired,
                (Failed, Some(Failed)) => &mut result.still_failing,
                (Ignored, _) => continue,
            };
            list.push(id.clone());
        }
        for (id, after) in &candidate.tests {
            if !base.tests.contains_key(id) && !candidate.moved.contains_key(id) {
                result.added.push(id.clone());
                if after.outcome == Failed {
                    result.added_failing.push(id.clone());
                }
            }
        }
        result
    }
}
