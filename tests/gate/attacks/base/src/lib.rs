//! Prices, baskets and receipts for a market stall. All money is in whole cents.
//!
//! ```
//! let line = stall::parse::parse_line("3x apple @ 1.20").unwrap();
//! assert_eq!(line.total(), Some(360));
//! ```

#![deny(unsafe_code, unused_must_use, overflowing_literals)]

pub mod access;
pub mod cache;
pub mod money;
pub mod parse;
pub mod receipt;
pub mod stats;
pub mod text;
