//! Mutant schemata: all wrong versions of a crate compiled in at once behind a switch, as the gate does it, against
//! cargo-mutants, which builds each of them. What both make is matched by the text that comes of it; what tests make of
//! it must be the same on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use kaizen_domain::RelPath;
use kaizen_mutants::{Instrumented, changed, instrument, switch, versions};
use kaizen_sandbox::{Cancel, Switched, SwitchedOutcome, SwitchedRun, TreeChange};

use super::super::corpus::repository;
use super::super::samples::shown;
use super::super::scratch::{Scratch, everything_below};
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::ours::{Ours, changes, usual_limits};
use super::peer::{Mutant, Peer};
use super::{Verdict, crates};

/// The crates that it is measured on; those of a quick run.
const CRATES: &[&str] = &["roman@0.2.2", "fnv@1.0.7", "heck@0.5.0", "humantime@2.4.0", "semver@1.0.28"];
const QUICK: &[&str] = &["roman@0.2.2", "fnv@1.0.7"];
/// About how many mutants of the peer's are tried of a crate.
const MUTANTS: usize = 80;
/// How many must be matched in a whole run, and in a quick one: with fewer, nothing is said.
const LEAST: [usize; 2] = [100, 10];
/// How often what the compiler refuses is left out.
const BUILDS: usize = 12;
/// How long wrong versions are run.
const BUDGET: Duration = Duration::from_secs(1_800);
/// The root of a library.
const ROOT: &str = "src/lib.rs";
/// What the peer leaves beside what it changes.
const MARK: &str = "/* ~ changed by cargo-mutants ~ */";

/// A file with wrong versions.
struct Source {
    path: String,
    text: String,
    /// The number of its first wrong version.
    first: usize,
}

/// What comes of a wrong version, so that it is known when somebody else makes the same.
#[derive(Debug)]
enum Same {
    /// The file without white space.
    Text(String),
    /// The last name of a function, the line where its body begins, and what it gives at once.
    Gives(String, u32, String),
}

impl Same {
    /// Whether what the peer makes is this: it names the first line inside of a body, and not the one of its bracket.
    fn is_made_by(&self, peer: &Self) -> bool {
        match (self, peer) {
            (Self::Gives(name, line, value), Self::Gives(other, below, gives)) => {
                (name, value) == (other, gives) && (*line..=line + 3).contains(below)
            }
            (Self::Text(text), Self::Text(other)) => text == other,
            _ => false,
        }
    }
}

/// Measures it.
///
/// # Errors
/// When a crate cannot be prepared, or the peer cannot be installed or run.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("mutants")?;
    let peer = Peer::install()?;
    let header =
        ["crate", "cargo-mutants", "of these, ours too", "caught", "survive", "differ", "its time", "ours, for all"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut matched, mut differ) = (0, 0);
    for name in &crates(options, if options.quick { QUICK } else { CRATES })? {
        eprintln!("{name}");
        let tree = scratch.join(name.to_string());
        repository(name, &tree)?;
        let mutants = peer.mutants(&tree, MUTANTS)?;
        let began = Instant::now();
        let theirs = peer.run(&tree, &mutants, 2, &scratch.join(format!("{name}-peer")))?;
        let took = began.elapsed();
        let ours = Ours::prepare(&scratch.join(format!("{name}-state")), &name.to_string(), &tree, usual_limits())?;
        let began = Instant::now();
        let switched = all_switched(&ours, &tree).with_context(|| name.to_string())?;
        let own = began.elapsed();
        let (mut same, mut caught, mut survive, mut other) = (0, 0, 0, 0);
        for mutant in &mutants.list {
            let Some((verdict, _)) = theirs.get(&mutant.name) else { continue };
            let Some(made) = same_as(&tree, mutant)? else { continue };
            let Some((_, ours)) = switched.verdicts.iter().find(|(same, _)| same.is_made_by(&made)) else { continue };
            let is_caught = match verdict {
                Verdict::Caught | Verdict::NeverEnds => true,
                Verdict::Survives => false,
                Verdict::DoesNotBuild => continue,
            };
            same += 1;
            match (is_caught, *ours) {
                (true, true) => caught += 1,
                (false, false) => survive += 1,
                (theirs, _) => {
                    other += 1;
                    let word = |caught| if caught { "caught" } else { "survives" };
                    let (ours, theirs) = (word(!theirs), word(theirs));
                    outcome.require(false, format!("{name}: {}: {ours}, and by cargo-mutants {theirs}", mutant.name));
                }
            }
        }
        matched += same;
        differ += other;
        outcome.table.row([
            name.to_string(),
            mutants.list.len().to_string(),
            same.to_string(),
            caught.to_string(),
            survive.to_string(),
            other.to_string(),
            shown(took),
            format!("{} ({})", shown(own), switched.tried),
        ]);
    }
    let least = if options.crates.is_empty() { LEAST[usize::from(options.quick)] } else { 1 };
    ensure!(matched >= least, "{matched} mutants are made by both, which is too few to say anything");
    outcome.notes.push(
        "its time: for its mutants in the table, two at once; ours: for all wrong versions of the crate, their number in \
         brackets, with all builds"
            .to_owned(),
    );
    outcome.summary = format!("{differ} of {matched} verdicts differ (bar 0)");
    Ok(outcome)
}

/// All wrong versions of a crate that the compiler takes.
struct AllSwitched {
    /// Whether a test fails of each.
    verdicts: Vec<(Same, bool)>,
    tried: usize,
}

