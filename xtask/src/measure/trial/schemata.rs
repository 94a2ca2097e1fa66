//! Mutant schemata: all wrong versions of a crate compiled in at once behind a switch, as the gate does it, against
//! cargo-mutants, which builds each of them. What both make is matched by the text that comes of it; what tests make of
//! it must be the same on both sides.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use kaizen_sandbox::TreeChange;

use super::super::corpus::repository;
use super::super::samples::shown;
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::ours::{Ours, changes, usual_limits};
use super::peer::{Mutant, Peer};
use super::switched::{self, Version};
use super::{Verdict, crates};

/// The crates that it is measured on; those of a quick run.
const CRATES: &[&str] = &["roman@0.2.2", "fnv@1.0.7", "heck@0.5.0", "humantime@2.4.0", "semver@1.0.28"];
const QUICK: &[&str] = &["roman@0.2.2", "fnv@1.0.7"];
/// About how many mutants of the peer's are tried of a crate.
const MUTANTS: usize = 80;
/// How many must be matched in a whole run, and in a quick one: with fewer, nothing is said.
const LEAST: [usize; 2] = [100, 10];
/// What the peer leaves beside what it changes.
const MARK: &str = "/* ~ changed by cargo-mutants ~ */";

/// What comes of a wrong version, so that it is known when somebody else makes the same.
#[derive(Debug)]
enum Same {
    /// The file without white space.
    Text(String),
    /// The last name of a function, the line where its body begins, and what it gives at once.
    Gives(String, u32, String),
}

impl Same {
    fn of(version: &Version) -> Self {
        let gives = version.what.strip_prefix("returns `").and_then(|what| what.strip_suffix("` at once"));
        match gives.filter(|_| version.whole) {
            Some(value) => Self::Gives(last(&version.of).to_owned(), version.line, plain(value)),
            None => Self::Text(version.path.clone() + &without_space(&version.after)),
        }
    }

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
        let versions = switched::versions(&ours, &tree, &mut |left| left).with_context(|| name.to_string())?;
        let own = began.elapsed();
        let known: Vec<(Same, bool)> = versions.iter().map(|version| (Same::of(version), version.caught)).collect();
        let (mut same, mut caught, mut survive, mut other) = (0, 0, 0, 0);
        for mutant in &mutants.list {
            let Some((verdict, _)) = theirs.get(&mutant.name) else { continue };
            let Some(made) = same_as(&tree, mutant)? else { continue };
            let Some((_, ours)) = known.iter().find(|(same, _)| same.is_made_by(&made)) else { continue };
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
            format!("{} ({})", shown(own), versions.len()),
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
