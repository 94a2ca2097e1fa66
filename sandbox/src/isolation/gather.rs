//! Ending a tree of processes without a pid namespace: whatever leaves its parent comes back to the gatherer, which kills
//! its children until it has none.
//!
//! Runs in the forked child: raw calls only, nothing here allocates.

use std::ptr;

use super::sys::{Fd, check, errno, open_at};

/// Room for the list of children; what does not fit comes with the next look.
const LIST: usize = 16 << 10;

/// Kills the process groups of `leaders` and then every child, and those that come back from them, until none is left.
/// The caller must be a child subreaper and know no children that are to live.
pub(super) fn end_all(leaders: &[Option<libc::pid_t>]) {
    for leader in leaders.iter().flatten() {
        // All of a group end in one call, so that a fork bomb has no time to go on elsewhere.
        kill(-leader);
    }
    loop {
        kill_children();
        if !reap() {
            return;
        }
        // What was killed needs the processor to end.
        let pause = libc::timespec { tv_sec: 0, tv_nsec: 200_000 };
        // SAFETY: the structure is valid for reading.
        unsafe { libc::nanosleep(&raw const pause, ptr::null_mut()) };
    }
}

fn kill(pid: libc::pid_t) {
    // SAFETY: takes numbers.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Kills every child of this thread that the kernel lists.
fn kill_children() {
    let Ok(list) = open_at(libc::AT_FDCWD, c"/proc/thread-self/children", libc::O_RDONLY, 0) else { return };
    let mut bytes = [0u8; LIST];
    let mut pid: libc::pid_t = 0;
    while let Some(text) = read(&list, &mut bytes) {
        for byte in text {
            if byte.is_ascii_digit() {
                pid = pid.saturating_mul(10).saturating_add(libc::pid_t::from(byte - b'0'));
            } else if pid > 1 {
                kill(pid);
                pid = 0;
            }
        }
    }
    if pid > 1 {
        kill(pid);
    }
}

/// The next bytes of a file; none at its end.
fn read<'b>(file: &Fd, into: &'b mut [u8]) -> Option<&'b [u8]> {
    // SAFETY: the pointer and the length are those of a slice.
    let count = unsafe { libc::read(file.0, into.as_mut_ptr().cast(), into.len()) };
    usize::try_from(count).ok().filter(|count| *count > 0).and_then(|count| into.get(..count))
}

/// Takes leave of every child that has ended; whether any is left.
fn reap() -> bool {
    loop {
        // SAFETY: no status is asked for.
        match check(unsafe { libc::waitpid(-1, ptr::null_mut(), libc::WNOHANG | libc::__WALL) }) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => return false,
        }
    }
}
