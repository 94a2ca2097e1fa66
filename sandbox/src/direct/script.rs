//! What is done inside to try a change, as a batch: which calls after which, and what is said in between, so that it can
//! be told which step is at work and what it printed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::isolation::{Batch, BatchCall, BatchStep, Code, Task, Workers};
use crate::runner::mark;
use crate::toolchain::Toolchain;

use super::Work;
use super::calls::{DocCall, Unit, parent};
use super::in_turn::{Piece, in_turn, waits_for};

/// Where a script works, as it is seen inside.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) toolchain: &'a Toolchain,
    /// For programs of the system.
    pub(crate) environment: &'a [(OsString, OsString)],
    /// Whether the digest of each program of tests is said, before it is run for the first time.
    pub(crate) digests: bool,
    /// Whether nobody else uses the processors, so that two workers are of use.
    pub(crate) alone: bool,
    /// Whether the docs of a target have so few tests that they are compiled sooner one by one than together.
    pub(crate) few: &'a dyn Fn(&str) -> bool,
}

/// What is done, in the numbers that are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A call of the compiler, by its place in the list.
    Build(usize),
    /// A program of tests that such a call made. The rest may be left out when it fails.
    Run { unit: usize, stop: bool },
    /// A call of the compiler that is only made when the program of the base turns out not to do.
    Rebuild(usize),
    /// The tests in the docs of a library.
    Doc { doc: usize, stop: bool },
}

impl Step {
    /// The call of the compiler that it makes.
    pub(crate) fn builds(self) -> Option<usize> {
        match self {
            Self::Build(unit) | Self::Rebuild(unit) => Some(unit),
            Self::Run { .. } | Self::Doc { .. } => None,
        }
    }
}

/// A script and what its steps are.
pub(crate) struct Script {
    pub(crate) batch: Batch,
    pub(crate) steps: Vec<Step>,
    /// What the lines begin with that say what it is at. It is never seen inside.
    pub(crate) mark: String,
}

impl Script {
    /// The script for what a change reaches. `stop` says of which targets no test may fail, `caught` how often those of a
    /// target failed for earlier changes.
    pub(crate) fn of(work: &Work<'_>, at: At<'_>, stop: &dyn Fn(&str) -> bool, caught: &dyn Fn(&str) -> u32) -> Self {
        let mark = mark();
        let mut writer = Writer { work, stop, at, mark, steps: Vec::new() };
        let pieces = in_turn(work, caught);
        let mut tasks = Vec::new();
        let links = writer.links();
        let first = usize::from(!links.is_empty());
        if first > 0 {
            tasks.push(Task { needs: Vec::new(), steps: links });
        }
        for piece in &pieces {
            let needs = pieces.iter().enumerate().filter(|(_, other)| match other {
                Piece::Unit(at, unit) => waits_for(work, *piece, *at, unit),
                Piece::Doc(..) => false,
            });
            let needs = (0..first).chain(needs.map(|(number, _)| first + number)).collect();
            let steps = match piece {
                Piece::Unit(at, unit) => writer.unit(*at, unit),
                Piece::Doc(at, doc) => writer.doc(*at, doc),
            };
            tasks.push(Task { needs, steps });
        }
        let workers = if at.alone { Workers::Two } else { Workers::One };
        let Writer { mark, steps, .. } = writer;
        Self { batch: Batch { tasks, workers }, steps, mark }
    }
}

struct Writer<'a> {
    work: &'a Work<'a>,
    stop: &'a dyn Fn(&str) -> bool,
    at: At<'a>,
    mark: String,
    steps: Vec<Step>,
}

