//! A tree of processes that does not want to end: daemons in sessions of their own, and a fork bomb that keeps itself
//! just below what it may have, so that no number of a process lasts. All of them ignore every signal.

use std::io::Write as _;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Daemons that only wait.
const DAEMONS: u32 = 20;
/// Processes of the bomb at once.
const MOST: u32 = 240;
/// The rest of a process that had no room to fork.
const REST: Duration = Duration::from_millis(20);
/// What it says when all of that runs.
pub const UP: &str = "the tree is up";

/// Becomes the tree. It never ends by itself.
pub fn run() -> ! {
    ignore_signals();
    for _ in 0..DAEMONS {
        if fork_twice() {
            sleep_for_good();
        }
    }
    let count = shared_count();
    if fork_twice() {
        bomb(count);
    }
    while count.load(Ordering::SeqCst) < MOST * 3 / 4 {
        std::thread::sleep(Duration::from_millis(1));
    }
    println!("{UP}");
    let _ = std::io::stdout().flush();
    sleep_for_good()
}

/// Every process forks as long as there is room, and makes room by ending now and then.
fn bomb(count: &AtomicU32) -> ! {
    let mut dice: u32 = 1;
    loop {
        if count.fetch_add(1, Ordering::SeqCst) < MOST {
            // SAFETY: the child makes simple calls only.
            match unsafe { libc::fork() } {
                0 => {
                    // SAFETY: takes nothing.
                    unsafe { libc::setsid() };
                    // SAFETY: takes nothing.
                    dice = (unsafe { libc::getpid() }).unsigned_abs().wrapping_mul(2_654_435_761) | 1;
                }
                pid if pid > 0 => {}
                _ => drop(count.fetch_sub(1, Ordering::SeqCst)),
            }
            continue;
        }
        count.fetch_sub(1, Ordering::SeqCst);
        // Without a rest, all of them together would keep the watcher from its processor, and not only from the tree.
        std::thread::sleep(REST);
        dice ^= dice << 13;
        dice ^= dice >> 17;
        dice ^= dice << 5;
        // Seldom enough for a look at all of them to see some twice.
        if dice.is_multiple_of(1 << 6) && count.load(Ordering::SeqCst) > MOST * 3 / 4 {
            count.fetch_sub(1, Ordering::SeqCst);
            // SAFETY: ends this process.
            unsafe { libc::_exit(0) };
        }
    }
}

/// True in a grandchild that has left the session and lost its parent.
fn fork_twice() -> bool {
    // SAFETY: this process has one thread, so that a copy of it is whole.
    if unsafe { libc::fork() } != 0 {
        return false;
    }
    // SAFETY: takes nothing; the child ends at once, and its own child is one as this process is.
    unsafe {
        libc::setsid();
        if libc::fork() != 0 {
            libc::_exit(0);
        }
    }
    true
}

/// That includes the one about children, so that none of them has to be waited for.
fn ignore_signals() {
    for signal in 1..=64 {
        // SAFETY: ignoring is always valid; numbers that cannot be set are refused.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// A number that all processes of the tree share.
fn shared_count() -> &'static AtomicU32 {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: asks for new memory, which is zero, aligned, and never given back.
    unsafe {
        let at = libc::mmap(ptr::null_mut(), size_of::<AtomicU32>(), libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if at == libc::MAP_FAILED {
            libc::_exit(1);
        }
        &*at.cast::<AtomicU32>()
    }
}

fn sleep_for_good() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}
