//! Noticing: whether anything would notice if a change were wrong. First whether the compiler makes the same of the code
//! before and after; if not, whether tests fail on wrong versions of the functions that change, at least as often as on
//! wrong versions of what they replace.
//!
//! Wrong versions are compiled in all at once and switched on one after the other, so that each costs a short run of the
//! tests that come by. What the compiler refuses is left out and the build made again.

mod by_tests_alone;
mod wrong_versions;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

use kaizen_domain::edit::Change;
use kaizen_domain::{
    Comparison, Coverage, FunctionNoticed, Mutants, Noticed, RelPath, Stage, TrialOutcome, TrialReport,
};
use kaizen_mutants::{Changed, Mutant, changed, refusing, settle_moves, versions};
use kaizen_sandbox::trial::Tried;
use kaizen_sandbox::{Cancel, Metadata, Package, Runner, TreeChange, TrialError, WarmBase};
use kaizen_settings::GateSettings;

pub(crate) use by_tests_alone::left_to_tests;
use wrong_versions::{Counts, Side};
pub(crate) use wrong_versions::{NotedPlace, WrongVersion, WrongVersions};

/// Values and constant functions that are looked at, and wrong versions of each: each of these costs a build.
const MOST_ALONE: usize = 6;
const VERSIONS: usize = 2;
/// Sources that are looked through for the names of files.
const SOURCES: usize = 2_000;

/// Two trees, one before a change and one after it, and what is known of them.
pub(crate) struct Noticing<'a> {
    pub runner: &'a Runner,
    pub warm: &'a WarmBase,
    pub settings: &'a GateSettings,
    /// What leads from the warm base to the tree before the change, and to the one after it.
    pub trees: (&'a [TreeChange], &'a [TreeChange]),
    /// The change.
    pub changes: &'a [Change],
    pub report: &'a TrialReport,
    pub cancel: &'a Cancel,
    /// The paths of all files before the change.
    pub files: &'a [String],
    /// Reads a file of the tree before the change.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// What cargo says of the tree after the change, once it was asked.
    pub metadata: OnceCell<Metadata>,
    /// The wrong versions of what changes, once they were tried.
    pub wrong: OnceCell<WrongVersions>,
    /// What tests made of them after the change and before it.
    pub counts: OnceCell<(Counts, Counts)>,
}

/// A source file that changes.
struct Source<'a> {
    path: &'a RelPath,
    before: &'a str,
    after: &'a str,
    package: &'a Package,
    changed: Changed,
    /// The lines that the change brings in, and those of the text before it that it takes away.
    lines: Vec<Range<u32>>,
    gone: Vec<Range<u32>>,
}

impl Source<'_> {
    /// The functions of the text before the change that are gone or say something else after it.
    fn replaced(&self) -> Vec<String> {
        let changed = changed(self.after, self.before).map(|changed| changed.functions).unwrap_or_default();
        changed.into_iter().map(|(name, _)| name).collect()
    }

    /// Whether a mutant stands on a line that changes: that is brought in, or taken away.
    fn changes(&self, side: Side, mutant: &Mutant) -> bool {
        let lines = if side == Side::After { &self.lines } else { &self.gone };
        !mutant.whole && lines.iter().any(|lines| lines.contains(&mutant.line))
    }
}

