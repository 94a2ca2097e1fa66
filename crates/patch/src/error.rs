//! Why edits or a diff cannot be applied, in words that whoever wrote them, often a model, can act on.
//!
//! Every error names the file and the place, and what would be right. Text quoted from files is shortened and escaped.

use kaizen_domain::{InvalidPath, RelPath};
use thiserror::Error;

use crate::source::SourceError;

/// Why a set of edits or a diff cannot be applied. Nothing of it has been applied then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// The base could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A path that no patch may name.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// The file to be changed or deleted is not there.
    #[error("{path}: there is no such file; create it with its whole content, or name an existing file")]
    MissingFile {
        /// The file.
        path: RelPath,
    },
    /// The file to be created is there already.
    #[error("{path}: the file exists already; change it instead of creating it")]
    Exists {
        /// The file.
        path: RelPath,
    },
    /// Something else than a plain file.
    #[error("{path}: is {what}; only regular files (mode 100644) can be changed or created")]
    NotRegular {
        /// The path.
        path: RelPath,
        /// What it is, such as `a symbolic link`.
        what: &'static str,
    },
    /// A path below something that is not a folder.
    #[error("{path}: cannot be created, because {parent} is not a folder")]
    BelowFile {
        /// The path.
        path: RelPath,
        /// The path above it that is a file or a link.
        parent: RelPath,
    },
    /// The file is not UTF-8.
    #[error("{path}: is not text in UTF-8 and cannot be edited as text")]
    NotText {
        /// The file.
        path: RelPath,
    },
    /// A search without text.
    #[error("{path}: the search is empty; give text that stands in the file exactly once")]
    EmptySearch {
        /// The file.
        path: RelPath,
    },
    /// The searched text is not in the file.
    #[error("{path}: the search text was not found: `{search}`{hint}")]
    NotFound {
        /// The file.
        path: RelPath,
        /// How the searched text begins.
        search: String,
        /// The most similar place with its line numbers, and what to do.
        hint: String,
    },
    /// The searched text is there more than once.
    #[error(
        "{path}: the search text stands in {} places ({how}), at lines {}; \
         make it longer, with lines before or after, so that it stands in exactly one: `{search}`",
        lines.len(), list(lines)
    )]
    Ambiguous {
        /// The file.
        path: RelPath,
        /// How the searched text begins.
        search: String,
        /// The first line of each place, counted from 1; not more than the first few.
        lines: Vec<usize>,
        /// How the places were compared.
        how: &'static str,
    },
    /// The item's path does not have the form of one.
    #[error("item path `{item}` {why}")]
    ItemPath {
        /// The path as given.
        item: String,
        /// What is wrong with it.
        why: String,
    },
    /// No such item.
    #[error("item `{item}` was not found{hint}")]
    ItemNotFound {
        /// The path as given.
        item: String,
        /// Where was looked and what is there instead.
        hint: String,
    },
    /// Several items have that path.
    #[error("item `{item}` is not unique: it stands at {}; {hint}", places.join(", "))]
    ItemAmbiguous {
        /// The path as given.
        item: String,
        /// `file:line` of each.
        places: Vec<String>,
        /// How to name one of them.
        hint: &'static str,
    },
    /// The new text is not the item it replaces.
    #[error("the new text for item `{item}` {why}")]
    ItemContent {
        /// The path as given.
        item: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file that should hold the item does not parse.
    #[error("{path}:{line}:{column}: the file does not parse: {why}; edit it by search and replace instead")]
    Unparsable {
        /// The file.
        path: RelPath,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What the parser said.
        why: String,
    },
    /// The edits leave a file that does not parse, and it did before.
    #[error(
        "{path}:{line}:{column}: after the edits the file does not parse: {why}; the line is then `{quoted}`: check that          brackets match and that nothing is cut or doubled"
    )]
    Broken {
        /// The file.
        path: RelPath,
        /// The line after the edits, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What the parser said.
        why: String,
        /// The line.
        quoted: String,
    },
    /// The text is not a diff that can be taken at its word.
    #[error("diff line {line}: {why}")]
    Diff {
        /// The line of the diff, counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The diff does something that no patch may do.
    #[error("diff line {line}: {path}: {why}")]
    Unsupported {
        /// The line of the diff, counted from 1.
        line: usize,
        /// The path as the diff names it.
        path: String,
        /// What is not taken.
        why: String,
    },
    /// A hunk that does not fit the file.
    #[error("{path}: the hunk at diff line {line} (`{header}`) {why}")]
    Hunk {
        /// The file.
        path: RelPath,
        /// The line of the diff where the hunk begins, counted from 1.
        line: usize,
        /// Its header.
        header: String,
        /// Why it does not fit, and the most similar place.
        why: String,
    },
    /// The edits leave every file as it is.
    #[error("nothing changed: after the edits every file has the content it had before")]
    NothingChanged,
}

fn list(lines: &[usize]) -> String {
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
