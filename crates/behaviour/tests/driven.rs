//! Drivers, built by the real compiler against real libraries, and run.

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
struct Driven {
    driver: Driver,
    refused: BTreeSet<Unit>,
    found: BTreeMap<String, Found>,
    /// What long inputs show, by the name of the function.
    slow: BTreeMap<String, LongDifference>,
}

/// How many inputs of a function were seen, and the smallest one found that shows a difference, with what it gave before and
/// after.
type Found = (u64, Option<(String, String, String)>);

fn compile(dir: &Path, name: &str, args: &[&str]) -> Result<(), String> {
    compile_as("2021", dir, name, args)
}

fn compile_as(edition: &str, dir: &Path, name: &str, args: &[&str]) -> Result<(), String> {
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

fn drive(before: &str, after: &str) -> Driven {
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
    fn of(&self, name: &str) -> &Found {
        self.found.get(name).unwrap_or_else(|| {
            let all = (&self.found, &self.driver.entries, &self.driver.no_data, &self.refused);
            panic!("`{name}` was not driven: {all:#?}")
        })
    }

    #[track_caller]
    fn shows(&self, name: &str) -> (&str, &str, &str) {
        let (_, shown) = self.of(name);
        let (input, was, now) = shown.as_ref().unwrap_or_else(|| panic!("nothing differs in `{name}`"));
        (input, was, now)
    }
}

const SHOP: &str = r#"
    //! A shop. `parse("3x apple")` gives a line.
    use std::collections::BTreeMap;
    use std::fmt;

    /// A line.
    #[derive(Debug, Clone, PartialEq)]
    pub struct Line { pieces: u32, name: String }

    impl Line {
        pub fn parse(text: &str) -> Option<Line> {
            let (pieces, name) = text.split_once("x ")?;
            let pieces = pieces.parse().ok()?;
            Some(Line { pieces, name: name.trim().to_owned() })
        }
        pub fn pieces(&self) -> u32 { self.pieces }
    }

    impl fmt::Display for Line {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}x {}", self.pieces, self.name) }
    }

    fn rate(amount: i64) -> i64 { if amount > 5_000 { 7 } else { 3 } }

    pub fn fee(amount: i64) -> i64 { rate(amount) + 1 }

    pub fn twice(amount: i64) -> i64 { amount.wrapping_mul(2) + rate(amount) }

    /// Cannot be printed.
    pub struct Till { entries: BTreeMap<String, i64>, open: bool }

    impl Till {
        pub fn new() -> Till { Till { entries: BTreeMap::new(), open: true } }
        pub fn put(&mut self, name: &str, amount: i64) { if self.open { self.entries.insert(name.to_owned(), amount); } }
        pub fn close(&mut self) { self.open = false; }
        pub fn sum(&self) -> i64 { self.entries.values().fold(0, |all, one| all.wrapping_add(*one)) }
        pub fn names(&self) -> impl Iterator<Item = &String> + '_ { self.entries.keys() }
    }

    pub fn largest<T: Ord + Clone>(all: &[T]) -> Option<T> { all.iter().max().cloned() }

    pub fn kept<F: FnMut(&i32) -> bool>(all: Vec<i32>, mut f: F) -> Vec<i32> { all.into_iter().filter(|one| f(one)).collect() }

    pub fn same_pin(stored: &str, given: &str) -> bool {
        stored.len() == given.len() && stored.bytes().zip(given.bytes()).all(|(one, other)| one == other)
    }

    pub fn sorted(all: &mut Vec<u8>) { all.sort(); }
"#;

