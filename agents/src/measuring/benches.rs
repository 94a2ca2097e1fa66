//! Benches: the benchmarks that a repository has, or the command that its settings name, before a change and after it. They
//! are a guard: what gets slower does not land. Their own code is always the one from before the change.

use std::time::Duration;

use kaizen_domain::trial::SpeedVerdict;
use kaizen_sandbox::{
    BenchPair, BenchProgram, BenchTarget, InBlocks, Metadata, Package, Progress, Sides, TreeChange, TrialError,
};
use kaizen_speed::Terms;

use super::blocks::Taking;
use super::{Measured, Measuring};
use crate::noticing::is_test_file;
use crate::shop::tree_change;

/// How long a command may build on both sides, before its time counts.
const COMMAND_BUILDS: Duration = Duration::from_secs(3600);
/// What runs may take that do not count, beside as much as the others.
const ASIDE: Duration = Duration::from_secs(30);
/// What criterion is told, so that a benchmark takes about a second; older ones know whole seconds only.
const CRITERION: [&str; 8] =
    ["--bench", "--noplot", "--warm-up-time", "0.2", "--measurement-time", "0.5", "--sample-size", "10"];
const OLD_CRITERION: [&str; 8] =
    ["--bench", "--noplot", "--warm-up-time", "1", "--measurement-time", "1", "--sample-size", "10"];

/// What of the repository's own can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// Nothing: it has no benchmarks, or the change does not reach them.
    Nothing,
    /// Nothing, although there should be something: why.
    NoData(String),
    /// Programs that were built before and after the change.
    Programs(Vec<BenchPair>),
    /// The command of the settings, with what differs after the change.
    Command(Vec<TreeChange>),
}

