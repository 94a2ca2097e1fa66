//! What a run of `cargo test` amounts to: its messages about the build, then the lines of the test programs, then its
//! exit code, which must agree with them.

use std::time::Instant;

use kaizen_domain::{Diagnostic, Level, Stage, TestOutcome, TrialOutcome};

use crate::cargo_json::{Artifacts, diagnostic};
use crate::harness::{HarnessParser, HarnessRun};
use crate::isolation::{Exit, LimitKind};

/// How many compiler errors a report keeps.
const ERRORS_KEPT: usize = 20;
/// How many of the last lines of a build are kept.
const TAIL_KEPT: usize = 20;

/// What a limit that was reached says about a trial, when one was.
pub(crate) fn ended_by_limit(exit: &Exit, stage: Stage) -> Option<TrialOutcome> {
    match exit {
        Exit::Limit(limit @ LimitKind::MachineMemory(_)) => {
            let why = format!("the machine ran out of memory ({limit}), whoever took it");
            Some(TrialOutcome::Unclear { stage, why })
        }
        Exit::Limit(limit) => Some(TrialOutcome::LimitHit { stage, limit: limit.to_string() }),
        _ => None,
    }
}

/// What is kept of a build: its errors, each once, and the end of what else it printed.
#[derive(Default)]
pub(crate) struct BuildLog {
    errors: Vec<Diagnostic>,
    tail: Vec<String>,
}

impl BuildLog {
    /// Takes a line in the form that cargo gives it.
    pub(crate) fn line(&mut self, line: &str, folder: &str) {
        if let Some(found) = diagnostic(line, folder) {
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

    /// The outcome of a build that failed.
    pub(crate) fn failed(self) -> TrialOutcome {
        TrialOutcome::BuildFailed { errors: self.errors, tail: self.tail.join("\n") }
    }
}

/// Splits cargo's output into what belongs to the build and what belongs to the tests. Cargo prints every artifact
/// before the first test program starts, so nothing a test prints is taken for an artifact.
pub(crate) struct Reader<'a> {
    folder: &'a str,
    pub(crate) artifacts: Artifacts,
    build: BuildLog,
    /// Reads the lines from the first test program on; there once everything is built.
    tests: Option<HarnessParser>,
    /// The last line of those that says anything.
    last: String,
    begun: Instant,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(folder: &'a str) -> Self {
        Self {
            folder,
            artifacts: Artifacts::default(),
            build: BuildLog::default(),
            tests: None,
            last: String::new(),
            begun: Instant::now(),
        }
    }

    pub(crate) fn line(&mut self, line: &str) {
        if let Some(tests) = &mut self.tests {
            tests.line(line, self.begun.elapsed());
            if !line.trim().is_empty() {
                line.clone_into(&mut self.last);
            }
            return;
        }
        if line.starts_with("{\"reason\":\"build-finished\"") {
            self.tests = line.contains("\"success\":true").then(|| HarnessParser::new(&self.artifacts));
            return;
        }
        self.artifacts.line(line);
        self.build.line(line, self.folder);
    }

    pub(crate) fn finish(self, exit: &Exit) -> (TrialOutcome, HarnessRun) {
        let stage = if self.tests.is_some() { Stage::Tests } else { Stage::Build };
        if let Some(outcome) = ended_by_limit(exit, stage) {
            return (outcome, HarnessRun::default());
        }
        let Some(tests) = self.tests else { return (self.build.failed(), HarnessRun::default()) };
        let mut run = tests.finish();
        let failed = run.tests.values().any(|test| test.outcome == TestOutcome::Failed);
        let why = match (exit, run.odd.take()) {
            (_, Some(odd)) => Some(odd),
            (Exit::Code(0), None) if failed => Some("cargo says that all is well, but a test failed".to_owned()),
            (Exit::Code(0), None) => None,
            (Exit::Code(_), None) if failed => None,
            (Exit::Code(code), None) => {
                Some(format!("cargo ended with exit code {code}, but no test failed: {}", self.last))
            }
            (other, None) => Some(format!("cargo ended by {other}")),
        };
        match why {
            None => (TrialOutcome::Ran, run),
            Some(why) => (TrialOutcome::Unclear { stage, why }, run),
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
        let (outcome, run) = reader.finish(exit);
        (outcome, run.tests.len())
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
