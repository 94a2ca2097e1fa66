//! Benchmarks are built in two trees and run in turn; what each run printed is told in its place.

use std::fs;
use std::path::Path;
use std::time::Duration;

use kaizen_domain::RelPath;
use kaizen_sandbox::isolation::Arrangement;
use kaizen_sandbox::{BenchPair, BenchTarget, Cancel, InBlocks, Package, Sides, Told, TreeChange};

use crate::support::Bench;

const FILES: &[(&str, &str)] = &[
    ("said.txt", "old\n"),
    ("gone.txt", "gone\n"),
    ("Cargo.toml", "[workspace]\nmembers = [\"counted\"]\nresolver = \"2\"\n"),
    (
        "counted/Cargo.toml",
        "[package]\nname = \"counted\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[[bench]]\nname = \"prints\"\nharness = false\n\
         [[bench]]\nname = \"nightly\"\n[[bench]]\nname = \"wanting\"\nharness = false\nrequired-features = [\"more\"]\n[features]\nmore = []\n",
    ),
    ("counted/src/lib.rs", "pub fn word() -> &'static str { \"before\" }\n"),
    (
        "counted/benches/prints.rs",
        "fn main() {\n    assert!(std::path::Path::new(\"src/lib.rs\").exists());\n    \
         let args: Vec<String> = std::env::args().skip(1).collect();\n    println!(\"{} {}\", counted::word(), args.join(\" \"));\n    \
         if counted::word() == \"broken\" { eprintln!(\"it is broken\"); std::process::exit(3); }\n}\n",
    ),
    (
        "counted/benches/nightly.rs",
        "#![feature(test)]\nextern crate test;\n#[bench]\nfn bench(b: &mut test::Bencher) { b.iter(counted::word); }\n",
    ),
    ("counted/benches/wanting.rs", "fn main() {}\n"),
];

