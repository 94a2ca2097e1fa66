//! Trial against a fresh clone: the same mutants, tried by the runner, and in the way that anybody can try a patch: a
//! new clone of the repository, the patch written into it, and `cargo test`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_sandbox::TreeChange;

use super::super::corpus::{CRATES, repository};
use super::super::git;
use super::super::run::{Run, cargo};
use super::super::samples::{Samples, shown};
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::peer::{Mutant, Peer};
use super::{LIMIT, MUTANTS, QUICK, Verdict, Verdicts, changes, crates, ours};

/// What our time may be of that of a fresh clone, on every crate.
const BAR: f64 = 0.15;
/// Mutants of a crate in a quick run: each is a build from nothing.
const FEW: usize = 6;
/// What a build from nothing may take.
const BUILD: Duration = Duration::from_secs(120);

/// Measures it.
///
/// # Errors
/// When a crate cannot be prepared, cloned or run.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("trial-clone")?;
    let peer = Peer::install()?;
    let header = ["crate", "outcome", "clone and cargo test", "kaizen", "ratio", "samples"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut worst, mut differ): (f64, usize) = (0.0, 0);
    for name in &crates(options, if options.quick { QUICK } else { CRATES })? {
        eprintln!("{name}");
        let tree = scratch.join(name.to_string());
        repository(name, &tree)?;
        let mutants = peer.mutants(&tree, if options.quick { FEW } else { MUTANTS })?.list;
        let (own, _) = ours(&scratch, name, &tree, &mutants).with_context(|| name.to_string())?;
        let fresh = clones(&scratch, &tree, &mutants).with_context(|| name.to_string())?;
        for (mutant, (verdict, _)) in &own {
            let theirs = fresh.get(mutant).map(|(verdict, _)| *verdict);
            if !theirs.is_some_and(|theirs| verdict.agrees_with(theirs)) {
                differ += 1;
                outcome.require(false, format!("{name}: {mutant}: we say {verdict:?}, cargo test says {theirs:?}"));
            }
        }
        for (kind, word) in [(Verdict::Caught, "caught"), (Verdict::Survives, "survives")] {
            let of = |verdicts: &Verdicts| -> Samples {
                let same = verdicts.iter().filter(|(name, _)| own.get(*name).is_some_and(|(own, _)| *own == kind));
                same.map(|(_, (_, time))| *time).collect()
            };
            let (theirs, times) = (of(&fresh), of(&own));
            if times.count() == 0 {
                continue;
            }
            let ratio = times.median().as_secs_f64() / theirs.median().as_secs_f64().max(1e-6);
            worst = worst.max(ratio);
            outcome.require(ratio <= BAR, format!("{name}, {word}: {ratio:.2} of the time of a fresh clone"));
            let (name, count) = (name.to_string(), times.count().to_string());
            let (fresh, own) = (shown(theirs.median()), shown(times.median()));
            outcome.table.row([name.as_str(), word, &fresh, &own, &format!("{ratio:.2}"), &count]);
        }
    }
    ensure!(worst > 0.0, "no mutant was caught or survived");
    outcome
        .notes
        .push("times are medians of the mutants of a kind; our warm base is built once and not counted".to_owned());
    outcome
        .notes
        .push("a fresh clone has nothing built; what it depends on is downloaded already, for both".to_owned());
    outcome.summary =
        format!("at most {worst:.2} of a fresh clone and cargo test (bar {BAR}), {differ} verdicts differ");
    Ok(outcome)
}

fn clones(scratch: &Scratch, tree: &Path, mutants: &[Mutant]) -> Result<Verdicts> {
    let mut verdicts = Verdicts::new();
    for mutant in mutants {
        let written = changes(tree, mutant)?;
        let clone = scratch.join("clone");
        let began = Instant::now();
        git::say(Path::new("/"), &["clone", "--quiet", "--", &tree.to_string_lossy(), &clone.to_string_lossy()])?;
        // The lock file may be one that the crate's authors keep out of git.
        let lock = clone.join("Cargo.lock");
        if !lock.exists() {
            std::fs::copy(tree.join("Cargo.lock"), &lock)?;
        }
        for change in &written {
            if let TreeChange::Write { path, bytes, .. } = change {
                std::fs::write(clone.join(path.as_str()), bytes)?;
            }
        }
        let verdict = test(&clone)?;
        verdicts.insert(mutant.name.clone(), (verdict, began.elapsed()));
        std::fs::remove_dir_all(&clone)?;
    }
    Ok(verdicts)
}

fn test(clone: &Path) -> Result<Verdict> {
    let limit = BUILD + LIMIT;
    let began = Instant::now();
    match Run::new(cargo(), clone).args(["test", "--workspace", "--offline"]).limit(limit).end() {
        Ok(ended) if ended.status.success() => Ok(Verdict::Survives),
        Ok(ended) if ended.stderr.contains("error: could not compile") => Ok(Verdict::DoesNotBuild),
        Ok(_) => Ok(Verdict::Caught),
        Err(_) if began.elapsed() >= limit => Ok(Verdict::NeverEnds),
        Err(error) => Err(error),
    }
}
