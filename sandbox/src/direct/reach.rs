//! What a change can reach: the calls that read a changed file, and all that are made with what those make.

use std::collections::BTreeSet;
use std::path::Path;

use super::calls::{Calls, Kind, Unit, made_with, needs};
use crate::base::WarmBase;
use crate::isolation::TreeChange;

/// The calls that a change reaches, by their place in the list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    pub(crate) units: Vec<usize>,
    pub(crate) docs: Vec<usize>,
    /// Targets whose tests nothing of it can reach.
    untouched: BTreeSet<String>,
}

impl Reach {
    /// What a change reaches; the reason when cargo has to look at it.
    pub(crate) fn of(calls: &Calls, base: &WarmBase, changes: &[TreeChange]) -> Result<Self, &'static str> {
        let mut changed: BTreeSet<String> = BTreeSet::new();
        for change in changes {
            let TreeChange::Write { path, .. } = change else { return Err("a file is removed") };
            let inside = base.inside(path.as_str());
            let is_read = calls.units.iter().any(|unit| unit.sources.contains(&inside));
            if !is_read {
                unread(path.as_str(), base.tree_dir().join(path.as_str()).exists())?;
            }
            changed.insert(inside);
        }
        let mut units: Vec<usize> = Vec::new();
        for (at, unit) in calls.units.iter().enumerate() {
            let reads = unit.sources.iter().any(|source| changed.contains(source));
            let made = units.iter().filter_map(|at| calls.units.get(*at)).any(|other| needs(unit, other));
            if reads || made {
                if unit.kind == Kind::Special {
                    return Err("a build script, a macro or a library for others is reached");
                }
                units.push(at);
            }
        }
        if units.is_empty() {
            return Err("no call of the compiler is reached");
        }
        for unit in &calls.units {
            build_script_is_safe(unit, base, &changed)?;
        }
        let reached = |unit: &&usize| calls.units.get(**unit);
        let docs: Vec<usize> = (0..calls.docs.len())
            .filter(|at| {
                let externs = calls.docs.get(*at).map_or(&[][..], |doc| doc.externs.as_slice());
                units.iter().filter_map(|unit| reached(&unit)).any(|unit| made_with(externs, unit))
            })
            .collect();
        let reached: BTreeSet<&String> =
            units.iter().filter_map(|unit| calls.units.get(*unit)?.tests.as_ref()).collect();
        let targets = calls.units.iter().filter_map(|unit| unit.tests.as_ref());
        let mut untouched: BTreeSet<String> = targets.filter(|target| !reached.contains(target)).cloned().collect();
        let other_docs = calls.docs.iter().enumerate().filter(|(at, _)| !docs.contains(at));
        untouched.extend(other_docs.map(|(_, doc)| doc.target.clone()));
        Ok(Self { units, docs, untouched })
    }

    /// The same where some of the changes are to files of the base that no call read: nothing is built for those, but
    /// whatever runs might read them.
    pub(super) fn with_unread(calls: &Calls, base: &WarmBase, changes: &[TreeChange]) -> Result<Self, &'static str> {
        let is_unread = |change: &&TreeChange| {
            let TreeChange::Write { path, .. } = change else { return false };
            let inside = base.inside(path.as_str());
            base.tree_dir().join(path.as_str()).exists()
                && !calls.units.iter().any(|unit| unit.sources.contains(&inside))
        };
        let (unread, read): (Vec<&TreeChange>, Vec<&TreeChange>) = changes.iter().partition(is_unread);
        if unread.is_empty() {
            return Self::of(calls, base, changes);
        }
        let read: Vec<TreeChange> = read.into_iter().cloned().collect();
        let mut reach = if read.is_empty() { Self::default() } else { Self::of(calls, base, &read)? };
        let paths = changes.iter().filter_map(|change| match change {
            TreeChange::Write { path, .. } => Some(base.inside(path.as_str())),
            TreeChange::Remove { .. } => None,
        });
        let changed: BTreeSet<String> = paths.collect();
        for unit in &calls.units {
            build_script_is_safe(unit, base, &changed)?;
        }
        let runs = |unit: &Unit| !matches!(unit.kind, Kind::Library | Kind::Special);
        let all = calls.units.iter().enumerate();
        reach.units = all.filter(|(at, unit)| runs(unit) || reach.units.contains(at)).map(|(at, _)| at).collect();
        reach.docs = (0..calls.docs.len()).collect();
        reach.untouched.clear();
        Ok(reach)
    }

    /// Targets whose tests nothing of the change can reach.
    pub(crate) fn untouched(&self) -> impl Iterator<Item = &str> {
        self.untouched.iter().map(String::as_str)
    }
}

/// A file that no call read: one that is new and that another one may take in is fine.
fn unread(path: &str, is_there: bool) -> Result<(), &'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let below_src = path.starts_with("src/") || path.contains("/src/");
    let target = matches!(name, "main.rs" | "lib.rs" | "build.rs") || path.contains("src/bin/");
    if !is_there && name.ends_with(".rs") && below_src && !target {
        return Ok(());
    }
    Err("a file changes that no call of the compiler read")
}

/// Cargo runs a build script again when what it asked for changes, or anything of its package when it asked for
/// nothing.
fn build_script_is_safe(unit: &Unit, base: &WarmBase, changed: &BTreeSet<String>) -> Result<(), &'static str> {
    let Some(out) = unit.env.get("OUT_DIR") else { return Ok(()) };
    let dir = unit.package_dir();
    let mine: Vec<&str> = changed.iter().filter_map(|path| path.strip_prefix(dir)?.strip_prefix('/')).collect();
    if mine.is_empty() {
        return Ok(());
    }
    const AGAIN: &str = "a build script may have to run again";
    let output = base.below_tree(out).and_then(|out| Some(Path::new(out).parent()?.join("output"))).ok_or(AGAIN)?;
    let said = base.read_plain(output, 16 << 20).and_then(|said| String::from_utf8(said).ok()).ok_or(AGAIN)?;
    let asked: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("cargo:").map(|rest| rest.strip_prefix(':').unwrap_or(rest)))
        .filter_map(|line| line.strip_prefix("rerun-if-"))
        .collect();
    let touches = |asked: &str| {
        let Some(path) = asked.strip_prefix("changed=") else { return false };
        let path = path.trim_start_matches("./").trim_end_matches('/');
        let path = path.strip_prefix(dir).map_or(path, |rest| rest.trim_start_matches('/'));
        mine.iter().any(|mine| path.is_empty() || *mine == path || mine.starts_with(&format!("{path}/")))
    };
    if asked.is_empty() || asked.iter().any(|asked| touches(asked)) { Err(AGAIN) } else { Ok(()) }
}