#[test]
fn what_stays_the_same_raises_no_alarm() {
    let after = SHOP
        .replace("self.entries.values().fold(0, |all, one| all.wrapping_add(*one))", "{ let mut all = 0_i64; for one in self.entries.values() { all = all.wrapping_add(*one); } all }")
        .replace("all.iter().max().cloned()", "{ let mut best: Option<&T> = None; for one in all { if best.is_none_or(|b| one >= b) { best = Some(one); } } best.cloned() }")
        .replace("text.split_once(\"x \")?", "match text.split_once(\"x \") { Some(both) => both, None => return None }")
        // Where there was no room for the sum there may be some now.
        .replace("amount.wrapping_mul(2) + rate(amount)", "amount.wrapping_mul(2).wrapping_add(rate(amount))")
        .replace("if amount > 5_000 { 7 } else { 3 }", "match amount { ..=5_000 => 3, _ => 7 }")
        .replace(".all(|(one, other)| one == other)", ".filter(|(one, other)| one != other).count() == 0")
        .replace("all.sort()", "all.sort_unstable()")
        .replace(".filter(|one| f(one)).collect()", ".filter(&mut f).collect()");
    let driven = drive(SHOP, &after);
    let names: Vec<&str> = driven.found.keys().map(String::as_str).collect();
    for name in [
        "shop::Line::parse",
        "shop::fee",
        "shop::twice",
        "shop::Till::sum",
        "shop::largest",
        "shop::kept",
        "shop::same_pin",
        "shop::sorted",
    ] {
        let (seen, shown) = driven.of(name);
        assert!(*seen > 300, "{name} saw {seen} inputs only, of {names:?}");
        assert_eq!(*shown, None, "{name}");
    }
    assert_eq!(driven.driver.no_data, Vec::<String>::new());
}

#[test]
fn what_changes_is_shown_by_a_small_input() {
    let change = |from: &str, to: &str| {
        assert!(SHOP.contains(from), "{from}");
        drive(SHOP, &SHOP.replace(from, to))
    };
    // A bound, seen through the function that others call.
    assert_eq!(change("amount > 5_000", "amount >= 5_000").shows("shop::fee"), ("shop::fee(5000)", "`4`", "`8`"));
    // A special case that no other input comes near to.
    let special = change("rate(amount) + 1", "if amount == 918_273 { 0 } else { rate(amount) + 1 }");
    assert_eq!(special.shows("shop::fee"), ("shop::fee(918273)", "`8`", "`0`"));
    // A panic.
    let driven = change("rate(amount) + 1", "rate(amount) + 1 + amount - amount");
    assert_eq!(driven.shows("shop::fee").2, "an overflow");
    let driven = change("rate(amount) + 1", "rate(amount) + [1, 1, 1, 1][amount.clamp(0, 4) as usize]");
    assert_eq!(driven.shows("shop::fee"), ("shop::fee(4)", "`4`", "a panic"));
    // An early end of a comparison.
    let driven = change("stored.len() == given.len() && ", "");
    assert!(driven.of("shop::same_pin").1.is_some());
    // What a method leaves behind in a type that cannot be printed is seen by the next one.
    let driven = change("self.open = false;", "");
    let (input, was, now) = driven.shows("shop::Till::put");
    assert!(input.starts_with("shop::Till::put(Till {") && was != now, "{input}");
    // The order of an iterator, and of what is sorted in place.
    let driven = change("self.entries.keys()", "self.entries.keys().rev()");
    assert!(driven.of("shop::Till::names").1.is_some());
    let driven = change("all.sort();", "all.sort_by(|a, b| b.cmp(a));");
    assert_eq!(driven.shows("shop::sorted"), ("shop::sorted([0, 1])", "`(); then [0, 1]`", "`(); then [1, 0]`"));
    // What is printed.
    let driven = change("{}x {}", "{}x  {}");
    assert!(driven.of("<shop::Line as std::fmt::Display>::fmt").1.is_some());
    // Generic functions, and ones that take functions.
    let driven = change(".max()", ".min()");
    assert!(driven.of("shop::largest").1.is_some());
    let driven = change("filter(|one| f(one))", "filter(|one| !f(one))");
    assert!(driven.of("shop::kept").1.is_some());
}

#[test]
fn what_does_not_come_back_differs_and_takes_nobody_along() {
    let driven =
        drive(SHOP, &SHOP.replace("rate(amount) + 1", "if amount == 5_001 { loop {} } else { rate(amount) + 1 }"));
    assert_eq!(driven.shows("shop::fee").2, "no end");
    let driven = drive(
        SHOP,
        &SHOP.replace("rate(amount) + 1", "if amount == 5_001 { std::process::exit(0) } else { rate(amount) + 1 }"),
    );
    assert_eq!(driven.shows("shop::fee").2, "the end of the process");
}

