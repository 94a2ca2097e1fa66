//! A library before and after a change, driven by a program that the real compiler builds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use kaizen_behaviour::{
    Case, Difference, Driver, LongDifference, Plan, Said, Shrinking, Sources, Status, Unit, differences,
    differences_of_long,
};

/// How often what the compiler refuses is left out.
const ROUNDS: usize = 8;

/// A library of one file before and after a change, and what came of driving it.
pub struct Driven {
    pub driver: Driver,
    pub refused: BTreeSet<Unit>,
    pub found: BTreeMap<String, Found>,
    /// What long inputs show, by the name of the function.
    pub slow: BTreeMap<String, LongDifference>,
}

/// How many inputs of a function were seen, and the smallest one found that shows a difference, with what it gave before and
/// after.
pub type Found = (u64, Option<(String, String, String)>);

pub fn compile(dir: &Path, name: &str, args: &[&str]) -> Result<(), String> {
    compile_as("2021", dir, name, args)
}

pub fn compile_as(edition: &str, dir: &Path, name: &str, args: &[&str]) -> Result<(), String> {
    let out = Command::new("rustc")
        .current_dir(dir)
        .args(["--edition", edition, "-C", "debug-assertions=on", name])
        .args(args)
        .output()
        .expect("rustc starts");
    if out.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}

/// What the compiler refuses of a driver, besides what is left out already.
fn refused(errors: &str, parts: &[Vec<usize>], left_out: &BTreeSet<usize>) -> BTreeSet<usize> {
    let place = |line: &str| line.strip_prefix("driver.rs:")?.split(':').next()?.parse::<usize>().ok();
    let lines = errors.lines().filter(|line| line.contains(": error")).filter_map(place);
    let part = |line: usize| parts.iter().find(|part| part[0] <= line && line < part[1]).map(|part| part[2]);
    let mut all: BTreeSet<usize> = left_out.iter().copied().chain(lines.filter_map(part)).collect();
    let needed: BTreeSet<usize> = parts.iter().filter_map(|part| part.get(3).copied()).collect();
    for number in needed {
        let needs = parts.iter().filter(|part| part.get(3) == Some(&number));
        if needs.map(|part| part[2]).all(|part| all.contains(&part)) {
            all.insert(number);
        }
    }
    all
}

fn run(dir: &Path, side: &str, plan: &Plan, out: &str) -> Said {
    let out = dir.join(out);
    let _ = std::fs::remove_file(&out);
    let path = dir.join("plan");
    std::fs::write(&path, plan.text()).expect("the plan is written");
    for _ in 0..8 {
        let done = Command::new(dir.join(side).join("driver")).args([&path, &out]).output().expect("it starts");
        if done.status.success() {
            break;
        }
    }
    let text = std::fs::read(&out).expect("it wrote something down");
    Said::read(plan, &String::from_utf8_lossy(&text))
}

