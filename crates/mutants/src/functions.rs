//! The functions and values of a file, and what else it says. Test code is none of it.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, ImplItemFn, ItemFn, ItemImpl, ItemMod, ItemTrait, Signature, TraitItemFn};

use kaizen_source::is_test_code;

/// A function as a tree.
pub(crate) struct Function<'f> {
    /// Modules, type and name, such as `tax::Tax::apply`; the second of the same name ends with `#2`.
    pub label: String,
    pub attributes: &'f [Attribute],
    pub signature: &'f Signature,
    pub body: &'f Block,
    /// Whether something around it is there under a condition only.
    pub conditional: bool,
    /// It stands in the impl of a trait, so that another one is called when it is gone.
    pub of_trait: bool,
}

/// Attributes that change nothing about what a function does.
const PLAIN: [&str; 8] = ["doc", "allow", "expect", "warn", "deny", "inline", "must_use", "cold"];

impl Function<'_> {
    /// Everything that says what it does.
    pub fn tokens(&self) -> String {
        self.head() + &self.body.to_token_stream().to_string()
    }

    /// What callers see of it, and what the linker does.
    pub fn head(&self) -> String {
        let attributes = self.attributes.iter().filter(|one| !PLAIN.iter().any(|name| one.path().is_ident(name)));
        let attributes: String = attributes.map(|attribute| attribute.to_token_stream().to_string()).collect();
        attributes + &self.signature.to_token_stream().to_string()
    }

    /// The conditions under which it is there, as far as it says them itself.
    pub fn conditions(&self) -> Vec<String> {
        let conditions = self.attributes.iter().filter(|one| is_condition(one));
        conditions.map(|attribute| attribute.to_token_stream().to_string()).collect()
    }

    pub fn line(&self) -> u32 {
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
    pub fn line(&self) -> u32 {
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
pub(crate) struct Collector<'f> {
    inside: Vec<String>,
    pub found: Vec<Function<'f>>,
    pub values: Vec<Value<'f>>,
    /// What is neither, and that no wrong version can be made of: what it is, and what it says.
    pub opaque: BTreeMap<String, String>,
    /// What must not go: what it is.
    pub kept: BTreeSet<String>,
    /// The named fields of structs, each with its type: what functions do with them follows from it, whatever they say.
    pub fields: BTreeMap<(String, String), String>,
    conditional: bool,
    of_trait: bool,
    seen: BTreeMap<String, usize>,
}

impl<'f> Collector<'f> {
    pub fn of(file: &'f syn::File) -> Self {
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
        // What an impl promises that does nothing is seen by nobody who is not relied upon.
        let does_nothing = !item.items.iter().any(|one| matches!(one, syn::ImplItem::Fn(_)));
        if let Some((path, _)) = item.trait_.as_ref().filter(|_| does_nothing) {
            let (of, bounds) = (item.self_ty.to_token_stream(), &item.generics);
            let key = format!("for what `{}` there is the impl of `{}`", name, path.to_token_stream());
            let bounds = format!("{} {} {of};", bounds.to_token_stream(), bounds.where_clause.to_token_stream());
            self.opaque.entry(key).or_default().push_str(&bounds);
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
