//! Texts with mutants, compiled by the compiler and run: nothing is changed when none is on, and each does what it says.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use kaizen_mutants::{Instrumented, changed, instrument, switch};

const TEXT: &str = r#"#!/usr/bin/env run-rust
#![deny(warnings)]
use std::fmt::Write as _;

pub struct Till { coins: Vec<u32> }

impl Till {
    pub fn total(&self, tax: bool) -> u32 {
        let mut sum = 0;
        for coin in &self.coins {
            sum += *coin;
        }
        if tax && sum > 10 { sum * 2 } else { sum }
    }

    pub fn put(&mut self, coin: u32) {
        self.coins.push(coin);
    }
}

pub const fn known(n: usize) -> usize { n + 1 }

pub fn told(n: i64) -> String {
    let mut text = String::new();
    let _ = write!(text, "{}", -n);
    let mut list;
    list = vec![known(1)];
    list[0] -= 2;
    if let Some(first) = list.first() && n < 0 {
        text.push_str(if text.is_empty() { "none" } else { "some" });
        return format!("{text}{first}");
    }
    text
}

fn main() {
    let mut till = Till { coins: vec![1, 2] };
    till.put(9);
    print!("{} {} {} {}", till.total(true), till.total(false), told(3), told(-3));
}
"#;

fn all(text: &str) -> BTreeSet<String> {
    changed("", text)
        .expect("it parses")
        .functions
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name != "main")
        .collect()
}

/// Compiles it; the error's place, or the program.
fn compile(text: &str, folder: &Path) -> Result<std::path::PathBuf, usize> {
    let (source, program) = (folder.join("main.rs"), folder.join("program"));
    std::fs::write(&source, format!("{text}{}", switch("MUTANT", "SEEN"))).expect("a file can be written");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let done = rustc.args(["--edition=2024", "--error-format=json", "-o"]).arg(&program).arg(&source).output();
    let done = done.expect("the compiler starts");
    if done.status.success() {
        return Ok(program);
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let errors = said.lines().filter(|line| line.contains("\"level\":\"error\"") && line.contains("\"byte_start\":"));
    let place = |line: &str| line.split("\"byte_start\":").nth(1)?.split(',').next()?.parse().ok();
    Err(errors.filter_map(place).next().unwrap_or_else(|| panic!("{said}")))
}

fn run(program: &Path, on: Option<usize>) -> String {
    let mut command = Command::new(program);
    if let Some(on) = on {
        command.env("MUTANT", on.to_string());
    }
    String::from_utf8_lossy(&command.output().expect("it starts").stdout).into_owned()
}

/// Compiled, with the mutants left out that the compiler refuses.
fn taken(text: &str, changed: &[Range<u32>], folder: &Path) -> (Instrumented, std::path::PathBuf, usize) {
    let mut without = BTreeSet::new();
    loop {
        let made = instrument(text, &all(text), changed, 0, &without).expect("it parses");
        match compile(&made.text, folder) {
            Ok(program) => return (made, program, without.len()),
            Err(at) => {
                assert!(without.insert(made.refused(at..at + 1).expect("a mutant is to blame")), "refused twice")
            }
        }
    }
}

#[test]
fn nothing_is_changed_until_a_mutant_is_on_and_then_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (made, program, refused) = taken(TEXT, &[], folder.path());
    assert_eq!(made.text.lines().count(), TEXT.lines().count(), "every line stays where it is");
    assert_eq!(run(&program, None), "24 12 -3 3some0");
    // A crate that takes warnings for errors does so for what is its own only.
    assert!(refused < 3, "{refused} of {} were refused", made.mutants.len());
    let says = |what: &str| {
        let found = made.mutants.iter().find(|mutant| mutant.what == what);
        run(&program, Some(found.unwrap_or_else(|| panic!("no mutant {what}: {:#?}", made.mutants)).number))
    };
    assert_eq!(says("replaces `*` by `+`"), "14 12 -3 3some0");
    assert_eq!(says("replaces `&&` by `||`"), "24 24 -3 3some0");
    assert_eq!(says("leaves out `self . coins . push (coin)`"), "3 3 -3 3some0");
    assert_eq!(says("returns `1` at once"), "1 1 -3 3some0");
    assert_eq!(says("leaves out `-`"), "24 12 3 -3some0");
    assert_eq!(says("negates `text . is_empty ()`"), "24 12 -3 3none0");
    assert!(made.mutants.iter().all(|mutant| mutant.function != "known"), "what is constant asks no switch");
}

