//! Starting a sandbox and holding on to it: the fork, the pipes, and a handle that ends everything when it is dropped.

use std::fs::File;
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use super::blueprint::Blueprint;
use super::child::{Ends, become_monitor};
use super::error::IsolationError;

/// How long a sandbox that was told to end may take before its monitor is ended hard.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A sandbox that runs. Dropping it ends every process in it and waits until they are gone.
pub(super) struct Running {
    /// The monitor's number; ours until it is waited for.
    pub monitor: libc::pid_t,
    /// Readable when the monitor has ended, and with it everything inside.
    pub ended: OwnedFd,
    pub report: File,
    pub stdout: File,
    /// None when it goes the way of stdout.
    pub stderr: Option<File>,
    /// Cutting it ends the sandbox.
    life: Option<OwnedFd>,
    /// A hold on its mounts, and on what lies in memory there.
    pub mounts: Option<OwnedFd>,
    waited: bool,
}

fn pipe() -> Result<(OwnedFd, OwnedFd), IsolationError> {
    let mut ends = [0; 2];
    // SAFETY: the array has room for two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } < 0 {
        return Err(IsolationError::last("making a pipe"));
    }
    // SAFETY: both descriptors are new and ours alone.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

fn sockets() -> Result<(OwnedFd, OwnedFd), IsolationError> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    // SAFETY: the array has room for two descriptors.
    if unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) } < 0 {
        return Err(IsolationError::last("making a pair of sockets"));
    }
    // SAFETY: both descriptors are new and ours alone.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

impl Running {
    /// Starts the processes of `plan`.
    pub(super) fn start(plan: &Blueprint, merge_output: bool) -> Result<Self, IsolationError> {
        let (stdout, stdout_end) = pipe()?;
        let (report, report_end) = sockets()?;
        let (life_end, life) = pipe()?;
        let (stderr, stderr_end) = if merge_output { (None, None) } else { pipe().map(|(a, b)| (Some(a), Some(b)))? };
        let ends = Ends {
            stdout: stdout_end.as_raw_fd(),
            stderr: stderr_end.as_ref().unwrap_or(&stdout_end).as_raw_fd(),
            report: report_end.as_raw_fd(),
            life: life_end.as_raw_fd(),
        };
        let monitor = fork_monitor(plan, ends)?;
        // SAFETY: takes numbers; the monitor is our child and not waited for.
        let ended = unsafe { libc::syscall(libc::SYS_pidfd_open, monitor, 0 as libc::c_uint) };
        if ended < 0 {
            let error = IsolationError::last("watching the sandbox");
            drop(life);
            // SAFETY: the monitor is our child and not waited for.
            unsafe { libc::kill(monitor, libc::SIGKILL) };
            wait(monitor);
            return Err(error);
        }
        Ok(Self {
            monitor,
            // SAFETY: the descriptor is new and ours alone.
            ended: unsafe { OwnedFd::from_raw_fd(ended as libc::c_int) },
            report: report.into(),
            stdout: stdout.into(),
            stderr: stderr.map(File::from),
            life: Some(life),
            mounts: None,
            waited: false,
        })
    }

    /// Tells the sandbox to end, with everything in it. It has ended when `ended` is readable.
    pub(super) fn end(&mut self) {
        self.life = None;
    }

    /// Ends the monitor itself, for one that does not react; what is inside ends with it.
    pub(super) fn end_hard(&self) {
        let nothing = ptr::null::<libc::siginfo_t>();
        // SAFETY: no signal information is passed.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                self.ended.as_raw_fd(),
                libc::SIGKILL,
                nothing,
                0 as libc::c_uint,
            )
        };
    }

    /// Waits for the monitor, and with it for everything inside; the processor time of all of it.
    pub(super) fn wait(&mut self) -> Duration {
        if self.waited {
            return Duration::ZERO;
        }
        self.waited = true;
        wait(self.monitor)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        if !self.waited {
            let mut poll = libc::pollfd { fd: self.ended.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            let millis = libc::c_int::try_from(PATIENCE.as_millis()).unwrap_or(libc::c_int::MAX);
            // SAFETY: one valid structure.
            if unsafe { libc::poll(&raw mut poll, 1, millis) } <= 0 {
                self.end_hard();
            }
        }
        self.wait();
        // What lay in memory is given back beside whatever comes next; here, where no thread can be had for it.
        if let Some(mounts) = self.mounts.take() {
            let _ = std::thread::Builder::new().name("sandbox-end".to_owned()).spawn(move || drop(mounts));
        }
    }
}

/// Forks with every signal blocked, so that no handler of ours runs in the child before it has dropped them.
fn fork_monitor(plan: &Blueprint, ends: Ends) -> Result<libc::pid_t, IsolationError> {
    // SAFETY: both sets are plain data, initialised before use.
    let before = unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (zeroed(), zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    // SAFETY: the child makes raw calls on prepared data only, and never returns.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        become_monitor(plan, ends);
    }
    let failed = io::Error::last_os_error();
    // SAFETY: the set is the one from above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    if pid < 0 { Err(IsolationError::System { what: "forking", source: failed }) } else { Ok(pid) }
}

/// Waits for a child of ours and returns the processor time of it and all that it waited for.
fn wait(pid: libc::pid_t) -> Duration {
    loop {
        // SAFETY: all zeroes are a valid value of this plain structure.
        let mut usage: libc::rusage = unsafe { zeroed() };
        // SAFETY: the structure is valid for writing; no status is asked for.
        let done = unsafe { libc::wait4(pid, ptr::null_mut(), libc::__WALL, &raw mut usage) };
        if done >= 0 {
            return time(usage.ru_utime) + time(usage.ru_stime);
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return Duration::ZERO;
        }
    }
}

fn time(value: libc::timeval) -> Duration {
    Duration::from_secs(value.tv_sec.unsigned_abs()) + Duration::from_micros(value.tv_usec.unsigned_abs())
}