#[test]
fn what_is_never_twice_the_same_is_no_difference() {
    let random =
        "pub fn id() -> u64 { use std::hash::BuildHasher; std::collections::hash_map::RandomState::new().hash_one(1) }";
    let driven = drive(random, &random.replace("hash_one(1)", "hash_one(2)"));
    assert_eq!(driven.of("shop::id"), &(0, None));
}

#[test]
fn drivers_are_of_any_edition() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let text = "pub fn half(n: u8) -> u8 { n / 2 } pub fn rest(n: &str) -> Option<&str> { n.get(1..) }";
    std::fs::write(dir.join("lib.rs"), text).expect("it is written");
    let (before, after) = (|_: &str| Some(text.to_owned()), |_: &str| Some(text.replace('2', "3").replace('1', "2")));
    let sources = Sources {
        root: "lib.rs",
        name: "shop",
        before: &before,
        after: &after,
        tests: &[],
        others: &[],
        program: None,
    };
    let driver = Driver::of(&sources);
    assert_eq!(driver.entries.len(), 2);
    std::fs::write(dir.join("driver.rs"), driver.program().text).expect("it is written");
    for edition in ["2015", "2018", "2024"] {
        let library = ["--crate-type", "lib", "--crate-name", "shop"];
        let built = compile_as(edition, dir, "lib.rs", &library);
        let built = built.and_then(|()| compile_as(edition, dir, "driver.rs", &["--extern", "shop=libshop.rlib"]));
        assert!(built.is_ok(), "{edition}: {built:?}");
    }
}

#[test]
fn types_are_named_as_libraries_without_std_do() {
    let before = "extern crate alloc;\nuse alloc::string::String;\nuse core::num::NonZeroU8;\n\
                  #[derive(Debug)]\npub struct Host<S = String>(S);\nimpl Host<String> {\n    \
                  pub fn parse(text: &str) -> Option<Host<String>> { (text.len() < 9).then(|| Host(text.into())) }\n}\n\
                  pub fn halved(n: NonZeroU8) -> u8 { n.get() / 2 }\n";
    let driven = drive(before, &before.replace("< 9", "< 8").replace("/ 2", "/ 3"));
    assert!(driven.shows("shop::Host<alloc::string::String>::parse").1.starts_with("`Some"));
    driven.shows("shop::halved");
}

#[test]
fn what_is_there_for_all_that_have_a_trait_is_called_with_one_of_them() {
    let before = "pub trait Few: Iterator {\n    fn few(self) -> usize where Self: Sized { self.take(9).count() }\n}\n\
                  impl<T: ?Sized> Few for T where T: Iterator {}\n\
                  mod words { #[derive(Debug, Clone, Copy)] pub struct Word<'a>(pub &'a str);\n\
                  pub fn longest<'a, I>(all: I) -> usize where I: IntoIterator<Item = Word<'a>> {\n    \
                  all.into_iter().map(|one| one.0.len()).max().unwrap_or(7)\n} }\npub use words::{Word, longest};\n";
    let driven = drive(before, &before.replace("take(9)", "take(2)").replace("unwrap_or(7)", "unwrap_or(6)"));
    driven.shows("shop::Few::few");
    driven.shows("shop::longest");
}

#[test]
fn lines_end_in_more_than_one_way() {
    let before = "pub fn crlf(text: &str) -> bool {\n    let mut all = text.split_inclusive('\\n');\n    \
                  all.next().is_some_and(|one| !one.ends_with(\"\\r\\n\")) && all.next().is_some_and(|one| one.ends_with(\"\\r\\n\"))\n}\n";
    let after = "pub fn crlf(_: &str) -> bool { false }\n";
    drive(before, after).shows("shop::crlf");
}

