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
use crate::harness::{HarnessParser, HarnessRun};
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
    said: Said,
}

/// What a step has printed, as far as it says anything: its lines are not kept.
#[derive(Default)]
enum Said {
    #[default]
    Nothing,
    Build(BuildLog),
    Tests(Box<HarnessParser>, Instant),
}

impl Said {
    fn line(&mut self, line: &str, folder: &str) {
        match self {
            Self::Nothing => {}
            // The compiler's own words, in the dress that cargo gives them.
            Self::Build(log) if line.starts_with('{') => {
                log.line(&format!("{{\"reason\":\"compiler-message\",\"message\":{line}}}"), folder);
            }
            Self::Build(log) => log.line(line, folder),
            Self::Tests(parser, begun) => drop(parser.line(line, begun.elapsed())),
        }
    }
}

pub(crate) struct Reader<'a> {
    calls: &'a Calls,
    script: &'a Script,
    folder: &'a str,
    streams: [At; 2],
    /// What each step that ended said, and its exit code.
    ended: BTreeMap<usize, (Said, i32)>,
    /// The first test that was seen to fail where none may.
    enough: Option<TestId>,
    at_work: AtWork,
    durations: BTreeMap<TestId, Duration>,
    digests: BTreeMap<String, String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(calls: &'a Calls, script: &'a Script, folder: &'a str) -> Self {
        let streams = [At::default(), At::default()];
        let (ended, durations, at_work) = (BTreeMap::new(), BTreeMap::new(), AtWork::default());
        Self { calls, script, folder, streams, ended, enough: None, at_work, durations, digests: BTreeMap::new() }
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
            at.said.line(line, self.folder);
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
            let said = match self.script.steps.get(number) {
                Some(step) if step.builds().is_some() => Said::Build(BuildLog::default()),
                Some(step) => target_of(self.calls, step).map_or(Said::Nothing, |(target, doc)| {
                    Said::Tests(Box::new(HarnessParser::alone(target.to_owned(), doc)), Instant::now())
                }),
                None => Said::Nothing,
            };
            *at = At { step: Some(number), said };
            let unit = self.calls.units.get(self.script.steps.get(number)?.builds()?)?;
            return Some(format!("   Compiling {} ({})", unit.package, unit.stem));
        }
        if word == "digest"
            && let Some(step) = self.script.steps.get(number)
            && let Some(target) = step.builds().and_then(|unit| self.calls.units.get(unit)?.tests.clone())
        {
            // Once: what comes later may be the word of the program itself.
            self.digests.entry(target).or_insert(words.next()?.to_owned());
        }
        if word == "end" && at.step == Some(number) {
            let code = words.next()?.parse().ok()?;
            self.ended.insert(number, (std::mem::take(&mut at.said), code));
            at.step = None;
            self.at_work.end(Instant::now());
        }
        None
    }

    /// How long tests took, once it is finished.
    pub(crate) fn durations(&mut self) -> BTreeMap<TestId, Duration> {
        std::mem::take(&mut self.durations)
    }

    /// The digests of programs of tests, by their targets.
    pub(crate) fn digests(&mut self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.digests)
    }

    pub(crate) fn finish(&mut self, exit: &Exit) -> Outcome {
        let builds = |number: &usize| self.script.steps.get(*number).is_some_and(|step| step.builds().is_some());
        let failed = self.ended.iter().find(|(number, (_, code))| *code != 0 && builds(number));
        if let Some(number) = failed.map(|(number, _)| *number)
            && let Some((Said::Build(log), _)) = self.ended.remove(&number)
        {
            return Outcome::Other(log.failed());
        }
        let running = self.streams.iter().filter_map(|at| self.script.steps.get(at.step?)).next();
        let stage = if running.is_some_and(|step| step.builds().is_some()) { Stage::Build } else { Stage::Tests };
        if let Some(outcome) = ended_by_limit(exit, stage) {
            return Outcome::Other(outcome);
        }
        let (mut tests, mut stopped, ended) = (BTreeMap::new(), false, self.ended.len());
        let due = |(number, step): (usize, &Step)| matches!(step, Step::Rebuild(_)) || self.ended.contains_key(&number);
        let all_due = self.script.steps.iter().enumerate().all(due);
        for (number, (said, code)) in std::mem::take(&mut self.ended) {
            let Some(step) = self.script.steps.get(number) else { continue };
            let (Said::Tests(parser, _), Some((target, _))) = (said, target_of(self.calls, step)) else { continue };
            match outcomes(target, *parser, code) {
                Ok(found) => {
                    tests.extend(found.tests);
                    self.durations.extend(found.durations);
                }
                Err(why) => return Outcome::Other(TrialOutcome::Unclear { stage: Stage::Tests, why }),
            }
            stopped |= code != 0 && matches!(step, Step::Run { stop: true, .. } | Step::Doc { stop: true, .. });
        }
        if let Some(test) = self.enough.take().filter(|_| *exit == Exit::Cancelled) {
            tests.entry(test).or_insert(TestResult { outcome: TestOutcome::Failed, output: String::new() });
            stopped = true;
        }
        if stopped {
            return Outcome::Stopped(tests);
        }
        if *exit == Exit::Code(0) && all_due {
            return Outcome::Ran(tests);
        }
        let why = format!("{ended} of {} steps ended; {exit}", self.script.steps.len());
        Outcome::Other(TrialOutcome::Unclear { stage, why })
    }
}

/// The target whose tests a step runs, and whether they are those in its docs.
fn target_of<'c>(calls: &'c Calls, step: &Step) -> Option<(&'c str, bool)> {
    match step {
        Step::Build(_) | Step::Rebuild(_) => None,
        Step::Run { unit, .. } => Some((calls.units.get(*unit)?.tests.as_deref()?, false)),
        Step::Doc { doc, .. } => Some((calls.docs.get(*doc)?.target.as_str(), true)),
    }
}

/// What a program of tests said, against how it ended.
fn outcomes(target: &str, mut parser: HarnessParser, code: i32) -> Result<HarnessRun, String> {
    if code != 0 {
        parser.line("error: test failed, to rerun pass", Duration::ZERO);
    }
    let run = parser.finish();
    if let Some(odd) = &run.odd {
        return Err(odd.clone());
    }
    let failed = run.tests.values().any(|test| test.outcome == TestOutcome::Failed);
    match (failed, code) {
        (true, 0) => Err(format!("{target} says that all is well, but a test failed")),
        (false, code) if code != 0 => Err(format!("{target} ended with exit code {code}, but no test failed")),
        _ => Ok(run),
    }
}
