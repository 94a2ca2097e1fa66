//! The outline of a Rust file, from its lexemes alone: where its items and their members end, and whether tests stand
//! at its top.
//!
//! It lets the review parse only what differs between two sides. A wrong guess costs a second parse of the whole file
//! and nothing else: what is cut in the wrong place does not parse, and what is left out stands on both sides, letter
//! for letter, in the same place.

use std::collections::HashMap;
use std::ops::Range;

use super::scan::closing;
use crate::syntax::lex::{Kind, Lexeme};

/// Modules inside each other that are looked into; what lies deeper is parsed whole.
const MAX_DEPTH: usize = 16;

/// A side as text and lexemes.
#[derive(Clone, Copy)]
pub(super) struct Text<'t, 'l> {
    pub(super) text: &'t str,
    pub(super) lexemes: &'l [Lexeme<'t>],
}

impl<'t, 'l> Text<'t, 'l> {
    fn lexemes(self, range: Range<usize>) -> &'l [Lexeme<'t>] {
        self.lexemes.get(range).unwrap_or(&[])
    }

    fn bytes(self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or("")
    }
}

/// Some of a side, as bytes and as the lexemes that stand there.
#[derive(Debug, Clone)]
struct Part {
    bytes: Range<usize>,
    lexemes: Range<usize>,
}

/// Both sides without the items and members that stand on both of them, in the same place: those are blanked, so that
/// what is left keeps its bytes and its lines.
pub(super) struct Differing {
    pub(super) old: String,
    pub(super) new: String,
    /// Of the old side, what is left less the bodies of its functions.
    pub(super) old_heads: String,
}

/// What differs between two sides; `None` when brackets do not match.
pub(super) fn differing(old: Text<'_, '_>, new: Text<'_, '_>) -> Option<Differing> {
    let all = |side: Text<'_, '_>| Part { bytes: 0..side.text.len(), lexemes: 0..side.lexemes.len() };
    let mut same = Same::default();
    same.find((old, all(old)), (new, all(new)), 0)?;
    let code = blanked(old.text, &same.old);
    Some(Differing { old_heads: blanked(&code, &same.old_bodies), old: code, new: blanked(new.text, &same.new) })
}

/// What stands on both sides, as bytes of each.
#[derive(Default)]
struct Same {
    old: Vec<Range<usize>>,
    new: Vec<Range<usize>>,
    /// What stands between the braces of functions that are on the old side only.
    old_bodies: Vec<Range<usize>>,
}

impl Same {
    fn find(&mut self, old: (Text<'_, '_>, Part), new: (Text<'_, '_>, Part), depth: usize) -> Option<()> {
        let ((old, old_part), (new, new_part)) = (old, new);
        let (before, after) = (parts(old, old_part)?, parts(new, new_part)?);
        let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
        for part in &before {
            counts.entry(old.bytes(part.bytes.clone())).or_default().0 += 1;
        }
        for part in &after {
            counts.entry(new.bytes(part.bytes.clone())).or_default().1 += 1;
        }
        // As many as stand on both sides are the same.
        let mut left: HashMap<&str, usize> =
            counts.iter().map(|(text, (one, other))| (*text, *one.min(other))).collect();
        let mut left_again = left.clone();
        let before = sift(old, before, &mut left, &mut self.old);
        let after = sift(new, after, &mut left_again, &mut self.new);
        self.old_bodies.extend(before.iter().filter_map(|part| body(old, part)));
        if depth == MAX_DEPTH {
            return Some(());
        }
        let (before, after) = (containers(old, before), containers(new, after));
        for (head, inside) in before {
            // Two of the same head could be mistaken for each other.
            if let (Some(old_inside), Some(Some(new_inside))) = (inside, after.get(head)) {
                self.find((old, old_inside), (new, new_inside.clone()), depth + 1)?;
            }
        }
        Some(())
    }
}

/// The parts that stand on one side only; the others are noted.
fn sift(
    side: Text<'_, '_>,
    parts: Vec<Part>,
    left: &mut HashMap<&str, usize>,
    same: &mut Vec<Range<usize>>,
) -> Vec<Part> {
    let mut differ = Vec::new();
    for part in parts {
        match left.get_mut(side.bytes(part.bytes.clone())) {
            Some(count) if *count > 0 => {
                *count -= 1;
                same.push(part.bytes);
            }
            _ => differ.push(part),
        }
    }
    differ
}

