//! Trial: mutants of published crates, each tried as a patch, by the runner and by cargo-mutants, the same ones with the
//! same tests. What counts is how long a mutant takes that a test catches, how long one that survives, and that both say
//! the same of each.

pub(super) mod clone;
pub(super) mod disk;
pub(super) mod memory;
pub(super) mod ours;
pub(super) mod own;
mod peer;
pub(super) mod schemata;
pub(super) mod switched;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use kaizen_sandbox::Cancel;

use self::ours::{Ours, changes, usual_limits};
use self::peer::{Mutant, Peer};
use super::corpus::{CRATES, CrateName, repository};
use super::samples::{Samples, shown};
use super::scratch::Scratch;
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
    let crates = crates(options, if options.quick { QUICK } else { CRATES })?;
    let header =
        ["crate", "outcome", "cargo-mutants -j1", "-j2, a mutant", "kaizen", "two, a mutant", "ratio", "samples"];
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
        let (ours, ours_beside) = ours(&scratch, name, &tree, &mutants.list).with_context(|| name.to_string())?;
        for (mutant, (verdict, _)) in ours.iter().chain(&ours_beside) {
            let theirs = one.get(mutant).map(|(verdict, _)| *verdict);
            if !theirs.is_some_and(|theirs| verdict.agrees_with(theirs)) {
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
            let (first, second, own, own_second) = (of(&one), of(&two), of(&ours), of(&ours_beside));
            if own.count() == 0 || first.count() == 0 {
                continue;
            }
            // Two at once: each takes its time, and half of that is what it costs.
            let (alone, beside) = (first.median(), second.median() / 2);
            let (own_alone, own_beside) = (own.median(), own_second.median() / 2);
            let ratio = own_alone.min(own_beside).as_secs_f64() / alone.min(beside).as_secs_f64().max(1e-6);
            outcome.require(ratio <= BARS.0, format!("{name}, {word}: {ratio:.2} of the peer's time"));
            ratios.push(ratio);
            outcome.table.row([
                name.to_string(),
                word.to_owned(),
                shown(alone),
                shown(beside),
                shown(own_alone),
                shown(own_beside),
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
    outcome.notes.push("ratio: the better of one and of two at once, on both sides".to_owned());
    outcome.summary = format!("median ratio {median:.2} (bars {} and {}), {differ} verdicts differ", BARS.0, BARS.1);
    Ok(outcome)
}

/// The crates that were asked for, or the usual ones.
fn crates(options: &Options, usual: &[&str]) -> Result<Vec<CrateName>> {
    match options.crates.as_slice() {
        [] => usual.iter().map(|name| name.parse().map_err(anyhow::Error::msg)).collect(),
        given => Ok(given.to_vec()),
    }
}

impl Verdict {
    /// Whether both notice a mutant, or neither: one that never ends may meet a limit of the sandbox long before its time
    /// is over, and fail.
    fn agrees_with(self, other: Self) -> bool {
        let noticed = |verdict| matches!(verdict, Self::Caught | Self::NeverEnds);
        self == other || (noticed(self) && noticed(other))
    }
}

/// One after the other, and two at once.
fn ours(scratch: &Scratch, name: &CrateName, tree: &Path, mutants: &[Mutant]) -> Result<(Verdicts, Verdicts)> {
    let state = scratch.join("state");
    let ours = Ours::prepare(&state, &name.to_string(), tree, usual_limits())?;
    let one = tried(&ours, tree, mutants, 1)?;
    // What was learned of these very mutants would help.
    for base in std::fs::read_dir(state.join("bases"))? {
        let _ = std::fs::remove_file(base?.path().join("caught.json"));
    }
    Ok((one, tried(&ours, tree, mutants, 2)?))
}

fn tried(ours: &Ours, tree: &Path, mutants: &[Mutant], at_once: usize) -> Result<Verdicts> {
    let cancel = Cancel::new()?;
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Verdicts> {
        let mut verdicts = Verdicts::new();
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::SeqCst)) {
            let found = ours.try_changes(&changes(tree, mutant)?, &cancel)?;
            verdicts.insert(mutant.name.clone(), (ours.verdict(&found.report), found.wall));
        }
        Ok(verdicts)
    };
    let mut all = Verdicts::new();
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            all.extend(worker.join().map_err(|_| anyhow!("a trial panicked"))??);
        }
        Ok(())
    })?;
    Ok(all)
}