impl Writer<'_> {
    fn number(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// What came before may have left a line without an end.
    fn begin(&self, number: usize) -> BatchStep {
        BatchStep::Say(format!("\n{} begin {number}\n", self.mark))
    }

    fn end(&self, number: usize) -> BatchStep {
        BatchStep::SayCode(format!("\n{} end {number}", self.mark))
    }

    fn unit(&mut self, at: usize, unit: &Unit) -> Vec<BatchStep> {
        if self.work.kept.contains(&at) {
            return self.kept(at, unit);
        }
        let number = self.number(Step::Build(at));
        let mut steps = self.build(number, unit);
        steps.push(BatchStep::Ready);
        if let Some(target) = &unit.tests {
            if self.at.digests {
                steps.push(BatchStep::Say(format!("{} digest {number} ", self.mark)));
                steps.push(self.shell("sha256sum < \"$0\"", &[&unit.program()]));
            }
            let stop = (self.stop)(target);
            let number = self.number(Step::Run { unit: at, stop });
            steps.extend([self.begin(number), self.run(unit), self.end(number)]);
            steps.extend(stop.then_some(BatchStep::EndUnlessZero));
        }
        steps
    }

    /// A program of the base. It is made again when it cannot start: it may miss a name.
    fn kept(&mut self, at: usize, unit: &Unit) -> Vec<BatchStep> {
        let again = self.number(Step::Rebuild(at));
        let build = self.build(again, unit);
        let Some(target) = &unit.tests else {
            // Tests may start it, and would only see that it fails: the dynamic linker is asked before.
            let ask = "LD_TRACE_LOADED_OBJECTS=1 LD_WARN=1 LD_BIND_NOW=1 \"$0\" 2>&1 | \
                       grep -q -e 'undefined symbol' -e 'not found'";
            let mut steps = vec![self.shell(ask, &[&unit.program()]), BatchStep::Unless(Code::Zero, build.len())];
            steps.extend(build);
            return steps;
        };
        let stop = (self.stop)(target);
        let number = self.number(Step::Run { unit: at, stop });
        let mut steps = vec![self.begin(number), self.run(unit)];
        steps.push(BatchStep::Unless(Code::CannotStart, build.len() + 2));
        steps.extend(build);
        steps.extend([self.begin(number), self.run(unit), self.end(number)]);
        steps.extend(stop.then_some(BatchStep::EndUnlessZero));
        steps
    }

    fn build(&self, number: usize, unit: &Unit) -> Vec<BatchStep> {
        let rustc = self.at.toolchain.program("rustc");
        let mut steps = vec![self.begin(number), call(&unit.cwd, &unit.env, &rustc, &unit.args)];
        if let Some(place) = unit.uplifted() {
            steps.push(BatchStep::Unless(Code::Zero, 1));
            steps.push(self.shell("ln -f \"$0\" \"$1\"", &[&unit.program(), &place]));
        }
        steps.extend([self.end(number), BatchStep::EndUnlessZero]);
        steps
    }

    /// Runs a program of tests.
    fn run(&self, unit: &Unit) -> BatchStep {
        let mut env = unit.env.clone();
        for name in ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_BIN_NAME"] {
            env.remove(name);
        }
        let libraries = env.get("LD_LIBRARY_PATH").cloned().unwrap_or_default();
        env.insert("LD_LIBRARY_PATH".to_owned(), format!("{}:{libraries}", parent(&unit.out_dir)));
        call(unit.package_dir(), &env, Path::new(&unit.program()), &[])
    }

    /// Puts our programs in the places of cargo's.
    fn links(&self) -> Vec<BatchStep> {
        let made = |place: &String| {
            let units = self.work.reach.units.iter().filter_map(|at| self.work.calls.units.get(*at));
            units.filter_map(Unit::uplifted).any(|ours| ours == *place)
        };
        let links = self.work.links.iter().filter(|(ours, _)| made(ours));
        links.map(|(ours, theirs)| self.shell("ln -sf \"$0\" \"$1\"", &[ours, theirs])).collect()
    }

    fn doc(&mut self, at: usize, doc: &DocCall) -> Vec<BatchStep> {
        let stop = (self.stop)(&doc.target);
        let number = self.number(Step::Doc { doc: at, stop });
        let rustdoc = self.rustdoc(number, doc);
        let mut steps = Vec::new();
        if let Some(kept) = self.work.docs.get(&at) {
            steps.extend([self.begin(number), self.shell(&kept.script(doc), &[])]);
            steps.push(BatchStep::Unless(Code::CannotStart, rustdoc.len()));
        }
        steps.extend(rustdoc);
        steps.push(self.end(number));
        steps.extend(stop.then_some(BatchStep::EndUnlessZero));
        steps
    }

    fn rustdoc(&self, number: usize, doc: &DocCall) -> Vec<BatchStep> {
        let program = self.at.toolchain.program("rustdoc");
        let plain = call(&doc.cwd, &doc.env, &program, &doc.args);
        let begin = || self.begin(number);
        if doc.args.iter().any(|arg| arg == "--edition=2024") || (self.at.few)(&doc.target) {
            return vec![begin(), plain];
        }
        // All of them as one program takes one compilation. What fails there is run again one by one: that counts.
        let mut env = doc.env.clone();
        env.insert("RUSTC_BOOTSTRAP".to_owned(), "1".to_owned());
        let more = ["-Zunstable-options".to_owned(), "--merge-doctests=yes".to_owned()];
        let args: Vec<String> = doc.args.iter().cloned().chain(more).collect();
        let together = call(&doc.cwd, &env, &program, &args);
        vec![begin(), together, BatchStep::Unless(Code::NotZero, 2), begin(), plain]
    }

    /// What a shell does. Names come as arguments, or quoted.
    fn shell(&self, text: &str, args: &[&str]) -> BatchStep {
        let args = ["-c", text].iter().chain(args).map(OsString::from).collect();
        let env = self.at.environment.to_vec();
        BatchStep::Call(BatchCall { program: "/bin/sh".into(), args, cwd: "/usr".into(), env })
    }
}

fn call(cwd: &str, env: &BTreeMap<String, String>, program: &Path, args: &[String]) -> BatchStep {
    let env = env.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let args = args.iter().map(OsString::from).collect();
    BatchStep::Call(BatchCall { program: PathBuf::from(program), args, cwd: cwd.into(), env })
}
