//! Samples: the numbers of one run, by benchmark.

use std::collections::BTreeMap;

use crate::harness::{HarnessError, MOST_BENCHMARKS, MOST_SAMPLES, piece};
use crate::name::Name;
use crate::noise::median;

/// What one run of a harness measured. Each number is finite and not negative; a zero is what a harness says of a
/// benchmark that the compiler has made nothing of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples(BTreeMap<Name, Vec<f64>>);

impl Samples {
    /// Adds a benchmark.
    ///
    /// # Errors
    /// When it has no name or one that is there already, no numbers or too many, or something that is no measurement.
    pub fn add(&mut self, name: &str, values: Vec<f64>) -> Result<(), HarnessError> {
        let name = Name::of(name);
        let number = |text: String| HarnessError::Number { name: name.to_string(), text };
        if name.as_str().is_empty() {
            return Err(HarnessError::Nameless);
        }
        if values.len() > MOST_SAMPLES {
            return Err(HarnessError::TooManySamples { name: name.to_string(), samples: values.len() });
        }
        if values.is_empty() {
            return Err(number("nothing".to_owned()));
        }
        if let Some(odd) = values.iter().find(|value| !value.is_finite() || **value < 0.0) {
            return Err(number(piece(&odd.to_string())));
        }
        if self.0.contains_key(&name) {
            return Err(HarnessError::Twice { name: name.to_string() });
        }
        if self.0.len() >= MOST_BENCHMARKS {
            return Err(HarnessError::TooManyBenchmarks);
        }
        self.0.insert(name, values);
        Ok(())
    }

    /// Adds what another harness of the same run measured.
    ///
    /// # Errors
    /// When there are too many benchmarks, or two of the same name.
    pub fn merge(&mut self, other: Self) -> Result<(), HarnessError> {
        other.0.into_iter().try_for_each(|(name, values)| self.add(name.as_str(), values))
    }

    /// The number that stands for a run of a benchmark: the median of its samples.
    #[must_use]
    pub fn typical(&self, name: &Name) -> Option<f64> {
        let mut values = self.0.get(name)?.clone();
        values.sort_by(f64::total_cmp);
        median(&values)
    }

    /// The numbers of a benchmark.
    #[must_use]
    pub fn of(&self, name: &Name) -> Option<&[f64]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The benchmarks, by name.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }

    /// Whether no benchmark was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_for_a_run() {
        let mut samples = Samples::default();
        samples.add("a", vec![3.0, 1.0, 100.0, 2.0]).unwrap();
        assert_eq!(samples.typical(&Name::of("a")), Some(2.5));
        assert_eq!(samples.of(&Name::of("a")), Some(&[3.0, 1.0, 100.0, 2.0][..]));
        assert_eq!(samples.typical(&Name::of("b")), None);
    }

    #[test]
    fn limits_hold_and_names_are_there_once() {
        let mut samples = Samples::default();
        samples.add(&"a".repeat(500), vec![1.0]).unwrap();
        samples.add(&"a".repeat(600), vec![1.0]).unwrap();
        assert!(matches!(samples.add(&"a".repeat(600), vec![1.0]), Err(HarnessError::Twice { .. })));
        assert!(matches!(samples.add("b", vec![1.0; MOST_SAMPLES + 1]), Err(HarnessError::TooManySamples { .. })));
        for odd in [vec![], vec![f64::NAN], vec![1.0, -1.0], vec![f64::INFINITY]] {
            assert!(matches!(samples.add("b", odd), Err(HarnessError::Number { .. })));
        }
        assert_eq!(samples.add("  ", vec![1.0]), Err(HarnessError::Nameless));
        let mut other = Samples::default();
        other.add("b", vec![0.0]).unwrap();
        samples.merge(other.clone()).unwrap();
        assert!(matches!(samples.merge(other), Err(HarnessError::Twice { .. })));
        let full =
            (samples.names().count()..MOST_BENCHMARKS).try_for_each(|at| samples.add(&at.to_string(), vec![1.0]));
        assert_eq!(full, Ok(()));
        assert_eq!(samples.add("more", vec![1.0]), Err(HarnessError::TooManyBenchmarks));
    }
}
