//! Run: one program run to its end, with what it said, line by line as it says it, and how long it took. Nothing it
//! starts outlives its limit.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{os, scratch};

/// Longer than anything that is measured takes.
const LIMIT: Duration = Duration::from_secs(2 * 3600);
/// What a program learns from whoever called this one and must not: it would steer what is measured.
const FOREIGN: &[&str] =
    &["KAIZEN_", "GIT_", "CARGO_MANIFEST", "CARGO_PKG", "CARGO_TARGET_DIR", "CARGO_BIN", "OUT_DIR"];

/// Whether a program must not learn this variable.
#[must_use]
pub fn is_foreign(name: &OsStr) -> bool {
    FOREIGN.iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
}

/// A program to be run.
pub struct Run {
    command: Command,
    limit: Duration,
    kill_at: Option<Duration>,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
    /// From its start to its end.
    pub wall: Duration,
    /// From its start to its first line.
    pub first_line: Option<Duration>,
}

impl Run {
    /// A program in a folder, with an environment that nothing of this one's leaks into.
    pub fn new(program: impl AsRef<OsStr>, folder: &Path) -> Self {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if is_foreign(&name) {
                command.env_remove(name);
            }
        }
        Self { command, limit: LIMIT, kill_at: None }
    }

    /// With these arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// With this variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With its standard error going where ours goes, for a person to see that something is being done.
    #[must_use]
    pub fn told(mut self) -> Self {
        self.command.stderr(Stdio::inherit());
        self
    }

    /// Ended with everything it started when it takes longer than this.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Killed alone, as `kill -9` does, when it has run this long.
    #[must_use]
    pub fn kill_at(mut self, at: Duration) -> Self {
        self.kill_at = Some(at);
        self
    }

    /// As another user, with the folder `shown` also to be found at `at`, read-only. For root.
    ///
    /// # Errors
    /// When one of the folders has no usual name.
    pub fn user(mut self, id: u32, shown: &Path, at: &Path) -> Result<Self> {
        os::become_user(&mut self.command, id, shown, at)?;
        Ok(self)
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started or runs into the limit.
    pub fn end(self) -> Result<Ended> {
        self.watch(|_| {}, |_, _| {}, |_| {})
    }

    /// Runs it to its end and fails when it does.
    ///
    /// # Errors
    /// When it cannot be started, runs into the limit or fails; with the end of what it said.
    pub fn succeed(self) -> Result<Ended> {
        let shown = format!("{:?}", self.command);
        let ended = self.end()?;
        if !ended.status.success() {
            bail!("{shown}\nended with {}:\n{}", ended.status, tail(&format!("{}{}", ended.stdout, ended.stderr)));
        }
        Ok(ended)
    }

    /// Runs it to its end, and tells its id, each line of its output with the time since its start, and the moment
    /// when it has closed its output but can still be asked about.
    ///
    /// # Errors
    /// When it cannot be started or runs into the limit.
    pub fn watch(
        mut self,
        started_as: impl FnOnce(u32),
        mut on_line: impl FnMut(&str, Duration),
        at_end: impl FnOnce(u32),
    ) -> Result<Ended> {
        let started = Instant::now();
        let mut child = scratch::start(&mut self.command)?;
        started_as(child.id());
        let (lines, errors) = read(&mut child);
        let mut ended = Ended {
            status: ExitStatus::default(),
            stdout: String::new(),
            stderr: String::new(),
            wall: Duration::ZERO,
            first_line: None,
        };
        let mut late = false;
        loop {
            let next =
                self.kill_at.filter(|at| *at < self.limit).unwrap_or(self.limit).saturating_sub(started.elapsed());
            match lines.recv_timeout(next) {
                Ok((at, line)) => {
                    let since = at.saturating_duration_since(started);
                    ended.first_line.get_or_insert(since);
                    on_line(line.trim_end_matches('\n'), since);
                    ended.stdout.push_str(&line);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if self.kill_at.take().is_some() => os::kill(child.id()),
                Err(RecvTimeoutError::Timeout) => {
                    late = true;
                    os::end_group(child.id(), true);
                    self.limit = started.elapsed() + Duration::from_secs(30);
                }
            }
        }
        at_end(child.id());
        ended.status = child.wait()?;
        ended.wall = started.elapsed();
        scratch::ended(child.id());
        // Something that was left behind may hold it open; that is for others to find.
        ended.stderr = errors.and_then(|errors| errors.recv_timeout(Duration::from_secs(10)).ok()).unwrap_or_default();
        if late {
            bail!("{:?} took longer than it may; it said\n{}", self.command, tail(&ended.stderr));
        }
        Ok(ended)
    }
}

type Lines = Receiver<(Instant, String)>;
type Errors = Option<Receiver<String>>;

/// Reads both outputs on threads of their own: a full pipe would stop the program.
fn read(child: &mut Child) -> (Lines, Errors) {
    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
                if sender.send((Instant::now(), String::from_utf8_lossy(&bytes).into_owned())).is_err() {
                    return;
                }
                bytes.clear();
            }
        });
    }
    let errors = child.stderr.take().map(|mut stderr| {
        let (sender, errors) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
        errors
    });
    (lines, errors)
}

/// The last lines of a text.
#[must_use]
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

/// The cargo that this program was started by, or the one in the path.
#[must_use]
pub fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Run {
        Run::new("sh", Path::new("/")).args(["-c", script])
    }

    #[test]
    fn what_a_program_said_and_how_it_ended_is_known() {
        let mut heard = Vec::new();
        let ended = sh("echo one; echo two; echo three >&2; exit 3").watch(
            |_| {},
            |line, _| heard.push(line.to_owned()),
            |_| {},
        );
        let ended = ended.unwrap();
        assert_eq!(
            (heard.join(" ").as_str(), ended.stderr.as_str(), ended.status.code()),
            ("one two", "three\n", Some(3))
        );
        assert!(ended.first_line.is_some());
        assert!(sh("echo wrong >&2; exit 1").succeed().unwrap_err().to_string().contains("wrong"));
    }

    #[test]
    fn a_program_can_be_killed_and_never_outlives_its_limit() {
        let killed = sh("exec sleep 60").kill_at(Duration::from_millis(1)).end().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&killed.status), Some(libc::SIGKILL));
        assert!(sh("sleep 60 & sleep 60").limit(Duration::from_millis(1)).end().is_err());
    }
}
