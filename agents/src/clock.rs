//! Time and random bits, behind a trait, so that tests can fix them.

use std::time::{SystemTime, UNIX_EPOCH};

use kaizen_domain::Timestamp;

/// Where time and random bits come from.
pub trait Clock: Send + Sync {
    /// Now, for display and for ids. Nothing waits or expires by it.
    fn now(&self) -> Timestamp;
    /// Ten random bytes.
    fn random(&self) -> [u8; 10];
}

/// The machine's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn random(&self) -> [u8; 10] {
        rand::random()
    }
}

/// Makes an id of any noun from the clock.
#[macro_export]
macro_rules! new_id {
    ($noun:ty, $clock:expr) => {{
        let clock = &$clock;
        <$noun>::new($crate::Clock::now(clock.as_ref()).0, $crate::Clock::random(clock.as_ref()))
    }};
}
