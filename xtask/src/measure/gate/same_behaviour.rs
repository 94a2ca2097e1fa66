//! Same behaviour: wrong versions of public functions of published crates that the crates' own tests miss, and rewrites that
//! clippy suggests and that pass. The first must be shown to differ, with an input; the second must raise no alarm.

pub(super) mod rewrites;
mod wrong;

use std::path::Path;

use anyhow::{Context as _, Result};
use kaizen_domain::attempt::AttemptEvent;
use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{Behaviour, Comparison, Event, Record, TrialOutcome, TrialReport};

use super::super::corpus::{self, CrateName};
use super::super::dice::Dice;
use super::super::program::{Place, Program};
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome, git};

/// The crates that it is measured on.
const CRATES: &[&str] =
    &["roman@0.2.2", "heck@0.5.0", "humantime@2.4.0", "arrayvec@0.7.8", "semver@1.0.28", "url@2.5.8", "csv@1.4.0"];
/// Those of a quick run.
const QUICK: &[&str] = &["roman@0.2.2", "humantime@2.4.0"];
/// How many of each kind, in a whole run and in a quick one.
const WANTED: [usize; 2] = [100, 16];
/// So many times as many are looked at, since tests in docs catch some of them.
const SAMPLES: usize = 3;
/// Of a hundred wrong versions that can be driven so many must be caught.
const BAR: usize = 60;
/// Tests are run once, and no wrong versions are made of the wrong versions.
const SETTINGS: &str = "[base]\nruns = 1\n\n[gate]\nmutants = 0\nevidence = false\n";

/// A patch of one file.
pub(super) struct Patch {
    pub path: String,
    pub before: String,
    pub after: String,
    /// What it does, for a reader.
    pub what: String,
}

impl Patch {
    /// As a diff.
    pub fn diff(&self) -> String {
        let diff = similar::TextDiff::from_lines(&self.before, &self.after);
        diff.unified_diff().header(&format!("a/{}", self.path), &format!("b/{}", self.path)).to_string()
    }
}

/// What became of a patch.
enum Came {
    /// It does not build, or a test fails: the tests do not miss it.
    Caught,
    /// The compiler makes the same of it.
    SameCode,
    /// Nothing that changes could be called.
    NotDriven(Option<String>),
    /// It was called, and nothing differs.
    Same,
    /// It was called, and this differs.
    Differs(String),
    /// The gate did not come to it.
    Stopped(String),
}

/// What was counted of a crate.
#[derive(Default)]
struct Tally {
    missed: usize,
    same_code: usize,
    not_driven: usize,
    driven: usize,
    caught: usize,
}

impl Tally {
    fn add(&mut self, came: &Came) {
        match came {
            Came::Caught | Came::Stopped(_) => return,
            Came::SameCode => self.same_code += 1,
            Came::NotDriven(_) => self.not_driven += 1,
            Came::Same => self.driven += 1,
            Came::Differs(_) => {
                self.driven += 1;
                self.caught += 1;
            }
        }
        self.missed += 1;
    }
}

/// Sends them through `kaizen try`.
///
/// # Errors
/// When the crates cannot be had, or the program does not build.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("same-behaviour")?;
    let program = Program::release(&scratch)?;
    let usual = if options.quick { QUICK } else { CRATES };
    let crates = match options.crates.as_slice() {
        [] => usual.iter().map(|name| name.parse().map_err(anyhow::Error::msg)).collect::<Result<Vec<CrateName>>>()?,
        given => given.to_vec(),
    };
    let wanted = WANTED[usize::from(options.quick)];
    let header = ["what", "crate", "pass the tests", "same code", "not driven", "driven", "differ", "share"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let mut dice = Dice(options.seed);
    let (mut wrong, mut rewritten) = (Tally::default(), Tally::default());
    for (at, name) in crates.iter().enumerate() {
        eprintln!("{name}");
        let folder = scratch.join(name.to_string());
        corpus::repository(name, &folder)?;
        let place = place(&scratch, &folder, name)?;
        let room = |sum: &Tally| (wanted.saturating_sub(sum.missed - sum.same_code)).div_ceil(crates.len() - at);
        let mut patches = wrong::missed(
            &name.to_string(),
            &folder,
            &scratch.join(format!("{name}-switched")),
            room(&wrong) * SAMPLES,
            &mut dice,
        )?;
        dice.shuffle(&mut patches);
        let tally = send(&program, &place, &scratch, patches, room(&wrong), &mut |patch, came| {
            let why = match came {
                Came::Same => "not seen",
                Came::NotDriven(why) => {
                    &format!("not driven: {}", why.as_deref().unwrap_or("nothing that others call leads there"))
                }
                _ => return Ok(()),
            };
            eprintln!("  {}: {why}", patch.what);
            outcome.notes.push(format!("{name}: {}: {why}", patch.what));
            Ok(())
        })?;
        row(&mut outcome.table, "wrong", name, &tally);
        sum(&mut wrong, &tally);
        let mut patches = rewrites::patches(&folder, &scratch.join("clippy-target"))?;
        dice.shuffle(&mut patches);
        let all = wanted.saturating_sub(rewritten.missed).div_ceil(crates.len() - at);
        let tally = send(&program, &place, &scratch, patches, all, &mut |patch, came| {
            if let Came::Differs(shown) = came {
                outcome.missed.push(format!("{name}: false alarm: {}: {shown}", patch.what));
            }
            Ok(())
        })?;
        row(&mut outcome.table, "rewrite", name, &tally);
        sum(&mut rewritten, &tally);
    }
    let share = wrong.caught * 100 / wrong.driven.max(1);
    outcome
        .require(share >= BAR, format!("{share} % of the wrong versions that can be driven are caught (bar {BAR} %)"));
    let drivable = wrong.driven * 100 / (wrong.driven + wrong.not_driven).max(1);
    outcome.summary = format!(
        "{} of {} wrong versions that tests miss and that can be driven are caught ({share} %, bar {BAR} %), {drivable} % can be \
         driven; {} false alarms in {} rewrites (bar 0), {} of them the same code and {} driven",
        wrong.caught, wrong.driven, rewritten.caught, rewritten.missed, rewritten.same_code, rewritten.driven
    );
    Ok(outcome)
}

