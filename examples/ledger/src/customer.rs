//! Customers: who buys, where, and in which role.

use crate::error::Reason;
use std::fmt;
use std::str::FromStr;

/// The id under which a customer is booked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(String);

impl CustomerId {
    /// An id of this text.
    pub fn new(text: &str) -> CustomerId {
        CustomerId(text.to_string())
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A country by its two-letter ISO code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Country([char; 2]);

impl Country {
    /// Germany, where the seller sits unless told otherwise.
    pub const DE: Country = Country(['D', 'E']);
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0[0], self.0[1])
    }
}

impl FromStr for Country {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let mut letters = text.chars();
        match (letters.next(), letters.next(), letters.next()) {
            (Some(a), Some(b), None) if a.is_ascii_uppercase() && b.is_ascii_uppercase() => {
                Ok(Country([a, b]))
            }
            _ => Err(Reason::Malformed("a country code such as DE", text.to_string())),
        }
    }
}

/// Whether the customer buys as a person or as a firm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerKind {
    Private,
    Business,
}

impl FromStr for CustomerKind {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        match text {
            "private" => Ok(CustomerKind::Private),
            "business" => Ok(CustomerKind::Business),
            _ => Err(Reason::Malformed("`private` or `business`", text.to_string())),
        }
    }
}

/// A buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    pub id: CustomerId,
    pub name: String,
    pub country: Country,
    pub kind: CustomerKind,
}

impl Customer {
    /// A customer; a blank name is replaced by the id.
    pub fn new(id: CustomerId, name: &str, country: Country, kind: CustomerKind) -> Customer {
        let name = if name.trim().len() > 0 { name.trim().to_string() } else { id.to_string() };
        Customer { id, name, country: country, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_two_capital_letters() {
        assert_eq!("DE".parse(), Ok(Country::DE));
        assert_eq!("AT".parse::<Country>().unwrap().to_string(), "AT");
        for text in ["", "D", "de", "DEU", "ÄT"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_kind_is_read_by_name() {
        assert_eq!("private".parse(), Ok(CustomerKind::Private));
        assert_eq!("business".parse(), Ok(CustomerKind::Business));
        assert!("Business".parse::<CustomerKind>().is_err());
    }

    #[test]
    fn a_blank_name_is_replaced_by_the_id() {
        let id = CustomerId::new("C9");
        let customer = Customer::new(id.clone(), "  ", Country::DE, CustomerKind::Private);
        assert_eq!(customer.name, "C9");
        let customer = Customer::new(id, " Ada ", Country::DE, CustomerKind::Private);
        assert_eq!(customer.name, "Ada");
    }
}
