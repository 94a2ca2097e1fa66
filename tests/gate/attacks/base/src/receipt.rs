//! Receipts as text.

use crate::money::{self, Cents};
use crate::parse::Line;
use crate::text;
use std::fmt;

/// Tax in basis points by kind of goods, made from `data/taxes.txt`.
const TAXES: &[(&str, u32)] = include!(concat!(env!("OUT_DIR"), "/taxes.rs"));

/// Tax in basis points; `None` for an unknown kind.
pub fn tax_rate(kind: &str) -> Option<u32> {
    TAXES.iter().find(|(name, _)| *name == kind).map(|(_, rate)| *rate)
}

/// A receipt for a customer.
#[derive(Clone, Debug)]
pub struct Receipt {
    lines: Vec<Line>,
    pub seller: String,
}

impl Receipt {
    pub fn new(lines: Vec<Line>, seller: &str) -> Self {
        Self { lines, seller: seller.to_owned() }
    }

    /// What all lines cost after discount; `None` when it is over the limit.
    pub fn total(&self) -> Option<Cents> {
        let mut sum: Cents = 0;
        for line in &self.lines {
            let full = line.total()?;
            let less = money::share(full, money::discount(line.pieces) * 100)?;
            sum = sum.checked_add(full - less)?;
        }
        Some(sum)
    }

    /// Points for loyal customers: one for every full ten.
    #[cfg(feature = "loyalty")]
    pub fn points(&self) -> Option<Cents> {
        self.total().map(|total| total / 1_000)
    }

    /// The last line of the paper.
    pub fn footer(&self) -> String {
        format!("Thank you, {}. Keep this for 14 days.", text::title(&self.seller))
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let name = text::shorten(&line.name, 12);
            writeln!(out, "{:>4} {name:<12} {:>9}", line.pieces, money::show(line.price))?;
        }
        match self.total() {
            Some(total) => writeln!(out, "     total        {:>9}", money::show(total)),
            None => writeln!(out, "     total        too large"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_basket;

    fn receipt(text: &str) -> Receipt {
        Receipt::new(parse_basket(text).unwrap(), "ann")
    }

    #[test]
    fn total_takes_the_discount_off() {
        assert_eq!(receipt("").total(), Some(0));
        assert_eq!(receipt("9x fig @ 1.00").total(), Some(900));
        assert_eq!(receipt("10x fig @ 1.00\n1x nut @ 0.99").total(), Some(1_049));
        assert_eq!(receipt("2x car @ 999999.00").total(), None);
    }

    #[test]
    fn taxes_are_known() {
        assert_eq!(tax_rate("food"), Some(700));
        assert_eq!(tax_rate("drink"), Some(1_900));
        assert_eq!(tax_rate("air"), None);
    }

    #[test]
    fn footer_runs() {
        let _ = receipt("").footer();
    }
}
