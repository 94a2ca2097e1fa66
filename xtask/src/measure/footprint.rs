//! Footprint: what the idle program costs. Memory at its most, and the time from its start to the first byte it says,
//! of the release build.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::program::{Place, Program};
use super::samples::{Samples, shown};
use super::scratch::{self, Scratch};
use super::table::Table;
use super::{Outcome, os, tiny};

/// Runs of each command.
const RUNS: usize = 30;
/// Memory that the idle program may hold, MB.
const MEMORY: f64 = 40.0;
/// Time that it may take to say something.
const START: Duration = Duration::from_millis(50);

/// One command, run again and again.
struct Measured {
    first_output: Samples,
    peak_memory: u64,
}

/// Measures it.
///
/// # Errors
/// When the program does not build or fails.
pub fn measure() -> Result<Outcome> {
    let scratch = Scratch::new("footprint")?;
    let program = Program::release(&scratch)?;
    let place = Place { repo: scratch.join("tiny"), state: scratch.join("state") };
    tiny::repository(&place.repo, &scratch.join("mark"))?;
    // `status` has something to read: a journal with a finished cycle.
    program.run(&place, &["run-cycle", "--dry-run", "--json"]).succeed()?;

    let mut outcome = Outcome {
        table: Table::new(&["command", "first output", "slowest", "peak memory", "runs"]),
        ..Outcome::default()
    };
    let mut said = Vec::new();
    for args in [["--help"].as_slice(), &["status"]] {
        let command = format!("kaizen {}", args.join(" "));
        let measured = runs(&program, &place, args)?;
        let (median, memory) = (measured.first_output.median(), megabytes(measured.peak_memory));
        let slowest = shown(measured.first_output.max());
        outcome.table.row([
            command.clone(),
            shown(median),
            slowest,
            format!("{memory:.1} MB"),
            measured.first_output.count().to_string(),
        ]);
        outcome.require(memory < MEMORY, format!("{command} holds {memory:.1} MB, the bar is {MEMORY} MB"));
        outcome.require(
            median < START,
            format!("{command} says something after {}, the bar is {}", shown(median), shown(START)),
        );
        said.push(format!("{command} {} and {memory:.1} MB", shown(median)));
    }
    let size = std::fs::metadata(program.path())?.len();
    outcome.notes.push(format!("the program is {:.1} MB on disk", megabytes(size)));
    outcome.notes.push("first output is a median; memory is the most of all runs, that of the tool before it became the program included".to_owned());
    outcome.summary = format!("{} (bars {} and {MEMORY} MB)", said.join(", "), shown(START));
    Ok(outcome)
}

fn runs(program: &Program, place: &Place, args: &[&str]) -> Result<Measured> {
    let mut measured = Measured { first_output: Samples::default(), peak_memory: 0 };
    for _ in 0..RUNS {
        let mut command = Command::new(program.path());
        command.args(args).current_dir(&place.repo).env("KAIZEN_STATE_DIR", &place.state);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let started = Instant::now();
        let mut child = scratch::start(&mut command)?;
        let mut stdout = child.stdout.take().context("the output is not to be had")?;
        let mut first = [0_u8; 1];
        let said = stdout.read(&mut first)?;
        measured.first_output.add(started.elapsed());
        let mut rest = Vec::new();
        stdout.read_to_end(&mut rest)?;
        let used = os::wait_used(child.id())?;
        scratch::ended(child.id());
        anyhow::ensure!(used.success && said == 1, "`kaizen {}` failed or said nothing", args.join(" "));
        measured.peak_memory = measured.peak_memory.max(used.peak_memory);
    }
    Ok(measured)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of programs are far below the limit of exact numbers")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