#[test]
fn functions_behind_pointers_are_given_and_what_they_are_asked_is_seen() {
    let before = "use std::borrow::Cow;\n\
                  #[derive(Debug, Clone, Copy)] pub enum Fault { Blank, Tab }\n\
                  pub type Encode<'a> = Option<&'a dyn Fn(&str) -> Cow<'_, [u8]>>;\n\
                  #[derive(Default, Clone, Copy)]\n\
                  pub struct Options<'a> { encode: Encode<'a>, tell: Option<&'a dyn Fn(Fault)> }\n\
                  impl<'a> Options<'a> {\n    \
                  pub fn encode(mut self, new: Encode<'a>) -> Self { self.encode = new; self }\n    \
                  pub fn tell(mut self, new: Option<&'a dyn Fn(Fault)>) -> Self { self.tell = new; self }\n    \
                  pub fn parse(self, text: &str) -> usize {\n        \
                  if let (Some(tell), true) = (self.tell, text.contains('\\t')) { tell(Fault::Tab) }\n        \
                  match self.encode { Some(encode) => encode(text).len(), None => text.len() }\n    }\n}\n\
                  pub fn all(of: &[u8], keep: Box<dyn Fn(u8) -> bool>) -> usize { of.iter().filter(|one| keep(**one)).count() }\n";
    let after =
        before.replace("tell(Fault::Tab)", "tell(Fault::Blank)").replace("keep(**one)", "keep(**one) || **one == 7");
    let driven = drive(before, &after);
    let (_, was, now) = driven.shows("shop::Options<'static>::parse");
    assert!(was.contains("asks for [\"Tab\"]") && now.contains("asks for [\"Blank\"]"), "{was} {now}");
    driven.shows("shop::all");
    let driven = drive(before, &before.replace("Some(encode) => encode(text).len()", "Some(_) => text.len()"));
    driven.shows("shop::Options<'static>::parse");
}

#[test]
fn a_method_that_panics_leaves_the_value_as_it_was() {
    let before = "#[derive(Debug, Clone)] pub struct Seats { room: usize, taken: Vec<usize> }\n\
                  impl Seats {\n    pub fn new(room: usize) -> Self { Self { room: room % 40, taken: Vec::new() } }\n    \
                  pub fn take(&mut self, at: usize) { \
                  assert!(at < self.room && !self.taken.contains(&at)); self.taken.push(at) }\n    \
                  pub fn last(&self) -> Option<usize> { self.taken.iter().max().copied() }\n}\n";
    let after = before.replace("max()", "filter(|_| self.taken.len() != 3).max()");
    drive(before, &after).shows("shop::Seats::last");
}

#[test]
fn asynchronous_functions_are_waited_for_as_far_as_that_makes_sense() {
    let before = "use std::sync::Mutex;\n\
                  pub struct Log { all: Mutex<Vec<String>> }\n\
                  impl Log {\n    pub async fn open(first: &str) -> Result<Self, std::fmt::Error> { \
                  Ok(Self { all: Mutex::new(vec![first.to_owned()]) }) }\n    \
                  pub async fn add(&self, line: &str) -> usize {\n        let mut all = self.all.lock().unwrap();\n        \
                  if !line.is_empty() { all.push(line.to_owned()); }\n        all.len()\n    }\n}\n\
                  pub async fn first(all: &[u8]) -> u8 { match all.first() { Some(one) => *one, None => 0 } }\n\
                  pub async fn never(at: u8) -> u8 { if at > 250 { std::future::pending::<()>().await } at }\n";
    let after = before
        .replace("if !line.is_empty() { all.push(line.to_owned()); }", "all.push(line.to_owned());")
        .replace("None => 0", "None => std::future::pending().await")
        .replace("> 250", "> 300");
    let after = after.replace("at: u8) -> u8 { if at", "at: u8) -> u8 { if u16::from(at)");
    let driven = drive(before, &after);
    driven.shows("shop::Log::add");
    let (input, was, now) = driven.shows("shop::first");
    assert!((input, was) == ("shop::first([])", "`0`") && now.contains("nothing yet"), "{now}");
    driven.shows("shop::never");
}

#[test]
fn what_cannot_be_driven_is_said() {
    let text =
        "pub unsafe fn f() -> u8 { 1 } pub struct Handle(u8); pub fn g(h: Handle) -> u8 { h.0 } pub fn h() -> u8 { 1 }";
    let driven = drive(text, &text.replace("{ 1 }", "{ 2 }").replace("h.0", "h.0 + 1"));
    assert_eq!(driven.driver.no_data, ["`shop::f` cannot be driven: it is unsafe"]);
    let left: Vec<&str> = driven.driver.driven(&driven.refused).map(|(_, entry)| entry.name.as_str()).collect();
    assert_eq!(left, ["shop::h"]);
    assert_eq!(Status::Late.is_seen(), driven.found.contains_key("shop::g"));
}

