//! What of a text is compiled with a set of features. Code behind a feature that is off is not there at all for the compiler,
//! so that no test of that build says anything about it.

use std::collections::BTreeSet;
use std::ops::Range;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, File, ImplItem, Item, Meta, Token, TraitItem};

use crate::{Unreadable, with_files};

/// Names of features.
pub type Names = BTreeSet<String>;

/// A text as one set of features has it compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configured {
    /// The text with blanks in place of items that are not there, so that every place in it stays where it is.
    pub text: String,
    /// What is not there.
    pub off: Vec<Off>,
}

/// A piece of a text that is not compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Off {
    /// The piece.
    pub text: String,
    /// The features that its condition names and that are not on, apart from those that must not be on.
    pub wants: Names,
}

/// What a text is with these features on. Only whole items count: what stands under a condition inside of a function stays.
///
/// # Errors
/// When the text cannot be read.
pub fn configured(text: &str, on: &Names) -> Result<Configured, Unreadable> {
    if !text.contains("feature") {
        return Ok(Configured { text: text.to_owned(), off: Vec::new() });
    }
    let places = with_files(&[text], |files| {
        let mut finder = Finder { on, found: Vec::new() };
        files.first().into_iter().for_each(|file| finder.visit_file(file));
        finder.found
    })?;
    let mut bytes = text.as_bytes().to_vec();
    let mut off = Vec::new();
    for (place, wants) in places {
        let Some(piece) = text.get(place.clone()) else { continue };
        off.push(Off { text: piece.to_owned(), wants });
        // Byte for byte: what is not ASCII has several.
        for byte in bytes.get_mut(place).into_iter().flatten().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
    }
    Ok(Configured { text: String::from_utf8(bytes).map_err(|_| Unreadable::NotRust)?, off })
}

/// What a module's declaration in the file above it says about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    /// It is not there with these features on.
    pub off: bool,
    /// The features that would have to be on for it.
    pub wants: Names,
}

/// What a text says about a module that has a file of its own, with these features on; none where it declares none of that name.
///
/// # Errors
/// When the text cannot be read.
pub fn declared(text: &str, module: &str, on: &Names) -> Result<Option<Declared>, Unreadable> {
    with_files(&[text], |files| {
        let items = files.first().map(|file| file.items.as_slice()).unwrap_or_default();
        let of = |item: &Item| match item {
            Item::Mod(found) if found.content.is_none() && found.ident == module => {
                let wants = off_by(&found.attrs, on);
                Some(Declared { off: wants.is_some(), wants: wants.unwrap_or_default() })
            }
            _ => None,
        };
        // The same file may be declared under two conditions.
        let all: Vec<Declared> = items.iter().filter_map(of).collect();
        all.iter().find(|one| !one.off).or(all.first()).cloned()
    })
}

struct Finder<'o> {
    on: &'o Names,
    found: Vec<(Range<usize>, Names)>,
}

impl Finder<'_> {
    /// Whether a piece is not there; then it is noted.
    fn take(&mut self, attributes: &[Attribute], place: Range<usize>) -> bool {
        let wants = off_by(attributes, self.on);
        let is_off = wants.is_some();
        self.found.extend(wants.map(|wants| (place, wants)));
        is_off
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_file(&mut self, file: &'ast File) {
        let ends = (file.items.first(), file.items.last());
        if let (Some(first), Some(last)) = ends
            && self.take(&file.attrs, first.span().byte_range().start..last.span().byte_range().end)
        {
            return;
        }
        visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !self.take(attributes(item), item.span().byte_range()) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes: &[Attribute] = match item {
            ImplItem::Const(one) => &one.attrs,
            ImplItem::Fn(one) => &one.attrs,
            ImplItem::Type(one) => &one.attrs,
            ImplItem::Macro(one) => &one.attrs,
            _ => &[],
        };
        self.take(attributes, item.span().byte_range());
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes: &[Attribute] = match item {
            TraitItem::Const(one) => &one.attrs,
            TraitItem::Fn(one) => &one.attrs,
            TraitItem::Type(one) => &one.attrs,
            TraitItem::Macro(one) => &one.attrs,
            _ => &[],
        };
        self.take(attributes, item.span().byte_range());
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(one) => &one.attrs,
        Item::Enum(one) => &one.attrs,
        Item::ExternCrate(one) => &one.attrs,
        Item::Fn(one) => &one.attrs,
        Item::ForeignMod(one) => &one.attrs,
        Item::Impl(one) => &one.attrs,
        Item::Macro(one) => &one.attrs,
        Item::Mod(one) => &one.attrs,
        Item::Static(one) => &one.attrs,
        Item::Struct(one) => &one.attrs,
        Item::Trait(one) => &one.attrs,
        Item::TraitAlias(one) => &one.attrs,
        Item::Type(one) => &one.attrs,
        Item::Union(one) => &one.attrs,
        Item::Use(one) => &one.attrs,
        _ => &[],
    }
}

