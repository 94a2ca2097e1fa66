//! Units: the smallest items of a file, each with its text (comments, docs and attributes before it included) and with
//! where it stands. Methods are units of their own; so is the head of a module, an impl block or a trait.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use kaizen_domain::RelPath;
use proc_macro2::Span;
use quote::ToTokens;
use syn::{AttrStyle, Attribute, ForeignItem, ImplItem, Item, ItemImpl, TraitItem, Visibility};

use super::scan::{self, AttrUse, PathUse};
use super::test_code::{is_cfg_test, is_program, is_test_attr, is_test_path};
use super::{Side, Tree};
use crate::lines::line_at;
use crate::syntax::extent::{
    foreign_item_end, impl_item_end, impl_item_name, item_end, item_name, trait_item_end, trait_item_name,
};
use crate::syntax::lex::{Lexeme, lex};
use crate::syntax::lifetimes::without_lifetimes;
use crate::syntax::{depth, parse_as};

/// Where units stand.
#[derive(Debug)]
pub(in crate::review) struct Home {
    /// Modules, then the type, as a person names them; empty at the top of the file.
    pub(in crate::review) label: String,
    /// Tells impl blocks apart that have the same label.
    key: String,
    /// All of it is compiled for tests only.
    pub(in crate::review) test: bool,
    /// What is public here can be named from outside of the crate, as far as this file tells.
    pub(in crate::review) public: bool,
}

/// What a unit is in the tree.
#[derive(Clone, Copy)]
pub(in crate::review) enum Node<'t> {
    Item(&'t Item),
    ImplItem(&'t ImplItem, &'t ItemImpl),
    TraitItem(&'t TraitItem),
    /// A member of an `extern` block.
    Foreign,
    /// The head of an impl block.
    ImplHead(&'t ItemImpl),
    /// The head of a module, a trait or an `extern` block.
    Head(&'t Item),
    /// Inner attributes.
    Attrs(&'t [Attribute]),
    /// A whole file that does not parse.
    Text,
}

pub(in crate::review) struct Unit<'t> {
    pub(in crate::review) home: Rc<Home>,
    pub(in crate::review) kind: &'static str,
    /// The name of the item alone.
    pub(in crate::review) name: String,
    pub(in crate::review) node: Node<'t>,
    pub(in crate::review) text: &'t str,
    /// Line of the file on which the text begins, counted from 1.
    first_line: usize,
    /// The tree holds its body, when it is a function.
    has_body: bool,
    lexemes: OnceCell<Vec<Lexeme<'t>>>,
    paths: OnceCell<Vec<PathUse<'t>>>,
    attributes: OnceCell<Vec<AttrUse>>,
    feeds: OnceCell<Vec<usize>>,
}

/// What a unit has of a body.
pub(in crate::review) enum Body<'t> {
    /// It is no function, or declares one only.
    None,
    There(Cow<'t, syn::Block>),
    /// It does not parse.
    Broken,
}

impl<'t> Unit<'t> {
    /// The item as a person names it, such as `Tax::apply`.
    pub(in crate::review) fn label(&self) -> String {
        match (self.home.label.as_str(), self.name.as_str()) {
            ("", "") => "the file".to_owned(),
            (home, "") => home.to_owned(),
            ("", name) => name.to_owned(),
            (home, name) => format!("{home}::{name}"),
        }
    }

    /// What makes it the same unit on both sides.
    pub(in crate::review) fn key(&self) -> (&str, &'static str, &str) {
        (&self.home.key, self.kind, &self.name)
    }

    /// Tells the places of units apart.
    pub(in crate::review) fn home_key(&self) -> &str {
        &self.home.key
    }

    /// Its code; nothing of a text that nests too deep for brackets to be matched in bounded time.
    pub(in crate::review) fn lexemes(&self) -> &[Lexeme<'t>] {
        self.lexemes.get_or_init(|| match self.node {
            Node::Text if depth::check(self.text).is_err() => Vec::new(),
            _ => lex(self.text).collect(),
        })
    }

    /// The body of a function. Call it on a big stack only.
    pub(in crate::review) fn body(&self) -> Body<'t> {
        let (block, parsed) = match self.node {
            Node::Item(Item::Fn(item)) => (&*item.block, self.parsed(|item: syn::ItemFn| Some(*item.block))),
            Node::ImplItem(ImplItem::Fn(item), _) => {
                (&item.block, self.parsed(|item: syn::ImplItemFn| Some(item.block)))
            }
            Node::TraitItem(TraitItem::Fn(syn::TraitItemFn { default: Some(block), .. })) => {
                (block, self.parsed(|item: syn::TraitItemFn| item.default))
            }
            _ => return Body::None,
        };
        match parsed {
            _ if self.has_body => Body::There(Cow::Borrowed(block)),
            Some(block) => Body::There(Cow::Owned(block)),
            None => Body::Broken,
        }
    }

    /// Something of the unit, parsed again with its body.
    fn parsed<T: syn::parse::Parse, U>(&self, part: impl FnOnce(T) -> Option<U>) -> Option<U> {
        if self.has_body { None } else { parse_as::<T>(self.text).ok().and_then(part) }
    }

    /// The paths that its code names.
    pub(in crate::review) fn paths(&self) -> &[PathUse<'t>] {
        self.paths.get_or_init(|| scan::paths(self.lexemes()))
    }

    /// The attributes in its code, those of items inside included.
    pub(in crate::review) fn attribute_uses(&self) -> &[AttrUse] {
        self.attributes.get_or_init(|| scan::attributes(self.lexemes()))
    }

    /// The line of the file for a byte of the unit's text.
    pub(in crate::review) fn line(&self, at: usize) -> usize {
        let feeds = self.feeds.get_or_init(|| self.text.match_indices('\n').map(|(at, _)| at).collect());
        self.first_line + feeds.partition_point(|feed| *feed < at)
    }

    pub(in crate::review) fn attrs(&self) -> &'t [Attribute] {
        match self.node {
            Node::Item(item) | Node::Head(item) => item_attrs(item),
            Node::ImplItem(item, _) => impl_item_attrs(item),
            Node::TraitItem(item) => trait_item_attrs(item),
            Node::ImplHead(item) => &item.attrs,
            Node::Attrs(attrs) => attrs,
            Node::Foreign | Node::Text => &[],
        }
    }

    /// Whether it is compiled for tests only.
    pub(in crate::review) fn is_test_code(&self) -> bool {
        self.home.test || self.attrs().iter().any(|attr| is_cfg_test(attr) || is_test_attr(attr))
    }
}

/// All units of a side that were parsed, in order, and which of their places hold test code.
pub(in crate::review) fn units<'t>(path: &RelPath, side: &'t Side<'t>) -> (Vec<Unit<'t>>, HashSet<String>) {
    let mut collector = Collector {
        text: &side.code,
        has_bodies: side.has_bodies,
        offset: 0,
        units: Vec::new(),
        test_homes: HashSet::new(),
        line: (0, 1),
    };
    let public = !is_program(path);
    match &side.tree {
        Tree::Absent => {}
        Tree::Broken(_) => {
            let home = Rc::new(Home { label: String::new(), key: String::new(), test: is_test_path(path), public });
            collector.push(&home, "text", String::new(), Node::Text, 0, side.text.len());
        }
        Tree::Parsed(parsed) => {
            let test = side.is_test_file(path);
            let home = Rc::new(Home { label: String::new(), key: String::new(), test, public });
            collector.offset = parsed.offset;
            let start = collector.inner_attrs(&home, &parsed.file.attrs, parsed.offset);
            collector.items(&home, &parsed.file.items, start);
        }
    }
    (collector.units, collector.test_homes)
}

