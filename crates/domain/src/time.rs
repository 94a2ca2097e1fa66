//! Points in time and durations as the journal keeps them. Reading a clock is the business of the floors above.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC. For display and for ids only: no time-out or lease depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// A duration in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The duration rounded down to whole milliseconds; what does not fit is the largest value.
    #[must_use]
    pub fn from_duration(duration: std::time::Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}

impl std::fmt::Display for Millis {
    /// `840 ms`, `6.2 s`, `3 min 5 s`: what a person reads at a glance.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            ms @ 0..1_000 => write!(f, "{ms} ms"),
            ms @ 1_000..100_000 => write!(f, "{}.{} s", ms / 1_000, ms % 1_000 / 100),
            ms => write!(f, "{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Millis;

    #[test]
    fn durations_read_well_at_every_scale() {
        let shown: Vec<_> = [0, 999, 6_240, 99_999, 185_000].map(|ms| Millis(ms).to_string()).into();
        assert_eq!(shown, ["0 ms", "999 ms", "6.2 s", "99.9 s", "3 min 5 s"]);
    }
}
