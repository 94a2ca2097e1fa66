//! All wrong versions of a crate behind one switch, as the gate makes them, and what its tests make of each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use kaizen_domain::{Diagnostic, RelPath};
use kaizen_mutants::{Instrumented, changed, instrument, switch};
use kaizen_sandbox::{Cancel, Switched, SwitchedOutcome, SwitchedRun, TreeChange};

use super::super::scratch::everything_below;
use super::ours::Ours;

/// How often what the compiler refuses is left out.
const BUILDS: usize = 12;
/// How long wrong versions are run.
const BUDGET: Duration = Duration::from_secs(1_800);
/// The variables that the switch asks.
const ON: &str = "KAIZEN_MUTANT_ON";
const SEEN: &str = "KAIZEN_MUTANTS_SEEN";
/// The root of a library.
const ROOT: &str = "src/lib.rs";

/// A wrong version that the compiler takes.
pub(crate) struct Version {
    /// The file that it is of, below the crate's folder.
    pub path: String,
    /// The whole file as it is.
    pub before: Rc<str>,
    /// The whole file with the version in it.
    pub after: String,
    /// The function.
    pub of: String,
    /// The line, from 1, of what is wrong.
    pub line: u32,
    /// What is wrong.
    pub what: String,
    /// Whether the whole body is another.
    pub whole: bool,
    /// Whether a test fails of it, in docs too.
    pub caught: bool,
}

/// A file with wrong versions.
struct Source {
    path: String,
    text: Rc<str>,
    /// The number of its first wrong version.
    first: usize,
}

/// A wrong version that no test outside of docs fails of.
pub(crate) struct Left<'l> {
    number: usize,
    /// The file that it is of, below the crate's folder.
    pub path: &'l str,
    /// The function.
    pub of: &'l str,
    /// Whether it stands in code that is built at all, and not under a condition that does not hold here.
    pub built: bool,
}

/// Runs the tests of a crate with all of its wrong versions, those in docs too with those that are chosen of what is left. What
/// is left and not chosen is none of the answer.
///
/// # Errors
/// When a source cannot be read, or none of it builds.
pub(crate) fn versions(
    ours: &Ours,
    tree: &Path,
    choose: &mut dyn for<'l> FnMut(Vec<Left<'l>>) -> Vec<Left<'l>>,
) -> Result<Vec<Version>> {
    const ROOM: usize = 1 << 20;
    let paths = everything_below(tree).into_iter().map(|path| path.to_string_lossy().into_owned());
    let paths = paths.filter(|path| path.starts_with("src/") && path.ends_with(".rs"));
    let source = |(at, path): (usize, String)| {
        let text = std::fs::read_to_string(tree.join(&path)).with_context(|| path.clone())?;
        Ok(Source { path, text: text.into(), first: at * ROOM })
    };
    let sources: Vec<Source> = paths.enumerate().map(source).collect::<Result<_>>()?;
    let mut without = BTreeSet::new();
    for _ in 0..BUILDS {
        let made: Vec<Instrumented> = sources
            .iter()
            .map(|source| {
                let all = changed("", &source.text)?.functions.into_iter().map(|(name, _)| name).collect();
                instrument(&source.text, &all, &[], source.first, &without)
            })
            .collect::<Result<_, _>>()?;
        match run(ours, &sources, &made, &switch(ON, SEEN), false, None)? {
            SwitchedOutcome::Ran(mut run) => {
                let built = built(ours, &sources, &made)?;
                let all = sources
                    .iter()
                    .zip(&made)
                    .flat_map(|(source, made)| made.mutants.iter().map(move |one| (source, one)));
                let left: Vec<Left<'_>> = all
                    .filter(|(_, mutant)| !run.caught.contains(&mutant.number))
                    .map(|(source, mutant)| {
                        let (number, built) = (mutant.number, built.contains(&mutant.number));
                        Left { number, path: &source.path, of: &mutant.function, built }
                    })
                    .collect();
                let every: BTreeSet<usize> = left.iter().map(|left| left.number).collect();
                let left: BTreeSet<usize> = choose(left).into_iter().map(|left| left.number).collect();
                if let SwitchedOutcome::Ran(more) =
                    self::run(ours, &sources, &made, &switch(ON, SEEN), true, Some(&left))?
                {
                    run.caught.extend(more.caught);
                    run.late.extend(more.late);
                }
                // Of those that are not chosen, nothing is known.
                run.late.extend(every.difference(&left));
                return verdicts(&sources, &made, &run);
            }
            SwitchedOutcome::Refused(errors) => {
                let before = without.len();
                for error in errors {
                    let of = sources
                        .iter()
                        .zip(&made)
                        .find(|(source, _)| error.path.as_ref().is_some_and(|path| path.as_str() == source.path));
                    let Some((_, made)) = of else { continue };
                    match made.refused(error.bytes.0 as usize..error.bytes.1 as usize) {
                        Some(number) => drop(without.insert(number)),
                        None => without.extend(made.in_function(error.line)),
                    }
                }
                ensure!(without.len() > before, "wrong versions do not build, and none is to blame");
            }
            SwitchedOutcome::Unclear(why) => bail!("{why}"),
        }
    }
    bail!("the compiler refuses too many wrong versions")
}

