//! Tokens without their lifetimes, for telling a signature that only spells its lifetimes otherwise from one that
//! promises something else.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The tokens as text, without lifetimes and without the punctuation that stood only for them.
///
/// `impl<'r> Iterator for Rows<'r>` and `impl Iterator for Rows<'_>` come out the same. Where a lifetime bounds
/// something, traces are left on purpose: such a change is more than a matter of spelling.
pub(crate) fn without_lifetimes(tokens: TokenStream) -> String {
    let mut text: String = strip(tokens).to_string().chars().filter(|c| !c.is_whitespace()).collect();
    loop {
        let shorter = text.replace("<,", "<").replace(",>", ">").replace(",,", ",").replace("<>", "");
        if shorter == text {
            return text;
        }
        text = shorter;
    }
}

fn strip(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            // A lifetime is an apostrophe and a name.
            TokenTree::Punct(punct) if punct.as_char() == '\'' => drop(tokens.next()),
            TokenTree::Group(group) if group.delimiter() != Delimiter::None => {
                kept.push(TokenTree::Group(Group::new(group.delimiter(), strip(group.stream()))));
            }
            other => kept.push(other),
        }
    }
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::without_lifetimes;

    fn same(a: &str, b: &str) -> bool {
        without_lifetimes(a.parse().unwrap()) == without_lifetimes(b.parse().unwrap())
    }

    #[test]
    fn only_the_spelling_of_lifetimes_is_left_out() {
        assert!(same("impl<'r> Iterator for Rows<'r>", "impl Iterator for Rows<'_>"));
        assert!(same("fn f<'a, T>(x: &'a T) -> &'a T", "fn f<T>(x: &T) -> &T"));
        assert!(same("const X: &'static str", "const X: &str"));
        assert!(!same("fn f<T>(x: &T)", "fn f<T>(x: T)"));
        assert!(!same("fn f<'a, T: 'a>(x: &'a T)", "fn f<T>(x: &T)"));
        assert!(!same("fn f(x: char) -> u8", "fn f(x: char) -> u16"));
    }
}
