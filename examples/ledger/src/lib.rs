//! A small invoicing library.
//!
//! A [`Book`] holds customers, invoices and payments. Amounts are whole cents ([`Cents`]), tax
//! follows the seller's [`TaxRules`], and [`report`] says who owes what and for how long.
//!
//! ```
//! use ledger::{import, report};
//!
//! let book = import::parse(
//!     "customer, C1, Anna Weber, DE, private\n\
//!      invoice, R1, C1, 2024-01-10, 30, 0\n\
//!      line, R1, standard, Office chair, 1, 100.00\n\
//!      payment, R1, 2024-01-20, 19.00\n",
//! )?;
//! let totals = report::totals_by_customer(&book);
//! assert_eq!(totals[0].gross.to_string(), "119.00");
//! assert_eq!(totals[0].open().to_string(), "100.00");
//! # Ok::<(), ledger::ImportError>(())
//! ```

pub mod book;
pub mod customer;
pub mod date;
pub mod error;
pub mod import;
pub mod invoice;
pub mod money;
pub mod report;
pub mod tax;

pub use book::{Book, Payment};
pub use customer::{Country, Customer, CustomerId, CustomerKind};
pub use date::Date;
pub use error::{ImportError, Reason};
pub use invoice::{Invoice, InvoiceId, Line, Totals};
pub use money::{Cents, Rate};
pub use tax::{GoodsKind, TaxRules};
