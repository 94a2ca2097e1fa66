//! Series: the samples of a metric, as they come from outside, and the part of them that can be used.

/// More of a hundred samples than this that are no measurement make a series one that cannot be judged.
const UNUSABLE: usize = 10;

/// The samples of a metric, in the order in which they were taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Series<'a> {
    /// Before the landing.
    pub baseline: &'a [f64],
    /// After it, so far.
    pub after: &'a [f64],
    /// Something that the landing cannot have changed.
    pub control: Option<Control<'a>>,
}

/// A metric that the landing cannot have changed, sampled beside the watched one on the same machine: when it moved as
/// well, something else did it. Its samples are paired with those of the metric: a look has as many of both.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Control<'a> {
    /// Before the landing.
    pub baseline: &'a [f64],
    /// After it, so far.
    pub after: &'a [f64],
}

impl Series<'_> {
    /// Samples after the landing of which the control has its part too.
    pub(crate) fn complete(&self) -> usize {
        self.control.map_or(self.after.len(), |control| control.after.len().min(self.after.len()))
    }
}

/// What can be used of some samples: numbers that are neither infinite nor negative, since all this speaks of ratios.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Usable {
    pub(crate) values: Vec<f64>,
    /// Samples that are no measurement.
    pub(crate) bad: usize,
}

impl Usable {
    pub(crate) fn of(samples: &[f64]) -> Self {
        // Adding zero turns a negative zero, which sorts below zero, into a plain one.
        let values: Vec<f64> =
            samples.iter().filter(|value| value.is_finite() && **value >= 0.0).map(|value| value + 0.0).collect();
        Self { bad: samples.len() - values.len(), values }
    }

    /// Whether too much is missing to believe the rest.
    pub(crate) fn is_spoilt(&self) -> bool {
        self.bad * 100 > (self.bad + self.values.len()) * UNUSABLE
    }

    /// Whether nothing ever moves, as with a probe that is stuck.
    pub(crate) fn is_constant(&self) -> bool {
        self.values.windows(2).all(|two| matches!(two, [a, b] if a == b))
    }
}

/// The middle value; of an even number the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(lower / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_measurements_are_used() {
        let usable = Usable::of(&[1.0, f64::NAN, 0.0, -0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY, 3.0]);
        assert_eq!((usable.values.as_slice(), usable.bad), (&[1.0, 0.0, 0.0, 3.0][..], 4));
        assert!(usable.values.iter().all(|value| value.is_sign_positive()));
        assert!(usable.is_spoilt() && !usable.is_constant());
        assert!(!Usable { values: vec![1.0; 9], bad: 1 }.is_spoilt());
        assert!(Usable::of(&[2.0; 3]).is_constant());
    }

    #[test]
    fn the_median_does_not_overflow() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Some(f64::MAX));
    }
}
