//! Verdicts: whether what is said of a benchmark is true. A library is compared with itself, with one that does 5 % more,
//! and with one that does 10 % less, again and again, by the code that the gate uses. How much each does is known, so each
//! verdict is right or wrong.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use kaizen_agents::measuring::{Measuring, Own};
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::trial::SpeedVerdict;
use kaizen_domain::{CommitId, RelPath};
use kaizen_sandbox::{Cancel, Limits, Runner, RunnerSettings, TreeChange, Wanted, WarmBase};
use kaizen_settings::Settings;

use super::super::samples::{Samples, shown};
use super::super::scratch::{Scratch, copy};
use super::super::table::Table;
use super::super::{Options, Outcome};

/// The source of the library, and the number in it that is changed.
const LIB: &str = "src/lib.rs";
const TURNS: &str = "pub const TURNS: u32 = 20;";
/// Comparisons of each variant.
const COMPARISONS: (usize, usize) = (100, 8);
/// Of a hundred: verdicts that may be wrong where nothing changed, and that may be missing where something did.
const BARS: (usize, usize) = (1, 5);

/// The library with another amount of work.
struct Variant {
    name: &'static str,
    turns: u32,
    /// What is true of it.
    truth: SpeedVerdict,
}

static VARIANTS: [Variant; 3] = [
    Variant { name: "the same", turns: 20, truth: SpeedVerdict::Inconclusive },
    Variant { name: "5 % more work", turns: 21, truth: SpeedVerdict::Worse },
    Variant { name: "10 % less work", turns: 18, truth: SpeedVerdict::Better },
];

/// What was said of a variant.
#[derive(Default)]
struct Said {
    better: usize,
    worse: usize,
    inconclusive: usize,
    no_data: usize,
    blocks: Vec<u32>,
    noise: Vec<f64>,
    walls: Samples,
    /// What there was to say when there was no data.
    why: Option<String>,
}

/// Compares them.
///
/// # Errors
/// When the library does not build, or the sandbox cannot run it.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("verdicts")?;
    let count = if options.quick { COMPARISONS.1 } else { COMPARISONS.0 };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/verdicts").canonicalize()?;
    let lib = std::fs::read_to_string(folder.join(LIB))?;
    ensure!(lib.matches(TURNS).count() == 1, "{LIB} does not say once how much work it is");
    let (runner, base, cancel) = prepared(&scratch, &folder)?;
    let files = ["Cargo.toml", LIB, "benches/words.rs"].map(str::to_owned);
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).ok();
    let settings = Settings::default().gate;
    let mut built = Vec::new();
    for variant in &VARIANTS {
        let turns = format!("pub const TURNS: u32 = {};", variant.turns);
        let text = format!("{}// {}\n", lib.replace(TURNS, &turns), variant.name);
        let state = |text: &str| Some(FileState { mode: FileMode::Regular, bytes: text.as_bytes().to_vec() });
        let path = RelPath::new(LIB)?;
        let change = Change { path: path.clone(), before: state(&lib), after: state(&text) };
        built.push((variant, [change], [TreeChange::Write { path, bytes: text.into_bytes(), executable: false }]));
    }
    let mut owns = Vec::new();
    let measuring = |changes, tree| Measuring {
        runner: &runner,
        warm: &base,
        settings: &settings,
        trees: (&[], tree),
        changes,
        files: &files,
        read: &read,
        cancel: &cancel,
    };
    for (variant, changes, tree) in &built {
        eprintln!("building: {}", variant.name);
        let measuring = measuring(changes.as_slice(), tree.as_slice());
        let own = measuring.own(&mut |_| {})?;
        match &own {
            Own::Programs(_) => {}
            Own::NoData(why) => bail!("{}: {why}", variant.name),
            other => bail!("{}: {other:?}", variant.name),
        }
        owns.push((*variant, measuring, own, Said::default()));
    }
    // In turn, so that what the machine does over the hours meets all of them.
    for round in 1..=count {
        eprintln!("round {round} of {count}");
        for (_, measuring, own, said) in &mut owns {
            let began = Instant::now();
            let measured = measuring.compare(own, &mut |_| {})?.context("there was nothing to compare")?;
            said.take(&measured, began.elapsed());
        }
    }
    let header = ["variant", "better", "worse", "inconclusive", "no data", "blocks", "time", "longest", "noise"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let mut right = Vec::new();
    for (variant, _, _, said) in &mut owns {
        right.push(judge(variant, said, count, &mut outcome));
    }
    let [same, slower, faster] = right.as_slice() else { bail!("there are not three variants") };
    outcome.notes.push("blocks, time and noise are medians; noise is the deviation of one run of the base".to_owned());
    outcome.summary = format!(
        "{} of {count} verdicts are false where nothing changed (bar {}), {slower} of {count} slowdowns by 5 % and {faster} \
         speed-ups by 10 % are seen (bar {})",
        count - same,
        of_a_hundred(BARS.0, count),
        count - of_a_hundred(BARS.1, count),
    );
    Ok(outcome)
}