/// Items and members with all that belongs to them (what stands before them, up to the last one), and what is left
/// behind the last.
fn parts(side: Text<'_, '_>, all: Part) -> Option<Vec<Part>> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let (mut start, mut first) = (all.bytes.start, all.lexemes.start);
    let mut after_brace: Option<usize> = None;
    for (at, lexeme) in all.lexemes.clone().zip(side.lexemes(all.lexemes.clone())) {
        let starts = depth == 0 && (lexeme.text == "#" || (lexeme.kind == Kind::Ident && starts_item(lexeme.text)));
        if let (Some(end), true) = (after_brace.take(), starts) {
            found.push(Part { bytes: start..end, lexemes: first..at });
            (start, first) = (end, at);
        }
        let end = lexeme.at + lexeme.text.len();
        match lexeme.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.checked_sub(1)?;
                after_brace = (depth == 0 && lexeme.text == "}").then_some(end);
            }
            Kind::Punct if lexeme.text == ";" && depth == 0 => {
                found.push(Part { bytes: start..end, lexemes: first..at + 1 });
                (start, first) = (end, at + 1);
            }
            _ => {}
        }
    }
    found.push(Part { bytes: start..all.bytes.end, lexemes: first..all.lexemes.end });
    (depth == 0).then_some(found)
}

/// The modules, traits and impl blocks among parts: what is inside, by all that stands before it; `None` where several
/// have the same head.
fn containers<'t>(side: Text<'t, '_>, parts: Vec<Part>) -> HashMap<&'t str, Option<Part>> {
    let mut found: HashMap<&str, Option<Part>> = HashMap::new();
    for part in parts {
        let Some((head, inside)) = container(side, &part) else { continue };
        found.entry(head).and_modify(|known| *known = None).or_insert(Some(inside));
    }
    found
}

/// The head of a part and what stands between its braces, when it is a module, a trait or an impl block and ends with
/// them.
fn container<'t>(side: Text<'t, '_>, part: &Part) -> Option<(&'t str, Part)> {
    let lexemes = side.lexemes(part.lexemes.clone());
    let (word, open) = keyword(lexemes)?;
    if !matches!(word, "mod" | "trait" | "impl") {
        return None;
    }
    let (brace, end) = (lexemes.get(open)?.at, lexemes.last()?.at);
    let (first, last) = (part.lexemes.start + open + 1, part.lexemes.end.checked_sub(1)?);
    let inside = Part { bytes: brace + 1..end, lexemes: first..last };
    Some((side.bytes(part.bytes.start..brace), inside))
}

/// What stands between the braces of a part, when it is a function and ends with them.
fn body(side: Text<'_, '_>, part: &Part) -> Option<Range<usize>> {
    let lexemes = side.lexemes(part.lexemes.clone());
    let (word, open) = keyword(lexemes)?;
    (word == "fn").then_some(lexemes.get(open)?.at + 1..lexemes.last()?.at)
}

/// The word that says what an item is, behind its attributes and all that may stand before it, and the brace that the
/// item ends with, where that opens.
fn keyword<'t>(lexemes: &[Lexeme<'t>]) -> Option<(&'t str, usize)> {
    let word = |at: usize| lexemes.get(at).map_or("", |lexeme| lexeme.text);
    let mut at = 0;
    while word(at) == "#" {
        at += 1 + usize::from(word(at + 1) == "!");
        at = past_bracket(lexemes, at)?;
    }
    if word(at) == "pub" {
        at = if word(at + 1) == "(" { past_bracket(lexemes, at + 1)? } else { at + 1 };
    }
    while matches!(word(at), "default" | "const" | "async" | "unsafe" | "extern") || word(at).starts_with('"') {
        at += 1;
    }
    let open = lexemes.iter().skip(at).position(|lexeme| lexeme.text == "{")? + at;
    (past_bracket(lexemes, open)? == lexemes.len()).then_some((word(at), open))
}

