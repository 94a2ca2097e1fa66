//! Assertions that ask for more: not only that something is an error, but which one.

use proc_macro2::{TokenStream, TokenTree};

use super::extends::entries;

/// What a method asks, and what the value must be for that.
const ASKED: [(&str, &str, bool); 4] =
    [("is_err", "Err", true), ("is_ok", "Ok", true), ("is_some", "Some", true), ("is_none", "None", false)];

/// Whether the first is `assert!(value.is_err())` or the like, and the second `assert_eq!(value, Err(..))`.
pub(super) fn is_sharper(old: &TokenStream, new: &TokenStream) -> bool {
    let (Some(old), Some(new)) = (arguments(old, "assert"), arguments(new, "assert_eq")) else { return false };
    let ([old], [value, wanted]) = (old.as_slice(), new.as_slice()) else { return false };
    let [kept @ .., dot, method, TokenTree::Group(none)] = old.as_slice() else { return false };
    let asked = ASKED.iter().find(|(name, ..)| method.to_string() == *name);
    let Some((_, variant, holds)) = asked.filter(|_| dot.to_string() == "." && none.stream().is_empty()) else {
        return false;
    };
    let is_variant = match wanted.as_slice() {
        [name] => !holds && name.to_string() == *variant,
        [name, TokenTree::Group(_)] => *holds && name.to_string() == *variant,
        _ => false,
    };
    is_variant && text(kept) == text(value)
}

/// The arguments of a call of a macro, and nothing else.
fn arguments(statement: &TokenStream, name: &str) -> Option<Vec<Vec<TokenTree>>> {
    let all: Vec<TokenTree> = statement.clone().into_iter().collect();
    let [TokenTree::Ident(called), mark, TokenTree::Group(inside), rest @ ..] = all.as_slice() else { return None };
    if called != name || mark.to_string() != "!" || rest.iter().any(|one| one.to_string() != ";") {
        return None;
    }
    let inside: Vec<TokenTree> = inside.stream().into_iter().collect();
    Some(entries(&inside))
}

fn text(tokens: &[TokenTree]) -> String {
    tokens.iter().cloned().collect::<TokenStream>().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_error_is_more_than_an_error() {
        let of = |old: &str, new: &str| {
            let tokens = |text: &str| text.parse::<TokenStream>().unwrap();
            is_sharper(&tokens(old), &tokens(new))
        };
        assert!(of("assert!(f(&[\"x\", \"y\"]).is_err());", "assert_eq!(f(&[\"x\", \"y\"]), Err(\"z\".into()));"));
        assert!(of("assert!(f(1).is_none());", "assert_eq!(f(1), None,);"));
        assert!(of("assert!(f(1).is_ok(),)", "assert_eq!(f(1), Ok(()))"));
        for other in [
            "assert_eq!(f(2), None);",
            "assert_eq!(f(1), Some(1));",
            "assert_eq!(f(1), None, \"{}\", g());",
            "assert_ne!(f(1), None);",
            "if g() { assert_eq!(f(1), None); }",
        ] {
            assert!(!of("assert!(f(1).is_none());", other), "{other}");
        }
        assert!(!of("assert!(!f(1).is_none());", "assert_eq!(f(1), None);"));
    }
}
