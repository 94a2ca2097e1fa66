//! What is in stock.

use std::collections::BTreeMap;
use std::fmt;

/// How often something was asked for.
#[derive(Clone, Default)]
struct Asked {
    times: u32,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asked")
    }
}

/// Pieces by their names.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    pieces: BTreeMap<String, u32>,
    asked: Asked,
}

/// Why an order cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing of that name.
    Unknown(String),
    /// There is less of it.
    TooFew(String),
}

impl Stock {
    /// Adds pieces.
    pub fn add(&mut self, name: &str, pieces: u32) {
        *self.pieces.entry(name.to_owned()).or_default() += pieces;
    }

    /// Takes a whole order, or nothing; how many pieces are left.
    pub fn take(&mut self, order: &[(String, u32)]) -> Result<u32, Fault> {
        self.asked.times += 1;
        let mut left = self.pieces.clone();
        for (name, pieces) in order {
            let has = left.get_mut(name).ok_or_else(|| Fault::Unknown(name.clone()))?;
            *has = has.checked_sub(*pieces).ok_or_else(|| Fault::TooFew(name.clone()))?;
        }
        self.pieces = left;
        Ok(self.pieces.values().sum())
    }

    /// How often an order was asked for.
    pub fn asked(&self) -> u32 {
        self.asked.times
    }

    /// The names of what is there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter(|(_, pieces)| **pieces > 0).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(all: &[(&str, u32)]) -> Vec<(String, u32)> {
        all.iter().map(|(name, pieces)| (name.to_string(), *pieces)).collect()
    }

    #[test]
    fn orders_are_taken() {
        let mut stock = Stock::default();
        stock.add("nut", 2);
        stock.add("nut", 1);
        stock.add("bolt", 1);
        assert_eq!(stock.names().collect::<Vec<_>>(), ["bolt", "nut"]);
        assert_eq!(stock.take(&order(&[("nut", 2), ("bolt", 1)])), Ok(1));
        assert_eq!(stock.names().collect::<Vec<_>>(), ["nut"]);
        assert_eq!(stock.take(&order(&[("nut", 2)])), Err(Fault::TooFew("nut".to_owned())));
        assert_eq!(stock.take(&order(&[("saw", 1)])), Err(Fault::Unknown("saw".to_owned())));
        assert_eq!(stock.asked(), 3);
    }
}