impl Measuring<'_> {
    /// Builds the repository's own benchmarks on both sides, those that the change reaches.
    ///
    /// # Errors
    /// When the sandbox cannot run it. What does not build is a result.
    pub fn own(&self, on: &mut dyn FnMut(Progress)) -> Result<Own, TrialError> {
        let named = !self.settings.benchmark.is_empty();
        let may_matter =
            |path: &str| path.ends_with(".rs") || path.ends_with("Cargo.toml") || path.ends_with("Cargo.lock");
        if !self.changes.iter().any(|change| may_matter(change.path.as_str())) || !(named || self.has_benches()) {
            return Ok(Own::Nothing);
        }
        let (before, after) = self.trees;
        let metadata = self.runner.metadata(self.warm, before.to_vec(), self.cancel)?;
        if named {
            let reached = metadata.packages.iter().any(|package| self.reaches(&metadata, package));
            let change = self.changes.iter().filter(|change| !is_bench(&metadata, change.path.as_str()));
            let change: Vec<TreeChange> = change.filter_map(tree_change).collect();
            return Ok(if reached { Own::Command(change) } else { Own::Nothing });
        }
        let reached = |package: &&Package| {
            let parts = metadata.built_from(package);
            parts.into_iter().any(|part| self.reaches(&metadata, part))
        };
        let packages = metadata.packages.iter().filter(|package| !package.benches.is_empty()).filter(reached);
        let targets: Vec<(&Package, &BenchTarget)> =
            packages.flat_map(|package| package.benches.iter().map(move |bench| (package, bench))).collect();
        if targets.is_empty() {
            return Ok(Own::Nothing);
        }
        let mut build =
            |tree: &[TreeChange]| self.runner.build_benches(self.warm, &targets, tree, self.cancel, &mut *on);
        if !before.is_empty() {
            // What they depend on is compiled once for all trees, in the one that stays.
            drop(build(&[])?);
        }
        let built = match build(before)? {
            Ok(programs) => programs,
            Err(why) => return Ok(Own::NoData(format!("the benchmarks do not build before the change: {why}"))),
        };
        let after = match build(&with_benches_of(before, after, &|path| is_bench(&metadata, path)))? {
            Ok(programs) => programs,
            Err(why) => return Ok(Own::NoData(format!("the benchmarks do not build after the change: {why}"))),
        };
        Ok(self.paired(&targets, built, after))
    }

    /// Runs them in turn until it is clear what they say; none when there is nothing.
    ///
    /// # Errors
    /// When the sandbox cannot run them.
    pub fn compare(&self, own: &Own, on: &mut dyn FnMut(Progress)) -> Result<Option<Measured>, TrialError> {
        let budget = Duration::from_secs(self.settings.benchmarks_secs);
        let wall = budget * 2 + ASIDE;
        let (sides, names, wall) = match own {
            Own::Nothing => return Ok(None),
            Own::NoData(why) => return Ok(Some(Measured::without(SpeedVerdict::NoData, why.as_str()))),
            Own::Programs(pairs) => {
                (Sides::Programs(pairs), pairs.iter().map(|pair| pair.name.clone()).collect(), wall)
            }
            Own::Command(change) => {
                let command = self.settings.benchmark.as_slice();
                (Sides::Command { command, change }, vec![command.join(" ")], wall + COMMAND_BUILDS)
            }
        };
        let asked = InBlocks { sides, tree: self.trees.0, blocks: Terms::default().most(), wall };
        let mut taking = Taking::new(names, budget);
        let ended = self.runner.run_in_blocks(self.warm, &asked, &mut |told| taking.take(told, on), self.cancel)?;
        Ok(Some(taking.measured(ended)))
    }

    /// Whether there can be any, by the names of files alone: most repositories have none, and that is to cost nothing.
    fn has_benches(&self) -> bool {
        let named = |path: &String| path.ends_with(".rs") && path.split('/').any(|part| part == "benches");
        let told = |path: &String| {
            path.ends_with("Cargo.toml") && (self.read)(path).is_some_and(|text| text.contains("[[bench]]"))
        };
        self.files.iter().any(named) || self.files.iter().any(told)
    }

    /// Whether the change is one to the code of a package, or to what decides how it is built.
    fn reaches(&self, metadata: &Metadata, package: &Package) -> bool {
        self.changes.iter().any(|change| {
            let path = change.path.as_str();
            match change.path.file_name() {
                "Cargo.lock" => true,
                "Cargo.toml" => {
                    package.manifest == path || package.folder().starts_with(path.trim_end_matches("Cargo.toml"))
                }
                _ if !change.path.is_rust() || is_bench(metadata, path) => false,
                _ => {
                    let (before, after) = change.texts().unwrap_or_default();
                    let below = path.strip_prefix(package.folder()).unwrap_or_default();
                    let own = metadata.package_of(path).is_some_and(|owner| owner.manifest == package.manifest);
                    own && !is_test_file(below, before, after)
                }
            }
        })
    }

    /// The programs of both sides, each with its arguments.
    fn paired(&self, targets: &[(&Package, &BenchTarget)], before: Vec<BenchProgram>, after: Vec<BenchProgram>) -> Own {
        let lock = self.files.iter().find(|path| path.ends_with("Cargo.lock")).and_then(|path| (self.read)(path));
        let mut pairs = Vec::new();
        for (package, bench) in targets {
            let target = BenchProgram::name_of(package, bench);
            let of = |built: &[BenchProgram]| {
                built.iter().find(|program| program.target == target).map(|program| program.bytes.clone())
            };
            let (before, after) = match (of(&before), of(&after)) {
                (Some(before), Some(after)) => (before, after),
                // What does not build before says nothing about the change.
                (None, _) => continue,
                (Some(_), None) => return Own::NoData(format!("`{target}` builds before the change and not after it")),
            };
            let source = (self.read)(&bench.path).unwrap_or_default();
            let args = arguments(&source, lock.as_deref().unwrap_or_default());
            // Two packages may have benchmarks of the same name.
            let alone = targets.iter().filter(|(_, other)| other.name == bench.name).count() == 1;
            let name = if alone { bench.name.clone() } else { format!("{}/{}", package.name, bench.name) };
            pairs.push(BenchPair { name, folder: package.folder().to_owned(), args, before, after });
        }
        Own::Programs(pairs)
    }
}

/// Whether a file is part of benchmarks.
fn is_bench(metadata: &Metadata, path: &str) -> bool {
    let below = |folder: &str, name: &str| path.strip_prefix(folder).is_some_and(|path| path.starts_with(name));
    metadata.packages.iter().any(|package| {
        let folder = package.folder();
        below(folder, "benches/")
            || package.benches.iter().any(|bench| {
                let own = bench.path.rsplit_once('/').map_or("", |(parent, _)| parent);
                let own = own.strip_prefix(folder).unwrap_or_default();
                let apart = !own.is_empty() && own != "src" && !own.starts_with("src/");
                bench.path == path || apart && below(folder, &format!("{own}/"))
            })
    })
}

