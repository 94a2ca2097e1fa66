//! Lists of cases: the same code, where lists in square brackets have more entries than before. What was asked is asked still.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Groups within each other that are looked into.
const DEEPEST: usize = 64;

/// Whether the second is the first, but for entries that came to lists in square brackets.
pub(super) fn extends(old: &TokenStream, new: &TokenStream) -> bool {
    let (old, new): (Vec<TokenTree>, Vec<TokenTree>) =
        (old.clone().into_iter().collect(), new.clone().into_iter().collect());
    all(&old, &new, DEEPEST)
}

fn all(old: &[TokenTree], new: &[TokenTree], depth: usize) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| one(old, new, depth))
}

fn one(old: &TokenTree, new: &TokenTree, depth: usize) -> bool {
    match (old, new) {
        (TokenTree::Group(old), TokenTree::Group(new)) => {
            let Some(depth) = depth.checked_sub(1) else { return false };
            let (was, is): (Vec<TokenTree>, Vec<TokenTree>) =
                (old.stream().into_iter().collect(), new.stream().into_iter().collect());
            let is_list = old.delimiter() == Delimiter::Bracket && is.iter().any(is_comma);
            old.delimiter() == new.delimiter()
                && if is_list { has_all(&was, &is, depth) } else { all(&was, &is, depth) }
        }
        (TokenTree::Group(_), _) | (_, TokenTree::Group(_)) => false,
        (old, new) => old.to_string() == new.to_string(),
    }
}

fn is_comma(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ',')
}

/// What stands between the commas of a list.
pub(super) fn entries(list: &[TokenTree]) -> Vec<Vec<TokenTree>> {
    list.split(is_comma).filter(|entry| !entry.is_empty()).map(<[TokenTree]>::to_vec).collect()
}

/// Whether each entry of a list is in the other one, in order.
fn has_all(old: &[TokenTree], new: &[TokenTree], depth: usize) -> bool {
    let mut more = entries(new).into_iter();
    let was = entries(old);
    !was.is_empty() && was.iter().all(|entry| more.any(|other| all(entry, &other, depth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cases_may_grow_and_nothing_else_may_change() {
        let of = |old: &str, new: &str| {
            let tokens = |text: &str| text.parse::<TokenStream>().unwrap();
            extends(&tokens(old), &tokens(new))
        };
        let old = "for (a, b) in [(1, \"x\"), (2, \"y\")] { assert_eq!(f(a), b); }";
        assert!(of(old, old));
        assert!(of(old, &old.replace("(2, \"y\")", "(2, \"y\"), (3, \"z\"),")));
        assert!(of(old, &old.replace("[(1", "[(0, \"\"), (1")));
        for other in [
            old.replace("(2, \"y\")", "(2, \"z\")"),
            old.replace("(1, \"x\"), ", ""),
            old.replace("(1, \"x\"), (2, \"y\")", "(2, \"y\"), (1, \"x\")"),
            old.replace("f(a), b", "f(a), f(a)"),
            old.replace("f(a), b", "f(a), b, 0"),
        ] {
            assert!(!of(old, &other), "{other}");
        }
        assert!(of("&[(A, Some(&[B]))]", "&[(A, Some(&[B])), (C, None)]"));
        assert!(!of("f(x[0])", "f(x[1])") && !of("[0; 3]", "[0; 4]") && !of("[]", "[1]"));
    }
}
