//! Money in whole cents, and rates in hundredths of a percent.

use crate::error::Reason;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};
use std::str::FromStr;

/// The digits an amount read from text may have before the point. Together with the limit on
/// quantities it keeps sums far away from the end of `i64`.
const MAX_DIGITS: usize = 8;

/// An amount of money in cents. Negative amounts are credits.
///
/// ```
/// use ledger::Cents;
///
/// let price: Cents = "12.50".parse()?;
/// assert_eq!(price * 3, Cents(3750));
/// assert_eq!((price - Cents(2000)).to_string(), "-7.50");
/// # Ok::<(), ledger::Reason>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cents(pub i64);

impl Cents {
    /// No money at all.
    pub const ZERO: Cents = Cents(0);

    /// Whether the amount is exactly zero.
    pub fn is_zero(self) -> bool {
        return self.0 == 0;
    }

    /// The part of this amount that `rate` stands for, in whole cents.
    ///
    /// A tie between two cents goes to the even one, so that the sum over many small invoices
    /// leans neither to the customer nor to the tax office.
    pub fn portion(self, rate: Rate) -> Cents {
        let whole = i128::from(Rate::WHOLE.0);
        let scaled = i128::from(self.0) * i128::from(rate.0);
        let rounded = (scaled * 2 + whole).div_euclid(whole * 2);
        Cents(rounded as i64)
    }
}

impl Add for Cents {
    type Output = Cents;

    fn add(self, other: Cents) -> Cents {
        Cents(self.0 + other.0)
    }
}

impl AddAssign for Cents {
    fn add_assign(&mut self, other: Cents) {
        self.0 += other.0;
    }
}

impl Sub for Cents {
    type Output = Cents;

    fn sub(self, other: Cents) -> Cents {
        Cents(self.0 - other.0)
    }
}

impl Neg for Cents {
    type Output = Cents;

    fn neg(self) -> Cents {
        Cents(-self.0)
    }
}

impl Mul<u32> for Cents {
    type Output = Cents;

    fn mul(self, count: u32) -> Cents {
        Cents(self.0 * i64::from(count))
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Cents>>(amounts: I) -> Cents {
        amounts.fold(Cents::ZERO, |sum, amount| sum + amount)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl FromStr for Cents {
    type Err = Reason;

    /// Reads `12`, `12.50` or `-12.50`.
    fn from_str(text: &str) -> Result<Self, Reason> {
        let malformed = || Reason::Malformed("an amount such as 12.50", text.to_string());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (euros, cents) = digits.split_once('.').unwrap_or((digits, "00"));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if euros.len() == 0 || cents.len() != 2 || !all_digits(euros) || !all_digits(cents) {
            return Err(malformed());
        }
        if euros.len() > MAX_DIGITS {
            return Err(Reason::Malformed("an amount below a hundred million", text.to_string()));
        }
        let euros: i64 = euros.parse().map_err(|_| malformed())?;
        let cents: i64 = cents.parse().map_err(|_| malformed())?;
        let amount = euros * 100 + cents;
        Ok(Cents(if negative { -amount } else { amount }))
    }
}

/// A share of an amount in hundredths of a percent, at most the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u32);

impl Rate {
    /// Nothing.
    pub const ZERO: Rate = Rate(0);
    /// Everything: 100 percent.
    pub const WHOLE: Rate = Rate(10_000);

    /// A rate of so many hundredths of a percent: `Rate::new(1900)` is 19 percent. More than the
    /// whole is cut down to the whole.
    pub const fn new(hundredths: u32) -> Rate {
        if hundredths > Rate::WHOLE.0 { Rate::WHOLE } else { Rate(hundredths) }
    }
}

impl FromStr for Rate {
    type Err = Reason;

    /// Reads a percentage with at most two decimals, such as `19` or `5.50`.
    fn from_str(text: &str) -> Result<Self, Reason> {
        let malformed = || Reason::Malformed("a percentage from 0 to 100", text.to_string());
        let hundredths = text.parse::<Cents>().map_err(|_| malformed())?.0;
        match u32::try_from(hundredths) {
            Ok(hundredths) if hundredths <= Rate::WHOLE.0 => Ok(Rate(hundredths)),
            _ => Err(malformed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_alike() {
        for text in ["0.00", "0.05", "12.50", "-0.99", "-1234567.89"] {
            assert_eq!(text.parse::<Cents>().unwrap().to_string(), text);
        }
        assert_eq!("7".parse(), Ok(Cents(700)));
    }

    #[test]
    fn malformed_amounts_are_refused() {
        for text in ["", "-", ".50", "1.5", "1.505", "1,50", "+1", "1.-5", "100000000.00"] {
            assert!(text.parse::<Cents>().is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_add_up() {
        let sum: Cents = [Cents(150), Cents(275), -Cents(25)].into_iter().sum();
        assert_eq!(sum, Cents(400));
        assert!((sum - Cents(400)).is_zero());
    }

    #[test]
    fn a_portion_goes_to_the_nearest_cent() {
        assert_eq!(Cents(1000).portion(Rate::new(1900)), Cents(190));
        assert_eq!(Cents(1001).portion(Rate::new(1900)), Cents(190));
        assert_eq!(Cents(1004).portion(Rate::new(1900)), Cents(191));
        assert_eq!(Cents(-1004).portion(Rate::new(1900)), Cents(-191));
    }

    #[test]
    fn a_tie_goes_to_the_even_cent() {
        let half = Rate::new(5000);
        assert_eq!(Cents(3).portion(half), Cents(2));
        assert_eq!(Cents(5).portion(half), Cents(2));
        assert_eq!(Cents(-3).portion(half), Cents(-2));
        assert_eq!(Cents(-5).portion(half), Cents(-2));
    }

    #[test]
    fn a_portion_of_a_huge_amount_does_not_overflow() {
        assert_eq!(Cents(i64::MAX).portion(Rate::WHOLE), Cents(i64::MAX));
        assert_eq!(Cents(i64::MIN).portion(Rate::ZERO), Cents::ZERO);
    }

    #[test]
    fn rates_lie_between_nothing_and_the_whole() {
        assert_eq!("5.50".parse(), Ok(Rate::new(550)));
        assert_eq!("100".parse(), Ok(Rate::WHOLE));
        assert_eq!(Rate::new(20_000), Rate::WHOLE);
        assert!("100.01".parse::<Rate>().is_err());
        assert!("-1".parse::<Rate>().is_err());
    }
}
