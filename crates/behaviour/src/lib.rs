//! Behaviour: whether a library does the same before and after a change. Its public functions, those that change or that lead
//! to what changes, are called with inputs that are made from their signatures and from the literals of code, tests and docs;
//! what they give back, whether they panic, and what becomes of their arguments is compared.
//!
//! [`Driver`] is the program that calls them, as text: the same for both sides, and built and run apart from each other, so
//! that neither side can speak for the other, and one that ends its process takes nobody along. [`Plan`] says what it is to
//! do, [`Said`] is what it wrote down, and [`Difference`] what two of these disagree about. [`Shrinking`] makes an input that
//! shows a difference smaller.
//!
//! An input is a sequence of numbers, each a choice that was made (MacIver and Donaldson, Test-Case Reduction via Test-Case
//! Generation: Insights From the Hypothesis Reducer, 2020): so the same input can be made on both sides, whose types have
//! nothing to do with each other, and a smaller sequence makes a smaller input of any type.
//!
//! The functions of a program are called in the same way: its sources are taken in as a module of the driver, in which
//! everything is public ([`opened_inside`]).
//!
//! It runs nothing and reads no file.

mod aliases;
mod builders;
mod calls;
mod changed;
mod compared;
mod concrete;
mod constants;
mod driver;
mod expanded;
mod focus;
mod items;
mod known_inputs;
mod library;
mod literals;
mod lookers;
mod makers;
mod named;
mod new_tests;
mod opened;
mod plan;
mod program;
mod promises;
mod said;
mod seen_types;
mod shared;
mod shrinking;
mod signatures;
mod unwrapping;

pub use compared::{Difference, LongDifference, always_differ, differences, differences_of_long, wavers};
pub use driver::{Driver, Entry, Sources};
pub use expanded::has_made;
pub use known_inputs::known_inputs;
pub use library::files;
pub use new_tests::with_tests_of;
pub use opened::{opened, opened_inside};
pub use plan::Plan;
pub use program::{Program, Unit};
pub use said::{Case, Said, Status};
pub use shrinking::Shrinking;
