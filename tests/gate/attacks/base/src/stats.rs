//! Numbers about a day of sales.

use crate::money::Cents;

/// The middle amount; for an even count the mean of the two in the middle, rounded down.
pub fn median(amounts: &[Cents]) -> Option<Cents> {
    if amounts.is_empty() {
        return None;
    }
    let mut sorted = amounts.to_vec();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        return Some(sorted[middle]);
    }
    Some((sorted[middle - 1] + sorted[middle]).div_euclid(2))
}

/// Largest minus smallest amount.
pub fn spread(amounts: &[Cents]) -> Option<Cents> {
    let largest = amounts.iter().max()?;
    let smallest = amounts.iter().min()?;
    largest.checked_sub(*smallest)
}

/// The mean in cents with a fraction; zero for no sales.
pub fn mean(amounts: &[Cents]) -> f64 {
    if amounts.is_empty() {
        return 0.0;
    }
    amounts.iter().sum::<Cents>() as f64 / amounts.len() as f64
}

/// Names and amounts, the largest amount first, equal amounts by name.
pub fn ranking(sales: &[(&str, Cents)]) -> Vec<String> {
    let mut sales = sales.to_vec();
    sales.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
    sales.into_iter().map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_and_even() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[5]), Some(5));
        assert_eq!(median(&[9, 1, 5]), Some(5));
        assert_eq!(median(&[4, 1, 3, 2]), Some(2));
        assert_eq!(median(&[-4, -1]), Some(-3));
    }

    #[test]
    fn spread_runs() {
        let _ = spread(&[1, 5, 9]);
    }

    #[test]
    fn mean_is_near() {
        assert!((mean(&[100, 200, 250]) - 183.333).abs() < 0.001);
        assert!(mean(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn ranking_puts_the_largest_first() {
        assert_eq!(ranking(&[("pear", 10), ("apple", 30), ("fig", 20)]), ["apple", "fig", "pear"]);
    }
}
