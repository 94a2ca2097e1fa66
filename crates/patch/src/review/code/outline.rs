//! The outline of a Rust file, from its lexemes alone: where its top-level items end, and whether tests stand there.
//!
//! It lets the review parse only the items that differ between two sides. A wrong guess costs a second parse of the
//! whole file and nothing else: what is cut in the wrong place does not parse.

use std::collections::HashMap;
use std::ops::Range;

use crate::syntax::lex::{Kind, Lexeme, lex};

#[derive(Debug, Default)]
pub(in crate::review) struct Outline {
    /// Bytes behind each top-level item but the last; `None` when brackets do not match.
    ends: Option<Vec<usize>>,
    /// A test function stands at the top, or the whole file is compiled for tests only.
    pub(in crate::review) has_tests: bool,
}

impl Outline {
    pub(in crate::review) fn of(text: &str) -> Self {
        let mut depth = 0usize;
        let mut ends = Some(Vec::new());
        let mut after_brace: Option<usize> = None;
        let mut attribute = Attribute::default();
        let mut has_tests = false;
        for lexeme in lex(text) {
            has_tests |= attribute.take(lexeme, depth);
            let starts = depth == 0 && (lexeme.text == "#" || (lexeme.kind == Kind::Ident && starts_item(lexeme.text)));
            if let (Some(end), true, Some(ends)) = (after_brace.take(), starts, &mut ends) {
                ends.push(end);
            }
            let end = lexeme.at + lexeme.text.len();
            match lexeme.kind {
                Kind::Open => depth += 1,
                Kind::Close => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => ends = None,
                },
                Kind::Punct if lexeme.text == ";" && depth == 0 => {
                    if let Some(ends) = &mut ends {
                        ends.push(end);
                    }
                }
                _ => {}
            }
            if lexeme.text == "}" && depth == 0 {
                after_brace = Some(end);
            }
        }
        Self { ends: ends.filter(|_| depth == 0), has_tests }
    }

    fn chunks(&self, text: &str) -> Option<Parts> {
        let mut start = 0;
        let mut chunks = Parts::new();
        for end in self.ends.as_ref()?.iter().copied().chain([text.len()]) {
            chunks.push(start..end);
            start = end;
        }
        Some(chunks)
    }
}

/// Byte ranges of a side.
type Parts = Vec<Range<usize>>;

/// The parts of each side that do not stand on the other: top-level items with all that belongs to them, in order.
pub(in crate::review) fn differing(
    (old, old_outline): (&str, &Outline),
    (new, new_outline): (&str, &Outline),
) -> Option<(Parts, Parts)> {
    let (before, after) = (old_outline.chunks(old)?, new_outline.chunks(new)?);
    let head =
        before.iter().zip(&after).take_while(|(one, other)| old.get((*one).clone()) == new.get((*other).clone()));
    let head = head.count();
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for chunk in before.iter().skip(head) {
        counts.entry(old.get(chunk.clone()).unwrap_or("")).or_default().0 += 1;
    }
    for chunk in after.iter().skip(head) {
        counts.entry(new.get(chunk.clone()).unwrap_or("")).or_default().1 += 1;
    }
    // As many as stand on both sides are the same.
    let mut same: HashMap<&str, usize> = counts.iter().map(|(text, (one, other))| (*text, *one.min(other))).collect();
    let mut same_again = same.clone();
    let before = before.into_iter().skip(head).filter(|chunk| !take(&mut same, old.get(chunk.clone()).unwrap_or("")));
    let before = before.collect();
    let after =
        after.into_iter().skip(head).filter(|chunk| !take(&mut same_again, new.get(chunk.clone()).unwrap_or("")));
    Some((before, after.collect()))
}

fn take(same: &mut HashMap<&str, usize>, text: &str) -> bool {
    match same.get_mut(text) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
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
    /// Whether an attribute ended that says that there are tests.
    fn take(&mut self, lexeme: Lexeme<'_>, depth: usize) -> bool {
        match (&self.state, lexeme.text) {
            (_, "#") if depth == 0 => *self = Self { state: State::Mark, ..Self::default() },
            (State::Mark, "!") => self.inner = true,
            (State::Mark, "[") => self.state = State::Path,
            (State::Mark, _) => self.state = State::Outside,
            (State::Path, "]") => {
                self.state = State::Outside;
                return super::unit::is_test_name(&self.name);
            }
            (State::Path, "(") => self.state = State::Arguments,
            (State::Path, text) if lexeme.kind == Kind::Ident => text.clone_into(&mut self.name),
            (State::Arguments, "not") => self.negated = true,
            (State::Arguments, "test") => self.about_tests = true,
            (State::Arguments, "]") if depth == 1 => {
                self.state = State::Outside;
                let whole_file = self.inner && self.name == "cfg" && self.about_tests && !self.negated;
                return whole_file || super::unit::is_test_name(&self.name);
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(old: &str, new: &str) -> Option<(String, String)> {
        let (before, after) = differing((old, &Outline::of(old)), (new, &Outline::of(new)))?;
        let text = |side: &str, parts: Vec<Range<usize>>| parts.into_iter().filter_map(|part| side.get(part)).collect();
        Some((text(old, before), text(new, after)))
    }

    #[test]
    fn only_items_that_differ_are_left() {
        let old = "//! D\nuse a;\nfn f() { 1 }\nfn g() {}\nstruct S;\n";
        let both = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        assert_eq!(parts(old, &old.replace('1', "2")), both("\nfn f() { 1 }", "\nfn f() { 2 }"));
        assert_eq!(parts(old, &old.replace("fn g() {}\n", "")), both("\nfn g() {}", ""));
        assert_eq!(parts(old, &format!("{old}fn h() {{}}\n")), both("\n", "\nfn h() {}\n"));
        assert_eq!(
            parts(old, &old.replace('1', "2").replace("S;", "T;")),
            both("\nfn f() { 1 }\nstruct S;", "\nfn f() { 2 }\nstruct T;")
        );
        assert_eq!(parts(old, old), both("", ""));
        assert_eq!(parts("fn f() {", "fn f() {}"), None);
        let constant = "const A: B = B {};\nfn f() {}";
        assert_eq!(parts(constant, &constant.replace("fn f", "fn g")), both("\nfn f() {}", "\nfn g() {}"));
    }

    #[test]
    fn tests_at_the_top_are_seen() {
        for (text, wanted) in [
            ("#[test]\nfn a() {}", true),
            ("#[tokio::test(flavor = \"x\")]\nasync fn a() {}", true),
            ("#![cfg(test)]\nfn a() {}", true),
            ("#![cfg(not(test))]\nfn a() {}", false),
            ("mod a { #[test] fn a() {} }", false),
            ("#[cfg(test)]\nmod a;", false),
            ("#[derive(test)]\nstruct A;", false),
        ] {
            assert_eq!(Outline::of(text).has_tests, wanted, "{text}");
        }
    }
}