fn export(tree: &Path) -> Result<(), String> {
    for (path, text) in FILES {
        let file = tree.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).map_err(|error| error.to_string())?;
        fs::write(file, text).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn write(path: &str, text: &str) -> TreeChange {
    let path = RelPath::new(path).expect("a path");
    TreeChange::Write { path, bytes: text.as_bytes().to_vec(), executable: false }
}

fn lib(word: &str) -> TreeChange {
    write("counted/src/lib.rs", &format!("pub fn word() -> &'static str {{ \"{word}\" }}\n"))
}

/// What is told of so many blocks: the texts of each, or how it failed.
fn run(bench: &Bench, sides: Sides<'_>, blocks: u32, most: usize) -> Result<Vec<Vec<[String; 4]>>, String> {
    let ((runner, warm), cancel) = (bench.parts(), Cancel::new().expect("it works"));
    let asked = InBlocks { sides, tree: &[], blocks, wall: Duration::from_secs(120) };
    let (mut told, mut warmed) = (Vec::new(), 0);
    let mut on = |what: Told| match what {
        Told::Warm(_) => {
            warmed += 1;
            true
        }
        Told::Block(block) => {
            told.push(block.into_iter().map(|runs| runs.map(|run| run.text.trim().to_owned())).collect());
            told.len() < most
        }
    };
    let ended = runner.run_in_blocks(warm, &asked, &mut on, &cancel).expect("the sandbox runs it");
    ended.map(|()| {
        assert_eq!(warmed, 1);
        told
    })
}

/// The programs of the benchmarks that build, before and after a change.
fn pair(bench: &Bench, after: TreeChange) -> BenchPair {
    let ((runner, warm), cancel) = (bench.parts(), Cancel::new().expect("it works"));
    let metadata = runner.metadata(warm, Vec::new(), &cancel).expect("cargo understands it");
    let package = metadata.packages.first().expect("a package");
    let mut names: Vec<&str> = package.benches.iter().map(|bench| bench.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["nightly", "prints"], "what wants a feature is left out");
    let targets: Vec<(&Package, &BenchTarget)> = package.benches.iter().map(|bench| (package, bench)).collect();
    let built = |changes: &[TreeChange]| {
        let built = runner.build_benches(warm, &targets, changes, &cancel, &mut |_| {}).expect("the sandbox runs it");
        let built = built.expect("one builds");
        assert_eq!(built.iter().map(|one| one.target.as_str()).collect::<Vec<_>>(), ["counted/bench prints"]);
        built.into_iter().next().expect("one").bytes
    };
    BenchPair {
        name: "prints".to_owned(),
        folder: package.folder().to_owned(),
        args: vec!["--bench".to_owned()],
        before: built(&[]),
        after: built(&[after]),
    }
}

#[test]
fn programs_are_run_in_turn_until_it_is_enough_in_either_arrangement() {
    for arrangement in [None, Some(Arrangement::Restricted)] {
        let bench = Bench::of(&export, arrangement);
        let pairs = [pair(&bench, lib("after"))];
        let block = ["before --bench", "after --bench", "after --bench", "before --bench"].map(str::to_owned);
        assert_eq!(run(&bench, Sides::Programs(&pairs), 2, 9), Ok(vec![vec![block.clone()]; 2]));
        assert_eq!(run(&bench, Sides::Programs(&pairs), 500, 1), Ok(vec![vec![block]]));
    }
}

#[test]
fn a_run_that_fails_is_told_and_so_is_what_does_not_build() {
    let bench = Bench::of(&export, None);
    let pairs = [pair(&bench, lib("broken"))];
    let failed = run(&bench, Sides::Programs(&pairs), 2, 9);
    assert_eq!(failed, Err("a run of the benchmarks ended by exit code 3: it is broken".to_owned()));
    let ((runner, warm), cancel) = (bench.parts(), Cancel::new().expect("it works"));
    let metadata = runner.metadata(warm, Vec::new(), &cancel).expect("cargo understands it");
    let package = &metadata.packages[0];
    let nightly = package.benches.iter().filter(|bench| bench.name == "nightly").map(|bench| (package, bench));
    let nightly: Vec<(&Package, &BenchTarget)> = nightly.collect();
    let built = runner.build_benches(warm, &nightly, &[], &cancel, &mut |_| {}).expect("the sandbox runs it");
    assert!(built.is_err_and(|why| why.contains("nightly")));
}

#[test]
fn a_command_sees_one_tree_and_then_the_other() {
    for arrangement in [None, Some(Arrangement::Restricted)] {
        let bench = Bench::of(&export, arrangement);
        let gone = TreeChange::Remove { path: RelPath::new("gone.txt").expect("a path") };
        let change = [write("said.txt", "new\n"), write("deep/er/new.txt", "\n"), gone];
        let command = ["sh", "-c", "cat said.txt; ls gone.txt deep 2>/dev/null | tr '\\n' ' '"].map(str::to_owned);
        let told = run(&bench, Sides::Command { command: &command, change: &change }, 2, 9).expect("it runs");
        for block in told {
            let [first, second, third, fourth] = &block[0];
            // An empty folder may be left where a file was.
            assert!(first.starts_with("old\ngone.txt") && fourth.starts_with("old\ngone.txt"), "{block:?}");
            assert!(!second.contains("gone.txt") && second.starts_with("new") && second.contains("er"), "{block:?}");
            assert_eq!(second, third);
        }
    }
}

#[test]
fn instructions_are_counted_where_valgrind_is_there() {
    let bench = Bench::of(&export, None);
    let pair = pair(&bench, lib("after"));
    let ((runner, warm), cancel) = (bench.parts(), Cancel::new().expect("it works"));
    // Its folder is that of the project here, which has no `src`: it fails, and what fails is not counted.
    let wall = Duration::from_secs(60);
    assert_eq!(runner.count_instructions(warm, &pair.before, wall, &cancel).expect("the sandbox runs it"), None);
    let fine = fs::read("/bin/true").expect("a program");
    let count = || runner.count_instructions(warm, &fine, wall, &cancel).expect("the sandbox runs it");
    let first = count();
    assert_eq!(first.is_some(), Path::new("/usr/bin/valgrind").exists());
    assert!(first.is_none_or(|first| first > 10_000), "{first:?}");
}
