//! Corpus: published crates, improved by the program and by `cargo clippy --fix`, from the same start, with the same
//! lints, one after the other. What is counted: machine-applicable findings that are gone, and tests that passed before
//! and still do. A crate without findings is the control: nothing may land on it.

mod cargo;
mod prepare;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use self::cargo::{Findings, Passed, count, test};
use super::program::{Place, Program};
use super::run::{Run, cargo as cargo_program};
use super::samples::shown;
use super::scratch::Scratch;
use super::table::Table;
use super::{Options, Outcome, git, records};

/// The lints that count, for both sides.
pub(super) const LINTS: &[&str] = &["clippy::all", "clippy::perf", "clippy::pedantic"];
/// The crates that are measured on.
pub(super) const CRATES: &[&str] = &[
    "roman@0.2.2",
    "fnv@1.0.7",
    "heck@0.5.0",
    "humantime@2.4.0",
    "arrayvec@0.7.8",
    "url@2.5.8",
    "csv@1.4.0",
    "semver@1.0.28",
];
/// The crates of a quick run.
const QUICK: &[&str] = &["roman@0.2.2", "heck@0.5.0", "semver@1.0.28"];
/// The same lints for the program; what clippy suggests may change tests too, as it may for the peer.
const SETTINGS: &str = "[signals]\nwarn = [\"clippy::all\", \"clippy::perf\", \"clippy::pedantic\"]\n\n\
                        [policy]\ntest_files = \"fixers\"\n";

/// A published crate, as `name@version`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateName {
    name: String,
    version: String,
}

impl FromStr for CrateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
        match text.split_once('@') {
            Some((name, version)) if plain(name) && plain(version) => {
                Ok(Self { name: name.to_owned(), version: version.to_owned() })
            }
            _ => Err("a crate is named as `name@version`, such as `heck@0.5.0`".to_owned()),
        }
    }
}

impl std::fmt::Display for CrateName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}@{}", self.name, self.version)
    }
}

/// Makes a git repository of a published crate in a new folder.
///
/// # Errors
/// When the crate cannot be fetched.
pub(super) fn repository(name: &CrateName, folder: &Path) -> Result<()> {
    prepare::repository(&name.name, &name.version, folder)
}

/// What one side left.
struct Side {
    /// The findings that are left; none when it does not build.
    left: Option<Findings>,
    /// Tests that passed before and do not now.
    lost: Vec<String>,
    wall: Duration,
}

struct Measured {
    before: Findings,
    tests: usize,
    peer: Side,
    ours: Side,
    landed: usize,
    branches: usize,
}

/// Measures it.
///
/// # Errors
/// When a crate cannot be prepared or does not pass its own tests, or the program fails.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("corpus")?;
    let program = Program::release(&scratch)?;
    let usual = if options.quick { QUICK } else { CRATES };
    let crates = match options.crates.as_slice() {
        [] => usual.iter().map(|name| name.parse().map_err(anyhow::Error::msg)).collect::<Result<Vec<CrateName>>>()?,
        given => given.to_vec(),
    };
    let header = [
        "crate",
        "fixable",
        "left: clippy --fix",
        "left: kaizen",
        "gone: clippy --fix",
        "gone: kaizen",
        "ratio",
        "tests",
        "pass: clippy --fix",
        "pass: kaizen",
        "wall: clippy --fix",
        "wall: kaizen",
        "samples",
    ];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut gone_theirs, mut gone_ours) = (0, 0);
    for name in &crates {
        eprintln!("{name}");
        let measured = one(&scratch, &program, name).with_context(|| name.to_string())?;
        row(&mut outcome, name, &measured);
        judge(&mut outcome, name, &measured);
        gone_theirs += gone(&measured.before, &measured.peer).unwrap_or(0);
        gone_ours += gone(&measured.before, &measured.ours).unwrap_or(0);
    }
    outcome.notes.push(format!(
        "lints: {} on --lib --tests; fixable: findings with a machine-applicable suggestion",
        LINTS.join(", ")
    ));
    outcome.notes.push(
        "wall: one run each, from nothing built; the program also builds and tests every patch before it lands"
            .to_owned(),
    );
    outcome.summary =
        format!("{} crates, {gone_ours} fixable findings gone, {gone_theirs} with `cargo clippy --fix`", crates.len());
    Ok(outcome)
}

fn gone(before: &Findings, side: &Side) -> Option<i64> {
    let count = |findings: &Findings| i64::try_from(findings.applicable).unwrap_or(i64::MAX);
    side.left.as_ref().map(|left| count(before) - count(left))
}

fn row(outcome: &mut Outcome, name: &CrateName, measured: &Measured) {
    let Measured { before, peer, ours, .. } = measured;
    let left = |side: &Side| side.left.as_ref().map_or("no build".to_owned(), |left| left.applicable.to_string());
    let number = |gone: Option<i64>| gone.map_or("-".to_owned(), |gone| gone.to_string());
    let pass = |side: &Side| match side.left {
        None => "no build".to_owned(),
        Some(_) => (measured.tests - side.lost.len()).to_string(),
    };
    let (theirs, own) = (gone(before, peer), gone(before, ours));
    #[expect(clippy::cast_precision_loss, reason = "counts of findings are small")]
    let ratio = match (own, theirs) {
        (Some(own), Some(theirs)) if theirs > 0 => format!("{:.2}", own as f64 / theirs as f64),
        _ => "-".to_owned(),
    };
    outcome.table.row([
        name.to_string(),
        before.applicable.to_string(),
        left(peer),
        left(ours),
        number(theirs),
        number(own),
        ratio,
        measured.tests.to_string(),
        pass(peer),
        pass(ours),
        shown(peer.wall),
        shown(ours.wall),
        "1".to_owned(),
    ]);
}

