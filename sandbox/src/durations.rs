//! How long each test took, out of when its line came.
//!
//! The harness says no times. It starts tests in the order of their names, as many at once as there are processors, and a
//! further one whenever one ends (`run_tests` in `library/test` of Rust): so the moment at which a test began is the one at
//! which an earlier one ended. Good to a millisecond or so, the time a line takes on its way.

use std::time::Duration;

/// The durations of tests, given in the order in which they ended: name, and when that was. `begun` is when the harness
/// said how many there are; `at_once` how many run beside each other.
pub(crate) fn durations<'n>(
    ended: &[(&'n str, Duration)],
    begun: Duration,
    at_once: usize,
) -> Vec<(&'n str, Duration)> {
    let mut started: Vec<&str> = ended.iter().map(|(name, _)| *name).collect();
    started.sort_unstable();
    let began = |name: &str| {
        let place = started.binary_search(&name).unwrap_or(0);
        // The first ones begin together; each later one when one of those before it has ended.
        let before = place.checked_sub(at_once.max(1)).and_then(|earlier| ended.get(earlier));
        before.map_or(begun, |(_, at)| *at)
    };
    ended.iter().map(|(name, at)| (*name, at.saturating_sub(began(name)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(ended: &[(&'static str, u64)], at_once: usize) -> Vec<(&'static str, u64)> {
        let ended: Vec<_> = ended.iter().map(|(name, at)| (*name, Duration::from_millis(*at))).collect();
        let found = durations(&ended, Duration::from_millis(100), at_once);
        found.into_iter().map(|(name, took)| (name, u64::try_from(took.as_millis()).unwrap_or(0))).collect()
    }

    #[test]
    fn one_after_the_other_each_takes_the_time_since_the_last() {
        assert_eq!(millis(&[("a", 110), ("b", 115), ("c", 215)], 1), [("a", 10), ("b", 5), ("c", 100)]);
    }

    #[test]
    fn beside_each_other_a_test_begins_when_an_earlier_one_ends() {
        // a and b begin together; c begins when b ends, d when c ends.
        let ended = [("b", 120), ("c", 150), ("a", 190), ("d", 250)];
        assert_eq!(millis(&ended, 2), [("b", 20), ("c", 30), ("a", 90), ("d", 100)]);
        assert_eq!(millis(&ended, 8), [("b", 20), ("c", 50), ("a", 90), ("d", 150)]);
    }

    #[test]
    fn lines_that_come_out_of_turn_never_give_less_than_nothing() {
        assert_eq!(millis(&[("z", 90), ("a", 80)], 1), [("z", 0), ("a", 0)]);
        assert!(millis(&[], 0).is_empty());
    }
}
