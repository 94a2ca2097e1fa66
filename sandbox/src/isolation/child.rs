//! The forked side: monitor, init and command, from the fork to the program's first instruction.
//!
//! Runs in a copy of a process with threads: raw calls on prepared data only, no allocation, no lock, no panic. Ends
//! with `exec` or `_exit`, and never returns into Kaizen's code. Init and command share the monitor's memory, one after
//! the other, so none of them writes to anything but its own stack.

use std::ffi::CStr;
use std::mem::zeroed;
use std::ptr;

use super::blueprint::Blueprint;
use super::conduct::{End, child_signals, conduct, next_ended, wait_for_signal};
use super::gather;
use super::netcount;
use super::report::{Record, hand_over_mounts};
use super::step::Step;
use super::sys::{Errno, LIFE_FD, REPORT_FD, check, check_long, errno, exit, open_at};

/// Exit codes of monitor and init; nobody reads them, the records say more.
pub(super) const SETUP_FAILED: libc::c_int = 120;
const TOLD_TO_END: libc::c_int = 121;
/// The step index for what is no step.
const NO_STEP: u32 = u32::MAX;

/// The descriptors that the child is started with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub stdout: libc::c_int,
    pub stderr: libc::c_int,
    pub report: libc::c_int,
    pub life: libc::c_int,
}

/// Becomes the monitor of a sandbox. Call it in the child, with all signals blocked.
pub(super) fn become_monitor(plan: &Blueprint, ends: Ends) -> ! {
    reset_signals();
    if settle(ends).is_err() {
        exit(SETUP_FAILED);
    }
    take(&plan.monitor, 0);
    if plan.own_mounts {
        hand_over_mounts();
    }
    // Comes back when init has ended, and with it everything in its pid namespace. Init itself listens on the life line.
    // SAFETY: the entry takes a blueprint, never returns, and changes nothing that is shared.
    match unsafe { plan.init_stack.run(init_entry, ptr::from_ref(plan).cast_mut().cast()) } {
        Err(errno) => fail(NO_STEP, errno),
        Ok(init) => {
            wait_for(init);
            if plan.gathers {
                // Init has done so, unless somebody killed it.
                gather::end_all(&[]);
            }
            exit(0)
        }
    }
}

extern "C" fn init_entry(plan: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the blueprint was lent by the monitor, which stands still.
    become_init(unsafe { &*plan.cast::<Blueprint>() })
}

fn become_init(plan: &Blueprint) -> ! {
    take(&plan.init, plan.monitor.len());
    let End { status, left } = match &plan.batch {
        Some(batch) => {
            Record::Started.send();
            match conduct(plan, batch) {
                Ok(end) => end,
                Err(errno) => fail(NO_STEP, errno),
            }
        }
        None => one_command(plan),
    };
    if plan.gathers {
        gather::end_all(&left);
    }
    let Some(status) = status else { exit(TOLD_TO_END) };
    let tree_full = plan.tree.as_deref().is_some_and(is_full);
    let network = if plan.own_network { netcount::attempts() } else { 0 };
    Record::Ended { status, tree_full, network, tmp_full: plan.tmp.as_deref().is_some_and(is_full) }.send();
    // The kernel ends whatever is left in the namespace.
    exit(0)
}

/// Starts the command and waits for its end.
fn one_command(plan: &Blueprint) -> End {
    // Comes back when the program has started.
    // SAFETY: the entry takes a blueprint, never returns, and changes nothing that is shared.
    match unsafe { plan.command_stack.run(command_entry, ptr::from_ref(plan).cast_mut().cast()) } {
        Err(errno) => fail(NO_STEP, errno),
        Ok(command) => {
            Record::Started.send();
            End { status: watch_over(command), left: [Some(command), None] }
        }
    }
}

extern "C" fn command_entry(plan: *mut libc::c_void) -> libc::c_int {
    // SAFETY: the blueprint was lent by init, which stands still.
    become_command(unsafe { &*plan.cast::<Blueprint>() })
}

