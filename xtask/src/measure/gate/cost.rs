//! Cost: how long the whole gate takes for a patch, wrong versions of what changes and made-up inputs included, against a
//! plain `cargo test` of the same patch, both from what is built of the base.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use kaizen_domain::attempt::AttemptEvent;
use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{Event, Record};

use super::super::corpus::{self, CrateName};
use super::super::git;
use super::super::program::{Place, Program};
use super::super::run::{Run, cargo};
use super::super::samples::{Samples, shown};
use super::super::scratch::{Scratch, copy};
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::same_behaviour::{Patch, rewrites};

/// Crates of about 5,000 lines and more.
const CRATES: &[&str] = &["url@2.5.8", "csv@1.4.0"];
const QUICK: &[&str] = &["url@2.5.8"];
/// Patches of each that the gate looks at whole, in a whole run and in a quick one.
const WANTED: [usize; 2] = [5, 2];
/// More are not tried to find those.
const TRIED: usize = 40;
/// How many times as long as the plain tests.
const BAR: f64 = 3.0;
const SETTINGS: &str = "[base]\nruns = 1\n\n[gate]\nevidence = false\n";

/// Measures it.
///
/// # Errors
/// When the crates cannot be had, or the program does not build.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("gate-cost")?;
    let program = Program::release(&scratch)?;
    let usual = if options.quick { QUICK } else { CRATES };
    let crates = match options.crates.as_slice() {
        [] => usual.iter().map(|name| name.parse().map_err(anyhow::Error::msg)).collect::<Result<Vec<CrateName>>>()?,
        given => given.to_vec(),
    };
    let header = ["crate", "patch", "cargo test", "the gate", "ratio", "wrong versions", "inputs"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut plain, mut ours) = (Samples::default(), Samples::default());
    for name in &crates {
        eprintln!("{name}");
        one(&scratch, &program, name, WANTED[usize::from(options.quick)], &mut outcome, (&mut plain, &mut ours))?;
    }
    ensure!(ours.count() > 0, "no patch went through the whole gate");
    let ratio = ours.median().as_secs_f64() / plain.median().as_secs_f64();
    outcome.require(ratio <= BAR, format!("{ratio:.2} times a plain `cargo test` (bar {BAR})"));
    outcome.summary = format!(
        "the whole gate takes {ratio:.2} times a plain `cargo test` ({} and {}, medians of {}; bar {BAR})",
        shown(ours.median()),
        shown(plain.median()),
        ours.count()
    );
    Ok(outcome)
}

fn one(
    scratch: &Scratch,
    program: &Program,
    name: &CrateName,
    wanted: usize,
    outcome: &mut Outcome,
    (plain, ours): (&mut Samples, &mut Samples),
) -> Result<()> {
    let folder = scratch.join(name.to_string());
    corpus::repository(name, &folder)?;
    std::fs::write(folder.join("kaizen.toml"), SETTINGS)?;
    git::say(&folder, &["add", "kaizen.toml"])?;
    git::say(&folder, &["commit", "--quiet", "--message", "settings"])?;
    let place = Place { repo: folder.clone(), state: scratch.join(format!("{name}-state")) };
    let (tree, target) = (scratch.join(format!("{name}-plain")), scratch.join(format!("{name}-target")));
    copy(&folder, &tree)?;
    tested(&tree, &target)?;
    let patches = rewrites::patches(&folder, &scratch.join("clippy-target"))?;
    let mut found = 0;
    for patch in patches.into_iter().take(TRIED) {
        if found == wanted {
            break;
        }
        let Some(Gate { took, versions, inputs, base }) = gate(program, &place, scratch, &patch)? else { continue };
        found += 1;
        let file = tree.join(&patch.path);
        std::fs::write(&file, &patch.after)?;
        let alone = tested(&tree, &target)?;
        std::fs::write(&file, &patch.before)?;
        tested(&tree, &target)?;
        plain.add(alone);
        ours.add(took);
        let ratio = format!("{:.2}", took.as_secs_f64() / alone.as_secs_f64());
        let cells = [name.to_string(), patch.what, shown(alone), shown(took), ratio];
        outcome.table.row(cells.into_iter().chain([versions.to_string(), inputs.to_string()]));
        if let Some(base) = base {
            outcome.notes.push(format!("{name}: the base is built and tested once, in {}", shown(base)));
        }
    }
    Ok(())
}

/// How long a plain run of the tests takes.
fn tested(tree: &Path, target: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let args = ["test", "--workspace", "--offline", "--quiet"];
    Run::new(cargo(), tree).args(args).env("CARGO_TARGET_DIR", target).succeed().context("the tests of the crate")?;
    Ok(begun.elapsed())
}

/// What the gate did for a patch.
struct Gate {
    took: Duration,
    versions: u64,
    inputs: u64,
    /// How long the base took, where it was tried.
    base: Option<Duration>,
}

/// Sends a patch through the gate; none when it does not go through all of it.
fn gate(program: &Program, place: &Place, scratch: &Scratch, patch: &Patch) -> Result<Option<Gate>> {
    let file = scratch.join("patch.diff");
    std::fs::write(&file, patch.diff())?;
    let ran = program.run(place, &["try", "--json", &file.to_string_lossy()]).end()?;
    let records: Vec<Record> = ran.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let (mut begun, mut result, mut base) = (None, None, None);
    for record in &records {
        let at = record.at.0;
        let Event::Cycle { event, .. } = &record.event else { continue };
        match event {
            CycleEvent::BaseTried { report } => base = Some(Duration::from_millis(report.wall.0)),
            CycleEvent::Attempt { what: AttemptEvent::TrialStarted { .. }, .. } => begun = Some(at),
            CycleEvent::Attempt { what: AttemptEvent::TrialFinished { report }, .. } => result = Some((at, report)),
            _ => {}
        }
    }
    let (Some(begun), Some((ended, report))) = (begun, result) else { return Ok(None) };
    let whole = report.noticed.as_ref().filter(|noticed| !noticed.same_code && !noticed.functions.is_empty());
    let (Some(noticed), Some(behaviour)) = (whole, &report.behaviour) else { return Ok(None) };
    let versions = noticed.functions.iter().map(|one| one.now.tried + one.before.as_ref().map_or(0, |b| b.tried)).sum();
    let inputs = behaviour.driven.iter().map(|one| one.inputs).sum();
    let took = Duration::from_millis(ended.saturating_sub(begun));
    Ok(Some(Gate { took, versions, inputs, base }))
}
