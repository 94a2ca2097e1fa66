//! Measurements: each shows one figure that the documents claim, against the bar it must hold and, where there is one,
//! against the tool a user would otherwise pick, in the same run. One measurement a file.
//!
//! A measurement builds what it needs, works in a scratch folder that is gone afterwards, and says what it found as a
//! table. The last line it prints is the verdict.

mod corpus;
mod crash;
mod escape;
mod first_landing;
mod footprint;
mod git;
mod os;
mod program;
mod records;
pub mod review;
mod run;
mod samples;
mod scratch;
mod table;
mod tiny;
mod trial;
mod untouched;

use anyhow::Result;
use clap::ValueEnum;

pub use corpus::CrateName;
pub use table::Table;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// A fresh clone to the first landed improvement, with the demo
    FirstLanding,
    /// Published crates, against `cargo clippy --fix`
    Corpus,
    /// Killed at every journalled step and at random instants
    Crash,
    /// What a run changes of the user's own: nothing
    Untouched,
    /// The static review of a patch of ten files
    Review,
    /// Memory and start of the idle program
    Footprint,
    /// Mutants of published crates tried as patches, against cargo-mutants
    Trial,
    /// Attempts to get out of the sandbox, as root and as an ordinary user
    Escape,
}

/// How it is to be measured.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A smaller run, for every day.
    pub quick: bool,
    /// The crates of the corpus in place of the usual ones.
    pub crates: Vec<CrateName>,
    /// What the random instants of `crash` follow from.
    pub seed: u64,
}

/// What a measurement found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The figures.
    pub table: Table,
    /// What a reader of the figures must know.
    pub notes: Vec<String>,
    /// The figures against the bar, in a few words.
    pub summary: String,
    /// In what the bar was missed; empty when it held.
    pub missed: Vec<String>,
}

impl Outcome {
    /// Notes that something missed the bar, unless it holds.
    pub fn require(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.missed.push(otherwise.into());
        }
    }
}

/// Measures, prints what was found, and says whether the bar held.
///
/// # Errors
/// When it cannot be measured.
pub fn measure(name: Name, options: &Options) -> Result<bool> {
    scratch::clear_when_stopped()?;
    let outcome = match name {
        Name::FirstLanding => first_landing::measure(options)?,
        Name::Corpus => corpus::measure(options)?,
        Name::Crash => crash::measure(options)?,
        Name::Untouched => untouched::measure(options)?,
        Name::Review => review::measure(options)?,
        Name::Footprint => footprint::measure()?,
        Name::Trial => trial::measure(options)?,
        Name::Escape => escape::measure(options)?,
    };
    print!("\n{}", outcome.table);
    for note in &outcome.notes {
        println!("note: {note}");
    }
    for missed in &outcome.missed {
        println!("missed: {missed}");
    }
    let verdict = if outcome.missed.is_empty() { "PASS" } else { "FAIL" };
    let size = if options.quick { " (quick)" } else { "" };
    let name = name.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    println!("{verdict} {name}{size}: {}", outcome.summary);
    Ok(outcome.missed.is_empty())
}