/// Runs the tests of a crate with all of its wrong versions, in docs too.
fn all_switched(ours: &Ours, tree: &Path) -> Result<AllSwitched> {
    const ROOM: usize = 1 << 20;
    let paths = everything_below(tree).into_iter().map(|path| path.to_string_lossy().into_owned());
    let paths = paths.filter(|path| path.starts_with("src/") && path.ends_with(".rs"));
    let source = |(at, path): (usize, String)| {
        let text = std::fs::read_to_string(tree.join(&path)).with_context(|| path.clone())?;
        Ok(Source { path, text, first: at * ROOM })
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
        match run(ours, &sources, &made, false, None)? {
            SwitchedOutcome::Ran(mut run) => {
                let left = made.iter().flat_map(|made| &made.mutants).map(|mutant| mutant.number);
                let left: BTreeSet<usize> = left.filter(|number| !run.caught.contains(number)).collect();
                if let SwitchedOutcome::Ran(more) = self::run(ours, &sources, &made, true, Some(&left))? {
                    run.caught.extend(more.caught);
                    run.late.extend(more.late);
                }
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
    docs: bool,
    only: Option<&BTreeSet<usize>>,
) -> Result<SwitchedOutcome> {
    let (on, seen) = ("KAIZEN_MUTANT_ON", "KAIZEN_MUTANTS_SEEN");
    let write = |(source, made): (&Source, &Instrumented)| {
        let text = if source.path == ROOT { made.text.clone() + &switch(on, seen) } else { made.text.clone() };
        Ok(TreeChange::Write { path: RelPath::new(source.path.clone())?, bytes: text.into_bytes(), executable: false })
    };
    let changes: Vec<TreeChange> = sources.iter().zip(made).map(write).collect::<Result<_>>()?;
    let all: BTreeSet<usize> = made.iter().flat_map(|made| made.mutants.iter().map(|mutant| mutant.number)).collect();
    let switched = Switched {
        changes: &changes,
        numbers: only.unwrap_or(&all),
        places: &BTreeSet::new(),
        on,
        seen,
        docs,
        budget: BUDGET,
    };
    ours.try_switched(&switched, &Cancel::new()?)
}

/// What tests made of each, by what comes of it.
fn verdicts(sources: &[Source], made: &[Instrumented], run: &SwitchedRun) -> Result<AllSwitched> {
    let mut all = AllSwitched { verdicts: Vec::new(), tried: 0 };
    for (source, made) in sources.iter().zip(made) {
        let wanted: BTreeSet<String> = made.mutants.iter().map(|mutant| mutant.function.clone()).collect();
        let known = versions("", &source.text, &wanted, usize::MAX)?;
        // Of several that are called the same, the order tells which is which; where the compiler refuses one, nothing does.
        let key = |of: &str, line: u32, what: &str| (of.to_owned(), line, what.to_owned());
        let mut texts: BTreeMap<(String, u32, String), Vec<&str>> = BTreeMap::new();
        for version in &known {
            texts.entry(key(&version.of, version.line, &version.what)).or_default().push(&version.text);
        }
        let mut turns: BTreeMap<(String, u32, String), usize> = BTreeMap::new();
        for mutant in &made.mutants {
            let key = key(&mutant.function, mutant.line, &mutant.what);
            let count = made.mutants.iter().filter(|other| {
                (&other.function, other.line, &other.what) == (&mutant.function, mutant.line, &mutant.what)
            });
            let turn = turns.entry(key.clone()).or_default();
            *turn += 1;
            let of_key = texts.get(&key).filter(|texts| texts.len() == count.count());
            let Some(text) = of_key.and_then(|texts| texts.get(*turn - 1)) else { continue };
            if run.late.contains(&mutant.number) {
                continue;
            }
            let gives = mutant.what.strip_prefix("returns `").and_then(|what| what.strip_suffix("` at once"));
            let same = match gives.filter(|_| mutant.whole) {
                Some(value) => Same::Gives(last(&mutant.function).to_owned(), mutant.line, plain(value)),
                None => Same::Text(source.path.clone() + &without_space(text)),
            };
            all.tried += 1;
            all.verdicts.push((same, run.caught.contains(&mutant.number)));
        }
    }
    Ok(all)
}

/// What comes of a mutant of the peer's; none when it changes no file.
fn same_as(tree: &Path, mutant: &Mutant) -> Result<Option<Same>> {
    // Such as `src/lib.rs:7:5: replace Till::total -> u32 with 0`.
    if let Some((place, what)) = mutant.name.split_once(": replace ")
        && let Some((function, value)) =
            what.split_once(" -> ").and_then(|(name, rest)| Some((name, rest.rsplit_once(" with ")?.1)))
    {
        let line = place.split(':').nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
        return Ok(Some(Same::Gives(last(function).to_owned(), line, plain(value))));
    }
    let changes = changes(tree, mutant)?;
    let [TreeChange::Write { path, bytes, .. }] = changes.as_slice() else { return Ok(None) };
    let text = String::from_utf8_lossy(bytes).replace(MARK, "");
    Ok(Some(Same::Text(format!("{path}{}", without_space(&text)))))
}

/// The last name of a function's path, without what tells it from another one of that name.
fn last(function: &str) -> &str {
    let last = function.rsplit("::").next().unwrap_or(function);
    last.split('#').next().unwrap_or(last)
}

/// A value, with one name for what is the default of its type.
fn plain(value: &str) -> String {
    let value = without_space(value);
    value
        .replace("Default::default()", "()")
        .replace("String::new()", "()")
        .replace("Vec::new()", "()")
        .replace("vec![]", "()")
}

fn without_space(text: &str) -> String {
    text.chars().filter(|one| !one.is_whitespace()).collect()
}
