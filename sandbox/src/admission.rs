//! Who may start when: jobs run beside each other up to the machine, and each starts only when there is the memory that it
//! is expected to take.
//!
//! One for the whole process, so that several repositories share one machine. The first job is always let in: alone, it
//! has the machine's memory to itself, and the watch of the sandbox ends it when that is not enough.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::isolation::{Cancel, machine_memory};

/// What a job is expected to take of which nothing is known, bytes.
const UNKNOWN: u64 = 1 << 30;
/// How often those who wait look at the machine: memory comes back without anybody saying so.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Lets jobs in.
#[derive(Debug)]
pub(crate) struct Admission {
    most: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// Bytes that those inside are expected to take and may not have taken yet.
    promised: u64,
    /// The most that jobs on a tree took at once.
    peaks: HashMap<PathBuf, u64>,
}

/// Leave to run. Whoever waits is told when it is dropped.
#[derive(Debug)]
pub(crate) struct Leave<'a> {
    admission: &'a Admission,
    expected: u64,
}

impl Admission {
    /// The one of this process: as many jobs as there are processors.
    pub(crate) fn of_this_machine() -> &'static Self {
        static ONE: OnceLock<Admission> = OnceLock::new();
        ONE.get_or_init(|| Self::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)))
    }

    fn new(most: usize) -> Self {
        Self { most: most.max(1), state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until there is room for another job on a tree; none when it is cancelled meanwhile.
    pub(crate) fn enter(&self, tree: &Path, cancel: &Cancel) -> Option<Leave<'_>> {
        self.enter_when(tree, cancel, &|| machine_memory().map_or(u64::MAX, |(left, least)| left.saturating_sub(least)))
    }

    fn enter_when(&self, tree: &Path, cancel: &Cancel, left: &dyn Fn() -> u64) -> Option<Leave<'_>> {
        let mut state = self.lock();
        loop {
            if cancel.is_cancelled() {
                return None;
            }
            let expected = state.peaks.get(tree).copied().unwrap_or(UNKNOWN);
            let fits = || state.promised.saturating_add(expected) <= left();
            if state.running == 0 || (state.running < self.most && fits()) {
                state.running += 1;
                state.promised = state.promised.saturating_add(expected);
                return Some(Leave { admission: self, expected });
            }
            let woken = self.changed.wait_timeout(state, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner);
            state = woken.0;
        }
    }

    /// Whether jobs run already: another one had better not spread over the processors.
    pub(crate) fn is_busy(&self) -> bool {
        self.lock().running > 0
    }

    /// Remembers what a job on a tree took.
    pub(crate) fn took(&self, tree: &Path, peak: u64) {
        let mut state = self.lock();
        let known = state.peaks.entry(tree.to_path_buf()).or_default();
        *known = peak.max(*known);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        state.running = state.running.saturating_sub(1);
        state.promised = state.promised.saturating_sub(self.expected);
        drop(state);
        self.admission.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const TREE: &str = "/a/tree";
    const GIB: u64 = 1 << 30;

    fn enter(admission: &Admission, left: u64) -> Option<Leave<'_>> {
        let cancel = Cancel::new().expect("a flag");
        let looks = AtomicU64::new(0);
        // The second look gives up, where the job would have to wait.
        let left = || {
            if looks.fetch_add(1, Ordering::SeqCst) > 0 {
                cancel.cancel();
            }
            left
        };
        admission.enter_when(Path::new(TREE), &cancel, &left)
    }

    #[test]
    fn jobs_are_let_in_while_memory_lasts_and_the_first_one_always() {
        let admission = Admission::new(8);
        admission.took(Path::new(TREE), 2 * GIB);
        admission.took(Path::new(TREE), GIB);
        let first = enter(&admission, 0).expect("alone");
        let second = enter(&admission, 4 * GIB).expect("two and two fit into four");
        assert!(enter(&admission, 5 * GIB).is_none(), "two more would not");
        drop(second);
        assert!(enter(&admission, 4 * GIB).is_some());
        drop(first);
        assert!(enter(&admission, 0).is_some());
    }

    #[test]
    fn no_more_jobs_than_processors_and_who_waits_is_told() {
        let admission = Admission::new(1);
        let cancel = Cancel::new().expect("a flag");
        let first = admission.enter_when(Path::new(TREE), &cancel, &|| u64::MAX).expect("alone");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| admission.enter_when(Path::new(TREE), &cancel, &|| u64::MAX).is_some());
            drop(first);
            assert!(waiting.join().expect("no panic"));
        });
        let _first = admission.enter_when(Path::new(TREE), &cancel, &|| u64::MAX).expect("alone");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| admission.enter_when(Path::new(TREE), &cancel, &|| u64::MAX).is_some());
            cancel.cancel();
            assert!(!waiting.join().expect("no panic"), "cancelled");
        });
    }
}