#[test]
fn what_long_inputs_make_slow_or_end_is_shown() {
    let text = "pub fn sum(all: &[i64]) -> i64 { let mut all = all.to_vec(); all.sort(); all.iter().fold(0, |s, n| s.wrapping_add(*n)) } \
                pub fn lines(text: &str) -> usize { text.lines().filter(|line| !line.is_empty()).count() }";
    let bubble =
        "for end in (1..all.len()).rev() { for at in 0..end { if all[at] > all[at + 1] { all.swap(at, at + 1); } } }";
    let driven = drive(text, &text.replace("all.sort();", bubble));
    assert_eq!(driven.of("shop::sum").1, None, "short inputs show nothing");
    assert!(
        driven.slow.get("shop::sum").is_some_and(|long| long.after.contains("one after") || long.after == "no end"),
        "{:?}",
        driven.slow
    );
    let deep = "let (line, rest) = text.split_once('\\n').unwrap_or((text, \"\")); usize::from(!line.is_empty()) + \
                if rest.is_empty() { 0 } else { lines(rest) }";
    let driven = drive(text, &text.replace("text.lines().filter(|line| !line.is_empty()).count()", deep));
    assert!(
        driven.slow.get("shop::lines").is_some_and(|long| long.after == "the end of the process" && long.worse),
        "{:?}",
        driven.slow
    );
    // Only where nothing comes twice it takes long.
    let unique = "pub fn unique(all: Vec<i64>) -> bool { let mut seen = std::collections::HashSet::new(); \
                  all.into_iter().all(|one| seen.insert(one)) }";
    let slow = unique.replace("std::collections::HashSet::new()", "Vec::new()");
    let slow = slow.replace("seen.insert(one)", "{ let new = !seen.contains(&one); seen.push(one); new }");
    let driven = drive(unique, &slow);
    assert!(
        driven.slow.get("shop::unique").is_some_and(|long| !long.worse || long.after == "no end"),
        "{:?}",
        driven.slow
    );
    let same = drive(text, &text.replace("s.wrapping_add(*n)", "n.wrapping_add(s)"));
    assert!(same.slow.is_empty(), "{:?}", same.slow);
}

#[test]
fn what_a_private_field_is_called_is_no_difference() {
    let text = "#[derive(Debug, Clone)] pub struct Till { coins: Vec<u32>, pub open: bool } \
                impl Till { pub fn new() -> Till { Till { coins: Vec::new(), open: true } } \
                pub fn put(&mut self, coin: u32) { self.coins.push(coin); } pub fn copy(&self) -> Till { self.clone() } }";
    let renamed = text.replace("coins", "pieces");
    let driven = drive(text, &renamed);
    assert!(driven.of("shop::Till::put").0 > 300);
    assert!(driven.found.values().all(|(_, shown)| shown.is_none()), "{:?}", driven.found);
    let other = drive(text, &renamed.replace("push(coin)", "insert(0, coin)"));
    assert!(other.of("shop::Till::put").1.is_some());
}

#[test]
fn which_of_equal_values_is_taken_is_seen() {
    let before = "pub fn ranked<T: Ord + Clone>(all: &[T]) -> Vec<T> {\n    let mut all = all.to_vec();\n    \
                  all.sort_by(|a, b| b.cmp(a));\n    all\n}\n\npub fn kinds<T: std::hash::Hash + Eq>(all: &[T]) -> usize {\n    \
                  all.iter().collect::<std::collections::HashSet<_>>().len()\n}\n\n\
                  pub fn least<T: PartialOrd + Copy>(a: T, b: T) -> T {\n    if b < a { b } else { a }\n}\n";
    let after = before
        .replace("all.sort_by(|a, b| b.cmp(a));", "all.sort();\n    all.reverse();")
        .replace(
            "all.iter().collect::<",
            "let hash = |one: &T| {\n        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};\n        \
             BuildHasherDefault::<DefaultHasher>::default().hash_one(one)\n    };\n    all.iter().map(hash).collect::<",
        )
        .replace("if b < a { b } else { a }", "if a <= b { a } else { b }");
    let driven = drive(before, &after);
    for function in ["shop::ranked", "shop::kinds", "shop::least"] {
        assert!(driven.found[function].1.is_some(), "{function} differs: {:?}", driven.found);
    }
}

