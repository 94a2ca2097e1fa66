//! Walks over the lexemes of a unit: brackets that match, paths, attributes, and text without its spelling.
//!
//! Works on lexemes rather than on the tree, so that nothing hides inside a macro or in a file that does not parse.

use std::collections::HashMap;

use crate::syntax::lex::{Kind, Lexeme};

/// The index of the bracket that closes the one at `open`; the end when none does.
pub(in crate::review) fn closing(lexemes: &[Lexeme<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, lexeme) in lexemes.iter().enumerate().skip(open) {
        match lexeme.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    lexemes.len()
}

/// Lexemes as one text, white space and comments left out.
pub(in crate::review) fn joined(lexemes: &[Lexeme<'_>]) -> String {
    lexemes.iter().map(|lexeme| lexeme.text).collect::<Vec<_>>().join(" ")
}

/// Lexemes as one text with a space only where two words meet.
fn compact(lexemes: &[Lexeme<'_>]) -> String {
    let mut out = String::new();
    let mut word_before = false;
    for lexeme in lexemes {
        let word = matches!(lexeme.kind, Kind::Ident | Kind::Literal | Kind::Lifetime);
        if word && word_before {
            out.push(' ');
        }
        out.push_str(lexeme.text);
        word_before = word;
    }
    out
}

fn text<'t>(lexemes: &[Lexeme<'t>], at: usize) -> &'t str {
    lexemes.get(at).map_or("", |lexeme| lexeme.text)
}

/// A path such as `std::fs::write`, with what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::review) struct PathUse<'t> {
    pub(in crate::review) parts: Vec<&'t str>,
    /// The lexeme that opens the arguments of a call, or of a macro.
    open: Option<usize>,
    pub(in crate::review) is_macro: bool,
    /// A `use` declaration names it.
    pub(in crate::review) imported: bool,
    /// The byte of the unit's text where it begins.
    pub(in crate::review) at: usize,
}

impl PathUse<'_> {
    /// The arguments of a call or of a macro, given the lexemes that it was found in.
    pub(in crate::review) fn arguments(&self, lexemes: &[Lexeme<'_>]) -> String {
        joined(self.given(lexemes))
    }

    /// The same as lexemes, with what opens and closes them.
    pub(in crate::review) fn given<'l, 't>(&self, lexemes: &'l [Lexeme<'t>]) -> &'l [Lexeme<'t>] {
        let Some(open) = self.open else { return &[] };
        let close = closing(lexemes, open);
        lexemes.get(open..=close.min(lexemes.len().saturating_sub(1))).unwrap_or(&[])
    }
}

/// The paths that lexemes name, single names included, methods left out.
pub(in crate::review) fn paths<'t>(lexemes: &[Lexeme<'t>]) -> Vec<PathUse<'t>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut import_until = 0;
    while let Some(lexeme) = lexemes.get(at) {
        if lexeme.kind != Kind::Ident || (at > 0 && text(lexemes, at - 1) == ".") {
            at += 1;
            continue;
        }
        if lexeme.text == "use" {
            import_until =
                lexemes.iter().skip(at).position(|lexeme| lexeme.text == ";").map_or(lexemes.len(), |end| at + end);
            at += 1;
            continue;
        }
        let mut path = PathUse {
            parts: vec![plain(lexeme.text)],
            open: None,
            is_macro: false,
            imported: at < import_until,
            at: lexeme.at,
        };
        at += 1;
        while text(lexemes, at) == ":" && text(lexemes, at + 1) == ":" {
            match lexemes.get(at + 2) {
                Some(next) if next.kind == Kind::Ident => path.parts.push(plain(next.text)),
                Some(next) if next.text == "*" => path.parts.push("*"),
                _ => break,
            }
            at += 3;
        }
        path.is_macro = text(lexemes, at) == "!" && lexemes.get(at + 1).is_some_and(|next| next.kind == Kind::Open);
        let open = at + usize::from(path.is_macro);
        if lexemes.get(open).is_some_and(|next| next.text == "(" || (path.is_macro && next.kind == Kind::Open)) {
            path.open = Some(open);
        }
        found.push(path);
    }
    found
}

fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// An attribute, at any depth.
#[derive(Debug)]
pub(in crate::review) struct AttrUse {
    /// Its name: the path before any arguments.
    pub(in crate::review) name: String,
    /// All of it between the brackets, in one spelling.
    pub(in crate::review) text: String,
    pub(in crate::review) words: Vec<String>,
    /// `#![..]`.
    pub(in crate::review) inner: bool,
    pub(in crate::review) at: usize,
}

/// The attributes in lexemes, those inside of functions and macros included.
pub(in crate::review) fn attributes(lexemes: &[Lexeme<'_>]) -> Vec<AttrUse> {
    let mut found = Vec::new();
    for (at, lexeme) in lexemes.iter().enumerate() {
        if lexeme.text != "#" {
            continue;
        }
        let inner = text(lexemes, at + 1) == "!";
        let open = at + 1 + usize::from(inner);
        if text(lexemes, open) != "[" {
            continue;
        }
        let inside = lexemes.get(open + 1..closing(lexemes, open)).unwrap_or(&[]);
        let head = inside.iter().take_while(|part| part.kind == Kind::Ident || part.text == ":");
        let name: String = head.map(|part| part.text).collect();
        let words = inside.iter().filter(|part| part.kind == Kind::Ident).map(|part| part.text.to_owned()).collect();
        let text = compact(inside);
        found.push(AttrUse { name, text, words, inner, at: lexeme.at });
    }
    found
}

/// Counts keys on the base, so that what the patch writes can be told from what was there.
#[derive(Default)]
pub(in crate::review) struct Known(HashMap<String, usize>);

impl Known {
    pub(in crate::review) fn add(&mut self, key: String) {
        *self.0.entry(key).or_default() += 1;
    }

    /// Whether this one is new: each that was there before accounts for one that is there now.
    pub(in crate::review) fn is_new(&mut self, key: &str) -> bool {
        match self.0.get_mut(key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::lex::lex;

    #[test]
    fn paths_are_found_with_their_arguments() {
        let lexemes: Vec<_> =
            lex("use a::{b::C, d}; x.fs::y(1); std::fs::write(p, q)?; env!(\"A\"); r#fs::*").collect();
        let found = paths(&lexemes);
        let shown: Vec<_> =
            found.iter().map(|path| (path.parts.join("::"), path.arguments(&lexemes), path.imported)).collect();
        assert!(shown.contains(&("std::fs::write".to_owned(), "( p , q )".to_owned(), false)), "{shown:?}");
        assert!(shown.contains(&("b::C".to_owned(), String::new(), true)), "{shown:?}");
        assert!(shown.contains(&("env".to_owned(), "( \"A\" )".to_owned(), false)), "{shown:?}");
        assert!(shown.contains(&("fs::*".to_owned(), String::new(), false)), "{shown:?}");
    }

    #[test]
    fn attributes_are_found_at_any_depth() {
        let lexemes: Vec<_> = lex("#[cfg(test)] fn f() { #![allow(x)] m! { #[expect(a::b)] } }").collect();
        let shown: Vec<_> = attributes(&lexemes).into_iter().map(|attr| (attr.name, attr.inner)).collect();
        assert_eq!(shown, [("cfg".into(), false), ("allow".into(), true), ("expect".into(), false)]);
    }
}