fn become_command(plan: &Blueprint) -> ! {
    take_command_steps(plan);
    exit(TOLD_TO_END)
}

/// Does the steps of a command, with every signal let through again.
pub(super) fn take_command_steps(plan: &Blueprint) {
    // SAFETY: both structures are plain data; an empty set of signals is valid.
    unsafe {
        let mut none: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
    }
    take(&plan.command, plan.monitor.len() + plan.init.len());
}

/// Does the steps; the first that fails is reported and ends the process, and with it everything after it.
fn take(steps: &[Step], first: usize) {
    for (step, index) in steps.iter().zip(first as u32..) {
        if let Err(errno) = step.action.perform() {
            fail(index, errno);
        }
    }
}

fn fail(step: u32, errno: Errno) -> ! {
    Record::Failed { step, errno }.send();
    exit(SETUP_FAILED)
}

/// Puts the descriptors in their places and closes all others.
fn settle(ends: Ends) -> Result<(), Errno> {
    const ABOVE: libc::c_int = 16;
    let mut high = [ends.stdout, ends.stderr, ends.report, ends.life];
    for fd in &mut high {
        // SAFETY: takes numbers.
        *fd = check(unsafe { libc::fcntl(*fd, libc::F_DUPFD_CLOEXEC, ABOVE) })?;
    }
    let null = open_at(libc::AT_FDCWD, c"/dev/null", libc::O_RDONLY, 0)?;
    // SAFETY: takes numbers.
    check(unsafe { libc::dup2(null.0, 0) })?;
    drop(null);
    for (fd, (place, flags)) in
        high.into_iter().zip([(1, 0), (2, 0), (REPORT_FD, libc::O_CLOEXEC), (LIFE_FD, libc::O_CLOEXEC)])
    {
        // SAFETY: takes numbers.
        check(unsafe { libc::dup3(fd, place, flags) })?;
    }
    let rest = libc::c_uint::try_from(LIFE_FD + 1).unwrap_or(libc::c_uint::MAX);
    // SAFETY: takes numbers.
    check_long(unsafe { libc::syscall(libc::SYS_close_range, rest, libc::c_uint::MAX, 0 as libc::c_uint) })?;
    // SAFETY: takes a number and cannot fail.
    unsafe { libc::umask(0o022) };
    Ok(())
}

/// Forgets Kaizen's signal handlers, which would run in this copy of it, and what it ignores, which `exec` would keep.
fn reset_signals() {
    const LAST: libc::c_int = 64;
    for signal in 1..=LAST {
        // SAFETY: the default action is always valid; numbers that cannot be set are refused.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Waits until `child` ends and returns its wait status, reaping all others meanwhile. None when the life line is cut:
/// the caller is to end, and with it everything inside.
fn watch_over(child: libc::pid_t) -> Option<libc::c_int> {
    let signals = match child_signals() {
        Ok(signals) => signals,
        Err(errno) => fail(NO_STEP, errno),
    };
    loop {
        if let Some((_, status)) = std::iter::from_fn(next_ended).find(|(pid, _)| *pid == child) {
            return Some(status);
        }
        match wait_for_signal(signals) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(errno) => fail(NO_STEP, errno),
        }
    }
}

fn wait_for(child: libc::pid_t) {
    // SAFETY: no status is asked for.
    while unsafe { libc::waitpid(child, ptr::null_mut(), libc::__WALL) } < 0 && errno() == libc::EINTR {}
}

/// Whether a file system in memory has no room or no file left.
fn is_full(path: &CStr) -> bool {
    const BLOCKS: u64 = 16;
    // SAFETY: all zeroes are a valid value of this plain structure.
    let mut status: libc::statfs = unsafe { zeroed() };
    // SAFETY: the path ends in NUL and the structure is valid for writing.
    let done = unsafe { libc::statfs(path.as_ptr(), &raw mut status) };
    done == 0 && status.f_blocks > 0 && (status.f_bavail < BLOCKS || status.f_ffree == 0)
}
