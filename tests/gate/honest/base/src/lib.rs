//! Small tools for a garden club.

pub mod calendar;
pub mod eval;
pub mod graph;
pub mod inventory;
pub mod ring;
pub mod rle;
pub mod stats;
pub mod text;
pub mod token;
