//! Changed Rust files as the rules see them: both sides parsed once, taken apart into units, and the units that are
//! the same on both sides put away. What remains is what the patch wrote.

mod outline;
pub(super) mod scan;
pub(super) mod unit;

use std::collections::HashSet;
use std::ops::Range;

use kaizen_domain::RelPath;

use crate::syntax::{self, Parsed, SyntaxFault};
use outline::{Outline, differing};
use unit::{Unit, changed, units};

/// One side of a file.
pub(super) struct Side<'a> {
    /// All of it.
    pub(super) text: &'a str,
    /// What was parsed: the top-level items that differ from the other side.
    pub(super) tree: Tree,
    /// Tests stand at the top of the file.
    has_tests: bool,
}

/// What became of parsing it.
pub(super) enum Tree {
    /// The file is not there.
    Absent,
    /// Its parts, in order.
    Parsed(Vec<Parsed>),
    Broken(SyntaxFault),
}

impl From<Result<Parsed, SyntaxFault>> for Tree {
    fn from(parsed: Result<Parsed, SyntaxFault>) -> Self {
        match parsed {
            Ok(parsed) => Self::Parsed(vec![parsed]),
            Err(fault) => Self::Broken(fault),
        }
    }
}

/// Both sides of a file; call it on a big stack only.
pub(super) fn sides<'a>(before: Option<&'a str>, after: Option<&'a str>) -> (Side<'a>, Side<'a>) {
    let (Some(old), Some(new)) = (before, after) else { return (Side::whole(before), Side::whole(after)) };
    let outlines = (Outline::of(old), Outline::of(new));
    if let Some((old_parts, new_parts)) = differing((old, &outlines.0), (new, &outlines.1))
        && let Some(before) = parse_parts(old, old_parts)
        && let Some(after) = parse_parts(new, new_parts)
    {
        let side =
            |text, parsed, outline: &Outline| Side { text, tree: Tree::Parsed(parsed), has_tests: outline.has_tests };
        return (side(old, before, &outlines.0), side(new, after, &outlines.1));
    }
    (Side::whole(before), Side::whole(after))
}

/// Parses parts; `None` when one is no list of items by itself.
fn parse_parts(text: &str, parts: Vec<Range<usize>>) -> Option<Vec<Parsed>> {
    let parse = |part: Range<usize>| {
        let at_top = part.start == 0;
        // Attributes of the whole file stand at its top only.
        syntax::parse_part(text, part).ok().filter(|parsed| at_top || parsed.file.attrs.is_empty())
    };
    parts.into_iter().map(parse).collect()
}

impl<'a> Side<'a> {
    /// Parses all of a side. Call it on a big stack only.
    pub(super) fn whole(text: Option<&'a str>) -> Self {
        let Some(text) = text else { return Self { text: "", tree: Tree::Absent, has_tests: false } };
        Self { text, tree: syntax::parse_file(text).into(), has_tests: Outline::of(text).has_tests }
    }

    /// A side that is not text.
    pub(super) fn unreadable() -> Self {
        let fault = SyntaxFault { line: 1, column: 1, why: "is not UTF-8".to_owned(), too_deep: false };
        Self { text: "", tree: Tree::Broken(fault), has_tests: false }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.tree, Tree::Broken(_))
    }

    /// All of the file is test code.
    fn is_test_file(&self, path: &RelPath) -> bool {
        self.has_tests || unit::is_test_path(path)
    }
}

/// A changed Rust file with what differs.
pub(super) struct CodeFile<'a> {
    pub(super) path: &'a RelPath,
    pub(super) before: &'a Side<'a>,
    pub(super) after: &'a Side<'a>,
    /// Units of the base that the patch changed or took away.
    pub(super) old: Vec<Unit<'a>>,
    /// Units that the patch changed or added.
    pub(super) new: Vec<Unit<'a>>,
    /// Places of the base that hold test code.
    pub(super) test_homes: HashSet<String>,
}

impl<'a> CodeFile<'a> {
    pub(super) fn of(path: &'a RelPath, before: &'a Side<'a>, after: &'a Side<'a>) -> Self {
        let base = units(path, before);
        let mut test_homes: HashSet<String> =
            base.iter().filter(|unit| unit.home.test).map(|unit| unit.home_key().to_owned()).collect();
        if before.is_test_file(path) {
            test_homes.insert(String::new());
        }
        let (old, new) = changed(base, units(path, after));
        Self { path, before, after, old, new, test_homes }
    }

    /// Both sides that are there were parsed, so that units can be told apart.
    pub(super) fn is_whole(&self) -> bool {
        !self.before.is_broken() && !self.after.is_broken()
    }
}
