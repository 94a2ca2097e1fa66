//! Rules about what a file has more of than before, outside of its tests. `panic-added`: a way to panic, which ends what it
//! is in the middle of when data comes that nobody thought of. `print-added`: a library that prints, where others read along.

use super::Findings;
use super::code::CodeFile;
use super::code::unit::Unit;

pub(super) const PANIC: &str = "panic-added";
pub(super) const PRINT: &str = "print-added";

/// A place where something is done: what, and at which byte of its unit.
type Place = (&'static str, usize);

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    for (rule, what) in [(PANIC, "may panic"), (PRINT, "prints what others may read")] {
        let places = if rule == PANIC { panics } else { prints };
        if rule == PRINT && is_program(file) {
            continue;
        }
        // What cannot be reached may be said once more where it was said already.
        let known = |unit: &Unit<'_>| {
            let of = |units: &[Unit<'_>]| {
                let same = units.iter().find(|old| old.key() == unit.key());
                same.is_some_and(|old| places(old).iter().any(|(word, _)| *word == "unreachable"))
            };
            of(&file.old) && of(&file.new)
        };
        let places = |unit: &Unit<'_>| -> Vec<Place> {
            let known = known(unit);
            places(unit).into_iter().filter(|(word, _)| !(known && *word == "unreachable")).collect()
        };
        let count = |units: &[Unit<'_>]| -> usize {
            units.iter().filter(|unit| !unit.is_test_code()).map(|unit| places(unit).len()).sum()
        };
        if count(&file.new) <= count(&file.old) {
            continue;
        }
        for unit in file.new.iter().filter(|unit| !unit.is_test_code()) {
            let before = file.old.iter().find(|old| old.key() == unit.key()).map_or(0, |old| places(old).len());
            let found = places(unit);
            if let Some((word, at)) = found.last().filter(|_| found.len() > before) {
                let detail = format!("line {}: `{word}` in `{}` {what}", unit.line(*at), unit.label());
                findings.ask(rule, file.path, detail);
            }
        }
    }
}

/// Whether a file is a program of its own, or a part of one as far as its place tells.
fn is_program(file: &CodeFile<'_>) -> bool {
    let path = file.path.as_str();
    path.ends_with("src/main.rs")
        || path.contains("src/bin/")
        || path.ends_with("build.rs")
        || path.contains("examples/")
}

fn panics(unit: &Unit<'_>) -> Vec<Place> {
    const METHODS: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];
    const MACROS: [&str; 4] = ["panic", "unreachable", "todo", "unimplemented"];
    let calls = unit.lexemes().windows(3).filter_map(|window| match window {
        [dot, name, open] if dot.text == "." && open.text == "(" => {
            METHODS.iter().find(|method| **method == name.text).map(|method| (*method, name.at))
        }
        _ => None,
    });
    calls.chain(macros(unit, &MACROS)).collect()
}

fn prints(unit: &Unit<'_>) -> Vec<Place> {
    macros(unit, &["println", "print", "eprintln", "eprint", "dbg"])
}

fn macros(unit: &Unit<'_>, wanted: &[&'static str]) -> Vec<Place> {
    let found = unit.paths().iter().filter(|path| path.is_macro).filter_map(|path| {
        let name = path.parts.last()?;
        wanted.iter().find(|one| *one == name).map(|one| (*one, path.at))
    });
    found.collect()
}
