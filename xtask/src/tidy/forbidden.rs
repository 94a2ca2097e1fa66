//! Forbidden: words that must not stand in finished code. The text is read as tokens, so that comments and strings may
//! name them. Lints are silenced by `expect` with a reason, which says when it is no longer needed.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Report;

/// Macros that mark what is not done, or was left behind.
const MACROS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Reports attributes that silence lints without saying until when, and macros of unfinished code.
pub fn check(path: &str, text: &str, report: &mut Report) {
    match TokenStream::from_str(text) {
        Ok(tokens) => look(path, tokens, report),
        Err(error) => {
            let line = error.span().start().line;
            report.violation(path, line, format!("cannot be read as Rust: {error}"));
        }
    }
}

fn look(path: &str, tokens: TokenStream, report: &mut Report) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if MACROS.iter().any(|name| word == name) && is_punct(tokens.get(at + 1), '!') => {
                report.violation(path, word.span().start().line, format!("`{word}!` does not belong in finished code"));
            }
            TokenTree::Group(group) => {
                let attribute = group.delimiter() == Delimiter::Bracket && follows_hash(&tokens, at);
                if attribute && silences(group.stream()) {
                    let line = group.span_open().start().line;
                    report.violation(path, line, "`allow` hides a lint for ever: use `expect` with a reason");
                }
                look(path, group.stream(), report);
            }
            _ => {}
        }
    }
}

/// Whether what stands before is `#` or `#!`.
fn follows_hash(tokens: &[TokenTree], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    is_punct(before(1), '#') || (is_punct(before(1), '!') && is_punct(before(2), '#'))
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Whether an attribute is `allow(..)`, or one that brings it under a condition.
fn silences(attribute: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    tokens.iter().enumerate().any(|(at, token)| match (token, tokens.get(at + 1)) {
        (TokenTree::Ident(word), Some(TokenTree::Group(group))) if group.delimiter() == Delimiter::Parenthesis => {
            word == "allow" || (word == "cfg_attr" && silences(group.stream()))
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let mut report = Report::default();
        check("a.rs", text, &mut report);
        report.violations.iter().map(|violation| violation.line).collect()
    }

    #[test]
    fn silenced_lints_and_unfinished_code_are_found_by_line() {
        assert_eq!(lines("#![allow(dead_code)]\n"), [1]);
        assert_eq!(lines("fn a() {\n    #[ allow (unused)]\n    let b = 1;\n}\n"), [2]);
        assert_eq!(lines("#[cfg_attr(test, allow(unused))]\nfn a() {}\n"), [1]);
        assert_eq!(
            lines("fn a() {\n    todo!()\n}\nfn b() { vec![unimplemented!(\"c\")]; }\nfn c() { dbg!(1); }\n"),
            [2, 4, 5]
        );
    }

    #[test]
    fn words_in_comments_strings_and_names_are_left_alone() {
        assert!(
            lines("//! `#[allow(x)]`, todo!()\n/* dbg!(1) */\nfn a() { let b = \"#[allow(c)] todo!()\"; }\n")
                .is_empty()
        );
        assert!(lines("#[expect(dead_code, reason = \"allow(x)\")]\nfn todo() -> bool { a != b }\n").is_empty());
        assert!(
            lines("fn f(allow: u8) { let x = [allow, (1)]; allow(x); macro_rules! todo { () => {} } }\n").is_empty()
        );
    }

    #[test]
    fn what_is_no_rust_is_reported() {
        assert_eq!(lines("fn a() {\n").len(), 1);
    }
}
