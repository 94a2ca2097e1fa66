//! Whether two texts of a file differ in nothing but what functions do inside, and in which functions.
//!
//! Only then does everything that was compiled against the old text fit the new one: types, signatures, constants and
//! macros are the same token for token. What cannot be shown to be such a change is none.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};

use super::narrowed::narrowed;

/// A function that does something else now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Touched {
    /// Its name, without the mark of a raw identifier.
    pub(super) name: String,
    /// What uses it may hold a copy of it instead of calling it: it is generic, or `#[inline]`.
    pub(super) copied: bool,
    /// Some of it is there under a condition, so that not every program that holds it holds the same.
    pub(super) conditional: bool,
}

/// Macros that are expressions: they define nothing that is seen from outside.
const EXPRESSIONS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "matches",
    "panic",
    "print",
    "println",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];
/// Words that a definition begins with.
const DEFINES: &[&str] = &["impl", "static", "fn", "mod", "trait", "struct", "enum", "union", "macro_rules", "extern"];
/// Attributes that leave a function what it is. Any other may be a macro, which may make anything of it.
const PLAIN: &[&str] = &[
    "allow",
    "automatically_derived",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "forbid",
    "ignore",
    "inline",
    "macro_use",
    "must_use",
    "path",
    "should_panic",
    "test",
    "track_caller",
    "warn",
];

/// The largest file that is compared, bytes.
const FILE: usize = 256 << 10;
/// Brackets inside each other.
const BRACKETS: usize = 160;
/// Room to parse what nests without brackets: four kibibytes for each byte of a file. It is taken up as it is used.
const STACK: usize = FILE * (4 << 10);

/// The functions whose bodies differ; `None` when anything else does, or a body may reach out of its function.
/// Attributes under a feature that `has_feature` denies are not there for any compiler.
pub(super) fn touched(old: &str, new: &str, has_feature: HasFeature) -> Option<BTreeSet<Touched>> {
    if old.len().max(new.len()) > FILE {
        return None;
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn_scoped(scope, || compared(old, new, has_feature)).ok()?.join().ok()?
    })
}

/// Whether any call is made with a feature.
pub(super) type HasFeature<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// What a file consists of, unless it nests deeper than any code that people write.
fn tokens(text: &str) -> Option<TokenStream> {
    let tokens: TokenStream = text.parse().ok()?;
    is_shallow(&tokens, BRACKETS).then_some(tokens)
}

fn parsed(old: TokenStream, new: TokenStream) -> Option<(syn::File, syn::File)> {
    Some((syn::parse2(old).ok()?, syn::parse2(new).ok()?))
}

fn is_shallow(tokens: &TokenStream, left: usize) -> bool {
    tokens.clone().into_iter().all(|token| match token {
        TokenTree::Group(group) => left > 0 && is_shallow(&group.stream(), left - 1),
        _ => true,
    })
}

fn compared(old: &str, new: &str, has_feature: HasFeature) -> Option<BTreeSet<Touched>> {
    let (before, after) = (tokens(old)?, tokens(new)?);
    let one_item = narrowed(&before, &after).and_then(|(old, new)| parsed(old, new));
    let (mut before, mut after) = one_item.or_else(|| parsed(before, after))?;
    let (mut old, mut new) = (Bodies::new(has_feature), Bodies::new(has_feature));
    old.visit_file_mut(&mut before);
    new.visit_file_mut(&mut after);
    // What is left of both has empty bodies, so equal files have their functions in the same places.
    if before != after || old.functions.len() != new.functions.len() {
        return None;
    }
    let mut touched = BTreeSet::new();
    for (before, after) in old.functions.into_iter().zip(new.functions) {
        if before.body == after.body {
            continue;
        }
        let (inside, now) = (Inside::of(&before.body), Inside::of(&after.body));
        let known = now.local.iter().all(|item| inside.local.contains(item));
        if !before.plain || !known || inside.definitions != now.definitions {
            return None;
        }
        let conditional = before.conditional || inside.conditional || now.conditional;
        touched.insert(Touched { name: before.name, copied: before.copied, conditional });
    }
    Some(touched)
}

/// A function and what stands around it.
struct Function {
    name: String,
    body: syn::Block,
    /// Nothing but its code depends on its body.
    plain: bool,
    copied: bool,
    conditional: bool,
}

/// Takes the bodies out of a file.
struct Bodies<'a> {
    functions: Vec<Function>,
    around: Around,
    has_feature: HasFeature<'a>,
}

/// What holds for everything inside of an item.
#[derive(Debug, Default, Clone, Copy)]
struct Around {
    odd: bool,
    copied: bool,
    conditional: bool,
}

impl Around {
    fn take(&mut self, meta: &syn::Meta, has_feature: HasFeature) {
        let path = meta.path();
        let tool = path.segments.len() == 2
            && path.segments.first().is_some_and(|first| first.ident == "clippy" || first.ident == "rustfmt");
        if path.is_ident("cfg_attr") {
            self.conditional = true;
            let nested = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
            match meta.require_list().and_then(|list| list.parse_args_with(nested)) {
                Ok(metas) if metas.first().is_some_and(|condition| !may_hold(condition, has_feature)) => {}
                Ok(metas) => metas.iter().skip(1).for_each(|meta| self.take(meta, has_feature)),
                Err(_) => self.odd = true,
            }
            return;
        }
        self.odd |= !tool && !PLAIN.iter().any(|plain| path.is_ident(plain));
        self.conditional |= path.is_ident("cfg");
        if path.is_ident("inline") {
            self.copied = true;
            // One that is always inlined leaves no name behind where it was copied to.
            self.odd |= !matches!(meta, syn::Meta::Path(_));
        }
    }

