//! The clock that the client, the breaker and the retries go by, as a trait: tests hand in their own and need not wait.
//!
//! It owns the only readings of time and randomness in this crate. Deadlines of the network are the exception: they
//! belong to the runtime's timer.

use std::fmt;
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
    fn now(&self) -> Duration {
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
