//! Circuit breaker: when a provider fails too often of late, or is too slow, nothing is sent to it for a while; then
//! exactly so many probes go through, and what becomes of them decides. It goes by the clock it is given and knows
//! nothing of HTTP.
//!
//! It opens after some failures in a row, and when at least half of the newest calls failed or were slow: a provider that
//! fails every other call never fails three times in a row. While it is closed a call costs two readings of the clock, an
//! atomic load and an uncontended lock.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// When the breaker opens, and how it closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerTerms {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How many of the newest calls are looked at besides, 64 at most. It opens when at least `failures` of them, and
    /// at least half of them, failed; and the same for slow ones.
    pub window: u32,
    /// A call that takes so long counts as slow, also when it worked. Zero: none is ever too slow.
    pub slow: Duration,
    /// How long it stays open.
    pub open_for: Duration,
    /// How many probes go through after that, all of which must work.
    pub probes: u32,
}

impl Default for BreakerTerms {
    fn default() -> Self {
        Self { failures: 3, window: 10, slow: Duration::ZERO, open_for: Duration::from_secs(30), probes: 1 }
    }
}

/// The breaker. It is shared by reference; a permit lives no longer than it.
pub struct Breaker {
    clock: Arc<dyn Clock>,
    terms: BreakerTerms,
    /// The era, and in its lowest bit whether it is closed: what a call needs to know as long as all is well.
    gate: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Grows with each change of phase: what a call of an earlier phase reports no longer counts.
    era: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Window),
    Open {
        until: Duration,
    },
    /// So many probes may still start, and so many must still work.
    Probing {
        free: u32,
        due: u32,
    },
}

/// The newest calls, a bit each, the newest lowest.
#[derive(Debug, Default)]
struct Window {
    failed: u64,
    slow: u64,
    filled: u32,
    failures_in_a_row: u32,
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Went {
    failed: bool,
    slow: bool,
}

impl Window {
    /// Takes a call in and says whether the breaker should open.
    fn push(&mut self, went: Went, terms: &BreakerTerms) -> bool {
        let size = terms.window.clamp(1, 64);
        let mask = u64::MAX >> (64 - size);
        self.failed = (self.failed << 1 | u64::from(went.failed)) & mask;
        self.slow = (self.slow << 1 | u64::from(went.slow)) & mask;
        self.filled = (self.filled + 1).min(size);
        self.failures_in_a_row = if went.failed { self.failures_in_a_row.saturating_add(1) } else { 0 };
        let least = terms.failures.max(1);
        let too_many = |bits: u64| bits.count_ones() >= least && bits.count_ones() * 2 >= self.filled;
        self.failures_in_a_row >= least || too_many(self.failed) || too_many(self.slow)
    }
}

/// The breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// How long until a probe may go through; zero while all probes are on their way.
    pub wait: Duration,
}

