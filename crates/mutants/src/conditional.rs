//! Conditions of a build inside of functions: whether what differs between two bodies may matter where this build does not look.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Arm, Block, Expr, Ident, Stmt};

/// Whether statements that differ stand under a condition of the build, hold one, or name what such a statement names as well.
/// Without that, what they do does not depend on the condition, and this build shows it.
pub(crate) fn differs_under_condition(before: &Block, after: &Block) -> bool {
    let says =
        |block: &Block| -> Vec<String> { block.stmts.iter().map(|one| one.to_token_stream().to_string()).collect() };
    let (old, new) = (says(before), says(after));
    if !old.iter().chain(&new).any(|text| text.contains(CONDITION)) {
        return false;
    }
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let room = old.len().min(new.len()).saturating_sub(head);
    let tail = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(old, new)| old == new).count();
    let differs = |block: &'_ Block, at: usize| at >= head && at < block.stmts.len().saturating_sub(tail);
    let sides = [before, after];
    let all = || {
        sides.iter().flat_map(|block| block.stmts.iter().enumerate().map(move |(at, one)| (differs(block, at), one)))
    };
    let is_conditional = |one: &dyn ToTokens| one.to_token_stream().to_string().contains(CONDITION);
    let only = |block: &'_ Block| (block.stmts.len().saturating_sub(head + tail) == 1).then_some(head);
    // Of arms only one is run, so that another one that stands under a condition is not touched.
    let arms = only(before)
        .zip(only(after))
        .and_then(|(old, new)| arms_that_differ(before.stmts.get(old)?, after.stmts.get(new)?));
    let (differing, conditional): (Vec<String>, BTreeSet<String>) = match arms {
        Some(arms) if !arms.iter().any(|arm| is_conditional(arm)) => {
            let others = all().filter(|(differs, one)| !differs && is_conditional(one));
            (
                arms.iter().flat_map(|arm| variables(arm.to_token_stream())).collect(),
                others.flat_map(|(_, one)| variables(one.to_token_stream())).collect(),
            )
        }
        _ if all().any(|(differs, one)| differs && is_conditional(one)) => return true,
        _ => {
            let names = |wanted: &dyn Fn(bool, &Stmt) -> bool| -> Vec<String> {
                let some = all().filter(|(differs, one)| wanted(*differs, one));
                some.flat_map(|(_, one)| variables(one.to_token_stream())).collect()
            };
            (names(&|differs, _| differs), names(&|_, one| is_conditional(one)).into_iter().collect())
        }
    };
    differing.iter().any(|name| conditional.contains(name))
}

/// The arms that differ between two statements which are the same `match` otherwise, with the same patterns and guards.
fn arms_that_differ<'b>(before: &'b Stmt, after: &'b Stmt) -> Option<Vec<&'b Arm>> {
    let (Stmt::Expr(Expr::Match(old), _), Stmt::Expr(Expr::Match(new), _)) = (before, after) else { return None };
    let says = |of: &dyn ToTokens| of.to_token_stream().to_string();
    let head = |arm: &Arm| {
        let attributes: String = arm.attrs.iter().map(|one| says(one)).collect();
        (attributes, says(&arm.pat))
    };
    let is_same = says(&old.expr) == says(&new.expr) && old.arms.len() == new.arms.len();
    if !is_same || old.arms.iter().zip(&new.arms).any(|(old, new)| head(old) != head(new)) {
        return None;
    }
    let differ = old.arms.iter().zip(&new.arms).filter(|(old, new)| says(&old.body) != says(&new.body));
    Some(differ.flat_map(|(old, new)| [old, new]).collect())
}

/// What a condition of the build is written with.
pub(crate) const CONDITION: &str = "cfg";

/// The names in a piece of code that may be variables or what is called: neither words of the language, types and constants, nor
/// members of something else.
fn variables(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = [String::new(), String::new()];
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let text = match &token {
            TokenTree::Group(group) => {
                found.extend(variables(group.stream()));
                String::new()
            }
            other => other.to_string(),
        };
        if matches!(token, TokenTree::Ident(_)) {
            let next = tokens.peek().map(ToString::to_string).unwrap_or_default();
            let is_member = before[1] == "." || before == [":", ":"] || next == "!";
            let is_variable = text.starts_with(|first: char| first.is_lowercase() || first == '_');
            if is_variable && !is_member && syn::parse_str::<Ident>(&text).is_ok() {
                found.push(text.clone());
            }
        }
        let [_, last] = before;
        before = [last, text];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_build_does_not_show_is_told_from_what_it_does() {
        let differs = |before: &str, after: &str| {
            let block = |text: &str| syn::parse_str::<Block>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            differs_under_condition(&block(before), &block(after))
        };
        let body = "{ let a = one(x); #[cfg(windows)] { send(a); } if b { return c; } 7 }";
        for (old, new) in [("one(x)", "two(x)"), ("send(a)", "send(a + 1)"), ("windows", "unix"), ("7", "a")] {
            assert!(differs(body, &body.replace(old, new)), "{new}");
        }
        assert!(differs("{ 1 }", "{ #[cfg(unix)] { return 2; } 1 }"));
        assert!(differs("{ if b { #[cfg(unix)] { x(); } y(); } }", "{ if b { #[cfg(unix)] { x(); } z(); } }"));
        for (old, new) in [("return c;", "return d;"), ("7", "8"), ("if b { return c; }", "b?;")] {
            assert!(!differs(body, &body.replace(old, new)), "{new}");
        }
        assert!(!differs("{ 1 }", "{ 2 }"));
        let body = "{ match a { B => x(y), #[cfg(unix)] C => y.z(), D if e => 1 } }";
        for (old, new) in [("x(y)", "z(y)"), ("=> 1", "=> { 2 }")] {
            assert!(!differs(body, &body.replace(old, new)), "{new}");
        }
        for (old, new) in [("y.z()", "y.x()"), ("match a", "match b"), ("if e", "if f"), ("B =>", "_ =>")] {
            assert!(differs(body, &body.replace(old, new)), "{new}");
        }
    }
}
