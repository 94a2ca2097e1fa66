//! What is in the shed, and what it is worth.

/// One kind of thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub name: String,
    pub price_cents: i64,
    pub quantity: u32,
}

/// A list of items with different names.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    items: Vec<Item>,
}

/// Why a change was refused.
#[derive(Debug, Clone, PartialEq)]
pub enum StockError {
    UnknownItem(String),
    NotEnough { wanted: u32, present: u32 },
}

impl Inventory {
    /// An inventory without items.
    pub fn new() -> Inventory {
        Inventory { items: Vec::new() }
    }

    /// All items in the order in which they came.
    pub fn items(&self) -> &[Item] {
        return &self.items;
    }

    /// Adds to the quantity of an item. A new price replaces the old one.
    pub fn add(&mut self, name: &str, price_cents: i64, quantity: u32) {
        for i in 0..self.items.len() {
            if self.items[i].name == name {
                self.items[i].quantity += quantity;
                self.items[i].price_cents = price_cents;
                return;
            }
        }
        self.items.push(Item {
            name: name.to_string(),
            price_cents: price_cents,
            quantity: quantity,
        });
    }

    /// Takes some of an item out; an item of which nothing is left goes.
    pub fn take(&mut self, name: &str, quantity: u32) -> Result<(), StockError> {
        let x = match self.items.iter().position(|item| item.name == name) {
            Some(x) => x,
            None => return Err(StockError::UnknownItem(name.to_string())),
        };
        let present = self.items[x].quantity;
        if present < quantity {
            return Err(StockError::NotEnough {
                wanted: quantity,
                present: present,
            });
        }
        self.items[x].quantity -= quantity;
        if self.items[x].quantity == 0 {
            self.items.remove(x);
        }
        Ok(())
    }

    /// The item with this name.
    pub fn find(&self, name: &str) -> Option<&Item> {
        for item in self.items.iter() {
            if item.name == name {
                return Some(item);
            }
        }
        None
    }

    /// The worth of everything in cents.
    pub fn total_cents(&self) -> i64 {
        let mut sum = 0;
        for item in &self.items {
            sum = sum + item.price_cents * i64::from(item.quantity);
        }
        sum
    }

    /// The names of the items of which fewer than `limit` are left, sorted.
    pub fn low_stock(&self, limit: u32) -> Vec<String> {
        let items = self.items.clone();
        let mut names: Vec<String> = Vec::new();
        for item in items {
            if item.quantity < limit {
                names.push(item.name.clone());
            }
        }
        names.sort();
        names
    }

    /// Whether there is anything at all of an item.
    pub fn has(&self, name: &str) -> bool {
        match self.find(&name) {
            Some(item) => item.quantity > 0,
            None => false,
        }
    }

    /// Adds all items of another inventory.
    pub fn merge(&mut self, other: &Inventory) {
        for item in other.items.clone() {
            self.add(&item.name, item.price_cents, item.quantity);
        }
    }
}

/// `percent` of an amount, rounded to whole cents, halves away from zero.
pub fn percent_of(cents: i64, percent: u32) -> i64 {
    let product = cents * i64::from(percent);
    (product + 50) / 100
}

/// Writes an amount with two decimals.
///
/// ```
/// assert_eq!(garden::inventory::format_cents(1205), "12.05");
/// ```
pub fn format_cents(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let value = cents.unsigned_abs();
    let whole = value / 100;
    let rest = value % 100;
    if rest < 10 {
        return format!("{}{}.0{}", sign, whole, rest);
    } else {
        return format!("{}{}.{}", sign, whole, rest);
    }
}

