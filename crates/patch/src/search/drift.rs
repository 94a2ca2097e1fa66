//! The most tolerant step of a search: the lines of a file drift while a model writes. White space inside of lines,
//! blank lines, comments, a letter here and there, a line more or less: such a place still counts, when it is the only
//! one. What differs in a name that exists, a number or an operator is another place, however alike the rest is.
//!
//! It says which line of the search stands where; what is written there follows in `merge`.

use std::collections::HashSet;
use std::ops::Range;

use super::{PLACES, SearchFault};

/// Comparisons of lines that one search may cost.
const WORK: usize = 4_000_000;
/// Lines that a place may have more than the search, for each line of it and besides.
const SLACK: usize = 6;

/// A place, and where each line of the search stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alignment {
    /// Lines of the file, from the first matched to the last.
    pub lines: Range<usize>,
    /// For each line of the search the line of the file, when it has one.
    pub at: Vec<Option<usize>>,
    /// Lines of the search that changed places with a neighbour: an edit of them says nothing certain.
    pub swapped: Vec<usize>,
    /// Lines of code that differ, or that only one side has.
    pub drift: usize,
}

/// A line as it is compared.
struct Line<'t> {
    text: &'t str,
    tokens: Vec<&'t str>,
    /// Blank, or nothing but a comment.
    idle: bool,
}

/// How two lines compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alike {
    /// Their code is the same.
    Same,
    /// It differs by what a slip of the pen explains.
    Drifted,
    /// They are two lines.
    No,
}

/// The one place of the file that the search means.
pub(super) fn find_once(file: &[&str], wanted: &[&str]) -> Result<Option<Alignment>, SearchFault> {
    let words: HashSet<&str> = file.iter().flat_map(|line| tokens(line)).collect();
    let file: Vec<Line<'_>> = file.iter().map(|line| read(line)).collect();
    let search: Vec<Line<'_>> = wanted.iter().map(|line| read(line)).collect();
    let code = search.iter().filter(|line| !line.idle).count();
    if code == 0 || search.len().saturating_mul(search.len() + SLACK).saturating_mul(8) > WORK {
        return Ok(None);
    }
    let starts = starts(&file, &search);
    if starts.len().saturating_mul(search.len() * (search.len() + SLACK)) > WORK {
        return Ok(None);
    }
    let allowed = if code < 4 { usize::from(code > 1) } else { (code / 5).max(1) };
    let mut found: Vec<Alignment> = Vec::new();
    for start in starts {
        let Some(alignment) = align(&file, &search, start, &words, allowed) else { continue };
        let overlaps =
            |other: &Alignment| other.lines.start < alignment.lines.end && alignment.lines.start < other.lines.end;
        match found.iter_mut().find(|other| overlaps(other)) {
            Some(known) if alignment.drift < known.drift => *known = alignment,
            Some(known) if alignment.drift > known.drift => {}
            // Of two that overlap and are as good, nobody can tell which is meant.
            _ => found.push(alignment),
        }
    }
    // A place whose code is the same beats one that drifted. One that drifted must be better than all others by far.
    let least = found.iter().map(|one| one.drift).min().unwrap_or(0);
    found.retain(|one| one.drift <= if least == 0 { 0 } else { least + 1 });
    match found.len() {
        0 => Ok(None),
        1 => Ok(found.pop()),
        _ => {
            let lines = found.iter().take(PLACES).map(|one| one.lines.start + 1).collect();
            Err(SearchFault::Ambiguous { lines, how: "with small differences ignored" })
        }
    }
}

/// Where a place may begin: its first line of code is like the first of the search.
fn starts(file: &[Line<'_>], search: &[Line<'_>]) -> Vec<usize> {
    let Some(first) = search.iter().find(|line| !line.idle) else { return Vec::new() };
    let near = |line: &Line<'_>| {
        !line.idle && (line.tokens == first.tokens || distance_of_tokens(&line.tokens, &first.tokens) <= 2)
    };
    file.iter().enumerate().filter(|(_, line)| near(line)).map(|(at, _)| at).collect()
}

