//! The clock that the client, the breaker and the retries go by, as a trait: tests hand in their own and need not wait.
//!
//! It owns the only readings of time and randomness in this crate. Deadlines of the network are the exception: they
//! belong to the runtime's timer.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;

/// Time and chance.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Time since some fixed moment; it never goes back.
    fn now(&self) -> Duration;
    /// Seconds since 1970-01-01 UTC, needed only for dates that a server names.
    fn wall_seconds(&self) -> i64;
    /// Resolves once this much time has passed.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
    /// A number from 0 up to 1, another one each time, to keep callers from retrying in step.
    fn jitter(&self) -> f64;
}

/// The clock of the machine.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    /// On Linux to the tick of the kernel, a few milliseconds: reading it costs a fifth of what an exact reading does, and
    /// nothing here is decided by less.
    fn now(&self) -> Duration {
        #[cfg(target_os = "linux")]
        {
            let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
            let (seconds, nanos) = (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec));
            if let (Ok(seconds), Ok(nanos)) = (seconds, nanos) {
                return Duration::new(seconds, nanos);
            }
        }
        self.start.elapsed()
    }

    fn wall_seconds(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn jitter(&self) -> f64 {
        rand::random::<f64>()
    }
}

/// A clock that stands still but for sleepers, who move it on at once: with it nothing waits, and what would have been
/// waited is known. For tests and measurements.
#[derive(Debug, Default)]
pub struct HandClock {
    millis: AtomicU64,
    slept: Mutex<Vec<Duration>>,
}

impl HandClock {
    /// Moves it on.
    pub fn advance(&self, time: Duration) {
        self.millis.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// What was slept, in order.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Clock for HandClock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }

    /// Sun, 06 Nov 1994 08:49:37 GMT, the date that RFC 9110 has in its examples.
    fn wall_seconds(&self) -> i64 {
        784_111_777
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        self.slept.lock().unwrap_or_else(PoisonError::into_inner).push(time);
        self.advance(time);
        Box::pin(std::future::ready(()))
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}
