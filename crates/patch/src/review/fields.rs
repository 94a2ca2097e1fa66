//! What the private fields of a struct promise: not what they are called nor how many there are, but what they are made of, as
//! far as that decides where values may go and how long they live.

use std::collections::BTreeMap;

use quote::ToTokens;
use syn::Visibility;

use super::items::derived;

/// What private fields are called and who of the crate may see them is nobody's business, nor are those of plain types, but
/// that there are some; unless a derive that is not one of the language's may tell others.
pub(super) fn without_private_names(item: &syn::ItemStruct) -> syn::ItemStruct {
    const OF_THE_LANGUAGE: [&str; 9] =
        ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];
    let mut item = item.clone();
    if !derived(&item.attrs).iter().all(|name| OF_THE_LANGUAGE.contains(&name.as_str())) {
        return item;
    }
    let is_private = |field: &syn::Field| !matches!(field.vis, Visibility::Public(_));
    for field in item.fields.iter_mut().filter(|field| is_private(field)) {
        field.ident = field.ident.as_ref().map(|name| syn::Ident::new("private", name.span()));
        field.vis = Visibility::Inherited;
    }
    // Where they are laid out by the language, so that their places say nothing: only what they are made of does.
    let is_laid_out = item.attrs.iter().any(|attr| attr.path().is_ident("repr"));
    if let syn::Fields::Named(fields) = &mut item.fields
        && !is_laid_out
        && fields.named.iter().any(is_private)
    {
        let (private, mut promised): (Vec<syn::Field>, Vec<syn::Field>) =
            fields.named.iter().cloned().partition(|field| is_private(field));
        let mut parts = BTreeMap::new();
        private.into_iter().for_each(|field| peculiar(field.ty, &mut parts));
        promised.push(syn::parse_quote!(private: ()));
        promised.extend(parts.into_values().map(|ty| -> syn::Field { syn::parse_quote!(private: #ty) }));
        fields.named = promised.into_iter().collect();
    }
    item
}

/// The types inside of one that are not plain, by their text.
fn peculiar(ty: syn::Type, parts: &mut BTreeMap<String, syn::Type>) {
    if is_plain(&ty) {
        return;
    }
    match ty {
        syn::Type::Tuple(tuple) => tuple.elems.into_iter().for_each(|inner| peculiar(inner, parts)),
        syn::Type::Array(array) => peculiar(*array.elem, parts),
        syn::Type::Path(path) if holds(&path).is_some() => {
            let inside: Vec<syn::Type> = holds(&path).into_iter().flatten().cloned().collect();
            inside.into_iter().for_each(|inner| peculiar(inner, parts));
        }
        other => drop(parts.insert(other.to_token_stream().to_string(), other)),
    }
}

/// Types that go to any thread, may be moved, own what they hold and have no lifetime, where what they hold is so as well.
const PLAIN: [&str; 30] = [
    "bool",
    "char",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "String",
    "Vec",
    "VecDeque",
    "Option",
    "Box",
    "HashMap",
    "HashSet",
    "BTreeMap",
    "BTreeSet",
    "BinaryHeap",
    "PathBuf",
    "Duration",
    "Instant",
    "SystemTime",
];

/// Whether a type is plain, and all that it holds.
fn is_plain(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Tuple(tuple) => tuple.elems.iter().all(is_plain),
        syn::Type::Array(array) => is_plain(&array.elem),
        syn::Type::Path(path) => holds(path).is_some_and(|inside| inside.iter().all(|ty| is_plain(ty))),
        _ => false,
    }
}

/// What a plain type holds; none of any other.
fn holds(path: &syn::TypePath) -> Option<Vec<&syn::Type>> {
    let last = path.path.segments.last().filter(|_| path.qself.is_none())?;
    if !PLAIN.iter().any(|name| last.ident == name) {
        return None;
    }
    match &last.arguments {
        syn::PathArguments::None => Some(Vec::new()),
        syn::PathArguments::AngleBracketed(inside) => {
            let types = inside.args.iter().map(|one| match one {
                syn::GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            types.collect()
        }
        syn::PathArguments::Parenthesized(_) => None,
    }
}
