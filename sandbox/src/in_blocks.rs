//! Runs two sides in blocks, the first, the second, the second, the first, in one sandbox and without a pause: programs of
//! benchmarks that were built before, or a command that sees one tree and then the other.
//!
//! Init makes the calls and says which one it is at, behind a mark that nothing inside can read, so that no run speaks for
//! another one. When it says so is when a run begins and ends: the clock is outside.

mod reader;
mod sides;

use std::time::Duration;

pub use sides::{BenchPair, Sides};

use crate::base::WarmBase;
use crate::in_blocks::reader::Reader;
use crate::isolation::{Batch, Cancel, Exit, Task, TreeChange};
use crate::runner::{Call, Runner, TrialError, mark};

/// What is to be run.
pub struct InBlocks<'a> {
    /// The two sides.
    pub sides: Sides<'a>,
    /// What differs from the warm base, on both sides.
    pub tree: &'a [TreeChange],
    /// Blocks, unless it is ended before.
    pub blocks: u32,
    /// How long it may take in all.
    pub wall: Duration,
}

/// What one run printed, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// What it printed, standard error too.
    pub text: String,
    /// On the clock.
    pub took: Duration,
}

/// What is told while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The runs that do not count are over; the ones that are like those of a block, of one side, took so long in all.
    Warm(Duration),
    /// A block is over: its four runs in their order, for each pair of programs.
    Block(Vec<[Printed; 4]>),
}

impl Runner {
    /// Runs blocks until `on` does not want any more; or, as a text, why it could not. What came before a failure was told
    /// all the same.
    ///
    /// # Errors
    /// When the sandbox cannot run it. A run that fails is a result.
    pub fn run_in_blocks(
        &self,
        base: &WarmBase,
        asked: &InBlocks<'_>,
        on: &mut dyn FnMut(Told) -> bool,
        cancel: &Cancel,
    ) -> Result<Result<(), String>, TrialError> {
        let mark = mark();
        let mut changes = asked.tree.to_vec();
        let Some((steps, more)) = asked.sides.steps(base, &self.environment(base), asked.blocks, &mark) else {
            return Ok(Err("the benchmarks have no place in the tree".to_owned()));
        };
        changes.extend(more);
        let call = Call {
            batch: Some(Batch { tasks: vec![Task { needs: Vec::new(), steps }], ..Batch::default() }),
            changes,
            forget_output: true,
            wall: asked.wall,
            ..Call::default()
        };
        let enough = cancel.below().map_err(TrialError::io("making a flag for", base.dir()))?;
        let mut reader = Reader::new(mark, asked.sides.warm_runs(), asked.sides.pairs());
        let mut ended = false;
        let done = self.call_streams(base, call, &enough, &mut |_, line| {
            if let Some(told) = reader.line(line)
                && !ended
                && !on(told)
            {
                ended = true;
                enough.cancel();
            }
        })?;
        if cancel.is_cancelled() {
            return Err(TrialError::Cancelled);
        }
        Ok(match done.exit {
            _ if ended => Ok(()),
            Exit::Code(0) => Ok(()),
            Exit::Code(_) => Err(reader.failure()),
            other => Err(format!("the benchmarks ended by {other}")),
        })
    }
}
