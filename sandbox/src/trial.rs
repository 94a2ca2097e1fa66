//! The trial: build and run every test of a tree, twice where one run is not evidence, and report test by test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kaizen_domain::{
    CommitId, Diagnostic, Level, Millis, Stage, TestId, TestOutcome, TestResult, TrialId, TrialOutcome, TrialReport,
};

use crate::base::WarmBase;
use crate::cargo_json::{Artifacts, diagnostic};
use crate::harness::HarnessParser;
use crate::isolation::{Cancel, Exit, LimitKind, TreeChange};
use crate::progress::Progress;
use crate::runner::{Call, Runner, TrialError, Watcher};

/// How many compiler errors a report keeps.
const ERRORS_KEPT: usize = 20;
/// How many of the last lines of a build are kept.
const TAIL_KEPT: usize = 20;

/// What one run of cargo gave, or several on the same tree.
struct Run {
    outcome: TrialOutcome,
    tests: BTreeMap<TestId, TestResult>,
    flaky: BTreeSet<TestId>,
    wall: Duration,
    cpu: Duration,
    peak_memory: u64,
}

impl Run {
    /// Adds another run on the same tree: what differs is flaky, what is not there in both is no evidence either.
    fn add(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
        self.peak_memory = self.peak_memory.max(other.peak_memory);
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
        self.flaky.extend(other.flaky);
    }
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
        let mut total =
            self.cargo_test(base, &["--no-run"], changes.to_vec(), warm, cancel, &mut Watcher::new(0, on))?;
        let mut runs = 0;
        while total.outcome == TrialOutcome::Ran && runs < self.settings.base_runs.max(1) {
            let of = total.tests.len();
            let run = self.cargo_test(base, &[], changes.to_vec(), false, cancel, &mut Watcher::new(of, on))?;
            runs += 1;
            if runs == 1 {
                let (wall, cpu) = (total.wall, total.cpu);
                total = run;
                total.wall += wall;
                total.cpu += cpu;
            } else {
                total.add(run);
            }
        }
        Ok(self.report(id, commit, total))
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
        let of = tried.against.tests.len();
        let mut run =
            self.cargo_test(tried.base, &[], tried.changes.to_vec(), false, cancel, &mut Watcher::new(of, on))?;
        let worse = run.tests.iter().any(|(id, test)| {
            let before = tried.against.tests.get(id).map(|test| test.outcome);
            test.outcome == TestOutcome::Failed
                && before == Some(TestOutcome::Passed)
                && !tried.against.flaky.contains(id)
        });
        if tried.confirm && run.outcome == TrialOutcome::Ran && worse {
            run.add(self.cargo_test(
                tried.base,
                &[],
                tried.changes.to_vec(),
                false,
                cancel,
                &mut Watcher::new(of, on),
            )?);
        }
        Ok(self.report(tried.id, tried.commit, run))
    }

    fn report(&self, id: TrialId, commit: &CommitId, run: Run) -> TrialReport {
        TrialReport {
            id,
            commit: commit.clone(),
            outcome: run.outcome,
            tests: run.tests,
            flaky: run.flaky,
            speed: None,
            layers: self.layers().to_vec(),
            toolchain: self.toolchain.title().to_owned(),
            wall: Millis::from_duration(run.wall),
            cpu: Millis::from_duration(run.cpu),
            peak_memory: run.peak_memory,
        }
    }

    fn cargo_test(
        &self,
        base: &WarmBase,
        more: &[&str],
        changes: Vec<TreeChange>,
        warm: bool,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Run, TrialError> {
        let fixed = ["test", "--workspace", "--offline", "--no-fail-fast", "--message-format=json"];
        let limits = &self.settings.limits;
        let call = Call {
            program: "/toolchain/bin/cargo",
            args: fixed.iter().chain(more).map(Into::into).collect(),
            changes,
            warm,
            merge_output: true,
            wall: if warm { self.settings.build_wall } else { limits.wall },
        };
        let mut reader = Reader::new(&base.folder);
        let done = self.call(base, call, cancel, &mut |line| {
            watcher.line(line);
            reader.line(line);
        })?;
        let (outcome, tests) = reader.finish(&done.exit);
        let (wall, cpu, peak_memory) = (done.wall, done.cpu, done.peak_memory);
        Ok(Run { outcome, tests, flaky: BTreeSet::new(), wall, cpu, peak_memory })
    }
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

/// Splits cargo's output into what belongs to the build and what belongs to the tests. Cargo prints every artifact
/// before the first test program starts, so nothing a test prints is taken for an artifact.
struct Reader<'a> {
    folder: &'a str,
    artifacts: Artifacts,
    errors: Vec<Diagnostic>,
    tail: Vec<String>,
    /// Lines from the first test program on, kept until the artifacts are known.
    tests: Vec<String>,
    built: Option<bool>,
}

