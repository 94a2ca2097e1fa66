//! Which tax a sale carries.

use crate::customer::{Country, Customer, CustomerKind};
use crate::error::Reason;
use crate::money::Rate;
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

/// What is sold, as far as tax is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoodsKind {
    /// Most goods and services.
    Standard,
    /// Books, food and the like.
    Reduced,
    /// Postage, insurance and the like.
    Exempt,
}

impl FromStr for GoodsKind {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        match text {
            "standard" => Ok(GoodsKind::Standard),
            "reduced" => Ok(GoodsKind::Reduced),
            "exempt" => Ok(GoodsKind::Exempt),
            _ => {
                let known = "`standard`, `reduced` or `exempt`";
                Err(Reason::Malformed(known, text.to_string()))
            }
        }
    }
}

/// The tax rates of a seller.
#[derive(Debug, Clone)]
pub struct TaxRules {
    home: Country,
    rates: BTreeMap<(Country, GoodsKind), Rate>,
}

impl TaxRules {
    /// The rules of a seller in `home`, still without rates: nothing is taxed.
    pub fn of(home: Country) -> TaxRules {
        TaxRules { home, rates: BTreeMap::new() }
    }

    /// The rules of a seller in Germany.
    // TODO: read the rates from a file, some country changes them every year.
    pub fn standard() -> TaxRules {
        let mut rules = TaxRules::of(Country::DE);
        for (code, standard, reduced) in
            [("DE", 1900, 700), ("AT", 2000, 1000), ("FR", 2000, 550), ("NL", 2100, 900)]
        {
            if let Ok(country) = code.parse() {
                rules.set(country, GoodsKind::Standard, Rate::new(standard));
                rules.set(country, GoodsKind::Reduced, Rate::new(reduced));
            }
        }
        rules
    }

    /// Sets the rate for one kind of goods in one country.
    pub fn set(&mut self, country: Country, kind: GoodsKind, rate: Rate) {
        self.rates.insert((country.clone(), kind), rate);
    }

    /// The rate for selling `kind` to `customer`.
    ///
    /// A firm abroad pays the tax in its own country (reverse charge), so we charge none. A
    /// person abroad pays the rate of where they live; if that country is not in the table, the
    /// sale is an export and carries no tax.
    pub fn rate(&self, customer: &Customer, kind: GoodsKind) -> Rate {
        let abroad = customer.country != self.home;
        if abroad && customer.kind == CustomerKind::Business {
            return Rate::ZERO;
        }
        let rate = self.rates.get(&(customer.country, kind)).copied().unwrap_or_default();
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::CustomerId;

    fn rate(country: &str, kind: CustomerKind, goods: GoodsKind) -> Rate {
        let country = country.parse().unwrap();
        let customer = Customer::new(CustomerId::new("C1"), "Ada", country, kind);
        TaxRules::standard().rate(&customer, goods)
    }

    #[test]
    fn home_customers_pay_the_home_rate() {
        assert_eq!(rate("DE", CustomerKind::Private, GoodsKind::Standard), Rate::new(1900));
        assert_eq!(rate("DE", CustomerKind::Business, GoodsKind::Reduced), Rate::new(700));
    }

    #[test]
    fn persons_abroad_pay_the_rate_of_their_country() {
        assert_eq!(rate("FR", CustomerKind::Private, GoodsKind::Reduced), Rate::new(550));
        assert_eq!(rate("NL", CustomerKind::Private, GoodsKind::Standard), Rate::new(2100));
    }

    #[test]
    fn firms_abroad_are_under_reverse_charge() {
        assert_eq!(rate("AT", CustomerKind::Business, GoodsKind::Standard), Rate::ZERO);
    }

    #[test]
    fn exports_and_exempt_goods_carry_no_tax() {
        assert_eq!(rate("US", CustomerKind::Private, GoodsKind::Standard), Rate::ZERO);
        assert_eq!(rate("DE", CustomerKind::Private, GoodsKind::Exempt), Rate::ZERO);
    }

    #[test]
    fn a_rate_can_be_replaced() {
        let mut rules = TaxRules::of(Country::DE);
        rules.set(Country::DE, GoodsKind::Standard, Rate::new(1600));
        let customer = Customer::new(CustomerId::new("C1"), "Ada", Country::DE, CustomerKind::Private);
        assert_eq!(rules.rate(&customer, GoodsKind::Standard), Rate::new(1600));
        assert_eq!(rules.rate(&customer, GoodsKind::Reduced), Rate::ZERO);
    }
}
