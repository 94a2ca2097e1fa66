//! The command line of the workspace's tools: `cargo xtask tidy`, `cargo xtask measure NAME`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::measure::worker::{Worker, work};
use xtask::measure::{CrateName, Name, Options};

/// The workspace's own tools
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the rules of the workspace: layers, headers, sizes, paths in the documents, forbidden words
    Tidy,
    /// Measure what the documents claim; the last line is the verdict, and the exit code says it too
    Measure(MeasureArgs),
    /// Review a patch again and again in this process; `measure review` runs it in a release build
    #[command(hide = true)]
    BenchReview {
        /// How often
        #[arg(long, default_value_t = 50)]
        samples: usize,
    },
    /// A part of a measurement that needs a process of its own
    #[command(hide = true, subcommand)]
    Worker(Worker),
}

#[derive(Debug, clap::Args)]
struct MeasureArgs {
    /// What to measure
    #[arg(value_enum)]
    name: Name,
    /// A smaller run, for every day
    #[arg(long)]
    quick: bool,
    /// For `corpus`: these crates in place of the usual ones
    #[arg(long = "crate", value_name = "NAME@VERSION")]
    crates: Vec<CrateName>,
    /// For `crash`, `rollback`, `soak`, `schedule`, `watch` and `watch-real`: what the random instants and samples follow
    /// from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Tidy => tidy(),
        Command::Measure(args) => {
            xtask::measure::measure(args.name, &Options { quick: args.quick, crates: args.crates, seed: args.seed })
        }
        Command::BenchReview { samples } => bench_review(samples),
        Command::Worker(worker) => work(worker).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn bench_review(samples: usize) -> anyhow::Result<bool> {
    println!("{}", xtask::measure::review::bench(samples)?);
    Ok(true)
}

fn tidy() -> anyhow::Result<bool> {
    let report = xtask::tidy::check(&xtask::root())?;
    for note in &report.notes {
        println!("note: {note}");
    }
    for violation in &report.violations {
        println!("{violation}");
    }
    match report.violations.len() {
        0 => println!("tidy: {} files, nothing to report", report.files),
        count => println!("tidy: {count} violations in {} files", report.files),
    }
    Ok(report.violations.is_empty())
}
