//! The test: a Mann-Whitney test (Wilcoxon 1945) within blocks, added up over them (van Elteren 1960).
//!
//! Each block has four ratios, of each of its two runs of the base to each of its two runs of the candidate. If the
//! trees are as fast as each other, the four runs of a block could stand in any of six orders, and all of them are as
//! likely: so the number of ratios above one has a distribution that is known exactly, whatever the noise looks like. A
//! test of another ratio than one counts the ratios above that one.
//!
//! Why within blocks: what the machine does between blocks cannot matter. Within one, a steady drift puts the base
//! first and last, which looks like the most balanced of the six orders, so it never speaks for a difference.
//!
//! Others were simulated. The signed-rank test on pairs of neighbours finds a little more in even noise (of slowdowns
//! of 5 % where a run varies by 3 %, 93 % against 83 % in 24 blocks), but misses 6 % of speed-ups by 10 % when one run
//! in ten is disturbed, because the disturbed pairs get the largest ranks; this test misses none. A signed-rank test on
//! one number a block misses 30 % of them, and decides nothing before the sixteenth block, since so few signs cannot be
//! as unlikely as it takes. A Mann-Whitney test over all runs would take drift for noise.
//!
//! The estimate is the one of Hodges and Lehmann (1963) that belongs to the test: the ratio at which the test is most
//! content, the median of all ratios within blocks. The interval holds every ratio that the test would not reject.

use crate::block::Runs;
use crate::noise::median;

/// Ratios above one in a block, from none to four, among the six orders of its runs.
const ORDERS: [f64; 5] = [1.0 / 6.0, 1.0 / 6.0, 2.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0];

/// So many ratios may speak against a difference that all the same is shown at a level: the largest count that is not
/// reached from below by chance more often. Nothing when even none would be too many, as with too few blocks.
pub(crate) fn may_differ(blocks: usize, level: f64) -> Option<usize> {
    let mut chance = 0.0;
    let mut rare = |at: f64| {
        chance += at;
        chance <= level
    };
    distribution(blocks).into_iter().map_while(|at| rare(at).then_some(())).count().checked_sub(1)
}

/// The chances of each number of ratios above one, when there is no difference.
fn distribution(blocks: usize) -> Vec<f64> {
    let mut chances = vec![1.0];
    for _ in 0..blocks {
        let mut next = vec![0.0; chances.len() + 4];
        for (below, chance) in chances.iter().enumerate() {
            for (slot, order) in next.iter_mut().skip(below).zip(ORDERS) {
                *slot += chance * order;
            }
        }
        chances = next;
    }
    chances
}

/// The logarithms of all ratios of base to candidate within blocks, in order.
pub(crate) struct Ratios {
    blocks: usize,
    /// As low as each can be, as it was measured, and as high as it can be.
    lowest: Vec<f64>,
    measured: Vec<f64>,
    highest: Vec<f64>,
    /// Neither tree ever differed from itself.
    constant: bool,
}

impl Ratios {
    /// Of runs that are all measurements.
    pub(crate) fn of(runs: &[Runs]) -> Self {
        let values = || runs.iter().flat_map(|runs| runs.base.into_iter().chain(runs.candidate));
        // Whole numbers may have been rounded: 12 and 13 ns can be 12.4 and 12.6. Of counts in the millions this takes
        // nothing that anybody would see.
        let rounded = if values().all(|value| value.fract() == 0.0) { 0.5 } else { 0.0 };
        let ratios = |base: f64, candidate: f64| {
            let mut ratios: Vec<f64> = runs
                .iter()
                .flat_map(|runs| runs.base.map(|a| runs.candidate.map(|b| (a + base).ln() - (b + candidate).ln())))
                .flatten()
                .collect();
            ratios.sort_by(f64::total_cmp);
            ratios
        };
        Self {
            blocks: runs.len(),
            lowest: ratios(-rounded, rounded),
            measured: ratios(0.0, 0.0),
            highest: ratios(rounded, -rounded),
            constant: same(runs.iter().flat_map(|runs| runs.base)) && same(runs.iter().flat_map(|runs| runs.candidate)),
        }
    }