/// Reads an amount such as `12`, `12.5` or `12.05`.
pub fn parse_cents(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 2 {
        return None;
    }
    let whole = parts[0];
    let fraction = if parts.len() == 2 { parts[1] } else { "0" };
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole_cents = whole.parse::<i64>().ok()?.checked_mul(100)?;
    let fraction_cents = match fraction.len() {
        1 => fraction.parse::<i64>().ok()? * 10,
        2 => fraction.parse::<i64>().ok()?,
        _ => return None,
    };
    Some(whole_cents + fraction_cents)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shed() -> Inventory {
        let mut shed = Inventory::new();
        shed.add("spade", 1999, 2);
        shed.add("pot", 150, 10);
        shed
    }

    #[test]
    fn adds_items() {
        let mut shed = shed();
        shed.add("pot", 175, 5);
        assert_eq!(shed.items().len(), 2);
        let pot = shed.find("pot").unwrap();
        assert_eq!((pot.price_cents, pot.quantity), (175, 15));
        assert_eq!(shed.items()[0].name, "spade");
        assert_eq!(shed.items()[0].quantity, 2);
    }

    #[test]
    fn takes_items() {
        let mut shed = shed();
        assert_eq!(shed.take("pot", 4), Ok(()));
        assert_eq!(shed.find("pot").unwrap().quantity, 6);
        assert_eq!(
            shed.take("pot", 7),
            Err(StockError::NotEnough {
                wanted: 7,
                present: 6
            })
        );
        assert_eq!(shed.take("pot", 6), Ok(()));
        assert_eq!(shed.find("pot"), None);
        assert_eq!(
            shed.take("pot", 1),
            Err(StockError::UnknownItem("pot".to_string()))
        );
        assert_eq!(shed.items().len(), 1);
    }

    #[test]
    fn knows_the_worth() {
        assert_eq!(Inventory::new().total_cents(), 0);
        assert_eq!(shed().total_cents(), 2 * 1999 + 10 * 150);
    }

    #[test]
    fn knows_what_is_low() {
        let mut shed = shed();
        shed.add("hose", 3000, 1);
        assert_eq!(shed.low_stock(3), ["hose", "spade"]);
        assert_eq!(shed.low_stock(2), ["hose"]);
        assert!(shed.low_stock(1).is_empty());
    }

    #[test]
    fn knows_what_is_there() {
        let mut shed = shed();
        shed.add("hose", 3000, 0);
        assert!(shed.has("spade"));
        assert!(!shed.has("hose"));
        assert!(!shed.has("rake"));
    }

    #[test]
    fn merges() {
        let mut shed = shed();
        let mut other = Inventory::new();
        other.add("rake", 900, 1);
        other.add("pot", 160, 1);
        shed.merge(&other);
        assert_eq!(shed.items().len(), 3);
        assert_eq!(shed.find("pot").unwrap().quantity, 11);
        assert_eq!(shed.find("pot").unwrap().price_cents, 160);
        assert_eq!(other.items().len(), 2);
    }

    #[test]
    fn rounds_to_cents() {
        assert_eq!(percent_of(1000, 19), 190);
        assert_eq!(percent_of(50, 1), 1);
        assert_eq!(percent_of(49, 1), 0);
        assert_eq!(percent_of(0, 50), 0);
    }

    #[test]
    fn writes_amounts() {
        assert_eq!(format_cents(0), "0.00");
        assert_eq!(format_cents(9), "0.09");
        assert_eq!(format_cents(10), "0.10");
        assert_eq!(format_cents(123456), "1234.56");
        assert_eq!(format_cents(-205), "-2.05");
    }

    #[test]
    fn reads_amounts() {
        assert_eq!(parse_cents("12"), Some(1200));
        assert_eq!(parse_cents("12.5"), Some(1250));
        assert_eq!(parse_cents("12.05"), Some(1205));
        assert_eq!(parse_cents("12.055"), None);
        assert_eq!(parse_cents("1.2.3"), None);
        assert_eq!(parse_cents(""), None);
        assert_eq!(parse_cents("12."), None);
        assert_eq!(parse_cents(".5"), None);
        assert_eq!(parse_cents("-1"), None);
        assert_eq!(parse_cents("99999999999999999999"), None);
    }
}
