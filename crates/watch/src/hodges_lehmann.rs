//! The Hodges-Lehmann estimate of a ratio: the median of all ratios of a value after to a value before, which is the
//! Hodges-Lehmann shift of the logarithms. It is the location that belongs to the Mann-Whitney test.

/// Halvings of the interval in which the median is searched; more than a float has bits.
const HALVINGS: usize = 80;

/// By which factor the values of `after` differ from those of `before`; nothing without data.
///
/// Values must not be negative. Zero is the smallest value: zero to zero is no change (a ratio of 1), something to zero
/// is infinity, and zero to something is zero. So the estimate is 0 or infinity where zeros make up about half of one
/// series and not of the other.
#[must_use]
pub fn ratio(before: &[f64], after: &[f64]) -> Option<f64> {
    if before.is_empty() || after.is_empty() {
        return None;
    }
    let pairs = Pairs::new(before, after);
    let all = before.len() * after.len();
    let lower = pairs.order(all.div_ceil(2));
    let upper = if all.is_multiple_of(2) { pairs.order(all / 2 + 1) } else { lower };
    Some(if lower == upper { lower.exp() } else { ((lower + upper) / 2.0).exp() })
}

/// All differences of logarithms, without writing them down.
struct Pairs {
    /// Logarithms of the values that are not zero, in order.
    before: Vec<f64>,
    after: Vec<f64>,
    /// Pairs of minus infinity, and of zero to zero.
    vanished: usize,
    both_zero: usize,
}

impl Pairs {
    fn new(before: &[f64], after: &[f64]) -> Self {
        let logs = |values: &[f64]| {
            let mut logs: Vec<f64> = values.iter().filter(|value| **value > 0.0).map(|value| value.ln()).collect();
            logs.sort_by(f64::total_cmp);
            logs
        };
        let (logs_before, logs_after) = (logs(before), logs(after));
        let (zeros_before, zeros_after) = (before.len() - logs_before.len(), after.len() - logs_after.len());
        Self {
            vanished: zeros_after * logs_before.len(),
            both_zero: zeros_before * zeros_after,
            before: logs_before,
            after: logs_after,
        }
    }

    /// The difference of this place in their order, counted from one: the smallest that so many do not exceed.
    fn order(&self, place: usize) -> f64 {
        if place <= self.vanished {
            return f64::NEG_INFINITY;
        }
        if place > self.vanished + self.both_zero + self.before.len() * self.after.len() {
            return f64::INFINITY;
        }
        let ends = (self.before.first(), self.before.last(), self.after.first(), self.after.last());
        let (mut low, mut high) = match ends {
            (Some(b0), Some(b1), Some(a0), Some(a1)) => (a0 - b1, a1 - b0),
            _ => return 0.0,
        };
        if self.both_zero > 0 {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        // One step below the smallest difference nothing is counted, so that the smallest one can be found as well.
        low -= low.abs() * f64::EPSILON + f64::MIN_POSITIVE;
        high += high.abs() * f64::EPSILON;
        for _ in 0..HALVINGS {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            if self.count(middle) >= place { high = middle } else { low = middle }
        }
        high
    }

    /// How many differences are at most this one.
    fn count(&self, most: f64) -> usize {
        let mut below = 0;
        let mut reached = 0;
        for before in &self.before {
            let within = |after: &&f64| **after <= before + most;
            reached += self.after.get(reached..).map_or(0, |rest| rest.iter().take_while(within).count());
            below += reached;
        }
        below + self.vanished + if most >= 0.0 { self.both_zero } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, known: f64) {
        let found = found.unwrap();
        assert!((found / known - 1.0).abs() < 1e-9, "{found} is not {known}");
    }

    #[test]
    fn the_estimate_is_the_median_of_all_ratios() {
        // numpy 2: `exp(median(subtract.outer(log(x), log(y))))`, on the series of Hollander and Wolfe 1973 for which
        // `wilcox.test(conf.int = TRUE)` of R gives a shift of 0.305, and on the example of scipy's `mannwhitneyu`.
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let weeks = [1.15, 0.88, 0.90, 0.74, 1.21];
        close(ratio(&weeks, &term), 1.311_767_137_078_373_7);
        close(ratio(&[20.0, 11.0, 17.0, 12.0], &[19.0, 22.0, 16.0, 29.0, 24.0]), 1.452_270_948_924_789_8);
        close(ratio(&[2.0], &[3.0]), 1.5);
        close(ratio(&[5.0; 7], &[5.0; 8]), 1.0);
        close(ratio(&[f64::MIN_POSITIVE], &[f64::MIN_POSITIVE * 4.0]), 4.0);
    }

    #[test]
    fn zero_to_zero_is_no_change_and_there_is_no_finite_ratio_to_zero() {
        assert_eq!(ratio(&[0.0, 0.0, 0.0], &[0.0, 0.0, 4.0]), Some(1.0));
        assert_eq!(ratio(&[0.0, 0.0, 1.0], &[2.0, 2.0, 2.0]), Some(f64::INFINITY));
        assert_eq!(ratio(&[1.0, 2.0, 3.0], &[0.0, 0.0, 0.0]), Some(0.0));
        assert_eq!(ratio(&[], &[1.0]), None);
    }
}