/// The lexeme behind the bracket that closes the one at `open`.
fn past_bracket(lexemes: &[Lexeme<'_>], open: usize) -> Option<usize> {
    let close = closing(lexemes, open);
    (close < lexemes.len()).then_some(close + 1)
}

/// A text with spaces for the letters of some ranges.
fn blanked(text: &str, ranges: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        for byte in bytes.get_mut(range.clone()).into_iter().flatten().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
    // Lexemes begin and end between characters.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Words that begin an item and never stand behind a block inside of one.
fn starts_item(word: &str) -> bool {
    matches!(
        word,
        "pub"
            | "fn"
            | "struct"
            | "enum"
            | "impl"
            | "trait"
            | "mod"
            | "use"
            | "const"
            | "static"
            | "type"
            | "extern"
            | "unsafe"
            | "async"
            | "macro_rules"
    )
}

/// Whether the file is there for tests: a test function stands at the top and nothing that others may name, or all of it is
/// compiled for tests only.
pub(super) fn has_tests(lexemes: &[Lexeme<'_>]) -> bool {
    let mut depth = 0usize;
    let mut attribute = Attribute::default();
    let (mut tests, mut public) = (false, false);
    for (at, lexeme) in lexemes.iter().enumerate() {
        match attribute.take(*lexeme, depth) {
            Says::Nothing => {}
            Says::Test => tests = true,
            Says::AllForTests => return true,
        }
        // `pub(crate)` and its like are for the rest of the tests.
        let is_open = lexeme.text == "pub" && lexemes.get(at + 1).is_none_or(|next| next.text != "(");
        public |= depth == 0 && is_open && lexeme.kind == Kind::Ident;
        match lexeme.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    tests && !public
}

/// What an attribute that ended says about tests.
#[derive(PartialEq)]
enum Says {
    Nothing,
    Test,
    AllForTests,
}

/// Reads attributes at the top level, one lexeme at a time.
#[derive(Default)]
struct Attribute {
    state: State,
    /// The last name of the path.
    name: String,
    inner: bool,
    about_tests: bool,
    negated: bool,
}

#[derive(Default, PartialEq)]
enum State {
    #[default]
    Outside,
    Mark,
    Path,
    Arguments,
}

impl Attribute {
    /// What an attribute says that ends here.
    fn take(&mut self, lexeme: Lexeme<'_>, depth: usize) -> Says {
        let test = |name: &str| if super::test_code::is_test_name(name) { Says::Test } else { Says::Nothing };
        match (&self.state, lexeme.text) {
            (_, "#") if depth == 0 => *self = Self { state: State::Mark, ..Self::default() },
            (State::Mark, "!") => self.inner = true,
            (State::Mark, "[") => self.state = State::Path,
            (State::Mark, _) => self.state = State::Outside,
            (State::Path, "]") => {
                self.state = State::Outside;
                return test(&self.name);
            }
            (State::Path, "(") => self.state = State::Arguments,
            (State::Path, text) if lexeme.kind == Kind::Ident => text.clone_into(&mut self.name),
            (State::Arguments, "not") => self.negated = true,
            (State::Arguments, "test") => self.about_tests = true,
            (State::Arguments, "]") if depth == 1 => {
                self.state = State::Outside;
                let whole_file = self.inner && self.name == "cfg" && self.about_tests && !self.negated;
                return if whole_file { Says::AllForTests } else { test(&self.name) };
            }
            _ => {}
        }
        Says::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::lex::lex;

    /// What is left of both sides, in one line each.
    fn left(old: &str, new: &str) -> Option<(String, String)> {
        let (before, after): (Vec<_>, Vec<_>) = (lex(old).collect(), lex(new).collect());
        let Differing { old: one, new: other, .. } =
            differing(Text { text: old, lexemes: &before }, Text { text: new, lexemes: &after })?;
        assert_eq!((one.len(), other.len()), (old.len(), new.len()));
        let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Some((words(one), words(other)))
    }

    fn both(one: &str, other: &str) -> Option<(String, String)> {
        Some((one.to_owned(), other.to_owned()))
    }

    #[test]
    fn only_items_that_differ_are_left() {
        let old = "//! D\nuse a;\nfn f() { 1 }\nfn g() {}\nstruct S;\n";
        assert_eq!(left(old, &old.replace('1', "2")), both("fn f() { 1 }", "fn f() { 2 }"));
        assert_eq!(left(old, &old.replace("fn g() {}\n", "")), both("fn g() {}", ""));
        assert_eq!(left(old, &format!("{old}fn h() {{}}\n")), both("", "fn h() {}"));
        assert_eq!(
            left(old, &old.replace('1', "2").replace("S;", "T;")),
            both("fn f() { 1 } struct S;", "fn f() { 2 } struct T;")
        );
        assert_eq!(left(old, old), both("", ""));
        assert_eq!(left("fn f() {", "fn f() {}"), None);
        let constant = "const A: B = B {};\nfn f() {}";
        assert_eq!(left(constant, &constant.replace("fn f", "fn g")), both("fn f() {}", "fn g() {}"));
    }

    #[test]
    fn only_members_that_differ_are_left() {
        let old =
            "#[a(b)]\npub(crate) unsafe impl<T> A for B<T> {\n  fn f() { 1 } // ü\n  /// D\n  const G: u8 = 3;\n}";
        let head = "#[a(b)] pub(crate) unsafe impl<T> A for B<T> {";
        assert_eq!(
            left(old, &old.replace('1', "2")),
            both(&format!("{head} fn f() {{ 1 }} }}"), &format!("{head} fn f() {{ 2 }} }}"))
        );
        let nested = "mod a { mod b { fn f() {} fn g() { 1 } } fn h() {} }";
        assert_eq!(
            left(nested, &nested.replace('1', "2")),
            both("mod a { mod b { fn g() { 1 } } }", "mod a { mod b { fn g() { 2 } } }")
        );
        // Under another head, the same text may mean something else.
        let other = old.replace("#[a(b)]", "#[a(c)]").replace('1', "2");
        assert_eq!(left(old, &other).map(|(_, new)| new.contains("const G")), Some(true));
        let twins = "use a;\nimpl A { fn f() {} fn g() { 1 } }\nimpl A { fn f() {} fn g() { 2 } }";
        let changed = twins.replace('1', "3").replace('2', "4");
        assert_eq!(left(twins, &changed).map(|(old, _)| old.matches("fn f").count()), Some(2));
        // Only what stands between the last braces is inside.
        let braces = "impl A<{ 1 }> { fn f() {} fn g() { 2 } }";
        assert_eq!(left(braces, &braces.replace('2', "3")).map(|(old, _)| old.contains("fn f")), Some(true));
    }

    #[test]
    fn only_bodies_of_functions_are_left_out() {
        let old = "pub(crate) const unsafe extern \"C\" fn f<T>() -> [T; 1] { a(|| { b }) }\nstruct S { a: fn() }\n\
                   impl A for fn() { fn g() { c } }\nfn h<const N: usize>() where A<{ 1 }>: B { d }";
        let lexemes: Vec<_> = lex(old).collect();
        let heads =
            differing(Text { text: old, lexemes: &lexemes }, Text { text: "", lexemes: &[] }).unwrap().old_heads;
        let left: String = heads.split_whitespace().collect();
        assert!(!left.contains("a(||") && left.contains("fnf<T>()->[T;1]{}"), "{left}");
        for kept in ["structS{a:fn()}", "implAforfn(){fng(){c}}", "where A<{1}>:B{d}"] {
            assert!(left.contains(&kept.replace(' ', "")), "{kept}: {left}");
        }
    }

    #[test]
    fn tests_at_the_top_are_seen() {
        for (text, wanted) in [
            ("#[test]\nfn a() {}", true),
            ("pub fn f() {}\n#[test]\nfn a() {}", false),
            ("pub(super) fn f() { pub fn g() {} }\n#[test]\nfn a() {}", true),
            ("#![cfg(test)]\npub fn f() {}", true),
            ("#[tokio::test(flavor = \"x\")]\nasync fn a() {}", true),
            ("#![cfg(test)]\nfn a() {}", true),
            ("#![cfg(not(test))]\nfn a() {}", false),
            ("mod a { #[test] fn a() {} }", false),
            ("#[cfg(test)]\nmod a;", false),
            ("#[derive(test)]\nstruct A;", false),
        ] {
            assert_eq!(has_tests(&lex(text).collect::<Vec<_>>()), wanted, "{text}");
        }
    }
}
