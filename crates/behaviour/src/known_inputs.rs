//! Code that knows the inputs of the tests: it asks whether something is just what a test gives, and nothing else. Such code
//! passes these tests and no others.

use std::collections::BTreeSet;

use kaizen_source::with_files;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Lit, Pat};

use crate::items::is_test_item;
use crate::literals::flat;

/// Smaller numbers and shorter texts stand in any code.
const NUMBER: u128 = 16;
const TEXT: usize = 3;

/// What code compares with since a change, and tests mention: as it is written. The code before the change did not mention it, and
/// it did not come from one of the `others`: files that change as well, each before and after.
#[must_use]
pub fn known_inputs(before: &str, after: &str, others: &[(&str, &str)], tests: &[String]) -> Vec<String> {
    let compared = with_files(&[after], |files| {
        let mut found = Compared::default();
        files.iter().for_each(|file| found.visit_file(file));
        found.0
    });
    let compared = compared.unwrap_or_default();
    if compared.is_empty() {
        return Vec::new();
    }
    let mut old: BTreeSet<String> = literals(before, false);
    for (before, after) in others {
        old.extend(literals(before, false).difference(&literals(after, false)).cloned());
    }
    let mut given: BTreeSet<String> = tests.iter().flat_map(|text| literals(text, true)).collect();
    given.extend(literals(before, true).union(&literals(after, true)).cloned());
    compared.into_iter().filter(|literal| !old.contains(literal) && given.contains(literal)).collect()
}

/// The literals of a file's code, or of its tests; a file of tests alone has nothing but these.
fn literals(text: &str, of_tests: bool) -> BTreeSet<String> {
    let found = with_files(&[text], |files| {
        let items = files.iter().flat_map(|file| &file.items);
        let wanted = items.filter(|item| is_test_item(item) == of_tests);
        wanted.flat_map(|item| flat(item.to_token_stream())).collect::<Vec<String>>()
    });
    found.unwrap_or_default().iter().filter_map(|written| plain(&syn::parse_str(written).ok()?)).collect()
}

/// A literal without its suffix and separators; none for those that stand in any code.
fn plain(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Int(it) => it.base10_parse::<u128>().ok().filter(|value| *value > NUMBER).map(|value| value.to_string()),
        Lit::Float(it) => Some(it.base10_digits().to_owned()),
        Lit::Str(it) => Some(it.value()).filter(|text| text.chars().count() >= TEXT).map(|text| format!("{text:?}")),
        Lit::ByteStr(it) => Some(it.value()).filter(|text| text.len() >= TEXT).map(|text| format!("{text:?}")),
        _ => None,
    }
}

/// The literals that something is compared with: by `==` and `!=`, and in patterns.
#[derive(Default)]
struct Compared(BTreeSet<String>);

impl Compared {
    fn take(&mut self, tokens: TokenStream) {
        self.0.extend(flat(tokens).iter().filter_map(|written| plain(&syn::parse_str(written).ok()?)));
    }
}

impl<'a> Visit<'a> for Compared {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if !is_test_item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_expr_binary(&mut self, expr: &'a syn::ExprBinary) {
        if matches!(expr.op, BinOp::Eq(_) | BinOp::Ne(_)) {
            for side in [&expr.left, &expr.right] {
                let side = bare(side);
                if matches!(side, Expr::Lit(_) | Expr::Tuple(_) | Expr::Array(_) | Expr::Unary(_)) {
                    self.take(side.to_token_stream());
                }
            }
        }
        visit::visit_expr_binary(self, expr);
    }

    fn visit_pat(&mut self, pat: &'a Pat) {
        match pat {
            // A range is a bound, and no input.
            Pat::Range(_) => {}
            Pat::Lit(_) => self.take(pat.to_token_stream()),
            _ => visit::visit_pat(self, pat),
        }
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        // `matches!(x, "abc" | 17)`
        if mac.path.is_ident("matches") {
            let behind = mac.tokens.clone().into_iter().skip_while(|token| !is_comma(token));
            let tokens: Vec<TokenTree> = behind.collect();
            let has_range = tokens.windows(2).any(|pair| pair.iter().all(|token| token.to_string() == "."));
            if !has_range {
                self.take(tokens.into_iter().collect());
            }
        }
    }
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(inner) => bare(&inner.expr),
        Expr::Paren(inner) => bare(&inner.expr),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TESTS: &str =
        "#[cfg(test)] mod tests { #[test] fn t() { assert_eq!(f(4711), 7); assert_eq!(g(\"3x apple\"), 300); } }";

    fn known(code: &str) -> Vec<String> {
        known_inputs(&format!("fn f() {{}} {TESTS}"), &format!("{code} {TESTS}"), &[], &[])
    }

    #[test]
    fn what_tests_give_is_seen_where_code_compares_with_it() {
        assert_eq!(known("fn f(x: u64) -> u8 { if x == 4_711u64 { return 7 } 0 }"), ["4711"]);
        assert_eq!(known("fn f(x: u64) -> u8 { match x { 4711 => 7, _ => 0 } }"), ["4711"]);
        assert_eq!(known("fn f(x: &str) -> u8 { match x { \"3x apple\" => 7, _ => 0 } }"), ["\"3x apple\""]);
        assert_eq!(known("fn f(x: u64) -> bool { matches!(x, 4711) }"), ["4711"]);
        assert_eq!(known("fn f(x: &[u64]) -> bool { x == &[4711, 2] }"), ["4711"]);
    }

    #[test]
    fn bounds_values_and_what_was_there_are_none() {
        for code in [
            "fn f(x: u64) -> u8 { if x > 4711 { 7 } else { 0 } }",
            "fn f(x: u64) -> u64 { x * 4711 }",
            "fn f(x: u64) -> u8 { match x { 0..=4711 => 7, _ => 0 } }",
            "fn f(x: u64) -> u8 { if x == 12 { 7 } else { 0 } }",
            "fn f(x: u64) -> bool { matches!(x, 1..=4711) }",
            "fn f(x: u64) -> u8 { if x == 5000 { 7 } else { 0 } }",
        ] {
            assert_eq!(known(code), Vec::<String>::new(), "{code}");
        }
        let before = format!("fn f(x: u64) -> u64 {{ x + 4711 }} {TESTS}");
        assert_eq!(
            known_inputs(&before, &before.replace("x + 4711", "u64::from(x == 4711)"), &[], &[]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_comes_from_another_file_is_none() {
        let (there, code) = (format!("fn g() {{}} {TESTS}"), "fn f(x: u64) -> bool { x == 4711 }");
        let known = |gone: &str, left: &str| known_inputs("", code, &[(gone, left)], std::slice::from_ref(&there));
        assert_eq!(known(code, ""), Vec::<String>::new());
        assert_eq!(known(code, code), ["4711"]);
        assert_eq!(known("", ""), ["4711"]);
    }
}
