//! Literals of code, tests and docs: what inputs are made of, so that they come near to what the code asks about.

use std::collections::BTreeSet;

use kaizen_source::with_files;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;

/// How many of each kind are kept: those of the code that changes come first.
const MOST: usize = 400;
/// How many places of texts are kept.
const MOST_PLACES: usize = 2_000;
/// A longer text is left out, bytes.
const LONGEST: usize = 2_000;

/// Literals by their kinds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Literals {
    pub integers: Vec<i128>,
    /// As they are written in code.
    pub floats: Vec<String>,
    pub texts: Vec<String>,
    /// Where each text of the code stands among them, in the order of the code: what stands near each other belongs together.
    pub order: Vec<usize>,
    pub characters: Vec<char>,
    seen: BTreeSet<String>,
}

impl Literals {
    /// Takes those of a file; what does not parse has none.
    pub fn take(&mut self, text: &str) {
        let streams =
            with_files(&[text], |files| files.first().map(|file| flat(file.to_token_stream())).unwrap_or_default());
        for literal in streams.unwrap_or_default() {
            self.take_written(&literal);
        }
    }

    /// The place of a text.
    pub fn at(&self, text: &str) -> Option<usize> {
        self.texts.iter().position(|one| one == text)
    }

    fn take_written(&mut self, written: &str) {
        if written.len() > LONGEST {
            return;
        }
        let is_new = self.seen.insert(written.to_owned());
        if !is_new && !written.ends_with('"') {
            return;
        }
        let Ok(literal) = syn::parse_str::<syn::Lit>(written) else { return };
        if let syn::Lit::Str(it) = &literal
            && let Some(at) = self.at(&it.value())
        {
            self.note(at);
        }
        if !is_new {
            return;
        }
        match literal {
            syn::Lit::Int(it) => {
                let value = it.base10_parse::<i128>().ok().filter(|_| self.integers.len() < MOST);
                self.integers.extend(value);
            }
            syn::Lit::Float(it) if self.floats.len() < MOST => {
                let digits = it.base10_digits().to_owned();
                self.floats.push(if digits.contains(['.', 'e']) { digits } else { format!("{digits}.0") });
            }
            syn::Lit::Str(it) => self.take_text(it.value()),
            syn::Lit::ByteStr(it) => self.take_text(String::from_utf8_lossy(&it.value()).into_owned()),
            syn::Lit::Char(it) if self.characters.len() < MOST => self.characters.push(it.value()),
            syn::Lit::Byte(it) if self.characters.len() < MOST => {
                self.characters.push(char::from(it.value()));
                self.integers.push(it.value().into());
            }
            _ => {}
        }
    }

    fn take_text(&mut self, text: String) {
        if text.len() > LONGEST || self.texts.len() >= MOST || self.texts.contains(&text) {
            return;
        }
        // Docs are one text a line; what stands in backticks or is code is worth more than the line.
        for piece in text.split('`').skip(1).step_by(2).filter(|piece| !piece.is_empty()) {
            if self.seen.insert(format!("`{piece}")) {
                self.take_code(piece);
                self.texts.push(piece.to_owned());
            }
        }
        self.take_code(&text);
        self.note(self.texts.len());
        self.texts.push(text);
    }

    /// Notes that a text comes next in the code.
    fn note(&mut self, at: usize) {
        if self.order.len() < MOST_PLACES {
            self.order.push(at);
        }
    }

    fn take_code(&mut self, code: &str) {
        for literal in code.parse::<TokenStream>().map(flat).unwrap_or_default() {
            if literal.len() < code.len() {
                self.take_written(&literal);
            }
        }
    }
}

pub(crate) fn flat(tokens: TokenStream) -> Vec<String> {
    let mut all = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Literal(literal) => all.push(literal.to_string()),
            TokenTree::Group(group) => all.extend(flat(group.stream())),
            _ => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_code_macros_and_docs_are_found() {
        let mut found = Literals::default();
        found.take(
            "/// `3x` is asked for by `f(\"4y\", 17)`.\nfn f() { if x == 4_711 { g('k', b'q', 2.5); } \
             assert_eq!(h(\"a\\n\"), 0xff); }",
        );
        assert_eq!(found.integers, [17, 4711, 113, 255]);
        assert!(found.texts.iter().any(|text| text == "3x") && found.texts.iter().any(|text| text == "4y"));
        assert!(found.texts.iter().any(|text| text == "a\n"));
        assert_eq!((found.characters, found.floats), (vec!['k', 'q'], vec!["2.5".to_owned()]));
    }

    #[test]
    fn what_is_no_rust_has_none() {
        let mut found = Literals::default();
        found.take("fn (");
        assert_eq!(found, Literals::default());
    }
}
