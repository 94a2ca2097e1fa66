//! Reading a book from text.
//!
//! One record a line, fields separated by commas and trimmed; a field with a comma inside stands
//! in double quotes. Blank lines and lines that start with `#` are skipped.
//!
//! ```text
//! customer, ID, NAME, COUNTRY, private|business
//! invoice,  ID, CUSTOMER, ISSUED, DAYS TO PAY, DISCOUNT PERCENT
//! line,     INVOICE, standard|reduced|exempt, TEXT, QUANTITY, UNIT PRICE
//! payment,  INVOICE, RECEIVED, AMOUNT
//! ```
//!
//! The lines of an invoice follow it directly.

use crate::book::{Book, Payment};
use crate::customer::{Customer, CustomerId};
use crate::error::{ImportError, Reason};
use crate::invoice::{Invoice, InvoiceId, Line};
use std::str::FromStr;

/// An invoice whose lines are still being read, and the line it began on.
type Draft = Option<(usize, Invoice)>;

/// Reads a whole text into a new book. Stops at the first entry that is wrong.
///
/// ```
/// let refused = ledger::import::parse("customer, C1, Ada, Germany, private").unwrap_err();
/// assert_eq!(refused.to_string(), "line 1: expected a country code such as DE, found `Germany`");
/// ```
pub fn parse(text: &str) -> Result<Book, ImportError> {
    let mut book = Book::new();
    let mut draft: Draft = None;
    for (index, row) in text.lines().enumerate() {
        let line = index + 1;
        let row = row.trim();
        if row.len() == 0 || row.starts_with('#') {
            continue;
        }
        let fields = split(row).map_err(|reason| ImportError { line, reason })?;
        if fields[0] != "line" {
            finish(&mut book, &mut draft)?;
        }
        record(&mut book, &mut draft, line, &fields).map_err(|reason| ImportError { line, reason })?;
    }
    finish(&mut book, &mut draft)?;
    Ok(book)
}

/// Books the invoice that is being read, if any.
fn finish(book: &mut Book, draft: &mut Draft) -> Result<(), ImportError> {
    match draft.take() {
        Some((line, invoice)) => book.add_invoice(invoice).map_err(|reason| ImportError { line, reason }),
        None => Ok(()),
    }
}

fn record(book: &mut Book, draft: &mut Draft, line: usize, fields: &[&str]) -> Result<(), Reason> {
    let readers: [(&str, usize, fn(&mut Book, &mut Draft, usize, &[&str]) -> Result<(), Reason>); 4] = [
        ("customer", 5, read_customer),
        ("invoice", 6, read_invoice),
        ("line", 6, read_line),
        ("payment", 4, read_payment),
    ];
    let reader = readers.iter().find(|(name, _, _)| *name == fields[0]);
    let Some((_, expected, read)) = reader else {
        return Err(Reason::UnknownRecord(fields[0].to_string()));
    };
    if fields.len() != *expected {
        return Err(Reason::FieldCount { expected: *expected, found: fields.len() });
    }
    read(book, draft, line, &fields)
}

fn read_customer(book: &mut Book, _: &mut Draft, _: usize, fields: &[&str]) -> Result<(), Reason> {
    let id = CustomerId::new(fields[1]);
    book.add_customer(Customer::new(id, fields[2], fields[3].parse()?, fields[4].parse()?))
}

fn read_invoice(_: &mut Book, draft: &mut Draft, line: usize, fields: &[&str]) -> Result<(), Reason> {
    let (id, customer) = (InvoiceId::new(fields[1]), CustomerId::new(fields[2]));
    let term = number(fields[4])?;
    let invoice = Invoice::new(id, customer, fields[3].parse()?, term, fields[5].parse()?);
    *draft = Some((line, invoice));
    Ok(())
}

