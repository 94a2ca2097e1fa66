//! The two tolerant steps of a search, line by line: white space at line ends, then uniform indentation.

use std::ops::Range;

use super::{PLACES, SearchFault};
use crate::lines::lines;

/// Comparisons of lines that one search may cost; a text made to be slow is not found rather than waited for.
const WORK: usize = 20_000_000;

/// How much white space the file has before each line that the search has not, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shift<'t> {
    More(&'t str),
    Less(&'t str),
}

type Place = (Range<usize>, String);

pub(super) fn find_once(text: &str, search: &str, replace: &str) -> Result<Option<Place>, SearchFault> {
    let file = lines(text);
    let wanted = lines(search);
    let same = |file: &str, wanted: &str| file.trim_end() == wanted.trim_end();
    let how = "with white space at line ends ignored";
    if let Some(first) = single(windows(&file, &wanted, |at| all(&file, &wanted, at, same)), how)? {
        return Ok(Some(place(&file, first, wanted.len(), search, replace.to_owned())));
    }
    let fits = windows(&file, &wanted, |at| shift_at(&file, &wanted, at).is_some());
    let Some(first) = single(fits, "with indentation ignored")? else { return Ok(None) };
    let Some(shift) = shift_at(&file, &wanted, first) else { return Ok(None) };
    Ok(indented(replace, shift).map(|replace| place(&file, first, wanted.len(), search, replace)))
}

fn all(file: &[&str], wanted: &[&str], at: usize, same: impl Fn(&str, &str) -> bool) -> bool {
    wanted.iter().enumerate().all(|(offset, line)| file.get(at + offset).is_some_and(|file| same(file, line)))
}

/// The first lines of the places that fit, as long as the work allows.
fn windows(file: &[&str], wanted: &[&str], mut fits: impl FnMut(usize) -> bool) -> Vec<usize> {
    let last = file.len().checked_sub(wanted.len());
    let cost = wanted.len().saturating_mul(file.len());
    let Some(last) = last.filter(|_| cost <= WORK) else { return Vec::new() };
    (0..=last).filter(|at| fits(*at)).take(PLACES).collect()
}

fn single(found: Vec<usize>, how: &'static str) -> Result<Option<usize>, SearchFault> {
    match found.as_slice() {
        [] => Ok(None),
        [at] => Ok(Some(*at)),
        _ => Err(SearchFault::Ambiguous { lines: found.iter().map(|at| at + 1).collect(), how }),
    }
}

/// The one difference in indentation that every line of the place has.
fn shift_at<'t>(file: &[&'t str], wanted: &[&'t str], at: usize) -> Option<Shift<'t>> {
    let mut shift = None;
    for (offset, line) in wanted.iter().enumerate() {
        let (there, here) = (file.get(at + offset)?.trim_end(), line.trim_end());
        if there.is_empty() && here.is_empty() {
            continue;
        }
        let this = if let Some(more) = there.strip_suffix(here) {
            Shift::More(more)
        } else {
            Shift::Less(here.strip_suffix(there)?)
        };
        let (Shift::More(by) | Shift::Less(by)) = this;
        if here.is_empty() || there.is_empty() || !by.trim().is_empty() || shift.is_some_and(|known| known != this) {
            return None;
        }
        shift = Some(this);
    }
    shift
}

/// The replacement moved by the same indentation; `None` when a line has not enough to be taken away.
fn indented(text: &str, shift: Shift<'_>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for line in lines(text) {
        match shift {
            _ if line.trim().is_empty() => out.push_str(line),
            Shift::More(by) => {
                out.push_str(by);
                out.push_str(line);
            }
            Shift::Less(by) => out.push_str(line.strip_prefix(by)?),
        }
    }
    Some(out)
}

/// The bytes from the first line to the last, the last line's end included only when the search had one.
fn place(file: &[&str], first: usize, count: usize, search: &str, replace: String) -> Place {
    let start: usize = file.iter().take(first).map(|line| line.len()).sum();
    let mut end: usize = start + file.iter().skip(first).take(count).map(|line| line.len()).sum::<usize>();
    let ended = file.get(first + count - 1).is_some_and(|line| line.ends_with('\n'));
    let mut replace = replace;
    match (search.ends_with('\n'), ended) {
        (false, true) => end -= 1,
        (true, false) if replace.ends_with('\n') => {
            replace.pop();
        }
        _ => {}
    }
    (start..end, replace)
}

#[cfg(test)]
mod tests {
    use crate::search::{SearchFault, find_once};

    fn replaced(text: &str, search: &str, replace: &str) -> Option<String> {
        let found = find_once(text, search, replace).ok()?;
        Some(format!("{}{}{}", text.get(..found.range.start)?, found.replacement, text.get(found.range.end..)?))
    }

    #[test]
    fn white_space_at_line_ends_does_not_matter_when_one_place_fits() {
        assert_eq!(replaced("a  \nb\nc", "a\nb \n", "x\n").as_deref(), Some("x\nc"));
        assert_eq!(replaced("a\r\nb\t\r\n", "a \nb", "x\ny").as_deref(), Some("x\r\ny\r\n"));
        assert_eq!(replaced("k\na ", "a\n", "x\n").as_deref(), Some("k\nx"));
    }

    #[test]
    fn the_replacement_takes_the_indentation_of_the_place() {
        let text = "fn f() {\n    if a {\n        b();\n    }\n}\n";
        let fixed = replaced(text, "if a {\n    b();\n}\n", "if c {\n\n    d();\n}\n");
        assert_eq!(fixed.as_deref(), Some("fn f() {\n    if c {\n\n        d();\n    }\n}\n"));
        let less = replaced("a\n  b\n", "    a\n      b\n", "    x\n");
        assert_eq!(less.as_deref(), Some("x\n"));
        assert_eq!(replaced("a\n  b\n", "    a\n      b\n", "x\n").as_deref(), Some("x\n"));
    }

    #[test]
    fn indentation_that_differs_from_line_to_line_is_that_of_the_file() {
        assert_eq!(replaced("  a\n   b\n", "a\nb\n", "a\nb\nc\n").as_deref(), Some("  a\n   b\n  c\n"));
    }

    #[test]
    fn two_tolerant_places_are_ambiguous_and_named() {
        let Err(SearchFault::Ambiguous { lines, .. }) = find_once("a \nb\na  \n", "a\t\n", "x\n") else {
            panic!("not ambiguous")
        };
        assert_eq!(lines, [1, 3]);
    }
}
