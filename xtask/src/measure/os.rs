//! The few calls to the operating system that the standard library does not offer: waiting for signals, ending a group
//! of processes, and the memory that an ended process had used. All unsafe code of the tools is here, but for that of
//! the hostile tree.

use std::ffi::CString;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// Ends the processes of a group that one of our children leads.
pub fn end_group(leader: u32, force: bool) {
    let signal = if force { libc::SIGKILL } else { libc::SIGTERM };
    if let Ok(group) = libc::pid_t::try_from(leader)
        && group > 1
    {
        // SAFETY: plain call without pointers; the group was made by one of our children and is named by its id.
        unsafe { libc::kill(-group, signal) };
    }
}

/// Whether a group that one of our children led still has a process.
#[must_use]
pub fn group_lives(leader: u32) -> bool {
    // SAFETY: plain call without pointers; signal 0 only asks.
    libc::pid_t::try_from(leader).is_ok_and(|group| group > 1 && unsafe { libc::kill(-group, 0) } == 0)
}

/// Ends one child at once, as `kill -9` does. Its own children are not touched.
pub fn kill(child: u32) {
    if let Ok(pid) = libc::pid_t::try_from(child)
        && pid > 1
    {
        // SAFETY: plain call without pointers; the child has not been waited for, so its id is still its own.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
}

/// Asks one child to end. Its own children are not touched.
pub fn terminate(child: u32) {
    if let Ok(pid) = libc::pid_t::try_from(child)
        && pid > 1
    {
        // SAFETY: plain call without pointers; the child has not been waited for, so its id is still its own.
        unsafe { libc::kill(pid, libc::SIGTERM) };
    }
}

/// Whether this process is root's.
#[must_use]
pub fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Holds a process by a descriptor that cannot come to mean another one; none when it is gone already.
#[must_use]
pub fn hold(process: u32) -> Option<OwnedFd> {
    let pid = libc::pid_t::try_from(process).ok()?;
    // SAFETY: takes numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0 as libc::c_uint) };
    let fd = libc::c_int::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the descriptor is new and ours alone.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether a process that is held has ended.
#[must_use]
pub fn has_ended(held: &OwnedFd) -> bool {
    let mut poll = libc::pollfd { fd: held.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid structure.
    unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
}

/// How a child ended, and what it had used.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// Whether it ended with exit code 0.
    pub success: bool,
    /// The most memory it held at one time, bytes.
    pub peak_memory: u64,
}

/// Waits for a child and says what it used.
///
/// # Errors
/// When it is no child of this process, or was waited for already.
pub fn wait_used(child: u32) -> io::Result<Used> {
    let pid = libc::pid_t::try_from(child).map_err(io::Error::other)?;
    let mut status: libc::c_int = 0;
    // SAFETY: `rusage` holds only integers, for which all zeros is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live variables of the right types.
        let done = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
        if done == pid {
            let kib = u64::try_from(usage.ru_maxrss).unwrap_or(0);
            return Ok(Used {
                success: libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
                peak_memory: kib * 1024,
            });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Where the handler tells that a signal came; below zero before there is one.
static TOLD: AtomicI32 = AtomicI32::new(-1);

/// Passes the signal on to a thread that may do more than a handler may.
extern "C" fn pass_on(signal: libc::c_int) {
    let byte = u8::try_from(signal).unwrap_or(0);
    // SAFETY: `write` may be called from a handler; the pointer is to a live byte, and the pipe is never closed.
    unsafe { libc::write(TOLD.load(Ordering::SeqCst), (&raw const byte).cast(), 1) };
}

/// Calls `then`, on a thread of its own, with the first signal that asks this process to end. Children are not
/// concerned: a handler ends where another program begins.
///
/// # Errors
/// When there is no pipe to be had.
pub fn on_stop_signal(then: impl FnOnce(i32) + Send + 'static) -> io::Result<()> {
    let (mut reader, writer) = io::pipe()?;
    TOLD.store(writer.into_raw_fd(), Ordering::SeqCst);
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        let handler: extern "C" fn(libc::c_int) = pass_on;
        // SAFETY: zeros are a value of this type: no flags, an empty mask. The handler does only what one may do.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
    std::thread::spawn(move || {
        let mut signal = [0_u8; 1];
        if reader.read_exact(&mut signal).is_ok() {
            then(i32::from(signal[0]));
        }
    });
    Ok(())
}

/// The processor time that the threads of this process have used so far.
#[must_use]
pub fn own_time_now() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live variable of the right type.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
}

/// The processor time that a process's own threads have used so far, without that of its children; `None` once it is
/// gone. With it, whether the process has ended and only waits to be asked how.
#[must_use]
pub fn own_time(pid: u32) -> Option<(Duration, bool)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows it is plain.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // SAFETY: plain call without pointers.
    let per_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok().filter(|ticks| *ticks > 0)?;
    Some((Duration::from_millis(ticks * 1000 / per_second), fields.first() == Some(&"Z")))
}

/// Makes a program run as another user, in no group but its own. Mounts of its own show it the folder `shown` at `at`,
/// read-only: what lies in root's home is out of reach otherwise. Nothing of the machine changes.
///
/// # Errors
/// When a path holds a NUL byte.
pub fn become_user(command: &mut Command, id: u32, shown: &Path, at: &Path) -> io::Result<()> {
    let c_path = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other);
    let (shown, at) = (c_path(shown)?, c_path(at)?);
    let become_user = move || {
        let check = |done: libc::c_int| if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
        let none = std::ptr::null();
        let again = libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY | libc::MS_NOSUID;
        // SAFETY: plain calls with numbers, and strings that end in NUL and live as long as the closure.
        unsafe {
            check(libc::unshare(libc::CLONE_NEWNS))?;
            check(libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, none.cast()))?;
            check(libc::mount(shown.as_ptr(), at.as_ptr(), none, libc::MS_BIND, none.cast()))?;
            check(libc::mount(none, at.as_ptr(), none, again, none.cast()))?;
            check(libc::setgroups(0, std::ptr::null()))?;
            check(libc::setgid(id))?;
            check(libc::setuid(id))
        }
    };
    // SAFETY: between fork and exec only plain calls are made, and nothing is allocated.
    unsafe { command.pre_exec(become_user) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_a_time_and_a_process_that_is_not_there_has_none() {
        let (_, ended) = own_time(std::process::id()).unwrap();
        assert!(!ended);
        assert!(own_time(u32::MAX).is_none());
    }

    #[test]
    fn what_a_child_used_is_told_once() {
        #[expect(clippy::zombie_processes, reason = "waited for by its id")]
        let child = std::process::Command::new("true").spawn().unwrap();
        let used = wait_used(child.id()).unwrap();
        assert!(used.success && used.peak_memory > 0);
        assert!(wait_used(child.id()).is_err());
    }
}
