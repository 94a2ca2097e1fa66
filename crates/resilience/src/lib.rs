//! How often something may be started again, and after how long. Pure: time and random numbers come in as arguments.

pub mod backoff;
pub mod intensity;

pub use backoff::Backoff;
pub use intensity::{Intensity, Spent};
