//! Mutants: small wrong versions of functions, all of them compiled in at once behind a switch that is read at run time
//! (mutant schemata, Untch, Offutt and Harrold 1993). Tests that notice what a function does fail on its mutants; how many
//! do shows how well the function is tested.
//!
//! [`changed`] says in which functions two texts of a file differ, [`instrument`] puts the mutants of functions into a text,
//! and on the lines that change notes of what is run, and [`switch`] is the module that a crate with such texts needs. Nothing but insertions are made, within lines, so that
//! what was there stays in its line.
//!
//! What is worked out while compiling can ask no switch: [`versions`] gives wrong ones of it that need a build each.
//!
//! It knows no types: a mutant that the compiler refuses is left out the next time ([`Instrumented::refused`]). It runs
//! nothing and reads no file.

mod candidates;
mod changed;
mod conditional;
mod functions;
mod instrument;
mod moved;
mod operators;
mod places;
mod switch;
mod versions;

pub use changed::{Changed, changed};
pub use instrument::{Instrumented, Mutant, instrument};
pub use kaizen_source::Unreadable;
pub use moved::settle_moves;
pub use places::Place;
pub use switch::{CANARY, MODULE, switch};
pub use versions::{Version, refusing, versions};
