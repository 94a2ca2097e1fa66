//! What stands at a place whose lines drifted, once an edit has been applied to it: lines that the edit does not touch
//! stay as the file has them, lines that it writes take the indentation of the place.

use similar::{ChangeTag, TextDiff};

use super::drift::Alignment;

/// The lines of the place afterwards, each with a plain line feed; `None` when the edit replaces lines around something
/// that it does not know of.
pub(super) fn merge(file: &[&str], wanted: &[&str], replace: &str, alignment: &Alignment) -> Option<String> {
    let bare = |line: &str| line.trim_end().to_owned();
    let search: Vec<String> = wanted.iter().map(|line| bare(line)).collect();
    let written: Vec<String> = replace.lines().map(bare).collect();
    let there: Vec<&str> = file.get(alignment.lines.clone())?.to_vec();
    let pairs: Vec<(&str, &str)> = alignment
        .at
        .iter()
        .zip(wanted)
        .filter_map(|(at, line)| Some((line.trim_end(), file.get((*at)?)?.trim_end())))
        .filter(|(line, _)| !line.trim().is_empty())
        .collect();
    let shift = Shift::of(&pairs, &written, &there);
    let mut out = String::new();
    // The next line of the file that is not dealt with, and whether the last line of the search was taken out.
    let (mut next, mut cut) = (alignment.lines.start, false);
    let mut line_of_search = 0;
    let old: Vec<&str> = search.iter().map(String::as_str).collect();
    let new: Vec<&str> = written.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&old, &new);
    let mut emit = |line: &str| {
        out.push_str(line.trim_end_matches(['\r', '\n']));
        out.push('\n');
    };
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Insert => emit(&shift.applied(change.value())),
            tag => {
                let at = alignment.at.get(line_of_search).copied().flatten();
                line_of_search += 1;
                let Some(at) = at else { continue };
                let gone = tag == ChangeTag::Delete;
                if gone && alignment.swapped.contains(&(line_of_search - 1)) {
                    return None;
                }
                // What the file has in between, and the search has not.
                for between in file.get(next..at)? {
                    if !(cut && gone) {
                        emit(between);
                    } else if !is_idle(between) {
                        return None;
                    }
                }
                if !gone {
                    emit(file.get(at)?);
                }
                (next, cut) = (at + 1, gone);
            }
        }
    }
    for rest in file.get(next..alignment.lines.end)? {
        emit(rest);
    }
    Some(out)
}

fn is_idle(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("//")
}

/// How the indentation of what is written becomes that of the place.
struct Shift<'t> {
    /// Indentations of the search with those of the file, the deepest first; none: it is right already.
    pairs: Vec<(&'t str, &'t str)>,
}

impl<'t> Shift<'t> {
    fn of(pairs: &[(&'t str, &'t str)], written: &[String], there: &[&str]) -> Self {
        let filled = || written.iter().filter(|line| !line.trim().is_empty());
        let as_file = filled().filter(|line| there.iter().any(|other| other.trim_end() == line.as_str())).count();
        let as_search = filled().filter(|line| pairs.iter().any(|(search, _)| search == line)).count();
        if as_file > as_search {
            return Self { pairs: Vec::new() };
        }
        let mut known: Vec<(&str, &str)> = pairs.iter().map(|(search, file)| (indent(search), indent(file))).collect();
        known.sort_by_key(|(search, _)| std::cmp::Reverse(search.len()));
        known.dedup_by_key(|(search, _)| *search);
        Self { pairs: known }
    }

    fn applied(&self, line: &str) -> String {
        let (own, text) = (indent(line), line.trim_start());
        if text.is_empty() {
            return String::new();
        }
        let Some((search, file)) = self.pairs.iter().find(|(search, _)| own.starts_with(search)) else {
            // Shallower than anything that is known: as much shallower as it is.
            let Some((search, file)) = self.pairs.last() else { return line.to_owned() };
            let less = search.len().saturating_sub(own.len());
            return format!("{}{text}", file.get(..file.len().saturating_sub(less)).unwrap_or_default());
        };
        let deeper = own.get(search.len()..).unwrap_or_default();
        let tabs = file.contains('\t') && !deeper.contains('\t');
        let deeper = if tabs { "\t".repeat(deeper.len().div_ceil(4)) } else { deeper.to_owned() };
        format!("{file}{deeper}{text}")
    }
}

fn indent(line: &str) -> &str {
    line.get(..line.len() - line.trim_start().len()).unwrap_or_default()
}
