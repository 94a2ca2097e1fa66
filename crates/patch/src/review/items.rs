//! Rule `public-item`, and the list of items that a patch changes: added, removed, another signature, another body.
//!
//! Items are compared by their tokens, so white space, comments and docs make no change. What can be named from
//! outside of its crate is a promise; taking it back asks a person.

use kaizen_domain::review::{ItemChange, ItemChangeKind};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, FnArg, ImplItem, Item, Signature, TraitItem, Visibility};

use super::Findings;
use super::code::CodeFile;
use super::code::unit::{Node, Unit};
use super::exports::is_export;
use super::fields::without_private_names;
use super::moved::{Promise, Promises};
use crate::syntax::lex::{Lexeme, lex};
use crate::syntax::lifetimes::without_lifetimes;

pub(super) const RULE: &str = "public-item";
const LIFETIMES: &str = "public-lifetimes";

/// The items that change, and the promises that go from the file and come to it: about those [`moved`] asks.
pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) -> (Vec<ItemChange>, Promises) {
    let mut promises = Promises::of(file);
    if !file.is_whole() {
        return (Vec::new(), promises);
    }
    let mut respelt = Vec::new();
    let mut items = changes(file, &mut respelt, &mut promises);
    items.extend(promises.renamed());
    for name in &respelt {
        findings.ask(LIFETIMES, file.path, format!("spells the lifetimes of the public item `{name}` otherwise"));
    }
    for item in items.iter().filter(|item| item.public) {
        let name = &item.item;
        match item.what {
            ItemChangeKind::Signature => {
                findings.ask(RULE, &item.path, format!("changes the signature of the public item `{name}`"));
            }
            ItemChangeKind::Added | ItemChangeKind::Removed | ItemChangeKind::Body => {}
        }
    }
    (items, promises)
}

/// What an item promises; for one in a module within the file, with that in its name.
fn promise(unit: &Unit<'_>) -> Promise {
    let of = match unit.node {
        Node::ImplItem(_, block) | Node::ImplHead(block) => Some(last_name(&block.self_ty.to_token_stream())),
        Node::TraitItem(_) => Some(unit.home.label.clone()),
        _ => None,
    };
    Promise { label: unit.label(), signature: signature(unit), derives: derives(unit), of }
}

/// The item is the same but for how it spells its lifetimes.
fn is_respelt(old: &Unit<'_>, new: &Unit<'_>) -> bool {
    let spelt = |unit: &Unit<'_>| signature(unit).parse().map(without_lifetimes);
    matches!((spelt(old), spelt(new)), (Ok(old), Ok(new)) if old == new)
}

fn changes(file: &CodeFile<'_>, respelt: &mut Vec<String>, promises: &mut Promises) -> Vec<ItemChange> {
    let change =
        |unit: &Unit<'_>, public, what| ItemChange { path: file.path.clone(), item: unit.label(), public, what };
    let mut found = Vec::new();
    let mut matched = vec![false; file.new.len()];
    for old in file.old.iter().filter(|unit| is_item(unit)) {
        let pair = file.new.iter().zip(matched.iter_mut()).find(|(new, taken)| !**taken && new.key() == old.key());
        let Some((new, taken)) = pair else {
            let public = is_public(old, file);
            promises.gone.extend(public.then(|| promise(old)));
            found.push(change(old, public, ItemChangeKind::Removed));
            continue;
        };
        *taken = true;
        let same = |old: &[Lexeme<'_>], new: &[Lexeme<'_>]| {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.text == new.text)
        };
        if same(old.lexemes(), new.lexemes()) {
            continue;
        }
        let public = is_public(old, file);
        let other_signature = signature(old) != signature(new);
        if other_signature && public && is_public(new, file) && is_respelt(old, new) {
            respelt.push(new.label());
            found.push(change(new, public, ItemChangeKind::Body));
        } else if other_signature
            || derives(old).iter().any(|name| !derives(new).contains(name))
            || public && !is_public(new, file)
        {
            found.push(change(new, public, ItemChangeKind::Signature));
        } else if has_body(new) && !same(without_attributes(old.lexemes()), without_attributes(new.lexemes())) {
            found.push(change(new, public, ItemChangeKind::Body));
        }
    }
    for (new, _) in file.new.iter().zip(matched).filter(|(new, taken)| !taken && is_item(new)) {
        // What a public trait newly requires breaks those who implement it.
        let required = match new.node {
            Node::TraitItem(TraitItem::Fn(item)) => item.default.is_none(),
            Node::TraitItem(TraitItem::Const(item)) => item.default.is_none(),
            Node::TraitItem(TraitItem::Type(item)) => item.default.is_none(),
            _ => false,
        };
        let trait_is_old = file.old.iter().any(|old| old.kind == "trait")
            || required && !file.new.iter().any(|unit| unit.kind == "trait" && new.home.label.ends_with(&unit.name));
        let what = if required && trait_is_old { ItemChangeKind::Signature } else { ItemChangeKind::Added };
        let public = is_public(new, file);
        promises.come.extend(public.then(|| promise(new)));
        found.push(change(new, public, what));
    }
    found
}

