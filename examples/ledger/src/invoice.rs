//! Invoices, their lines and what they come to.

use crate::customer::{Customer, CustomerId};
use crate::date::Date;
use crate::money::{Cents, Rate};
use crate::tax::{GoodsKind, TaxRules};
use std::collections::BTreeMap;
use std::fmt;

/// The number printed on an invoice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvoiceId(String);

impl InvoiceId {
    /// An id of this text.
    pub fn new(text: &str) -> InvoiceId {
        InvoiceId(text.to_string())
    }
}

impl fmt::Display for InvoiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One position of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub kind: GoodsKind,
    pub text: String,
    pub quantity: u32,
    /// Price of one piece, without tax.
    pub unit_price: Cents,
}

impl Line {
    /// A line for `quantity` pieces.
    pub fn new(kind: GoodsKind, text: &str, quantity: u32, unit_price: Cents) -> Line {
        Line { kind, text: text.to_string(), quantity: quantity, unit_price }
    }

    /// What the line comes to before discount and tax.
    pub fn amount(&self) -> Cents {
        self.unit_price * self.quantity
    }
}

/// What an invoice comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// After discount, before tax.
    pub net: Cents,
    pub tax: Cents,
}

impl Totals {
    /// What the customer has to pay.
    pub fn gross(self) -> Cents {
        self.net + self.tax
    }
}

/// A bill to one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub customer: CustomerId,
    pub issued: Date,
    /// The last day on which a payment is in time.
    pub due: Date,
    /// Taken off every line.
    pub discount: Rate,
    lines: Vec<Line>,
}

impl Invoice {
    /// An invoice without lines, due `term` days after it was issued.
    pub fn new(id: InvoiceId, customer: CustomerId, issued: Date, term: u32, discount: Rate) -> Invoice {
        let due = issued.plus_days(term);
        Invoice { id, customer, issued, due, discount, lines: Vec::new() }
    }

    /// Appends a line.
    pub fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The lines in the order they were added.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is nothing to collect: every line is free of charge.
    ///
    /// The list of open invoices leaves such an invoice out.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.amount().is_zero())
    }

    /// Net and tax for this customer. Tax is rounded once for each kind of goods, not once for
    /// each line.
    pub fn totals(&self, customer: &Customer, rules: &TaxRules) -> Totals {
        let mut by_kind: BTreeMap<GoodsKind, Vec<Cents>> = BTreeMap::new();
        for line in &self.lines {
            by_kind.entry(line.kind).or_insert_with(Vec::new).push(line.amount());
        }
        let mut totals = Totals::default();
        for (kind, amounts) in by_kind {
            let listed: Cents = amounts.into_iter().sum();
            let net = listed - listed.portion(self.discount);
            totals.net += net;
            totals.tax += net.portion(rules.rate(&customer, kind));
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::{Country, CustomerKind};

    fn customer() -> Customer {
        Customer::new(CustomerId::new("C1"), "Ada", Country::DE, CustomerKind::Private)
    }

    fn invoice(discount: Rate) -> Invoice {
        let issued = Date::new(2024, 1, 10).unwrap();
        Invoice::new(InvoiceId::new("R1"), CustomerId::new("C1"), issued, 30, discount)
    }

    #[test]
    fn the_term_sets_the_due_day() {
        assert_eq!(invoice(Rate::ZERO).due.to_string(), "2024-02-09");
    }

    #[test]
    fn tax_is_added_by_kind_of_goods() {
        let mut invoice = invoice(Rate::ZERO);
        invoice.push(Line::new(GoodsKind::Standard, "Chair", 2, Cents(14_990)));
        invoice.push(Line::new(GoodsKind::Reduced, "Book", 1, Cents(2_000)));
        invoice.push(Line::new(GoodsKind::Exempt, "Postage", 1, Cents(495)));
        let totals = invoice.totals(&customer(), &TaxRules::standard());
        assert_eq!(totals, Totals { net: Cents(32_475), tax: Cents(5_696 + 140) });
        assert_eq!(totals.gross(), Cents(38_311));
    }

    #[test]
    fn tax_is_rounded_once_for_a_kind() {
        let mut invoice = invoice(Rate::ZERO);
        for _ in 0..3 {
            // 19 percent of 7 cents are 1.33 cents; of 21 cents, 3.99.
            invoice.push(Line::new(GoodsKind::Standard, "Screw", 1, Cents(7)));
        }
        assert_eq!(invoice.totals(&customer(), &TaxRules::standard()).tax, Cents(4));
    }

    #[test]
    fn the_discount_lowers_the_tax_too() {
        let mut invoice = invoice(Rate::new(1000));
        invoice.push(Line::new(GoodsKind::Standard, "Desk", 1, Cents(20_000)));
        let totals = invoice.totals(&customer(), &TaxRules::standard());
        assert_eq!(totals, Totals { net: Cents(18_000), tax: Cents(3_420) });
    }

    #[test]
    fn an_invoice_of_free_goods_has_nothing_to_collect() {
        let mut invoice = invoice(Rate::ZERO);
        invoice.push(Line::new(GoodsKind::Standard, "Spare part", 1, Cents::ZERO));
        assert_eq!(invoice.len(), 1);
        assert!(invoice.is_empty());
        invoice.push(Line::new(GoodsKind::Standard, "Desk", 1, Cents(20_000)));
        assert!(!invoice.is_empty());
        assert_eq!(invoice.lines()[1].text, "Desk");
    }
}
