//! The tests of a tree by nextest, where the repository is set up for it: each in a process of its own, with the
//! repository's own settings. Tests in docs, which nextest leaves out, are run by cargo as ever.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use kaizen_domain::{Stage, TestOutcome, TrialOutcome};

use super::run::Run;
use super::{Cargo, TEST};
use crate::base::WarmBase;
use crate::cargo_output::{Reader, ended_by_limit};
use crate::harness::{HarnessParser, HarnessRun};
use crate::isolation::{Batch, BatchCall, BatchStep, Cancel, Exit, Task, Workers};
use crate::nextest::{ARGUMENTS, NextestParser};
use crate::runner::{Call, Runner, TrialError, Watcher, mark};

/// The three calls, in their order.
const BUILD: usize = 0;
const TESTS: usize = 1;
const DOCS: usize = 2;

impl Runner {
    /// Runs all tests of a tree with nextest; none where the repository is not set up for it, it is not installed, or it
    /// was found to be of no use.
    pub(super) fn by_nextest(
        &self,
        base: &WarmBase,
        cargo: &Cargo<'_>,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Option<Run>, TrialError> {
        let Some(nextest) = self.toolchain.nextest_mount(&base.places().home) else { return Ok(None) };
        if !cargo.more.is_empty() || cargo.warm || !base.uses_nextest() {
            return Ok(None);
        }
        let mark = mark();
        let (cwd, program) = (base.project_inside(), self.toolchain.program("cargo"));
        let mut env = self.environment(base);
        env.push(("CARGO".into(), program.clone().into()));
        let call = |program: &Path, args: Vec<&str>| {
            let args = args.into_iter().map(Into::into).collect();
            BatchStep::Call(BatchCall { program: program.into(), args, cwd: cwd.clone(), env: env.clone() })
        };
        let ended = |number: usize| BatchStep::SayCode(format!("\n{mark} {number}"));
        let build = TEST.into_iter().chain(["--no-run", "--message-format=json"]).collect();
        let docs = TEST.into_iter().chain(["--doc"]).collect();
        let steps = vec![
            call(&program, build),
            ended(BUILD),
            BatchStep::EndUnlessZero,
            call(&nextest.1, ARGUMENTS.to_vec()),
            ended(TESTS),
            call(&program, docs),
            ended(DOCS),
        ];
        let tasks = vec![Task { needs: Vec::new(), steps }];
        let batch = Some(Batch { tasks, workers: Workers::One });
        let changes = cargo.changes.to_vec();
        let (wall, read_only) = (self.settings.limits.wall, vec![nextest]);
        let call = Call { batch, changes, read_only, merge_output: true, forget_output: true, wall, ..Call::default() };
        let mut said = Said::new(&base.folder, &mark);
        let done = self.call(base, call, cancel, &mut |line| {
            if let Some(shown) = said.line(line) {
                watcher.line(&shown);
            }
        })?;
        let (outcome, run) = match said.finish(&done.exit) {
            Ok(known) => known,
            Err(why) if cargo.changes.is_empty() => {
                tracing::warn!(why, "nextest is of no use here: the tests are run by cargo");
                base.give_up_nextest()?;
                return Ok(None);
            }
            Err(why) => (TrialOutcome::Unclear { stage: Stage::Tests, why }, HarnessRun::default()),
        };
        Ok(Some(Run::of(outcome, run, &done)))
    }
}

/// What the three calls print, one after the other.
struct Said<'a> {
    mark: &'a str,
    build: Reader<'a>,
    nextest: NextestParser,
    docs: Option<HarnessParser>,
    /// There is no library, and so there are no docs with tests.
    no_docs: bool,
    last: String,
    codes: BTreeMap<usize, i32>,
}

impl<'a> Said<'a> {
    fn new(folder: &'a str, mark: &'a str) -> Self {
        let (build, nextest) = (Reader::new(folder), NextestParser::default());
        Self { mark, build, nextest, docs: None, no_docs: false, last: String::new(), codes: BTreeMap::new() }
    }

    /// Takes a line; gives one to show to a person as cargo would say it.
    fn line(&mut self, line: &str) -> Option<String> {
        if let Some(end) = line.strip_prefix(self.mark) {
            let (number, code) = end.trim().split_once(' ')?;
            self.codes.insert(number.parse().ok()?, code.parse().ok()?);
            return None;
        }
        match self.codes.len() {
            BUILD => {
                self.build.line(line);
                Some(line.to_owned())
            }
            TESTS => {
                let (test, outcome) = self.nextest.line(line)?;
                let word = if outcome == TestOutcome::Failed { "FAILED" } else { "ok" };
                Some(format!("test {test} ... {word}"))
            }
            _ => {
                let docs = self.docs.get_or_insert_with(|| HarnessParser::new(&self.build.artifacts));
                docs.line(line, Duration::ZERO);
                self.no_docs |= line.starts_with("error: no library targets found");
                if !line.trim().is_empty() {
                    line.clone_into(&mut self.last);
                }
                Some(line.to_owned())
            }
        }
    }

    /// What it comes to; an error where nextest could not do its work.
    fn finish(self, exit: &Exit) -> Result<(TrialOutcome, HarnessRun), String> {
        let code = |number: usize| self.codes.get(&number).copied();
        let stage = if code(BUILD).is_some() { Stage::Tests } else { Stage::Build };
        let nothing = |outcome| Ok((outcome, HarnessRun::default()));
        if let Some(outcome) = ended_by_limit(exit, stage) {
            return nothing(outcome);
        }
        if code(BUILD).is_none_or(|code| code != 0) {
            return nothing(self.build.finish(exit).0);
        }
        let (Some(tests), Some(docs)) = (code(TESTS), code(DOCS)) else {
            return nothing(TrialOutcome::Unclear { stage, why: format!("not every call ended; {exit}") });
        };
        let mut run = self.nextest.finish(tests)?;
        let in_docs = self.docs.map(HarnessParser::finish).unwrap_or_default();
        let failed = in_docs.tests.values().any(|test| test.outcome == TestOutcome::Failed);
        let why = run.odd.take().or(in_docs.odd).or_else(|| {
            let explained = (docs != 0) == failed || (self.no_docs && in_docs.tests.is_empty());
            (!explained).then(|| format!("the tests in docs ended with exit code {docs}: {}", self.last))
        });
        if let Some(why) = why {
            return nothing(TrialOutcome::Unclear { stage, why });
        }
        run.tests.extend(in_docs.tests);
        Ok((TrialOutcome::Ran, run))
    }
}
