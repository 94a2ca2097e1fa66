//! Changed Rust files as the rules see them: both sides parsed once, taken apart into units, and the units that are
//! the same on both sides put away. What remains is what the patch wrote.

mod outline;
pub(super) mod scan;
pub(super) mod test_code;
pub(super) mod unit;

use std::borrow::Cow;
use std::collections::HashSet;

use kaizen_domain::RelPath;

use crate::syntax::lex::{Lexeme, lex};
use crate::syntax::{self, Parsed, SyntaxFault};
use outline::Text;
use unit::{Unit, changed, units};

/// One side of a file.
pub(super) struct Side<'a> {
    /// All of it.
    pub(super) text: &'a str,
    /// The code of it.
    pub(super) lexemes: Vec<Lexeme<'a>>,
    /// What was parsed: all of it, or as long a text in which only what differs from the other side is left.
    code: Cow<'a, str>,
    pub(super) tree: Tree,
    /// The tree holds the bodies of functions.
    has_bodies: bool,
    /// Tests stand at the top of the file.
    has_tests: bool,
}

/// What became of parsing it.
pub(super) enum Tree {
    /// The file is not there.
    Absent,
    Parsed(Parsed),
    Broken(SyntaxFault),
}

impl From<Result<Parsed, SyntaxFault>> for Tree {
    fn from(parsed: Result<Parsed, SyntaxFault>) -> Self {
        match parsed {
            Ok(parsed) => Self::Parsed(parsed),
            Err(fault) => Self::Broken(fault),
        }
    }
}

/// Both sides of a file; call it on a big stack only.
pub(super) fn sides<'a>(before: Option<&'a str>, after: Option<&'a str>) -> (Side<'a>, Side<'a>) {
    let (mut old, mut new) = (Side::unparsed(before), Side::unparsed(after));
    if before.is_some()
        && after.is_some()
        && let Some(code) = outline::differing(old.outlined(), new.outlined())
        && let Ok(old_tree) = syntax::parse_file(&code.old_heads)
        && let Ok(new_tree) = syntax::parse_file(&code.new)
        && at_top(old.text, &code.old, &old_tree)
        && at_top(new.text, &code.new, &new_tree)
    {
        (old.code, old.tree, old.has_bodies) = (Cow::Owned(code.old), Tree::Parsed(old_tree), false);
        (new.code, new.tree) = (Cow::Owned(code.new), Tree::Parsed(new_tree));
        return (old, new);
    }
    (old.parsed(before), new.parsed(after))
}

/// Attributes of the whole file stand at its top only, and nothing was left out before them.
fn at_top(text: &str, code: &str, parsed: &Parsed) -> bool {
    let ends = parsed.file.attrs.iter().map(|attr| attr.bracket_token.span.close().byte_range().end + parsed.offset);
    let end = ends.max().unwrap_or(0);
    text.get(..end) == code.get(..end)
}

impl<'a> Side<'a> {
    fn unparsed(text: Option<&'a str>) -> Self {
        let text = text.unwrap_or("");
        let lexemes: Vec<_> = lex(text).collect();
        let has_tests = outline::has_tests(&lexemes);
        Self { text, lexemes, code: Cow::Borrowed(text), tree: Tree::Absent, has_bodies: true, has_tests }
    }

    fn outlined(&self) -> Text<'a, '_> {
        Text { text: self.text, lexemes: &self.lexemes }
    }

    fn parsed(self, text: Option<&'a str>) -> Self {
        let tree = text.map_or(Tree::Absent, |text| syntax::parse_file(text).into());
        Self { tree, ..self }
    }

    /// Parses all of a side. Call it on a big stack only.
    pub(super) fn whole(text: Option<&'a str>) -> Self {
        Self::unparsed(text).parsed(text)
    }

    /// A side that is not text.
    pub(super) fn unreadable() -> Self {
        let fault = SyntaxFault { line: 1, column: 1, why: "is not UTF-8".to_owned(), too_deep: false };
        Self { tree: Tree::Broken(fault), ..Self::unparsed(None) }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(self.tree, Tree::Broken(_))
    }

    /// All of the file is test code.
    fn is_test_file(&self, path: &RelPath) -> bool {
        self.has_tests || test_code::is_test_path(path)
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
        let (base, mut test_homes) = units(path, before);
        if before.is_test_file(path) {
            test_homes.insert(String::new());
        }
        let (old, new) = changed(base, units(path, after).0);
        Self { path, before, after, old, new, test_homes }
    }

    /// Both sides that are there were parsed, so that units can be told apart.
    pub(super) fn is_whole(&self) -> bool {
        !self.before.is_broken() && !self.after.is_broken()
    }
}
