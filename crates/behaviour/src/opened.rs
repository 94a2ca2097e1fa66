//! A program's sources, so that its functions can be called: everything in them is public, and they may stand in a module
//! of another crate. Nothing but insertions are made, within lines, and attributes are taken out that would refuse that.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{AttrStyle, Attribute, File, ImplItem, Item, ItemImpl, ItemStruct, Visibility};

use kaizen_source::with_files;

use crate::library::NAME;

/// A text in which every item is public; none when it cannot be read.
#[must_use]
pub fn opened(text: &str) -> Option<String> {
    edited(text, |file| Opener::of(file).edits)
}

/// The same, for a module of another crate: what it calls its root is that module.
#[must_use]
pub fn opened_inside(text: &str) -> Option<String> {
    edited(text, |file| {
        let mut edits = Opener::of(file).edits;
        let taken: Vec<Range<usize>> = edits.iter().map(|(range, _)| range.clone()).collect();
        let mut roots = Vec::new();
        find_roots(file.to_token_stream(), &mut roots);
        let free = roots.into_iter().filter(|at| !taken.iter().any(|range| range.contains(at)));
        edits.extend(free.map(|at| (at..at, format!("::{NAME}"))));
        edits
    })
}

type Edit = (Range<usize>, String);

fn edited(text: &str, edits: impl FnOnce(&File) -> Vec<Edit> + Send) -> Option<String> {
    let mut edits = with_files(&[text], |files| files.first().map(edits)).ok()??;
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut out, mut done) = (String::with_capacity(text.len() * 2), 0);
    for (range, put) in edits {
        out.push_str(text.get(done..range.start)?);
        out.push_str(&put);
        // Lines stay where they are.
        out.extend(text.get(range.clone())?.chars().filter(|one| *one == '\n'));
        done = range.end;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// Where `crate` ends that begins a path.
fn find_roots(tokens: TokenStream, found: &mut Vec<usize>) {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in all.iter().enumerate() {
        match token {
            TokenTree::Group(group) => find_roots(group.stream(), found),
            TokenTree::Ident(name) if name == "crate" => {
                let is_colon = |at: usize| matches!(all.get(at), Some(TokenTree::Punct(one)) if one.as_char() == ':');
                if is_colon(at + 1) && is_colon(at + 2) {
                    found.push(name.span().byte_range().end);
                }
            }
            _ => {}
        }
    }
}

struct Opener {
    edits: Vec<Edit>,
    /// Types that have a function which gives one: their fields are their own.
    made: BTreeSet<String>,
}

impl Opener {
    fn of(file: &File) -> Self {
        let mut makers = Makers::default();
        makers.visit_file(file);
        let mut opener = Self { edits: Vec::new(), made: makers.0 };
        opener.attributes(&file.attrs);
        opener.visit_file(file);
        opener
    }

    /// Lints that would refuse what is public and was not.
    fn attributes(&mut self, attributes: &[Attribute]) {
        let refuses = |one: &&Attribute| ["deny", "forbid", "warn"].iter().any(|name| one.path().is_ident(name));
        let inner = attributes.iter().filter(|one| matches!(one.style, AttrStyle::Inner(_)));
        self.edits.extend(inner.filter(refuses).map(|one| (one.span().byte_range(), String::new())));
    }

    fn open(&mut self, vis: &Visibility, start: Range<usize>) {
        match vis {
            Visibility::Public(_) => {}
            Visibility::Inherited => self.edits.push((start.start..start.start, "pub ".to_owned())),
            Visibility::Restricted(restricted) => {
                self.edits.push((restricted.span().byte_range(), "pub".to_owned()));
            }
        }
    }
}

impl<'a> Visit<'a> for Opener {
    fn visit_item(&mut self, item: &'a Item) {
        match item {
            Item::Const(item) => self.open(&item.vis, item.const_token.span().byte_range()),
            Item::Enum(item) => self.open(&item.vis, item.enum_token.span().byte_range()),
            Item::Fn(item) => self.open(&item.vis, item.sig.span().byte_range()),
            Item::Mod(item) => {
                let start = item.unsafety.map_or_else(|| item.mod_token.span(), |word| word.span());
                self.open(&item.vis, start.byte_range());
                self.attributes(&item.attrs);
            }
            Item::Static(item) => self.open(&item.vis, item.static_token.span().byte_range()),
            Item::Struct(item) => {
                self.open(&item.vis, item.struct_token.span().byte_range());
                self.fields(item);
            }
            Item::Trait(item) => {
                let word = item.unsafety.map(|word| word.span()).or(item.modifiers.auto_token.map(|word| word.span()));
                self.open(&item.vis, word.unwrap_or_else(|| item.trait_token.span()).byte_range());
            }
            Item::Type(item) => self.open(&item.vis, item.type_token.span().byte_range()),
            Item::Union(item) => self.open(&item.vis, item.union_token.span().byte_range()),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_impl(&mut self, item: &'a ItemImpl) {
        for part in item.items.iter().filter(|_| item.trait_.is_none()) {
            match part {
                ImplItem::Const(part) => self.open(&part.vis, part.const_token.span().byte_range()),
                ImplItem::Fn(part) => self.open(&part.vis, part.sig.span().byte_range()),
                _ => {}
            }
        }
    }

    // What stands in a function is its own.
    fn visit_block(&mut self, _: &'a syn::Block) {}
}

impl Opener {
    /// The fields of what nothing gives: it is made by writing it down.
    fn fields(&mut self, item: &ItemStruct) {
        if self.made.contains(&item.ident.to_string()) {
            return;
        }
        for field in &item.fields {
            let start = field.ident.as_ref().map_or_else(|| field.ty.span(), proc_macro2::Ident::span);
            self.open(&field.vis, start.byte_range());
        }
    }
}

/// Types with functions of their own that give one.
#[derive(Default)]
struct Makers(BTreeSet<String>);

impl<'a> Visit<'a> for Makers {
    fn visit_item_impl(&mut self, item: &'a ItemImpl) {
        let syn::Type::Path(of) = &*item.self_ty else { return };
        let Some(name) = of.path.segments.last().map(|last| last.ident.to_string()) else { return };
        let gives = |part: &ImplItem| match part {
            ImplItem::Fn(part) if part.sig.receiver().is_none() => {
                let output = part.sig.output.to_token_stream().to_string();
                output
                    .split(|one: char| !one.is_alphanumeric() && one != '_')
                    .any(|word| word == "Self" || word == name)
            }
            _ => false,
        };
        if item.items.iter().any(gives) {
            self.0.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_public_and_stands_in_a_module() {
        let text = "#![forbid(unsafe_code)]\nmod a;\nuse crate::a::{b, C};\npub(crate) struct S { x: u8, pub(super) y: u8 }\n\
                    struct T(u8);\nimpl T { const fn new() -> T { T(crate::a::X) } fn get(&self) -> u8 { self.0 } }\n\
                    impl Clone for T { fn clone(&self) -> T { T(0) } }\n#[derive(Debug)]\nenum E { A }\n\
                    async fn f() { fn inner() {} println!(\"{}\", crate::a::b()); }\nmacro_rules! m { () => { $crate::f() } }\n";
        let open = opened(text).expect("it can be read");
        let expected = "\npub mod a;\nuse crate::a::{b, C};\npub struct S { pub x: u8, pub y: u8 }\n\
                        pub struct T(u8);\nimpl T { pub const fn new() -> T { T(crate::a::X) } pub fn get(&self) -> u8 { self.0 } }\n\
                        impl Clone for T { fn clone(&self) -> T { T(0) } }\n#[derive(Debug)]\npub enum E { A }\n\
                        pub async fn f() { fn inner() {} println!(\"{}\", crate::a::b()); }\nmacro_rules! m { () => { $crate::f() } }\n";
        assert_eq!(open, expected);
        let inside = opened_inside(text).expect("it can be read");
        assert_eq!(inside, expected.replace("crate::", "crate::krate::"));
        assert_eq!(opened("fn ("), None);
    }
}
