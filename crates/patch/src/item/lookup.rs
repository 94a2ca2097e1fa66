//! Looks for an item in one file: in its modules, impl blocks and traits.

use std::ops::Range;

use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{Item, ItemImpl};

use super::content::{Named, full_name, impl_names};
use super::path::{Segment, squeezed};
use crate::syntax::extent::{impl_item_name, item_name, trait_item_name};
use crate::syntax::{self, SyntaxFault};

/// What kind of place an item stands in; the new text is parsed accordingly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    Module,
    Impl,
    Trait,
}

/// An item that has the path looked for.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its bytes, docs and attributes included.
    pub(super) range: Range<usize>,
    pub(super) named: Named,
    pub(super) home: Home,
    /// It stands in an impl block of a trait.
    pub(super) of_trait: bool,
}

/// What one file says to a path.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    pub(super) places: Vec<Place>,
    /// Modules in other files that may hold it: the inline modules on the way, then the module.
    pub(super) modules: Vec<(Vec<String>, usize)>,
    /// Names that stand where the path stopped fitting.
    pub(super) names: Vec<String>,
}

/// Looks in a file. Call it on a big stack only.
pub(super) fn look(text: &str, segments: &[Segment]) -> Result<Lookup, SyntaxFault> {
    let parsed = syntax::parse_file(text)?;
    let mut found = Lookup::default();
    walk(&parsed.file.items, segments, &mut Vec::new(), &mut found);
    for place in &mut found.places {
        place.range = place.range.start + parsed.offset..place.range.end + parsed.offset;
    }
    Ok(found)
}

fn walk(items: &[Item], segments: &[Segment], inside: &mut Vec<String>, found: &mut Lookup) {
    let names_before = found.names.len();
    match segments {
        [] => return,
        [Segment::Name(name)] => members(items, name, found),
        [Segment::Cast { ty, trait_ }] => {
            for item in impls(items).filter(|item| is_impl_of(item, ty, Some(trait_))) {
                found.places.push(place(item, Named { kind: "impl", name: impl_label(item) }, Home::Module, true));
            }
        }
        [Segment::Cast { ty, trait_ }, Segment::Name(name)] => {
            for item in impls(items).filter(|item| is_impl_of(item, ty, Some(trait_))) {
                methods(item, name, found);
            }
        }
        [Segment::Name(head), rest @ ..] => {
            if let [Segment::Name(name)] = rest {
                for item in impls(items).filter(|item| is_impl_of(item, head, None)) {
                    methods(item, name, found);
                }
                trait_members(items, head, name, found);
            }
            descend(items, head, rest, inside, found);
        }
        [Segment::Cast { .. }, ..] => {}
    }
    if found.places.is_empty() && found.names.len() == names_before {
        found.names.extend(items.iter().map(full_name).filter(|name| !name.is_empty()));
    }
}

fn descend(items: &[Item], head: &str, rest: &[Segment], inside: &mut Vec<String>, found: &mut Lookup) {
    let inline = items.iter().filter_map(|item| match item {
        Item::Mod(item) if item.ident == head => item.content.as_ref(),
        _ => None,
    });
    inside.push(head.to_owned());
    for (_, items) in inline {
        walk(items, rest, inside, found);
    }
    // A module may also be declared by a macro, so its file counts even where no `mod` names it.
    found.modules.push((inside.clone(), rest.len()));
    inside.pop();
}

fn members(items: &[Item], name: &str, found: &mut Lookup) {
    for item in items {
        let (kind, ident) = item_name(item);
        if ident.is_some_and(|ident| ident == name) && kind != "macro call" {
            found.places.push(place(item, Named { kind, name: name.to_owned() }, Home::Module, false));
        }
    }
}

fn methods(item: &ItemImpl, name: &str, found: &mut Lookup) {
    for member in &item.items {
        let (kind, ident) = impl_item_name(member);
        note(found, member, kind, ident, name, Home::Impl, item.trait_.is_some());
    }
}

fn trait_members(items: &[Item], head: &str, name: &str, found: &mut Lookup) {
    for item in items {
        let Item::Trait(item) = item else { continue };
        if item.ident == head {
            for member in &item.items {
                let (kind, ident) = trait_item_name(member);
                note(found, member, kind, ident, name, Home::Trait, false);
            }
        }
    }
}

fn note(
    found: &mut Lookup,
    member: &impl Spanned,
    kind: &'static str,
    ident: Option<&Ident>,
    name: &str,
    home: Home,
    of_trait: bool,
) {
    let Some(ident) = ident else { return };
    if ident == name && kind != "macro call" {
        found.places.push(place(member, Named { kind, name: name.to_owned() }, home, of_trait));
    } else {
        found.names.push(ident.to_string());
    }
}

fn place(item: &impl Spanned, named: Named, home: Home, of_trait: bool) -> Place {
    Place { range: item.span().byte_range(), named, home, of_trait }
}

fn impls(items: &[Item]) -> impl Iterator<Item = &ItemImpl> {
    items.iter().filter_map(|item| match item {
        Item::Impl(item) => Some(item),
        _ => None,
    })
}

fn impl_label(item: &ItemImpl) -> String {
    let (ty, trait_) = impl_names(item);
    trait_.map_or(ty.clone(), |trait_| format!("<{ty} as {trait_}>"))
}

/// Whether an impl block is for this type and, where one is named, of this trait.
fn is_impl_of(item: &ItemImpl, ty: &str, trait_: Option<&str>) -> bool {
    let (self_ty, of) = impl_names(item);
    let fits = |name: &str, wanted: &str| {
        let wanted = squeezed(wanted);
        name == wanted || (!wanted.contains('<') && bare(name) == bare(&wanted)) || bare_path(name) == wanted
    };
    fits(&self_ty, ty) && trait_.is_none_or(|trait_| of.is_some_and(|of| fits(&of, trait_)))
}

/// `a::B<C>` as `B`.
fn bare(name: &str) -> &str {
    let head = name.trim_start_matches('&').split('<').next().unwrap_or(name);
    head.rsplit("::").next().unwrap_or(head)
}

/// `a::B<C>` as `B<C>`.
fn bare_path(name: &str) -> &str {
    let head = name.split('<').next().unwrap_or(name);
    head.rfind("::").and_then(|at| name.get(at + 2..)).unwrap_or(name)
}
