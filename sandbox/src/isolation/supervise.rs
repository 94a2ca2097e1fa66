//! Watching over a running sandbox from the calling thread: output, limits, cancelling, and the end.
//!
//! One loop over the pipes. It ends only when every process of the sandbox is gone.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::blueprint::Blueprint;
use super::cancel::Cancel;
use super::cgroup::Group;
use super::copied::Stage;
use super::error::IsolationError;
use super::finished::{Exit, Finished, LimitKind, Stream};
use super::job::{Job, Limits, Tree};
use super::launch::{PATIENCE, Running};
use super::output::Output;
use super::report::{Record, receive};
use super::room::{Room, hold_more_than};
use super::watch;

/// The first look at memory comes soon, for jobs that are short; later ones come at the longer pace.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running job and what is known of it.
pub(super) struct Supervisor<'a> {
    running: Running,
    /// The control group that its processes are in. Given back when they are gone.
    group: Option<Group>,
    limits: &'a Limits,
    cancel: &'a Cancel,
    begun: Instant,
    stdout: Output,
    stderr: Output,
    printed: u64,
    /// Why it was told to end, and when.
    stopped: Option<(Exit, Instant)>,
    /// When the program had started: from then on, what its processes use is its own.
    started: Option<Instant>,
    /// When it was heard that the program has ended.
    ended: Option<Instant>,
    /// How it ended, or failed to begin.
    outcome: Option<Record>,
    room: Room,
    /// Scratch folders that lie on a disk.
    scratch: Vec<PathBuf>,
    next_look: Instant,
    pace: Duration,
    peak_memory: u64,
}

/// The pipes that are still open.
struct Open {
    report: bool,
    stdout: bool,
    stderr: bool,
    ended: bool,
}

/// Runs a prepared job to its end.
pub(super) fn run(
    plan: &Blueprint,
    job: &Job,
    group: Option<Group>,
    cancel: &Cancel,
    on_line: &mut dyn FnMut(Stream, &[u8]),
) -> Result<Finished, IsolationError> {
    let begun = Instant::now();
    let stage = if plan.gathers { Some(Stage::set(job, cancel)?) } else { None };
    let room = Room::now(written(job, stage.is_some()))?;
    let mut supervisor = Supervisor {
        running: Running::start(plan, job.merge_output)?,
        group,
        limits: &job.limits,
        cancel,
        begun,
        stdout: Output::new(Stream::Stdout, job.keep_output),
        stderr: Output::new(Stream::Stderr, job.keep_output),
        printed: 0,
        stopped: None,
        started: None,
        ended: None,
        outcome: None,
        room,
        scratch: if stage.is_some() { vec![job.places.home.clone(), job.places.tmp.clone()] } else { Vec::new() },
        next_look: begun + FIRST_LOOK,
        pace: FIRST_LOOK,
        peak_memory: 0,
    };
    supervisor.watch(on_line)?;
    // The copy of the tree goes when every process is gone.
    let finished = supervisor.finish(plan, on_line);
    drop(stage);
    finished
}

/// The folders of the host that a job writes to. A copied tree and its scratch folders lie there too.
fn written(job: &Job, copied: bool) -> impl Iterator<Item = &Path> {
    let tree = match &job.tree {
        _ if copied => Some(&job.places.tree),
        Tree::Writable(path) => Some(path),
        Tree::CopyOnWrite { .. } => None,
    };
    tree.into_iter()
        .chain(job.writable.iter().map(move |(host, inside)| if copied { inside } else { host }))
        .map(PathBuf::as_path)
}