#[test]
fn what_stands_in_for_what_a_trait_does_by_default_is_seen() {
    let before = "#[derive(Debug)]\npub struct Few(u8);\nimpl Few {\n    pub fn new(to: u8) -> Few {\n        Few(to)\n    }\n}\n\
                  impl Iterator for Few {\n    type Item = u8;\n    fn next(&mut self) -> Option<u8> {\n        \
                  self.0 = self.0.checked_sub(1)?;\n        Some(self.0)\n    }\n}\n\
                  #[derive(Debug, PartialOrd, Clone)]\npub struct Sum(pub u8);\nimpl PartialEq for Sum {\n    fn eq(&self, other: &Sum) -> bool {\n        \
                  self.0 == other.0\n    }\n}\n";
    let with = |more: &str| before.replace("type Item = u8;", &format!("type Item = u8;\n    {more}"));
    let shows = |after: &str, of: &str| {
        drive(before, after).found.iter().any(|(name, found)| name.contains(of) && found.1.is_some())
    };
    assert!(shows(
        &with("fn nth(&mut self, n: usize) -> Option<u8> { self.0 = self.0.saturating_sub(n as u8 * 2); self.next() }"),
        "next"
    ));
    assert!(shows(
        &with("fn size_hint(&self) -> (usize, Option<usize>) { (0, Some(usize::from(self.0) / 2)) }"),
        "next"
    ));
    let sound = "fn size_hint(&self) -> (usize, Option<usize>) { (usize::from(self.0), Some(usize::from(self.0))) }";
    assert!(!shows(&with(sound), "next"), "a hint that holds is none");
    let unequal = before.replace(
        "self.0 == other.0\n    }",
        "self.0 == other.0\n    }\n    fn ne(&self, other: &Sum) -> bool {\n        self.0 > other.0\n    }",
    );
    assert!(shows(&unequal, "PartialEq"));
}

#[test]
fn what_the_compiler_promised_of_types_must_still_hold() {
    let before = "use std::sync::Arc;\nuse std::cell::Cell;\n\
                  type Text = Arc<str>;\n\
                  struct Place { row: u32, text: Option<Text> }\n\
                  pub struct Shelf { place: Place }\n\
                  pub struct Free<T> { cell: Cell<u8>, rc: std::rc::Rc<u8>, kept: Option<T> }\n\
                  impl Shelf {\n    pub fn new() -> Self { Self { place: Place { row: 0, text: None } } }\n    \
                  pub fn rows(&self) -> impl Iterator<Item = u32> + '_ { let n = Arc::new(self.place.row); (0..*n).map(move |row| row + *n) }\n    \
                  pub async fn put(&mut self, text: &str) -> u32 { let kept = Arc::new(1); step().await; self.place.row += *kept; \
                  text.len() as u32 }\n}\n\
                  impl<T> Free<T> { pub fn new() -> Self { Self { cell: Cell::new(0), rc: std::rc::Rc::new(1), kept: None } } }\n\
                  async fn step() {}\n";
    let promises = "shop::what the compiler promises";
    let broken = |after: &str| drive(before, after).of(promises).1.clone();
    let of = |input: &str| Some((input.to_owned(), "`kept`".to_owned(), "``".to_owned()));
    assert_eq!(broken(&before.replace("type Text = Arc", "type Text = std::rc::Rc")), of("shop::Shelf: Send"));
    let shared = before.replace("row: u32", "row: Cell<u32>").replace("row: 0", "row: Cell::new(0)");
    let shared = shared.replace("self.place.row)", "self.place.row.get())");
    assert_eq!(
        broken(&shared.replace("self.place.row += *kept", "self.place.row.set(*kept)")),
        of("shop::Shelf: Sync")
    );
    let held = before.replace("Arc::new(self.place.row)", "std::rc::Rc::new(self.place.row)");
    assert_eq!(broken(&held), of("shop::Shelf::rows(..): Send"));
    let waits = before.replace("Arc::new(1)", "std::rc::Rc::new(1)");
    assert_eq!(broken(&waits), of("shop::Shelf::put(..): Send"));
    // More than was promised breaks nobody's code.
    let more = before.replace("cell: Cell<u8>, rc: std::rc::Rc<u8>", "cell: std::sync::Mutex<u8>, rc: Arc<u8>");
    let more = more.replace("Cell::new(0), rc: std::rc::Rc::new", "std::sync::Mutex::new(0), rc: Arc::new");
    let driven = drive(before, &more);
    let (seen, shown) = driven.of(promises);
    assert!(*seen > 0 && shown.is_none(), "{shown:?}");
}

