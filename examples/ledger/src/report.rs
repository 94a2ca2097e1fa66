//! Who owes what, and for how long.

use crate::book::Book;
use crate::customer::CustomerId;
use crate::date::Date;
use crate::invoice::InvoiceId;
use crate::money::Cents;
use unicode_width::UnicodeWidthStr;

/// What one customer was billed and what they paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerTotal {
    pub customer: CustomerId,
    pub name: String,
    pub net: Cents,
    pub tax: Cents,
    pub gross: Cents,
    pub paid: Cents,
}

impl CustomerTotal {
    /// What is still to be paid; negative after paying too much.
    pub fn open(&self) -> Cents {
        self.gross - self.paid
    }
}

/// Sums up invoices and payments for every customer, in the order of customer ids. Customers
/// without invoices are listed with zeros.
pub fn totals_by_customer(book: &Book) -> Vec<CustomerTotal> {
    let mut rows = Vec::new();
    for customer in book.customers() {
        let mut total = CustomerTotal {
            customer: customer.id.clone(),
            name: customer.name.clone(),
            net: Cents::ZERO,
            tax: Cents::ZERO,
            gross: Cents::ZERO,
            paid: Cents::ZERO,
        };
        for invoice in book.invoices().filter(|invoice| &invoice.customer == &customer.id) {
            let mut sums = book.totals(invoice);
            total.net += sums.net;
            total.tax += sums.tax;
            total.gross += sums.gross();
            total.paid += book.paid_for(&invoice.id);
        }
        rows.push(total);
    }
    rows
}

/// An invoice that is not settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvoice {
    pub id: InvoiceId,
    pub due: Date,
    /// Days past the due day; zero or less while there is time.
    pub overdue: i64,
    pub open: Cents,
}

/// The invoices that still wait for money on the day `as_of`, in the order of invoice ids.
pub fn open_invoices(book: &Book, as_of: Date) -> Vec<OpenInvoice> {
    book.invoices()
        .filter(|invoice| !invoice.is_empty())
        .map(|invoice| OpenInvoice {
            id: invoice.id.clone(),
            due: invoice.due.clone(),
            overdue: as_of.days_since(invoice.due),
            open: book.totals(invoice).gross() - book.paid_for(&invoice.id),
        })
        .filter(|entry| entry.open > Cents::ZERO)
        .collect()
}

/// Open money by how long it is overdue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ageing {
    pub not_due: Cents,
    /// 1 to 30 days late.
    pub to_30: Cents,
    /// 31 to 60 days late.
    pub to_60: Cents,
    /// 61 to 90 days late.
    pub to_90: Cents,
    /// More than 90 days late.
    pub older: Cents,
}

/// Sorts the open money into buckets of age.
pub fn ageing(open: &[OpenInvoice]) -> Ageing {
    let mut ageing = Ageing::default();
    for entry in open {
        let bucket = match entry.overdue {
            ..=0 => &mut ageing.not_due,
            1..=30 => &mut ageing.to_30,
            31..=60 => &mut ageing.to_60,
            61..=90 => &mut ageing.to_90,
            _ => &mut ageing.older,
        };
        *bucket += entry.open;
    }
    ageing
}

/// The whole report as text, for people.
pub fn render(book: &Book, as_of: Date) -> String {
    let totals = totals_by_customer(book);
    let open = open_invoices(book, as_of);
    let width = totals.iter().map(|total| total.name.width()).max().unwrap_or(0).max(8);

    let mut out = format!("Totals by customer on {as_of}\n");
    let head = ["net", "tax", "gross", "paid", "open"].map(str::to_string);
    push_row(&mut out, width, "customer", &head[0], &head[1], &head[2], &head[3], &head[4]);
    for total in &totals {
        let amounts = [total.net, total.tax, total.gross, total.paid, total.open()];
        let [net, tax, gross, paid, open] = amounts.map(|amount| amount.to_string());
        push_row(&mut out, width, &total.name, &net, &tax, &gross, &paid, &open);
    }

    out.push_str("\nOpen invoices\n");
    if open.len() == 0 {
        out.push_str("none\n");
    }
    for entry in &open {
        let late = if entry.overdue > 0 { format!(", {} days late", entry.overdue) } else { "".into() };
        out.push_str(&format!("{}: {} due {}{late}\n", entry.id, entry.open, entry.due));
    }

    let ages = ageing(&open);
    out.push_str("\nAgeing\n");
    for (label, amount) in [
        ("not due", ages.not_due),
        ("1-30", ages.to_30),
        ("31-60", ages.to_60),
        ("61-90", ages.to_90),
        ("over 90", ages.older),
    ] {
        out.push_str(&format!("{label:<8}{:>12}\n", amount.to_string()));
    }
    out
}

/// One row of the table: the name padded by its width on screen, the rest to the right.
fn push_row(
    out: &mut String,
    width: usize,
    name: &str,
    net: &str,
    tax: &str,
    gross: &str,
    paid: &str,
    open: &str,
) {
    let padding = " ".repeat(width.saturating_sub(name.width()));
    let row = format!("{name}{padding}{net:>12}{tax:>12}{gross:>12}{paid:>12}{open:>12}\n");
    out.push_str(&row);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import;

    const TEXT: &str = "\
        customer, C1, Ada, DE, private\n\
        customer, C2, 山田, DE, private\n\
        customer, C3, Bob, DE, private\n\
        invoice, R1, C1, 2024-01-01, 10, 0\n\
        line, R1, standard, Desk, 1, 100.00\n\
        invoice, R2, C2, 2024-02-01, 10, 0\n\
        line, R2, reduced, Book, 2, 50.00\n\
        invoice, R3, C1, 2024-03-01, 10, 0\n\
        line, R3, exempt, Postage, 1, 5.00\n\
        payment, R2, 2024-02-02, 107.00\n\
        payment, R1, 2024-02-03, 19.00\n";

    fn book() -> Book {
        import::parse(TEXT).unwrap()
    }

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn totals_are_summed_for_each_customer() {
        let totals = totals_by_customer(&book());
        let sums: Vec<_> = totals.iter().map(|t| (t.gross.0, t.paid.0, t.open().0)).collect();
        assert_eq!(sums, [(12_400, 1_900, 10_500), (10_700, 10_700, 0), (0, 0, 0)]);
        assert_eq!((totals[0].net, totals[0].tax), (Cents(10_500), Cents(1_900)));
    }

    #[test]
    fn settled_invoices_are_not_open() {
        let open = open_invoices(&book(), date("2024-03-01"));
        let ids: Vec<_> = open.iter().map(|entry| entry.id.to_string()).collect();
        assert_eq!(ids, ["R1", "R3"]);
        assert_eq!((open[0].overdue, open[1].overdue), (50, -10));
    }

    #[test]
    fn buckets_change_on_the_right_day() {
        let id = InvoiceId::new("R1");
        let entry =
            |overdue| OpenInvoice { id: id.clone(), due: date("2024-01-01"), overdue, open: Cents(1) };
        let days = [-1, 0, 1, 30, 31, 60, 61, 90, 91, 400];
        let ages = ageing(&days.map(entry));
        for bucket in [ages.not_due, ages.to_30, ages.to_60, ages.to_90, ages.older] {
            assert_eq!(bucket, Cents(2));
        }
    }

    #[test]
    fn wide_names_keep_the_columns_in_line() {
        let text = render(&book(), date("2024-03-01"));
        let rows: Vec<_> = text.lines().skip(1).take(4).collect();
        assert!(rows.iter().all(|row| row.width() == rows[0].width()), "{text}");
    }
}
