//! The direct way to try a change: the compiler and the tests are called as cargo called them on the base, without cargo,
//! and only for what the change can reach. It is several times faster and means the same, which every base shows before
//! it is used: the same tests with the same outcomes as cargo's own run, and a broken change that must not build.
//!
//! It takes changes of plain sources only. Whatever could change what cargo would do (manifests, build scripts, new
//! targets, settings) goes through cargo.

mod at_work;
mod bodies;
mod calls;
mod history;
mod in_turn;
mod kept;
mod narrowed;
mod prepare;
mod reach;
mod reader;
mod remembered;
mod script;
mod shell;
mod swap;
mod symbols;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use kaizen_domain::{RelPath, TestId, TestOutcome, TestResult, TrialReport};
use serde::{Deserialize, Serialize};

pub(crate) use calls::Noted;
use history::History;
use kept::KeptDoc;
pub(crate) use reach::Reach;
pub(crate) use reader::{Outcome, Reader};
pub(crate) use remembered::Remembered;
pub(crate) use swap::Swap;

use crate::admission::Admission;
use crate::base::WarmBase;
use crate::isolation::{Cancel, Finished, TreeChange};
use crate::runner::{Call, Runner, TrialError, Watcher};
use calls::Calls;
use script::{At, Script};

/// From how many tests in docs on they are compiled as one program: that takes as long as about five of them one by one,
/// two at a time (0.42 s against 0.19 s for the two of itoa 1.0.11).
const MERGED_FROM: usize = 6;

/// What is known of a base for trying changes without cargo, on disk beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Direct {
    /// The commit that it was noted down for.
    commit: String,
    calls: Calls,
    /// It gave what cargo gave on this base.
    proven: bool,
    /// The second set, where that was shown to give the same as well.
    #[serde(default)]
    swap: Option<Swap>,
    /// Whether it was tried to have one.
    #[serde(default)]
    swap_tried: bool,
}

/// What there is to do for a change.
pub(crate) struct Work<'a> {
    pub(crate) calls: &'a Calls,
    pub(crate) reach: Reach,
    /// Units whose programs are taken as they are on the base.
    kept: BTreeSet<usize>,
    /// Tests in docs that are run as they are on the base.
    docs: BTreeMap<usize, &'a KeptDoc>,
    /// Programs to put in the places of others.
    links: &'a [(String, String)],
}

/// How a change is tried.
pub(crate) struct Order<'a> {
    pub(crate) changes: &'a [TreeChange],
    /// What the tests gave on the base; none while the base itself is shown.
    pub(crate) against: Option<&'a TrialReport>,
    /// Stop at the first program whose tests are worse than on the base.
    pub(crate) stop_early: bool,
}

/// What the direct way gave.
pub(crate) struct Tried {
    pub(crate) outcome: Outcome,
    pub(crate) durations: BTreeMap<TestId, std::time::Duration>,
    pub(crate) digests: BTreeMap<String, String>,
    pub(crate) wall: std::time::Duration,
    /// The part of it in which the compiler or tests were at work.
    pub(crate) working: std::time::Duration,
    pub(crate) cpu: std::time::Duration,
    pub(crate) peak_memory: u64,
    pub(crate) network_attempts: u32,
}

impl Direct {
    fn file(base: &WarmBase) -> PathBuf {
        base.dir().join("direct.json")
    }

    /// What was noted down while cargo built this base.
    pub(crate) fn noted(base: &WarmBase, noted: &Noted) -> Option<Self> {
        Some(Self {
            commit: base.identity(),
            calls: Calls::read(base, noted)?,
            proven: false,
            swap: None,
            swap_tried: false,
        })
    }

    /// What is known of this base, when it was proven.
    pub(crate) fn load(base: &WarmBase) -> Option<Self> {
        let known: Self = serde_json::from_slice(&std::fs::read(Self::file(base)).ok()?).ok()?;
        (known.proven && known.is_of(base)).then_some(known)
    }

    fn is_of(&self, base: &WarmBase) -> bool {
        self.commit == base.identity()
    }

    /// Keeps it: from now on it is used.
    pub(crate) fn keep(mut self, base: &WarmBase) -> Result<(), TrialError> {
        self.proven = true;
        let file = Self::file(base);
        let text = serde_json::to_vec(&self).unwrap_or_default();
        let draft = file.with_extension("new");
        std::fs::write(&draft, text).map_err(TrialError::io("writing", &draft))?;
        std::fs::rename(&draft, &file).map_err(TrialError::io("writing", &file))
    }

    /// Forgets what is known of a base.
    pub(crate) fn forget(base: &WarmBase) {
        let _ = std::fs::remove_file(Self::file(base));
    }

    /// What a change makes to do; the reason when it has to go through cargo.
    pub(crate) fn work(&self, base: &WarmBase, changes: &[TreeChange]) -> Result<Work<'_>, &'static str> {
        let reach = Reach::of(&self.calls, base, changes)?;
        Ok(Work { calls: &self.calls, reach, kept: BTreeSet::new(), docs: BTreeMap::new(), links: &[] })
    }

    /// Whether a second set was built, or cannot be.
    pub(crate) fn is_ready_to_screen(&self) -> bool {
        self.swap_tried
    }

    /// The second set.
    pub(crate) fn swap(&self) -> Option<&Swap> {
        self.swap.as_ref()
    }

