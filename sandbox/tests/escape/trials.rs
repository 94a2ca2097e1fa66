//! Between trials: one trial rewrites artefacts, sources, settings of cargo or shared folders, so that the next one would
//! miss a broken function. The witness is plain cargo in one folder, where each of these ways works.

use std::fs;
use std::path::Path;

use kaizen_domain::{RelPath, TrialId, TrialReport};
use kaizen_sandbox::trial::Tried;
use kaizen_sandbox::{Cancel, Runner, TreeChange, WarmBase};

use crate::cargo::{Verdicts, base_trial, commit, copy, fixture, plain, started, verdicts, warm};
use crate::options::Options;
use crate::report::{Inside, Outside, Report};
use crate::scene::Scene;
use crate::support::Arrangement;

const CRATE: &str = "trials";
/// The ways, by what the crate calls them.
const WAYS: [&str; 6] =
    ["artefacts", "sources", "settings in the tree", "settings in the home folder", "registry", "temporary files"];
/// The test that must notice the broken function, and the one that does the harm.
const HONEST: &str = "doubles";
const POISON: &str = "poison";
/// What the second trial tries.
const BROKEN: (&str, &str, &str) = ("src/lib.rs", "n * 2", "n * 3");

fn name(way: &str) -> String {
    format!("next trial: mislead it by {way}")
}

pub fn names() -> Vec<String> {
    WAYS.iter().map(|way| name(way)).collect()
}

pub fn play_all(options: &Options, report: &mut Report) {
    if !names().iter().any(|name| options.wants(name)) {
        return;
    }
    let (inside, error) = played(Some(report.arrangement()));
    let (outside, _) = played(None);
    for way in WAYS.into_iter().filter(|way| options.wants(&name(way))) {
        let noticed = |verdicts: &Verdicts| verdicts.get(way).copied();
        let verdict = match noticed(&inside) {
            Some(true) => Inside::Refused("the next trial tells the truth".to_owned()),
            Some(false) => Inside::Succeeded,
            None => Inside::Broken(format!("{error:?}")),
        };
        let witness = match noticed(&outside) {
            Some(false) => Outside::Succeeds(""),
            other => Outside::Fails(format!("{other:?}")),
        };
        report.line(&name(way), verdict, witness);
    }
}

fn played(arrangement: Option<Arrangement>) -> (Verdicts, Option<String>) {
    let scene = Scene::new();
    fs::create_dir_all(scene.at("cargo/registry")).expect("a folder");
    copy(&fixture(CRATE), &scene.at("crate"));
    started(CRATE, arrangement, &scene)
}

/// A file of the crate with some text replaced.
fn edited(dir: &Path, (file, from, to): (&str, &str, &str)) -> String {
    let text = fs::read_to_string(dir.join("crate").join(file)).expect("a file");
    assert!(text.contains(from), "{from} is not in {file}");
    text.replacen(from, to, 1)
}

fn poisoned(dir: &Path, way: &str) -> String {
    edited(dir, ("tests/poison.rs", "\"none\"", &format!("{way:?}")))
}

/// For each way, whether the second trial notices the broken function.
pub fn inside(arrangement: Arrangement, dir: &Path) -> Verdicts {
    let (runner, base) = warm(arrangement, dir);
    let known = base_trial(&runner, &base);
    let mut noticed = Verdicts::new();
    for way in WAYS {
        let first = tried(&runner, &base, &known, "tests/poison.rs", &poisoned(dir, way));
        if !verdicts(&first).contains_key(POISON) {
            eprintln!("{way}: the first trial did not do its harm: {:?}", first.outcome);
            continue;
        }
        let second = tried(&runner, &base, &known, BROKEN.0, &edited(dir, BROKEN));
        noticed.extend(verdicts(&second).get(HONEST).map(|failed| (way.to_owned(), *failed)));
    }
    noticed
}

fn tried(runner: &Runner, base: &WarmBase, known: &TrialReport, file: &str, text: &str) -> TrialReport {
    let path = RelPath::new(file).expect("a path");
    let changes = [TreeChange::Write { path, bytes: text.into(), executable: false }];
    let commit = commit();
    let id = TrialId::new(2, [2; 10]);
    let tried = Tried { base, id, commit: &commit, changes: &changes, against: known, confirm: true };
    runner.try_tree(&tried, &Cancel::new().expect("a flag"), &mut |_| {}).expect("a trial")
}

/// The same with plain cargo, edited in place, each way in a copy of its own.
pub fn outside(dir: &Path) -> Verdicts {
    let mut noticed = Verdicts::new();
    for (number, way) in WAYS.into_iter().enumerate() {
        let own = dir.join(format!("way-{number}"));
        let tree = own.join("crate");
        copy(&dir.join("crate"), &tree);
        fs::create_dir_all(own.join("cargo/registry")).expect("a folder");
        plain(&tree, &own);
        let edit = |file: &str, text: &str| fs::write(tree.join(file), text).expect("written");
        edit("tests/poison.rs", &poisoned(dir, way));
        plain(&tree, &own);
        edit("tests/poison.rs", &fs::read_to_string(dir.join("crate/tests/poison.rs")).expect("a file"));
        edit(BROKEN.0, &edited(dir, BROKEN));
        let second = plain(&tree, &own);
        noticed.extend(second.get(HONEST).map(|failed| (way.to_owned(), *failed)));
        let _ = fs::remove_file(dir.join("tmp/left-by-a-trial"));
    }
    noticed
}
