//! Statistics of measurements.

/// The mean, or `None` without values.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.len() == 0 {
        return None;
    }
    let mut sum = 0.0;
    for i in 0..values.len() {
        sum += values[i];
    }
    Some(sum / values.len() as f64)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut copy = values.to_vec();
    copy.sort_by(|a, b| a.total_cmp(b));
    return copy;
}

/// The middle value; of two middle values their mean.
///
/// ```
/// assert_eq!(garden::stats::median(&[3.0, 1.0, 2.0]), Some(2.0));
/// ```
pub fn median(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let sorted = sorted(&values);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        Some(sorted[half])
    } else {
        Some((sorted[half - 1] + sorted[half]) / 2.0)
    }
}

/// The variance of the whole population, or `None` without values.
pub fn variance(values: &[f64]) -> Option<f64> {
    let m = match mean(values) {
        Some(m) => m,
        None => return None,
    };
    let mut sum = 0.0;
    for value in values {
        sum += (value - m) * (value - m);
    }
    Some(sum / values.len() as f64)
}

/// The smallest value that is not below `percent` of all values; 100 gives
/// the largest value.
pub fn percentile(values: &[f64], percent: u32) -> Option<f64> {
    if values.is_empty() || percent > 100 {
        return None;
    }
    let sorted = sorted(values);
    let at = percent as usize * sorted.len() / 100;
    Some(sorted[at])
}

/// The most frequent value; of several the one that comes first.
pub fn mode(values: &[i64]) -> Option<i64> {
    let mut best: Option<(i64, usize)> = None;
    for value in values {
        let mut count = 0;
        for other in values {
            if other == value {
                count += 1;
            }
        }
        let better = match best {
            Some((_, most)) => count > most,
            None => true,
        };
        if better {
            best = Some((*value, count));
        }
    }
    best.map(|(value, _)| value)
}

/// The smallest and the largest value.
pub fn range(values: &[i64]) -> Option<(i64, i64)> {
    let min = values.iter().min();
    let max = values.iter().max();
    if min.is_some() && max.is_some() {
        Some((*min.unwrap(), *max.unwrap()))
    } else {
        None
    }
}

/// The sums of `width` neighbouring values, for each place where they fit.
pub fn moving_sums(values: &[i64], width: usize) -> Vec<i64> {
    let mut sums = Vec::new();
    if width == 0 || width > values.len() {
        return sums;
    }
    for start in 0..=values.len() - width {
        let mut sum = 0;
        for i in start..start + width {
            sum += values[i];
        }
        sums.push(sum);
    }
    sums
}

/// The sums of groups of `size` values; the last group may be shorter.
pub fn group_sums(values: &[i64], size: usize) -> Vec<i64> {
    if size == 0 {
        return Vec::new();
    }
    let groups = (values.len() + size - 1) / size;
    let mut sums = Vec::new();
    for group in 0..groups {
        let start = group * size;
        let end = std::cmp::min(start + size, values.len());
        let mut sum = 0;
        for value in &values[start..end] {
            sum += value;
        }
        sums.push(sum);
    }
    sums
}

/// How many values fall into each of the ten bins from 0 to below 100.
/// Values outside are left out.
pub fn histogram(values: &[i64]) -> [usize; 10] {
    let mut bins = [0; 10];
    for value in values {
        if *value >= 0 {
            if *value < 100 {
                bins[(*value / 10) as usize] += 1;
            }
        }
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[2.0, 4.0, 9.0]), Some(5.0));
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[5.0]), Some(5.0));
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn variances() {
        assert_eq!(variance(&[]), None);
        assert_eq!(variance(&[3.0]), Some(0.0));
        assert_eq!(variance(&[2.0, 4.0, 4.0, 6.0]), Some(2.0));
    }

    #[test]
    fn percentiles() {
        let values = [40.0, 10.0, 30.0, 20.0];
        assert_eq!(percentile(&values, 0), Some(10.0));
        assert_eq!(percentile(&values, 49), Some(20.0));
        assert_eq!(percentile(&values, 50), Some(30.0));
        assert_eq!(percentile(&values, 99), Some(40.0));
        assert_eq!(percentile(&values, 101), None);
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn modes() {
        assert_eq!(mode(&[]), None);
        assert_eq!(mode(&[1, 2, 2, 3]), Some(2));
        assert_eq!(mode(&[3, 1, 1, 3]), Some(3));
        assert_eq!(mode(&[7]), Some(7));
    }

    #[test]
    fn ranges() {
        assert_eq!(range(&[]), None);
        assert_eq!(range(&[4, -2, 9]), Some((-2, 9)));
    }

    #[test]
    fn sums_of_neighbours() {
        assert_eq!(moving_sums(&[1, 2, 3, 4], 2), [3, 5, 7]);
        assert_eq!(moving_sums(&[1, 2, 3], 3), [6]);
        assert_eq!(moving_sums(&[5, -5, 2], 1), [5, -5, 2]);
        assert!(moving_sums(&[1, 2], 3).is_empty());
        assert!(moving_sums(&[1, 2], 0).is_empty());
    }

    #[test]
    fn sums_of_groups() {
        assert_eq!(group_sums(&[1, 2, 3, 4, 5], 2), [3, 7, 5]);
        assert_eq!(group_sums(&[1, 2, 3, 4], 2), [3, 7]);
        assert_eq!(group_sums(&[1, 2], 5), [3]);
        assert!(group_sums(&[], 2).is_empty());
        assert!(group_sums(&[1], 0).is_empty());
    }

    #[test]
    fn bins() {
        let bins = histogram(&[0, 9, 10, 99, 100, -1, 55]);
        assert_eq!(bins, [2, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
    }
}