fn read_line(_: &mut Book, draft: &mut Draft, _: usize, fields: &[&str]) -> Result<(), Reason> {
    match draft {
        Some((_, invoice)) if invoice.id == InvoiceId::new(fields[1]) => {
            let quantity = number(fields[4])?;
            invoice.push(Line::new(fields[2].parse()?, fields[3], quantity, fields[5].parse()?));
            Ok(())
        }
        _ => Err(Reason::StrayLine(fields[1].to_string())),
    }
}

fn read_payment(book: &mut Book, _: &mut Draft, _: usize, fields: &[&str]) -> Result<(), Reason> {
    let invoice = InvoiceId::new(fields[1]);
    book.add_payment(Payment { invoice, received: fields[2].parse()?, amount: fields[3].parse()? })
}

/// A count of pieces or days.
fn number(text: &str) -> Result<u32, Reason> {
    match u32::from_str(text) {
        Ok(number) if number <= 100_000 => Ok(number),
        _ => Err(Reason::Malformed("a whole number up to 100000", text.to_string())),
    }
}

/// Splits a row into its fields; there is always at least one.
// FIXME: a quoted field cannot hold a double quote, `""` is not understood.
fn split<'a>(row: &'a str) -> Result<Vec<&'a str>, Reason> {
    let mut fields = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, byte) in row.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                fields.push(&row[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return Err(Reason::OpenQuote);
    }
    fields.push(&row[start..]);
    Ok(fields.into_iter().map(|field| unquote(field)).collect())
}

fn unquote(field: &str) -> &str {
    let field = field.trim();
    field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: &str = "customer, C1, Ada, DE, private\n";
    const INVOICE: &str = "invoice, R1, C1, 2024-01-10, 30, 0\n";

    fn refused(text: &str) -> (usize, Reason) {
        let error = parse(text).unwrap_err();
        (error.line, error.reason)
    }

    #[test]
    fn a_row_is_split_at_commas_outside_of_quotes() {
        assert_eq!(split("a, b ,,\"c, d\"").unwrap(), ["a", "b", "", "c, d"]);
        assert_eq!(split("a, \"b"), Err(Reason::OpenQuote));
    }

    #[test]
    fn comments_and_blank_lines_are_skipped() {
        assert!(parse("\n  \n# nothing here\n").unwrap().is_blank());
    }

    #[test]
    fn all_records_are_read() {
        let rows = "line, R1, standard, Desk, 2, 10.00\nline, R1, reduced, Book, 1, 5.00\n";
        let book = parse(&format!("{CUSTOMER}{INVOICE}{rows}payment, R1, 2024-01-11, 1.00"));
        let book = book.unwrap();
        assert_eq!(book.customers().count(), 1);
        assert_eq!(book.invoices().map(|invoice| invoice.len()).collect::<Vec<_>>(), [2]);
        assert_eq!(book.payments().len(), 1);
    }

    #[test]
    fn errors_name_the_line_at_fault() {
        let text = format!("{CUSTOMER}\ncustomer, C2, Bob, DE");
        assert_eq!(refused(&text), (3, Reason::FieldCount { expected: 5, found: 4 }));
        assert_eq!(refused("refund, R1"), (1, Reason::UnknownRecord("refund".into())));
        assert_eq!(refused("payment, R1, 2024-01-11, 1.00"), (1, Reason::Unknown("R1".into())));
    }

    #[test]
    fn an_invoice_without_lines_is_reported_where_it_began() {
        let text = format!("{CUSTOMER}{INVOICE}# the end\n");
        assert_eq!(refused(&text), (2, Reason::NoLines("R1".into())));
    }

    #[test]
    fn a_line_must_follow_its_own_invoice() {
        let text = format!("{CUSTOMER}{INVOICE}line, R2, standard, Desk, 1, 1.00");
        assert_eq!(refused(&text), (3, Reason::StrayLine("R2".into())));
    }

    #[test]
    fn a_quantity_is_a_whole_number() {
        let text = format!("{CUSTOMER}{INVOICE}line, R1, standard, Desk, 1.5, 1.00");
        assert_eq!(refused(&text), (3, Reason::Malformed("a whole number up to 100000", "1.5".into())));
    }
}
