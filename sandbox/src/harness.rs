//! Reads what `cargo test --message-format=json` prints, stdout and stderr on one pipe, into results test by test.
//!
//! The text is untrusted: a test may print anything. Every count is checked against the harness's own summary, and
//! what does not add up makes the whole run unclear instead of good.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use kaizen_domain::{TestId, TestOutcome, TestResult};

use crate::cargo_json::Artifacts;
use crate::durations::durations;

/// How much of a failing test's output is kept, bytes.
pub(crate) const OUTPUT_KEPT: usize = 4_000;

/// Everything one run of the tests said.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HarnessRun {
    /// Every test by id.
    pub tests: BTreeMap<TestId, TestResult>,
    /// How long each took that was run by a harness.
    pub durations: BTreeMap<TestId, Duration>,
    /// Tests that passed only when they were tried again.
    pub flaky: BTreeSet<TestId>,
    /// Why the numbers do not add up, when they do not.
    pub odd: Option<String>,
}

/// Feeds on the output line by line.
pub struct HarnessParser {
    /// Names targets; none where the only one is known.
    artifacts: Option<Artifacts>,
    run: HarnessRun,
    section: Option<Section>,
}

/// One test binary, or the doctests of one crate.
struct Section {
    target: String,
    doctests: bool,
    /// Result lines seen since the last summary.
    seen: Vec<Seen>,
    /// Tests announced by `running N tests` and not yet summed up.
    announced: Option<usize>,
    /// When they were.
    announced_at: Duration,
    /// Whether any summary came.
    summed: bool,
    /// Whether cargo said that the target failed.
    failed: bool,
    results: Vec<Seen>,
    took: BTreeMap<String, Duration>,
    outputs: BTreeMap<String, String>,
    /// The test whose output is being read.
    reading: Option<String>,
}

/// A result line.
struct Seen {
    name: String,
    outcome: TestOutcome,
    at: Duration,
}

impl HarnessParser {
    /// A parser that names targets by the executables that cargo announced.
    #[must_use]
    pub fn new(artifacts: &Artifacts) -> Self {
        Self { artifacts: Some(artifacts.clone()), run: HarnessRun::default(), section: None }
    }

    /// A parser of what one test binary prints, or of the doctests of one crate.
    #[must_use]
    pub fn alone(target: String, doctests: bool) -> Self {
        Self { artifacts: None, run: HarnessRun::default(), section: Some(Section::new(target, doctests)) }
    }

    /// Takes one line, without its line end, and when it came. Returns the test that ended with it.
    pub fn line(&mut self, line: &str, at: Duration) -> Option<(String, TestOutcome)> {
        if let Some(target) = self.header(line) {
            self.close();
            self.section = Some(target);
            return None;
        }
        let section = self.section.as_mut()?;
        section.line(line, at, &mut self.run.odd)
    }

    fn header(&self, line: &str) -> Option<Section> {
        let artifacts = self.artifacts.as_ref()?;
        let text = line.trim_start();
        if line.len() == text.len() {
            return None; // cargo indents its status words; a test that prints the same must not open a section
        }
        if let Some(name) = text.strip_prefix("Doc-tests ") {
            return Some(Section::new(format!("{}/doc", artifacts.package_of_crate(name)), true));
        }
        let rest = text.strip_prefix("Running ")?;
        let executable = rest.strip_suffix(')')?.rsplit_once(" (")?.1;
        Some(Section::new(artifacts.target_of(executable)?, false))
    }

    fn close(&mut self) {
        if let Some(section) = self.section.take() {
            section.finish(&mut self.run);
        }
    }

    /// What the run amounts to.
    #[must_use]
    pub fn finish(mut self) -> HarnessRun {
        self.close();
        self.run
    }
}

impl Section {
    fn new(target: String, doctests: bool) -> Self {
        Self {
            target,
            doctests,
            seen: Vec::new(),
            announced: None,
            announced_at: Duration::ZERO,
            summed: false,
            failed: false,
            results: Vec::new(),
            took: BTreeMap::new(),
            outputs: BTreeMap::new(),
            reading: None,
        }
    }

