//! Carrying out a batch: init takes up tasks, starts their calls under all layers, and hears how they end.
//!
//! Runs in the forked child: raw calls on prepared data only, no allocation, no lock, no panic. What changes while it
//! runs lies on init's own stack.

use std::ffi::CString;
use std::mem::zeroed;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::{Batch, BatchCall, BatchStep, Code, MOST_TASKS, Workers};
use super::blueprint::{Blueprint, command_of};
use super::child::{SETUP_FAILED, take_command_steps};
use super::error::IsolationError;
use super::root::{c_string, inside_parts};
use super::step::Command;
use super::sys::{Errno, LIFE_FD, check, errno, exit, write_all};

/// What a call that could not be started ends with, as in a shell.
const CANNOT_START: libc::c_int = 127;
/// What a batch ends with when a task says that it is to end, and when tasks wait for each other.
const ENDED: libc::c_int = 1;
const STUCK: libc::c_int = 3;
/// Workers at most.
const WORKERS: usize = 2;

/// A batch as the child takes it.
#[derive(Debug)]
pub(super) struct Conducted {
    tasks: Vec<ReadyTask>,
    workers: usize,
}

#[derive(Debug)]
struct ReadyTask {
    needs: Vec<usize>,
    steps: Vec<ReadyStep>,
}

#[derive(Debug)]
enum ReadyStep {
    Say(Vec<u8>),
    SayCode(Vec<u8>),
    Call { command: Command, cwd: CString },
    Unless(Code, usize),
    Ready,
    EndUnlessZero,
}

impl Conducted {
    /// Prepares a batch, while allocating is still allowed.
    pub(super) fn prepare(batch: &Batch) -> Result<Self, IsolationError> {
        if batch.tasks.len() > MOST_TASKS {
            return Err(IsolationError::Job(format!("a batch has at most {MOST_TASKS} tasks")));
        }
        let step = |step: &BatchStep| {
            Ok(match step {
                BatchStep::Say(text) => ReadyStep::Say(text.clone().into_bytes()),
                BatchStep::SayCode(text) => ReadyStep::SayCode(text.clone().into_bytes()),
                BatchStep::Unless(code, count) => ReadyStep::Unless(*code, *count),
                BatchStep::Ready => ReadyStep::Ready,
                BatchStep::EndUnlessZero => ReadyStep::EndUnlessZero,
                BatchStep::Call(BatchCall { program, args, cwd, env }) => {
                    inside_parts(cwd)?;
                    ReadyStep::Call { command: command_of(program, args, env)?, cwd: c_string(cwd)? }
                }
            })
        };
        let task = |task: &super::batch::Task| {
            let steps = task.steps.iter().map(step).collect::<Result<_, IsolationError>>()?;
            Ok(ReadyTask { needs: task.needs.clone(), steps })
        };
        let workers = match batch.workers {
            Workers::One => 1,
            Workers::Two => WORKERS,
        };
        Ok(Self { tasks: batch.tasks.iter().map(task).collect::<Result<_, IsolationError>>()?, workers })
    }
}

/// A set of tasks.
struct Tasks([u64; MOST_TASKS / 64]);

impl Tasks {
    const NONE: Self = Self([0; MOST_TASKS / 64]);

    fn has(&self, task: usize) -> bool {
        self.0.get(task / 64).is_some_and(|word| word & (1 << (task % 64)) != 0)
    }

    fn add(&mut self, task: usize) {
        if let Some(word) = self.0.get_mut(task / 64) {
            *word |= 1 << (task % 64);
        }
    }
}

/// Who works on a task.
#[derive(Clone, Copy, Default)]
struct Worker {
    /// Its task, and the step that is next.
    at: Option<(usize, usize)>,
    /// Its call, while one runs.
    pid: Option<libc::pid_t>,
    /// What the last one ended with.
    code: libc::c_int,
}

/// What came of doing what can be done without waiting.
enum Advance {
    /// There is something to wait for.
    Wait,
    /// The batch ends, with this code.
    End(libc::c_int),
}

