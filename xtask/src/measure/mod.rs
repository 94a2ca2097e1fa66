//! Measurements: each shows one figure that the documents claim, against the bar it must hold and, where there is one,
//! against the tool a user would otherwise pick, in the same run. One measurement a file.
//!
//! A measurement builds what it needs, works in a scratch folder that is gone afterwards, and says what it found as a
//! table. The last line it prints is the verdict.

mod arrangement;
mod breaker;
mod bwrap;
mod cancel;
mod context;
mod corpus;
mod crash;
mod daemon;
mod dice;
mod edits;
mod escape;
mod first_landing;
mod footprint;
mod gate;
mod git;
mod hostile;
mod models;
mod os;
mod policies;
mod program;
mod pull_requests;
mod records;
mod released;
pub mod review;
mod rollback;
mod run;
mod samples;
mod sandbox_start;
mod schedule;
mod scratch;
mod soak;
mod table;
mod tiny;
mod trial;
mod untouched;
mod watch;
mod watch_real;
pub mod worker;

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
    /// Repositories whose rules forbid, or allow under conditions, that a program opens pull requests
    Policies,
    /// Pull requests from a finding to a merge, on every forge, against real counterparts
    PullRequests,
    /// The same killed at every journalled step, and with the connection dropped at every request
    PullRequestsCrash,
    /// What a run changes of the user's own: nothing
    Untouched,
    /// The static review of a patch of ten files
    Review,
    /// Cycles against a model that always asks for more: what they cost, and when they stop
    Runaway,
    /// Orders in what a model reads, and a model that obeys them
    Injection,
    /// The circuit breaker beside others: what a call costs, and how many probe at once
    Breaker,
    /// Providers that fail in every way, over real connections
    Transport,
    /// Hostile patches that pass `cargo test`, sent through the gate
    Attacks,
    /// Good patches of many kinds, sent through the gate
    Honest,
    /// Wrong versions that tests miss, and rewrites that keep behaviour
    SameBehaviour,
    /// What the whole gate costs, against the plain tests
    GateCost,
    /// One byte changed in the journal or in the evidence
    Tamper,
    /// A benchmark of a library that does as much as before, more, or less: what is said of it
    Verdicts,
    /// LiteLLM's proxy and another model server, in place of a provider
    Gateway,
    /// Recorded cycles, run again without asking anybody
    Replay,
    /// What a task is shown: how long the choice takes, and whether what is needed is in it
    Context,
    /// Edits as models write them, over the sources of published crates: applied in the right place or refused
    Edits,
    /// Memory and start of the idle program
    Footprint,
    /// Mutants of published crates tried as patches, against cargo-mutants
    Trial,
    /// Wrong versions behind one switch, against cargo-mutants, which builds each
    Mutants,
    /// Attempts to get out of the sandbox, as root and as an ordinary user
    Escape,
    /// The same against a fresh clone and `cargo test`
    TrialClone,
    /// What of a trial is neither cargo nor compiler nor tests
    TrialOwn,
    /// Disk that trials leave behind
    TrialDisk,
    /// Memory of the runner of trials
    TrialMemory,
    /// Start and stop of a sandbox, against bubblewrap
    SandboxStart,
    /// The end of a hostile tree of processes that is cancelled or runs out of time
    Cancel,
    /// A year of schedules and pacing on a simulated clock, against an oracle and against plain croner
    Schedule,
    /// Landings that hurt, under later commits, taken back by a daemon that is killed meanwhile
    Rollback,
    /// The daemon with many repositories, killed again and again, beside a forge in trouble
    Soak,
    /// Simulated landings: how many that did harm are rolled back, and how many that did none
    Watch,
    /// A real service behind a real Prometheus, slowed down or not: what the watch makes of it
    WatchReal,
}

impl Name {
    /// Whether it is about the library in this very process, which then must be built as the program is.
    fn is_about_this_process(self) -> bool {
        match self {
            Self::TrialClone
            | Self::TrialOwn
            | Self::TrialDisk
            | Self::TrialMemory
            | Self::SandboxStart
            | Self::Cancel
            | Self::Schedule
            | Self::Context
            | Self::Verdicts
            | Self::Watch => true,
            Self::FirstLanding
            | Self::Corpus
            | Self::Crash
            | Self::Policies
            | Self::PullRequests
            | Self::PullRequestsCrash
            | Self::WatchReal
            | Self::Untouched
            | Self::Review
            | Self::Runaway
            | Self::Injection
            | Self::Replay
            | Self::Transport
            | Self::Gateway
            | Self::Attacks
            | Self::Honest
            | Self::SameBehaviour
            | Self::GateCost
            | Self::Tamper
            | Self::Breaker
            | Self::Edits
            | Self::Footprint
            | Self::Escape
            | Self::Rollback
            | Self::Soak
            | Self::Mutants
            | Self::Trial => false,
        }
    }

    fn shown(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// How it is to be measured.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A smaller run, for every day.
    pub quick: bool,
    /// The crates of the corpus in place of the usual ones.
    pub crates: Vec<CrateName>,
    /// What the random instants of `crash`, `rollback` and `soak`, the years of `schedule` and the samples of the watches
    /// follow from.
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
    if cfg!(debug_assertions) && name.is_about_this_process() {
        return released::measure(name, options);
    }
    let outcome = match name {
        Name::FirstLanding => first_landing::measure(options)?,
        Name::Corpus => corpus::measure(options)?,
        Name::Crash => crash::measure(options)?,
        Name::Policies => policies::measure(options)?,
        Name::PullRequests => pull_requests::measure(options)?,
        Name::PullRequestsCrash => pull_requests::crash::measure(options)?,
        Name::Untouched => untouched::measure(options)?,
        Name::Review => review::measure(options)?,
        Name::Runaway => models::runaway::measure(options)?,
        Name::Injection => models::injection::measure(options)?,
        Name::Breaker => breaker::measure(options)?,
        Name::Transport => models::transport::measure(options)?,
        Name::Attacks => gate::attacks::measure(options)?,
        Name::Honest => gate::honest::measure(options)?,
        Name::GateCost => gate::cost::measure(options)?,
        Name::SameBehaviour => gate::same_behaviour::measure(options)?,
        Name::Tamper => gate::tamper::measure(options)?,
        Name::Verdicts => gate::verdicts::measure(options)?,
        Name::Gateway => models::gateway::measure(options)?,
        Name::Replay => models::replay::measure(options)?,
        Name::Context => context::measure(options)?,
        Name::Edits => edits::measure(options)?,
        Name::Footprint => footprint::measure()?,
        Name::Trial => trial::measure(options)?,
        Name::Mutants => trial::schemata::measure(options)?,
        Name::Escape => escape::measure(options)?,
        Name::TrialClone => trial::clone::measure(options)?,
        Name::TrialOwn => trial::own::measure(options)?,
        Name::TrialDisk => trial::disk::measure(options)?,
        Name::TrialMemory => trial::memory::measure(options)?,
        Name::SandboxStart => sandbox_start::measure(options)?,
        Name::Cancel => cancel::measure(options)?,
        Name::Schedule => schedule::measure(options)?,
        Name::Rollback => rollback::measure(options)?,
        Name::Soak => soak::measure(options)?,
        Name::Watch => watch::measure(options)?,
        Name::WatchReal => watch_real::measure(options)?,
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
    let name = name.shown();
    println!("{verdict} {name}{size}: {}", outcome.summary);
    Ok(outcome.missed.is_empty())
}
