//! The swap: a second set of what cargo built, in which each library of the repository is a shared one, made beside the
//! base and out of the way of everything else. A change that lies in bodies of functions alone needs only the library
//! to be made again: the programs of the base, tests in docs among them, are run against it as they are.
//!
//! A program that may hold a copy of what changed, instead of calling it, is made again too. So is one that the dynamic
//! linker finds a name missing for. All of it is only used to screen candidates: what lands was tried the direct way.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::TrialReport;
use serde::{Deserialize, Serialize};

use super::bodies::{Touched, touched};
use super::calls::{Calls, Kind, Unit, codegen, made_with, parent, value_of};
use super::kept::KeptDoc;
use super::reach::Reach;
use super::symbols::KnownSymbols;
use super::{Work, has_tests};
use crate::base::WarmBase;
use crate::isolation::TreeChange;
use crate::toolchain::Toolchain;

/// Where all of it lies, in the target folder.
const FOLDER: &str = "kaizen-swap";
/// The largest program that is looked into, bytes.
const PROGRAM: u64 = 256 << 20;
/// The largest source, bytes.
const SOURCE: u64 = 16 << 20;

/// The second set, call by call in the same places as cargo's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Swap {
    pub(super) calls: Calls,
    /// What is kept of the tests in docs, for each call of rustdoc; none where rustdoc has to be asked each time.
    pub(super) docs: Vec<Option<KeptDoc>>,
    /// Its folder, inside.
    pub(super) dir: String,
    /// Programs in the place where cargo put them: ours, cargo's.
    links: Vec<(String, String)>,
    /// What its programs define, as far as somebody has asked.
    #[serde(skip)]
    symbols: KnownSymbols,
}

impl Swap {
    /// The calls of the second set; none where it cannot stand for the first.
    pub(super) fn of(calls: &Calls, base: &WarmBase, toolchain: &Toolchain) -> Option<Self> {
        let plain = || calls.units.iter().filter(|unit| unit.kind != Kind::Special);
        let profile = parent(&plain().find(|unit| unit.kind == Kind::Library)?.out_dir).to_owned();
        let dir = format!("{}/{FOLDER}", parent(&profile));
        // Optimised code is copied from one crate into another, whatever it looks like.
        let fits = |unit: &Unit| {
            let levels = ["opt-level", "lto", "linker-plugin-lto"];
            unit.out_dir.starts_with(&format!("{profile}/"))
                && levels.iter().all(|name| codegen(&unit.args, name).is_none_or(|level| level == "0"))
                && !unit.args.iter().any(|arg| arg == "-O")
                && value_of(&unit.args, "--target").is_none()
        };
        if !plain().all(fits) {
            return None;
        }
        let host = toolchain.version.lines().find_map(|line| line.strip_prefix("host: "))?;
        let std = toolchain.inside.join("lib/rustlib").join(host).join("lib").to_str()?.to_owned();
        let maker = Maker { calls, profile, std, dir };
        let mut links = Vec::new();
        let mut units = Vec::new();
        for unit in &calls.units {
            let ours = maker.unit(base, unit);
            if let (Some(theirs), Some(ours)) = (unit.uplifted(), ours.uplifted()) {
                links.push((ours, theirs));
            }
            units.push(ours);
        }
        let docs = calls.docs.iter().map(|doc| maker.doc(doc)).collect();
        let calls = Calls { units, docs };
        Some(Self { calls, docs: Vec::new(), dir: maker.dir, links, symbols: KnownSymbols::default() })
    }

