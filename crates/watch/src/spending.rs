//! Alpha spending (Lan and DeMets): how the chance of a false alarm is shared out among looks that are fixed beforehand.
//! Whoever looks five times at 5 % is wrong far more often than 5 %; whoever spends 5 % over five looks is not.
//!
//! Alpha is spent with the square of the information (Kim and DeMets 1987). That is between O'Brien-Fleming, which saves
//! nearly all for the end, and Pocock, which spends evenly: it finds as much as the former, one look sooner.
//!
//! All looks share one baseline, so a look at four times the samples knows less than four times as much. With m samples
//! before and n after, the Mann-Whitney statistic knows mn / (m + n): its variance is (1/m + 1/n) / 12, and that of a
//! later look is also its covariance with every earlier one. So the looks have independent increments on the scale of
//! this information, as in the usual theory, and the boundaries come from the usual recursive integration (Armitage,
//! McPherson and Rowe 1969; Jennison and Turnbull 2000, chapter 19).

use statrs::function::erf::erfc_inv;

use crate::mann_whitney::above;

/// Points at which a density is kept; odd, for Simpson's rule. A baseline of at least a look makes the last increment no
/// narrower than a fifth, which is three times what lies between two points.
const POINTS: usize = 161;
/// As far below zero a statistic is followed.
const LOWEST: f64 = -8.0;
/// As high a boundary is searched; beyond it the chance is below what a float can show beside 1.
const HIGHEST: f64 = 12.0;

/// The p-value that each look must stay below to cross. Without looks, none ever does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Boundaries(Vec<f64>);

impl Boundaries {
    /// Boundaries for looks at a baseline of `baseline` samples with `per_look` new samples each.
    #[must_use]
    pub fn new(alpha: f64, baseline: usize, per_look: usize, looks: usize) -> Self {
        let information: Vec<f64> = (1..=looks)
            .map(|look| {
                let (m, n) = (baseline as f64, (look * per_look) as f64);
                m * n / (m + n)
            })
            .collect();
        let spent = |share: f64| alpha * share * share;
        Self(boundaries(spent, &information).into_iter().map(above).collect())
    }

    /// The p-value that this look, counted from one, must stay below.
    #[must_use]
    pub fn of(&self, look: usize) -> Option<f64> {
        self.0.get(look.checked_sub(1)?).copied()
    }
}

/// A density on evenly spread points.
struct Density {
    points: Vec<(f64, f64)>,
}

impl Density {
    /// Of what is in reach below `end`, with Simpson's weights multiplied in.
    fn new(start: f64, end: f64, density: impl Fn(f64) -> f64) -> Self {
        let step = (end - start) / (POINTS - 1) as f64;
        let weight = |index: usize| match index {
            0 => 1.0,
            index if index == POINTS - 1 => 1.0,
            index if index % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let point = |index: usize| {
            let at = start + step * index as f64;
            (at, density(at) * weight(index) * step / 3.0)
        };
        Self { points: (0..POINTS).map(point).collect() }
    }

    /// The integral of a function over it.
    fn integral(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.points.iter().map(|(at, weight)| weight * of(*at)).sum()
    }
}

/// The boundaries as standard normal values: `spent` says how much of alpha is gone at a share of the information, which
/// grows from look to look.
fn boundaries(spent: impl Fn(f64) -> f64, information: &[f64]) -> Vec<f64> {
    let all = information.last().copied().unwrap_or(1.0);
    let mut found = Vec::new();
    let (mut before, mut density): (f64, Option<Density>) = (0.0, None);
    let mut spent_before = 0.0;
    for information in information {
        let share = information / all;
        let (root, sd) = (share.sqrt(), (share - before).sqrt());
        let spend = spent(share);
        // Followed on the scale of the score, on which the increments are independent.
        let crosses = |z: f64| match &density {
            None => above(z),
            Some(density) => density.integral(|score| above((z * root - score) / sd)),
        };
        let z = match &density {
            None => std::f64::consts::SQRT_2 * erfc_inv(2.0 * spend),
            Some(_) => falls_to(spend - spent_before, crosses),
        };
        let next = Density::new(LOWEST * root, z * root, |at| match &density {
            None => bell(at / sd) / sd,
            Some(density) => density.integral(|score| bell((at - score) / sd) / sd),
        });
        found.push(z);
        (before, density, spent_before) = (share, Some(next), spend);
    }
    found
}

/// Where a falling function reaches a value.
fn falls_to(value: f64, falling: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (LOWEST, HIGHEST);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if falling(middle) > value { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

fn bell(z: f64) -> f64 {
    (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];

    fn close(found: &[f64], known: &[f64]) {
        assert_eq!(found.len(), known.len());
        for (found, known) in found.iter().zip(known) {
            assert!((found - known).abs() < 2e-4, "{found} is not {known}");
        }
    }

    #[test]
    fn boundaries_are_those_of_the_literature() {
        // Five equal looks at one-sided 2.5 %: the R package ldbounds 2.0, `ldBounds(t, iuse = 1)` and `(iuse = 2)`.
        let pocock = |share: f64| 0.025 * (1.0 + (std::f64::consts::E - 1.0) * share).ln();
        close(&boundaries(pocock, &FIVE), &[2.4380, 2.4268, 2.4101, 2.3966, 2.3859]);
        let half = std::f64::consts::SQRT_2 * erfc_inv(0.025);
        let obrien_fleming = |share: f64| 2.0 * above(half / share.sqrt());
        close(&boundaries(obrien_fleming, &FIVE), &[4.8769, 3.3569, 2.6803, 2.2898, 2.0310]);
    }

    #[test]
    fn a_single_look_may_use_all_of_alpha() {
        let single = Boundaries::new(0.005, 200, 50, 1);
        assert!((single.of(1).unwrap() - 0.005).abs() < 1e-9);
        assert_eq!((single.of(0), single.of(2)), (None, None));
    }

    #[test]
    fn a_small_baseline_leaves_less_to_learn_from_later_looks() {
        // The first of four looks has 0.4 of the information with 200 samples before, a quarter with countless ones.
        let shared = Boundaries::new(0.005, 200, 50, 4);
        assert!((shared.of(1).unwrap() - 0.005 * 0.16).abs() < 1e-9);
        let endless = Boundaries::new(0.005, 1_000_000_000, 50, 4);
        assert!((endless.of(1).unwrap() - 0.005 / 16.0).abs() < 1e-9);
        assert!((2..=4).all(|look| shared.of(look) > shared.of(look - 1)));
    }
}