    /// The logarithm of the ratio.
    pub(crate) fn estimate(&self) -> f64 {
        median(&self.measured).unwrap_or(0.0)
    }

    /// What the test at this level cannot tell the ratio from, either way, as logarithms; the ends belong to it.
    /// Without any noise there is nothing to test, and the interval is what rounding leaves. Nothing when the blocks
    /// are too few for the level.
    pub(crate) fn interval(&self, level: f64) -> Option<(f64, f64)> {
        let differ = if self.constant { 0 } else { may_differ(self.blocks, level)? };
        Some((*self.lowest.get(differ)?, *self.highest.iter().rev().nth(differ)?))
    }

    /// Whether no run ever differed from another of the same tree.
    pub(crate) fn constant(&self) -> bool {
        self.constant
    }
}

fn same(mut values: impl Iterator<Item = f64>) -> bool {
    let first = values.next();
    values.all(|value| Some(value) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way in which two of four places can be those of the base.
    const PLACES: [[usize; 2]; 6] = [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]];

    #[test]
    fn the_distribution_is_that_of_all_orders() {
        // Counted out for two blocks: 36 orders.
        let above = |base: [usize; 2]| {
            (0..4).filter(|at| !base.contains(at)).map(|b| base.iter().filter(|a| **a > b).count()).sum::<usize>()
        };
        let mut counted = [0.0; 9];
        for one in PLACES {
            for other in PLACES {
                counted[above(one) + above(other)] += 1.0 / 36.0;
            }
        }
        let found = distribution(2);
        assert_eq!(found.len(), 9);
        assert!(found.iter().zip(counted).all(|(found, counted)| (found - counted).abs() < 1e-12), "{found:?}");
        assert!((distribution(40).iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn few_blocks_cannot_be_as_unlikely_as_it_takes() {
        // One order in six: 6^-4 is 0.000 77, 6^-3 is 0.004 6.
        assert_eq!(may_differ(3, 0.0025), None);
        assert_eq!(may_differ(4, 0.0025), Some(0));
        assert_eq!(may_differ(0, 0.5), None);
        // Of 24 blocks nearly a third of the ratios may be on the wrong side.
        assert_eq!(may_differ(24, 0.0025), Some(29));
        assert_eq!(may_differ(2, 1.5), Some(8));
    }

    #[test]
    fn estimate_and_interval_are_order_statistics() {
        let runs: Vec<Runs> = (1..=6).map(|at| Runs { base: [2.5; 2], candidate: [f64::from(at) + 0.5; 2] }).collect();
        let ratios = Ratios::of(&runs);
        assert!((ratios.estimate().exp() - (2.5f64 / 3.5 * 2.5 / 4.5).sqrt()).abs() < 1e-9);
        let (low, high) = ratios.interval(0.0025).unwrap();
        assert_eq!(may_differ(6, 0.0025), Some(2));
        assert!((low.exp() - 2.5 / 6.5).abs() < 1e-9 && (high.exp() - 2.5 / 1.5).abs() < 1e-9);
        assert_eq!(ratios.interval(1e-9), None);
    }

    #[test]
    fn whole_numbers_may_have_been_rounded() {
        let constant =
            |base: f64, candidate: f64| Ratios::of(&[Runs { base: [base; 2], candidate: [candidate; 2] }; 6]);
        let (low, high) = constant(12.0, 13.0).interval(0.0).unwrap();
        assert!((low.exp() - 11.5 / 13.5).abs() < 1e-9 && (high.exp() - 12.5 / 12.5).abs() < 1e-9);
        let (low, high) = constant(12.5, 13.5).interval(0.0).unwrap();
        assert!(low == high && constant(12.5, 13.5).constant());
        assert!(!Ratios::of(&[Runs { base: [1.0, 2.0], candidate: [1.0; 2] }]).constant());
    }
}
