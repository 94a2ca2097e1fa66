//! What goes wrong with a source of samples, each with the way out.

use thiserror::Error;

/// An error of a source. The text after the semicolon says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MetricsError {
    /// The address cannot be asked.
    #[error("`{address}` is no address of a Prometheus: {why}; give one such as https://prometheus.example")]
    Address {
        /// The address, without a password.
        address: String,
        /// What is wrong with it.
        why: String,
    },
    /// It cannot be reached, or does not answer.
    #[error("the Prometheus at {host} cannot be reached: {why}; is it running, and is the address right?")]
    Unreachable {
        /// Where.
        host: String,
        /// Why.
        why: String,
    },
    /// It answers, but not to this.
    #[error("{host} answers with {status}: {message}; is the address that of a Prometheus, and may Kaizen ask it?")]
    Refused {
        /// Where.
        host: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// It cannot carry out the query.
    #[error("the query `{query}` cannot be carried out: {message}; try it on the page of the Prometheus itself")]
    Query {
        /// The query.
        query: String,
        /// What it said.
        message: String,
    },
    /// Its answer cannot be read.
    #[error("what {host} answered to `{query}` cannot be read: {why}; is it a Prometheus of version 2 or later?")]
    Answer {
        /// Where.
        host: String,
        /// The query.
        query: String,
        /// Why.
        why: String,
    },
    /// There is nothing to judge.
    #[error(
        "the query `{query}` returns nothing; check the metric's name and labels, and that its target is up and scraped"
    )]
    Nothing {
        /// The query.
        query: String,
    },
    /// It is not known which series is meant.
    #[error(
        "the query `{query}` returns {count} series, such as {examples}; name one by its labels, or make one of them, as \
         `sum(...)` does"
    )]
    Several {
        /// The query.
        query: String,
        /// How many.
        count: usize,
        /// The labels of some.
        examples: String,
    },
    /// It is no number.
    #[error("the query `{query}` returns {what}; {help}")]
    NoNumbers {
        /// The query.
        query: String,
        /// What it returns.
        what: &'static str,
        /// What returns numbers.
        help: &'static str,
    },
    /// A command printed no number.
    #[error(
        "no line of what the command printed is a number: {last}; let it print one on a line of its own, such as `12.5` or \
         `12.5 ms`"
    )]
    NotPrinted {
        /// Its last line, in quotes.
        last: String,
    },
}

impl MetricsError {
    /// Whether the same may go well later without anybody doing anything.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}

/// A text from outside on one line and not too long.
pub(crate) fn line_of(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
