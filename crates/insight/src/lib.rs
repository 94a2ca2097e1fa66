//! From signals to opportunities: group what belongs together, weigh it, rank it.
//!
//! Pure. Every number that goes into the ranking stays visible on the opportunity; what was learned from earlier
//! cycles changes confidence, never the evidence.

pub mod group;
pub mod rank;
pub mod weigh;

pub use rank::{Known, Terms, rank};