fn is_item(unit: &Unit<'_>) -> bool {
    match unit.node {
        Node::Attrs(_) | Node::Text => false,
        // What a file names for others is compared name by name.
        Node::Item(Item::Use(item)) => matches!(item.vis, Visibility::Public(_)) && !is_export(unit),
        _ => !unit.label().is_empty(),
    }
}

fn is_public(unit: &Unit<'_>, file: &CodeFile<'_>) -> bool {
    let public = |vis: &Visibility| matches!(vis, Visibility::Public(_));
    if !unit.home.public || unit.is_test_code() {
        return false;
    }
    match unit.node {
        Node::Item(Item::Macro(item)) => item.attrs.iter().any(|attr| attr.path().is_ident("macro_export")),
        Node::Item(item) | Node::Head(item) => visibility(item).is_some_and(public),
        Node::ImplItem(item, block) => block.trait_.is_none() && impl_visibility(item).is_some_and(public),
        Node::TraitItem(_) => true,
        Node::ImplHead(block) => {
            block.trait_.is_some() && !became_derived(block, file) && !is_private_type(block, file)
        }
        Node::Foreign | Node::Attrs(_) | Node::Text => false,
    }
}

/// The type of an impl block is declared in the same file and is not public: nobody outside can use the impl.
fn is_private_type(block: &syn::ItemImpl, file: &CodeFile<'_>) -> bool {
    let mut ty = &*block.self_ty;
    while let syn::Type::Reference(reference) = ty {
        ty = &*reference.elem;
    }
    let name = last_name(&ty.to_token_stream());
    let lexemes = &file.before.lexemes;
    let word = |at: Option<usize>| at.and_then(|at| lexemes.get(at)).map_or("", |lexeme| lexeme.text);
    (0..lexemes.len()).any(|at| {
        matches!(word(Some(at)), "struct" | "enum" | "union")
            && word(Some(at + 1)) == name
            && !matches!(word(at.checked_sub(1)), "pub" | ")")
    })
}

/// The trait is derived now instead.
fn became_derived(block: &syn::ItemImpl, file: &CodeFile<'_>) -> bool {
    let Some((path, _)) = &block.trait_ else { return false };
    let (ty, of) = (last_name(&block.self_ty.to_token_stream()), last_name(&path.to_token_stream()));
    file.new.iter().any(|unit| unit.name == ty && derives(unit).contains(&of))
}

/// The last name before any generic arguments.
fn last_name(tokens: &TokenStream) -> String {
    let text = tokens.to_string();
    let head = text.split('<').next().unwrap_or("");
    head.rsplit(':').next().unwrap_or("").trim().to_owned()
}