/// What leads to the second tree, but for files of benchmarks: those are as in the first one.
fn with_benches_of(first: &[TreeChange], second: &[TreeChange], is_bench: &dyn Fn(&str) -> bool) -> Vec<TreeChange> {
    let code = second.iter().filter(|change| !is_bench(change.path().as_str()));
    let benches = first.iter().filter(|change| is_bench(change.path().as_str()));
    code.chain(benches).cloned().collect()
}

/// What a program of benchmarks is told, by its source and the lock file: cargo's own word that it is to measure, and
/// where it is known how, to take less time.
fn arguments(source: &str, lock: &str) -> Vec<String> {
    let is_old = ["0.1.", "0.2.", "0.3."]
        .iter()
        .any(|version| lock.contains(&format!("name = \"criterion\"\nversion = \"{version}")));
    let args: &[&str] = match source.contains("criterion") {
        true if is_old => &OLD_CRITERION,
        true => &CRITERION,
        false => &["--bench"],
    };
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use kaizen_domain::RelPath;

    use super::*;

    fn metadata() -> Metadata {
        let package = |name: &str, folder: &str, benches: &[&str]| Package {
            name: name.to_owned(),
            manifest: format!("{folder}Cargo.toml"),
            kinds: Vec::new(),
            edition: "2021".to_owned(),
            roots: Vec::new(),
            benches: benches
                .iter()
                .map(|path| BenchTarget { name: "b".to_owned(), path: format!("{folder}{path}") })
                .collect(),
            needs: Default::default(),
            uses: Vec::new(),
        };
        let odd = ["perf/many/main.rs", "src/inline.rs", "alone.rs"];
        Metadata { packages: vec![package("top", "", &[]), package("odd", "crates/odd/", &odd)] }
    }

    #[test]
    fn files_of_benchmarks_are_known_wherever_they_lie() {
        let metadata = metadata();
        for path in [
            "benches/a.rs",
            "benches/data/words.txt",
            "crates/odd/benches/b/main.rs",
            "crates/odd/perf/many/data.rs",
            "crates/odd/src/inline.rs",
            "crates/odd/alone.rs",
        ] {
            assert!(is_bench(&metadata, path), "{path}");
        }
        for path in ["src/benches.rs", "src/lib.rs", "crates/odd/src/lib.rs", "crates/odd/perf/other.rs", "Cargo.toml"]
        {
            assert!(!is_bench(&metadata, path), "{path}");
        }
    }

    #[test]
    fn the_benchmarks_of_a_patch_are_not_taken() {
        let metadata = metadata();
        let write = |path: &str, text: &str| TreeChange::Write {
            path: RelPath::new(path).unwrap(),
            bytes: text.as_bytes().to_vec(),
            executable: false,
        };
        let gone = TreeChange::Remove { path: RelPath::new("benches/gone.rs").unwrap() };
        // Something landed before, in a benchmark as well.
        let first = [write("benches/a.rs", "1000 turns"), write("src/lib.rs", "before")];
        let second = [write("benches/a.rs", "1 turn"), gone, write("src/lib.rs", "after"), write("src/new.rs", "new")];
        let taken = with_benches_of(&first, &second, &|path| is_bench(&metadata, path));
        let expected = [write("src/lib.rs", "after"), write("src/new.rs", "new"), write("benches/a.rs", "1000 turns")];
        assert_eq!(taken, expected);
    }

    #[test]
    fn criterion_is_told_to_hurry_in_the_way_that_it_knows() {
        let of = |source: &str, lock: &str| arguments(source, lock).join(" ");
        let lock = "[[package]]\nname = \"criterion\"\nversion = \"0.5.1\"\n";
        assert!(of("use criterion::Criterion;", lock).contains("--measurement-time 0.5"));
        assert!(of("use criterion::Criterion;", &lock.replace("0.5.1", "0.3.6")).contains("--measurement-time 1 "));
        assert_eq!(of("fn main() {}", lock), "--bench");
    }
}