/// Leave for one call. Dropped without a report, as by a cancelled call, it proves nothing: a probe's place is free
/// again for the next caller.
#[must_use = "the outcome of the call belongs to the breaker"]
pub struct Permit<'b> {
    breaker: &'b Breaker,
    era: u64,
    probe: bool,
    started: Duration,
    open: bool,
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("terms", &self.terms).field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("era", &self.era).field("probe", &self.probe).finish_non_exhaustive()
    }
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(terms: BreakerTerms, clock: Arc<dyn Clock>) -> Self {
        let state = State { phase: Phase::Closed(Window::default()), era: 0 };
        Self { clock, terms, gate: AtomicU64::new(1), state: Mutex::new(state) }
    }

    /// Leave for a call.
    ///
    /// # Errors
    /// While the breaker is open, or all probes are on their way.
    #[inline]
    pub fn admit(&self) -> Result<Permit<'_>, Open> {
        let gate = self.gate.load(Ordering::Acquire);
        if gate & 1 == 1 {
            let started = self.clock.now();
            return Ok(Permit { breaker: self, era: gate >> 1, probe: false, started, open: true });
        }
        self.admit_probe()
    }

    #[cold]
    fn admit_probe(&self) -> Result<Permit<'_>, Open> {
        let now = self.clock.now();
        let mut state = self.lock();
        if let Phase::Open { until } = state.phase {
            let wait = until.saturating_sub(now);
            if !wait.is_zero() {
                return Err(Open { wait });
            }
            let probes = self.terms.probes.max(1);
            self.turn(&mut state, Phase::Probing { free: probes, due: probes });
        }
        let probe = match &mut state.phase {
            Phase::Closed(_) => false,
            Phase::Probing { free, .. } if *free > 0 => {
                *free -= 1;
                true
            }
            Phase::Probing { .. } | Phase::Open { .. } => return Err(Open { wait: Duration::ZERO }),
        };
        Ok(Permit { breaker: self, era: state.era, probe, started: now, open: true })
    }

    /// How long until a call may go through; zero when one may now.
    #[must_use]
    pub fn wait(&self) -> Duration {
        match self.lock().phase {
            Phase::Open { until } => until.saturating_sub(self.clock.now()),
            Phase::Closed(_) | Phase::Probing { .. } => Duration::ZERO,
        }
    }

    fn turn(&self, state: &mut State, phase: Phase) {
        state.era = state.era.wrapping_add(1) & (u64::MAX >> 1);
        let closed = matches!(phase, Phase::Closed(_));
        state.phase = phase;
        self.gate.store(state.era << 1 | u64::from(closed), Ordering::Release);
    }

    fn open(&self, state: &mut State, until: Duration) {
        self.turn(state, Phase::Open { until });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The provider answered as a provider should; how long it took counts.
    #[inline]
    pub fn succeeded(self) {
        self.report(false);
    }

    /// The provider failed.
    pub fn failed(self) {
        self.report(true);
    }

    /// The provider asked to be left alone for this long: nobody calls before.
    pub fn held_off(mut self, wait: Duration) {
        self.open = false;
        let now = self.breaker.clock.now();
        let mut state = self.breaker.lock();
        if state.era == self.era {
            self.breaker.open(&mut state, now.saturating_add(wait));
        }
    }

    #[inline]
    fn report(mut self, failed: bool) {
        self.open = false;
        let breaker = self.breaker;
        let now = breaker.clock.now();
        let terms = &breaker.terms;
        let slow = !terms.slow.is_zero() && now.saturating_sub(self.started) >= terms.slow;
        let mut state = breaker.lock();
        if state.era != self.era {
            return;
        }
        let until = now.saturating_add(terms.open_for);
        match &mut state.phase {
            Phase::Closed(window) => {
                if window.push(Went { failed, slow }, terms) {
                    breaker.open(&mut state, until);
                }
            }
            // A probe that is slow shows that nothing is better yet.
            Phase::Probing { .. } if failed || slow => breaker.open(&mut state, until),
            Phase::Probing { due, .. } => {
                *due = due.saturating_sub(1);
                if *due == 0 {
                    breaker.turn(&mut state, Phase::Closed(Window::default()));
                }
            }
            Phase::Open { .. } => {}
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.open || !self.probe {
            return;
        }
        let mut state = self.breaker.lock();
        if state.era == self.era
            && let Phase::Probing { free, .. } = &mut state.phase
        {
            *free += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::HandClock;

    fn set(clock: &HandClock, seconds: u64) {
        clock.advance(Duration::from_secs(seconds) - clock.now());
    }

    fn closed(terms: BreakerTerms) -> (Arc<HandClock>, Breaker) {
        let clock = Arc::new(HandClock::default());
        let breaker = Breaker::new(terms, Arc::clone(&clock) as Arc<dyn Clock>);
        (clock, breaker)
    }

    fn opened(terms: BreakerTerms) -> (Arc<HandClock>, Breaker) {
        let (clock, breaker) = closed(terms);
        for _ in 0..terms.failures {
            breaker.admit().expect("closed").failed();
        }
        (clock, breaker)
    }

    const OPEN_FOR: Duration = Duration::from_secs(30);

    #[test]
    fn it_opens_after_three_failures_in_a_row_and_stays_open_for_half_a_minute() {
        let (_, breaker) = closed(BreakerTerms::default());
        for _ in 0..20 {
            breaker.admit().expect("closed").succeeded();
        }
        for _ in 0..3 {
            breaker.admit().expect("closed").failed();
        }
        assert_eq!(breaker.admit().expect_err("open").wait, OPEN_FOR);
    }

    #[test]
    fn it_opens_when_every_other_call_fails_and_not_when_one_in_three_does() {
        let (_, breaker) = closed(BreakerTerms::default());
        for _ in 0..30 {
            breaker.admit().expect("closed").failed();
            breaker.admit().expect("closed").succeeded();
            breaker.admit().expect("closed").succeeded();
        }
        let mut calls = 0;
        while let Ok(permit) = breaker.admit() {
            calls += 1;
            if calls % 2 == 1 {
                permit.failed()
            } else {
                permit.succeeded()
            }
            assert!(calls < 20, "it never opens");
        }
    }

    #[test]
    fn answers_that_come_but_take_too_long_open_it() {
        let slow = BreakerTerms { slow: Duration::from_secs(50), ..BreakerTerms::default() };
        for (terms, opens) in [(slow, true), (BreakerTerms::default(), false)] {
            let (clock, breaker) = closed(terms);
            for _ in 0..3 {
                let permit = breaker.admit().expect("closed");
                clock.advance(Duration::from_secs(59));
                permit.succeeded();
            }
            assert_eq!(breaker.admit().is_err(), opens);
        }
    }

    #[test]
    fn of_64_callers_exactly_as_many_probe_as_may() {
        for probes in [1, 5] {
            let (clock, breaker) = opened(BreakerTerms { probes, ..BreakerTerms::default() });
            set(&clock, 30);
            let start = std::sync::Barrier::new(64);
            let permits: Vec<_> = std::thread::scope(|scope| {
                let callers: Vec<_> = (0..64)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            breaker.admit().ok()
                        })
                    })
                    .collect();
                callers.into_iter().filter_map(|caller| caller.join().expect("no caller panics")).collect()
            });
            assert_eq!(permits.len(), probes as usize);
        }
    }

    #[test]
    fn all_probes_must_work_and_one_that_fails_is_enough() {
        let terms = BreakerTerms { probes: 2, ..BreakerTerms::default() };
        let (clock, breaker) = opened(terms);
        set(&clock, 30);
        let (one, two) = (breaker.admit().expect("a probe"), breaker.admit().expect("a probe"));
        one.succeeded();
        assert!(breaker.admit().is_err(), "the second probe is still on its way");
        two.failed();
        assert_eq!(breaker.admit().expect_err("open again").wait, OPEN_FOR);
        set(&clock, 60);
        for _ in 0..2 {
            breaker.admit().expect("a probe").succeeded();
        }
        let permits: Vec<_> = (0..3).map(|_| breaker.admit().is_ok()).collect();
        assert_eq!(permits, [true; 3], "closed lets everybody through");
    }

    #[test]
    fn a_probe_that_vanishes_frees_its_place() {
        let (clock, breaker) = opened(BreakerTerms::default());
        set(&clock, 30);
        let probe = breaker.admit().expect("a probe");
        assert!(breaker.admit().is_err());
        drop(probe);
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn calls_from_before_the_opening_change_nothing() {
        let (_, breaker) = closed(BreakerTerms::default());
        let (late_success, late_failure) = (breaker.admit().expect("closed"), breaker.admit().expect("closed"));
        for _ in 0..3 {
            breaker.admit().expect("closed").failed();
        }
        late_success.succeeded();
        late_failure.failed();
        assert_eq!(breaker.admit().expect_err("still open").wait, OPEN_FOR);
    }

    #[test]
    fn a_provider_that_asks_for_quiet_gets_exactly_that_long() {
        let (clock, breaker) = closed(BreakerTerms::default());
        breaker.admit().expect("closed").held_off(Duration::from_secs(7));
        set(&clock, 6);
        assert_eq!(breaker.admit().expect_err("quiet").wait, Duration::from_secs(1));
        set(&clock, 7);
        assert!(breaker.admit().is_ok());
    }

    proptest! {
        /// Against a list of all calls, whatever happens in whatever order.
        #[test]
        fn it_opens_exactly_when_a_plain_count_of_the_calls_says_so(
            calls in proptest::collection::vec((any::<bool>(), any::<bool>()), 1..80),
            failures in 1_u32..6,
            window in 1_u32..30,
        ) {
            let terms = BreakerTerms { failures, window, slow: Duration::from_secs(5), ..BreakerTerms::default() };
            let (clock, breaker) = closed(terms);
            let mut seen: Vec<(bool, bool)> = Vec::new();
            for (failed, slow) in calls {
                let Ok(permit) = breaker.admit() else { break };
                clock.advance(Duration::from_secs(if slow { 5 } else { 1 }));
                if failed { permit.failed() } else { permit.succeeded() }
                seen.push((failed, slow));
                let newest = &seen[seen.len().saturating_sub(window as usize)..];
                let too_many = |count: usize| count >= failures as usize && count * 2 >= newest.len();
                let opens = seen.iter().rev().take_while(|(failed, _)| *failed).count() >= failures as usize
                    || too_many(newest.iter().filter(|(failed, _)| *failed).count())
                    || too_many(newest.iter().filter(|(_, slow)| *slow).count());
                prop_assert_eq!(breaker.admit().is_err(), opens, "{:?}", seen);
            }
        }
    }
}