impl Supervisor<'_> {
    fn watch(&mut self, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<(), IsolationError> {
        let mut open = Open { report: true, stdout: true, stderr: self.running.stderr.is_some(), ended: false };
        while open.report || open.stdout || open.stderr || !open.ended {
            let ready = self.poll(&open)?;
            if ready.report {
                open.report = self.read_record()?;
            }
            if ready.stdout {
                open.stdout = self.read_output(Stream::Stdout, on_line)?;
            }
            if ready.stderr {
                open.stderr = self.read_output(Stream::Stderr, on_line)?;
            }
            open.ended |= ready.ended;
            self.keep_limits();
        }
        Ok(())
    }

    /// Waits until something can be read, the sandbox has ended, the job is cancelled, or it is time to look.
    fn poll(&self, open: &Open) -> Result<Open, IsolationError> {
        let poll = |fd: BorrowedFd<'_>, wanted: bool| libc::pollfd {
            fd: if wanted { fd.as_raw_fd() } else { -1 },
            events: libc::POLLIN,
            revents: 0,
        };
        let running = &self.running;
        let stderr = running.stderr.as_ref().unwrap_or(&running.stdout);
        let mut polls = [
            poll(running.report.as_fd(), open.report),
            poll(running.stdout.as_fd(), open.stdout),
            poll(stderr.as_fd(), open.stderr),
            poll(running.ended.as_fd(), !open.ended),
            poll(self.cancel.event(), self.stopped.is_none()),
        ];
        let until = self.wake_at().saturating_duration_since(Instant::now());
        // Rounded up, or the last part of a millisecond would be spent polling.
        let millis = i32::try_from(until.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        // SAFETY: the array is as long as is said.
        let done = unsafe { libc::poll(polls.as_mut_ptr(), polls.len() as libc::nfds_t, millis) };
        if done < 0 {
            let error = IsolationError::last("waiting for the sandbox");
            let interrupted = matches!(&error, IsolationError::System { source, .. }
                if source.kind() == std::io::ErrorKind::Interrupted);
            return if interrupted {
                Ok(Open { report: false, stdout: false, stderr: false, ended: false })
            } else {
                Err(error)
            };
        }
        let [report, stdout, stderr, ended, _] = polls.map(|poll| poll.revents != 0);
        Ok(Open { report, stdout, stderr, ended })
    }

    fn wake_at(&self) -> Instant {
        match self.stopped {
            Some((_, told)) => (Instant::now() + LOOK_EVERY).max(told + LOOK_EVERY),
            // Nothing is left to look at: what comes next is the end, which is told.
            None if self.outcome.is_some() => Instant::now() + LOOK_EVERY,
            None if self.started.is_some() => self.next_look.min(self.begun + self.limits.wall),
            None => self.begun + self.limits.wall,
        }
    }

    fn read_record(&mut self) -> Result<bool, IsolationError> {
        let mut bytes = [0; Record::SIZE];
        let (read, mounts) = receive(&self.running.report, &mut bytes)
            .map_err(|source| IsolationError::System { what: "reading from the sandbox", source })?;
        self.running.mounts = mounts.or_else(|| self.running.mounts.take());
        match Record::read(&bytes) {
            Some(Record::Mounts) => {}
            Some(Record::Started) => {
                let now = Instant::now();
                self.started = Some(now);
                self.next_look = now + self.pace;
            }
            // The first word counts: a step that fails ends the others too.
            Some(record) if read == bytes.len() => {
                self.outcome = self.outcome.or(Some(record));
                self.ended.get_or_insert_with(Instant::now);
            }
            _ => {}
        }
        Ok(read > 0)
    }

    fn read_output(&mut self, stream: Stream, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<bool, IsolationError> {
        let mut bytes = [0; 64 << 10];
        let (pipe, output) = match (stream, &mut self.running.stderr) {
            (Stream::Stderr, Some(pipe)) => (pipe, &mut self.stderr),
            _ => (&mut self.running.stdout, &mut self.stdout),
        };
        let count = read(pipe, &mut bytes)?;
        let room = self.limits.output.saturating_sub(self.printed);
        let kept = count.min(usize::try_from(room).unwrap_or(usize::MAX));
        output.take(bytes.get(..kept).unwrap_or_default(), on_line);
        self.printed = self.printed.saturating_add(kept as u64);
        if kept < count {
            self.stop(Exit::Limit(LimitKind::Output(self.limits.output)));
        }
        Ok(count > 0)
    }

    fn keep_limits(&mut self) {
        let now = Instant::now();
        if let Some((_, told)) = self.stopped {
            if now > told + PATIENCE {
                self.running.end_hard();
            }
            return;
        }
        if self.outcome.is_some() {
            // The command has ended, or never began: what is left ends by itself.
            return;
        }
        if self.cancel.is_cancelled() {
            self.stop(Exit::Cancelled);
        } else if now >= self.begun + self.limits.wall {
            self.stop(Exit::Limit(LimitKind::Wall(self.limits.wall)));
        } else if self.started.is_some() && now >= self.next_look {
            self.look();
        }
    }

    fn look(&mut self) {
        let usage = watch::usage(self.running.monitor);
        self.peak_memory = self.peak_memory.max(usage.memory);
        self.pace = (self.pace * 2).min(LOOK_EVERY);
        self.next_look = Instant::now() + self.pace;
        let limits = self.limits;
        if usage.memory > limits.memory {
            self.stop(Exit::Limit(LimitKind::Memory(limits.memory)));
        } else if usage.tasks > limits.processes {
            self.stop(Exit::Limit(LimitKind::Processes(limits.processes)));
        } else if usage.cpu > limits.cpu {
            self.stop(Exit::Limit(LimitKind::Cpu(limits.cpu)));
        } else if hold_more_than(&self.scratch, limits.tmp) {
            self.stop(Exit::Limit(LimitKind::Tmp(limits.tmp)));
        } else if self.room.has_shrunk_by(limits.disk) {
            self.stop(Exit::Limit(LimitKind::MachineDisk(limits.disk)));
        } else if let Some((available, least)) = watch::machine_memory()
            && available < least
        {
            self.stop(Exit::Limit(LimitKind::MachineMemory(least)));
        }
    }

    fn stop(&mut self, why: Exit) {
        if self.stopped.is_none() {
            self.stopped = Some((why, Instant::now()));
            self.running.end();
            if let Some(group) = &self.group {
                group.end();
            }
        }
    }

    fn finish(mut self, plan: &Blueprint, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<Finished, IsolationError> {
        let cpu = self.running.wait();
        let network_attempts = match self.outcome {
            Some(Record::Ended { network, .. }) => network,
            _ => 0,
        };
        if let Some(group) = &self.group {
            group.wait_for_end(PATIENCE);
        }
        let limits = self.limits;
        if self.stopped.is_none() && self.group.as_ref().is_some_and(Group::ran_out_of_memory) {
            self.stopped = Some((Exit::Limit(LimitKind::Memory(limits.memory)), Instant::now()));
        }
        let exit = match (self.outcome, self.stopped) {
            // One that was told to end while it was built complains about it.
            (_, Some((why, _))) => why,
            (Some(Record::Failed { step, errno }), None) => return Err(plan.failure(step, errno)),
            (Some(Record::Ended { status, tree_full, tmp_full, .. }), None) => {
                self.ended_by_itself(status, tree_full, tmp_full)
            }
            (Some(Record::Mounts | Record::Ready | Record::Started) | None, None) => return Err(IsolationError::Lost),
        };
        let until = self.stopped.map(|(_, told)| told).or(self.ended).unwrap_or_else(Instant::now);
        Ok(Finished {
            exit,
            running: self.started.map_or(Duration::ZERO, |since| until.saturating_duration_since(since)),
            stdout: self.stdout.finish(on_line),
            stderr: self.stderr.finish(on_line),
            wall: self.begun.elapsed(),
            cpu,
            peak_memory: self.peak_memory,
            network_attempts,
        })
    }

    fn ended_by_itself(&self, status: i32, tree_full: bool, tmp_full: bool) -> Exit {
        let limits = self.limits;
        let exit = if libc::WIFSIGNALED(status) {
            Exit::Signal(libc::WTERMSIG(status))
        } else {
            Exit::Code(libc::WEXITSTATUS(status))
        };
        match exit {
            Exit::Signal(libc::SIGXCPU) => Exit::Limit(LimitKind::Cpu(limits.cpu)),
            Exit::Signal(libc::SIGXFSZ) => Exit::Limit(LimitKind::FileSize(limits.file_size)),
            Exit::Code(0) => exit,
            // A command that failed with no room left failed for that.
            _ if tree_full => Exit::Limit(LimitKind::Disk(limits.disk)),
            _ if tmp_full => Exit::Limit(LimitKind::Tmp(limits.tmp)),
            _ => exit,
        }
    }
}

fn read(pipe: &mut File, into: &mut [u8]) -> Result<usize, IsolationError> {
    loop {
        match pipe.read(into) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => {
                return other.map_err(|source| IsolationError::System { what: "reading from the sandbox", source });
            }
        }
    }
}
