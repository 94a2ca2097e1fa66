//! Money in whole cents.

/// An amount of money in cents.
pub type Cents = i64;

/// The largest amount one sale may have.
pub const LIMIT: Cents = 100_000_000;

/// Discount in percent from a number of pieces on, the largest number first.
const DISCOUNTS: [(u32, u32); 4] = [(500, 20), (100, 15), (50, 10), (10, 5)];

/// Price times pieces; `None` when the product does not fit or is over [`LIMIT`].
pub fn times(price: Cents, pieces: u32) -> Option<Cents> {
    price.checked_mul(Cents::from(pieces)).filter(|sum| *sum <= LIMIT)
}

/// Sum of all amounts; `None` when it does not fit.
pub fn sum(amounts: &[Cents]) -> Option<Cents> {
    amounts.iter().try_fold(0, |sum: Cents, amount| sum.checked_add(*amount))
}

/// `part` basis points of `amount`, rounded half away from zero; `None` on overflow.
pub fn share(amount: Cents, part: u32) -> Option<Cents> {
    let raw = amount.checked_mul(Cents::from(part))?;
    let half = if raw < 0 { -5_000 } else { 5_000 };
    Some(raw.checked_add(half)? / 10_000)
}

/// The discount in percent for a number of pieces.
pub fn discount(pieces: u32) -> u32 {
    DISCOUNTS.iter().find(|(from, _)| pieces >= *from).map_or(0, |(_, percent)| *percent)
}

/// Rounds to the next five cents, as cash is paid.
pub fn cash(amount: Cents) -> Cents {
    let rest = amount.rem_euclid(5);
    if rest < 3 {
        amount - rest
    } else {
        amount + 5 - rest
    }
}

/// Change for a customer who gives `given`; `None` when that is too little.
pub fn change(price: Cents, given: Cents) -> Option<Cents> {
    if given < price {
        return None;
    }
    given.checked_sub(price)
}

/// Gives every one of `people` the same part; `None` when there are none.
pub fn split(amount: Cents, people: u32) -> Option<Cents> {
    if people == 0 {
        return None;
    }
    Some(amount / Cents::from(people))
}

/// Writes cents as `12.05`.
pub fn show(amount: Cents) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    format!("{sign}{}.{:02}", amount / 100, amount % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_multiplies_up_to_the_limit() {
        assert_eq!(times(120, 3), Some(360));
        assert_eq!(times(LIMIT, 1), Some(LIMIT));
        assert_eq!(times(LIMIT + 1, 1), None);
        assert_eq!(times(7, 0), Some(0));
    }

    #[test]
    fn sum_adds_and_sees_overflow() {
        assert_eq!(sum(&[]), Some(0));
        assert_eq!(sum(&[1, 2, 39]), Some(42));
        assert_eq!(sum(&[Cents::MAX, 1]), None);
    }

    #[test]
    fn share_rounds_half_away_from_zero() {
        assert_eq!(share(1_000, 700), Some(70));
        assert_eq!(share(50, 100), Some(1));
        assert_eq!(share(49, 100), Some(0));
        assert_eq!(share(-50, 100), Some(-1));
        assert_eq!(share(-49, 100), Some(0));
        assert_eq!(share(Cents::MAX, 2), None);
    }

    #[test]
    fn discount_starts_at_ten_pieces() {
        assert_eq!(discount(9), 0);
        assert_eq!(discount(10), 5);
        assert_eq!(discount(50), 10);
    }

    #[test]
    fn cash_rounds_to_five() {
        let rounded: Vec<_> = (100..=106).map(cash).collect();
        assert_eq!(rounded, [100, 100, 100, 105, 105, 105, 105]);
        assert_eq!(cash(-3), -5);
        assert_eq!(cash(-2), 0);
    }

    #[test]
    fn change_is_what_is_left() {
        assert_eq!(change(360, 500), Some(140));
        assert_eq!(change(500, 500), Some(0));
        assert_eq!(change(501, 500), None);
    }

    #[test]
    fn split_is_even() {
        assert_eq!(split(100, 3), Some(33));
        assert_eq!(split(100, 1), Some(100));
    }

    #[test]
    fn show_has_two_digits() {
        assert_eq!(show(1205), "12.05");
        assert_eq!(show(-7), "-0.07");
        assert_eq!(show(0), "0.00");
        assert_eq!(show(99), "0.99");
    }
}