/// The library as a warm base.
fn prepared(scratch: &Scratch, folder: &Path) -> Result<(Runner, WarmBase, Cancel)> {
    let settings = RunnerSettings {
        limits: Limits::default(),
        build_wall: Duration::from_secs(1800),
        waived: Vec::new(),
        arrangement: None,
        state_dir: scratch.join("state"),
        base_runs: 1,
    };
    let runner = Runner::new(settings, None)?;
    let (commit, cancel) = (CommitId::new("a".repeat(40))?, Cancel::new()?);
    let export = |to: &Path| {
        let parts = ["Cargo.toml", "src", "benches"];
        parts.iter().try_for_each(|part| copy(&folder.join(part), &to.join(part))).map_err(|error| error.to_string())
    };
    let base = runner.prepare(Wanted::plain("verdicts", &commit), &export, &cancel, &mut |_| {})?;
    Ok((runner, base, cancel))
}

impl Said {
    fn take(&mut self, measured: &kaizen_agents::measuring::Measured, wall: Duration) {
        self.walls.add(wall);
        match measured.speed.verdict {
            SpeedVerdict::Better => self.better += 1,
            SpeedVerdict::Worse => self.worse += 1,
            SpeedVerdict::Inconclusive => self.inconclusive += 1,
            SpeedVerdict::NoData => {
                self.no_data += 1;
                self.why = Some(measured.speed.detail.clone());
            }
        }
        for finding in measured.report.iter().flat_map(|report| report.benchmarks.values()) {
            self.blocks.push(finding.blocks);
            self.noise.push(finding.noise);
        }
    }
}

/// Adds the row of a variant and holds it against its bar; how many verdicts are right.
fn judge(variant: &Variant, said: &mut Said, count: usize, outcome: &mut Outcome) -> usize {
    let name = variant.name;
    let (right, opposite) = match variant.truth {
        SpeedVerdict::Better => (said.better, said.worse),
        SpeedVerdict::Worse => (said.worse, said.better),
        SpeedVerdict::Inconclusive | SpeedVerdict::NoData => (said.inconclusive, 0),
    };
    let missing = count - right;
    let bar = if variant.truth == SpeedVerdict::Inconclusive { BARS.0 } else { BARS.1 };
    outcome
        .require(missing <= of_a_hundred(bar, count), format!("{name}: {missing} of {count} verdicts are not right"));
    outcome.require(opposite == 0, format!("{name}: {opposite} verdicts say the opposite"));
    if let Some(why) = &said.why {
        outcome.require(false, format!("{name}: {} without data: {why}", said.no_data));
    }
    said.blocks.sort_unstable();
    said.noise.sort_by(f64::total_cmp);
    let blocks = said.blocks.get(said.blocks.len() / 2).copied().unwrap_or_default();
    let noise = said.noise.get(said.noise.len() / 2).copied().unwrap_or_default();
    outcome.table.row([
        name.to_owned(),
        said.better.to_string(),
        said.worse.to_string(),
        said.inconclusive.to_string(),
        said.no_data.to_string(),
        blocks.to_string(),
        shown(said.walls.median()),
        shown(said.walls.max()),
        format!("{:.1} %", noise * 100.0),
    ]);
    right
}

/// So many of a hundred, as a share of fewer: at least one.
fn of_a_hundred(bar: usize, count: usize) -> usize {
    (bar * count).div_ceil(100)
}
