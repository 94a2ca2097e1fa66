//! Retries: whether a failed call is made again, when, and how many of all calls may be retries. It reads the
//! `Retry-After` of a provider in both of its forms. It decides only; the client waits and calls.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::error::ModelError;

/// Retries of one call at most.
pub const MAX_RETRIES: u32 = 2;
/// The longest wait that a provider may ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);
/// The wait before the first retry, before jitter; it doubles.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// How long to wait before the next try; `None` when there should be none.
pub(crate) fn wait_before(error: &ModelError, retries_so_far: u32, clock: &dyn Clock) -> Option<Duration> {
    if retries_so_far >= MAX_RETRIES || !error.is_transient() {
        return None;
    }
    let backoff = FIRST_BACKOFF.saturating_mul(1 << retries_so_far);
    // Between half and one and a half times the backoff, so that callers who failed together come back apart.
    let jittered = backoff.mul_f64(0.5 + clock.jitter().clamp(0.0, 1.0));
    match error {
        ModelError::Status { retry_after: Some(asked), .. } => Some((*asked).min(MAX_RETRY_AFTER)),
        _ => Some(jittered),
    }
}

/// Reads a `Retry-After` header: seconds, or a date. Capped at [`MAX_RETRY_AFTER`]; `None` when it is neither.
#[must_use]
pub fn parse_retry_after(text: &str, now_seconds: i64) -> Option<Duration> {
    let text = text.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().unwrap_or(u64::MAX)
    } else {
        let then = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
        u64::try_from(then.as_second().saturating_sub(now_seconds)).unwrap_or(0)
    };
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// Keeps retries to a tenth of the calls, so that a provider in trouble does not get more traffic than a healthy one.
#[derive(Debug)]
pub(crate) struct RetryAllowance {
    /// In tenths of a retry.
    tenths: Mutex<u32>,
}

/// Retries that are there from the start, and that can be saved up, in tenths.
const FULL: u32 = 100;

impl Default for RetryAllowance {
    fn default() -> Self {
        Self { tenths: Mutex::new(FULL) }
    }
}

impl RetryAllowance {
    /// A call is made; it earns a tenth of a retry.
    pub(crate) fn earn(&self) {
        let mut tenths = self.tenths.lock().unwrap_or_else(PoisonError::into_inner);
        *tenths = (*tenths + 1).min(FULL);
    }

    /// Takes one retry; false when there is none left.
    pub(crate) fn take(&self) -> bool {
        let mut tenths = self.tenths.lock().unwrap_or_else(PoisonError::into_inner);
        match tenths.checked_sub(10) {
            Some(rest) => {
                *tenths = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::error::Deadline;

    #[test]
    fn retry_after_is_read_in_both_forms_and_capped() {
        let now = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
        let read = |text: &str| parse_retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(read("7"), Some(7));
        assert_eq!(read(" 7 "), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        for absurd in ["86400", "99999999999999999999999", "Fri, 31 Dec 9998 23:59:59 GMT"] {
            assert_eq!(read(absurd), Some(30), "{absurd}");
        }
        for neither in ["", "soon", "-1", "1.5", "Sun, 99 Nov 1994"] {
            assert_eq!(read(neither), None, "{neither}");
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again_and_at_most_twice() {
        let clock = SystemClock::default();
        let status = |code| ModelError::Status { code, message: String::new(), retry_after: None };
        for transient in [status(429), status(500), status(503)] {
            assert!(wait_before(&transient, 0, &clock).is_some());
            assert!(wait_before(&transient, 1, &clock).is_some());
            assert!(wait_before(&transient, 2, &clock).is_none());
        }
        for permanent in [status(400), status(401), status(404), ModelError::Empty] {
            assert!(wait_before(&permanent, 0, &clock).is_none());
        }
        let timeout = ModelError::Timeout { which: Deadline::Idle, limit: Duration::ZERO };
        let wait = wait_before(&timeout, 1, &clock).expect("a time-out may pass");
        assert!((Duration::from_millis(500)..=Duration::from_millis(1500)).contains(&wait), "{wait:?}");
    }

    #[test]
    fn in_the_long_run_one_call_in_ten_is_a_retry() {
        let allowance = RetryAllowance::default();
        let retries = (0..1_000).filter(|_| {
            allowance.earn();
            allowance.take()
        });
        let count = retries.count();
        assert!((100..=110).contains(&count), "{count}");
    }
}