/// Aligns the search with the file from a line on: the first lines of code on both sides belong together, and so do the
/// last. Cheapest first, by dynamic programming over pairs of lines.
fn align(
    file: &[Line<'_>],
    search: &[Line<'_>],
    start: usize,
    words: &HashSet<&str>,
    allowed: usize,
) -> Option<Alignment> {
    const NEVER: usize = usize::MAX / 4;
    let lead = search.iter().position(|line| !line.idle)?;
    let trail = search.iter().rposition(|line| !line.idle)?;
    let core = search.get(lead..=trail)?;
    let window = file.get(start..(start + core.len() + SLACK + core.len() / 4).min(file.len()))?;
    let (rows, columns) = (core.len(), window.len());
    // cost[i][j]: the first i lines of the search against the first j of the window.
    let mut cost = vec![vec![NEVER; columns + 1]; rows + 1];
    let mut step = vec![vec![0_u8; columns + 1]; rows + 1];
    let get =
        |cost: &[Vec<usize>], i: usize, j: usize| cost.get(i).and_then(|row| row.get(j)).copied().unwrap_or(NEVER);
    if let Some(cell) = cost.first_mut().and_then(|row| row.first_mut()) {
        *cell = 0;
    }
    for i in 0..=rows {
        for j in 0..=columns {
            let mut best = (get(&cost, i, j), 0);
            if let (Some(wanted), Some(there)) =
                (i.checked_sub(1).and_then(|i| core.get(i)), j.checked_sub(1).and_then(|j| window.get(j)))
            {
                let pair = match alike(there, wanted, words) {
                    Alike::Same => Some(0),
                    Alike::Drifted => Some(1),
                    Alike::No => None,
                };
                if let Some(pair) = pair {
                    let total = get(&cost, i - 1, j - 1).saturating_add(pair);
                    if total < best.0 {
                        best = (total, 1);
                    }
                }
            }
            // Inside only: neither the first nor the last line of a place is left out. A line of code that only one side
            // has must not stand beside one that only the other has: together they would be any other line.
            let came = |i: usize, j: usize| step.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
            if let Some(there) = j.checked_sub(1).and_then(|j| window.get(j)).filter(|_| i > 0 && i < rows) {
                let extra = usize::from(!there.idle);
                let total = get(&cost, i, j - 1).saturating_add(extra);
                if total < best.0 && (extra == 0 || came(i, j - 1) != 4) {
                    best = (total, if extra == 0 { 2 } else { 5 });
                }
            }
            if let Some(wanted) = i.checked_sub(1).and_then(|i| core.get(i)).filter(|_| i > 1 && i < rows) {
                let extra = usize::from(!wanted.idle);
                let total = get(&cost, i - 1, j).saturating_add(extra);
                if total < best.0 && (extra == 0 || came(i - 1, j) != 5) {
                    best = (total, if extra == 0 { 3 } else { 4 });
                }
            }
            if let (Some([w1, w2]), Some([t1, t2])) = (
                i.checked_sub(2).and_then(|from| core.get(from..i)),
                j.checked_sub(2).and_then(|from| window.get(from..j)),
            ) {
                let crossed = !w1.idle && !w2.idle && w1.tokens == t2.tokens && w2.tokens == t1.tokens;
                let total = get(&cost, i - 2, j - 2).saturating_add(1);
                if crossed && total < best.0 {
                    best = (total, 6);
                }
            }
            if let (Some(cell), Some(way)) =
                (cost.get_mut(i).and_then(|row| row.get_mut(j)), step.get_mut(i).and_then(|row| row.get_mut(j)))
            {
                (*cell, *way) = best;
            }
        }
    }
    let (end, drift) = (1..=columns)
        .map(|j| (j, get(&cost, rows, j)))
        .min_by_key(|(j, total)| (*total, *j))
        .filter(|(_, total)| *total <= allowed)?;
    let mut at: Vec<Option<usize>> = vec![None; search.len()];
    let mut swapped = Vec::new();
    // Lines of code that only the file has, and that only the search has.
    let (mut new, mut missing) = (0, 0);
    // Lines that stand as they were said, and those of them that stand nowhere else.
    let (mut i, mut j, mut same, mut alone) = (rows, end, 0, 0);
    while i > 0 {
        match step.get(i).and_then(|row| row.get(j)).copied()? {
            1 => {
                (i, j) = (i - 1, j - 1);
                *at.get_mut(lead + i)? = Some(start + j);
                let (there, wanted) = (window.get(j)?, core.get(i)?);
                if !wanted.idle && alike(there, wanted, words) == Alike::Same {
                    same += 1;
                    alone += usize::from(file.iter().filter(|other| other.tokens == there.tokens).count() == 1);
                }
            }
            step @ (2 | 5) => {
                j -= 1;
                new += usize::from(step == 5);
            }
            step @ (3 | 4) => {
                i -= 1;
                missing += usize::from(step == 4);
            }
            6 => {
                (i, j) = (i - 2, j - 2);
                for offset in 0..2 {
                    *at.get_mut(lead + i + offset)? = Some(start + j + offset);
                    swapped.push(lead + i + offset);
                }
            }
            _ => return None,
        }
    }
    // Something must stand there as it was said.
    let code = core.iter().filter(|line| !line.idle).count();
    let enough = match drift {
        0 => same == code,
        // A line on each side that the other has not is a line that is another one.
        _ if new > 0 && missing > 0 => false,
        // What is missing or new says less than what is there: then much must be there that is nowhere else. Two functions
        // that are made alike share most of their lines.
        _ if new + missing > 0 => same >= 5 && alone >= 3,
        _ if !swapped.is_empty() => same + 2 * swapped.len() >= code && alone >= 1,
        _ => same >= 2.max(code * 3 / 5),
    };
    if j != 0 || !enough {
        return None;
    }
    idle_edges(file, search, (lead, trail), start, start + end, &mut at);
    let first = at.iter().flatten().min().copied()?;
    let last = at.iter().flatten().max().copied()?;
    Some(Alignment { lines: first..last + 1, at, swapped, drift })
}

/// Comments and blank lines before the first and after the last line of code, as far as they stand there too.
fn idle_edges(
    file: &[Line<'_>],
    search: &[Line<'_>],
    (lead, trail): (usize, usize),
    start: usize,
    end: usize,
    at: &mut [Option<usize>],
) {
    let belongs = |there: &Line<'_>, wanted: &Line<'_>| {
        there.idle && there.text.trim().is_empty() == wanted.text.trim().is_empty()
    };
    let mut up = start;
    for number in (0..lead).rev() {
        let (Some(wanted), Some(there)) = (search.get(number), up.checked_sub(1).and_then(|at| file.get(at))) else {
            break;
        };
        if !belongs(there, wanted) {
            continue;
        }
        up -= 1;
        if let Some(place) = at.get_mut(number) {
            *place = Some(up);
        }
    }
    let mut down = end;
    for number in trail + 1..search.len() {
        let (Some(wanted), Some(there)) = (search.get(number), file.get(down)) else { break };
        if !belongs(there, wanted) {
            continue;
        }
        if let Some(place) = at.get_mut(number) {
            *place = Some(down);
        }
        down += 1;
    }
}

fn read(text: &str) -> Line<'_> {
    let tokens = tokens(text);
    Line { text, idle: tokens.is_empty(), tokens }
}

/// The words and signs of a line, its comment left out. A line inside of a block comment looks like code, and is
/// compared as such.
fn tokens(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        if byte == b'/' && bytes.get(at + 1) == Some(&b'/') {
            break;
        }
        let end = match byte {
            b'"' => {
                let mut end = at + 1;
                while let Some(next) = bytes.get(end) {
                    match next {
                        b'\\' => end += 2,
                        b'"' => break,
                        _ => end += 1,
                    }
                }
                (end + 1).min(bytes.len())
            }
            _ if is_word(byte) => at + bytes.iter().skip(at).take_while(|byte| is_word(**byte)).count(),
            _ if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => at + 1,
        };
        match line.get(at..end) {
            Some(token) => found.push(token),
            // An escape at the end of the line ends in the middle of a character.
            None => {
                found.extend(line.get(at..));
                break;
            }
        }
        at = end;
    }
    // A comma or semicolon at the end of a line comes and goes with its neighbours.
    if found.last().is_some_and(|last| matches!(*last, "," | ";")) && found.len() > 1 {
        found.pop();
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn alike(there: &Line<'_>, wanted: &Line<'_>, words: &HashSet<&str>) -> Alike {
    if there.idle || wanted.idle {
        let blank = |line: &Line<'_>| line.text.trim().is_empty();
        return if there.idle && wanted.idle && blank(there) == blank(wanted) { Alike::Same } else { Alike::No };
    }
    if there.tokens == wanted.tokens {
        return Alike::Same;
    }
    // A word or two say too little to be told from others; a long text alone in its line does not.
    let says_enough =
        there.tokens.len() >= 3 || there.tokens.iter().any(|token| token.starts_with('"') && token.len() > 16);
    if there.tokens.len() != wanted.tokens.len() || !says_enough {
        return Alike::No;
    }
    let mut slips = 0;
    for (one, other) in there.tokens.iter().zip(&wanted.tokens) {
        if one == other {
            continue;
        }
        if !is_slip(one, other, words) {
            return Alike::No;
        }
        slips += 1;
    }
    if slips <= 2 { Alike::Drifted } else { Alike::No }
}

/// Whether a token of the search is one of the file with a slip of the pen in it. A word that the file knows, or that
/// differs in a number, was meant.
fn is_slip(there: &str, wanted: &str, words: &HashSet<&str>) -> bool {
    let is_text = there.starts_with('"') && wanted.starts_with('"');
    if !is_text && (words.contains(wanted) || !wanted.bytes().all(is_word)) {
        return false;
    }
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<u8>>();
    if digits(there) != digits(wanted) {
        return false;
    }
    let length = there.chars().count().max(wanted.chars().count());
    length >= 4 && distance(there, wanted) <= (length / 4).clamp(1, 2)
}

/// How many letters differ, counted up to three: insertions, deletions, changes, and two that changed places.
fn distance(one: &str, other: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if a.len().abs_diff(b.len()) > 2 || a.len() > 200 {
        return 3;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&last, j) + usize::from(from != to)).min(at(&last, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(0)
}

/// How many tokens differ at their places; many when there are not as many.
fn distance_of_tokens(one: &[&str], other: &[&str]) -> usize {
    if one.len() != other.len() {
        return usize::MAX;
    }
    one.iter().zip(other).filter(|(one, other)| one != other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, search: &str) -> Option<Range<usize>> {
        let file: Vec<&str> = file.lines().collect();
        let search: Vec<&str> = search.lines().collect();
        find_once(&file, &search).expect("not ambiguous").map(|one| one.lines)
    }

    const FILE: &str = "fn a() {\n    // The total.\n    let total = sum(numbers);\n\n    let count = numbers.len();\n    total / count\n}\n\nfn b() {\n    one();\n}\n";

    #[test]
    fn a_place_is_found_in_spite_of_small_differences() {
        for (search, lines) in [
            ("let total=sum( numbers );\nlet count = numbers.len();\n", 2..5),
            ("let total = sum(numbers);\nlet count = numbers.len();\ntotal / count\n", 2..6),
            ("// The sum of all.\nlet total = sum(numbers);\n", 1..3),
            ("let totla = sum(numbers);\nlet count = numbers.len();\ntotal / count\n", 2..6),
            ("let total = sum(numbers)\n\n\nlet count = numbers.len(),\n", 2..5),
        ] {
            assert_eq!(found(FILE, search), Some(lines), "{search}");
        }
    }

    #[test]
    fn another_name_number_or_sign_is_another_place() {
        for search in [
            "let count = sum(numbers);\nlet count = numbers.len();\ntotal / count\n",
            "let total = sum(numbers);\nlet count = numbers.len();\ntotal * count\n",
            "fn c() {\n    two();\n}\n",
            "let total2 = sum(numbers);\nlet count = numbers.len();\ntotal / count\n",
            "total\n",
        ] {
            assert_eq!(found(FILE, search), None, "{search}");
        }
        assert_eq!(found("fn x(a: f64) -> f64 {\n    a\n}\n", "fn x(a: f32) -> f32 {\n    a\n}\n"), None);
    }

    #[test]
    fn two_such_places_are_ambiguous_and_the_better_one_wins() {
        let twice = "let a = f(x);\nlet b = g(y);\n---\nlet a = f(x);\nlet b = g(y);\n";
        let lines: Vec<&str> = twice.lines().collect();
        assert!(find_once(&lines, &["let a=f(x);", "let b=g(y);"]).is_err());
        let better = "let abcd = f(x);\nlet b = g(y);\nh();\n---\nlet abcde = f(x);\nlet b = g(y);\nh();\n";
        assert_eq!(found(better, "let abcd=f(x);\nlet b=g(y);\nh( );\n"), Some(0..3));
    }

    #[test]
    fn two_that_overlap_are_two() {
        assert!(find_once(&["v.push(0);", "v.push(0);", "v.push(0);"], &["v.push( 0 );", "v.push( 0 );"]).is_err());
    }

    #[test]
    fn letters_that_changed_places_are_one_slip() {
        assert_eq!((distance("total", "totla"), distance("abc", "abc"), distance("ab", "ba")), (1, 0, 1));
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
