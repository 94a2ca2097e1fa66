//! What a file declares, without its trees: functions with their signatures and what their bodies mention, types with what
//! they are made of, imports and modules. Test code is none of it.

use std::collections::BTreeSet;

use kaizen_source::is_test_code;
use quote::ToTokens;
use syn::{Attribute, Fields, Generics, ImplItem, Item, ItemImpl, Meta, TraitItem, UseTree, Visibility};

use crate::signatures::{Function, Param, TokenText, function, names, params, text};

/// What can be derived without macros of others, and what those make whose impls cannot be named.
const OF_THE_LANGUAGE: [&str; 11] =
    ["Clone", "Copy", "Debug", "Default", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Serialize", "Deserialize"];

/// What a function belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub of: TokenText,
    pub trait_: Option<TokenText>,
    pub params: Vec<Param>,
    /// It is the trait itself, and this is what it does by default.
    pub default: bool,
}

/// What a type is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Ways to write one down: what follows the path of the type, with `@` for each value.
    Open(Vec<String>),
    /// It has private parts, or is no struct or enum.
    Closed,
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Type {
    pub name: String,
    pub public: bool,
    pub params: Vec<Param>,
    pub lifetimes: usize,
    pub shape: Shape,
    pub derives: BTreeSet<String>,
    /// The fields of a struct that has names for them: each with its type, and whether others see it.
    pub fields: Vec<(String, TokenText, bool)>,
}

/// A public value with a name: a constant, or a static.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Constant {
    pub name: String,
    pub ty: TokenText,
    /// The type that it belongs to, of one that belongs to one.
    pub of: Option<TokenText>,
    pub is_static: bool,
}

/// An import: the path, the name here (`*` for all), and whether others may use it from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub path: Vec<String>,
    pub name: String,
    pub public: bool,
}

/// A module within a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Module {
    /// Below the file's own module.
    pub path: Vec<String>,
    /// The names of modules in it, and which are public.
    pub modules: Vec<(String, bool)>,
    /// Those of them that stand in files of their own, with the path that is written at them.
    pub files: Vec<(String, Option<String>)>,
    pub functions: Vec<Function>,
    pub types: Vec<Type>,
    pub traits: Vec<(String, bool)>,
    pub imports: Vec<Import>,
    pub constants: Vec<Constant>,
    /// Everything else by its name: values, macros, and types once more, to be compared.
    pub others: Vec<(String, TokenText)>,
    /// Impls of traits: the trait and the type.
    pub impls: Vec<Owner>,
    /// Whether macros that are not of the language make some of it.
    pub is_made: bool,
}

/// The modules of a file, its own first.
pub(crate) fn modules(file: &syn::File) -> Vec<Module> {
    let mut all = Vec::new();
    collect(&file.items, Vec::new(), &mut all);
    all
}

fn collect(items: &[Item], path: Vec<String>, all: &mut Vec<Module>) {
    let at = all.len();
    all.push(Module { path: path.clone(), ..Module::default() });
    let mut module = Module { path: path.clone(), ..Module::default() };
    for item in items {
        match item {
            Item::Mod(item) if !is_test_code(&item.attrs) => {
                let name = item.ident.to_string();
                module.modules.push((name.clone(), is_public(&item.vis)));
                match &item.content {
                    Some((_, items)) => {
                        let mut inner = path.clone();
                        inner.push(name);
                        collect(items, inner, all);
                    }
                    None => module.files.push((name, written_path(&item.attrs))),
                }
            }
            Item::Fn(item) if !is_test_code(&item.attrs) => {
                let (text, body) = (text(item), item.block.to_token_stream());
                module.functions.push(function(&item.sig, None, is_public(&item.vis), text, body));
            }
            Item::Impl(item) if !is_test_code(&item.attrs) && !is_derived(&item.attrs) => module.take_impl(item),
            Item::Trait(item) if !is_test_code(&item.attrs) => {
                let name = item.ident.to_string();
                module.traits.push((name.clone(), is_public(&item.vis)));
                let owner =
                    Owner { of: name.clone(), trait_: Some(name), params: params(&item.generics), default: true };
                for inner in &item.items {
                    module.is_made |= matches!(inner, TraitItem::Macro(_));
                    if let TraitItem::Fn(inner) = inner
                        && let Some(body) = &inner.default
                    {
                        let body = body.to_token_stream();
                        module.functions.push(function(&inner.sig, Some(owner.clone()), true, text(inner), body));
                    }
                }
            }
            Item::Use(item) if !is_test_code(&item.attrs) => {
                imports(&item.tree, Vec::new(), is_public(&item.vis), &mut module.imports);
            }
            other => module.take_other(other),
        }
    }
    if let Some(place) = all.get_mut(at) {
        *place = module;
    }
}

impl Module {
    fn take_impl(&mut self, item: &ItemImpl) {
        let owner = Owner {
            of: text(&item.self_ty),
            trait_: item.trait_.as_ref().map(|(path, _)| text(path)),
            params: params(&item.generics),
            default: false,
        };
        if owner.trait_.is_some() {
            self.impls.push(owner.clone());
        }
        for inner in &item.items {
            match inner {
                ImplItem::Fn(inner) if !is_test_code(&inner.attrs) => {
                    let public = owner.trait_.is_some() || is_public(&inner.vis);
                    let body = inner.block.to_token_stream();
                    self.functions.push(function(&inner.sig, Some(owner.clone()), public, text(inner), body));
                }
                ImplItem::Const(inner) => {
                    self.others.push((inner.ident.to_string(), text(inner)));
                    if owner.trait_.is_none() && is_public(&inner.vis) {
                        self.take_constant(&inner.ident, &inner.ty, Some(owner.of.clone()), false);
                    }
                }
                ImplItem::Macro(_) => self.is_made = true,
                _ => {}
            }
        }
    }

