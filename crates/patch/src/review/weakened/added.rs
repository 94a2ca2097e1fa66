//! A file of the tests that only has more in it than before: tests, and what they need. What was there stands there as it
//! did, so that it judges as it did.

use kaizen_domain::edit::Change;
use syn::{Attribute, Item};

use super::shadow::shadowed;
use crate::review::code::test_code::is_test_attr;
use crate::review::code::unit::{Node, Unit};
use crate::review::code::{CodeFile, sides};
use crate::review::texts;

/// Attributes that new code in a file of the tests may carry besides those of tests.
const PLAIN: [&str; 7] = ["doc", "should_panic", "ignore", "inline", "must_use", "track_caller", "derive"];

/// Whether a change does nothing but that; call it on a big stack only.
pub(in crate::review) fn only_adds(change: &Change) -> bool {
    let there = |state: &Option<_>| state.is_some();
    let Some((before, after)) = texts(change).filter(|_| there(&change.before) && there(&change.after)) else {
        return false;
    };
    let (before, after) = sides(Some(before), Some(after));
    let file = CodeFile::of(&change.path, &before, &after);
    file.is_whole() && file.old.is_empty() && file.new.iter().all(is_plain) && shadowed(&file).is_empty()
}

/// A test, or a function, constant, type or import beside it.
fn is_plain(unit: &Unit<'_>) -> bool {
    let known =
        |attribute: &Attribute| is_test_attr(attribute) || PLAIN.iter().any(|name| attribute.path().is_ident(name));
    let plain = match unit.node {
        Node::Item(item) => {
            matches!(item, Item::Fn(_) | Item::Const(_) | Item::Use(_) | Item::Struct(_) | Item::Enum(_))
        }
        Node::Head(_) => unit.kind == "mod",
        // An impl may be for what was there.
        _ => false,
    };
    plain && unit.attrs().iter().all(known)
}