    /// What a change makes to do; the reason when it does not lie in bodies of functions alone, or reaches what cannot
    /// be swapped.
    pub(crate) fn work(
        &self,
        base: &WarmBase,
        changes: &[TreeChange],
        against: Option<&TrialReport>,
    ) -> Result<Work<'_>, &'static str> {
        let mut reach = Reach::with_unread(&self.calls, base, changes)?;
        let has_feature = |name: &str| self.calls.has_feature(name);
        let mut functions: BTreeSet<Touched> = BTreeSet::new();
        let mut files = Vec::new();
        for change in changes {
            let TreeChange::Write { path, bytes, .. } = change else { return Err("a file is removed") };
            let old = path.as_str().ends_with(".rs").then(|| base.read_plain(path.as_str(), SOURCE)).flatten();
            let old = old.and_then(|old| String::from_utf8(old).ok()).ok_or("not a source of the base")?;
            let new = std::str::from_utf8(bytes).map_err(|_| "not a text")?;
            let inside = base.inside(path.as_str());
            // What no call reads is not compiled, whatever it says; only tests in docs might be taken from it.
            let unread = !self.calls.units.iter().any(|unit| unit.sources.contains(&inside));
            if !unread || !has_same_docs(&old, new) {
                functions.extend(touched(&old, new, &has_feature).ok_or("more than bodies of functions changes")?);
            }
            files.push(inside);
        }
        let reads = |unit: &Unit| unit.sources.iter().any(|source| files.contains(source));
        let copied: Vec<&str> = functions.iter().filter(|f| f.copied).map(|f| f.name.as_str()).collect();
        let crates: Vec<String> = self.calls.units.iter().filter(|unit| reads(unit)).map(Unit::krate).collect();
        let all: Vec<String> = self.calls.units.iter().map(Unit::krate).collect();
        let holds_copy = |program: &str| {
            if copied.is_empty() {
                return false;
            }
            let read = || base.read_plain(base.below_tree(program)?, PROGRAM);
            let symbols = self.symbols.of(program, &all, read);
            crates.iter().any(|krate| symbols.may_define(krate, &copied))
        };
        // The library itself shows that it compiles; a program without a test shows nothing more, unless it holds
        // something that the library does not.
        let everywhere = !functions.iter().any(|function| function.conditional)
            && files.iter().all(|file| {
                let mut readers = self.calls.units.iter().filter(|unit| unit.sources.contains(file)).peekable();
                readers.peek().is_none() || readers.any(|unit| unit.kind == Kind::Library)
            });
        let shows_nothing = |unit: &Unit| {
            let target = unit.tests.as_deref().zip(against);
            everywhere && target.is_some_and(|(target, against)| !has_tests(against, target))
        };
        reach.units.retain(|at| self.calls.units.get(*at).is_some_and(|unit| !shows_nothing(unit)));
        let kept: BTreeSet<usize> = reach
            .units
            .iter()
            .copied()
            .filter(|at| {
                self.calls
                    .units
                    .get(*at)
                    .is_some_and(|unit| unit.kind != Kind::Library && !reads(unit) && !holds_copy(&unit.program()))
            })
            .collect();
        let docs: BTreeMap<usize, &KeptDoc> = reach
            .docs
            .iter()
            .filter_map(|at| Some((*at, self.docs.get(*at)?.as_ref()?)))
            .filter(|(_, doc)| !doc.programs().any(&holds_copy))
            .collect();
        Ok(Work { calls: &self.calls, reach, kept, docs, links: &self.links })
    }
}

/// Makes calls of the second set.
struct Maker<'a> {
    calls: &'a Calls,
    /// Where cargo puts what it builds, inside.
    profile: String,
    /// Where the standard library lies as a shared one, inside.
    std: String,
    dir: String,
}

