//! Rule `hidden-bytes`: nothing that changes how text looks or where lines end without being seen.
//!
//! A character counts only when the file did not hold that very character before.

use std::collections::BTreeSet;

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileState};
use kaizen_domain::path::is_invisible;

use super::{Findings, ReviewInput};
use crate::lines::line_column;
use crate::syntax::lex::{Kind, lex};

pub(super) const RULE: &str = "hidden-bytes";

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    for change in input.changes {
        check_file(change, findings);
    }
}

fn check_file(change: &Change, findings: &mut Findings) {
    let path = &change.path;
    let Some(after) = &change.after else { return };
    let (before, after) = (change.before.as_ref().map(text), text(after));
    let (before, after) = match (before, after) {
        (Some(None), None) => {
            return findings.ask(
                RULE,
                path,
                "is not text in UTF-8, so nothing in it can be checked; a person must look",
            );
        }
        (_, None) => return findings.refuse(RULE, path, "is not text in UTF-8; write it as UTF-8"),
        (Some(None) | None, Some(after)) => ("", after),
        (Some(Some(before)), Some(after)) => (before, after),
    };
    if after == before {
        return;
    }
    if !after.is_ascii()
        || after.bytes().any(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n'))
        || after.contains('\x7f')
    {
        characters(path, before, after, findings);
    }
    if path.is_rust() {
        if !after.is_ascii() {
            mixed_scripts(path, before, after, findings);
        }
        let lint = "text_direction_codepoint";
        if after.matches(lint).count() > before.matches(lint).count() {
            findings.refuse(RULE, path, "silences the compiler's check for hidden text direction; leave it on");
        }
    }
}

fn text(state: &FileState) -> Option<&str> {
    std::str::from_utf8(&state.bytes).ok()
}

fn characters(path: &RelPath, before: &str, after: &str, findings: &mut Findings) {
    let known: BTreeSet<char> = before.chars().filter(|c| !c.is_ascii() || c.is_ascii_control()).collect();
    let lone_before = lone_returns(before).next().is_some();
    let mut seen = BTreeSet::new();
    let mut last = ' ';
    for (at, c) in after.char_indices() {
        let previous = std::mem::replace(&mut last, c);
        let Some(what) = hidden(c, previous) else { continue };
        if !known.contains(&c) && seen.insert(c) {
            let (line, column) = line_column(after, at);
            findings.refuse(
                RULE,
                path,
                format!("{line}:{column}: {what} U+{:04X} is new in this file; take it out", u32::from(c)),
            );
        }
    }
    if !lone_before && let Some(at) = lone_returns(after).next() {
        let (line, column) = line_column(after, at);
        findings.refuse(
            RULE,
            path,
            format!(
                "{line}:{column}: a carriage return without a line feed is new in this file; end lines with line feeds"
            ),
        );
    }
}

fn hidden(c: char, previous: char) -> Option<&'static str> {
    match c {
        '\t' | '\n' | '\r' => None,
        '\0' => Some("the NUL character"),
        // They belong to the picture before them.
        '\u{fe0f}' | '\u{200d}' if u32::from(previous) >= 0x2190 => None,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            Some("the text direction character")
        }
        '\u{2028}' | '\u{2029}' => Some("the line separator"),
        c if is_invisible(c) => Some("the invisible character"),
        c if c.is_control() => Some("the control character"),
        _ => None,
    }
}

fn lone_returns(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('\r').map(|(at, _)| at).filter(|at| text.as_bytes().get(at + 1) != Some(&b'\n'))
}

/// Identifiers that mix Latin letters with letters that look like them, or are one such letter alone.
fn mixed_scripts(path: &RelPath, before: &str, after: &str, findings: &mut Findings) {
    let known: BTreeSet<char> = before.chars().filter(|c| is_lookalike_script(*c)).collect();
    let mut seen = BTreeSet::new();
    for lexeme in
        lex(after).filter(|lexeme| matches!(lexeme.kind, Kind::Ident | Kind::Lifetime) && !lexeme.text.is_ascii())
    {
        let latin = lexeme.text.chars().any(|c| c.is_ascii_alphabetic());
        let alone = lexeme.text.chars().filter(|c| c.is_alphabetic()).all(is_twin);
        let Some(letter) = lexeme.text.chars().find(|c| is_lookalike_script(*c)) else { continue };
        if (latin || alone) && !known.contains(&letter) && seen.insert(letter) {
            let (line, column) = line_column(after, lexeme.at);
            findings.refuse(
                RULE,
                path,
                format!("{line}:{column}: identifier `{}` has the letter U+{:04X}, which looks like a Latin one; spell it in Latin letters", lexeme.text, u32::from(letter)),
            );
        }
    }
}

fn is_lookalike_script(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{530}'..='\u{58f}' | '\u{10a0}'..='\u{10ff}'
        | '\u{13a0}'..='\u{13ff}' | '\u{1f00}'..='\u{1fff}' | '\u{2c80}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}'
        | '\u{ab70}'..='\u{abbf}' | '\u{ff21}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
}

/// Letters of other scripts that are drawn like a Latin one.
fn is_twin(c: char) -> bool {
    "аеорсухіјѕԁһԛԝАВЕКМНОРСТХЅІЈαοριντυκχΑΒΕΖΗΙΚΜΝΟΡΤΥΧօսհոցյ".contains(c)
        || matches!(c, '\u{ff21}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
}
