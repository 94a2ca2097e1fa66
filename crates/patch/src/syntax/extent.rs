//! Where an item ends and what it is called, from the few tokens that tell, without walking the whole item.

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::{Fields, ForeignItem, ImplItem, Item, MacroDelimiter, TraitItem};

/// The span of the last token of an item.
pub(crate) fn item_end(item: &Item) -> Span {
    match item {
        Item::Const(item) => item.semi_token.span,
        Item::Enum(item) => item.brace_token.span.close(),
        Item::ExternCrate(item) => item.semi_token.span,
        Item::Fn(item) => item.block.brace_token.span.close(),
        Item::ForeignMod(item) => item.brace_token.span.close(),
        Item::Impl(item) => item.brace_token.span.close(),
        Item::Macro(item) => macro_end(item.semi_token.as_ref(), &item.mac.delimiter),
        Item::Mod(item) => match (&item.content, &item.semi) {
            (Some((brace, _)), _) => brace.span.close(),
            (None, Some(semi)) => semi.span,
            (None, None) => item.ident.span(),
        },
        Item::Static(item) => item.semi_token.span,
        Item::Struct(item) => match (&item.semi_token, &item.fields) {
            (Some(semi), _) => semi.span,
            (None, Fields::Named(fields)) => fields.brace_token.span.close(),
            (None, _) => end_of(item),
        },
        Item::Trait(item) => item.brace_token.span.close(),
        Item::TraitAlias(item) => item.semi_token.span,
        Item::Type(item) => item.semi_token.span,
        Item::Union(item) => item.fields.brace_token.span.close(),
        Item::Use(item) => item.semi_token.span,
        other => end_of(other),
    }
}

/// The span of the last token of a member of an impl block.
pub(crate) fn impl_item_end(item: &ImplItem) -> Span {
    match item {
        ImplItem::Const(item) => item.semi_token.span,
        ImplItem::Fn(item) => item.block.brace_token.span.close(),
        ImplItem::Type(item) => item.semi_token.span,
        ImplItem::Macro(item) => macro_end(item.semi_token.as_ref(), &item.mac.delimiter),
        other => end_of(other),
    }
}

/// The span of the last token of a member of a trait.
pub(crate) fn trait_item_end(item: &TraitItem) -> Span {
    match item {
        TraitItem::Const(item) => item.semi_token.span,
        TraitItem::Fn(item) => match (&item.semi_token, &item.default) {
            (Some(semi), _) => semi.span,
            (None, Some(block)) => block.brace_token.span.close(),
            (None, None) => end_of(item),
        },
        TraitItem::Type(item) => item.semi_token.span,
        TraitItem::Macro(item) => macro_end(item.semi_token.as_ref(), &item.mac.delimiter),
        other => end_of(other),
    }
}

/// The span of the last token of a member of an `extern` block.
pub(crate) fn foreign_item_end(item: &ForeignItem) -> Span {
    end_of(item)
}

fn macro_end(semi: Option<&syn::Token![;]>, delimiter: &MacroDelimiter) -> Span {
    let close = match delimiter {
        MacroDelimiter::Paren(token) => token.span.close(),
        MacroDelimiter::Brace(token) => token.span.close(),
        MacroDelimiter::Bracket(token) => token.span.close(),
    };
    semi.map_or(close, |semi| semi.span)
}

fn end_of(item: &impl Spanned) -> Span {
    item.span()
}

/// The kind of an item as a person calls it, and its name when it has one.
pub(crate) fn item_name(item: &Item) -> (&'static str, Option<&Ident>) {
    match item {
        Item::Const(item) => ("const", Some(&item.ident)),
        Item::Enum(item) => ("enum", Some(&item.ident)),
        Item::ExternCrate(item) => ("extern crate", Some(&item.ident)),
        Item::Fn(item) => ("fn", Some(&item.sig.ident)),
        Item::ForeignMod(_) => ("extern block", None),
        Item::Impl(_) => ("impl", None),
        Item::Macro(item) => match &item.ident {
            Some(name) => ("macro", Some(name)),
            None => ("macro call", item.mac.path.segments.last().map(|segment| &segment.ident)),
        },
        Item::Mod(item) => ("mod", Some(&item.ident)),
        Item::Static(item) => ("static", Some(&item.ident)),
        Item::Struct(item) => ("struct", Some(&item.ident)),
        Item::Trait(item) => ("trait", Some(&item.ident)),
        Item::TraitAlias(item) => ("trait alias", Some(&item.ident)),
        Item::Type(item) => ("type", Some(&item.ident)),
        Item::Union(item) => ("union", Some(&item.ident)),
        Item::Use(_) => ("use", None),
        _ => ("item", None),
    }
}

/// Kind and name of a member of an impl block.
pub(crate) fn impl_item_name(item: &ImplItem) -> (&'static str, Option<&Ident>) {
    match item {
        ImplItem::Const(item) => ("const", Some(&item.ident)),
        ImplItem::Fn(item) => ("fn", Some(&item.sig.ident)),
        ImplItem::Type(item) => ("type", Some(&item.ident)),
        ImplItem::Macro(item) => ("macro call", item.mac.path.segments.last().map(|segment| &segment.ident)),
        _ => ("item", None),
    }
}

/// Kind and name of a member of a trait.
pub(crate) fn trait_item_name(item: &TraitItem) -> (&'static str, Option<&Ident>) {
    match item {
        TraitItem::Const(item) => ("const", Some(&item.ident)),
        TraitItem::Fn(item) => ("fn", Some(&item.sig.ident)),
        TraitItem::Type(item) => ("type", Some(&item.ident)),
        TraitItem::Macro(item) => ("macro call", item.mac.path.segments.last().map(|segment| &segment.ident)),
        _ => ("item", None),
    }
}