    /// Whether there is a copy for each use, by types or constants.
    fn generic(mut self, generics: &syn::Generics) -> Self {
        let lifetimes = generics.params.iter().all(|param| matches!(param, syn::GenericParam::Lifetime(_)));
        self.copied |= !lifetimes;
        self
    }
}

/// Whether a condition may hold in some call: all but a feature that no call is made with.
fn may_hold(condition: &syn::Meta, has_feature: HasFeature) -> bool {
    let syn::Meta::NameValue(pair) = condition else { return true };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = &pair.value else { return true };
    !pair.path.is_ident("feature") || has_feature(&name.value())
}

impl<'a> Bodies<'a> {
    fn new(has_feature: HasFeature<'a>) -> Self {
        Self { functions: Vec::new(), around: Around::default(), has_feature }
    }

    /// What holds inside of an item with these attributes.
    fn under(&self, attributes: &[syn::Attribute]) -> Around {
        let mut around = self.around;
        attributes.iter().for_each(|attribute| around.take(&attribute.meta, self.has_feature));
        around
    }

    fn function(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, body: &mut syn::Block) {
        let around = self.under(attributes).generic(&signature.generics);
        let mut shown = Opaque(false);
        shown.visit_return_type(&signature.output);
        // What such a type really is follows from the body; a constant's value from what is called for it.
        let reaches_out = shown.0 || signature.asyncness.is_some() || signature.constness.is_some();
        let mut generic = Opaque(false);
        signature.inputs.iter().for_each(|input| generic.visit_fn_arg(input));
        let empty = syn::Block { brace_token: body.brace_token, stmts: Vec::new() };
        self.functions.push(Function {
            name: signature.ident.to_string().trim_start_matches("r#").to_owned(),
            body: std::mem::replace(body, empty),
            plain: !around.odd && !reaches_out,
            copied: around.copied || generic.0,
            conditional: around.conditional,
        });
    }

    fn inside(&mut self, around: Around, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.around, around);
        visit(self);
        self.around = outer;
    }
}

impl VisitMut for Bodies<'_> {
    fn visit_item_fn_mut(&mut self, item: &mut syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &mut item.block);
    }

    fn visit_impl_item_fn_mut(&mut self, item: &mut syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &mut item.block);
    }

    fn visit_trait_item_fn_mut(&mut self, item: &mut syn::TraitItemFn) {
        if let Some(body) = &mut item.default {
            self.function(&item.attrs, &item.sig, body);
        }
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        let around = self.under(&item.attrs).generic(&item.generics);
        self.inside(around, |bodies| visit_mut::visit_item_impl_mut(bodies, item));
    }

    fn visit_item_trait_mut(&mut self, item: &mut syn::ItemTrait) {
        // Whoever implements it has a copy of what it does by default.
        let around = Around { copied: true, ..self.under(&item.attrs) };
        self.inside(around, |bodies| visit_mut::visit_item_trait_mut(bodies, item));
    }

    fn visit_item_mod_mut(&mut self, item: &mut syn::ItemMod) {
        let around = self.under(&item.attrs);
        self.inside(around, |bodies| visit_mut::visit_item_mod_mut(bodies, item));
    }

    // Code in expressions outside of functions is part of a type or of a constant: it stays where it is.
    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}
}

/// Whether `impl Trait` stands in a type.
struct Opaque(bool);

impl Visit<'_> for Opaque {
    fn visit_type_impl_trait(&mut self, _: &syn::TypeImplTrait) {
        self.0 = true;
    }

    fn visit_macro(&mut self, _: &syn::Macro) {
        self.0 = true;
    }
}

/// What a body defines, which may be seen from outside, and whether any of it stands under a condition.
#[derive(Default)]
struct Inside {
    definitions: Vec<String>,
    /// Items that nobody can see from outside: they may go with the code that used them.
    local: Vec<String>,
    conditional: bool,
}

impl Inside {
    fn of(body: &syn::Block) -> Self {
        let mut inside = Self::default();
        inside.visit_block(body);
        inside
    }
}

impl<'a> Visit<'a> for Inside {
    fn visit_item(&mut self, item: &'a syn::Item) {
        let text = item.to_token_stream().to_string();
        let local = matches!(item, syn::Item::Fn(_) | syn::Item::Use(_) | syn::Item::Const(_));
        // Docs may hold tests.
        if local && !text.contains("doc") {
            self.local.push(text);
        } else {
            self.definitions.push(text);
        }
    }

    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        let path = attribute.path();
        self.conditional |= path.is_ident("cfg") || path.is_ident("cfg_attr");
        if !PLAIN.iter().any(|plain| path.is_ident(plain)) {
            self.definitions.push(attribute.to_token_stream().to_string());
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_macro(&mut self, called: &'a syn::Macro) {
        let words = words(&called.tokens);
        self.conditional |= words.contains("cfg") || called.path.is_ident("cfg");
        let known = EXPRESSIONS.iter().any(|name| called.path.is_ident(name));
        if !known || DEFINES.iter().any(|word| words.contains(*word)) {
            self.definitions.push(called.to_token_stream().to_string());
        }
    }

    fn visit_expr(&mut self, expression: &'a syn::Expr) {
        // What syn does not know may be anything.
        if let syn::Expr::Verbatim(tokens) = expression {
            self.definitions.push(tokens.to_string());
        }
        visit::visit_expr(self, expression);
    }
}

fn words(tokens: &TokenStream) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(word) => drop(found.insert(word.to_string())),
            TokenTree::Group(group) => found.extend(words(&group.stream())),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