    /// Takes the second set in, or leaves it out.
    pub(crate) fn with_swap(self, swap: Option<Swap>) -> Self {
        Self { swap, swap_tried: true, ..self }
    }

    /// Changes that mean nothing, to every source that a crate begins with: all must be built again and give the same.
    pub(crate) fn idle_changes(&self, base: &WarmBase) -> Vec<TreeChange> {
        self.with_line_behind(base, "\n// .\n", |_| true)
    }

    /// The same to libraries alone: nothing else has to be built again where they are swapped.
    pub(crate) fn idle_libraries(&self, base: &WarmBase) -> Vec<TreeChange> {
        self.with_line_behind(base, "\n// .\n", |unit| unit.kind == calls::Kind::Library)
    }

    /// Changes that do not build.
    pub(crate) fn broken_changes(&self, base: &WarmBase) -> Vec<TreeChange> {
        self.with_line_behind(base, "\ncompile_error!(\"this must not build\");\n", |_| true)
    }

    fn with_line_behind(&self, base: &WarmBase, line: &str, of: impl Fn(&calls::Unit) -> bool) -> Vec<TreeChange> {
        let plain = self.calls.units.iter().filter(|unit| unit.kind != calls::Kind::Special && of(unit));
        let roots = plain.filter_map(|unit| base.below_tree(&unit.root()).map(str::to_owned));
        let roots: std::collections::BTreeSet<String> = roots.collect();
        let change = |root: String| {
            let path = RelPath::new(root).ok()?;
            let mut bytes = base.read_plain(path.as_str(), 16 << 20)?;
            bytes.extend_from_slice(line.as_bytes());
            Some(TreeChange::Write { path, bytes, executable: false })
        };
        roots.into_iter().filter_map(change).collect()
    }
}

impl Runner {
    /// Tries a change without cargo.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub(crate) fn try_direct(
        &self,
        base: &WarmBase,
        work: &Work<'_>,
        order: &Order<'_>,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Tried, TrialError> {
        let began = Instant::now();
        let passes = |target: &str| order.stop_early && order.against.is_some_and(|report| all_pass(report, target));
        let mut history = History::of(base);
        let alone = !Admission::of_this_machine().is_busy();
        let environment = self.toolchain.environment(base.places());
        let few = |target: &str| order.against.is_some_and(|report| of_target(report, target).count() < MERGED_FROM);
        let (toolchain, digests) = (&self.toolchain, !order.stop_early);
        let at = At { toolchain, environment: &environment, digests, alone, few: &few };
        let mut script = Script::of(work, at, &passes, &|target| history.caught(target));
        let batch = Some(std::mem::take(&mut script.batch));
        let mut reader = Reader::new(work.calls, &script, &base.folder);
        let call = Call {
            batch,
            changes: order.changes.to_vec(),
            merge_output: false,
            forget_output: true,
            wall: self.settings.limits.wall,
            ..Call::default()
        };
        let stop = cancel.below().map_err(TrialError::io("watching", &base.target_dir()))?;
        let mut worked = None;
        let done = self.call_streams(base, call, &stop, &mut |stream, line| {
            if line.starts_with(script.mark.as_str()) {
                tracing::trace!(at = ?began.elapsed(), ?stream, line);
            }
            if let Some(shown) = reader.line(stream, line) {
                watcher.line(&shown);
            }
            if reader.has_seen_enough() && !stop.is_cancelled() {
                worked.get_or_insert(reader.worked());
                stop.cancel();
            }
        })?;
        if cancel.is_cancelled() {
            return Err(TrialError::Cancelled);
        }
        tracing::trace!(at = ?began.elapsed(), inside = ?done.wall, "ended");
        let working = worked.unwrap_or_else(|| reader.worked());
        let mut outcome = reader.finish(&done.exit);
        match (&mut outcome, order.against) {
            (Outcome::Ran(tests), Some(against)) => carry_over(tests, against, &work.reach),
            (Outcome::Stopped(tests), Some(_)) => history.add(base, tests),
            _ => {}
        }
        let Finished { cpu, peak_memory, network_attempts, .. } = done;
        let (durations, digests) = (reader.durations(), reader.digests());
        Ok(Tried { outcome, durations, digests, wall: began.elapsed(), working, cpu, peak_memory, network_attempts })
    }
}

/// Whether a target has any test.
fn has_tests(report: &TrialReport, target: &str) -> bool {
    of_target(report, target).next().is_some()
}

/// Whether every test of a target passed on the base.
fn all_pass(report: &TrialReport, target: &str) -> bool {
    of_target(report, target).all(|(id, test)| test.outcome != TestOutcome::Failed && !report.flaky.contains(id))
}

fn of_target<'r>(report: &'r TrialReport, target: &'r str) -> impl Iterator<Item = (&'r TestId, &'r TestResult)> {
    report.tests.iter().filter(move |(id, _)| is_of(id, target))
}

/// Whether a test is one of a target.
pub(crate) fn is_of(id: &TestId, target: &str) -> bool {
    id.0.strip_prefix(target).is_some_and(|rest| rest.starts_with("::"))
}

/// Tests of targets that the change cannot reach gave on the base what they would give now.
fn carry_over(tests: &mut BTreeMap<TestId, TestResult>, against: &TrialReport, reach: &Reach) {
    for target in reach.untouched() {
        for (id, test) in of_target(against, target) {
            tests.entry(id.clone()).or_insert_with(|| test.clone());
        }
    }
}
