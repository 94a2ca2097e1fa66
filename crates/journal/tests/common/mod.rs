//! Fixtures of the journal's tests: events of every kind of interest, a clock that the test moves, and this test
//! binary as a process of its own.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(dead_code, reason = "every test binary uses its own share of the fixtures")]

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kaizen_domain::request::{Base, CycleRequest, PatchSource};
use kaizen_domain::signal::{Signal, SignalKind};
use kaizen_domain::{
    AttemptEvent, CommitId, CycleEvent, CycleId, Event, LandingMode, OpportunityId, Record, RefName, SignalId,
    TenantId, Timestamp, TrialId, Usd,
};
use kaizen_journal::{BootClock, Filter, Journal, JournalError, Lease, Options};

pub const REPO: &str = "repo-1";
pub const TTL: Duration = Duration::from_secs(600);
pub const AT: Timestamp = Timestamp(1_700_000_000_000);

pub fn cycle_id(n: u8) -> CycleId {
    CycleId::new(1_700_000_000_000 + u64::from(n), [n; 10])
}

pub fn started(n: u8) -> Event {
    let base = Base {
        commit: CommitId::new("a".repeat(40)).unwrap(),
        target: Some(RefName::new("refs/heads/main").unwrap()),
        folder: String::new(),
    };
    let request = CycleRequest {
        base,
        source: PatchSource::Engines,
        goal: None,
        only: Vec::new(),
        max_landings: 3,
        max_opportunities: 5,
        landing: LandingMode::Branch,
        update_worktree: false,
        dry_run: false,
        budget: Usd(500_000),
        revises: None,
        replays: None,
    };
    Event::Cycle { cycle: cycle_id(n), event: CycleEvent::Started { request } }
}

pub fn collected(n: u8, text: &str) -> Event {
    let kind = SignalKind::Todo { text: text.to_owned(), age_days: Some(3) };
    let signals = vec![Signal { id: SignalId::new(5, [n; 10]), place: None, kind }];
    let commit = CommitId::new("b".repeat(40)).unwrap();
    Event::Cycle { cycle: cycle_id(n), event: CycleEvent::Collected { commit, signals } }
}

pub fn trial_started(n: u8) -> Event {
    let what = AttemptEvent::TrialStarted { trial: TrialId::new(7, [n; 10]) };
    let event = CycleEvent::Attempt { opportunity: OpportunityId::new(6, [n; 10]), what };
    Event::Cycle { cycle: cycle_id(n), event }
}

pub fn finished(n: u8) -> Event {
    Event::Cycle { cycle: cycle_id(n), event: CycleEvent::Finished }
}

/// One event of about this many bytes.
pub fn large(bytes: usize) -> Event {
    collected(1, &"x".repeat(bytes))
}

pub fn append(journal: &mut Journal, lease: &Lease, events: &[Event]) -> Result<Vec<Record>, JournalError> {
    journal.append(lease, &TenantId::local(), AT, events)
}

pub fn all(journal: &Journal) -> Vec<Record> {
    journal.records(&Filter::default()).unwrap()
}

/// A clock that stands still until the test moves it.
#[derive(Default)]
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl BootClock for TestClock {
    fn now_ms(&self) -> u64 {
        1_000_000 + self.0.load(Ordering::SeqCst)
    }
}

/// Does not wait for other writers, and lives by the clock.
pub fn impatient(clock: &Arc<TestClock>) -> Options {
    Options { busy_wait: Duration::ZERO, clock: Arc::clone(clock) as Arc<dyn BootClock>, shared: None }
}

/// This test binary, running one of its ignored tests as a process of its own.
pub struct Role {
    pub child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

const DIR: &str = "KAIZEN_JOURNAL_TEST_DIR";

/// The state directory when this process plays a role; nothing when somebody runs all ignored tests.
pub fn role_dir() -> Option<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from)
}

/// Says a word to the test that started this process.
pub fn say(word: &str) {
    println!("@{word}");
}

/// Waits for a word of the test that started this process.
pub fn listen() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// The command that plays a role, to be run by `wrapper` when there is one.
pub fn role_command(wrapper: &[&str], role: &str, dir: &Path) -> Command {
    let exe = std::env::current_exe().unwrap();
    let mut words: Vec<std::ffi::OsString> = wrapper.iter().map(Into::into).collect();
    words.push(exe.into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--exact", role, "--ignored", "--nocapture"]).env(DIR, dir);
    command
}

impl Role {
    pub fn play(role: &str, dir: &Path) -> Self {
        Self::start(role_command(&[], role, dir))
    }

    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { stdin: child.stdin.take(), child, lines }
    }

    /// The next word the process says; nothing once it has ended.
    pub fn hear(&mut self) -> Option<String> {
        loop {
            // The test harness may print before our word on the same line.
            if let Some((_, word)) = self.lines.next()?.ok()?.split_once('@') {
                return Some(word.to_owned());
            }
        }
    }

    pub fn tell(&mut self, word: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{word}").unwrap();
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// `kill -9`, then everything it still had said.
    pub fn kill(&mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let said = std::iter::from_fn(|| self.hear()).collect();
        self.child.wait().unwrap();
        said
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
