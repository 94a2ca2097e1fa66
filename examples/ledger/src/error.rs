//! What can be wrong with an entry.

use std::fmt;

/// Why an entry was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// A field does not hold what it should: the expected thing and the text found.
    Malformed(&'static str, String),
    /// The record has another number of fields than its type asks for.
    FieldCount { expected: usize, found: usize },
    /// The first field names no known record type.
    UnknownRecord(String),
    /// A quoted field has no closing quote.
    OpenQuote,
    /// A line names another invoice than the one above it.
    StrayLine(String),
    /// An id is used twice.
    Duplicate(String),
    /// An id is referred to which nobody defined.
    Unknown(String),
    /// The invoice has no lines.
    NoLines(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Malformed(what, text) => write!(f, "expected {what}, found `{text}`"),
            Reason::FieldCount { expected, found } => {
                write!(f, "expected {expected} fields, found {found}")
            }
            Reason::UnknownRecord(name) => write!(f, "unknown record type `{name}`"),
            Reason::OpenQuote => write!(f, "a quoted field is not closed"),
            Reason::StrayLine(id) => write!(f, "a line for `{id}` must follow its invoice"),
            Reason::Duplicate(id) => write!(f, "`{id}` is already in use"),
            Reason::Unknown(id) => write!(f, "`{id}` is not known"),
            Reason::NoLines(id) => write!(f, "invoice `{id}` has no lines"),
        }
    }
}

impl std::error::Error for Reason {}

/// A refused entry and where it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// Line number, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ImportError {}
