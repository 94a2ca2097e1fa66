//! Trial: mutants of published crates, each tried as a patch, by the runner and by cargo-mutants, the same ones with the
//! same tests. What counts is how long a mutant takes that a test catches, how long one that survives, and that both say
//! the same of each.

mod peer;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_domain::{CommitId, Comparison, RelPath, TrialId, TrialOutcome, TrialReport};
use kaizen_patch::{MemorySource, apply_diff};
use kaizen_sandbox::trial::Tried;
use kaizen_sandbox::{Cancel, Limits, Runner, RunnerSettings, TreeChange};

use self::peer::{Mutant, Peer};
use super::corpus::{CRATES, CrateName, repository};
use super::samples::{Samples, shown};
use super::scratch::{self, Scratch};
use super::table::Table;
use super::{Options, Outcome};

/// Crates of a quick run.
const QUICK: &[&str] = &["roman@0.2.2", "heck@0.5.0"];
/// How many mutants of a crate are tried, about.
const MUTANTS: usize = 20;
/// What our time may be of the peer's, on every crate and of the crates' median.
const BARS: (f64, f64) = (0.5, 0.35);
/// A mutant that runs longer is one that never ends.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// What became of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Caught,
    Survives,
    DoesNotBuild,
    NeverEnds,
}

/// What became of each mutant, and how long that took.
pub(super) type Verdicts = BTreeMap<String, (Verdict, Duration)>;

/// Measures it.
///
/// # Errors
/// When a crate cannot be prepared, or the peer cannot be installed or run.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("trial")?;
    let peer = Peer::install()?;
    let usual = if options.quick { QUICK } else { CRATES };
    let crates = match options.crates.as_slice() {
        [] => usual.iter().map(|name| name.parse().map_err(anyhow::Error::msg)).collect::<Result<Vec<CrateName>>>()?,
        given => given.to_vec(),
    };
    let header = ["crate", "outcome", "cargo-mutants -j1", "-j2, a mutant", "kaizen", "ratio", "samples"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let mut ratios = Vec::new();
    let mut differ = 0;
    for name in &crates {
        eprintln!("{name}");
        let tree = scratch.join(name.to_string());
        repository(name, &tree)?;
        let mutants = peer.mutants(&tree, MUTANTS)?;
        let one = peer.run(&tree, &mutants, 1, &scratch.join(format!("{name}-1")))?;
        let two = peer.run(&tree, &mutants, 2, &scratch.join(format!("{name}-2")))?;
        let ours = ours(&scratch, name, &tree, &mutants.list).with_context(|| name.to_string())?;
        for (mutant, (verdict, _)) in &ours {
            let theirs = one.get(mutant).map(|(verdict, _)| *verdict);
            if theirs != Some(*verdict) {
                differ += 1;
                outcome.require(false, format!("{name}: {mutant}: we say {verdict:?}, the peer says {theirs:?}"));
            }
        }
        for (kind, word) in [(Verdict::Caught, "caught"), (Verdict::Survives, "survives")] {
            let of = |verdicts: &Verdicts| -> Samples {
                let same = verdicts.iter().filter(|(name, (verdict, _))| {
                    *verdict == kind && ours.get(*name).is_some_and(|(ours, _)| *ours == kind)
                });
                same.map(|(_, (_, time))| *time).collect()
            };
            let (first, second, own) = (of(&one), of(&two), of(&ours));
            if own.count() == 0 || first.count() == 0 {
                continue;
            }
            // Two at once: each takes its time, and half of that is what it costs.
            let (alone, beside) = (first.median(), second.median() / 2);
            let ratio = own.median().as_secs_f64() / alone.min(beside).as_secs_f64().max(1e-6);
            outcome.require(ratio <= BARS.0, format!("{name}, {word}: {ratio:.2} of the peer's time"));
            ratios.push(ratio);
            outcome.table.row([
                name.to_string(),
                word.to_owned(),
                shown(alone),
                shown(beside),
                shown(own.median()),
                format!("{ratio:.2}"),
                own.count().to_string(),
            ]);
        }
    }
    ensure!(!ratios.is_empty(), "no mutant was caught or survived");
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::MAX);
    outcome.require(median <= BARS.1, format!("the median of the ratios is {median:.2}"));
    outcome
        .notes
        .push("times are medians of the mutants of a kind; the warm base is not counted for either side".to_owned());
    outcome.notes.push("ratio: against the better of -j1 and -j2".to_owned());
    outcome.summary = format!("median ratio {median:.2} (bars {} and {}), {differ} verdicts differ", BARS.0, BARS.1);
    Ok(outcome)
}

fn ours(scratch: &Scratch, name: &CrateName, tree: &Path, mutants: &[Mutant]) -> Result<Verdicts> {
    let settings = RunnerSettings {
        limits: Limits { wall: LIMIT, ..Limits::default() },
        build_wall: Duration::from_secs(1800),
        waived: Vec::new(),
        arrangement: None,
        state_dir: scratch.join("state"),
        base_runs: 2,
    };
    let runner = Runner::new(settings, None)?;
    let (commit, cancel) = (CommitId::new("a".repeat(40))?, Cancel::new()?);
    let export = |to: &Path| copy_inside(tree, to).map_err(|error| error.to_string());
    let base = runner.prepare(&name.to_string(), &commit, "", &export, &cancel, &mut |_| {})?;
    let id = |n: u8| TrialId::new(u64::from(n), [n; 10]);
    let report = runner.try_base(&base, id(0), &commit, &[], &cancel, &mut |_| {})?;
    ensure!(report.outcome == TrialOutcome::Ran, "the crate does not pass its tests: {:?}", report.outcome);
    let mut verdicts = Verdicts::new();
    for mutant in mutants {
        let path = RelPath::new(mutant.file.clone())?;
        let source = MemorySource::new().with(path, std::fs::read(tree.join(&mutant.file))?);
        let changed = apply_diff(&mutant.diff, &source).with_context(|| mutant.diff.clone())?;
        let changes: Vec<TreeChange> = changed
            .into_iter()
            .filter_map(|change| Some((change.path, change.after?.bytes)))
            .map(|(path, bytes)| TreeChange::Write { path, bytes, executable: false })
            .collect();
        let tried =
            Tried { base: &base, id: id(1), commit: &commit, changes: &changes, against: &report, confirm: false };
        let began = Instant::now();
        let found = runner.try_tree(&tried, &cancel, &mut |_| {})?;
        verdicts.insert(mutant.name.clone(), (verdict(&report, &found), began.elapsed()));
    }
    Ok(verdicts)
}

/// Copies what is in a folder, but for what cargo built and git keeps.
fn copy_inside(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != "target" && entry.file_name() != ".git" {
            scratch::copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn verdict(base: &TrialReport, found: &TrialReport) -> Verdict {
    match &found.outcome {
        TrialOutcome::BuildFailed { .. } => Verdict::DoesNotBuild,
        TrialOutcome::LimitHit { .. } => Verdict::NeverEnds,
        TrialOutcome::Unclear { .. } => Verdict::Caught,
        TrialOutcome::Ran if found.stopped_early => Verdict::Caught,
        TrialOutcome::Ran => {
            let compared = Comparison::of(base, found);
            if compared.broken.is_empty() && compared.missing.is_empty() { Verdict::Survives } else { Verdict::Caught }
        }
    }
}
