//! Restart intensity, as supervisors of Erlang/OTP have it: so many new starts within so long, then no more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use thiserror::Error;

/// Counts new starts within a sliding window.
#[derive(Debug, Clone)]
pub struct Intensity {
    most: usize,
    within: Duration,
    starts: VecDeque<Instant>,
}

/// The budget of new starts is spent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed {failures} times within {}", seconds(.within))]
pub struct Spent {
    /// Failures within the window, this one included.
    pub failures: usize,
    /// The window.
    pub within: Duration,
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs())
}

impl Intensity {
    /// At most `most` new starts within any window of length `within`.
    #[must_use]
    pub fn new(most: usize, within: Duration) -> Self {
        Self { most, within, starts: VecDeque::new() }
    }

    /// Counts a failure at `now`. The answer is how many new starts the window holds with the one that is now due.
    ///
    /// # Errors
    /// When the window holds as many as it may: then nothing is to be started again.
    pub fn failed(&mut self, now: Instant) -> Result<usize, Spent> {
        while self.starts.front().is_some_and(|start| now.saturating_duration_since(*start) >= self.within) {
            self.starts.pop_front();
        }
        if self.starts.len() >= self.most {
            return Err(Spent { failures: self.starts.len() + 1, within: self.within });
        }
        self.starts.push_back(now);
        Ok(self.starts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_starts_as_allowed_and_then_an_end_that_says_why() {
        let start = Instant::now();
        let mut intensity = Intensity::new(3, Duration::from_secs(600));
        for again in 1..=3 {
            assert_eq!(intensity.failed(start), Ok(again));
        }
        let spent = intensity.failed(start + Duration::from_secs(1)).unwrap_err();
        assert_eq!(spent.to_string(), "failed 4 times within 600 s");
    }

    #[test]
    fn what_left_the_window_no_longer_counts() {
        let start = Instant::now();
        let mut intensity = Intensity::new(1, Duration::from_secs(10));
        assert_eq!(intensity.failed(start), Ok(1));
        assert!(intensity.failed(start + Duration::from_secs(9)).is_err());
        assert_eq!(intensity.failed(start + Duration::from_secs(10)), Ok(1));
    }
}
