//! Which literals are meant for what changes: those of functions that call it by name, such as its tests and the examples in its
//! docs, and its own. Inputs that are made of them come nearer to what it asks about than any others, and those on lines that change
//! nearest.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::literals::{Literals, flat};

/// More of them are no focus.
const MOST: usize = 96;
/// More lines that change are no focus.
const LINES: usize = 200;

/// Literals, by their places among all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Focus {
    /// Those that are texts.
    pub texts: Vec<usize>,
    pub integers: Vec<i128>,
    /// Integers and characters on lines that change.
    pub turning: Vec<i128>,
    pub turning_characters: Vec<char>,
}

impl Focus {
    /// Takes what stands on lines of a file that are no more, or that are new.
    pub fn take_changed(&mut self, before: &str, after: &str, all: &Literals) {
        for (text, other) in [(before, after), (after, before)] {
            let known: BTreeSet<&str> = other.lines().map(str::trim).collect();
            let changed = |(_, line): &(usize, &str)| !known.contains(line.trim());
            let lines: BTreeSet<usize> = (1..).zip(text.lines()).filter(changed).map(|(number, _)| number).collect();
            // More than a piece of code is no place where it bends.
            if lines.len() > LINES {
                continue;
            }
            let mut found = Vec::new();
            if let Ok(tokens) = text.parse::<TokenStream>() {
                on_lines(tokens, &lines, &mut found);
            }
            for written in found {
                match syn::parse_str::<syn::Lit>(&written) {
                    Ok(syn::Lit::Int(it)) => push(&mut self.turning, it.base10_parse().ok()),
                    Ok(syn::Lit::Char(it)) => push(&mut self.turning_characters, Some(it.value())),
                    Ok(syn::Lit::Byte(it)) => push(&mut self.turning_characters, Some(char::from(it.value()))),
                    Ok(syn::Lit::Str(it)) => push(&mut self.texts, all.at(&it.value())),
                    _ => {}
                }
            }
        }
    }

    /// Takes what a text has for functions of these names.
    pub fn take(&mut self, text: &str, names: &BTreeSet<String>, all: &Literals) {
        let mut found = Vec::new();
        // What does not parse has none; docs are code in lines.
        let docs: String = text.lines().filter_map(example).collect();
        for code in [text, &docs] {
            if let Ok(tokens) = code.parse::<TokenStream>() {
                bodies(tokens, names, &mut found);
            }
        }
        for written in found {
            match syn::parse_str::<syn::Lit>(&written) {
                Ok(syn::Lit::Int(it)) => push(&mut self.integers, it.base10_parse().ok()),
                Ok(syn::Lit::Str(it)) => push(&mut self.texts, all.at(&it.value())),
                _ => {}
            }
        }
    }
}

fn push<T: PartialEq>(list: &mut Vec<T>, one: Option<T>) {
    list.extend(one.filter(|one| list.len() < MOST && !list.contains(one)));
}

/// A line of docs, as code.
fn example(line: &str) -> Option<String> {
    let line = line.trim_start();
    let rest = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?.trim();
    (rest.parse::<TokenStream>().is_ok() && rest.contains('(')).then(|| format!("{rest}\n"))
}

/// The literals of functions, and of other code beside them, that name one of these or are one of them.
fn bodies(tokens: TokenStream, names: &BTreeSet<String>, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_fn = |at: usize| matches!(tokens.get(at), Some(TokenTree::Ident(word)) if word == "fn");
    let mut own = None;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(name) if at > 0 && is_fn(at - 1) => own = Some(names.contains(&name.to_string())),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => match own.take() {
                Some(is_meant) => {
                    if is_meant || mentions(group.stream(), names) {
                        found.extend(flat(group.stream()));
                    }
                }
                None => bodies(group.stream(), names, found),
            },
            // A call that stands alone.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && own.is_none() => {
                let called = at.checked_sub(1).and_then(|before| tokens.get(before));
                if matches!(called, Some(TokenTree::Ident(name)) if names.contains(&name.to_string())) {
                    found.extend(flat(group.stream()));
                } else {
                    bodies(group.stream(), names, found);
                }
            }
            _ => {}
        }
    }
}

/// The literals that begin on these lines.
fn on_lines(tokens: TokenStream, lines: &BTreeSet<usize>, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Literal(literal) if lines.contains(&literal.span().start().line) => {
                found.push(literal.to_string());
            }
            TokenTree::Group(group) => on_lines(group.stream(), lines, found),
            _ => {}
        }
    }
}

fn mentions(tokens: TokenStream, names: &BTreeSet<String>) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => names.contains(&name.to_string()),
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_what_calls_a_function_are_its_focus() {
        let text = "/// Not this one: \"doc\".\n///\n/// ```\n/// assert_eq!(width(\"example\"), 7);\n/// ```\n\
                    fn width(text: &str) -> usize { if text == \"own\" { 3 } else { other(\"own\") } }\n\
                    fn other(text: &str) -> usize { inner(\"elsewhere\", 99) }\n\
                    mod tests { fn t() { let text = \"tested\"; assert_eq!(width(text), 12); } fn u() { f(\"no\"); } }";
        let mut all = Literals::default();
        all.take(text);
        let mut focus = Focus::default();
        focus.take(text, &BTreeSet::from(["width".to_owned()]), &all);
        let texts: Vec<&str> = focus.texts.iter().map(|at| all.texts[*at].as_str()).collect();
        assert_eq!(texts, ["own", "tested", "example"]);
        assert_eq!(focus.integers, [3, 12]);
    }

    #[test]
    fn literals_on_lines_that_change_are_its_focus() {
        let before =
            "fn f(n: u8, text: &str) -> bool {\n    n < 70\n        || text == \"a\"\n        || n == b'c'\n}\n";
        let after = before.replace("70", "71").replace("\"a\"", "\"b\"").replace("b'c'", "b'd'");
        let mut all = Literals::default();
        all.take(before);
        all.take(&after);
        let mut focus = Focus::default();
        focus.take_changed(before, &after, &all);
        let texts: Vec<&str> = focus.texts.iter().map(|at| all.texts[*at].as_str()).collect();
        assert_eq!((focus.turning, texts), (vec![70, 71], vec!["a", "b"]));
        assert_eq!(focus.turning_characters, ['c', 'd']);
    }
}
