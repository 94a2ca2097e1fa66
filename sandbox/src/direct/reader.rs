//! Reads what the script and its steps print: which step is at work, what the compiler says, what the tests say.
//!
//! Everything is untrusted text. Lines that say where a step begins start with a mark that is new in every trial, and
//! each step must be seen to end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kaizen_domain::{Stage, TestId, TestOutcome, TestResult, TrialOutcome};

use super::at_work::AtWork;
use super::calls::Calls;
use super::script::{Script, Step};
use crate::cargo_output::{BuildLog, ended_by_limit};
use crate::harness::HarnessParser;
use crate::isolation::{Exit, Stream};

/// What the direct way came to.
pub(crate) enum Outcome {
    /// The tests that ran, by id.
    Ran(BTreeMap<TestId, TestResult>),
    /// A program of tests was worse than on the base, and the rest was left out.
    Stopped(BTreeMap<TestId, TestResult>),
    /// Anything else.
    Other(TrialOutcome),
}

/// What one stream is at.
#[derive(Default)]
struct At {
    step: Option<usize>,
    lines: Vec<String>,
}

pub(crate) struct Reader<'a> {
    calls: &'a Calls,
    script: &'a Script,
    folder: &'a str,
    streams: [At; 2],
    /// What each step that ended printed, and its exit code.
    ended: BTreeMap<usize, (Vec<String>, i32)>,
    /// The first test that was seen to fail where none may.
    enough: Option<TestId>,
    at_work: AtWork,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(calls: &'a Calls, script: &'a Script, folder: &'a str) -> Self {
        let streams = [At::default(), At::default()];
        Self { calls, script, folder, streams, ended: BTreeMap::new(), enough: None, at_work: AtWork::default() }
    }

    /// Whether the rest can be left out.
    pub(crate) fn has_seen_enough(&self) -> bool {
        self.enough.is_some()
    }

    /// How long steps were at work on the clock, until now when some still are.
    pub(crate) fn worked(&mut self) -> Duration {
        self.at_work.stop(Instant::now());
        self.at_work.so_far()
    }

    /// Takes a line; gives one to show to a person as cargo would say it.
    pub(crate) fn line(&mut self, stream: Stream, line: &str) -> Option<String> {
        let [first, second] = &mut self.streams;
        let at = if stream == Stream::Stdout { first } else { second };
        let Some(said) = line.strip_prefix(self.script.mark.as_str()) else {
            at.lines.push(line.to_owned());
            if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED"))
                && let Some(Step::Run { unit, stop: true }) = at.step.and_then(|step| self.script.steps.get(step))
                && let Some(target) = self.calls.units.get(*unit).and_then(|unit| unit.tests.as_ref())
            {
                let name = name.strip_suffix(" - should panic").unwrap_or(name);
                self.enough.get_or_insert_with(|| TestId(format!("{target}::{name}")));
            }
            return line.starts_with("test ").then(|| line.to_owned());
        };
        let mut words = said.split_whitespace();
        let (word, number) = (words.next()?, words.next()?.parse::<usize>().ok()?);
        if word == "begin" {
            if at.step.is_none() {
                self.at_work.begin(Instant::now());
            }
            *at = At { step: Some(number), lines: Vec::new() };
            let Some(Step::Build(unit)) = self.script.steps.get(number) else { return None };
            let unit = self.calls.units.get(*unit)?;
            return Some(format!("   Compiling {} ({})", unit.package, unit.stem));
        }
        if word == "end" && at.step == Some(number) {
            let code = words.next()?.parse().ok()?;
            self.ended.insert(number, (std::mem::take(&mut at.lines), code));
            at.step = None;
            self.at_work.end(Instant::now());
        }
        None
    }

    pub(crate) fn finish(self, exit: &Exit) -> Outcome {
        let failed = self
            .ended
            .iter()
            .find(|(number, (_, code))| *code != 0 && matches!(self.script.steps.get(**number), Some(Step::Build(_))));
        if let Some((_, (lines, _))) = failed {
            return Outcome::Other(self.build_failed(lines));
        }
        let running = self.streams.iter().filter_map(|at| self.script.steps.get(at.step?)).next();
        let stage = if let Some(Step::Build(_)) = running { Stage::Build } else { Stage::Tests };
        if let Some(outcome) = ended_by_limit(exit, stage) {
            return Outcome::Other(outcome);
        }
        let (mut tests, mut stopped) = (BTreeMap::new(), false);
        for (number, (lines, code)) in &self.ended {
            let (target, doc, stop) = match self.script.steps.get(*number) {
                Some(Step::Run { unit, stop }) => {
                    (self.calls.units.get(*unit).and_then(|unit| unit.tests.clone()), false, *stop)
                }
                Some(Step::Doc { doc, stop }) => (self.calls.docs.get(*doc).map(|doc| doc.target.clone()), true, *stop),
                _ => continue,
            };
            let Some(target) = target else { continue };
            match outcomes(target, doc, lines, *code) {
                Ok(found) => tests.extend(found),
                Err(why) => return Outcome::Other(TrialOutcome::Unclear { stage: Stage::Tests, why }),
            }
            stopped |= stop && *code != 0;
        }
        if let Some(test) = self.enough.filter(|_| *exit == Exit::Cancelled) {
            tests.entry(test).or_insert(TestResult { outcome: TestOutcome::Failed, output: String::new() });
            stopped = true;
        }
        if stopped {
            return Outcome::Stopped(tests);
        }
        if *exit == Exit::Code(0) && self.ended.len() == self.script.steps.len() {
            return Outcome::Ran(tests);
        }
        let why = format!("{} of {} steps ended; {exit}", self.ended.len(), self.script.steps.len());
        Outcome::Other(TrialOutcome::Unclear { stage, why })
    }

    fn build_failed(&self, lines: &[String]) -> TrialOutcome {
        let mut build = BuildLog::default();
        for line in lines {
            // The compiler's own words, in the dress that cargo gives them.
            let is_message = line.starts_with('{');
            let dressed = is_message.then(|| format!("{{\"reason\":\"compiler-message\",\"message\":{line}}}"));
            build.line(dressed.as_ref().unwrap_or(line), self.folder);
        }
        build.failed()
    }
}

/// What a program of tests said, against how it ended.
fn outcomes(target: String, doc: bool, lines: &[String], code: i32) -> Result<BTreeMap<TestId, TestResult>, String> {
    let mut parser = HarnessParser::alone(target.clone(), doc);
    lines.iter().for_each(|line| drop(parser.line(line, std::time::Duration::ZERO)));
    if code != 0 {
        parser.line("error: test failed, to rerun pass", std::time::Duration::ZERO);
    }
    let run = parser.finish();
    if let Some(odd) = run.odd {
        return Err(odd);
    }
    let failed = run.tests.values().any(|test| test.outcome == TestOutcome::Failed);
    match (failed, code) {
        (true, 0) => Err(format!("{target} says that all is well, but a test failed")),
        (false, code) if code != 0 => Err(format!("{target} ended with exit code {code}, but no test failed")),
        _ => Ok(run.tests),
    }
}
