//! The program as a process: started on a fixture with an environment of its own, heard line by line, and its records
//! read back into the types that the journal holds.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use kaizen_domain::{Attempt, Cycle, CycleId, Event, OpportunityKind, Record, Word};

use crate::fixture::Fixture;

/// A way to start the program.
#[derive(Debug, Clone)]
pub struct Program {
    exe: PathBuf,
    env: Vec<(OsString, OsString)>,
}

impl Program {
    /// The program at this path, usually `env!("CARGO_BIN_EXE_kaizen")`.
    #[must_use]
    pub fn at(exe: impl Into<PathBuf>) -> Self {
        Self { exe: exe.into(), env: Vec::new() }
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Runs `run-cycle` with these further arguments to its end.
    ///
    /// # Panics
    /// When it cannot be started, or prints something other than records.
    #[must_use]
    pub fn run_cycle(&self, fixture: &Fixture, args: &[&str]) -> Ran {
        let all: Vec<&str> = ["run-cycle", "--json", "--repo", "."].iter().chain(args).copied().collect();
        self.run(fixture, &all)
    }

    /// Runs any command to its end, in the fixture's work tree.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn run(&self, fixture: &Fixture, args: &[&str]) -> Ran {
        let done = self.command(fixture, args).output().expect("the program starts");
        Ran {
            code: done.status.code(),
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }

    /// Starts `run-cycle` without waiting for it. It is killed when the value is dropped.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_cycle(&self, fixture: &Fixture, args: &[&str]) -> Started {
        let all: Vec<&str> = ["run-cycle", "--json", "--repo", "."].iter().chain(args).copied().collect();
        let mut child = self.command(fixture, &all).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Started { child, lines }
    }

    /// The command with nothing of the machine's in its environment but where tools are found.
    fn command(&self, fixture: &Fixture, args: &[&str]) -> Command {
        let mut command = Command::new(&self.exe);
        command.args(args).arg("--state-dir").arg(fixture.state()).arg("--settings").arg(fixture.settings_file());
        command.current_dir(fixture.repo()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear();
        for name in ["PATH", "RUSTUP_TOOLCHAIN", "TMPDIR", "LD_LIBRARY_PATH"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let home = || std::env::home_dir().map(|home| home.join(folder).into_os_string());
            command.envs(std::env::var_os(name).or_else(home).map(|value| (name, value)));
        }
        command.env("HOME", fixture.home()).envs(self.env.iter().cloned());
        command
    }
}

/// A program that runs.
#[derive(Debug)]
pub struct Started {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Started {
    /// Reads lines until one holds this text; `None` when there are no more.
    ///
    /// # Panics
    /// When its output cannot be read.
    pub fn until(&mut self, text: &str) -> Option<String> {
        let mut line = String::new();
        while self.lines.read_line(&mut line).expect("its output can be read") > 0 {
            if line.contains(text) {
                return Some(line);
            }
            line.clear();
        }
        None
    }

    /// Asks it to end, as SIGTERM does, and waits for it.
    ///
    /// # Panics
    /// When it cannot be asked or waited for.
    #[must_use]
    pub fn terminate(mut self) -> Ran {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it can be asked");
        let mut ran = Ran { code: None, stdout: String::new(), stderr: String::new() };
        self.lines.read_to_string(&mut ran.stdout).expect("its output can be read");
        ran.code = self.child.wait().expect("it ends").code();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut ran.stderr).expect("its errors can be read");
        }
        ran
    }

    /// Ends it as SIGKILL does: at once, with no chance to say or write anything.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed as errors.
    pub stderr: String,
}

impl Ran {
    /// The records that it told.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The last cycle that it told, as its records make it.
    ///
    /// # Panics
    /// When it told none, or records that do not follow each other.
    #[must_use]
    pub fn cycle(&self) -> Cycle {
        let records = self.records();
        let of = |record: &Record| match &record.event {
            Event::Cycle { cycle, .. } => Some(*cycle),
            _ => None,
        };
        let id: CycleId = records.iter().rev().find_map(of).unwrap_or_else(|| panic!("no cycle was told: {self:?}"));
        let events = records.iter().filter_map(|record| match &record.event {
            Event::Cycle { cycle, event } if *cycle == id => Some(event),
            _ => None,
        });
        Cycle::fold(id, events).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one attempt at an opportunity of this kind, with its word and its reasons in one line.
    ///
    /// # Panics
    /// When there is not exactly one, or it is not over.
    #[must_use]
    pub fn only(&self, kind: OpportunityKind) -> Outcome {
        let cycle = self.cycle();
        let of_kind =
            |attempt: &&Attempt| cycle.opportunity(attempt.opportunity).is_some_and(|found| found.kind == kind);
        let found: Vec<&Attempt> = cycle.attempts.iter().filter(of_kind).collect();
        let [attempt] = found.as_slice() else { panic!("{} attempts of kind {}: {self:?}", found.len(), kind.word()) };
        let kaizen_domain::AttemptStage::Done { word, reasons } = &attempt.stage else {
            panic!("the attempt is not over: {self:?}")
        };
        Outcome { word: *word, why: reasons.join("; "), attempt: (*attempt).clone() }
    }
}

/// How the work on an opportunity ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The word.
    pub word: Word,
    /// The reasons.
    pub why: String,
    /// All of it.
    pub attempt: Attempt,
}
