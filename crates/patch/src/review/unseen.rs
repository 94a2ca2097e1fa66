//! Rule `unseen-by-tests`: what no test of the usual kind can see asks a person. Work that is done inside of debug assertions is
//! gone in the program that people get; and a comparison of secrets that stops at the first difference gives the same answers
//! as one that takes the same time for all, but tells by its time how much was right. So do checks that only debug builds make, and
//! assertions that are gone: they are there for what nobody thinks of.

use super::Findings;
use super::code::CodeFile;
use super::code::scan::{Known, PathUse};
use super::code::unit::Unit;
use crate::syntax::lex::{Kind, Lexeme};

pub(super) const RULE: &str = "unseen-by-tests";

/// Methods that change what they are called on, by the names that the standard library and most others give them.
const CHANGING: &[&str] = &[
    "push",
    "push_str",
    "push_back",
    "push_front",
    "pop",
    "pop_back",
    "pop_front",
    "pop_first",
    "pop_last",
    "insert",
    "remove",
    "swap_remove",
    "take",
    "replace",
    "clear",
    "retain",
    "drain",
    "extend",
    "append",
    "truncate",
    "dedup",
    "sort",
    "sort_by",
    "sort_by_key",
    "sort_unstable",
    "reverse",
    "swap",
    "set",
    "entry",
    "get_or_insert",
    "get_or_insert_with",
    "next",
    "next_back",
    "nth",
    "write",
    "write_all",
    "flush",
    "read",
    "read_to_end",
    "store",
    "fetch_add",
    "fetch_sub",
    "compare_exchange",
    "send",
    "try_send",
    "recv",
    "try_recv",
    "advance",
    "resize",
    "split_off",
    "fill",
];
/// Macros that check in every build.
const CHECKS: &[&str] = &["assert", "assert_eq", "assert_ne", "panic", "unreachable", "unimplemented", "todo"];
/// What compares in the same time for all inputs, by name.
const SAME_TIME: &[&str] = &[
    "ct_eq",
    "ct_ne",
    "ct_gt",
    "ct_lt",
    "constant_time_eq",
    "constant_time_compare",
    "fixed_time_eq",
    "verify_slices_are_equal",
    "memcmp_ct",
    "secure_compare",
    "timing_safe_eq",
    "crypto_memcmp",
];

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    let mut known = Known::default();
    for unit in &file.old {
        in_debug_assertions(unit).into_iter().for_each(|(key, _)| known.add(key));
    }
    for unit in file.new.iter().filter(|unit| !unit.is_test_code()) {
        for (key, at) in in_debug_assertions(unit).into_iter().filter(|(key, _)| known.is_new(key)) {
            let (line, label) = (unit.line(at), unit.label());
            let name = key.split(' ').next().unwrap_or_default();
            let detail =
                format!("line {line}: `{name}!` in `{label}` may change something, which release builds leave out");
            findings.ask(RULE, file.path, detail);
        }
        let before = file.old.iter().find(|old| old.key() == unit.key());
        if let Some(old) = before
            && asserts(unit) < asserts(old)
            && refusals(unit) <= refusals(old)
            && file_asserts(&file.new) < file_asserts(&file.old)
        {
            let detail = format!("`{}` asserts less than before, and nothing else refuses it", unit.label());
            findings.ask(RULE, file.path, detail);
        }
        if before.is_some_and(takes_the_same_time) && !takes_the_same_time(unit) {
            let detail = format!("`{}` no longer compares in the same time for all inputs", unit.label());
            findings.ask(RULE, file.path, detail);
        }
        if before.is_some_and(|old| checks(unit) < checks(old) && debug_checks(unit) > debug_checks(old)) {
            let detail = format!("`{}` checks in debug builds only what it checked in all", unit.label());
            findings.ask(RULE, file.path, detail);
        }
    }
}

/// How many checks of a unit every build makes.
fn checks(unit: &Unit<'_>) -> usize {
    macros(unit, |name| CHECKS.contains(&name))
}

/// How many of them say what must hold.
fn asserts(unit: &Unit<'_>) -> usize {
    macros(unit, |name| name.starts_with("assert"))
}

fn file_asserts(units: &[Unit<'_>]) -> usize {
    units.iter().filter(|unit| !unit.is_test_code()).map(asserts).sum()
}

/// In how many other ways a unit may refuse something, or end early.
fn refusals(unit: &Unit<'_>) -> usize {
    const WORDS: [&str; 6] = ["Err", "None", "return", "?", "expect", "unwrap"];
    let others = macros(unit, |name| CHECKS.contains(&name) && !name.starts_with("assert"));
    others + unit.lexemes().iter().filter(|lexeme| WORDS.contains(&lexeme.text)).count()
}

/// How many only debug builds make.
fn debug_checks(unit: &Unit<'_>) -> usize {
    macros(unit, |name| name.starts_with("debug_assert"))
}

fn macros(unit: &Unit<'_>, is_meant: impl Fn(&str) -> bool) -> usize {
    let of = |path: &&PathUse<'_>| path.is_macro && path.parts.last().is_some_and(|name| is_meant(name));
    unit.paths().iter().filter(of).count()
}

/// Debug assertions that may change something: their text, and where they stand.
fn in_debug_assertions(unit: &Unit<'_>) -> Vec<(String, usize)> {
    let lexemes = unit.lexemes();
    let asserts = unit.paths().iter().filter_map(|path| {
        let name = path.parts.last().filter(|name| path.is_macro && name.starts_with("debug_assert"))?;
        changes(path.given(lexemes)).then(|| (format!("{name} {}", path.arguments(lexemes)), path.at))
    });
    asserts.collect()
}

/// Whether code may change something: it calls a method that is known to, lends something to be changed, or assigns.
fn changes(lexemes: &[Lexeme<'_>]) -> bool {
    let text = |at: usize| lexemes.get(at).map_or("", |lexeme| lexeme.text);
    (0..lexemes.len()).any(|at| match text(at) {
        "." => CHANGING.contains(&text(at + 1)) && text(at + 2) == "(",
        "&" => text(at + 1) == "mut",
        // Neither a comparison nor an arm.
        "=" => !"=>".contains(text(at + 1)) && at.checked_sub(1).is_some_and(|before| !"=<>!.".contains(text(before))),
        _ => false,
    })
}

/// Whether something is compared without an early end: by a function that is called so, or by what differs being put together
/// bit by bit.
fn takes_the_same_time(unit: &Unit<'_>) -> bool {
    let lexemes = unit.lexemes();
    let has = |text: &str| lexemes.iter().any(|lexeme| lexeme.text == text);
    let with_zero = lexemes.windows(3).any(|window| match window {
        [one, two, zero] => one.text == "=" && two.text == "=" && zero.text.trim_end_matches("u8") == "0",
        _ => false,
    });
    let named = lexemes.iter().any(|lexeme| lexeme.kind == Kind::Ident && SAME_TIME.contains(&lexeme.text));
    named || (has("^") && has("|") && with_zero)
}
