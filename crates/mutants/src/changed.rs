//! In which functions and values two texts of a file differ, and in what else.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, ItemImpl, ItemMod, ItemTrait};

use crate::conditional::{CONDITION, differs_under_condition};
use crate::functions::{Collector, Function, Value};
use crate::moved::Holdings;
use kaizen_source::{Unreadable, is_test_code, with_files};

/// What differs between two texts of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The functions of the second text that are new or say something else, each with the line where it begins. Comments and
    /// docs say nothing.
    pub functions: Vec<(String, u32)>,
    /// Those of them that the first text has as well.
    pub known: Vec<String>,
    /// The constant ones among them: they can ask no switch.
    pub constant: Vec<String>,
    /// The values that are new or other ones, each with its line: constants, statics, discriminants.
    pub values: Vec<(String, u32)>,
    /// What was there before, is gone or says something else now, and is nothing that wrong versions can be made of: macros,
    /// types, the order of variants and fields, what names stand for, impls of traits, and what is derived.
    pub opaque: Vec<String>,
    /// What the second text has no more, and what it has that the first has not. What is gone for good
    /// [`settle_moves`](crate::settle_moves) says.
    pub(crate) gone: Holdings,
    pub(crate) come: Holdings,
    /// Whether something else than functions and test code differs.
    pub elsewhere: bool,
    /// Whether anything that differs is there under a condition only, so that one build does not show all of it.
    pub conditional: bool,
    /// Whether that condition is a part of what differs, so that even where tests come by they do not see all of it.
    pub conditional_inside: bool,
}

/// In which functions two texts of a file differ; the first is empty for a new file.
///
/// # Errors
/// When one of them cannot be read.
pub fn changed(before: &str, after: &str) -> Result<Changed, Unreadable> {
    with_files(&[before, after], |files| {
        let [before, after] = files.as_slice() else { return Changed::default() };
        let (old, new) = (Collector::of(before), Collector::of(after));
        let mut changed = Changed { elsewhere: around(before) != around(after), ..Changed::default() };
        changed.take_functions(&old, &new);
        let tokens = |value: &Value<'_>| value.expression.to_token_stream().to_string();
        let known: BTreeMap<&str, String> = old.values.iter().map(|one| (one.label.as_str(), tokens(one))).collect();
        let others = new.values.iter().filter(|value| known.get(value.label.as_str()) != Some(&tokens(value)));
        changed.values = others.map(|value| (value.label.clone(), value.line())).collect();
        let other = new.opaque.iter().filter(|(what, says)| old.opaque.get(*what).is_some_and(|said| said != *says));
        changed.opaque = other.map(|(what, _)| what.split('\u{0}').next().unwrap_or(what).to_owned()).collect();
        changed.gone = old.without(&new);
        changed.come = new.without(&old);
        changed
    })
}

impl Collector<'_> {
    /// What this has and the other has not.
    fn without(&self, other: &Self) -> Holdings {
        let is_there = |one: &&Function<'_>| other.found.iter().any(|another| another.label == one.label);
        let functions = self.found.iter().filter(|one| !is_there(one));
        let is_value = |one: &&Value<'_>| !other.values.iter().any(|another| another.label == one.label);
        let values = self.values.iter().filter(is_value);
        let says = |one: &Value<'_>| (one.label.clone(), one.expression.to_token_stream().to_string());
        Holdings {
            kept: self.kept.difference(&other.kept).cloned().collect(),
            functions: functions.map(|one| (one.label.clone(), one.tokens())).collect(),
            values: values.map(says).collect(),
        }
    }
}

impl Changed {
    fn take_functions(&mut self, old: &Collector<'_>, new: &Collector<'_>) {
        let known: BTreeMap<&str, &Function<'_>> = old.found.iter().map(|one| (one.label.as_str(), one)).collect();
        let is_retyped = |field: &(String, String), ty: &String| old.fields.get(field).is_some_and(|was| was != ty);
        let retyped = new.fields.iter().filter(|(field, ty)| is_retyped(field, ty));
        let retyped: Vec<&str> = retyped.map(|((_, name), _)| name.as_str()).collect();
        let touches = |function: &Function<'_>| {
            !retyped.is_empty()
                && names(function.body.to_token_stream()).iter().any(|name| retyped.contains(&name.as_str()))
        };
        // One that is gone was called by somebody, or overrode another one.
        self.elsewhere |= known.keys().any(|label| new.found.iter().all(|one| one.label != *label));
        for function in &new.found {
            let before = known.get(function.label.as_str());
            let is_same = |before: &Function<'_>| {
                before.tokens() == function.tokens() && before.of_trait == function.of_trait && !touches(function)
            };
            if before.is_some_and(|before| is_same(before)) {
                continue;
            }
            let both = || before.copied().into_iter().chain([function]);
            self.conditional |= both().any(|one| one.conditional || one.tokens().contains(CONDITION));
            let is_inside = match before {
                Some(before) => {
                    differs_under_condition(before.body, function.body) || before.conditions() != function.conditions()
                }
                None => function.body.to_token_stream().to_string().contains(CONDITION),
            };
            self.conditional_inside |= is_inside;
            self.elsewhere |= before.is_none_or(|before| before.head() != function.head());
            self.functions.push((function.label.clone(), function.line()));
            if function.signature.constness.is_some() {
                self.constant.push(function.label.clone());
            }
            if before.is_some() {
                self.known.push(function.label.clone());
            }
        }
    }
}