fn judge(outcome: &mut Outcome, name: &CrateName, measured: &Measured) {
    let Measured { before, peer, ours, landed, branches, .. } = measured;
    outcome.require(ours.left.is_some(), format!("{name}: what landed does not build"));
    for lost in &ours.lost {
        outcome.require(false, format!("{name}: test {lost} passed before and does not now"));
    }
    let (theirs, own) = (gone(before, peer).unwrap_or(0), gone(before, ours).unwrap_or(0));
    outcome.require(own >= theirs, format!("{name}: {own} fixable findings gone, {theirs} with `cargo clippy --fix`"));
    if before.applicable == 0 {
        outcome.require(
            *landed == 0 && *branches == 0,
            format!("{name}: nothing to do, and yet {landed} patches landed on {branches} branches"),
        );
    }
    for lost in &peer.lost {
        outcome.notes.push(format!("{name}: `cargo clippy --fix` broke test {lost}"));
    }
    if let (Some(left), true) = (&ours.left, ours.left.as_ref().is_some_and(|left| left.applicable > 0)) {
        outcome.notes.push(format!("{name}: left by us: {}", left.shown()));
    }
}

fn one(scratch: &Scratch, program: &Program, name: &CrateName) -> Result<Measured> {
    let home = scratch.join(name.to_string());
    std::fs::create_dir(&home)?;
    let base = home.join("base");
    prepare::repository(&name.name, &name.version, &base)?;
    // Counting is not measured, so what it builds may be shared.
    let shared = home.join("target-of-counting");
    let before = count(&base, &shared)?.with_context(|| "it does not build as it is")?;
    let passed = test(&base, &shared)?;
    ensure!(passed.total() > 0, "no test passes as it is");
    let peer = {
        let tree = home.join("peer");
        clone(&base, None, &tree)?;
        let wall = clippy_fix(&tree, &home.join("target-of-peer"))?;
        side(&tree, &shared, &passed, wall)?
    };
    let (ours, landed, branches) = ours(scratch, program, &home, &base, &passed)?;
    std::fs::remove_dir_all(&home)?;
    Ok(Measured { before, tests: passed.total(), peer, ours, landed, branches })
}

fn side(tree: &Path, shared: &Path, before: &Passed, wall: Duration) -> Result<Side> {
    let left = count(tree, shared)?;
    let lost = before.lost(&test(tree, shared)?);
    Ok(Side { left, lost, wall })
}

fn clippy_fix(tree: &Path, target: &Path) -> Result<Duration> {
    let args = ["clippy", "--fix", "--allow-dirty", "--allow-no-vcs", "--offline", "--lib", "--tests", "--"];
    let lints = LINTS.iter().flat_map(|lint| ["-W", lint]);
    // It fails when a suggestion breaks the build; what it leaves then is what its user has.
    Ok(Run::new(cargo_program(), tree).args(args).args(lints).env("CARGO_TARGET_DIR", target).end()?.wall)
}

fn ours(
    scratch: &Scratch,
    program: &Program,
    home: &Path,
    base: &Path,
    passed: &Passed,
) -> Result<(Side, usize, usize)> {
    let place = Place { repo: home.join("ours"), state: home.join("state") };
    clone(base, None, &place.repo)?;
    let settings = scratch.join("settings.toml");
    std::fs::write(&settings, SETTINGS)?;
    let args = [
        "run-cycle",
        "--landing",
        "branch",
        "--max-landings",
        "200",
        "--max-opportunities",
        "400",
        "--only",
        "cleanup,performance",
        "--json",
        "--settings",
        &settings.to_string_lossy(),
    ];
    let ended = program.run(&place, &args).succeed()?;
    let landed = records::cycles(&ended.stdout).iter().map(|cycle| cycle.landed().len()).sum();
    let branches = git::refs(&place.repo, "refs/heads/kaizen/")?;
    let all_of_it: Vec<&(String, String)> = branches.iter().filter(|(name, _)| name.ends_with("/landed")).collect();
    let tree: PathBuf = home.join("landed");
    match all_of_it.as_slice() {
        [] => clone(&place.repo, None, &tree)?,
        [(name, _)] => clone(&place.repo, Some(name.trim_start_matches("refs/heads/")), &tree)?,
        more => anyhow::bail!("one cycle landed on {} branches", more.len()),
    }
    let side = side(&tree, &home.join("target-of-counting"), passed, ended.wall)?;
    Ok((side, landed, branches.len()))
}

fn clone(from: &Path, branch: Option<&str>, to: &Path) -> Result<()> {
    let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
    let mut args = vec!["clone", "--quiet"];
    args.extend(branch.into_iter().flat_map(|branch| ["--branch", branch]));
    args.extend(["--", &from, &to]);
    git::say(Path::new("/"), &args).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_with_its_version() {
        assert_eq!("heck@0.5.0".parse::<CrateName>().unwrap().to_string(), "heck@0.5.0");
        for wrong in ["heck", "heck@", "@1", "../x@1", "a b@1"] {
            assert!(wrong.parse::<CrateName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_usual_crate_has_a_good_name() {
        assert!(CRATES.iter().chain(QUICK).all(|name| name.parse::<CrateName>().is_ok()));
        assert!(QUICK.iter().all(|name| CRATES.contains(name)));
    }
}
