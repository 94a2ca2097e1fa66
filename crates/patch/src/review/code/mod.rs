//! Changed Rust files as the rules see them: both sides parsed once, taken apart into units, and the units that are
//! the same on both sides put away. What remains is what the patch wrote.

pub(super) mod scan;
pub(super) mod unit;

use std::collections::HashSet;

use kaizen_domain::RelPath;

use crate::syntax::{self, Parsed, SyntaxFault};
use unit::{Unit, changed, units};

/// One side of a file.
pub(super) struct Side<'a> {
    pub(super) text: &'a str,
    pub(super) tree: Tree,
}

/// What became of parsing it.
pub(super) enum Tree {
    /// The file is not there.
    Absent,
    Parsed(Box<Parsed>),
    Broken(SyntaxFault),
}

impl<'a> Side<'a> {
    /// Parses a side. Call it on a big stack only.
    pub(super) fn of(text: Option<&'a str>) -> Self {
        let Some(text) = text else { return Self { text: "", tree: Tree::Absent } };
        let tree = match syntax::parse_file(text) {
            Ok(parsed) => Tree::Parsed(Box::new(parsed)),
            Err(fault) => Tree::Broken(fault),
        };
        Self { text, tree }
    }

    /// A side that is not text.
    pub(super) fn unreadable() -> Self {
        Self { text: "", tree: Tree::Broken(SyntaxFault { line: 1, column: 1, why: "is not UTF-8".to_owned(), too_deep: false }) }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.tree, Tree::Broken(_))
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
        let test_homes = base.iter().filter(|unit| unit.home.test).map(|unit| unit.home_key().to_owned()).collect();
        let (old, new) = changed(base, units(path, after));
        Self { path, before, after, old, new, test_homes }
    }

    /// Both sides that are there were parsed, so that units can be told apart.
    pub(super) fn is_whole(&self) -> bool {
        !self.before.is_broken() && !self.after.is_broken()
    }
}