    fn take_other(&mut self, item: &Item) {
        let named = |name: &syn::Ident| (name.to_string(), text(item));
        match item {
            Item::Struct(item) if !is_test_code(&item.attrs) => {
                self.others.push(named(&item.ident));
                let shape = match open_fields(&item.fields, false) {
                    Some(open) => Shape::Open(vec![open]),
                    None => Shape::Closed,
                };
                self.take_type(&item.ident, &item.vis, &item.generics, &item.attrs, shape);
                let fields = item.fields.iter().filter_map(|field| {
                    Some((field.ident.as_ref()?.to_string(), text(&field.ty), is_public(&field.vis)))
                });
                if let Some(taken) = self.types.last_mut() {
                    taken.fields = fields.collect();
                }
            }
            Item::Enum(item) if !is_test_code(&item.attrs) => {
                self.others.push(named(&item.ident));
                let variants = item.variants.iter();
                let open = variants
                    .filter_map(|variant| Some(format!("::{}{}", variant.ident, open_fields(&variant.fields, true)?)));
                self.take_type(&item.ident, &item.vis, &item.generics, &item.attrs, Shape::Open(open.collect()));
            }
            Item::Const(item) if !is_test_code(&item.attrs) => {
                self.others.push(named(&item.ident));
                if is_public(&item.vis) {
                    self.take_constant(&item.ident, &item.ty, None, false);
                }
            }
            Item::Static(item) if !is_test_code(&item.attrs) => {
                self.others.push(named(&item.ident));
                if is_public(&item.vis) {
                    self.take_constant(&item.ident, &item.ty, None, true);
                }
            }
            Item::Type(item) if !is_test_code(&item.attrs) => {
                self.others.push(named(&item.ident));
                self.take_type(&item.ident, &item.vis, &item.generics, &item.attrs, Shape::Closed);
            }
            Item::Macro(item) if !is_test_code(&item.attrs) => {
                self.is_made |= item.ident.is_none();
                let name = item.ident.as_ref().or_else(|| item.mac.path.segments.last().map(|last| &last.ident));
                self.others.extend(name.map(|name| (name.to_string(), text(&item.mac))));
            }
            _ => {}
        }
    }

    fn take_constant(&mut self, name: &syn::Ident, ty: &syn::Type, of: Option<TokenText>, is_static: bool) {
        self.constants.push(Constant { name: name.to_string(), ty: text(ty), of, is_static });
    }

    fn take_type(
        &mut self,
        name: &syn::Ident,
        vis: &Visibility,
        generics: &Generics,
        attributes: &[Attribute],
        shape: Shape,
    ) {
        let mut derives = BTreeSet::new();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            if let Meta::List(list) = &attribute.meta {
                derives.extend(names(&list.tokens));
            }
        }
        self.is_made |= derives.iter().any(|name| !OF_THE_LANGUAGE.contains(&name.as_str()));
        self.types.push(Type {
            name: name.to_string(),
            public: is_public(vis),
            params: params(generics),
            lifetimes: generics.lifetimes().count(),
            shape,
            derives,
            fields: Vec::new(),
        });
    }
}

/// How fields are written down, with `@` for each value; none when one of them is private.
fn open_fields(fields: &Fields, all_public: bool) -> Option<String> {
    if !all_public && fields.iter().any(|field| !is_public(&field.vis)) {
        return None;
    }
    Some(match fields {
        Fields::Unit => String::new(),
        Fields::Unnamed(fields) => format!("({})", vec!["@"; fields.unnamed.len()].join(", ")),
        Fields::Named(fields) => {
            let all: Vec<String> =
                fields.named.iter().filter_map(|field| Some(format!("{}: @", field.ident.as_ref()?))).collect();
            format!(" {{ {} }}", all.join(", "))
        }
    })
}

fn imports(tree: &UseTree, path: Vec<String>, public: bool, all: &mut Vec<Import>) {
    let with = |name: &syn::Ident| {
        let mut path = path.clone();
        if name != "self" {
            path.push(name.to_string());
        }
        path
    };
    match tree {
        UseTree::Path(inner) => imports(&inner.tree, with(&inner.ident), public, all),
        UseTree::Name(inner) => {
            let path = with(&inner.ident);
            let name = path.last().cloned().unwrap_or_default();
            all.push(Import { path, name, public });
        }
        UseTree::Rename(inner) => {
            all.push(Import { path: with(&inner.ident), name: inner.rename.to_string(), public });
        }
        UseTree::Glob(_) => all.push(Import { path, name: "*".to_owned(), public }),
        UseTree::Group(group) => {
            for inner in &group.items {
                imports(inner, path.clone(), public, all);
            }
        }
    }
}

/// Whether an impl is what was derived.
fn is_derived(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("automatically_derived"))
}

fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

fn written_path(attributes: &[Attribute]) -> Option<String> {
    let path = attributes.iter().find(|attribute| attribute.path().is_ident("path"))?;
    match &path.meta {
        Meta::NameValue(value) => Some(text(&value.value).trim_matches('"').to_owned()),
        _ => None,
    }
}

/// Whether an item is a test, or is there only for tests.
pub(crate) fn is_test_item(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => return false,
    };
    is_test_code(attributes)
}
