//! How long steps were at work on the clock: what is left of a trial is Kaizen's own share.

use std::time::{Duration, Instant};

/// The time during which at least one step is at work, however many there are beside each other.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    steps: usize,
    since: Option<Instant>,
    so_far: Duration,
}

impl AtWork {
    /// A step begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.steps += 1;
        self.since.get_or_insert(now);
    }

    /// A step that had begun has ended.
    pub(super) fn end(&mut self, now: Instant) {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 {
            self.stop(now);
        }
    }

    /// Nothing is to be waited for any more.
    pub(super) fn stop(&mut self, now: Instant) {
        self.steps = 0;
        if let Some(since) = self.since.take() {
            self.so_far += now.saturating_duration_since(since);
        }
    }

    /// The time so far, without steps that still are at work.
    pub(super) fn so_far(&self) -> Duration {
        self.so_far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_beside_each_other_count_once_and_gaps_do_not() {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let mut work = AtWork::default();
        work.begin(at(0));
        work.begin(at(2));
        work.end(at(5));
        assert_eq!(work.so_far(), Duration::ZERO, "one is still at work");
        work.end(at(7));
        work.begin(at(10));
        work.stop(at(11));
        work.stop(at(20));
        assert_eq!(work.so_far(), Duration::from_millis(8));
    }
}
