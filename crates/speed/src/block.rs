//! Block: four runs in a row, of the base, the candidate, the candidate and the base.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::harness::Samples;
use crate::name::Name;

/// What one block measured of one benchmark: nanoseconds an iteration, processor time, or instructions. The unit does
/// not matter as long as less is better and it is the same throughout.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    /// The first and the last run of the block.
    pub base: [f64; 2],
    /// The two runs between them.
    pub candidate: [f64; 2],
}

/// One block: its runs by benchmark.
pub type Block = BTreeMap<Name, Runs>;

/// The block of four runs, in the order A B B A, each as its harness told it. A benchmark that a run does not know has
/// no number there, which makes it one without data.
#[must_use]
pub fn block([first, second, third, fourth]: [&Samples; 4]) -> Block {
    let typical = |samples: &Samples, name: &Name| samples.typical(name).unwrap_or(f64::NAN);
    let names = [first, second, third, fourth].into_iter().flat_map(Samples::names);
    names
        .map(|name| {
            let base = [typical(first, name), typical(fourth, name)];
            let candidate = [typical(second, name), typical(third, name)];
            (name.clone(), Runs { base, candidate })
        })
        .collect()
}

impl Runs {
    /// Whether both numbers of the base can be compared: ratios need numbers above zero.
    pub(crate) fn base_measured(&self) -> bool {
        self.base.into_iter().all(is_measurement)
    }

    /// The same of the candidate.
    pub(crate) fn candidate_measured(&self) -> bool {
        self.candidate.into_iter().all(is_measurement)
    }
}

fn is_measurement(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[(&str, f64)]) -> Samples {
        let mut samples = Samples::default();
        for (name, value) in values {
            samples.add(name, vec![*value]).unwrap();
        }
        samples
    }

    #[test]
    fn a_block_keeps_the_order_of_its_runs_and_shows_what_is_missing() {
        let runs = [
            samples(&[("sort", 1.0)]),
            samples(&[("sort", 2.0), ("new", 9.0)]),
            samples(&[("sort", 3.0), ("new", 9.0)]),
            samples(&[("sort", 4.0)]),
        ];
        let [a1, b1, b2, a2] = &runs;
        let block = block([a1, b1, b2, a2]);
        assert_eq!(block[&Name::of("sort")], Runs { base: [1.0, 4.0], candidate: [2.0, 3.0] });
        let new = block[&Name::of("new")];
        assert!(!new.base_measured() && new.candidate_measured());
    }

    #[test]
    fn only_numbers_above_zero_are_measurements() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, -1.0] {
            assert!(!Runs { base: [1.0, bad], candidate: [1.0; 2] }.base_measured());
            assert!(!Runs { base: [1.0; 2], candidate: [bad, 1.0] }.candidate_measured());
        }
    }
}
