//! The trial: build and run every test of a tree, twice where one run is not evidence, and report test by test.

mod by_nextest;
mod proof;
mod run;

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use kaizen_domain::{CommitId, Millis, TestOutcome, TrialId, TrialOutcome, TrialReport};

use crate::base::WarmBase;
use crate::cargo_json::Artifacts;
use crate::cargo_output::Reader;
use crate::direct::{Direct, Noted, Order, Work};
use crate::isolation::{Cancel, TreeChange, free_space};
use crate::progress::Progress;
use crate::runner::{Call, Runner, TrialError, Watcher};
use run::{Run, run_of};

/// How cargo is called for tests.
const TEST: [&str; 4] = ["test", "--workspace", "--offline", "--no-fail-fast"];
/// A program of tests that is larger, bytes, has no digest in the report.
const LARGEST_PROGRAM: u64 = 1 << 30;
/// With less than this free on a disk, bytes, a build on it that failed has failed for that.
const ROOM_TO_BUILD: u64 = 16 << 20;

/// A call of `cargo test`.
struct Cargo<'a> {
    more: &'a [&'a str],
    changes: &'a [TreeChange],
    /// What is built stays.
    warm: bool,
    /// How it calls the compiler is noted down here.
    notes: Option<&'a mut Noted>,
}