#[test]
fn how_the_code_is_built_is_no_condition_to_negate() {
    let text = "fn a(b: bool) -> u8 { if cfg!(windows) { 1 } else if b { 2 } else { 3 } }";
    let made = instrument(text, &all(text), &[], 0, &BTreeSet::new()).expect("it parses");
    let negated: Vec<&str> =
        made.mutants.iter().map(|one| one.what.as_str()).filter(|what| what.starts_with("negates")).collect();
    assert_eq!(negated, ["negates `b`"]);
}

#[test]
fn what_is_done_with_a_way_out_where_it_fails_is_left_out_too() {
    let text = "fn a(n: u8) -> Option<u8> { above(n)?; let m = half(n)?; Some(m) }";
    let made = instrument(text, &all(text), &[], 0, &BTreeSet::new()).expect("it parses");
    let left_out: Vec<&str> =
        made.mutants.iter().map(|one| one.what.as_str()).filter(|what| what.starts_with("leaves out")).collect();
    assert_eq!(left_out, ["leaves out `above (n) ?`"]);
}

#[test]
fn what_is_reached_is_noted_with_the_name_of_the_thread() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (made, program, _) = taken(TEXT, &[], folder.path());
    let seen = folder.path().join("seen");
    Command::new(program).env("SEEN", &seen).output().expect("it starts");
    let seen = std::fs::read_to_string(seen).expect("something was reached");
    let lines: Vec<&str> = seen.lines().collect();
    assert!(lines.iter().all(|line| line.ends_with(" main")), "{lines:?}");
    let at_once = made.mutants.iter().filter(|mutant| mutant.what.contains("at once"));
    for mutant in at_once {
        assert!(lines.contains(&format!("{} main", mutant.number).as_str()), "{mutant:?}");
    }
}

/// Lines that tests run and do not, of a text in which all of them change.
#[test]
fn of_each_line_that_changes_it_is_known_whether_it_was_run() {
    let text = r#"
pub fn kind(n: i32, list: &[i32]) -> &'static str {
    let sum: i32 = list
        .iter()
        .map(|one| one + 1)
        .filter_map(|one| {
            if one > 100 {
                return None;
            }
            Some(one)
        })
        .sum();
    match n {
        0 => "none",
        // Nobody asks for it.
        7 => panic!(
            "seven {sum}"
        ),
        _ if sum > 3 => {
            "many"
        }
        _ => "some",
    }
}

fn main() {
    print!("{} {}", kind(1, &[1]), kind(0, &[9]));
}
"#;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (made, program, _) = taken(text, std::slice::from_ref(&(1..u32::MAX)), folder.path());
    let seen = folder.path().join("seen");
    let done = Command::new(program).env("SEEN", &seen).output().expect("it starts");
    assert_eq!(String::from_utf8_lossy(&done.stdout), "some none");
    let seen = std::fs::read_to_string(seen).expect("something was reached");
    let is_seen = |number: usize| seen.lines().any(|line| line == format!("{number} main"));
    let lines = |run: bool| {
        let some = made.places.iter().filter(|place| is_seen(place.number) == run);
        let mut lines: Vec<u32> = some.flat_map(|place| place.lines.clone()).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(lines(false), [8, 16, 17, 20], "{:#?}", made.places);
    assert_eq!(lines(true), [3, 4, 5, 6, 7, 10, 12, 13, 14, 19, 22]);
}