/// The features that would have to be on for what has these attributes, when it is not there for certain.
fn off_by(attributes: &[Attribute], on: &Names) -> Option<Names> {
    let conditions: Vec<Meta> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .collect();
    if !conditions.iter().any(|condition| holds(condition, on) == Some(false)) {
        return None;
    }
    let mut wants = Names::new();
    conditions.iter().for_each(|condition| wanted(condition, on, &mut wants));
    Some(wants)
}

/// Whether a condition holds, where features alone settle that.
fn holds(condition: &Meta, on: &Names) -> Option<bool> {
    match condition {
        Meta::NameValue(_) => feature(condition).map(|name| on.contains(&name)),
        Meta::List(list) => {
            let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok()?;
            let mut inner = inner.iter().map(|one| holds(one, on));
            if list.path.is_ident("not") {
                return inner.next()?.map(|one| !one);
            }
            let all: Vec<Option<bool>> = inner.collect();
            let by = if list.path.is_ident("all") {
                false
            } else if list.path.is_ident("any") {
                true
            } else {
                return None;
            };
            if all.contains(&Some(by)) {
                Some(by)
            } else if all.contains(&None) {
                None
            } else {
                Some(!by)
            }
        }
        Meta::Path(_) => None,
    }
}

/// Takes the features that a condition names and that are not on, apart from those that it wants to be off.
fn wanted(condition: &Meta, on: &Names, wants: &mut Names) {
    match condition {
        Meta::NameValue(_) => wants.extend(feature(condition).filter(|name| !on.contains(name))),
        Meta::List(list) if list.path.is_ident("all") || list.path.is_ident("any") => {
            let inner = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            inner.into_iter().flatten().for_each(|one| wanted(&one, on, wants));
        }
        Meta::List(_) | Meta::Path(_) => {}
    }
}

/// The name in `feature = "name"`.
fn feature(condition: &Meta) -> Option<String> {
    let Meta::NameValue(pair) = condition else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = &pair.value else { return None };
    pair.path.is_ident("feature").then(|| name.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Names {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn items_behind_features_that_are_off_are_blanks() {
        let text = "fn a() {}\n#[cfg(feature = \"é\")]\nfn b() {}\nimpl A {\n  #[cfg(all(feature = \"x\", unix))] fn c() {}\n  fn d() {}\n}\n";
        let found = configured(text, &names(&["x"])).expect("it parses");
        assert_eq!(found.off.len(), 1, "{found:?}");
        assert_eq!((found.off[0].text.lines().last(), &found.off[0].wants), (Some("fn b() {}"), &names(&["é"])));
        assert_eq!((found.text.len(), found.text.lines().count()), (text.len(), text.lines().count()));
        assert!(found.text.contains("fn a()") && !found.text.contains("fn b()") && found.text.contains("fn c()"));
        let none = configured(text, &names(&[])).expect("it parses");
        assert!(!none.text.contains("fn c()") && none.text.contains("fn d()"), "{}", none.text);
        assert_eq!(configured(text, &names(&["x", "é"])).expect("it parses").text, text);
    }

    #[test]
    fn a_file_may_be_behind_a_feature_as_a_whole() {
        let found = configured("#![cfg(feature = \"x\")]\nfn a() {}\nfn b() {}\n", &names(&[])).expect("it parses");
        assert_eq!(found.off, [Off { text: "fn a() {}\nfn b() {}".to_owned(), wants: names(&["x"]) }]);
    }

    #[test]
    fn conditions_are_weighed_as_far_as_features_settle_them() {
        for (condition, off, wants) in [
            ("feature = \"on\"", false, &[][..]),
            ("feature = \"x\"", true, &["x"]),
            ("not(feature = \"on\")", true, &[]),
            ("not(feature = \"x\")", false, &[]),
            ("unix", false, &[]),
            ("any(unix, feature = \"x\")", false, &[]),
            ("all(unix, feature = \"x\")", true, &["x"]),
            ("any(feature = \"x\", feature = \"y\")", true, &["x", "y"]),
            ("all(feature = \"on\", not(feature = \"on\"), feature = \"x\")", true, &["x"]),
            ("target_os = \"none\"", false, &[]),
        ] {
            let found = configured(&format!("#[cfg({condition})] fn a() {{}}"), &names(&["on"])).expect("it parses");
            let found = found.off.first().map(|off| off.wants.clone());
            assert_eq!(found, off.then(|| names(wants)), "{condition}");
        }
    }

    #[test]
    fn a_module_says_when_its_file_is_there() {
        let text = "#[cfg(feature = \"x\")] mod a;\nmod b;\nmod c { mod a; }\n#[cfg(unix)] mod d;\n";
        let of = |name| declared(text, name, &names(&[])).expect("it parses");
        assert_eq!(of("a"), Some(Declared { off: true, wants: names(&["x"]) }));
        assert_eq!((of("b"), of("d")), (Some(Declared::default()), Some(Declared::default())));
        assert_eq!(of("c"), None);
    }
}
