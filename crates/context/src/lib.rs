//! Context: what of a repository a task needs to be shown. An [`Index`] holds the items of all Rust files with what they
//! name; a graph over it says who uses whom and how central each is; [`select`] picks, for a focus and a number of tokens,
//! the items to change, their tests and callers, what they call and the types they use, and a map of the rest.
//!
//! Names are resolved by what they are called, as a reader without a compiler would: a qualifier decides where there is
//! one, otherwise every item of the name shares the reference. That is wrong now and then, and needs no build.
//!
//! It reads no file and asks no clock: texts come in, pieces go out. It knows no model; whoever calls it counts tokens.

mod graph;
mod index;
mod map;
mod scan;
mod select;

pub use index::{Index, Item, ItemKind, SourceFile};
pub use select::{Focus, Piece, Role, Selection, select};
