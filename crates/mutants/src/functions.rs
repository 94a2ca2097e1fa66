//! The functions and values of a file, and in which of them two texts differ. Test code is none of them.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, Expr, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, Signature, TraitItemFn};

use kaizen_source::{Unreadable, is_test_code, with_files};

/// A function as a tree.
pub(crate) struct Function<'f> {
    /// Modules, type and name, such as `tax::Tax::apply`; the second of the same name ends with `#2`.
    pub label: String,
    pub attributes: &'f [Attribute],
    pub signature: &'f Signature,
    pub body: &'f Block,
    /// Whether something around it is there under a condition only.
    conditional: bool,
    /// It stands in the impl of a trait, so that another one is called when it is gone.
    of_trait: bool,
}

/// Attributes that change nothing about what a function does.
const PLAIN: [&str; 8] = ["doc", "allow", "expect", "warn", "deny", "inline", "must_use", "cold"];

impl Function<'_> {
    /// Everything that says what it does.
    fn tokens(&self) -> String {
        self.head() + &self.body.to_token_stream().to_string()
    }

    /// What callers see of it, and what the linker does.
    fn head(&self) -> String {
        let attributes = self.attributes.iter().filter(|one| !PLAIN.iter().any(|name| one.path().is_ident(name)));
        let attributes: String = attributes.map(|attribute| attribute.to_token_stream().to_string()).collect();
        attributes + &self.signature.to_token_stream().to_string()
    }

    /// The conditions under which it is there, as far as it says them itself.
    fn conditions(&self) -> Vec<String> {
        let conditions = self.attributes.iter().filter(|one| is_condition(one));
        conditions.map(|attribute| attribute.to_token_stream().to_string()).collect()
    }

    fn line(&self) -> u32 {
        u32::try_from(self.signature.fn_token.span().start().line).unwrap_or(0)
    }
}

/// What a constant, a static or the discriminant of a variant is.
pub(crate) struct Value<'f> {
    /// As that of a function.
    pub label: String,
    pub expression: &'f Expr,
}

impl Value<'_> {
    fn line(&self) -> u32 {
        u32::try_from(self.expression.span().start().line).unwrap_or(0)
    }
}

/// The functions of a file that are no test code.
pub(crate) fn functions(file: &syn::File) -> Vec<Function<'_>> {
    Collector::of(file).found
}

/// The values of a file that are no test code.
pub(crate) fn values(file: &syn::File) -> Vec<Value<'_>> {
    Collector::of(file).values
}

fn is_condition(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

#[derive(Default)]
struct Collector<'f> {
    inside: Vec<String>,
    found: Vec<Function<'f>>,
    values: Vec<Value<'f>>,
    /// What is neither, and that no wrong version can be made of: what it is, and what it says.
    opaque: BTreeMap<String, String>,
    /// What must not go: what it is.
    kept: BTreeSet<String>,
    /// The named fields of structs, each with its type: what functions do with them follows from it, whatever they say.
    fields: BTreeMap<(String, String), String>,
    conditional: bool,
    of_trait: bool,
    seen: BTreeMap<String, usize>,
}

impl<'f> Collector<'f> {
    fn of(file: &'f syn::File) -> Self {
        let mut collector = Self::default();
        if !is_test_code(&file.attrs) {
            collector.under(&file.attrs, |this| this.visit_file(file));
        }
        collector
    }

    /// Looks at what stands below these attributes.
    fn under(&mut self, attributes: &[Attribute], look: impl FnOnce(&mut Self)) {
        let around = self.conditional;
        self.conditional |= attributes.iter().any(is_condition);
        look(self);
        self.conditional = around;
    }

