//! What work costs: tokens and money, in whole units that add up exactly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// US dollars in whole millionths, so that sums of small prices are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Usd(pub u64);

impl Usd {
    /// The sum; the largest value when it does not fit.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if rest % 10_000 == 0 {
            write!(f, "${whole}.{:02}", rest / 10_000)
        } else {
            write!(f, "${whole}.{:04}", rest / 100)
        }
    }
}

/// A text that is not an amount of dollars.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an amount in dollars: write for example `0.50`, with at most six decimals")]
pub struct InvalidUsd(String);

impl FromStr for Usd {
    type Err = InvalidUsd;

    fn from_str(text: &str) -> Result<Self, InvalidUsd> {
        let bad = || InvalidUsd(text.to_owned());
        let number = text.trim().trim_start_matches('$');
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        if decimals.is_empty() || decimals.len() > 6 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        if whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        let decimals: u64 = format!("{decimals:0<6}").parse().map_err(|_| bad())?;
        whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(decimals)).map(Self).ok_or_else(bad)
    }
}

/// A count of model tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Tokens(pub u64);

/// What a patch cost to write: nothing when a fixer wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Spend {
    /// Tokens sent to a model.
    pub input: Tokens,
    /// How many of those the provider had in its cache.
    #[serde(default)]
    pub cached: Tokens,
    /// Tokens a model wrote.
    pub output: Tokens,
    /// What that was billed at.
    pub usd: Usd,
}

impl Spend {
    /// The sum of two spends.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input: Tokens(self.input.0.saturating_add(other.input.0)),
            cached: Tokens(self.cached.0.saturating_add(other.cached.0)),
            output: Tokens(self.output.0.saturating_add(other.output.0)),
            usd: self.usd.plus(other.usd),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_read_and_print() {
        let shown: Vec<_> = ["0.50", "$12", "0.0041", "3.1"].map(|t| t.parse::<Usd>().unwrap().to_string()).into();
        assert_eq!(shown, ["$0.50", "$12.00", "$0.0041", "$3.10"]);
        for bad in ["", ".", "-1", "1e3", "1.2345678", "nan", "99999999999999999999"] {
            assert!(bad.parse::<Usd>().is_err(), "{bad}");
        }
    }
}
