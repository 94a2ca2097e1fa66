//! Pace: how many requests and tokens a provider takes in a minute, held before anything is sent. It goes by the clock
//! it is given, and counts exactly: no minute, wherever it begins, holds more than the limit. A token bucket, as common
//! libraries have it, lets nearly twice as much through in the worst minute.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

const MINUTE: Duration = Duration::from_secs(60);

/// What may be sent within any minute; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaceTerms {
    /// Requests.
    pub requests: Option<u32>,
    /// Tokens, question and longest answer together.
    pub tokens: Option<u64>,
}

/// Holds a pace. Callers are let through in the order in which they came.
#[derive(Debug)]
pub struct Pace {
    terms: PaceTerms,
    clock: Arc<dyn Clock>,
    /// When something is or was sent, and its tokens, the oldest first.
    sent: Mutex<VecDeque<(Duration, u64)>>,
}

impl Pace {
    /// A pace that nothing was sent at yet.
    #[must_use]
    pub fn new(terms: PaceTerms, clock: Arc<dyn Clock>) -> Self {
        Self { terms, clock, sent: Mutex::default() }
    }

    /// Takes the next free place for a request of this many tokens, and waits until it is due. A request that is larger
    /// than a whole minute's worth gets a minute of its own.
    pub async fn keep(&self, tokens: u64) {
        let wait = self.take(tokens);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    /// Takes the next free place; how long until it is due.
    fn take(&self, tokens: u64) -> Duration {
        if self.terms == PaceTerms::default() {
            return Duration::ZERO;
        }
        let now = self.clock.now();
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        while sent.front().is_some_and(|(at, _)| at.saturating_add(MINUTE) <= now) {
            sent.pop_front();
        }
        let tokens = self.terms.tokens.map_or(tokens, |most| tokens.min(most));
        // Nobody overtakes: not before the last one that is due, and not before enough of the earlier ones are past.
        let mut due = sent.back().map_or(now, |(at, _)| (*at).max(now));
        let (mut requests, mut held) = (1_u64, tokens);
        for (at, other) in sent.iter().rev() {
            requests += 1;
            held = held.saturating_add(*other);
            let over = self.terms.requests.is_some_and(|most| requests > u64::from(most.max(1)))
                || self.terms.tokens.is_some_and(|most| held > most);
            if over {
                due = due.max(at.saturating_add(MINUTE));
                break;
            }
        }
        sent.push_back((due, tokens));
        due.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::HandClock;

    #[test]
    fn without_limits_nobody_waits() {
        let pace = Pace::new(PaceTerms::default(), Arc::new(HandClock::default()));
        assert!((0..1_000).all(|_| pace.take(1 << 40).is_zero()));
    }

    proptest! {
        /// Every minute is checked, beginning at each request.
        #[test]
        fn no_minute_holds_more_than_the_limit_and_nobody_waits_in_vain(
            gaps in proptest::collection::vec((0_u64..40_000, 1_u64..900), 1..60),
            requests in 1_u32..6,
            tokens in 300_u64..1_500,
        ) {
            let clock = Arc::new(HandClock::default());
            let terms = PaceTerms { requests: Some(requests), tokens: Some(tokens) };
            let pace = Pace::new(terms, Arc::clone(&clock) as Arc<dyn Clock>);
            let mut sent: Vec<(u64, u64)> = Vec::new();
            for (gap, size) in gaps {
                clock.advance(Duration::from_millis(gap));
                let now = u64::try_from(clock.now().as_millis()).expect("short");
                let wait = u64::try_from(pace.take(size).as_millis()).expect("short");
                let (at, size) = (now + wait, size.min(tokens));
                if wait > 0 && at > sent.last().map_or(0, |(last, _)| *last) {
                    // A millisecond earlier it would have been too much.
                    let before: Vec<_> = sent.iter().filter(|(other, _)| other + 60_000 > at - 1).collect();
                    let held: u64 = before.iter().map(|(_, size)| size).sum();
                    prop_assert!(before.len() >= requests as usize || held + size > tokens);
                }
                prop_assert!(sent.last().is_none_or(|(last, _)| *last <= at), "in order");
                sent.push((at, size));
            }
            for (start, _) in &sent {
                let minute: Vec<_> = sent.iter().filter(|(at, _)| (*start..start + 60_000).contains(at)).collect();
                prop_assert!(minute.len() <= requests as usize);
                prop_assert!(minute.iter().map(|(_, size)| size).sum::<u64>() <= tokens);
            }
        }
    }
}
