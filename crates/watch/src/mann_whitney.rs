//! The Mann-Whitney test (Wilcoxon's rank sum): whether values of one series tend to be larger than those of another.
//! It looks at ranks only, so that the long right tail of a duration does not drown everything else.

use statrs::function::erf::erfc;

/// Values that differ by less than this share are the same: a change of unit rounds, and must not break a tie.
const SAME: f64 = 1e-9;
/// Up to so many values in both series the distribution of the statistic is counted out. Up to here every count is a
/// whole number that a float holds exactly.
const COUNTED: usize = 50;

/// What the test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the value of the second series is the larger one; a tie counts half.
    pub u: f64,
    /// The chance of so many or more, if both series came from the same source.
    pub p: f64,
}

/// Tests whether `after` tends to be larger than `before`, one-sided. Without data nothing is shown: p is 1.
///
/// Ties get the middle of their ranks. Small series without ties are counted out exactly; for all others the normal
/// approximation is taken, with the correction for ties and for continuity.
#[must_use]
pub fn greater(before: &[f64], after: &[f64]) -> MannWhitney {
    let (m, n) = (before.len() as f64, after.len() as f64);
    let ranked = rank(before, after);
    let u = ranked.sum_after - n * (n + 1.0) / 2.0;
    let total = m + n;
    let variance = m * n / 12.0 * (total + 1.0 - ranked.ties / (total * (total - 1.0)));
    // Not a number when there is nothing to compare, zero when all values are the same.
    if variance.is_nan() || variance <= 0.0 {
        return MannWhitney { u, p: 1.0 };
    }
    let p = if ranked.ties == 0.0 && before.len() + after.len() <= COUNTED {
        counted(before.len(), after.len(), u)
    } else {
        above((u - m * n / 2.0 - 0.5) / variance.sqrt())
    };
    MannWhitney { u, p: p.min(1.0) }
}

/// The chance that a standard normal value is above this one.
pub(crate) fn above(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

struct Ranked {
    /// The ranks of the second series together.
    sum_after: f64,
    /// The sum of t³ - t over groups of t equal values.
    ties: f64,
}

fn rank(before: &[f64], after: &[f64]) -> Ranked {
    let mut all: Vec<(f64, bool)> =
        before.iter().map(|&value| (value, false)).chain(after.iter().map(|&value| (value, true))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranked = Ranked { sum_after: 0.0, ties: 0.0 };
    let mut ranks_before = 0.0;
    for group in all.chunk_by(|a, b| b.0 - a.0 <= SAME * a.0.abs() || a.0 == b.0) {
        let size = group.len() as f64;
        let of_after = group.iter().filter(|(_, after)| *after).count() as f64;
        ranked.sum_after += of_after * (ranks_before + (size + 1.0) / 2.0);
        ranked.ties += size * (size * size - 1.0);
        ranks_before += size;
    }
    ranked
}

/// The exact chance of `u` or more without ties. The number of orders that give each `u` are the coefficients of the
/// Gaussian binomial, which grows by one value of the second series at a time.
fn counted(m: usize, n: usize, u: f64) -> f64 {
    let mut counts = vec![0.0; m * n + 1];
    if let Some(first) = counts.first_mut() {
        *first = 1.0;
    }
    let at = |counts: &[f64], at: usize| counts.get(at).copied().unwrap_or(0.0);
    for i in 1..=n {
        for q in (m + i..=m * n).rev() {
            let lower = at(&counts, q - (m + i));
            counts.iter_mut().skip(q).take(1).for_each(|count| *count -= lower);
        }
        for q in i..=m * n {
            let lower = at(&counts, q - i);
            counts.iter_mut().skip(q).take(1).for_each(|count| *count += lower);
        }
    }
    let all: f64 = counts.iter().sum();
    counts.iter().enumerate().filter(|(value, _)| *value as f64 >= u - 0.25).map(|(_, count)| count).sum::<f64>() / all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(before: &[f64], after: &[f64], u: f64, p: f64) {
        let found = greater(before, after);
        assert!(found.u == u && (found.p / p - 1.0).abs() < 1e-9, "{found:?} is not U {u}, p {p}");
    }

    #[test]
    fn small_series_are_counted_out() {
        // Hollander and Wolfe 1973, permeability of membranes; `wilcox.test` of R gives W = 35, p = 0.1272.
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let weeks = [1.15, 0.88, 0.90, 0.74, 1.21];
        found(&weeks, &term, 35.0, 0.127_206_127_206_127_2);
        // The example in the documentation of scipy 1.17 `mannwhitneyu`, `method="exact"`.
        found(&[20.0, 11.0, 17.0, 12.0], &[19.0, 22.0, 16.0, 29.0, 24.0], 17.0, 0.055_555_555_555_555_55);
    }

    #[test]
    fn ties_and_long_series_are_approximated_with_both_corrections() {
        // scipy 1.17 `mannwhitneyu(after, before, alternative="greater", method="asymptotic")`.
        let before = [1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0];
        let after = [3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 7.0, 8.0, 9.0];
        found(&before, &after, 59.5, 0.012_748_034_315_749_793);
        let before: Vec<f64> = (0..60).map(|i| 120.0 + 2.0 * f64::from(i * 37 % 60)).collect();
        let after: Vec<f64> = (0..40).map(|i| 144.0 + 3.0 * f64::from(i * 23 % 40)).collect();
        found(&before, &after, 1624.0, 0.001_441_812_949_075_598_3);
    }

    #[test]
    fn the_longest_series_that_is_counted_out_is_counted_exactly() {
        // scipy 1.17 `mannwhitneyu(b + 6.5, b, alternative="greater", method="exact")` with `b = arange(25.)`.
        let before: Vec<f64> = (0..25).map(f64::from).collect();
        let after: Vec<f64> = before.iter().map(|value| value + 6.5).collect();
        found(&before, &after, 454.0, 0.002_747_607_192_170_485);
        // One value more, and the approximation takes over, on the safe side.
        let longer: Vec<f64> = (0..26).map(f64::from).collect();
        let approximated = greater(&longer, &after);
        assert!((0.0045..0.0065).contains(&approximated.p), "{approximated:?}");
    }

    #[test]
    fn nothing_and_all_the_same_show_nothing() {
        assert_eq!(greater(&[], &[]).p, 1.0);
        assert_eq!(greater(&[1.0], &[]).p, 1.0);
        assert_eq!(greater(&[2.0; 9], &[2.0; 9]).p, 1.0);
    }
}
