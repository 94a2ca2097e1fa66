//! Of two texts of a file, the one item that differs: parsing a file takes longer than finding what differs in it.
//!
//! Items end with braces or a semicolon, and so begin behind those of the one before. What is cut in the wrong place does
//! not parse, and then the whole file is looked at.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Modules, traits and impl blocks inside each other that are looked into.
const DEPTH: usize = 16;

/// The item that holds all that differs, of both; none where it is not one.
pub(super) fn narrowed(old: &TokenStream, new: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    within(old, new, DEPTH)
}

fn within(old: &TokenStream, new: &TokenStream, depth: usize) -> Option<(TokenStream, TokenStream)> {
    let list = |tokens: &TokenStream| tokens.clone().into_iter().collect::<Vec<_>>();
    let (old, new) = (list(old), list(new));
    if old.len() != new.len() {
        return None;
    }
    let mut differ = old.iter().zip(&new).enumerate().filter(|(_, (old, new))| !same(old, new));
    let (at, (TokenTree::Group(before), TokenTree::Group(after))) = differ.next()? else { return None };
    let braces = |group: &Group| group.delimiter() == Delimiter::Brace;
    if differ.next().is_some() || !braces(before) || !braces(after) {
        return None;
    }
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => braces(group),
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let head = old.get(..at)?;
    let head = head.get(head.iter().rposition(ends).map_or(0, |end| end + 1)..)?;
    let inside =
        (depth > 0 && holds_items(head)).then(|| within(&before.stream(), &after.stream(), depth - 1)).flatten();
    let (before, after) = match inside {
        Some((old, new)) => {
            let attributes = inner_attributes(&before.stream());
            (in_braces(&attributes, old), in_braces(&attributes, new))
        }
        None => (before.clone(), after.clone()),
    };
    let item = |group: Group| head.iter().cloned().chain([TokenTree::Group(group)]).collect();
    Some((item(before), item(after)))
}

/// Whether an item with this head is a module, a trait or an impl block: what it is stands behind its attributes, its
/// visibility and what modifies it.
fn holds_items(head: &[TokenTree]) -> bool {
    let words = head.iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let mut words = words.skip_while(|word| matches!(word.as_str(), "pub" | "unsafe" | "default" | "auto"));
    words.next().is_some_and(|word| matches!(word.as_str(), "mod" | "trait" | "impl"))
}

/// The attributes at the beginning that are about what they stand in.
fn inner_attributes(tokens: &TokenStream) -> Vec<TokenTree> {
    let list: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is = |token: &TokenTree, mark: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark);
    let attribute = |three: &&[TokenTree]| {
        matches!(three, [one, two, TokenTree::Group(group)]
            if is(one, '#') && is(two, '!') && group.delimiter() == Delimiter::Bracket)
    };
    list.chunks(3).take_while(attribute).flatten().cloned().collect()
}

fn in_braces(attributes: &[TokenTree], tokens: TokenStream) -> Group {
    Group::new(Delimiter::Brace, attributes.iter().cloned().chain(tokens).collect())
}

fn same(one: &TokenTree, other: &TokenTree) -> bool {
    match (one, other) {
        (TokenTree::Ident(one), TokenTree::Ident(other)) => one == other,
        (TokenTree::Punct(one), TokenTree::Punct(other)) => {
            one.as_char() == other.as_char() && one.spacing() == other.spacing()
        }
        (TokenTree::Literal(one), TokenTree::Literal(other)) => one.to_string() == other.to_string(),
        (TokenTree::Group(one), TokenTree::Group(other)) => {
            let (mut these, mut those) = (one.stream().into_iter(), other.stream().into_iter());
            one.delimiter() == other.delimiter()
                && loop {
                    match (these.next(), those.next()) {
                        (None, None) => break true,
                        (Some(one), Some(other)) if same(&one, &other) => {}
                        _ => break false,
                    }
                }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(old: &str, new: &str) -> Option<(String, String)> {
        let (old, new) = narrowed(&old.parse().unwrap(), &new.parse().unwrap())?;
        let plain = |tokens: TokenStream| tokens.to_string().split_whitespace().collect::<String>();
        Some((plain(old), plain(new)))
    }

    #[test]
    fn only_the_item_that_differs_is_left() {
        let both = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        let old = "use a::{b, c}; struct S { a: u8 }\n#[inline] pub fn f() -> [u8; 1] { g(1) } fn h() {}";
        let f = |n: u8| format!("#[inline]pubfnf()->[u8;1]{{g({n})}}");
        assert_eq!(left(old, &old.replace("g(1)", "g(2)")), both(&f(1), &f(2)));
        let old =
            "mod m { #![allow(a)] use x; pub unsafe trait T { fn a(); fn f() { 1 } const C: u8 = 1; } fn k() {} }";
        let m = |n: u8| format!("modm{{#![allow(a)]pubunsafetraitT{{fnf(){{{n}}}}}}}");
        assert_eq!(left(old, &old.replace("f() { 1", "f() { 2")), both(&m(1), &m(2)));
        // Statements are not items.
        let old = "fn f() { if a { 1 } else { 2 } }";
        assert_eq!(left(old, &old.replace('1', "3")).map(|(old, _)| old), Some("fnf(){ifa{1}else{2}}".to_owned()));
    }

    #[test]
    fn what_differs_in_two_places_or_outside_of_braces_is_left_whole() {
        let old = "fn f() { 1 } fn g() { 2 }";
        for new in ["fn f() { 3 } fn g() { 4 }", "fn f() { 1 }", "fn e() { 1 } fn g() { 2 }", old] {
            assert_eq!(left(old, new), None, "{new}");
        }
    }
}
