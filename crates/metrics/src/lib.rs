//! Metrics: where the samples of a watch come from. A Prometheus is asked over its HTTP interface, or a command prints a
//! number; what runs the command is elsewhere, what it printed is kept here.
//!
//! Values are handed on as they are, also those that are no number: whether they can be used is for the judge to say. What
//! is refused here is what no judge can see: a query that returns nothing, or more than one series.

mod answer;
mod error;
mod kept;
mod printed;
mod prometheus;

pub use error::MetricsError;
pub use kept::Kept;
pub use printed::{Printed, printed};
pub use prometheus::{Access, Limits, Prometheus};

use kaizen_domain::Timestamp;

/// A value, and when it was so.
pub type Sample = (Timestamp, f64);
