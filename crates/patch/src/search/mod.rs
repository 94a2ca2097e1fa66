//! Finds the one place that a search text means, and the text that stands there afterwards.
//!
//! First exactly; then with white space at line ends ignored; then with the same indentation added to or taken from
//! every line; then with small differences in what does not matter. Each step counts only when it fits exactly one place,
//! and a step that fits several ends the search.

mod drift;
mod folded;
mod merge;
mod nearest;
mod tolerant;

pub(crate) use nearest::nearest;

use std::ops::Range;

use folded::Folded;

use crate::lines::lines;

/// Where the searched text stands, and what replaces it.
pub(crate) struct Found {
    /// Bytes of the file.
    pub(crate) range: Range<usize>,
    /// The new text, with the file's line ends and indentation.
    pub(crate) replacement: String,
}

/// Why there is not exactly one such place.
#[derive(Debug)]
pub(crate) enum SearchFault {
    /// The search holds nothing to look for.
    Empty,
    /// It stands nowhere.
    NotFound {
        /// What comes nearest.
        hint: String,
    },
    /// It stands in several places.
    Ambiguous {
        /// Their first lines.
        lines: Vec<usize>,
        /// How it was compared.
        how: &'static str,
    },
}

/// How many places an error lists.
const PLACES: usize = 12;

/// Looks for the one place that `search` means in `text`.
pub(crate) fn find_once(text: &str, search: &str, replace: &str) -> Result<Found, SearchFault> {
    if search.is_empty() {
        return Err(SearchFault::Empty);
    }
    let file = Folded::new(text);
    let search = search.replace("\r\n", "\n");
    let replace = replace.replace("\r\n", "\n");
    let exact = places(file.text(), &search);
    if let [at] = exact.as_slice() {
        let range = *at..*at + search.len();
        return Ok(Found { replacement: file.with_its_ends(&replace, &range), range: file.original(&range) });
    }
    if !exact.is_empty() {
        let lines = exact.iter().map(|at| crate::lines::line_at(file.text(), *at)).collect();
        return Err(SearchFault::Ambiguous { lines, how: "compared exactly" });
    }
    if search.trim().is_empty() {
        return Err(SearchFault::NotFound { hint: "; it is white space only, give a line with text".to_owned() });
    }
    let found = match tolerant::find_once(file.text(), &search, &replace)? {
        Some(found) => Some(found),
        None => drifted(file.text(), &search, &replace)?,
    };
    match found {
        Some((range, replacement)) => {
            Ok(Found { replacement: file.with_its_ends(&replacement, &range), range: file.original(&range) })
        }
        None => Err(SearchFault::NotFound { hint: nearest(file.text(), &search) }),
    }
}

/// The place in bytes, and what stands there afterwards.
type Place = (Range<usize>, String);

fn drifted(text: &str, search: &str, replace: &str) -> Result<Option<Place>, SearchFault> {
    let (file, wanted) = (lines(text), lines(search));
    let Some(alignment) = drift::find_once(&file, &wanted)? else { return Ok(None) };
    let Some(mut merged) = merge::merge(&file, &wanted, replace, &alignment) else { return Ok(None) };
    let start: usize = file.iter().take(alignment.lines.start).map(|line| line.len()).sum();
    let inside = file.get(alignment.lines.clone()).unwrap_or_default();
    let length: usize = inside.iter().map(|line| line.len()).sum();
    if inside.last().is_some_and(|line| !line.ends_with('\n')) {
        merged.pop();
    }
    Ok(Some((start..start + length, merged)))
}

/// Every place where a text stands, overlapping ones too, up to a dozen.
fn places(text: &str, search: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    let step = search.chars().next().map_or(1, char::len_utf8);
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(search)) {
        found.push(from + at);
        from += at + step;
        if found.len() == PLACES {
            break;
        }
    }
    found
}