/// The names in a piece of code.
fn names(tokens: TokenStream) -> Vec<String> {
    let of = |token: TokenTree| match token {
        TokenTree::Ident(name) => vec![name.to_string()],
        TokenTree::Group(group) => names(group.stream()),
        _ => Vec::new(),
    };
    tokens.into_iter().flat_map(of).collect()
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
    use crate::settle_moves;

    #[test]
    fn functions_that_say_something_else_are_told_from_what_surrounds_them() {
        let before = "/// One.\nfn a() -> u8 { 1 }\nstruct S;\nimpl S { fn b(&self) -> u8 { 2 } }\nmod m { pub fn c() {} }\n\
                      #[cfg(test)] mod tests { #[test] fn t() { assert_eq!(super::a(), 1); } }";
        let marked = before.replace("fn a", "#[must_use] #[inline] fn a");
        assert_eq!(changed(before, &marked), Ok(Changed::default()));
        let same = before.replace("One", "Another one").replace("super::a(), 1", "super::a(), 2");
        assert_eq!(changed(before, &same), Ok(Changed::default()));

        let after = before.replace("{ 2 }", "{ 3 }").replace("mod m {", "mod m { fn d() {}");
        let found = changed(before, &after).expect("it parses");
        assert_eq!(found.functions, [("S::b".to_owned(), 4), ("m::d".to_owned(), 5)]);
        assert_eq!((found.known, found.elsewhere, found.conditional), (vec!["S::b".to_owned()], true, false));

        let value = "const A: u8 = 1; enum E { B = 2, C }";
        let found = changed(value, &value.replace('1', "3").replace('2', "4")).expect("it parses");
        assert_eq!(found.values, [("A".to_owned(), 1), ("E::B".to_owned(), 1)]);
        let sums = "struct S { a: u32, b: u8 } impl S { fn a(&self) { self.a; } fn b(&self) { self.b; } }";
        let found = changed(sums, &sums.replace("u32", "u16")).expect("it parses");
        assert_eq!((found.functions, found.known), (vec![("S::a".to_owned(), 1)], vec!["S::a".to_owned()]));
        let types = "struct T(u8); enum E { A(u8) } const C: u8 = 1; impl I for T { type O = u8; }";
        let found = changed(types, &types.replace("u8", "u16")).expect("it parses");
        let expected = ["the type `T::O`", "the type of `C`", "the type of `T.0`", "the type of what `E::A` holds"];
        assert_eq!(found.opaque, expected);
        let shapes = "enum E { B, C } struct S { a: u8, b: u8 } type T = u8; macro_rules! m { () => { 1 } }";
        let found = changed(shapes, "enum E { C, B } struct S { a: u8 } type T = u16; macro_rules! m { () => { 2 } }");
        let expected = ["the macro `m`", "the order of the enum `E`", "the type `T`"];
        assert_eq!(found.expect("it parses").opaque, expected);

        let names =
            "use a::check; #[derive(Clone, Debug)] struct S; impl Drop for S { fn drop(&mut self) {} } t! { 1 }";
        let mut found = changed(names, "use b::check; #[derive(Clone)] struct S; t! { 2 }").expect("it parses");
        settle_moves(&mut [&mut found]);
        let expected = [
            "what `check` stands for",
            "what `t!` makes",
            "the derived `Debug` of `S`, which goes",
            "the function `S::drop` of a trait, which goes",
            "the impl of `Drop` for `S`, which goes",
        ];
        assert_eq!((found.opaque, found.elsewhere), (expected.map(str::to_owned).to_vec(), true));

        let other = before.replace("struct S;", "struct S(u8);");
        let found = changed(before, &other).expect("it parses");
        assert!(found.functions.is_empty() && found.elsewhere);
    }

    #[test]
    fn what_is_there_under_a_condition_only_is_said_to_be() {
        let before = "fn a() -> u8 { if cfg!(windows) { 1 } else { 2 } }";
        let found = changed(before, &before.replace('1', "3")).expect("it parses");
        assert!(found.conditional && found.conditional_inside);
        let bare = "fn a() -> u8 { 1 }";
        assert!(changed(bare, &format!("#[cfg(unix)] {bare}")).expect("it parses").conditional_inside);
        for around in ["#[cfg(windows)] mod m {", "#[cfg(windows)] impl S {", "#![cfg(windows)] mod m {"] {
            let before = format!("{around} fn a() -> u8 {{ 1 }} }}");
            let found = changed(&before, &before.replace('1', "3")).expect("it parses");
            assert!(found.conditional && !found.conditional_inside, "{around}");
        }
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
