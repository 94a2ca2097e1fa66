//! The functions of a file, and in which of them two texts differ. Test code is none of them.

use std::collections::BTreeMap;

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, Meta, Signature, TraitItemFn};

use crate::parse::{Unreadable, with_files};

/// A function as a tree.
pub(crate) struct Function<'f> {
    /// Modules, type and name, such as `tax::Tax::apply`; the second of the same name ends with `#2`.
    pub label: String,
    pub attributes: &'f [Attribute],
    pub signature: &'f Signature,
    pub body: &'f Block,
}

impl Function<'_> {
    /// Everything that says what it does: docs do not.
    fn tokens(&self) -> String {
        let attributes = self.attributes.iter().filter(|attribute| !attribute.path().is_ident("doc"));
        let mut tokens = proc_macro2::TokenStream::new();
        attributes.for_each(|attribute| attribute.to_tokens(&mut tokens));
        self.signature.to_tokens(&mut tokens);
        self.body.to_tokens(&mut tokens);
        tokens.to_string()
    }

    fn line(&self) -> u32 {
        u32::try_from(self.signature.fn_token.span().start().line).unwrap_or(0)
    }
}

/// Calls `take` with each function of a file that is no test code.
pub(crate) fn functions<'f>(file: &'f syn::File) -> Vec<Function<'f>> {
    let mut collector = Collector { inside: Vec::new(), found: Vec::new(), seen: BTreeMap::new() };
    if !is_test_code(&file.attrs) {
        collector.visit_file(file);
    }
    collector.found
}

struct Collector<'f> {
    inside: Vec<String>,
    found: Vec<Function<'f>>,
    seen: BTreeMap<String, usize>,
}

impl<'f> Collector<'f> {
    fn take(&mut self, attributes: &'f [Attribute], signature: &'f Signature, body: &'f Block) {
        if is_test_code(attributes) {
            return;
        }
        let name = signature.ident.to_string();
        let mut label = self.inside.iter().map(String::as_str).chain([name.as_str()]).collect::<Vec<_>>().join("::");
        let count = self.seen.entry(label.clone()).or_default();
        *count += 1;
        if *count > 1 {
            label = format!("{label}#{count}");
        }
        self.found.push(Function { label, attributes, signature, body });
    }

    fn within(&mut self, name: String, look: impl FnOnce(&mut Self)) {
        self.inside.push(name);
        look(self);
        self.inside.pop();
    }
}

// A function inside of another one belongs to that one: bodies are not visited.
impl<'f> Visit<'f> for Collector<'f> {
    fn visit_item_mod(&mut self, item: &'f ItemMod) {
        if !is_test_code(&item.attrs) {
            self.within(item.ident.to_string(), |this| visit::visit_item_mod(this, item));
        }
    }

    fn visit_item_impl(&mut self, item: &'f ItemImpl) {
        if !is_test_code(&item.attrs) {
            self.within(type_name(&item.self_ty), |this| visit::visit_item_impl(this, item));
        }
    }

    fn visit_item_trait(&mut self, item: &'f ItemTrait) {
        if !is_test_code(&item.attrs) {
            self.within(item.ident.to_string(), |this| visit::visit_item_trait(this, item));
        }
    }

    fn visit_item_fn(&mut self, item: &'f ItemFn) {
        self.take(&item.attrs, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'f ImplItemFn) {
        self.take(&item.attrs, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'f TraitItemFn) {
        if let Some(body) = &item.default {
            self.take(&item.attrs, &item.sig, body);
        }
    }
}

fn type_name(ty: &syn::Type) -> String {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map_or_else(String::new, |last| last.ident.to_string()),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        other => other.to_token_stream().to_string(),
    }
}

/// Whether something is a test, or is there only for tests.
fn is_test_code(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        meta => meta.path().segments.last().is_some_and(|last| last.ident == "test" || last.ident == "bench"),
    })
}

/// What differs between two texts of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The functions of the second text that are new or say something else, each with the line where it begins. Comments and
    /// docs say nothing.
    pub functions: Vec<(String, u32)>,
    /// Those of them that the first text has as well.
    pub known: Vec<String>,
    /// Whether something else than functions and test code differs.
    pub elsewhere: bool,
    /// Whether anything that differs is there under a condition only, so that one build does not show all of it.
    pub conditional: bool,
}