impl Runner {
    /// Tries a tree that nothing is compared with: builds it, so that what is built stays for every later trial when it
    /// is the warm base itself, then runs the tests, by default twice, in copies that vanish. Tests that differ between
    /// runs are flaky.
    ///
    /// # Errors
    /// When the sandbox cannot run it. A base that does not build is a result.
    pub fn try_base(
        &self,
        base: &WarmBase,
        id: TrialId,
        commit: &CommitId,
        changes: &[TreeChange],
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<TrialReport, TrialError> {
        let warm = changes.is_empty();
        let mut noted =
            if warm && Direct::load(base).is_none() { Some(Noted::new(base, &self.toolchain)?) } else { None };
        let mut total = self.cargo_test(
            base,
            Cargo { more: &["--no-run"], changes, warm, notes: noted.as_mut() },
            cancel,
            &mut Watcher::new(0, on),
        )?;
        if warm && matches!(total.outcome, TrialOutcome::BuildFailed { .. }) {
            self.check_room(base)?;
        }
        let mut direct = None;
        if let Some(noted) = noted.as_mut().filter(|_| total.outcome == TrialOutcome::Ran) {
            Direct::forget(base);
            let docs = Cargo { more: &["--doc"], changes, warm, notes: Some(noted) };
            total.used(&self.cargo_test(base, docs, cancel, &mut Watcher::new(0, on))?);
            direct = Direct::noted(base, noted);
        }
        drop(noted);
        let mut runs = 0;
        while total.outcome == TrialOutcome::Ran && runs < self.settings.base_runs.max(1) {
            let of = total.tests.len();
            let mut watcher = Watcher::new(of, on);
            // A run without cargo shows as much as one with it, and shows that it can be done.
            if runs > 0
                && let Some(direct) = direct.take()
                && let Some(run) = self.prove(base, direct, &total, cancel, &mut watcher)?
            {
                total.add(run);
                runs += 1;
                continue;
            }
            let cargo = Cargo { more: &[], changes, warm: false, notes: None };
            let mut run = self.cargo_test(base, cargo, cancel, &mut watcher)?;
            runs += 1;
            if runs == 1 {
                run.used(&total);
                run.digests = std::mem::take(&mut total.digests);
                total = run;
            } else {
                total.add(run);
            }
        }
        Ok(self.report(base, id, commit, total))
    }

    /// A compiler that has no room to write to says so in many ways, none of which is a word about the code.
    fn check_room(&self, base: &WarmBase) -> Result<(), TrialError> {
        let folder = base.target_dir();
        match free_space(&folder) {
            Some(free) if free < ROOM_TO_BUILD => {
                let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
                Err(TrialError::Io { what: "building in", path: folder, source })
            }
            _ => Ok(()),
        }
    }

    /// Tries a changed tree against the report of its base. When tests fail that passed on the base, all are run once
    /// more where the trial is to confirm it: what then passes is flaky, not broken.
    ///
    /// # Errors
    /// When the sandbox cannot run it. A tree that does not build is a result.
    pub fn try_tree(
        &self,
        tried: &Tried<'_>,
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<TrialReport, TrialError> {
        self.try_tree_timed(tried, cancel, on).map(|(report, _)| report)
    }

    /// The same, and how long on the clock cargo, the compiler or tests were at work. What is left of the call is
    /// Kaizen's own share.
    ///
    /// # Errors
    /// As for the other.
    pub fn try_tree_timed(
        &self,
        tried: &Tried<'_>,
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<(TrialReport, Duration), TrialError> {
        let of = tried.against.tests.len();
        let mut watcher = Watcher::new(of, on);
        let cargo = || Cargo { more: &[], changes: tried.changes, warm: false, notes: None };
        let mut run = match self.without_cargo(tried, cancel, &mut watcher)? {
            Ok(run) => run,
            Err(in_vain) => {
                let mut run = self.cargo_test(tried.base, cargo(), cancel, &mut watcher)?;
                run.working += in_vain;
                run
            }
        };
        let worse = run.tests.iter().any(|(id, test)| {
            let before = tried.against.tests.get(id).map(|test| test.outcome);
            test.outcome == TestOutcome::Failed
                && before == Some(TestOutcome::Passed)
                && !tried.against.flaky.contains(id)
        });
        if tried.confirm && run.outcome == TrialOutcome::Ran && worse {
            run.add(self.cargo_test(tried.base, cargo(), cancel, &mut Watcher::new(of, on))?);
        }
        let working = run.working;
        Ok((self.report(tried.base, tried.id, tried.commit, run), working))
    }

    /// Tries a change without cargo, where that was shown to be as good. What it cannot tell is left to cargo, and so is
    /// the last word about what does not build; then it says how long it was at work in vain.
    fn without_cargo(
        &self,
        tried: &Tried<'_>,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Result<Run, Duration>, TrialError> {
        let Some(direct) = self.remembered.of(tried.base) else { return Ok(Err(Duration::ZERO)) };
        let mut screened = None;
        // A swap screens candidates. What is to be confirmed is tried the way in which it is going to be built.
        if !tried.confirm
            && let Some(swap) = direct.swap()
        {
            match swap.work(tried.base, tried.changes, Some(tried.against)) {
                Ok(work) => {
                    let run = self.run_work(tried, &work, cancel, watcher)?;
                    if run.is_settled() {
                        return Ok(Ok(run));
                    }
                    tracing::debug!(outcome = ?run.outcome, "this change does without the swap");
                    screened = Some(run);
                }
                Err(why) => tracing::debug!(why, "this change does without the swap"),
            }
        }
        let work = match direct.work(tried.base, tried.changes) {
            Ok(work) => work,
            Err(why) => {
                tracing::debug!(why, "this change goes through cargo");
                return Ok(Err(Duration::ZERO));
            }
        };
        let mut run = self.run_work(tried, &work, cancel, watcher)?;
        if let Some(screened) = &screened {
            run.used(screened);
        }
        let to_cargo = match &run.outcome {
            TrialOutcome::Unclear { .. } => true,
            TrialOutcome::BuildFailed { .. } => tried.confirm,
            TrialOutcome::Ran | TrialOutcome::LimitHit { .. } => false,
        };
        Ok(if to_cargo { Err(run.working) } else { Ok(run) })
    }

    fn run_work(
        &self,
        tried: &Tried<'_>,
        work: &Work<'_>,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Run, TrialError> {
        let order = Order { changes: tried.changes, against: Some(tried.against), stop_early: !tried.confirm };
        Ok(run_of(self.try_direct(tried.base, work, &order, cancel, watcher)?, &work.reach))
    }

    fn report(&self, base: &WarmBase, id: TrialId, commit: &CommitId, run: Run) -> TrialReport {
        let by = if self.toolchain.nextest.is_some() && base.uses_nextest() { "; tests by cargo-nextest" } else { "" };
        TrialReport {
            id,
            commit: commit.clone(),
            outcome: run.outcome,
            tests: run.tests,
            durations: run.durations.into_iter().map(|(id, took)| (id, Millis::from_duration(took))).collect(),
            artefacts: run.digests,
            flaky: run.flaky,
            speed: None,
            noticed: None,
            behaviour: None,
            layers: self.layers().to_vec(),
            toolchain: format!("{}{by}{}", self.toolchain.title(), base.features.said()),
            wall: Millis::from_duration(run.wall),
            cpu: Millis::from_duration(run.cpu),
            peak_memory: run.peak_memory,
            network_attempts: run.network_attempts,
            stopped_early: run.stopped_early,
            unreached: run.unreached,
            moved: BTreeMap::new(),
            with_features: None,
        }
    }

    /// Calls cargo, and once more when it failed before any compiler had a word to say: somebody else's cargo may have
    /// been at work on the shared registry just then.
    fn cargo_test(
        &self,
        base: &WarmBase,
        mut cargo: Cargo<'_>,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Run, TrialError> {
        let run = self.cargo_test_once(base, &mut cargo, cancel, watcher)?;
        match &run.outcome {
            TrialOutcome::BuildFailed { errors, .. } if errors.is_empty() => {
                let mut again = self.cargo_test_once(base, &mut cargo, cancel, watcher)?;
                again.used(&run);
                Ok(again)
            }
            _ => Ok(run),
        }
    }

    fn cargo_test_once(
        &self,
        base: &WarmBase,
        cargo: &mut Cargo<'_>,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Run, TrialError> {
        if let Some(run) = self.by_nextest(base, cargo, cancel, watcher)? {
            return Ok(run);
        }
        let limits = &self.settings.limits;
        let mut env = Vec::new();
        if cargo.notes.is_some() {
            for (name, program) in [("RUSTC_WRAPPER", "rustc"), ("RUSTDOC", "rustdoc")] {
                env.push((name.into(), base.notes_inside().join(program).into()));
            }
        }
        let call = Call {
            program: self.toolchain.program("cargo"),
            args: TEST.iter().chain(&["--message-format=json"]).chain(cargo.more).map(Into::into).collect(),
            changes: cargo.changes.to_vec(),
            warm: cargo.warm,
            merge_output: true,
            forget_output: true,
            wall: if cargo.warm { self.settings.build_wall } else { limits.wall },
            env,
            notes: cargo.notes.as_ref().map(|notes| notes.dir.clone()),
            ..Call::default()
        };
        let mut reader = Reader::new(&base.folder);
        let done = self.call(base, call, cancel, &mut |line| {
            watcher.line(line);
            reader.line(line);
        })?;
        if let Some(notes) = cargo.notes.as_mut() {
            notes.artifacts.extend(&reader.artifacts);
        }
        // What stays can be looked at from outside, before a test has run.
        let digests = if cargo.warm { digests(base, &reader.artifacts) } else { BTreeMap::new() };
        let (outcome, said) = reader.finish(&done.exit);
        Ok(Run { digests, ..Run::of(outcome, said, &done) })
    }
}

/// The digests of programs of tests that were built into the base's target folder.
fn digests(base: &WarmBase, artifacts: &Artifacts) -> BTreeMap<String, String> {
    let dir = if base.folder.is_empty() { String::new() } else { format!("{}/", base.folder) };
    let digest = |(file, target): (&str, &str)| {
        let bytes = base.read_plain(format!("{dir}target/debug/deps/{file}"), LARGEST_PROGRAM)?;
        Some((target.to_owned(), hex::encode(Sha256::digest(bytes))))
    };
    artifacts.test_programs().filter_map(digest).collect()
}

/// What is tried.
pub struct Tried<'a> {
    /// The warm base.
    pub base: &'a WarmBase,
    /// The trial's id.
    pub id: TrialId,
    /// The commit whose tree it is.
    pub commit: &'a CommitId,
    /// What differs from the warm base.
    pub changes: &'a [TreeChange],
    /// What the tests gave before.
    pub against: &'a TrialReport,
    /// Whether tests that fail though they passed before are run once more. A search among many suggestions does
    /// without: it confirms what it says about each of them in the end.
    pub confirm: bool,
}