    fn derives(&mut self, name: &syn::Ident, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let _ = attribute.parse_nested_meta(|meta| {
                let derived = meta.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                self.kept.insert(format!("the derived `{derived}` of `{name}`"));
                Ok(())
            });
        }
    }

    fn imports(&mut self, tree: &syn::UseTree, path: &str) {
        match tree {
            syn::UseTree::Path(tree_path) => self.imports(&tree_path.tree, &format!("{path}::{}", tree_path.ident)),
            syn::UseTree::Name(name) => {
                let known_as = if name.ident == "self" {
                    path.rsplit("::").next().unwrap_or(path).to_owned()
                } else {
                    name.ident.to_string()
                };
                self.opaque.insert(format!("what `{known_as}` stands for"), format!("{path}::{}", name.ident));
            }
            syn::UseTree::Rename(rename) => {
                self.opaque.insert(format!("what `{}` stands for", rename.rename), format!("{path}::{}", rename.ident));
            }
            syn::UseTree::Glob(_) => {}
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.imports(tree, path)),
        }
    }

    fn path(&self, name: &str) -> String {
        self.inside.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("::")
    }

    /// A path that nothing else has.
    fn label(&mut self, name: &str) -> String {
        let label = self.path(name);
        let count = self.seen.entry(label.clone()).or_default();
        *count += 1;
        if *count > 1 { format!("{label}#{count}") } else { label }
    }

    fn value(&mut self, attributes: &[Attribute], name: &syn::Ident, expression: &'f Expr) {
        if !is_test_code(attributes) {
            let label = self.label(&name.to_string());
            self.values.push(Value { label, expression });
        }
    }

    fn typed_value(&mut self, attributes: &[Attribute], name: &syn::Ident, ty: &syn::Type, expression: &'f Expr) {
        self.value(attributes, name, expression);
        if let Some(value) = self.values.last().filter(|_| !is_test_code(attributes)) {
            self.opaque.insert(format!("the type of `{}`", value.label), ty.to_token_stream().to_string());
        }
    }

    /// The order of names matters where something is derived from it; what it is laid out as, where it leaves the program.
    fn laid_out<'n>(
        &mut self,
        what: &str,
        name: &syn::Ident,
        attributes: &[Attribute],
        parts: impl Iterator<Item = &'n syn::Ident>,
    ) {
        let mut order: Vec<String> = parts.map(ToString::to_string).collect();
        let repr = attributes.iter().filter(|attribute| attribute.path().is_ident("repr"));
        let repr: Vec<String> = repr.map(|attribute| attribute.to_token_stream().to_string()).collect();
        let key = |part: &str| format!("the {part} of the {what} `{name}`");
        self.opaque.insert(key("layout"), repr.join(" "));
        let ordered = order.join(" ");
        order.sort();
        // Only where the same are there in another order.
        self.opaque.insert(format!("{}\u{0}{}", key("order"), order.join(" ")), ordered);
    }

    fn take(&mut self, attributes: &'f [Attribute], signature: &'f Signature, body: &'f Block) {
        if is_test_code(attributes) {
            return;
        }
        let label = self.label(&signature.ident.to_string());
        if self.of_trait {
            self.kept.insert(format!("the function `{label}` of a trait"));
        }
        let (conditional, of_trait) = (self.conditional, self.of_trait);
        self.found.push(Function { label, attributes, signature, body, conditional, of_trait });
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
            self.under(&item.attrs, |this| {
                this.within(item.ident.to_string(), |this| visit::visit_item_mod(this, item));
            });
        }
    }

    fn visit_item_impl(&mut self, item: &'f ItemImpl) {
        if is_test_code(&item.attrs) {
            return;
        }
        let name = type_name(&item.self_ty);
        if let Some((path, _)) = &item.trait_ {
            self.kept.insert(format!("the impl of `{}` for `{name}`", path.to_token_stream()));
        }
        self.of_trait = item.trait_.is_some();
        self.under(&item.attrs, |this| this.within(name, |this| visit::visit_item_impl(this, item)));
        self.of_trait = false;
    }

    fn visit_item_trait(&mut self, item: &'f ItemTrait) {
        if !is_test_code(&item.attrs) {
            self.under(&item.attrs, |this| {
                this.within(item.ident.to_string(), |this| visit::visit_item_trait(this, item));
            });
        }
    }

    fn visit_item_use(&mut self, item: &'f syn::ItemUse) {
        if !is_test_code(&item.attrs) {
            self.imports(&item.tree, "");
        }
    }

    fn visit_item_const(&mut self, item: &'f syn::ItemConst) {
        self.typed_value(&item.attrs, &item.ident, &item.ty, &item.expr);
    }

    fn visit_item_static(&mut self, item: &'f syn::ItemStatic) {
        self.typed_value(&item.attrs, &item.ident, &item.ty, &item.expr);
    }

    fn visit_impl_item_const(&mut self, item: &'f syn::ImplItemConst) {
        self.typed_value(&item.attrs, &item.ident, &item.ty, &item.expr);
    }

    fn visit_trait_item_const(&mut self, item: &'f syn::TraitItemConst) {
        if let Some((_, expression)) = &item.default {
            self.value(&item.attrs, &item.ident, expression);
        }
    }

    fn visit_impl_item_type(&mut self, item: &'f syn::ImplItemType) {
        let label = self.label(&item.ident.to_string());
        self.opaque.insert(format!("the type `{label}`"), item.ty.to_token_stream().to_string());
    }

    fn visit_item_enum(&mut self, item: &'f syn::ItemEnum) {
        if is_test_code(&item.attrs) {
            return;
        }
        self.derives(&item.ident, &item.attrs);
        self.laid_out("enum", &item.ident, &item.attrs, item.variants.iter().map(|variant| &variant.ident));
        self.within(item.ident.to_string(), |this| {
            for variant in &item.variants {
                if let Some((_, expression)) = &variant.discriminant {
                    this.value(&variant.attrs, &variant.ident, expression);
                }
                let what = format!("the type of what `{}` holds", this.path(&variant.ident.to_string()));
                let held = variant.fields.iter().map(|field| field.ty.to_token_stream().to_string());
                this.opaque.insert(what, held.collect::<Vec<_>>().join(", "));
            }
        });
    }

    fn visit_item_struct(&mut self, item: &'f syn::ItemStruct) {
        if !is_test_code(&item.attrs) {
            self.derives(&item.ident, &item.attrs);
            let fields = item.fields.iter().filter_map(|field| field.ident.as_ref());
            self.laid_out("struct", &item.ident, &item.attrs, fields);
            let label = self.path(&item.ident.to_string());
            for (at, field) in item.fields.iter().enumerate() {
                let ty = field.ty.to_token_stream().to_string();
                match &field.ident {
                    Some(name) => drop(self.fields.insert((label.clone(), name.to_string()), ty)),
                    None => drop(self.opaque.insert(format!("the type of `{label}.{at}`"), ty)),
                }
            }
        }
    }

    fn visit_item_type(&mut self, item: &'f syn::ItemType) {
        if !is_test_code(&item.attrs) {
            self.opaque.insert(format!("the type `{}`", item.ident), item.ty.to_token_stream().to_string());
        }
    }

    fn visit_item_macro(&mut self, item: &'f syn::ItemMacro) {
        if is_test_code(&item.attrs) {
            return;
        }
        match &item.ident {
            Some(name) => drop(self.opaque.insert(format!("the macro `{name}`"), item.mac.tokens.to_string())),
            // What a call makes of its text, only its macro knows.
            None => {
                let name = item.mac.path.to_token_stream().to_string().replace(' ', "");
                self.opaque.entry(format!("what `{name}!` makes")).or_default().push_str(&item.mac.tokens.to_string());
            }
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
        changed.opaque.extend(old.kept.difference(&new.kept).map(|gone| format!("{gone}, which goes")));
        changed
    })
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
            self.conditional |= both().any(|one| one.conditional || one.tokens().contains("cfg"));
            self.conditional_inside |= both().any(|one| one.body.to_token_stream().to_string().contains("cfg"))
                || before.is_some_and(|before| before.conditions() != function.conditions());
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
        let found = changed(names, "use b::check; #[derive(Clone)] struct S; t! { 2 }").expect("it parses");
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