/// A repository of a crate with the settings, and a state for it.
fn place(scratch: &Scratch, folder: &Path, name: &CrateName) -> Result<Place> {
    std::fs::write(folder.join("kaizen.toml"), SETTINGS)?;
    git::say(folder, &["add", "kaizen.toml"])?;
    git::say(folder, &["commit", "--quiet", "--message", "settings"])?;
    Ok(Place { repo: folder.to_path_buf(), state: scratch.join(format!("{name}-state")) })
}

/// Sends patches through the gate until so many of them pass the tests and are not the same code.
fn send(
    program: &Program,
    place: &Place,
    scratch: &Scratch,
    patches: Vec<Patch>,
    wanted: usize,
    on: &mut dyn FnMut(&Patch, &Came) -> Result<()>,
) -> Result<Tally> {
    let mut tally = Tally::default();
    for patch in patches {
        if tally.missed - tally.same_code >= wanted {
            break;
        }
        let came = judged(program, place, scratch, &patch)?;
        if let Came::Differs(shown) | Came::Stopped(shown) = &came {
            eprintln!("  {}: {shown}", patch.what);
        }
        tally.add(&came);
        on(&patch, &came)?;
    }
    Ok(tally)
}

fn judged(program: &Program, place: &Place, scratch: &Scratch, patch: &Patch) -> Result<Came> {
    let file = scratch.join("patch.diff");
    std::fs::write(&file, patch.diff())?;
    let ran = program.run(place, &["try", "--json", &file.to_string_lossy()]).end()?;
    let records = ran.stdout.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok());
    let report = records.filter_map(trial).next_back();
    let base = ran.stdout.lines().filter_map(|line| serde_json::from_str::<Record>(line).ok()).find_map(base);
    let (Some(report), Some(base)) = (report, base) else {
        return Ok(Came::Stopped(ran.stderr.lines().next().unwrap_or("it was not tried").to_owned()));
    };
    if report.outcome != TrialOutcome::Ran || !Comparison::of(&base, &report).broken.is_empty() {
        return Ok(Came::Caught);
    }
    let Some(noticed) = &report.noticed else { return Ok(Came::Stopped("a person is asked about it".to_owned())) };
    if noticed.same_code {
        return Ok(Came::SameCode);
    }
    Ok(report.behaviour.as_deref().map_or(Came::NotDriven(None), came))
}

fn came(behaviour: &Behaviour) -> Came {
    match behaviour.differences.first() {
        Some(first) => Came::Differs(first.shown()),
        None if behaviour.driven.iter().any(|driven| driven.inputs > 0) => Came::Same,
        None => Came::NotDriven(behaviour.no_data.first().cloned()),
    }
}

fn trial(record: Record) -> Option<TrialReport> {
    match record.event {
        Event::Cycle { event: CycleEvent::Attempt { what: AttemptEvent::TrialFinished { report }, .. }, .. } => {
            Some(report)
        }
        _ => None,
    }
}

fn base(record: Record) -> Option<TrialReport> {
    match record.event {
        Event::Cycle { event: CycleEvent::BaseTried { report, .. }, .. } => Some(report),
        _ => None,
    }
}

fn sum(all: &mut Tally, one: &Tally) {
    all.missed += one.missed;
    all.same_code += one.same_code;
    all.not_driven += one.not_driven;
    all.driven += one.driven;
    all.caught += one.caught;
}

fn row(table: &mut Table, what: &str, name: &CrateName, tally: &Tally) {
    let share = match tally.driven {
        0 => "-".to_owned(),
        driven => format!("{} %", tally.caught * 100 / driven),
    };
    // A whole run takes long: what is known is told at once.
    eprintln!(
        "{what} {name}: {} pass the tests, {} of them the same code, {} driven, {} differ",
        tally.missed, tally.same_code, tally.driven, tally.caught
    );
    let counts =
        [tally.missed, tally.same_code, tally.not_driven, tally.driven, tally.caught].map(|count| count.to_string());
    let cells = [what.to_owned(), name.to_string()].into_iter().chain(counts).chain([share]);
    table.row(cells);
}

/// The sources of a library, below its folder.
fn sources(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for path in super::super::scratch::everything_below(folder) {
        let below = path.to_string_lossy().into_owned();
        let is_test =
            below.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "bin" || part == "main.rs");
        if below.starts_with("src/") && below.ends_with(".rs") && !is_test {
            all.push((below, std::fs::read_to_string(folder.join(&path)).with_context(|| path.display().to_string())?));
        }
    }
    all.sort();
    Ok(all)
}