pub fn drive(before: &str, after: &str) -> Driven {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    for (side, text) in [("before", before), ("after", after)] {
        std::fs::create_dir(dir.join(side)).expect("a folder");
        std::fs::write(dir.join(side).join("lib.rs"), text).expect("it is written");
        compile(&dir.join(side), "lib.rs", &["--crate-type", "lib", "--crate-name", "shop"])
            .expect("the library builds");
    }
    let of = |text: &str| {
        let text = text.to_owned();
        move |path: &str| (path == "lib.rs").then(|| text.clone())
    };
    let (before, after) = (of(before), of(after));
    let sources = Sources {
        root: "lib.rs",
        name: "shop",
        before: &before,
        after: &after,
        expanded: None,
        tests: &[],
        others: &[],
        program: None,
    };
    let driver = Driver::of(&sources);
    let program = driver.program();
    let numbers = |line: &str| line.split(' ').filter_map(|word| word.parse().ok()).collect();
    let parts: Vec<Vec<usize>> = program.parts().lines().map(numbers).collect();
    let mut left_out = BTreeSet::new();
    for round in 0.. {
        let before = left_out.clone();
        for side in ["before", "after"] {
            std::fs::write(dir.join(side).join("driver.rs"), &program.text).expect("it is written");
            let without: Vec<String> = left_out.iter().map(|number| format!("--cfg=left_out_{number}")).collect();
            let mut args = vec!["--extern", "shop=libshop.rlib", "--cap-lints=allow", "--error-format=short"];
            args.extend(without.iter().map(String::as_str));
            if let Err(text) = compile(&dir.join(side), "driver.rs", &args) {
                let all = refused(&text, &parts, &left_out);
                assert!(all.len() > left_out.len() && round < ROUNDS, "nothing can be left out:\n{text}");
                left_out = all;
            }
        }
        if left_out == before {
            break;
        }
    }
    let refused = program.units(&left_out);
    let entries: Vec<usize> = driver.driven(&refused).map(|(number, _)| number).collect();
    let many = entries.iter().map(|entry| (*entry, 3_000)).collect();
    let large = entries.iter().map(|entry| (*entry, 6)).collect();
    let plan = Plan { seed: 7, time: 4_000 * entries.len() as u64, many, large, ..Plan::default() };
    let (first, second) = (run(dir, "before", &plan, "1"), run(dir, "before", &plan, "2"));
    let now = run(dir, "after", &plan, "3");
    let mut found = BTreeMap::new();
    for (entry, (seen, differ)) in differences([&first, &second], &now) {
        let shown = differ.first().map(|Difference { entry, case }| {
            let plan = Plan { seed: 7, again: vec![(*entry, *case)], ..Plan::default() };
            let whole = run(dir, "before", &plan, "1").whole;
            let choices = whole[0].told.clone().expect("it is told whole").0;
            smallest(dir, *entry, choices)
        });
        found.insert(driver.entries[entry].name.clone(), (seen, shown));
    }
    let slow = differences_of_long([&first, &second], &now);
    let slow = slow.into_iter().map(|(entry, shown)| (driver.entries[entry].name.clone(), shown)).collect();
    Driven { driver, refused, found, slow }
}

fn smallest(dir: &Path, entry: usize, choices: Vec<u64>) -> (String, String, String) {
    let mut shrinking = Shrinking::of(choices);
    let try_all = |with: &[Vec<u64>]| -> [Vec<Case>; 3] {
        let with = with.iter().map(|choices| (entry, choices.clone())).collect();
        let plan = Plan { with, ..Plan::default() };
        [
            run(dir, "before", &plan, "1").whole,
            run(dir, "before", &plan, "2").whole,
            run(dir, "after", &plan, "3").whole,
        ]
    };
    // One that does not come back costs its time with every try.
    let ended = run(dir, "after", &Plan { with: vec![(entry, shrinking.best().to_vec())], ..Plan::default() }, "3");
    let rounds = if ended.whole[0].status == Status::Hung { 0 } else { 30 };
    for _ in 0..rounds {
        let proposed = shrinking.propose().to_vec();
        let [first, second, now] = try_all(&proposed);
        if shrinking.take([&first, &second], &now).is_none() {
            break;
        }
    }
    let [was, _, now] = try_all(&[shrinking.best().to_vec()]);
    let input = was[0].told.clone().expect("it is told").1;
    (input, was[0].shown(), now[0].shown())
}

impl Driven {
    #[track_caller]
    pub fn of(&self, name: &str) -> &Found {
        self.found.get(name).unwrap_or_else(|| {
            let all = (&self.found, &self.driver.entries, &self.driver.no_data, &self.refused);
            panic!("`{name}` was not driven: {all:#?}")
        })
    }

    #[track_caller]
    pub fn shows(&self, name: &str) -> (&str, &str, &str) {
        let (_, shown) = self.of(name);
        let (input, was, now) = shown.as_ref().unwrap_or_else(|| panic!("nothing differs in `{name}`"));
        (input, was, now)
    }
}