impl<'a> Reader<'a> {
    fn new(folder: &'a str) -> Self {
        Self {
            folder,
            artifacts: Artifacts::default(),
            errors: Vec::new(),
            tail: Vec::new(),
            tests: Vec::new(),
            built: None,
        }
    }

    fn line(&mut self, line: &str) {
        if self.built == Some(true) {
            self.tests.push(line.to_owned());
            return;
        }
        if line.starts_with("{\"reason\":\"build-finished\"") {
            self.built = Some(line.contains("\"success\":true"));
            return;
        }
        self.artifacts.line(line);
        if let Some(found) = diagnostic(line, self.folder) {
            if found.level == Level::Error && self.errors.len() < ERRORS_KEPT && !self.errors.contains(&found) {
                self.errors.push(found);
            }
        } else if !line.starts_with('{') {
            self.tail.push(line.to_owned());
            if self.tail.len() > TAIL_KEPT {
                self.tail.remove(0);
            }
        }
    }

    fn finish(self, exit: &Exit) -> (TrialOutcome, BTreeMap<TestId, TestResult>) {
        let stage = if self.built == Some(true) { Stage::Tests } else { Stage::Build };
        if let Exit::Limit(limit @ LimitKind::MachineMemory(_)) = exit {
            let why = format!("the machine ran out of memory ({limit}), whoever took it");
            return (TrialOutcome::Unclear { stage, why }, BTreeMap::new());
        }
        if let Exit::Limit(limit) = exit {
            return (TrialOutcome::LimitHit { stage, limit: limit.to_string() }, BTreeMap::new());
        }
        if self.built != Some(true) {
            return (TrialOutcome::BuildFailed { errors: self.errors, tail: self.tail.join("\n") }, BTreeMap::new());
        }
        let mut parser = HarnessParser::new(&self.artifacts);
        for line in &self.tests {
            parser.line(line);
        }
        let run = parser.finish();
        let failed = run.tests.values().any(|test| test.outcome == TestOutcome::Failed);
        let why = match (exit, run.odd) {
            (_, Some(odd)) => Some(odd),
            (Exit::Code(0), None) if failed => Some("cargo says that all is well, but a test failed".to_owned()),
            (Exit::Code(0), None) => None,
            (Exit::Code(_), None) if failed => None,
            (Exit::Code(code), None) => {
                let last = self.tests.iter().rev().find(|line| !line.trim().is_empty()).cloned().unwrap_or_default();
                Some(format!("cargo ended with exit code {code}, but no test failed: {last}"))
            }
            (other, None) => Some(format!("cargo ended by {other}")),
        };
        match why {
            None => (TrialOutcome::Ran, run.tests),
            Some(why) => (TrialOutcome::Unclear { stage, why }, run.tests),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(lines: &[&str], exit: &Exit) -> (TrialOutcome, usize) {
        let mut reader = Reader::new("");
        for line in lines {
            reader.line(line);
        }
        let (outcome, tests) = reader.finish(exit);
        (outcome, tests.len())
    }

    const ARTIFACT: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///repo#a@0.1.0","target":{"kind":["lib"],"name":"a"},"executable":"/repo/target/debug/deps/a-1"}"#;
    const BUILT: &str = r#"{"reason":"build-finished","success":true}"#;

    #[test]
    fn the_exit_code_and_the_harness_must_agree() {
        let run = |result: &str, exit| {
            let word = if result == "ok" { "ok. 1 passed; 0 failed" } else { "FAILED. 0 passed; 1 failed" };
            let summary = format!("test result: {word}; 0 ignored; 0 measured");
            let test = format!("test t ... {result}");
            finish(
                &[
                    ARTIFACT,
                    BUILT,
                    "     Running unittests src/lib.rs (target/debug/deps/a-1)",
                    "running 1 test",
                    &test,
                    &summary,
                ],
                &exit,
            )
            .0
        };
        assert_eq!(run("ok", Exit::Code(0)), TrialOutcome::Ran);
        assert_eq!(run("FAILED", Exit::Code(101)), TrialOutcome::Ran);
        assert!(matches!(run("FAILED", Exit::Code(0)), TrialOutcome::Unclear { .. }));
        assert!(matches!(run("ok", Exit::Code(101)), TrialOutcome::Unclear { .. }));
    }

    #[test]
    fn a_build_that_does_not_finish_is_a_failed_build() {
        let (outcome, _) = finish(&[ARTIFACT, "error: could not compile `a`"], &Exit::Code(101));
        assert!(matches!(outcome, TrialOutcome::BuildFailed { tail, .. } if tail.contains("could not compile")));
    }

    #[test]
    fn a_test_cannot_announce_artifacts() {
        let forged = ARTIFACT.replace("a-1", "evil-1");
        let (_, tests) = finish(
            &[
                ARTIFACT,
                BUILT,
                &forged,
                "     Running unittests src/lib.rs (target/debug/deps/evil-1)",
                "running 1 test",
                "test t ... ok",
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured",
            ],
            &Exit::Code(0),
        );
        assert_eq!(tests, 0);
    }
}
