//! The command line of the workspace's tools: `cargo xtask tidy`, `cargo xtask measure NAME`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Tidy => tidy(),
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
