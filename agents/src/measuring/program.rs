//! Program: what a patch brings along to show that it is faster, run before the change and after it. Each run has a sandbox
//! of its own, what counts is processor time, and both must print the same.

use std::time::{Duration, Instant};

use kaizen_domain::trial::{Speed, SpeedVerdict};
use kaizen_sandbox::benchmark::measured_package;
use kaizen_sandbox::{Progress, TreeChange, TrialError};
use kaizen_speed::{Block, Name, Report, Runs, Standing, Terms, judge};

use super::{Measured, Measuring, Stop};

/// How long all runs may take.
const WALL: Duration = Duration::from_secs(600);
/// Blocks of times beside counts of instructions, which decide.
const BESIDE: u32 = 6;

impl Measuring<'_> {
    /// What the program of a patch shows.
    ///
    /// # Errors
    /// When the sandbox cannot run it. A program that does not build or run gives no data, which is a result.
    pub fn program(&self, text: &str, on: &mut dyn FnMut(Progress)) -> Result<Speed, TrialError> {
        match self.compared(text, on) {
            Ok(speed) => Ok(speed),
            Err(Stop::NoData(why)) => Ok(Measured::without(SpeedVerdict::NoData, why).speed),
            Err(Stop::Sandbox(error)) => Err(error),
        }
    }

    fn compared(&self, text: &str, on: &mut dyn FnMut(Progress)) -> Result<Speed, Stop> {
        let (before, after) = self.trees;
        let metadata = self.runner.metadata(self.warm, after.to_vec(), self.cancel)?;
        let package = measured_package(&metadata, after)
            .ok_or_else(|| Stop::NoData("no package with a library is there to be measured".to_owned()))?;
        let mut build = |tree: &[TreeChange]| {
            self.runner.build_program(self.warm, package, text, tree, self.cancel, on)?.map_err(Stop::NoData)
        };
        let (before, after) = (build(before)?, build(after)?);
        let mut pair = Pair { measuring: self, before, after, printed: None, until: Instant::now() + WALL };
        // The first run of either is not counted: it shows whether both print the same.
        pair.run(Side::Before)?;
        pair.run(Side::After)?;
        let counted = self.counted(&pair.before, &pair.after)?;
        pair.until = Instant::now() + WALL;
        let terms = match counted {
            Some(_) => Terms::default().with_looks(&[BESIDE]).unwrap_or_default(),
            None => Terms::default(),
        };
        let clock = pair.timed(&terms, on)?;
        Ok(match counted {
            Some(counted) => counted.beside(&clock),
            None => {
                let speed = clock.speed();
                Speed { detail: format!("processor time, {}", speed.detail), ..speed }
            }
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// The program on both sides.
struct Pair<'a> {
    measuring: &'a Measuring<'a>,
    before: Vec<u8>,
    after: Vec<u8>,
    /// What each run has to print.
    printed: Option<Vec<u8>>,
    until: Instant,
}

impl Pair<'_> {
    /// Runs one side; the processor time that it took, in nanoseconds.
    fn run(&mut self, side: Side) -> Result<f64, Stop> {
        let program = if side == Side::Before { &self.before } else { &self.after };
        let Measuring { runner, warm, cancel, .. } = self.measuring;
        // At least a second, so that time that is over is not taken for a program that hangs.
        let wall = self.until.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        let run = runner.run_program(warm, program, wall, cancel)?.map_err(Stop::NoData)?;
        if self.printed.get_or_insert_with(|| run.printed.clone()) != &run.printed {
            let why = "the benchmark prints something else on the candidate than on the base";
            return Err(Stop::NoData(why.to_owned()));
        }
        Ok(run.cpu.as_secs_f64() * 1e9)
    }

    /// Runs blocks until the times say something, or there is no more time.
    fn timed(&mut self, terms: &Terms, on: &mut dyn FnMut(Progress)) -> Result<Report, Stop> {
        let name = Name::of("processor time");
        let mut blocks: Vec<Block> = Vec::new();
        loop {
            let wanted = match judge(terms, &blocks, Instant::now() >= self.until) {
                Standing::Done(report) => return Ok(report),
                Standing::More { blocks } => usize::try_from(blocks).unwrap_or(usize::MAX),
            };
            on(Progress::Measuring { done: blocks.len(), of: wanted });
            let [first, second] = [self.run(Side::Before)?, self.run(Side::After)?];
            let [third, fourth] = [self.run(Side::After)?, self.run(Side::Before)?];
            let runs = Runs { base: [first, fourth], candidate: [second, third] };
            blocks.push(Block::from([(name.clone(), runs)]));
        }
    }
}
