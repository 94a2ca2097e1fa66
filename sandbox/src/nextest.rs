//! Reads what `cargo nextest run` says, test by test, from the lines that it prints for people: each status on a line of
//! its own, and a summary whose counts must agree.
//!
//! The text is untrusted, as with the usual harness. What tests print comes only behind the summary, and indented.

use std::time::Duration;

use kaizen_domain::{TestId, TestOutcome, TestResult};

use crate::harness::{HarnessRun, OUTPUT_KEPT};

/// Arguments that make it print what is read here, whatever the repository's own settings say.
pub(crate) const ARGUMENTS: [&str; 12] = [
    "nextest",
    "run",
    "--workspace",
    "--offline",
    "--no-fail-fast",
    "--no-tests=pass",
    "--color=never",
    "--status-level=all",
    "--final-status-level=none",
    "--failure-output=final",
    "--success-output=never",
    "--cargo-quiet",
];

/// What it ends with when tests failed, and nothing else was wrong.
const TESTS_FAILED: i32 = 100;

/// Feeds on the output line by line.
#[derive(Default)]
pub(crate) struct NextestParser {
    run: HarnessRun,
    passed: usize,
    ended: usize,
    /// How many tests were run and passed, by the summary.
    summary: Option<(usize, usize)>,
    /// The test whose output is being read.
    reading: Option<TestId>,
    /// The last line that was none of these, for a run that comes to nothing.
    last: String,
}

/// A line that says what became of a test.
struct Status<'l> {
    words: &'l str,
    took: Duration,
    /// It is the last word about the test.
    counted: bool,
    id: TestId,
}

impl NextestParser {
    /// Takes a line, without its end. Returns the test that ended with it.
    pub(crate) fn line(&mut self, line: &str) -> Option<(String, TestOutcome)> {
        if self.summary.is_some() {
            self.read_output(line);
            return None;
        }
        if let Some(summary) = summary(line) {
            self.summary = Some(summary);
            return None;
        }
        let Some(Status { words, took, counted, id }) = status(line) else {
            if !line.trim().is_empty() {
                line.trim().clone_into(&mut self.last);
            }
            return None;
        };
        let outcome = match words.rsplit(' ').next() {
            Some("SKIP") => TestOutcome::Ignored,
            // One that left a process behind, and passed.
            Some("PASS" | "LEAK") => TestOutcome::Passed,
            _ => TestOutcome::Failed,
        };
        if outcome == TestOutcome::Ignored {
            self.run.tests.insert(id.clone(), TestResult { outcome, output: String::new() });
            return Some((id.0, outcome));
        }
        if !counted {
            return None;
        }
        self.ended += 1;
        if outcome == TestOutcome::Passed {
            self.passed += 1;
            // It was tried again, as the repository's settings say.
            if words.starts_with("TRY ") && !words.starts_with("TRY 1 ") {
                self.run.flaky.insert(id.clone());
            }
        }
        self.run.durations.insert(id.clone(), took);
        self.run.tests.insert(id.clone(), TestResult { outcome, output: String::new() });
        Some((id.0, outcome))
    }

    /// Behind the summary comes what failing tests printed, each behind its status.
    fn read_output(&mut self, line: &str) {
        if let Some(Status { id, .. }) = status(line) {
            self.reading = Some(id);
        } else if let Some(said) = line.strip_prefix("    ")
            && let Some(test) = self.reading.as_ref().and_then(|id| self.run.tests.get_mut(id))
            && test.output.len() + said.len() < OUTPUT_KEPT
        {
            test.output.push_str(said);
            test.output.push('\n');
        }
    }

    /// What the run amounts to; why it comes to nothing when it does, as when it cannot list the tests.
    pub(crate) fn finish(mut self, code: i32) -> Result<HarnessRun, String> {
        let failed = self.run.tests.values().any(|test| test.outcome == TestOutcome::Failed);
        let Some((ran, passed)) = self.summary.or((code == 0).then_some((0, 0))) else {
            return Err(format!("cargo-nextest ended with exit code {code}: {}", self.last));
        };
        if (ran, passed) != (self.ended, self.passed) {
            let (lines, good) = (self.ended, self.passed);
            let odd = format!("cargo-nextest counts {ran} tests, {passed} passed, its lines say {lines}, {good}");
            self.run.odd.get_or_insert(odd);
        } else if code != if failed { TESTS_FAILED } else { 0 } {
            self.run
                .odd
                .get_or_insert(format!("cargo-nextest ended with exit code {code}, which its lines do not explain"));
        }
        Ok(self.run)
    }
}