struct Conductor<'a> {
    plan: &'a Blueprint,
    batch: &'a Conducted,
    workers: [Worker; WORKERS],
    taken: Tasks,
    ready: Tasks,
}

/// How a batch or a command ended.
pub(super) struct End {
    /// What init is to say as the wait status; none when the life line was cut.
    pub(super) status: Option<libc::c_int>,
    /// What may be left.
    pub(super) left: [Option<libc::pid_t>; WORKERS],
}

/// Carries out the batch.
pub(super) fn conduct(plan: &Blueprint, batch: &Conducted) -> Result<End, Errno> {
    let signals = child_signals()?;
    let workers = [Worker::default(); WORKERS];
    let mut all = Conductor { plan, batch, workers, taken: Tasks::NONE, ready: Tasks::NONE };
    loop {
        if let Advance::End(code) = all.advance() {
            return Ok(End { status: Some(code << 8), left: all.workers.map(|worker| worker.pid) });
        }
        if !all.wait(signals)? {
            return Ok(End { status: None, left: all.workers.map(|worker| worker.pid) });
        }
    }
}

/// A descriptor that can be read when a child has ended.
pub(super) fn child_signals() -> Result<libc::c_int, Errno> {
    // SAFETY: the set is plain data, and initialised before use.
    check(unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    })
}

/// Waits until a child has ended, or the life line is cut: then false.
pub(super) fn wait_for_signal(signals: libc::c_int) -> Result<bool, Errno> {
    let poll = |fd, events| libc::pollfd { fd, events, revents: 0 };
    let mut polls = [poll(LIFE_FD, 0), poll(signals, libc::POLLIN)];
    // SAFETY: two valid structures.
    if unsafe { libc::poll(polls.as_mut_ptr(), 2, -1) } < 0 && errno() != libc::EINTR {
        return Err(errno());
    }
    if polls[0].revents != 0 {
        return Ok(false);
    }
    // SAFETY: an array of bytes is valid for reading into; the structure's content does not matter.
    unsafe {
        let mut info: libc::signalfd_siginfo = zeroed();
        libc::read(signals, (&raw mut info).cast(), size_of::<libc::signalfd_siginfo>());
    }
    Ok(true)
}

/// Takes leave of a child that has ended, and says how it did; none where no further one has.
pub(super) fn next_ended() -> Option<(libc::pid_t, libc::c_int)> {
    loop {
        let mut status = 0;
        // SAFETY: the status is valid for writing.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::__WALL) };
        if pid > 0 {
            return Some((pid, status));
        }
        if pid == 0 || errno() != libc::EINTR {
            return None;
        }
    }
}