/// In which functions two texts of a file differ; the first is empty for a new file.
///
/// # Errors
/// When one of them cannot be read.
pub fn changed(before: &str, after: &str) -> Result<Changed, Unreadable> {
    with_files(&[before, after], |files| {
        let [before, after] = files.as_slice() else { return Changed::default() };
        let old: BTreeMap<String, String> =
            functions(before).iter().map(|one| (one.label.clone(), one.tokens())).collect();
        let mut changed = Changed { elsewhere: around(before) != around(after), ..Changed::default() };
        for function in functions(after) {
            let tokens = function.tokens();
            let known = old.get(&function.label);
            if known == Some(&tokens) {
                continue;
            }
            changed.conditional |= [Some(&tokens), known].into_iter().flatten().any(|text| text.contains("cfg"));
            changed.functions.push((function.label.clone(), function.line()));
            if known.is_some() {
                changed.known.push(function.label);
            }
        }
        changed
    })
}

/// What a file says besides its functions and its test code, comments and docs.
fn around(file: &syn::File) -> String {
    let mut rest = file.clone();
    Strip.visit_file_mut(&mut rest);
    rest.to_token_stream().to_string()
}

/// Takes functions, test code and docs out.
struct Strip;

impl Strip {
    fn items(items: &mut Vec<syn::Item>) {
        items.retain(|item| match item {
            syn::Item::Fn(_) => false,
            syn::Item::Mod(item) => !is_test_code(&item.attrs),
            syn::Item::Impl(item) => !is_test_code(&item.attrs),
            syn::Item::Use(item) => !is_test_code(&item.attrs),
            _ => true,
        });
    }
}

impl VisitMut for Strip {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        Self::items(&mut file.items);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, item: &mut ItemMod) {
        if let Some((_, items)) = &mut item.content {
            Self::items(items);
        }
        visit_mut::visit_item_mod_mut(self, item);
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        item.items.retain(|item| !matches!(item, syn::ImplItem::Fn(_)));
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_item_trait_mut(&mut self, item: &mut ItemTrait) {
        item.items.retain(|item| !matches!(item, syn::TraitItem::Fn(item) if item.default.is_some()));
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        attributes.retain(|attribute| !attribute.path().is_ident("doc"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_say_something_else_are_told_from_what_surrounds_them() {
        let before = "/// One.\nfn a() -> u8 { 1 }\nstruct S;\nimpl S { fn b(&self) -> u8 { 2 } }\nmod m { pub fn c() {} }\n\
                      #[cfg(test)] mod tests { #[test] fn t() { assert_eq!(super::a(), 1); } }";
        let same = before.replace("One", "Another one").replace("super::a(), 1", "super::a(), 2");
        assert_eq!(changed(before, &same), Ok(Changed::default()));

        let after = before.replace("{ 2 }", "{ 3 }").replace("mod m {", "mod m { fn d() {}");
        let found = changed(before, &after).expect("it parses");
        assert_eq!(found.functions, [("S::b".to_owned(), 4), ("m::d".to_owned(), 5)]);
        assert_eq!((found.known, found.elsewhere, found.conditional), (vec!["S::b".to_owned()], false, false));

        let other = before.replace("struct S;", "struct S(u8);");
        let found = changed(before, &other).expect("it parses");
        assert!(found.functions.is_empty() && found.elsewhere);
    }

    #[test]
    fn what_is_there_under_a_condition_only_is_said_to_be() {
        let before = "fn a() -> u8 { if cfg!(windows) { 1 } else { 2 } }";
        assert!(changed(before, &before.replace('1', "3")).expect("it parses").conditional);
    }

    #[test]
    fn what_is_no_rust_is_no_reason_to_stop() {
        assert_eq!(changed("", "fn"), Err(Unreadable::NotRust));
        assert_eq!(
            changed("", &format!("fn a() {{ {}{} }}", "(".repeat(300), ")".repeat(300))),
            Err(Unreadable::TooMuch)
        );
    }
}
