//! A file of the tests that only has more in it than before: tests, and what they need. What was there stands there as it
//! did, so that it judges as it did.

use std::collections::HashSet;

use kaizen_domain::edit::Change;
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Meta, Token};

use super::shadow::{Import, imports, shadowed};
use crate::review::code::test_code::{is_test_attr, names_a_test};
use crate::review::code::unit::{Node, Unit};
use crate::review::code::{CodeFile, sides};
use crate::review::texts;

/// Attributes that new code in a file of the tests may carry besides those of tests.
const PLAIN: [&str; 8] = ["doc", "should_panic", "ignore", "inline", "must_use", "track_caller", "derive", "allow"];

/// Whether a change does nothing but that; call it on a big stack only.
pub(in crate::review) fn only_adds(change: &Change) -> bool {
    let there = |state: &Option<_>| state.is_some();
    let Some((before, after)) = texts(change).filter(|_| there(&change.before) && there(&change.after)) else {
        return false;
    };
    let (before, after) = sides(Some(before), Some(after));
    let file = CodeFile::of(&change.path, &before, &after);
    file.is_whole() && still_brings_in(&file) && file.new.iter().all(is_plain) && shadowed(&file).is_empty()
}

/// Whether nothing of what was there changes but imports, and what these brought in is still brought in by the same names.
fn still_brings_in(file: &CodeFile<'_>) -> bool {
    let is_import = |unit: &Unit<'_>| matches!(unit.node, Node::Item(Item::Use(_))) && is_plain(unit);
    let of = |units: &[Unit<'_>]| -> HashSet<(String, Import)> {
        let of = |unit: &Unit<'_>| {
            imports(unit).into_iter().map(|import| (unit.home_key().to_owned(), import)).collect::<Vec<_>>()
        };
        units.iter().flat_map(of).collect()
    };
    file.old.iter().all(is_import) && of(&file.old).is_subset(&of(&file.new))
}

/// Whether an attribute says nothing to others, with or without a condition.
fn is_known(meta: &Meta) -> bool {
    if !meta.path().is_ident("cfg_attr") {
        return PLAIN.iter().any(|name| meta.path().is_ident(name)) || names_a_test(meta.path());
    }
    let inside = meta.require_list().and_then(|list| {
        list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).map(|all| all.into_iter().skip(1))
    });
    inside.is_ok_and(|mut inside| inside.all(|one| is_known(&one)))
}

/// A test, or a function, constant, type or import beside it.
fn is_plain(unit: &Unit<'_>) -> bool {
    let known = |attribute: &Attribute| {
        is_test_attr(attribute) || is_known(&attribute.meta) || attribute.path().is_ident("case")
    };
    let plain = match unit.node {
        Node::Item(item) => {
            matches!(item, Item::Fn(_) | Item::Const(_) | Item::Use(_) | Item::Struct(_) | Item::Enum(_))
        }
        Node::Head(_) => unit.kind == "mod",
        // An impl may be for what was there.
        _ => false,
    };
    // An import that is there at times only stands for something else at others.
    let is_import = matches!(unit.node, Node::Item(Item::Use(_)));
    plain && unit.attrs().iter().all(|one| known(one) || !is_import && one.path().is_ident("cfg"))
}