fn run(
    ours: &Ours,
    sources: &[Source],
    made: &[Instrumented],
    switch: &str,
    docs: bool,
    only: Option<&BTreeSet<usize>>,
) -> Result<SwitchedOutcome> {
    let write = |(source, made): (&Source, &Instrumented)| {
        let text = if source.path == ROOT { made.text.clone() + switch } else { made.text.clone() };
        Ok(TreeChange::Write { path: RelPath::new(source.path.clone())?, bytes: text.into_bytes(), executable: false })
    };
    let changes: Vec<TreeChange> = sources.iter().zip(made).map(write).collect::<Result<_>>()?;
    let all: BTreeSet<usize> = made.iter().flat_map(|made| made.mutants.iter().map(|mutant| mutant.number)).collect();
    let switched = Switched {
        changes: &changes,
        numbers: only.unwrap_or(&all),
        places: &BTreeSet::new(),
        on: ON,
        seen: SEEN,
        docs,
        budget: BUDGET,
    };
    ours.try_switched(&switched, &Cancel::new()?)
}

/// Which of them stand in code that is built: without the switch, the compiler misses it wherever one is asked for.
fn built(ours: &Ours, sources: &[Source], made: &[Instrumented]) -> Result<BTreeSet<usize>> {
    let SwitchedOutcome::Refused(errors) = run(ours, sources, made, "", false, None)? else {
        bail!("wrong versions build without their switch");
    };
    let number = |error: &Diagnostic| {
        let of = sources.iter().zip(made);
        let mut of = of.filter(|(source, _)| error.path.as_ref().is_some_and(|path| path.as_str() == source.path));
        of.next()?.1.refused(error.bytes.0 as usize..error.bytes.1 as usize)
    };
    Ok(errors.iter().filter_map(number).collect())
}

/// What tests made of each.
fn verdicts(sources: &[Source], made: &[Instrumented], run: &SwitchedRun) -> Result<Vec<Version>> {
    let mut all = Vec::new();
    for (source, made) in sources.iter().zip(made) {
        let wanted: BTreeSet<String> = made.mutants.iter().map(|mutant| mutant.function.clone()).collect();
        let known = kaizen_mutants::versions("", &source.text, &wanted, usize::MAX)?;
        // Of several that are called the same, the order tells which is which; where the compiler refuses one, nothing does.
        let key = |of: &str, line: u32, what: &str| (of.to_owned(), line, what.to_owned());
        let mut texts: BTreeMap<(String, u32, String), Vec<String>> = BTreeMap::new();
        for version in known {
            texts.entry(key(&version.of, version.line, &version.what)).or_default().push(version.text);
        }
        let mut turns: BTreeMap<(String, u32, String), usize> = BTreeMap::new();
        for mutant in &made.mutants {
            let key = key(&mutant.function, mutant.line, &mutant.what);
            let count = made.mutants.iter().filter(|other| {
                (&other.function, other.line, &other.what) == (&mutant.function, mutant.line, &mutant.what)
            });
            let turn = turns.entry(key.clone()).or_default();
            *turn += 1;
            let of_key = texts.get_mut(&key).filter(|texts| texts.len() == count.count());
            let Some(after) = of_key.and_then(|texts| texts.get_mut(*turn - 1)) else { continue };
            if run.late.contains(&mutant.number) {
                continue;
            }
            all.push(Version {
                path: source.path.clone(),
                before: Rc::clone(&source.text),
                after: std::mem::take(after),
                of: mutant.function.clone(),
                line: mutant.line,
                what: mutant.what.clone(),
                whole: mutant.whole,
                caught: run.caught.contains(&mutant.number),
            });
        }
    }
    Ok(all)
}
