//! Circuit breaker: after failures in a row it lets nothing through for a while, then exactly one probe, whose outcome
//! decides. It goes by the clock it is given and knows nothing of HTTP.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// Failures in a row that open the breaker.
pub const FAILURES_TO_OPEN: u32 = 3;
/// How long it stays open.
pub const OPEN_FOR: Duration = Duration::from_secs(30);

/// The breaker. Copies share their state.
#[derive(Debug, Clone)]
pub struct Breaker {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Grows with each change of phase: what a call of an earlier phase reports no longer counts.
    era: u64,
}

#[derive(Debug)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Duration },
    Probing,
}

/// The breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// How long until a probe may go through; zero while one is on its way.
    pub wait: Duration,
}

/// Leave for one call. Dropped without a report, as by a cancelled call, it proves nothing: a probe's place is free
/// again for the next caller.
#[derive(Debug)]
#[must_use = "the outcome of the call belongs to the breaker"]
pub struct Permit {
    breaker: Breaker,
    era: u64,
    probe: bool,
    open: bool,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { phase: Phase::Closed { failures: 0 }, era: 0 };
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    /// Leave for a call.
    ///
    /// # Errors
    /// While the breaker is open, or a probe is on its way.
    pub fn admit(&self) -> Result<Permit, Open> {
        let mut state = self.lock();
        let probe = match state.phase {
            Phase::Closed { .. } => false,
            Phase::Probing => return Err(Open { wait: Duration::ZERO }),
            Phase::Open { until } => {
                let wait = until.saturating_sub(self.clock.now());
                if !wait.is_zero() {
                    return Err(Open { wait });
                }
                state.turn(Phase::Probing);
                true
            }
        };
        Ok(Permit { breaker: self.clone(), era: state.era, probe, open: true })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.era = self.era.wrapping_add(1);
    }
}

impl Permit {
    /// The provider answered as a provider should.
    pub fn succeeded(self) {
        self.report(|state, _| match state.phase {
            Phase::Closed { ref mut failures } => *failures = 0,
            _ => state.turn(Phase::Closed { failures: 0 }),
        });
    }

    /// The provider failed.
    pub fn failed(self) {
        self.report(|state, now| {
            let failures = match state.phase {
                Phase::Closed { ref mut failures } => {
                    *failures = failures.saturating_add(1);
                    *failures
                }
                _ => FAILURES_TO_OPEN,
            };
            if failures >= FAILURES_TO_OPEN {
                state.turn(Phase::Open { until: now.saturating_add(OPEN_FOR) });
            }
        });
    }

    /// The provider asked to be left alone for this long: nobody calls before.
    pub fn held_off(self, wait: Duration) {
        self.report(|state, now| state.turn(Phase::Open { until: now.saturating_add(wait) }));
    }

    fn report(mut self, change: impl FnOnce(&mut State, Duration)) {
        self.open = false;
        let now = self.breaker.clock.now();
        let mut state = self.breaker.lock();
        if state.era == self.era {
            change(&mut state, now);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.open || !self.probe {
            return;
        }
        let now = self.breaker.clock.now();
        let mut state = self.breaker.lock();
        if state.era == self.era {
            state.turn(Phase::Open { until: now });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::future::BoxFuture;

    use super::*;

    #[derive(Debug, Default)]
    struct HandClock(AtomicU64);

    impl Clock for HandClock {
        fn now(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::SeqCst))
        }
        fn wall_seconds(&self) -> i64 {
            0
        }
        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
        fn jitter(&self) -> f64 {
            0.0
        }
    }

    fn opened() -> (Arc<HandClock>, Breaker) {
        let clock = Arc::new(HandClock::default());
        let breaker = Breaker::new(Arc::clone(&clock) as Arc<dyn Clock>);
        for _ in 0..FAILURES_TO_OPEN {
            breaker.admit().expect("closed").failed();
        }
        (clock, breaker)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_only_in_a_row() {
        let breaker = Breaker::new(Arc::new(HandClock::default()));
        for _ in 0..10 {
            breaker.admit().expect("closed").failed();
            breaker.admit().expect("closed").failed();
            breaker.admit().expect("closed").succeeded();
        }
        assert_eq!(opened().1.admit().expect_err("open").wait, OPEN_FOR);
    }

    #[test]
    fn of_64_callers_exactly_one_probes() {
        let (clock, breaker) = opened();
        clock.0.store(30, Ordering::SeqCst);
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
        assert_eq!(permits.len(), 1);
    }

    #[test]
    fn the_probe_decides() {
        let (clock, breaker) = opened();
        clock.0.store(30, Ordering::SeqCst);
        breaker.admit().expect("a probe").failed();
        assert_eq!(breaker.admit().expect_err("open again").wait, OPEN_FOR);
        clock.0.store(60, Ordering::SeqCst);
        breaker.admit().expect("a probe").succeeded();
        let (first, second) = (breaker.admit(), breaker.admit());
        assert!(first.is_ok() && second.is_ok(), "closed lets everybody through");
    }

    #[test]
    fn a_probe_that_vanishes_frees_its_place() {
        let (clock, breaker) = opened();
        clock.0.store(30, Ordering::SeqCst);
        let probe = breaker.admit().expect("a probe");
        assert!(breaker.admit().is_err());
        drop(probe);
        assert!(breaker.admit().is_ok());
    }

    #[test]
    fn calls_from_before_the_opening_change_nothing() {
        let breaker = Breaker::new(Arc::new(HandClock::default()));
        let (late_success, late_failure) = (breaker.admit().expect("closed"), breaker.admit().expect("closed"));
        for _ in 0..FAILURES_TO_OPEN {
            breaker.admit().expect("closed").failed();
        }
        late_success.succeeded();
        late_failure.failed();
        assert_eq!(breaker.admit().expect_err("still open").wait, OPEN_FOR);
    }

    #[test]
    fn a_provider_that_asks_for_quiet_gets_exactly_that_long() {
        let clock = Arc::new(HandClock::default());
        let breaker = Breaker::new(Arc::clone(&clock) as Arc<dyn Clock>);
        breaker.admit().expect("closed").held_off(Duration::from_secs(7));
        clock.0.store(6, Ordering::SeqCst);
        assert_eq!(breaker.admit().expect_err("quiet").wait, Duration::from_secs(1));
        clock.0.store(7, Ordering::SeqCst);
        assert!(breaker.admit().is_ok());
    }
}