    fn line(&mut self, line: &str, at: Duration, odd: &mut Option<String>) -> Option<(String, TestOutcome)> {
        if let Some(count) = announced(line) {
            self.announced = Some(count);
            self.announced_at = at;
            self.reading = None;
            return None;
        }
        if line.starts_with("error: test failed, to rerun pass")
            || line.starts_with("error: doctest failed, to rerun pass")
        {
            self.failed = true;
            self.reading = None;
            return None;
        }
        if let Some(counts) = summary(line) {
            self.sum_up(counts, odd);
            return None;
        }
        if self.announced.is_some()
            && self.reading.is_none()
            && let Some((name, outcome)) = result_line(line)
        {
            self.seen.push(Seen { name: name.clone(), outcome, at });
            return Some((name, outcome));
        }
        self.read_output(line);
        None
    }

    fn read_output(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.reading = Some(name.to_owned());
        } else if line == "failures:" {
            self.reading = None;
        } else if let Some(name) = &self.reading {
            let kept = self.outputs.entry(name.clone()).or_default();
            if kept.len() + line.len() < OUTPUT_KEPT {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }

    fn sum_up(&mut self, counts: [usize; 3], odd: &mut Option<String>) {
        let wanted = [TestOutcome::Passed, TestOutcome::Failed, TestOutcome::Ignored];
        let seen = wanted.map(|outcome| self.seen.iter().filter(|seen| seen.outcome == outcome).count());
        if seen != counts {
            odd.get_or_insert_with(|| {
                format!(
                    "{}: the harness counts {counts:?} passed, failed, ignored, its lines say {seen:?}",
                    self.target
                )
            });
        }
        let ended: Vec<(&str, Duration)> = self.seen.iter().map(|seen| (seen.name.as_str(), seen.at)).collect();
        let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let took = durations(&ended, self.announced_at, at_once);
        self.took.extend(took.into_iter().map(|(name, took)| (name.to_owned(), took)));
        self.results.append(&mut self.seen);
        self.announced = None;
        self.reading = None;
        self.summed = true;
    }

    fn finish(mut self, run: &mut HarnessRun) {
        // The process died between its announcement and its summary, or has no harness and failed.
        let died = self.announced.is_some() || (self.failed && !self.summed);
        let whole = !self.summed && self.announced.is_none();
        self.results.append(&mut self.seen);
        if died || whole {
            let outcome = if self.failed || died { TestOutcome::Failed } else { TestOutcome::Passed };
            let id = TestId(format!("{}::(whole program)", self.target));
            run.tests.insert(id, TestResult { outcome, output: String::new() });
        }
        let names = if self.doctests {
            stable_names(&self.results)
        } else {
            self.results.iter().map(|seen| seen.name.clone()).collect()
        };
        for (Seen { name: raw, outcome, .. }, name) in self.results.iter().zip(names) {
            let output = if *outcome == TestOutcome::Failed {
                self.outputs.remove(raw).unwrap_or_default()
            } else {
                String::new()
            };
            let id = TestId(format!("{}::{name}", self.target));
            if let Some(took) = self.took.get(raw).filter(|_| *outcome != TestOutcome::Ignored) {
                run.durations.insert(id.clone(), *took);
            }
            run.tests.insert(id, TestResult { outcome: *outcome, output });
        }
    }
}

fn announced(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("running ")?;
    let (count, noun) = rest.split_once(' ')?;
    (noun == "tests" || noun == "test").then(|| count.parse().ok())?
}

/// `test result: ok. 3 passed; 1 failed; 1 ignored; 0 measured; ..` as passed, failed, ignored.
fn summary(line: &str) -> Option<[usize; 3]> {
    let rest = line.strip_prefix("test result: ")?;
    let counts = rest.strip_prefix("ok. ").or_else(|| rest.strip_prefix("FAILED. "))?;
    let mut parts = counts.split("; ");
    let mut take = |word: &str| parts.next()?.strip_suffix(word)?.trim().parse().ok();
    Some([take("passed")?, take("failed")?, take("ignored")?])
}

/// `test NAME ... ok`, also behind text that a test printed without a line end.
pub(crate) fn result_line(line: &str) -> Option<(String, TestOutcome)> {
    let (before, outcome) = line.rsplit_once(" ... ")?;
    let outcome = match outcome.trim_end() {
        "ok" => TestOutcome::Passed,
        "FAILED" => TestOutcome::Failed,
        text if text == "ignored" || text.starts_with("ignored, ") => TestOutcome::Ignored,
        _ => return None,
    };
    let name = match before.strip_prefix("test ") {
        Some(name) => name,
        None => before.rsplit_once("test ")?.1,
    };
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    (!name.is_empty()).then(|| (name.to_owned(), outcome))
}

/// Doctests are named by line: `src/lib.rs - f (line 12)`. The line moves with every change above it, so the name
/// becomes the item and the ordinal of the test within it, counted by line.
fn stable_names(results: &[Seen]) -> Vec<String> {
    let split: Vec<(String, u64)> = results.iter().map(|seen| without_line(&seen.name)).collect();
    split
        .iter()
        .map(|(item, line)| {
            let ordinal = split.iter().filter(|(other, at)| other == item && at < line).count() + 1;
            format!("{item} #{ordinal}")
        })
        .collect()
}

fn without_line(name: &str) -> (String, u64) {
    if let Some((before, rest)) = name.rsplit_once(" (line ")
        && let Some((line, after)) = rest.split_once(')')
        && let Ok(line) = line.parse()
    {
        return (format!("{before}{after}"), line);
    }
    (name.to_owned(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn artifacts() -> Artifacts {
        let mut artifacts = Artifacts::default();
        for line in [
            r#"{"reason":"compiler-artifact","package_id":"path+file:///repo#ledger@0.1.0","target":{"kind":["lib"],"name":"ledger"},"profile":{"test":true},"executable":"/repo/target/debug/deps/ledger-1a"}"#,
            r#"{"reason":"compiler-artifact","package_id":"path+file:///repo#ledger@0.1.0","target":{"kind":["test"],"name":"report"},"profile":{"test":true},"executable":"/repo/target/debug/deps/report-2b"}"#,
        ] {
            artifacts.line(line);
        }
        artifacts
    }

    fn parse(text: &str) -> HarnessRun {
        let artifacts = artifacts();
        let mut parser = HarnessParser::new(&artifacts);
        for line in text.lines() {
            parser.line(line, Duration::ZERO);
        }
        parser.finish()
    }

    const RUN: &str = "
     Running unittests src/lib.rs (target/debug/deps/ledger-1a)

running 3 tests
test tax::a ... ok
test tax::c - should panic ... ok
hello test tax::b ... FAILED

failures:

---- tax::b stdout ----

thread 'tax::b' panicked at src/tax.rs:88:9:
assertion failed


failures:
    tax::b

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

error: test failed, to rerun pass `--lib`
     Running tests/report.rs (target/debug/deps/report-2b)
   Doc-tests ledger

running 3 tests
test src/lib.rs - f (line 30) ... ok
test src/lib.rs - f (line 9) ... ok
test src/lib.rs - g (line 12) - compile fail ... ignored

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.20s
";

    #[test]
    fn a_run_is_read_test_by_test() {
        let run = parse(RUN);
        assert_eq!(run.odd, None);
        let got: Vec<_> = run.tests.iter().map(|(id, test)| format!("{id} {:?}", test.outcome)).collect();
        assert_eq!(
            got,
            [
                "ledger/doc::src/lib.rs - f #1 Passed",
                "ledger/doc::src/lib.rs - f #2 Passed",
                "ledger/doc::src/lib.rs - g - compile fail #1 Ignored",
                "ledger/lib::tax::a Passed",
                "ledger/lib::tax::b Failed",
                "ledger/lib::tax::c Passed",
                "ledger/test report::(whole program) Passed",
            ]
        );
        let failed = &run.tests[&TestId("ledger/lib::tax::b".to_owned())];
        assert!(failed.output.contains("src/tax.rs:88"), "{}", failed.output);
    }

    #[test]
    fn a_harness_that_dies_is_a_failure_and_not_silence() {
        let run = parse(
            " Running unittests src/lib.rs (target/debug/deps/ledger-1a)\nrunning 2 tests\ntest a ... ok\nerror: test failed, to rerun pass `--lib`\n",
        );
        assert_eq!(run.tests[&TestId("ledger/lib::(whole program)".to_owned())].outcome, TestOutcome::Failed);
    }

    #[test]
    fn a_forged_result_line_makes_the_run_odd() {
        let forged = RUN.replace("test tax::a ... ok", "test tax::a ... ok\ntest tax::forged ... ok");
        assert!(parse(&forged).odd.unwrap().contains("ledger/lib"));
    }

    proptest! {
        #[test]
        fn any_output_is_read_without_a_panic(lines in proptest::collection::vec("( Running |test |running |---- |error: |test result: )?\\PC{0,30}", 0..20)) {
            parse(&lines.join("\n"));
        }
    }
}
