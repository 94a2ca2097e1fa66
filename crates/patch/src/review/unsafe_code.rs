//! Rule `unsafe-code`: what the compiler cannot check for us asks a person: new or changed unsafe code, foreign
//! symbols, assembly, mutable statics, and lints against them that are taken away.

use super::Findings;
use super::code::CodeFile;
use super::code::scan::{Known, closing, joined};
use super::code::unit::Unit;
use crate::shown::shown;
use crate::syntax::lex::{Kind, Lexeme};

pub(super) const RULE: &str = "unsafe-code";
/// The file has no more unsafe code than before, but some of it reads otherwise.
const CHANGED: &str = "unsafe-changed";
const PLAIN: &str = "unsafe code";

struct Use {
    /// Tells it from others; holds the code inside, so that a change of it counts as new.
    key: String,
    what: &'static str,
    at: usize,
}

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    let mut known = Known::default();
    let mut plain = 0_usize;
    for found in file.old.iter().flat_map(uses) {
        plain += usize::from(found.what == PLAIN);
        known.add(found.key);
    }
    let more = file.new.iter().flat_map(uses).filter(|found| found.what == PLAIN).count() > plain;
    for unit in &file.new {
        for found in uses(unit).into_iter().filter(|found| known.is_new(&found.key)) {
            let line = unit.line(found.at);
            let (rule, how) =
                if found.what == PLAIN && !more { (CHANGED, "changed") } else { (RULE, "new or changed") };
            findings.ask(rule, file.path, format!("line {line}: {how} {} in `{}`", found.what, unit.label()));
        }
    }
    removed_lints(file, findings);
}

fn uses(unit: &Unit<'_>) -> Vec<Use> {
    let lexemes = unit.lexemes();
    let mut found = Vec::new();
    let mut covered = 0;
    for (at, lexeme) in lexemes.iter().enumerate() {
        // What stands inside of unsafe code is part of its key already.
        if at < covered {
            continue;
        }
        let next = lexemes.get(at + 1).map_or("", |next| next.text);
        let what = match lexeme.text {
            // What a lint is called is no unsafe code.
            _ if lexeme.kind != Kind::Ident => continue,
            "unsafe" => PLAIN,
            "static" if next == "mut" => "mutable static",
            "extern" if next.starts_with('"') || matches!(next, "fn" | "{") => "foreign interface",
            "asm" | "global_asm" | "naked_asm" if next == "!" => "assembly",
            "no_mangle" | "export_name" | "link" | "link_section" | "link_name" | "naked" | "ffi_pure"
            | "ffi_const"
                if in_attribute(lexemes, at) =>
            {
                "attribute for the linker"
            }
            _ => continue,
        };
        covered = end_of(lexemes, at).max(at + 1);
        found.push(Use { key: joined(lexemes.get(at..covered).unwrap_or(&[])), what, at: lexeme.at });
    }
    found
}

fn in_attribute(lexemes: &[Lexeme<'_>], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| lexemes.get(at)).map_or("", |lexeme| lexeme.text);
    before(1) == "[" || (before(1) == "(" && matches!(before(2), "unsafe" | "cfg_attr")) || before(1) == ","
}

/// Up to the end of the block, statement or list element that begins here.
fn end_of(lexemes: &[Lexeme<'_>], from: usize) -> usize {
    let mut at = from;
    while let Some(lexeme) = lexemes.get(at) {
        match (lexeme.kind, lexeme.text) {
            (Kind::Open, "{") => return (closing(lexemes, at) + 1).min(lexemes.len()),
            (Kind::Open, _) => at = closing(lexemes, at) + 1,
            (Kind::Close, _) | (Kind::Punct, ";") => return at,
            _ => at += 1,
        }
    }
    lexemes.len()
}

/// `forbid(unsafe_code)` and its like that are gone.
fn removed_lints(file: &CodeFile<'_>, findings: &mut Findings) {
    let lints = |units: &[Unit<'_>]| {
        let attrs = units.iter().flat_map(Unit::attribute_uses);
        attrs
            .filter(|attr| {
                matches!(attr.name.as_str(), "forbid" | "deny" | "warn")
                    && attr.words.iter().any(|word| word.contains("unsafe"))
            })
            .map(|attr| attr.text.clone())
            .collect::<Vec<_>>()
    };
    let mut left = Known::default();
    lints(&file.new).into_iter().for_each(|lint| left.add(lint));
    for lint in lints(&file.old).into_iter().filter(|lint| left.is_new(lint)) {
        findings.ask(RULE, file.path, format!("takes away `{}`", shown(&lint, 100)));
    }
}