impl Conductor<'_> {
    /// Does everything that can be done now.
    fn advance(&mut self) -> Advance {
        // A task that gets ready lets a worker begin that was looked at before.
        let mut moved = true;
        while moved {
            moved = false;
            for number in 0..self.batch.workers.min(WORKERS) {
                match self.advance_worker(number) {
                    Some(Advance::End(code)) => return Advance::End(code),
                    Some(Advance::Wait) => moved = true,
                    None => {}
                }
            }
        }
        if self.workers.iter().any(|worker| worker.pid.is_some()) {
            return Advance::Wait;
        }
        let all = (0..self.batch.tasks.len()).all(|task| self.taken.has(task));
        Advance::End(if all { 0 } else { STUCK })
    }

    /// The next steps of a worker, until one of its calls runs or it has nothing to do; none when that was so already.
    fn advance_worker(&mut self, number: usize) -> Option<Advance> {
        let mut worker = self.workers.get(number).copied()?;
        if worker.pid.is_some() {
            return None;
        }
        let mut moved = None;
        while let Some((task, step)) = worker.at.or_else(|| self.next().map(|task| (task, 0))) {
            moved = Some(Advance::Wait);
            self.taken.add(task);
            let Some(todo) = self.batch.tasks.get(task).and_then(|task| task.steps.get(step)) else {
                self.ready.add(task);
                worker.at = None;
                continue;
            };
            worker.at = Some((task, step + 1));
            // The first worker has stdout, the second stderr.
            let out = if number == 0 { libc::STDOUT_FILENO } else { libc::STDERR_FILENO };
            match todo {
                ReadyStep::Say(text) => say(out, text),
                ReadyStep::SayCode(text) => say_code(out, text, worker.code),
                ReadyStep::Unless(code, count) if !code.is(worker.code) => {
                    worker.at = Some((task, step.saturating_add(1).saturating_add(*count)));
                }
                ReadyStep::Unless(..) => {}
                ReadyStep::Ready => self.ready.add(task),
                ReadyStep::EndUnlessZero if worker.code != 0 => moved = Some(Advance::End(ENDED)),
                ReadyStep::EndUnlessZero => {}
                ReadyStep::Call { command, cwd } => {
                    let start = Start { plan: self.plan, command, cwd, out, failed: AtomicBool::new(false) };
                    match start.now() {
                        Ok(pid) => worker.pid = Some(pid),
                        Err(_) => worker.code = CANNOT_START,
                    }
                    if start.failed.load(Ordering::Relaxed) {
                        // The step that failed was reported.
                        moved = Some(Advance::End(SETUP_FAILED));
                    }
                }
            }
            if worker.pid.is_some() || matches!(moved, Some(Advance::End(_))) {
                break;
            }
        }
        if let Some(place) = self.workers.get_mut(number) {
            *place = worker;
        }
        moved
    }

    /// The first task that is not taken and that nothing holds up.
    fn next(&self) -> Option<usize> {
        let mut open = self.batch.tasks.iter().enumerate().filter(|(number, _)| !self.taken.has(*number));
        open.find(|(_, task)| task.needs.iter().all(|need| self.ready.has(*need))).map(|(number, _)| number)
    }

    /// Waits until a child has ended, and hears how all have that did; false when the life line is cut.
    fn wait(&mut self, signals: libc::c_int) -> Result<bool, Errno> {
        if !self.reap() && !wait_for_signal(signals)? {
            return Ok(false);
        }
        self.reap();
        Ok(true)
    }

    /// Whether a call of a worker has ended.
    fn reap(&mut self) -> bool {
        let mut ended = false;
        while let Some((pid, status)) = next_ended() {
            for worker in self.workers.iter_mut().filter(|worker| worker.pid == Some(pid)) {
                worker.pid = None;
                worker.code =
                    if libc::WIFSIGNALED(status) { 128 + libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) };
                ended = true;
            }
        }
        ended
    }
}

/// A call that is to be started.
struct Start<'a> {
    plan: &'a Blueprint,
    command: &'a Command,
    cwd: &'a CString,
    /// Where it prints to.
    out: libc::c_int,
    /// A layer could not be set up.
    failed: AtomicBool,
}

impl Start<'_> {
    /// Comes back when the program has started, or could not be.
    fn now(&self) -> Result<libc::pid_t, Errno> {
        // SAFETY: the entry takes this structure, never returns, and changes nothing that is shared but its flag.
        unsafe { self.plan.command_stack.run(start_entry, ptr::from_ref(self).cast_mut().cast()) }
    }
}

extern "C" fn start_entry(start: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the structure was lent by init, which stands still.
    let start = unsafe { &*start.cast::<Start<'_>>() };
    start.failed.store(true, Ordering::Relaxed);
    take_command_steps(start.plan);
    start.failed.store(false, Ordering::Relaxed);
    for fd in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: takes numbers.
        if fd != start.out && unsafe { libc::dup2(start.out, fd) } < 0 {
            exit(CANNOT_START);
        }
    }
    // SAFETY: the path ends in NUL.
    if unsafe { libc::chdir(start.cwd.as_ptr()) } == 0 {
        start.command.start();
    }
    exit(CANNOT_START)
}

fn say(out: libc::c_int, text: &[u8]) {
    // Nobody listens any more when this fails.
    let _ = write_all(out, text);
}

fn say_code(out: libc::c_int, text: &[u8], code: libc::c_int) {
    const DIGITS: usize = 3;
    let mut line = [b' ', b'0', b'0', b'0', b'\n'];
    let mut rest = code.clamp(0, 999);
    for place in line.iter_mut().skip(1).take(DIGITS).rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    say(out, text);
    say(out, &line);
}
