//! The book: every customer, invoice and payment, checked as they come in.

use crate::customer::{Customer, CustomerId};
use crate::date::Date;
use crate::error::Reason;
use crate::invoice::{Invoice, InvoiceId, Totals};
use crate::money::Cents;
use crate::tax::TaxRules;
use std::collections::BTreeMap;

/// Money that came in for an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub invoice: InvoiceId,
    pub received: Date,
    pub amount: Cents,
}

/// All that was booked.
#[derive(Debug, Clone)]
pub struct Book {
    rules: TaxRules,
    customers: BTreeMap<CustomerId, Customer>,
    invoices: BTreeMap<InvoiceId, Invoice>,
    payments: Vec<Payment>,
}

impl Book {
    /// An empty book under the standard tax rules.
    pub fn new() -> Book {
        Book::with_rules(TaxRules::standard())
    }

    /// An empty book under the given tax rules.
    pub fn with_rules(rules: TaxRules) -> Book {
        Book { rules: rules, customers: BTreeMap::new(), invoices: BTreeMap::new(), payments: Vec::new() }
    }

    /// Adds a customer whose id is still free.
    pub fn add_customer(&mut self, customer: Customer) -> Result<(), Reason> {
        if self.customers.contains_key(&customer.id) {
            return Err(Reason::Duplicate(customer.id.to_string()));
        }
        self.customers.insert(customer.id.clone(), customer);
        Ok(())
    }

    /// Adds an invoice with at least one line to a known customer.
    pub fn add_invoice(&mut self, invoice: Invoice) -> Result<(), Reason> {
        if invoice.len() == 0 {
            return Err(Reason::NoLines(invoice.id.to_string()));
        }
        if self.customers.contains_key(&invoice.customer) == false {
            return Err(Reason::Unknown(invoice.customer.to_string()));
        }
        if self.invoices.contains_key(&invoice.id) {
            return Err(Reason::Duplicate(invoice.id.to_string()));
        }
        self.invoices.insert(invoice.id.clone(), invoice);
        Ok(())
    }

    /// Adds a payment for a known invoice. Paying too much is allowed and leaves a credit.
    pub fn add_payment(&mut self, payment: Payment) -> Result<(), Reason> {
        if !self.invoices.contains_key(&payment.invoice) {
            return Err(Reason::Unknown(payment.invoice.to_string()));
        }
        self.payments.push(payment);
        Ok(())
    }

    /// Whether nothing was booked yet.
    pub fn is_blank(&self) -> bool {
        self.customers.len() == 0 && self.invoices.is_empty() && self.payments.is_empty()
    }

    /// The customers by id.
    pub fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.customers.values()
    }

    /// The invoices by id.
    pub fn invoices(&self) -> impl Iterator<Item = &Invoice> {
        self.invoices.values()
    }

    /// The payments in the order they were booked.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// What was paid for one invoice so far.
    pub fn paid_for(&self, id: &InvoiceId) -> Cents {
        self.payments.iter().filter(|payment| payment.invoice == *id).map(|p| p.amount).sum()
    }

    /// What an invoice comes to. An invoice to a customer who is not in the book comes to nothing.
    pub fn totals(&self, invoice: &Invoice) -> Totals {
        match self.customers.get(&invoice.customer) {
            Some(customer) => invoice.totals(customer, &self.rules),
            None => Totals::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customer::{Country, CustomerKind};
    use crate::invoice::Line;
    use crate::money::Rate;
    use crate::tax::GoodsKind;

    fn book() -> Book {
        let mut book = Book::new();
        let id = CustomerId::new("C1");
        book.add_customer(Customer::new(id, "Ada", Country::DE, CustomerKind::Private)).unwrap();
        book
    }

    fn invoice(id: &str, customer: &str, prices: &[i64]) -> Invoice {
        let issued = Date::new(2024, 1, 10).unwrap();
        let (id, customer) = (InvoiceId::new(id), CustomerId::new(customer));
        let mut invoice = Invoice::new(id, customer, issued, 30, Rate::ZERO);
        for price in prices {
            invoice.push(Line::new(GoodsKind::Standard, "Desk", 1, Cents(*price)));
        }
        invoice
    }

    fn payment(id: &str, amount: i64) -> Payment {
        let received = Date::new(2024, 1, 20).unwrap();
        Payment { invoice: InvoiceId::new(id), received, amount: Cents(amount) }
    }

    #[test]
    fn a_new_book_is_blank() {
        assert!(Book::new().is_blank());
        assert!(!book().is_blank());
    }

    #[test]
    fn ids_are_used_once() {
        let mut book = book();
        let again = book.customers().next().unwrap().clone();
        assert_eq!(book.add_customer(again), Err(Reason::Duplicate("C1".into())));
        book.add_invoice(invoice("R1", "C1", &[100])).unwrap();
        let refused = book.add_invoice(invoice("R1", "C1", &[200]));
        assert_eq!(refused, Err(Reason::Duplicate("R1".into())));
    }

    #[test]
    fn an_invoice_needs_a_known_customer() {
        let refused = book().add_invoice(invoice("R1", "C2", &[100]));
        assert_eq!(refused, Err(Reason::Unknown("C2".into())));
    }

    #[test]
    fn an_invoice_needs_a_line() {
        let refused = book().add_invoice(invoice("R1", "C1", &[]));
        assert_eq!(refused, Err(Reason::NoLines("R1".into())));
    }

    #[test]
    fn an_invoice_of_free_goods_is_booked() {
        let mut book = book();
        assert_eq!(book.add_invoice(invoice("R1", "C1", &[0])), Ok(()));
        assert_eq!(book.invoices().count(), 1);
    }

    #[test]
    fn payments_for_an_invoice_add_up() {
        let mut book = book();
        book.add_invoice(invoice("R1", "C1", &[10_000])).unwrap();
        book.add_invoice(invoice("R2", "C1", &[10_000])).unwrap();
        for entry in [payment("R1", 5_000), payment("R2", 1), payment("R1", 6_900)] {
            book.add_payment(entry).unwrap();
        }
        assert_eq!(book.paid_for(&InvoiceId::new("R1")), Cents(11_900));
        assert_eq!(book.payments().len(), 3);
    }

    #[test]
    fn a_payment_needs_a_known_invoice() {
        let refused = book().add_payment(payment("R7", 100));
        assert_eq!(refused, Err(Reason::Unknown("R7".into())));
    }
}