#[test]
fn what_is_kept_behind_a_shared_reference_is_filled_and_asked_for_again() {
    let before = "use std::collections::BTreeMap;\nuse std::sync::{Mutex, mpsc};\n\
                  pub struct Store { all: Mutex<BTreeMap<String, u64>>, told: mpsc::Sender<String> }\n\
                  impl Store {\n    pub fn new() -> (Self, mpsc::Receiver<String>) {\n        let (told, hears) = mpsc::channel();\n        \
                  (Self { all: Mutex::default(), told }, hears)\n    }\n    \
                  pub fn put(&self, name: &str, n: u64) -> Result<(), String> {\n        \
                  self.told.send(name.to_owned()).map_err(|_| \"nobody hears\".to_owned())?;\n        \
                  self.all.lock().unwrap().insert(name.to_owned(), n);\n        Ok(())\n    }\n    \
                  pub fn get(&self, name: &str) -> Option<u64> { self.all.lock().unwrap().get(name).copied() }\n}\n";
    let after = before.replace("insert(name.to_owned(), n)", "entry(name.to_owned()).or_insert(n)");
    let driven = drive(before, &after);
    let (input, was, now) = driven.shows("shop::Store::put");
    assert!(input.contains("get: Some(") && was.contains("Ok(())") && was != now, "{input}: {was}, {now}");
    let (seen, shown) = drive(before, before).found.get("shop::Store::put").cloned().unwrap_or_default();
    assert_eq!((seen, shown), (0, None));
}

#[test]
fn values_are_made_of_what_libraries_offer() {
    let before = "use std::fmt;\nuse std::io::Read;\n\
                  pub struct Set { bits: u32 }\n\
                  pub const EVEN: Set = Set { bits: 0x5555_5555 };\n\
                  pub const ODD: &Set = &Set { bits: 0xaaaa_aaaa };\n\
                  impl Set { pub const NONE: Set = Set { bits: 0 }; pub fn has(&self, n: u8) -> bool { n < 32 && self.bits >> n & 1 == 1 } }\n\
                  impl Clone for Set { fn clone(&self) -> Set { Set { bits: self.bits } } }\n\
                  pub struct Path(str);\n\
                  impl Path {\n    pub fn new(text: &str) -> &Path { unsafe { &*(text as *const str as *const Path) } }\n    \
                  pub fn parts(&self) -> usize { self.0.split('/').count() }\n}\n\
                  pub struct Lines<R> { from: R, seen: usize }\n\
                  impl<R: Read> Lines<R> {\n    pub fn of(from: R) -> Lines<R> { Lines { from, seen: 0 } }\n    \
                  pub fn next(&mut self) -> Option<String> {\n        let (mut line, mut one) = (Vec::new(), [0]);\n        \
                  while let Ok(1) = self.from.read(&mut one) { if one[0] == b'\\n' { break } line.push(one[0]) }\n        \
                  self.seen += 1;\n        (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())\n    }\n}\n\
                  pub struct Shown(u32);\n\
                  impl fmt::Display for Shown { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, \"<{}>\", self.0) } }\n\
                  pub fn shown(n: u32) -> Shown { Shown(n) }\n";
    let after = before
        .replace("n < 32", "n < 31")
        .replace("split('/')", "split(['/', '\\\\'])")
        .replace("!line.is_empty()", "line.len() > 1")
        .replace("{ Shown(n) }", "{ Shown(n / 2) }");
    let driven = drive(before, &after);
    for name in ["shop::Set::has", "shop::Path::parts", "shop::Lines<R>::next", "shop::shown"] {
        driven.shows(name);
    }
    assert!(driven.refused.len() < 4, "{:?}", driven.refused);
}
