//! Whether a candidate is faster or slower than its base, decided by a test that was fixed beforehand.
//!
//! Pure: numbers come in, a verdict goes out. It is a function of the terms and of the blocks so far, so whoever
//! measures may be started again at any time, ask again, and get the same answer.
//!
//! The base (A) and the candidate (B) are run in blocks of A B B A. All that is compared stands in one block: how much
//! longer each run of A took than each run of B. So a machine that gets slower over an hour, or between two blocks,
//! does not matter, and one that gets slower at a steady rate within a block does not either. Each run is to be a
//! process of its own: what one process keeps for itself (where its pages lie, how its hash maps are seeded) then
//! counts as noise.
//!
//! What would matter is a run that is slower because of its place, such as the first one after a pause. Whoever
//! measures runs the base once before each block and does not count it, or lets blocks follow each other without a
//! pause.
//!
//! After so many blocks comes a look, and the first look that decides is the answer ([`judge`]). How sure a look must
//! be is set by alpha spending, so that all looks together, both directions and all benchmarks raise no more false
//! verdicts than promised. A verdict also needs a change that is worth one: its whole interval lies beyond the
//! threshold.
//!
//! [`harness`] reads what the usual benchmark harnesses print or leave.

mod block;
pub mod harness;
mod judge;
mod name;
mod noise;
mod report;
#[cfg(test)]
mod simulation;
mod spending;
mod stratified;
mod terms;
mod verdict;

pub use block::{Block, Runs, block};
pub use judge::{Standing, judge};
pub use name::Name;
pub use report::Report;
pub use terms::{InvalidTerms, Terms};
pub use verdict::{Finding, Ground};
