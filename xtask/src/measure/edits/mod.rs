//! Edits: answers as models write them, with what models get wrong, over the sources of published crates. Each comes from
//! a generator that knows the file, the change that was meant and what was done to it; so it is known which can be
//! recovered, and what the file is then. How many are applied, and is one ever applied anywhere else?

mod perturb;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kaizen_domain::RelPath;
use kaizen_llm::PatchAnswer;
use kaizen_patch::MemorySource;

use super::corpus::{self, CrateName};
use super::dice::Dice;
use super::scratch::{Scratch, everything_below};
use super::table::Table;
use super::{Options, Outcome};
use perturb::{Case, Kind};

/// Edits in a whole run and in a quick one.
const EDITS: [usize; 2] = [500, 120];
/// Of those that can be recovered so many of a hundred must be.
const BAR: f64 = 99.0;
/// Where the sources come from.
const CRATES: [&str; 6] =
    ["heck@0.5.0", "humantime@2.4.0", "arrayvec@0.7.8", "url@2.5.8", "csv@1.4.0", "semver@1.0.28"];

/// What became of the edits of a kind.
#[derive(Default)]
struct Tally {
    cases: usize,
    applied: usize,
    refused: usize,
    wrong: usize,
    broken: usize,
}

/// Applies them.
///
/// # Errors
/// When the sources cannot be had.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("edits")?;
    let usual = CRATES.iter().map(|name| name.parse::<CrateName>().map_err(anyhow::Error::msg));
    let crates = if options.crates.is_empty() { usual.collect::<Result<_>>()? } else { options.crates.clone() };
    let mut files: Vec<(String, String)> = Vec::new();
    for name in &crates {
        let folder = scratch.join(name.to_string());
        corpus::repository(name, &folder)?;
        files.extend(sources(&folder)?);
    }
    ensure!(!files.is_empty(), "these crates have no source that could be edited");
    let wanted = EDITS[usize::from(options.quick)];
    let mut dice = Dice(options.seed);
    let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
    let mut outcome = Outcome {
        table: Table::new(&[
            "kind",
            "can be recovered",
            "edits",
            "applied",
            "refused",
            "wrong place",
            "does not parse",
        ]),
        ..Outcome::default()
    };
    let mut done = 0;
    let mut tries = 0;
    while done < wanted {
        tries += 1;
        ensure!(tries < wanted * 200, "the sources give no more than {done} edits");
        let kind = Kind::ALL[done % Kind::ALL.len()];
        let (name, text) = dice.one(&files);
        let Some(case) = Case::make(kind, text, &mut dice) else { continue };
        done += 1;
        let tally = tallies.entry(kind).or_default();
        tally.cases += 1;
        judge(&case, tally, &mut outcome, &format!("{name}, {kind:?}"))?;
    }
    report(&tallies, wanted, options.seed, &mut outcome);
    Ok(outcome)
}

fn judge(case: &Case, tally: &mut Tally, outcome: &mut Outcome, what: &str) -> Result<()> {
    let path = RelPath::new("src/lib.rs").context("a plain path")?;
    let source = MemorySource::new().with(path, case.file.clone());
    let applied = PatchAnswer::parse(&case.answer).map_err(|error| error.to_string()).and_then(|answer| {
        let changes = kaizen_patch::apply(&answer.edit_set(), &source).map_err(|error| error.to_string())?;
        kaizen_patch::still_parses(&changes).map_err(|error| format!("rolled back: {error}"))?;
        Ok(changes)
    });
    match applied {
        Ok(changes) => {
            let after = changes.first().and_then(|change| change.texts()).map(|(_, after)| after.to_owned());
            let after = after.context("the changed file is text")?;
            if kaizen_patch::parse_error(&after).is_some() {
                tally.broken += 1;
            }
            if case.recovered.as_ref().is_some_and(|right| same(right, &after)) {
                tally.applied += 1;
            } else {
                tally.wrong += 1;
                note(outcome, format!("wrong place: {what}\n{}", difference(case, &after)));
            }
        }
        Err(error) => {
            tally.refused += 1;
            // What the right change itself would leave unparsable is rightly rolled back.
            if case.recovered.is_some() {
                note(outcome, format!("not recovered: {what}: {error}"));
            }
        }
    }
    Ok(())
}

/// A few of what went wrong, to look at.
fn note(outcome: &mut Outcome, text: String) {
    if outcome.notes.len() < 12 {
        outcome.notes.push(text);
    }
}

fn difference(case: &Case, after: &str) -> String {
    let right = case.recovered.as_deref().unwrap_or(&case.file);
    let first = right.lines().zip(after.lines()).enumerate().find(|(_, (one, other))| one.trim() != other.trim());
    first
        .map_or_else(String::new, |(number, (one, other))| format!("line {}: `{other}` instead of `{one}`", number + 1))
}

/// The same lines, however they are indented and whatever blank ones stand in between.
fn same(one: &str, other: &str) -> bool {
    let lines =
        |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    lines(one) == lines(other)
}

fn report(tallies: &BTreeMap<Kind, Tally>, wanted: usize, seed: u64, outcome: &mut Outcome) {
    let (mut can, mut recovered, mut wrong, mut broken) = (0, 0, 0, 0);
    for (kind, tally) in tallies {
        let recoverable = kind.is_recoverable();
        outcome.table.row([
            kind.shown().to_owned(),
            if recoverable { "yes" } else { "no" }.to_owned(),
            tally.cases.to_string(),
            tally.applied.to_string(),
            tally.refused.to_string(),
            tally.wrong.to_string(),
            tally.broken.to_string(),
        ]);
        if recoverable {
            can += tally.cases;
            recovered += tally.applied;
        }
        wrong += tally.wrong;
        broken += tally.broken;
    }
    let share = 100.0 * recovered as f64 / can.max(1) as f64;
    outcome.require(share >= BAR, format!("{recovered} of {can} that can be recovered were applied"));
    outcome.require(wrong == 0, format!("{wrong} were applied in a wrong place"));
    outcome.require(broken == 0, format!("{broken} results do not parse"));
    outcome.summary = format!(
        "{recovered} of {can} applied that can be recovered, {share:.1} % (bar {BAR} %); {wrong} in a wrong place, {broken} \
         results that do not parse (bar 0); {wanted} edits, seed {seed}"
    );
}

/// The Rust sources of a tree that are long enough to be edited, with their names.
fn sources(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in everything_below(folder) {
        if path.extension().is_some_and(|end| end == "rs") && !path.starts_with("target") {
            let Ok(text) = std::fs::read_to_string(folder.join(&path)) else { continue };
            let edited = text.lines().count() >= 40 && !text.contains('\r');
            if edited && kaizen_patch::parse_error(&text).is_none() {
                files.push((path.display().to_string(), text));
            }
        }
    }
    files.sort();
    Ok(files)
}
