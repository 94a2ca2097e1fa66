//! Progress: which nominal times of a schedule are settled, as the journal tells. A time is settled when its run was
//! journalled, or that it is left out.
//!
//! What is settled only grows, so no nominal time is run twice, whatever the clock does. Usually it is one span that
//! begins where the schedule was first seen. A clock that leaps ahead by more than [`FAR`] begins a new span instead of
//! stretching the last one: should it turn out to have been wrong (it showed 2038, and goes back), runs go on where
//! they stood before the leap, and what was run ahead of its time stays settled. What lies within [`FAR`] before a leap's
//! first run is settled with it.

use kaizen_domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::instant::earlier;

/// How far a clock may leap, in milliseconds, before it is thought possible that it goes back again: a day.
pub const FAR: u64 = 24 * 3_600_000;
/// Spans that are remembered; of more, the oldest become one.
const MOST_SPANS: usize = 32;

/// Nominal times that are settled, both ends with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// From here.
    pub from: Timestamp,
    /// To here.
    pub to: Timestamp,
}

/// How far a schedule has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    first: Span,
    /// Those after it, in order and apart.
    leaps: Vec<Span>,
}

impl Progress {
    /// A schedule that is seen for the first time: what lies before is none of its business.
    #[must_use]
    pub fn new(seen: Timestamp) -> Self {
        Self { first: Span { from: seen, to: seen }, leaps: Vec::new() }
    }

    /// The spans, in order.
    pub fn spans(&self) -> impl DoubleEndedIterator<Item = Span> + '_ {
        std::iter::once(self.first).chain(self.leaps.iter().copied())
    }

    /// Corrects when the schedule was first seen, if the clock stood ahead then and nothing has happened since. Says
    /// whether it did; then it is to be journalled anew.
    pub fn see(&mut self, now: Timestamp) -> bool {
        let corrects = self.leaps.is_empty() && self.first.from == self.first.to && now < self.first.from;
        if corrects {
            *self = Self::new(now);
        }
        corrects
    }

    /// Notes that a nominal time, and all open ones before it, were journalled as run or as left out.
    pub fn settle(&mut self, nominal: Timestamp) {
        let holds = |span: &Span| span.from <= nominal && nominal <= span.to;
        if nominal < self.first.from || self.spans().any(|span| holds(&span)) {
            return;
        }
        let after = self.leaps.partition_point(|span| span.to < nominal);
        let last = match after.checked_sub(1).and_then(|before| self.leaps.get_mut(before)) {
            Some(leap) => leap,
            None => &mut self.first,
        };
        let from = earlier(nominal, FAR);
        if from > last.to {
            self.leaps.insert(after, Span { from, to: nominal });
        } else {
            last.to = nominal;
        }
        if self.leaps.len() >= MOST_SPANS {
            self.first.to = self.leaps.remove(0).to;
        }
    }

    /// The end of the span at which runs go on when the clock shows `now`, and the spans after it. A span counts only
    /// `slack` after its beginning, so that what is due right before it can still be run.
    pub(crate) fn at(&self, now: Timestamp, slack: u64) -> (Timestamp, &[Span]) {
        let begun = self.leaps.partition_point(|span| span.from <= earlier(now, slack.min(FAR)));
        let (past, ahead) = self.leaps.split_at(begun);
        (past.last().unwrap_or(&self.first).to, ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn at(hours: u64) -> Timestamp {
        Timestamp(hours * HOUR)
    }

    fn spans(progress: &Progress) -> Vec<(u64, u64)> {
        progress.spans().map(|span| (span.from.0 / HOUR, span.to.0 / HOUR)).collect()
    }

    #[test]
    fn what_is_settled_only_grows() {
        let mut progress = Progress::new(at(10));
        for hours in [12, 11, 30, 5] {
            progress.settle(at(hours));
        }
        assert_eq!(spans(&progress), [(10, 30)]);
        assert_eq!(progress.at(at(7), 0), (at(30), [].as_slice()));
    }

    #[test]
    fn after_a_leap_that_was_wrong_runs_go_on_before_it() {
        let mut progress = Progress::new(at(10));
        progress.settle(at(12));
        progress.settle(at(1_000));
        progress.settle(at(1_001));
        assert_eq!(spans(&progress), [(10, 12), (976, 1_001)]);
        assert_eq!(progress.at(at(1_002), HOUR).0, at(1_001));
        // A little back is no reason to think the leap was wrong.
        assert_eq!(progress.at(at(990), HOUR).0, at(1_001));
        assert_eq!(progress.at(at(13), HOUR).0, at(12));
        progress.settle(at(13));
        assert_eq!(spans(&progress), [(10, 13), (976, 1_001)]);
    }

    #[test]
    fn the_first_sight_is_corrected_only_before_anything_happened() {
        let mut progress = Progress::new(at(1_000));
        assert!(progress.see(at(10)) && !progress.see(at(11)));
        progress.settle(at(12));
        assert!(!progress.see(at(9)));
        assert_eq!(spans(&progress), [(10, 12)]);
    }

    #[test]
    fn old_leaps_are_merged() {
        let mut progress = Progress::new(at(0));
        for leap in 1..200 {
            progress.settle(at(leap * 100));
        }
        assert_eq!(progress.spans().count(), MOST_SPANS);
        assert_eq!(progress.spans().next_back().map(|span| span.to), Some(at(19_900)));
    }
}
