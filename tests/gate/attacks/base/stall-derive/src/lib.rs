//! `#[derive(Named)]`: gives a type a `NAME` constant.

use proc_macro::{TokenStream, TokenTree};

/// Adds `pub const NAME: &'static str` to a struct or an enum without generics.
#[proc_macro_derive(Named)]
pub fn named(input: TokenStream) -> TokenStream {
    let mut tokens = input.into_iter();
    while let Some(token) = tokens.next() {
        let TokenTree::Ident(word) = token else { continue };
        let word = word.to_string();
        if word != "struct" && word != "enum" {
            continue;
        }
        if let Some(TokenTree::Ident(name)) = tokens.next() {
            let code = format!(
                "impl {name} {{ /// The name of this type.\n pub const NAME: &'static str = \"{name}\"; }}"
            );
            return code.parse().expect("the expansion is Rust");
        }
    }
    "compile_error!(\"Named needs a struct or an enum\");".parse().expect("the error is Rust")
}
