//! Exponential backoff with full jitter: the pause before the n-th new start is drawn evenly from zero to a ceiling
//! that doubles, so that many children of one cause do not start again in step.

use std::time::Duration;

/// How long to wait before something is started again.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The ceiling of the first pause.
    pub first: Duration,
    /// No pause is longer.
    pub most: Duration,
}

impl Backoff {
    /// The pause before start number `again` (0 is the first new start); `draw` is an even draw from 0 to 1.
    #[must_use]
    pub fn pause(&self, again: u32, draw: f64) -> Duration {
        let ceiling = self.first.saturating_mul(1_u32.checked_shl(again.min(31)).unwrap_or(u32::MAX)).min(self.most);
        let draw = if draw.is_finite() { draw.clamp(0.0, 1.0) } else { 1.0 };
        ceiling.mul_f64(draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_most(again: u32, draw: f64) {
            let backoff = Backoff { first: Duration::from_millis(50), most: Duration::from_secs(5) };
            prop_assert!(backoff.pause(again, draw) <= backoff.most);
        }
    }

    #[test]
    fn the_ceiling_doubles() {
        let backoff = Backoff { first: Duration::from_millis(50), most: Duration::from_secs(5) };
        let pauses: Vec<u128> = (0..9).map(|again| backoff.pause(again, 1.0).as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
