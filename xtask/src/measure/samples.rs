//! Samples: several measurements of the same thing, and what may be said about them.

use std::time::Duration;

/// Durations of the same thing, measured several times.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub fn add(&mut self, sample: Duration) {
        self.0.push(sample);
        self.0.sort();
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one; of an even number, the mean of the two in the middle. Zero without samples.
    #[must_use]
    pub fn median(&self) -> Duration {
        let upper = self.0.len() / 2;
        let at = |index: usize| self.0.get(index).copied().unwrap_or_default();
        if self.0.len() % 2 == 1 { at(upper) } else { (at(upper.saturating_sub(1)) + at(upper)) / 2 }
    }

    /// The one that this many of a hundred do not exceed, by nearest rank. Zero without samples.
    #[must_use]
    pub fn percentile(&self, of_a_hundred: usize) -> Duration {
        let rank = (self.0.len() * of_a_hundred).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// The longest. Zero without samples.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<I: IntoIterator<Item = Duration>>(samples: I) -> Self {
        let mut all = Self(samples.into_iter().collect());
        all.0.sort();
        all
    }
}

/// A duration as people read it: `8.4 ms`, `3.20 s`, `4 min 10 s`.
#[must_use]
pub fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 120.0 => format!("{seconds:.2} s"),
        _ => format!("{} min {:02} s", duration.as_secs() / 60, duration.as_secs() % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: &[u64]) -> Samples {
        millis.iter().map(|&millis| Duration::from_millis(millis)).collect()
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(of(&[]).median(), Duration::ZERO);
        assert_eq!(of(&[9, 1, 5]).median(), Duration::from_millis(5));
        assert_eq!(of(&[4, 1, 2, 9]).median(), Duration::from_millis(3));
        assert_eq!(of(&[4, 1, 2, 9]).max(), Duration::from_millis(9));
    }

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let hundred: Samples = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(hundred.percentile(95), Duration::from_millis(95));
        assert_eq!(of(&[1, 2, 3]).percentile(95), Duration::from_millis(3));
        assert_eq!(of(&[]).percentile(95), Duration::ZERO);
    }

    #[test]
    fn durations_are_shown_in_the_unit_that_fits() {
        assert_eq!(shown(Duration::from_micros(8_400)), "8.4 ms");
        assert_eq!(shown(Duration::from_millis(3_200)), "3.20 s");
        assert_eq!(shown(Duration::from_secs(250)), "4 min 10 s");
    }
}