fn visibility(item: &Item) -> Option<&Visibility> {
    match item {
        Item::Const(item) => Some(&item.vis),
        Item::Enum(item) => Some(&item.vis),
        Item::ExternCrate(item) => Some(&item.vis),
        Item::Fn(item) => Some(&item.vis),
        Item::Mod(item) => Some(&item.vis),
        Item::Static(item) => Some(&item.vis),
        Item::Struct(item) => Some(&item.vis),
        Item::Trait(item) => Some(&item.vis),
        Item::TraitAlias(item) => Some(&item.vis),
        Item::Type(item) => Some(&item.vis),
        Item::Union(item) => Some(&item.vis),
        Item::Use(item) => Some(&item.vis),
        _ => None,
    }
}

fn impl_visibility(item: &ImplItem) -> Option<&Visibility> {
    match item {
        ImplItem::Const(item) => Some(&item.vis),
        ImplItem::Fn(item) => Some(&item.vis),
        ImplItem::Type(item) => Some(&item.vis),
        _ => None,
    }
}

/// What an item promises, as text that can be compared.
fn signature(unit: &Unit<'_>) -> String {
    let attrs = attributes(unit.attrs());
    let rest = match unit.node {
        Node::Item(item) => item_signature(item),
        Node::ImplItem(item, block) => {
            let (generics, ty, trait_) = (&block.generics, &block.self_ty, block.trait_.as_ref().map(|(path, _)| path));
            let place = quote!(#generics #trait_ #ty);
            let own = match item {
                ImplItem::Fn(item) => with_visibility(&item.vis, &function(&item.sig)),
                ImplItem::Const(item) => with_visibility(&item.vis, &item.ty),
                ImplItem::Type(item) => with_visibility(&item.vis, &item.ty),
                other => other.to_token_stream(),
            };
            quote!(#place #own)
        }
        Node::TraitItem(TraitItem::Fn(item)) => {
            let (sig, provided) = (function(&item.sig), item.default.is_some().to_string());
            quote!(#sig #provided)
        }
        Node::TraitItem(item) => item.to_token_stream(),
        Node::ImplHead(block) => {
            let (safety, generics, ty, trait_) =
                (&block.unsafety, &block.generics, &block.self_ty, block.trait_.as_ref().map(|(path, _)| path));
            quote!(#safety #generics #trait_ #ty)
        }
        Node::Head(Item::Trait(item)) => {
            let (vis, safety, generics, bounds) = (&item.vis, &item.unsafety, &item.generics, &item.supertraits);
            quote!(#vis #safety #generics #bounds)
        }
        Node::Head(item) => visibility(item).map(ToTokens::to_token_stream).unwrap_or_default(),
        Node::Foreign => return unit.lexemes().iter().map(|lexeme| lexeme.text).collect::<Vec<_>>().join(" "),
        Node::Attrs(_) | Node::Text => TokenStream::new(),
    };
    format!("{attrs} {rest}")
}

fn item_signature(item: &Item) -> TokenStream {
    match item {
        Item::Fn(item) => with_visibility(&item.vis, &function(&item.sig)),
        Item::Const(item) => with_visibility(&item.vis, &item.ty),
        Item::Static(item) => with_visibility(&item.vis, &item.ty),
        Item::Mod(item) => item.vis.to_token_stream(),
        Item::Macro(item) => item.ident.to_token_stream(),
        Item::Struct(item) => without_docs(syn::ItemStruct { attrs: Vec::new(), ..without_private_names(item) }),
        Item::Enum(item) => without_docs(syn::ItemEnum { attrs: Vec::new(), ..item.clone() }),
        Item::Union(item) => without_docs(syn::ItemUnion { attrs: Vec::new(), ..item.clone() }),
        Item::Type(item) => syn::ItemType { attrs: Vec::new(), ..item.clone() }.to_token_stream(),
        Item::Use(item) => syn::ItemUse { attrs: Vec::new(), ..item.clone() }.to_token_stream(),
        Item::ExternCrate(item) => syn::ItemExternCrate { attrs: Vec::new(), ..item.clone() }.to_token_stream(),
        other => other.to_token_stream(),
    }
}

fn with_visibility(vis: &Visibility, rest: &impl ToTokens) -> TokenStream {
    quote!(#vis #rest)
}

/// A function's promise: what its parameters are called is none.
fn function(sig: &Signature) -> TokenStream {
    let (constness, asyncness, safety, abi) = (&sig.constness, &sig.asyncness, &sig.safety, &sig.abi);
    let (generics, bounds, variadic) = (&sig.generics, &sig.generics.where_clause, &sig.variadic);
    // `-> ()` and nothing say the same.
    let output = match &sig.output {
        syn::ReturnType::Type(_, ty) if matches!(&**ty, syn::Type::Tuple(tuple) if tuple.elems.is_empty()) => None,
        output => Some(output),
    };
    let inputs = sig.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => receiver.to_token_stream(),
        FnArg::Typed(typed) => typed.ty.to_token_stream(),
    });
    quote!(#constness #asyncness #safety #abi #generics #bounds (#(#inputs),*) #variadic #output)
}

/// Fields and variants without their docs.
fn without_docs(item: impl ToTokens) -> TokenStream {
    let text = item.to_token_stream().to_string();
    let lexemes: Vec<_> = lex(&text).collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(lexeme) = lexemes.get(at) {
        let word = |offset: usize| lexemes.get(at + offset).map_or("", |lexeme| lexeme.text);
        if lexeme.text == "#" && word(1) == "[" && word(2) == "doc" {
            at = super::code::scan::closing(&lexemes, at + 1) + 1;
            continue;
        }
        out.push_str(lexeme.text);
        out.push(' ');
        at += 1;
    }
    quote!(#out)
}

/// Attributes that are part of what an item promises.
fn attributes(attrs: &[Attribute]) -> String {
    const NO_PROMISE: [&str; 12] = [
        "doc",
        "inline",
        "cold",
        "allow",
        "expect",
        "warn",
        "deny",
        "forbid",
        "must_use",
        "track_caller",
        "derive",
        "test",
    ];
    let kept = attrs.iter().filter(|attr| !NO_PROMISE.iter().any(|name| attr.path().is_ident(name)));
    kept.map(|attr| attr.meta.to_token_stream().to_string()).collect::<Vec<_>>().join(" ")
}

fn derives(unit: &Unit<'_>) -> Vec<String> {
    derived(unit.attrs())
}

pub(super) fn derived(attrs: &[Attribute]) -> Vec<String> {
    let lists = attrs.iter().filter(|attr| attr.path().is_ident("derive"));
    let tokens = lists.filter_map(|attr| attr.meta.require_list().ok().map(|list| list.tokens.to_string()));
    tokens
        .flat_map(|text| {
            text.split(',').map(|name| name.rsplit(':').next().unwrap_or("").trim().to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// There is more to the item than what it promises.
fn has_body(unit: &Unit<'_>) -> bool {
    match unit.node {
        Node::Item(item) => matches!(item, Item::Fn(_) | Item::Const(_) | Item::Static(_) | Item::Macro(_)),
        Node::ImplItem(item, _) => matches!(item, ImplItem::Fn(_) | ImplItem::Const(_)),
        Node::TraitItem(item) => matches!(item, TraitItem::Fn(_)),
        _ => false,
    }
}

/// The code of an item behind its attributes.
fn without_attributes<'l, 't>(mut lexemes: &'l [Lexeme<'t>]) -> &'l [Lexeme<'t>] {
    while let [mark, open, ..] = lexemes
        && (mark.text, open.text) == ("#", "[")
    {
        let behind = super::code::scan::closing(lexemes, 1) + 1;
        lexemes = lexemes.get(behind..).unwrap_or(&[]);
    }
    lexemes
}