struct Collector<'t> {
    text: &'t str,
    has_bodies: bool,
    offset: usize,
    units: Vec<Unit<'t>>,
    test_homes: HashSet<String>,
    /// A byte and its line, to count lines only once.
    line: (usize, usize),
}

impl<'t> Collector<'t> {
    fn push(&mut self, home: &Rc<Home>, kind: &'static str, name: String, node: Node<'t>, start: usize, end: usize) {
        let slot = self.text.get(start..end).unwrap_or("");
        let text = slot.trim_start();
        let start = start + slot.len() - text.len();
        let (counted, line) = self.line;
        let first_line = line + line_at(self.text.get(counted..).unwrap_or(""), start.saturating_sub(counted)) - 1;
        self.line = (start.max(counted), first_line);
        self.units.push(Unit {
            home: Rc::clone(home),
            kind,
            name,
            node,
            text: text.trim_end(),
            first_line,
            has_body: self.has_bodies,
            lexemes: OnceCell::new(),
            paths: OnceCell::new(),
            attributes: OnceCell::new(),
            feeds: OnceCell::new(),
        });
    }

    fn end(&self, span: Span) -> usize {
        span.byte_range().end + self.offset
    }

    fn start(&self, span: Span) -> usize {
        span.byte_range().start + self.offset
    }

    /// A unit for inner attributes; returns where they end.
    fn inner_attrs(&mut self, home: &Rc<Home>, attrs: &'t [Attribute], start: usize) -> usize {
        let inner = attrs.iter().filter(|attr| matches!(attr.style, AttrStyle::Inner(_)));
        let end = inner.map(|attr| self.end(attr.bracket_token.span.close())).max();
        let Some(end) = end.filter(|end| *end > start) else { return start };
        self.push(home, "attributes", String::new(), Node::Attrs(attrs), start, end);
        end
    }

    /// A place inside of another.
    fn below(&mut self, home: &Rc<Home>, name: &str, extra: &str, test: bool, public: bool) -> Rc<Home> {
        let label = if home.label.is_empty() { name.to_owned() } else { format!("{}::{name}", home.label) };
        let key = format!("{}/{name}{extra}", home.key);
        if test {
            self.test_homes.insert(key.clone());
        }
        Rc::new(Home { label, key, test, public })
    }