impl Maker<'_> {
    fn unit(&self, base: &WarmBase, unit: &Unit) -> Unit {
        let mut unit = unit.clone();
        if unit.kind == Kind::Special {
            return unit;
        }
        let moved = |text: &str| text.strip_prefix(self.profile.as_str()).map(|rest| format!("{}{rest}", self.dir));
        for (name, value) in &mut unit.env {
            if name.starts_with("CARGO_BIN_EXE_") {
                *value = moved(value).unwrap_or_else(|| value.clone());
            }
        }
        unit.out_dir = moved(&unit.out_dir).unwrap_or(unit.out_dir);
        let library = unit.kind == Kind::Library;
        let mut args = Vec::new();
        let mut before = String::new();
        for arg in &unit.args {
            let arg = match (before.as_str(), arg.as_str()) {
                ("--crate-type", "lib" | "rlib") => "dylib".to_owned(),
                ("--out-dir", path) => moved(path).unwrap_or_else(|| path.to_owned()),
                ("--extern", named) => self.linked(named),
                (_, arg) if library && arg.starts_with("--emit=") => "--emit=dep-info,link".to_owned(),
                (_, arg) => match arg.strip_prefix("incremental=") {
                    Some(path) => format!("incremental={}", moved(path).unwrap_or_else(|| path.to_owned())),
                    None => arg.to_owned(),
                },
            };
            before.clone_from(&arg);
            args.push(arg);
        }
        args.extend(self.more());
        unit.externs = unit.externs.iter().map(|path| self.path(path)).collect();
        if library && is_without_std(base, &unit) {
            // A shared library has to be whole: what panics and allocates comes with the standard library.
            unit.env.insert("RUSTC_BOOTSTRAP".to_owned(), "1".to_owned());
            args.extend(["-Zunstable-options", "--extern", "force:std"].map(str::to_owned));
        }
        unit.args = args;
        unit
    }

    fn doc(&self, doc: &super::calls::DocCall) -> super::calls::DocCall {
        let mut doc = doc.clone();
        let mut args = Vec::new();
        let mut before = String::new();
        for arg in &doc.args {
            let arg = if before == "--extern" { self.linked(arg) } else { arg.clone() };
            before.clone_from(&arg);
            args.push(arg);
        }
        args.extend(self.more());
        doc.args = args;
        doc.externs = doc.externs.iter().map(|path| self.path(path)).collect();
        doc
    }

    /// Shared libraries are found where they lie, by whoever starts a program.
    fn more(&self) -> [String; 6] {
        let deps = format!("{}/deps", self.dir);
        let found = format!("link-arg=-Wl,-rpath,{deps}:{}", self.std);
        [
            "-C".to_owned(),
            "prefer-dynamic".to_owned(),
            "-C".to_owned(),
            found,
            "-L".to_owned(),
            format!("dependency={deps}"),
        ]
    }

    fn linked(&self, named: &str) -> String {
        match named.split_once('=') {
            Some((name, path)) => format!("{name}={}", self.path(path)),
            None => named.to_owned(),
        }
    }

    /// The file of a library to link with: ours where it is one of the repository, the whole of it where cargo had only
    /// shown what it promises.
    fn path(&self, path: &str) -> String {
        let one = [path.to_owned()];
        let ours = self.calls.units.iter().find(|unit| unit.kind == Kind::Library && made_with(&one, unit));
        match ours {
            Some(unit) => format!("{}/deps/lib{}.so", self.dir, unit.stem),
            None => path.strip_suffix(".rmeta").map_or_else(|| path.to_owned(), |path| format!("{path}.rlib")),
        }
    }
}

fn is_without_std(base: &WarmBase, unit: &Unit) -> bool {
    let root = unit.root();
    let text = base.below_tree(&root).and_then(|root| base.read_plain(root, SOURCE));
    text.is_some_and(|text| String::from_utf8_lossy(&text).contains("no_std"))
}

/// Whether what may be docs is the same in both, line by line.
fn has_same_docs(old: &str, new: &str) -> bool {
    let docs = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| line.starts_with("//") || line.contains("doc")).map(str::to_owned).collect()
    };
    let block = |text: &str| text.contains("/**") || text.contains("/*!");
    docs(old) == docs(new) && !block(old) && !block(new)
}

#[cfg(test)]
mod tests {
    use super::has_same_docs;

    #[test]
    fn docs_are_compared_and_code_is_not() {
        let old = "/// one\nfn f() { 1 }\n";
        assert!(has_same_docs(old, "/// one\nfn f() { 2 }\n"));
        for new in ["/// two\nfn f() { 1 }\n", "/// one\n#[doc = \"x\"]\nfn f() { 1 }\n", "/// one\n/** x */ fn f() {}"]
        {
            assert!(!has_same_docs(old, new), "{new}");
        }
    }
}
