//! Writes changes as a diff in git's form, and counts their lines.

use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::patch::{FileChange, FileChangeKind};
use similar::{DiffOp, group_diff_ops};

use super::name::quoted;
use super::ops::{changed_lines, line_ops};
use crate::lines::byte_lines;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The changes as a unified diff in git's form, with three lines of context.
///
/// [`apply_diff`](crate::apply_diff) reads it back, except for files that are not UTF-8, of which it only says that
/// they differ, and for kinds of file that no patch may touch.
#[must_use]
pub fn render(changes: &[Change]) -> String {
    let mut out = String::new();
    for change in changes {
        file(change, &mut out);
    }
    out
}

/// What the changes do to each file.
#[must_use]
pub fn stat(changes: &[Change]) -> Vec<FileChange> {
    changes
        .iter()
        .map(|change| {
            let (added, removed) = changed_lines(bytes(change.before.as_ref()), bytes(change.after.as_ref()));
            let count = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
            let kind = match (&change.before, &change.after) {
                (None, _) => FileChangeKind::Added,
                (Some(_), None) => FileChangeKind::Removed,
                (Some(_), Some(_)) => FileChangeKind::Modified,
            };
            FileChange { path: change.path.clone(), kind, added: count(added), removed: count(removed) }
        })
        .collect()
}

fn bytes(state: Option<&FileState>) -> &[u8] {
    state.map_or(&[], |state| state.bytes.as_slice())
}

fn mode(state: &FileState) -> &'static str {
    match state.mode {
        FileMode::Regular => "100644",
        FileMode::Executable => "100755",
        FileMode::Symlink => "120000",
        FileMode::Submodule => "160000",
    }
}

fn file(change: &Change, out: &mut String) {
    let (old_name, new_name) = (quoted("a/", change.path.as_str()), quoted("b/", change.path.as_str()));
    let (old, new) = (bytes(change.before.as_ref()), bytes(change.after.as_ref()));
    out.push_str(&format!("diff --git {old_name} {new_name}\n"));
    match (&change.before, &change.after) {
        (None, Some(after)) => out.push_str(&format!("new file mode {}\n", mode(after))),
        (Some(before), None) => out.push_str(&format!("deleted file mode {}\n", mode(before))),
        (Some(before), Some(after)) if before.mode != after.mode => {
            out.push_str(&format!("old mode {}\nnew mode {}\n", mode(before), mode(after)));
        }
        _ => {}
    }
    if old == new {
        if old.is_empty() && change.before.is_none() != change.after.is_none() {
            let (from, to) = if change.before.is_none() { ("0000000", "e69de29") } else { ("e69de29", "0000000") };
            out.push_str(&format!("index {from}..{to}\n"));
        }
        return;
    }
    let old_name = if change.before.is_some() { old_name } else { "/dev/null".to_owned() };
    let new_name = if change.after.is_some() { new_name } else { "/dev/null".to_owned() };
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
        out.push_str(&format!("Binary files {old_name} and {new_name} differ\n"));
        return;
    };
    out.push_str(&format!("--- {old_name}\n+++ {new_name}\n"));
    hunks(old, new, out);
}

fn hunks(old: &str, new: &str, out: &mut String) {
    let ops = line_ops(&byte_lines(old.as_bytes()), &byte_lines(new.as_bytes()));
    let (old, new) = (crate::lines::lines(old), crate::lines::lines(new));
    for group in group_diff_ops(ops, CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let (old_range, new_range) =
            (first.old_range().start..last.old_range().end, first.new_range().start..last.new_range().end);
        out.push_str(&format!("@@ -{} +{} @@\n", range(&old_range), range(&new_range)));
        for op in &group {
            if let DiffOp::Equal { .. } = op {
                lines(' ', &old, op.old_range(), out);
            } else {
                lines('-', &old, op.old_range(), out);
                lines('+', &new, op.new_range(), out);
            }
        }
    }
}

fn range(lines: &std::ops::Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => (lines.start + 1).to_string(),
        count => format!("{},{count}", lines.start + 1),
    }
}

fn lines(mark: char, lines: &[&str], range: std::ops::Range<usize>, out: &mut String) {
    for line in lines.get(range).unwrap_or(&[]) {
        out.push(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}