impl Noticing<'_> {
    /// Looks at the change.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub(crate) fn look(&self) -> Result<Noticed, TrialError> {
        let mut noticed = Noticed { unseen: self.taken_in(), ..Noticed::default() };
        if !self.changes.iter().any(is_code) {
            return Ok(noticed);
        }
        let metadata = self.metadata()?;
        let sources = self.sources(metadata, &mut noticed);
        let changed = |source: &Source<'_>| !source.changed.functions.is_empty();
        if sources.iter().any(changed) && noticed.unseen.is_empty() {
            noticed.same_code = self.is_same_code(&sources)?;
        }
        if noticed.same_code || self.settings.mutants == 0 {
            return Ok(noticed);
        }
        noticed.unseen.extend(sources.iter().flat_map(|source| source.changed.opaque.iter().cloned()));
        if sources.iter().any(|source| source.changed.conditional_inside) {
            noticed.unseen.push("what is there under a condition of the build only".to_owned());
        }
        noticed.functions = self.built_alone(&sources, &mut noticed)?;
        if !sources.iter().any(changed) {
            return Ok(noticed);
        }
        let wanted = |source: &Source<'_>| source.changed.functions.iter().map(|(name, _)| name.clone()).collect();
        let Some(now) = self.counted(Side::After, &sources, &wanted, &mut noticed)? else { return Ok(noticed) };
        // What they replace is asked for only where that can make a difference.
        let survives = |source: &Source<'_>, name: &String| {
            let count = now.iter().find(|(path, function, _)| path == source.path && function == name);
            count.is_some_and(|(_, _, counted)| counted.all.caught < counted.all.tried)
        };
        let is_missing = now.iter().any(|(_, _, counted)| !counted.lines.not_run.is_empty());
        let open = |source: &Source<'_>| -> BTreeSet<String> {
            let open = source.changed.known.iter().filter(|name| survives(source, name)).cloned();
            // What lines are compared with may have stood in a function that is gone.
            let replaced = if is_missing { source.replaced() } else { Vec::new() };
            open.chain(replaced).collect()
        };
        let before = match sources.iter().any(|source| !open(source).is_empty()) {
            true => self.counted(Side::Before, &sources, &open, &mut noticed)?.unwrap_or_default(),
            false => Vec::new(),
        };
        noticed.gone = is_missing.then(|| lines_of(&before));
        for source in &sources {
            for (name, line) in
                source.changed.functions.iter().filter(|(name, _)| !source.changed.constant.contains(name))
            {
                let of = |all: &Counts| {
                    let found = all.iter().find(|(path, function, _)| path == source.path && function == name);
                    found.map(|(_, _, counted)| counted.clone())
                };
                if source.package.roots.is_empty() {
                    continue;
                }
                let counted = of(&now).unwrap_or_default();
                if counted.all.reached == 0 && counted.lines.run == 0 {
                    noticed.unseen.extend(self.not_built(source, name, *line)?);
                }
                noticed.functions.push(FunctionNoticed {
                    path: source.path.clone(),
                    function: name.clone(),
                    line: *line,
                    is_new: !source.changed.known.contains(name),
                    now: counted.all,
                    changed: Some(counted.changed).filter(|changed| changed.tried > 0),
                    before: of(&before).map(|before| Mutants { survivors: Vec::new(), ..before.all }),
                    lines: Some(counted.lines).filter(|lines| *lines != Coverage::default()),
                    by_tests_alone: None,
                });
            }
        }
        let _ = self.counts.set((now, before));
        Ok(noticed)
    }

    /// What tests make of a tree beside the two, against the report of one that is known.
    pub(crate) fn tried(&self, changes: &[TreeChange], against: &TrialReport) -> Result<TrialReport, TrialError> {
        let (base, id, commit) = (self.warm, self.report.id, &against.commit);
        let tried = Tried { base, id, commit, changes, against, confirm: false };
        self.runner.try_tree(&tried, self.cancel, &mut |_| {})
    }

    /// What cargo says of the tree after the change.
    pub(crate) fn metadata(&self) -> Result<&Metadata, TrialError> {
        if let Some(known) = self.metadata.get() {
            return Ok(known);
        }
        let asked = self.runner.metadata(self.warm, self.trees.1.to_vec(), self.cancel)?;
        Ok(self.metadata.get_or_init(|| asked))
    }

    /// Files that are no code and that code names: what is read, or compiled in. Nothing shows what it does to change them.
    fn taken_in(&self) -> Vec<String> {
        let changed: Vec<(&RelPath, &str)> = self
            .changes
            .iter()
            .filter(|change| !is_code(change) && !change.path.is_rust())
            .filter_map(|change| Some((&change.path, change.path.as_str().rsplit('/').next()?)))
            .filter(|(_, name)| !matches!(*name, "Cargo.toml" | "Cargo.lock"))
            .collect();
        if changed.is_empty() {
            return Vec::new();
        }
        let is_test = |path: &str| path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples"));
        let code = self.files.iter().filter(|path| path.ends_with(".rs") && !is_test(path)).take(SOURCES);
        let code: Vec<String> = code.filter_map(|path| (self.read)(path)).collect();
        let names = |line: &str, name: &str| {
            let says_nothing = ["//", "#![doc", "#[doc"].iter().any(|start| line.trim_start().starts_with(start));
            line.contains(name) && !says_nothing
        };
        let taken =
            changed.into_iter().filter(|(_, name)| code.iter().any(|text| text.lines().any(|line| names(line, name))));
        taken.map(|(path, _)| format!("`{path}`, which the code reads or takes in")).collect()
    }

    /// The sources that change, apart from tests. Of what cannot be looked at, it is said why.
    fn sources<'s>(&'s self, metadata: &'s Metadata, noticed: &mut Noticed) -> Vec<Source<'s>> {
        let mut sources = Vec::new();
        for change in self.changes.iter().filter(|change| is_code(change)) {
            let Some((before, after)) = change.texts() else {
                noticed.no_data.push(format!("{}: it is not UTF-8", change.path));
                continue;
            };
            let Some(package) = metadata.package_of(change.path.as_str()) else {
                noticed.no_data.push(format!("{}: no package of the workspace holds it", change.path));
                continue;
            };
            let below = change.path.as_str().strip_prefix(package.folder()).unwrap_or_default();
            if is_test_file(below, before, after) {
                continue;
            }
            match changed(before, after) {
                Ok(changed) => {
                    let (lines, gone) = (changed_lines(before, after), changed_lines(after, before));
                    sources.push(Source { path: &change.path, before, after, package, changed, lines, gone });
                }
                Err(why) => noticed.no_data.push(format!("{}: {why}", change.path)),
            }
        }
        let packages: BTreeSet<&str> = sources.iter().map(|source| source.package.name.as_str()).collect();
        for package in packages {
            let here = sources.iter_mut().filter(|source| source.package.name == package);
            settle_moves(&mut here.map(|source| &mut source.changed).collect::<Vec<_>>());
        }
        sources
    }

    /// What can ask no switch, with wrong versions that are built one after the other.
    fn built_alone(&self, sources: &[Source<'_>], noticed: &mut Noticed) -> Result<Vec<FunctionNoticed>, TrialError> {
        let mut all = Vec::new();
        for source in sources {
            let macros = source.package.roots.is_empty();
            let functions = source.changed.functions.iter();
            let alone = functions.filter(|(name, _)| macros || source.changed.constant.contains(name));
            for (name, line) in source.changed.values.iter().chain(alone) {
                if all.len() >= MOST_ALONE {
                    noticed.no_data.push(format!("more than {MOST_ALONE} values and constant functions change"));
                    return Ok(all);
                }
                let mut now = Mutants::default();
                let wanted = BTreeSet::from([name.clone()]);
                for version in versions(source.before, source.after, &wanted, VERSIONS).unwrap_or_default() {
                    let Some(caught) = self.is_caught(source.path, version.text)? else { continue };
                    now.count(true, caught, version.line, &version.what);
                }
                if now.caught == 0 {
                    noticed.unseen.extend(self.not_built(source, name, *line)?);
                }
                all.push(FunctionNoticed::new(source.path.clone(), name, *line, now));
            }
        }
        Ok(all)
    }

    /// A value or function that the compiler does not come by, for it stands under a condition that does not hold: what has its
    /// name elsewhere says nothing of it. None where it does.
    fn not_built(&self, source: &Source<'_>, name: &str, line: u32) -> Result<Option<String>, TrialError> {
        let Some(text) = refusing(source.after, name).ok().flatten() else { return Ok(None) };
        let builds = self.is_caught(source.path, text)?.is_some();
        Ok(builds.then(|| format!("`{name}` ({}:{line}), which is no part of this build", source.path)))
    }

    /// Whether a test that passes with the patch fails when this stands in a file; none when it does not build.
    fn is_caught(&self, path: &RelPath, text: String) -> Result<Option<bool>, TrialError> {
        let mut changes = self.trees.1.to_vec();
        changes.push(TreeChange::Write { path: path.clone(), bytes: text.into_bytes(), executable: false });
        let report = self.tried(&changes, self.report)?;
        Ok(match report.outcome {
            TrialOutcome::Ran => Some(!Comparison::of(self.report, &report).broken.is_empty()),
            TrialOutcome::LimitHit { stage: Stage::Tests, .. } => Some(true),
            TrialOutcome::BuildFailed { .. } | TrialOutcome::LimitHit { .. } | TrialOutcome::Unclear { .. } => None,
        })
    }

    /// Whether the compiler makes the same of the packages that change.
    fn is_same_code(&self, sources: &[Source<'_>]) -> Result<bool, TrialError> {
        // What stands under a condition, or outside of functions, may matter where this build does not look.
        if sources.iter().any(|source| source.changed.conditional || source.changed.elsewhere) {
            return Ok(false);
        }
        let mut packages: Vec<&Package> = sources.iter().map(|source| source.package).collect();
        packages.dedup_by_key(|package| &package.name);
        for package in packages {
            // What a crate of macros makes is seen in the crates that use it, and they are more than can be looked at.
            if package.roots.is_empty() {
                return Ok(false);
            }
            let of = |tree: &[TreeChange]| self.runner.compiled(self.warm, package, tree, self.cancel);
            let Some(after) = of(self.trees.1)? else { return Ok(false) };
            let of_package = || sources.iter().filter(|source| source.package.name == package.name);
            // What is not compiled here makes no difference here, and may make one elsewhere.
            if !of_package().all(|source| after.reads(source.path.as_str())) {
                return Ok(false);
            }
            let functions = of_package().flat_map(|source| &source.changed.functions);
            let is_there = |label: &str| {
                let name = label.rsplit("::").next().unwrap_or(label);
                let name = name.split('#').next().unwrap_or(name);
                after.functions.contains(name)
            };
            if !functions.map(|(label, _)| label.as_str()).all(is_there) || of(self.trees.0)? != Some(after.clone()) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Which of the lines that change in functions are run.
fn lines_of(counts: &Counts) -> Coverage {
    let mut all = Coverage::default();
    counts.iter().for_each(|(_, _, counted)| all.add(&counted.lines));
    all
}

fn no_data<T>(noticed: &mut Noticed, why: String) -> Option<T> {
    noticed.no_data.push(why);
    None
}

/// The lines of the second text that are not in the first, counted from 1.
fn changed_lines(before: &str, after: &str) -> Vec<Range<u32>> {
    let number = |line: usize| u32::try_from(line + 1).unwrap_or(u32::MAX);
    let diff = similar::TextDiff::from_lines(before, after);
    let other = diff.ops().iter().filter(|op| op.tag() != similar::DiffTag::Equal);
    other.map(|op| number(op.new_range().start)..number(op.new_range().end)).collect()
}

pub(crate) fn is_code(change: &Change) -> bool {
    change.path.is_rust() && change.after.as_ref().is_some_and(|state| state.mode.is_file())
}

/// Whether a file, below its package, holds tests, benchmarks or examples, or is a build script. Among the sources a name is
/// not enough: it must hold tests, before and after.
pub(crate) fn is_test_file(path: &str, before: &str, after: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let named = matches!(name, "tests.rs" | "test.rs") || path.split('/').any(|part| part == "tests");
    matches!(first, "tests" | "benches" | "examples" | "build.rs")
        || named && [before, after].iter().all(|text| text.is_empty() || text.contains("#[test]"))
}