    fn items(&mut self, home: &Rc<Home>, items: &'t [Item], mut start: usize) {
        for item in items {
            let end = self.end(item_end(item));
            match item {
                Item::Mod(module) if module.content.is_some() => {
                    let Some((brace, inside)) = &module.content else { continue };
                    let name = module.ident.to_string();
                    let test = home.test || module.attrs.iter().any(is_cfg_test);
                    let public = home.public && matches!(module.vis, Visibility::Public(_));
                    let inner = self.below(home, &name, "", test, public);
                    self.push(home, "mod", name, Node::Head(item), start, self.start(brace.span.open()));
                    let first = self.inner_attrs(&inner, &module.attrs, self.end(brace.span.open()));
                    self.items(&inner, inside, first);
                }
                Item::Impl(block) => self.impl_block(home, block, start),
                Item::Trait(block) => {
                    let public = home.public && matches!(block.vis, Visibility::Public(_));
                    let test = home.test || block.attrs.iter().any(is_cfg_test);
                    let inner = self.below(home, &block.ident.to_string(), " trait", test, public);
                    let open = self.start(block.brace_token.span.open());
                    self.push(home, "trait", block.ident.to_string(), Node::Head(item), start, open);
                    let mut from = self.inner_attrs(&inner, &block.attrs, open + 1);
                    for member in &block.items {
                        let end = self.end(trait_item_end(member));
                        let (kind, name) = trait_item_name(member);
                        self.push(&inner, kind, named(name), Node::TraitItem(member), from, end);
                        from = end;
                    }
                }
                Item::ForeignMod(block) => {
                    let inner = self.below(home, "extern", "", home.test, home.public);
                    let open = self.start(block.brace_token.span.open());
                    self.push(home, "extern block", "extern".to_owned(), Node::Head(item), start, open);
                    let mut from = self.inner_attrs(&inner, &block.attrs, open + 1);
                    for member in &block.items {
                        let end = self.end(foreign_item_end(member));
                        let name = match member {
                            ForeignItem::Fn(item) => item.sig.ident.to_string(),
                            ForeignItem::Static(item) => item.ident.to_string(),
                            _ => String::new(),
                        };
                        self.push(&inner, "foreign item", name, Node::Foreign, from, end);
                        from = end;
                    }
                }
                _ => {
                    let (kind, name) = item_name(item);
                    self.push(home, kind, named(name), Node::Item(item), start, end);
                }
            }
            start = end;
        }
    }

    fn impl_block(&mut self, home: &Rc<Home>, block: &'t ItemImpl, start: usize) {
        // How lifetimes are spelt does not make it another block.
        let ty = without_lifetimes(block.self_ty.to_token_stream());
        let label = match &block.trait_ {
            Some((path, _)) => format!("<{ty} as {}>", without_lifetimes(path.to_token_stream())),
            None => ty,
        };
        let test = home.test || block.attrs.iter().any(is_cfg_test);
        let generics = without_lifetimes(block.generics.to_token_stream());
        let inner = self.below(home, &label, &format!(" impl{generics}"), test, home.public);
        let open = self.start(block.brace_token.span.open());
        self.push(home, "impl", label, Node::ImplHead(block), start, open);
        let mut from = self.inner_attrs(&inner, &block.attrs, open + 1);
        for member in &block.items {
            let end = self.end(impl_item_end(member));
            let (kind, name) = impl_item_name(member);
            self.push(&inner, kind, named(name), Node::ImplItem(member, block), from, end);
            from = end;
        }
    }
}

fn named(name: Option<&proc_macro2::Ident>) -> String {
    name.map(ToString::to_string).unwrap_or_default()
}

/// Puts away the units that stand on both sides with the same text in the same place.
pub(in crate::review) fn changed<'t>(old: Vec<Unit<'t>>, new: Vec<Unit<'t>>) -> (Vec<Unit<'t>>, Vec<Unit<'t>>) {
    let mut same: HashMap<(String, bool, &'t str), usize> = HashMap::new();
    let key = |unit: &Unit<'t>| (format!("{} {}", unit.home.key, unit.kind), unit.home.test, unit.text);
    for unit in &new {
        *same.entry(key(unit)).or_default() += 1;
    }
    let mut kept: HashMap<(String, bool, &'t str), usize> = HashMap::new();
    let mut take = |unit: &Unit<'t>| match same.get_mut(&key(unit)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            *kept.entry(key(unit)).or_default() += 1;
            false
        }
        _ => true,
    };
    let old = old.into_iter().filter(|unit| take(unit)).collect();
    let mut untaken = |unit: &Unit<'t>| match kept.get_mut(&key(unit)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    let new = new.into_iter().filter(|unit| untaken(unit)).collect();
    (old, new)
}

fn item_attrs(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn impl_item_attrs(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

fn trait_item_attrs(item: &TraitItem) -> &[Attribute] {
    match item {
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}
