//! Applies a set of edits to the files of a commit: all of it, or nothing.
//!
//! Edits of one file apply in order, each on what the one before left. What comes out are whole files, before and
//! after; writing them anywhere is the caller's business.

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, Edit, EditSet};

use crate::draft::Draft;
use crate::error::ApplyError;
use crate::item;
use crate::search::{self, SearchFault};
use crate::shown::shown;
use crate::source::Source;

/// Applies edits to the files of a commit.
///
/// The changes come ordered by path; files that end up as they were are left out.
///
/// # Errors
/// When an edit does not fit, names something else than a regular file, or when nothing changes.
pub fn apply(edits: &EditSet, source: &dyn Source) -> Result<Vec<Change>, ApplyError> {
    let mut draft = Draft::new(source);
    for edit in &edits.edits {
        match edit {
            Edit::Replace { path, search, replace } => replace_once(&mut draft, path, search, replace)?,
            Edit::WholeFile { path, content } => draft.write(path, content.clone().into_bytes())?,
            Edit::Delete { path } => draft.remove(path)?,
            Edit::Item { item, content } => item::replace(&mut draft, item, content)?,
        }
    }
    draft.finish()
}

fn replace_once(draft: &mut Draft<'_>, path: &RelPath, search: &str, replace: &str) -> Result<(), ApplyError> {
    let text = draft.text(path)?;
    let found = search::find_once(&text, search, replace).map_err(|fault| named(path, search, fault))?;
    let mut changed = String::with_capacity(text.len() + found.replacement.len());
    changed.push_str(text.get(..found.range.start).unwrap_or(""));
    changed.push_str(&found.replacement);
    changed.push_str(text.get(found.range.end..).unwrap_or(""));
    draft.write(path, changed.into_bytes())
}

fn named(path: &RelPath, search: &str, fault: SearchFault) -> ApplyError {
    let path = path.clone();
    let head = shown(search.trim_matches(['\r', '\n']), 200);
    match fault {
        SearchFault::Empty => ApplyError::EmptySearch { path },
        SearchFault::NotFound { hint } => ApplyError::NotFound { path, search: head, hint },
        SearchFault::Ambiguous { lines, how } => ApplyError::Ambiguous { path, search: head, lines, how },
    }
}
