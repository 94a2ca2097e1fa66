//! Untouched: what any command of the program changes of the user's own. Repositories in all the states that people
//! leave them in are photographed before and after each command; every byte, mode and time must be as it was.

mod photograph;
mod states;

use std::path::Path;

use anyhow::{Context, Result};

use self::photograph::Photograph;
use self::states::State;
use super::program::{Place, Program};
use super::scratch::{self, Scratch};
use super::table::Table;
use super::{Options, Outcome, tiny};

/// The commands, each as it is typed.
const COMMANDS: &[&[&str]] = &[
    &["doctor"],
    &["status"],
    &["run-cycle", "--dry-run", "--json"],
    &["run-cycle", "--landing", "branch", "--json"],
    &["try", "--landing", "branch", "--json"],
    &["status"],
    &["log"],
];

/// Measures it.
///
/// # Errors
/// When a repository cannot be made, or the program cannot be run.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("untouched")?;
    let program = Program::release(&scratch)?;
    let diff = scratch.join("good.diff");
    std::fs::write(&diff, tiny::GOOD_DIFF)?;
    let header = ["state of the repository", "commands", "paths", "changed", "marks", "landed branches"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut changed, mut states) = (0, 0);
    for state in State::all(options.quick) {
        let name = state.name();
        eprintln!("{name}");
        let home = scratch.join(format!("state-{states}"));
        let found = one(&program, *state, &home, &diff).with_context(|| name.to_owned())?;
        let cells = [found.commands, found.paths, found.changes.len(), found.marks, found.branches];
        outcome.table.row(std::iter::once(name.to_owned()).chain(cells.iter().map(ToString::to_string)));
        for wrong in found.changes.iter().chain(&found.failures) {
            outcome.require(false, format!("{name}: {wrong}"));
        }
        outcome.require(
            found.marks == 0,
            format!("{name}: code of the repository or its configuration ran outside of the sandbox"),
        );
        outcome.require(found.branches > 0, format!("{name}: nothing landed, so nothing was shown"));
        (changed, states) = (changed + found.changes.len(), states + 1);
    }
    outcome.notes.push(
        "a path: a file, folder or link of the work tree, or of .git but for objects and refs of Kaizen's own"
            .to_owned(),
    );
    outcome.summary =
        format!("{changed} things of the user's changed by {} commands in {states} states (bar 0)", COMMANDS.len());
    Ok(outcome)
}

struct Found {
    commands: usize,
    paths: usize,
    changes: Vec<String>,
    failures: Vec<String>,
    marks: usize,
    branches: usize,
}

fn one(program: &Program, state: State, home: &Path, diff: &Path) -> Result<Found> {
    let marks = home.join("marks");
    std::fs::create_dir_all(&marks)?;
    let made = state.make(home, &marks)?;
    // Making the repository may have run what it holds.
    for mark in std::fs::read_dir(&marks)? {
        std::fs::remove_file(mark?.path())?;
    }
    let place = Place { repo: made.work_in.clone(), state: home.join("state") };
    let (mut changes, mut failures) = (Vec::new(), Vec::new());
    let mut before = Photograph::take(&made.root)?;
    for command in COMMANDS {
        let mut args: Vec<&str> = command.to_vec();
        let diff = diff.to_string_lossy();
        let name = command.first().copied().unwrap_or_default();
        if name == "try" {
            args.push(&diff);
        }
        if matches!(name, "try" | "run-cycle") {
            args.extend(made.base.iter().flat_map(|base| ["--base", base]));
        }
        let ended = program.run(&place, &args).end()?;
        let after = Photograph::take(&made.root)?;
        changes.extend(
            before.changes(&after).into_iter().map(|change| format!("`kaizen {}`: {change}", command.join(" "))),
        );
        // The others may fail over the state of the repository: `doctor` is there to say so.
        if !ended.status.success() && matches!(name, "try" | "run-cycle") {
            let said = ended.stdout.lines().chain(ended.stderr.lines()).last().unwrap_or_default().to_owned();
            failures.push(format!("`kaizen {}` failed: {said}", command.join(" ")));
        }
        before = after;
    }
    let landed = scratch::everything_below(&made.git_dir.join("refs/heads/kaizen"));
    Ok(Found {
        commands: COMMANDS.len(),
        paths: before.len(),
        changes,
        failures,
        marks: std::fs::read_dir(&marks)?.count(),
        branches: landed.iter().filter(|path| path.ends_with("landed")).count(),
    })
}