/// `TRY 2 PASS [   0.017s] ( 4/14) package::bin/name tests::name`; the count is left out where it is not the last word.
fn status(line: &str) -> Option<Status<'_>> {
    const WIDTH: usize = 12;
    let (words, rest) = line.split_once(" [")?;
    // The words are set flush right. What tests print is indented, and so does not stand there by chance.
    if words.len() != WIDTH && (words.len() < WIDTH || words.starts_with(' ')) {
        return None;
    }
    let words = words.trim_start();
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" -/".contains(&byte);
    if words.is_empty() || !words.bytes().all(capital) || words.starts_with("SETUP") {
        return None;
    }
    let (took, rest) = rest.split_once("] (")?;
    let (count, name) = rest.split_once(") ")?;
    let (binary, test) = name.split_once(' ')?;
    let seconds = took.trim().trim_end_matches('s').parse::<f64>().unwrap_or(0.0);
    let took = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let counted = count.bytes().any(|byte| byte.is_ascii_digit());
    Some(Status { words, took, counted, id: TestId(format!("{}::{test}", target(binary)?)) })
}

/// `     Summary [   4.096s] 14 tests run: 10 passed (1 flaky), 4 failed, 3 skipped`
fn summary(line: &str) -> Option<(usize, usize)> {
    let rest = line.trim_start().strip_prefix("Summary [").filter(|_| line.starts_with(' '))?;
    let (count, rest) = rest.split_once("] ")?.1.split_once(" test")?;
    let passed = rest.split_once("run: ")?.1.split_once(" passed")?.0;
    Some((count.trim().parse().ok()?, passed.trim().parse().ok()?))
}

/// The target of a program of tests, by the name that nextest has for it.
fn target(binary: &str) -> Option<String> {
    let Some((package, rest)) = binary.split_once("::") else { return Some(format!("{binary}/lib")) };
    Some(match rest.split_once('/') {
        None => format!("{package}/test {rest}"),
        Some(("proc-macro" | "lib", _)) => format!("{package}/lib"),
        Some((kind @ ("bin" | "example" | "bench" | "test"), name)) => format!("{package}/{kind} {name}"),
        Some(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAID: &str = include_str!("nextest/said.txt");

    fn parse(text: &str, code: i32) -> Result<HarnessRun, String> {
        let mut parser = NextestParser::default();
        text.lines().for_each(|line| drop(parser.line(line)));
        parser.finish(code)
    }

    #[test]
    fn every_test_is_read_with_its_last_word() {
        let run = parse(SAID, 100).unwrap();
        assert_eq!(run.odd, None);
        let of = |outcome| -> Vec<&str> {
            run.tests.iter().filter(|(_, test)| test.outcome == outcome).map(|(id, _)| id.0.as_str()).collect()
        };
        assert_eq!(
            of(TestOutcome::Failed),
            [
                "member/lib::tests::fails",
                "some-thing/lib::odd::abort",
                "some-thing/lib::odd::forged",
                "some-thing/lib::odd::slow"
            ]
        );
        assert_eq!(
            of(TestOutcome::Ignored),
            ["some-thing/lib::odd::hi_ignored", "some-thing/lib::tests::ig", "some-thing/test odd::cust"]
        );
        assert_eq!(run.tests.len(), 17);
        assert!(run.tests.contains_key(&TestId("some-thing/bin some-thing::in_main".into())));
        assert!(run.tests.contains_key(&TestId("some-thing/test it::integ".into())));
        assert_eq!(run.flaky.iter().map(|id| id.0.as_str()).collect::<Vec<_>>(), ["some-thing/lib::odd::flaky"]);
        let leak = TestId("some-thing/lib::odd::leak".into());
        assert_eq!(run.durations.get(&leak), Some(&Duration::from_millis(218)));
        let output = |id: &str| run.tests.get(&TestId(id.into())).map(|test| test.output.as_str()).unwrap_or_default();
        assert!(output("member/lib::tests::fails").contains("said\nmore\n"));
        assert!(output("member/lib::tests::fails").contains("boom\n") && output("some-thing/lib::tests::a").is_empty());
        assert!(output("some-thing/lib::odd::forged").contains("(1/9) member tests::fails"));
    }

    #[test]
    fn counts_and_exit_code_must_agree() {
        let odd = |text: &str, code| parse(text, code).map(|run| run.odd);
        let without = SAID.replace("        PASS [   0.017s] ( 7/14) some-thing tests::a\n", "");
        assert!(
            matches!(odd(&without, 100), Ok(Some(why)) if why.contains("14 tests, 10 passed, its lines say 13, 9"))
        );
        for code in [0, 1, 101] {
            assert!(matches!(odd(SAID, code), Ok(Some(why)) if why.contains("exit code")), "{code}");
        }
        assert_eq!(odd("   Summary [ 0.0s] 1 test run: 1 passed, 0 skipped\n", 0).map(|odd| odd.is_some()), Ok(true));
        let error = parse("error: creating test list failed\n", 104).unwrap_err();
        assert!(error.contains("104: error: creating test list failed"), "{error}");
        assert_eq!(parse("", 0), Ok(HarnessRun::default()));
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_passed_over(line in "\\PC{0,60}", code in 0..120i32) {
            let _ = parse(&format!("        PASS [{line}\n{line}\n     Summary [{line}"), code);
        }
    }
}
