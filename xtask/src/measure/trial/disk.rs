//! Disk that trials leave behind: what the state of the runner takes after the first trial of a repository and after
//! the last, with trials among them that are cancelled, run out of time, fill the disk or do not build.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_domain::{RelPath, TrialOutcome};
use kaizen_sandbox::{Cancel, Limits, TreeChange};

use super::super::corpus::{CrateName, repository};
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::peer::{Mutant, Peer};
use super::{MUTANTS, Ours, changes};

/// The repository.
const CRATE: &str = "roman@0.2.2";
/// Its file that gets tests with bad intentions.
const SOURCE: &str = "src/lib.rs";
/// Trials, and those of a quick run.
const TRIALS: (usize, usize) = (100, 20);
/// What the disk may hold in the end, of what it holds after the first.
const BAR: f64 = 1.2;
/// One in so many is cancelled, and as many run out of time, fill the disk and do not build.
const TURNS: usize = 10;
/// Time and room enough for the good ones, and soon used up by the others.
const WALL: Duration = Duration::from_secs(4);
const ROOM: u64 = 256 << 20;

const ENDLESS: &str = "\n#[test]\nfn endless() {\n    loop {\n        std::thread::park();\n    }\n}\n";
const FILLING: &str = "\n#[test]\nfn filling() {\n    use std::io::Write;\n    let block = vec![1u8; 1 << 20];\n    \
                       for number in 0.. {\n        let mut file = std::fs::File::create(format!(\"full-{}\", number)).unwrap();\n        \
                       for _ in 0..64 {\n            file.write_all(&block).unwrap();\n        }\n    }\n}\n";
const BROKEN: &str = "\ncompile_error!(\"this must not build\");\n";

/// Measures it.
///
/// # Errors
/// When the crate cannot be prepared, or a trial does not end as it is meant to.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("trial-disk")?;
    let name: CrateName = CRATE.parse().map_err(anyhow::Error::msg)?;
    let (tree, state) = (scratch.join("tree"), scratch.join("state"));
    repository(&name, &tree)?;
    let mutants = Peer::install()?.mutants(&tree, MUTANTS)?.list;
    let limits = Limits { wall: WALL, disk: ROOM, ..Limits::default() };
    let ours = Ours::prepare(&state, CRATE, &tree, limits)?;
    let trials = if options.quick { TRIALS.1 } else { TRIALS.0 };
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    let mut first = 0;
    for number in 0..trials {
        let end = one(&ours, &tree, &mutants, number).with_context(|| format!("trial {number}"))?;
        *ends.entry(end).or_default() += 1;
        if number == 0 {
            first = allocated(&state)?;
        }
    }
    let last = allocated(&state)?;
    ensure!(first > 0, "the first trial left no state at all");
    #[expect(clippy::cast_precision_loss, reason = "sizes of folders are far below the limit of exact numbers")]
    let (ratio, sizes) =
        (last as f64 / first as f64, [first, last].map(|bytes| format!("{:.2} MB", bytes as f64 / 1e6)));
    let [before, after] = &sizes;
    let mut outcome = Outcome {
        table: Table::new(&["crate", "after the first", "after the last", "ratio", "trials"]),
        ..Outcome::default()
    };
    outcome.table.row([CRATE, before, after, &format!("{ratio:.3}"), &trials.to_string()]);
    let counts: Vec<String> = ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
    outcome.notes.push(format!("trials: {}", counts.join(", ")));
    outcome
        .notes
        .push("disk: blocks that are allocated to what lies in the folder of the state, warm base included".to_owned());
    outcome.require(ratio <= BAR, format!("{after} after the last trial, {before} after the first"));
    outcome.summary = format!("{after} after {trials} trials, {before} after the first: {ratio:.3} (bar {BAR})");
    Ok(outcome)
}

/// Has one trial, and says how it ended, which must be as it was meant.
fn one(ours: &Ours, tree: &Path, mutants: &[Mutant], number: usize) -> Result<&'static str> {
    let behind = |more: &str| -> Result<Vec<TreeChange>> {
        let mut bytes = std::fs::read(tree.join(SOURCE))?;
        bytes.extend_from_slice(more.as_bytes());
        Ok(vec![TreeChange::Write { path: RelPath::new(SOURCE)?, bytes, executable: false }])
    };
    let cancel = Cancel::new()?;
    let outcome = |more: &str| Ok::<_, anyhow::Error>(ours.try_changes(&behind(more)?, &cancel)?.report.outcome);
    match number % TURNS {
        2 => {
            let later = cancel.clone();
            let ended = std::thread::scope(|scope| {
                scope.spawn(move || {
                    std::thread::sleep(Duration::from_millis(500));
                    later.cancel();
                });
                ours.try_changes(&behind(ENDLESS)?, &cancel)
            });
            ensure!(ended.is_err() && cancel.is_cancelled(), "a cancelled trial has a result");
            Ok("cancelled")
        }
        4 => match outcome(ENDLESS)? {
            TrialOutcome::LimitHit { .. } => Ok("out of time"),
            other => anyhow::bail!("an endless test gave {other:?}"),
        },
        6 => match outcome(FILLING)? {
            TrialOutcome::LimitHit { .. } => Ok("out of room"),
            // The disk is full, and the test that found that out fails for it.
            TrialOutcome::Ran => Ok("out of room, seen by a test that fails"),
            other => anyhow::bail!("a test that fills the disk gave {other:?}"),
        },
        8 => match outcome(BROKEN)? {
            TrialOutcome::BuildFailed { .. } => Ok("that do not build"),
            other => anyhow::bail!("what cannot build gave {other:?}"),
        },
        _ => {
            let mutant = mutants.get(number % mutants.len().max(1)).context("there are no mutants")?;
            ours.try_changes(&changes(tree, mutant)?, &cancel)?;
            Ok("mutants")
        }
    }
}

/// Bytes on disk of a folder with everything in it; what has several names counts once.
fn allocated(folder: &Path) -> Result<u64> {
    let (mut bytes, mut seen, mut todo) = (0, BTreeSet::new(), vec![folder.to_path_buf()]);
    while let Some(path) = todo.pop() {
        let status = std::fs::symlink_metadata(&path)?;
        if seen.insert((status.dev(), status.ino())) {
            bytes += status.blocks() * 512;
        }
        if status.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                todo.push(entry?.path());
            }
        }
    }
    Ok(bytes)
}
