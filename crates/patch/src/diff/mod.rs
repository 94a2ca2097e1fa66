//! Diffs: read, applied to the files of a commit, and written.
//!
//! A diff from outside is applied whole or not at all: truncated hunks, binary patches, links, modes and paths outside
//! of the tree are errors. What is written here can be read back to the same changes.

mod apply;
mod header;
mod hunk;
mod name;
mod ops;
mod parse;
mod render;
#[cfg(test)]
mod tests;

pub use apply::apply_diff;
pub(crate) use ops::changed_lines;
pub use render::{render, stat};
