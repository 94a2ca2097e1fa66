//! Hunks: read by their counts, placed by their context, applied to lines.

use crate::lines::lines;
use crate::shown::numbered;

/// One line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Context,
    Removed,
    Added,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HunkLine {
    pub(super) mark: Mark,
    /// The text with its line end, unless the diff says that it has none.
    pub(super) text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    /// The line of the diff, counted from 1.
    pub(super) at: usize,
    pub(super) header: String,
    /// The first line of the old file that it covers, counted from 1; 0 when it covers none.
    pub(super) start: usize,
    pub(super) lines: Vec<HunkLine>,
}

/// The numbers in a hunk's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) start: usize,
    pub(super) old: usize,
    pub(super) new: usize,
}

/// Reads `@@ -1,2 +3,4 @@`; `None` when it is none.
pub(super) fn counts(line: &str) -> Option<Counts> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let range = |text: &str| match text.split_once(',') {
        Some((start, count)) => Some((start.parse::<usize>().ok()?, count.parse::<usize>().ok()?)),
        None => Some((text.parse::<usize>().ok()?, 1)),
    };
    let ((start, old), (_, new)) = (range(old)?, range(new)?);
    Some(Counts { start, old, new })
}

/// How lines are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Exact,
    /// Line ends do not matter.
    AnyEnd,
}

/// Comparisons of lines that one hunk may cost.
const WORK: usize = 20_000_000;

/// Applies hunks in order to a text. An error carries the hunk and why it does not fit.
pub(super) fn apply<'h>(text: &str, hunks: &'h [Hunk]) -> Result<String, (&'h Hunk, String)> {
    let file = lines(text);
    let mut out = String::with_capacity(text.len());
    let (mut done, mut moved) = (0usize, 0isize);
    for hunk in hunks {
        let (at, how) = place(&file, hunk, done, moved).map_err(|why| (hunk, why))?;
        moved = at as isize - expected(hunk, 0) as isize;
        out.extend(file.iter().take(at).skip(done).copied());
        done = at + old_len(hunk);
        write(&file, hunk, at, how, crate::lines::line_end(text), &mut out);
        if done < file.len() && !out.is_empty() && !out.ends_with('\n') {
            return Err((hunk, "says that a line has no line end, but lines follow it".to_owned()));
        }
    }
    out.extend(file.iter().skip(done).copied());
    Ok(out)
}

fn old_lines(hunk: &Hunk) -> impl Iterator<Item = &HunkLine> {
    hunk.lines.iter().filter(|line| line.mark != Mark::Added)
}

fn old_len(hunk: &Hunk) -> usize {
    old_lines(hunk).count()
}

/// The index of the line where the hunk says it begins, shifted by how far the one before was off.
fn expected(hunk: &Hunk, moved: isize) -> usize {
    hunk.start.saturating_sub(1).saturating_add_signed(moved)
}

fn place(file: &[&str], hunk: &Hunk, done: usize, moved: isize) -> Result<(usize, Match), String> {
    let old: Vec<&str> = old_lines(hunk).map(|line| line.text.as_str()).collect();
    if old.is_empty() {
        return if file.is_empty() {
            Ok((0, Match::Exact))
        } else {
            Err("has no context lines, so its place cannot be checked; give it some".to_owned())
        };
    }
    let last = file.len().checked_sub(old.len()).filter(|last| *last >= done);
    let Some(last) = last else {
        return Err(format!("needs {} lines of the file, but only {} are left there", old.len(), file.len() - done));
    };
    for how in [Match::Exact, Match::AnyEnd] {
        let fits = |at: usize| old.iter().zip(file.iter().skip(at)).all(|(old, line)| same(old, line, how));
        let stated = expected(hunk, moved);
        if (done..=last).contains(&stated) && fits(stated) {
            return Ok((stated, how));
        }
        if old.len().saturating_mul(last - done + 1) > WORK {
            return Err("is not where it says, and the file is too large to look for it elsewhere".to_owned());
        }
        let found: Vec<usize> = (done..=last).filter(|at| fits(*at)).take(8).collect();
        match found.as_slice() {
            [] => {}
            [at] => return Ok((*at, how)),
            _ => {
                let places: Vec<String> = found.iter().map(|at| (at + 1).to_string()).collect();
                return Err(format!(
                    "is not where it says, and its old lines stand in several places, at lines {}; \
                     correct the line number or add context",
                    places.join(", ")
                ));
            }
        }
    }
    Err(nowhere(file, &old, expected(hunk, moved)))
}

fn nowhere(file: &[&str], old: &[&str], stated: usize) -> String {
    let there = file.iter().enumerate().skip(stated.min(file.len().saturating_sub(1))).take(old.len().min(12));
    let there = numbered(there.map(|(at, line)| (at + 1, *line)));
    let nearest = crate::search::nearest(&file.concat(), &old.concat());
    format!(
        "does not fit: its context and removed lines stand nowhere in the file. At the stated line it has:{there}\nlooked for by content{nearest}"
    )
}

fn same(old: &str, line: &str, how: Match) -> bool {
    match how {
        Match::Exact => old == line,
        Match::AnyEnd => old.trim_end_matches(['\r', '\n']) == line.trim_end_matches(['\r', '\n']),
    }
}

/// Writes what stands in place of the hunk's old lines. Context keeps the file's own bytes.
fn write(file: &[&str], hunk: &Hunk, at: usize, how: Match, end: &str, out: &mut String) {
    let mut here = at;
    for line in &hunk.lines {
        match line.mark {
            Mark::Removed => {
                here += 1;
                continue;
            }
            _ if how == Match::AnyEnd && !out.is_empty() && !out.ends_with('\n') => out.push_str(end),
            _ => {}
        }
        match (line.mark, how) {
            (Mark::Context, _) => {
                out.push_str(file.get(here).copied().unwrap_or(""));
                here += 1;
            }
            (_, Match::Exact) => out.push_str(&line.text),
            (_, Match::AnyEnd) => {
                out.push_str(line.text.trim_end_matches(['\r', '\n']));
                if line.text.ends_with('\n') {
                    out.push_str(end);
                }
            }
        }
    }
    let unended = file.last().is_some_and(|line| !line.ends_with('\n'));
    if how == Match::AnyEnd && here == file.len() && unended && out.ends_with('\n') {
        let keep = out.strip_suffix(end).map_or(out.len() - 1, str::len);
        out.truncate(keep);
    }
}
