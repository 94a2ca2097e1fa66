//! Aliases of types: what `Result<Token>` means where a library has a `Result` of its own.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{GenericArgument, GenericParam, ItemType, PathArguments, Type};

use crate::library::Library;

/// An alias of one of another is followed so far.
const STEPS: usize = 4;

/// What a type means, as it is written in a module, and the module where that is written: another one than that of the type where it
/// is an alias.
pub(crate) fn expanded(library: &Library, module: &[String], written: &str) -> (Vec<String>, String) {
    let mut found = (module.to_vec(), written.to_owned());
    for _ in 0..STEPS {
        match once(library, &found.0, &found.1) {
            Some(meant) => found = meant,
            None => break,
        }
    }
    found
}

fn once(library: &Library, module: &[String], written: &str) -> Option<(Vec<String>, String)> {
    let Ok(Type::Path(path)) = syn::parse_str::<Type>(written) else { return None };
    let last = path.path.segments.last().filter(|_| path.qself.is_none())?;
    // A path that leads elsewhere is no name of this library's, unless it begins with what does.
    let first = path.path.segments.first()?.ident.to_string();
    if path.path.segments.len() > 1 && !matches!(first.as_str(), "self" | "crate" | "super") {
        return None;
    }
    let place = library.declared(module, &last.ident.to_string(), 8)?;
    let (_, text) = library.modules.get(&place.0)?.others.iter().find(|(name, _)| *name == place.1)?;
    let alias: ItemType = syn::parse_str(text).ok()?;
    let mut given = match &last.arguments {
        PathArguments::AngleBracketed(all) => all.args.iter().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    given.retain(|argument| matches!(argument, GenericArgument::Type(_)));
    let mut given = given.into_iter().map(|argument| argument.to_token_stream());
    let mut known: Vec<(String, TokenStream)> = Vec::new();
    for param in &alias.generics.params {
        if let GenericParam::Type(param) = param {
            let argument = given.next().or_else(|| param.default.as_ref().map(|(_, ty)| ty.to_token_stream()))?;
            known.push((param.ident.to_string(), argument));
        }
    }
    Some((place.0, with(alias.ty.to_token_stream(), &known).to_string()))
}

/// A type with others in place of its parameters.
fn with(tokens: TokenStream, known: &[(String, TokenStream)]) -> TokenStream {
    let of = |token: TokenTree| match &token {
        TokenTree::Ident(name) => match known.iter().find(|(param, _)| name == param) {
            Some((_, ty)) => ty.clone(),
            None => token.into(),
        },
        _ => token.into(),
    };
    tokens.into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_mean_what_they_stand_for() {
        let text = "pub type Result = std::result::Result<Matches, Fail>; pub type Found<T, E = Fail> = Result2<T, E>; \
                    type Result2<A, B> = std::result::Result<Option<A>, B>; pub struct Matches; pub struct Fail;";
        let library = Library::read("lib.rs", &|path| (path == "lib.rs").then(|| text.to_owned()));
        let meant = |written: &str| expanded(&library, &[], written).1.replace(' ', "");
        assert_eq!(meant("Result"), "std::result::Result<Matches,Fail>");
        assert_eq!(meant("self::Result"), "std::result::Result<Matches,Fail>");
        assert_eq!(meant("Found<Vec<u8>>"), "std::result::Result<Option<Vec<u8>>,Fail>");
        for other in ["io::Result<Matches>", "Matches", "Option<Result>", "u8", "&Result", "impl Fn()"] {
            assert_eq!(meant(other), other.replace(' ', ""));
        }
    }
}
