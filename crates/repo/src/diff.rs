//! Changes as people and prompts read them: a unified diff, and lines added and removed per file. Attributes and
//! configuration have no say, so a repository cannot hide a file's change from a reviewer by calling it binary.

use std::fmt::Write;

use git2::{DiffLineType, DiffOptions, Patch};
use kaizen_domain::edit::{Change, FileState};
use kaizen_domain::names::CommitId;
use kaizen_domain::patch::{FileChange, FileChangeKind};

use crate::error::RepoError;
use crate::repo::Repo;
use crate::walk::mode_of;

/// The largest side of a file that is compared line by line, bytes; a larger one is shown as binary.
const MAX_COMPARED: usize = 16 << 20;

impl Repo {
    /// The difference between two commits as a unified git diff; what is not UTF-8 is replaced.
    ///
    /// # Errors
    /// As [`Repo::changes`].
    pub fn diff_text(&self, from: &CommitId, to: &CommitId) -> Result<String, RepoError> {
        let mut text = String::new();
        for change in self.changes(from, to)? {
            render(&change, &mut text)?;
        }
        Ok(text)
    }

    /// What differs between two commits, in lines per file; a binary file counts none.
    ///
    /// # Errors
    /// As [`Repo::changes`].
    pub fn stat(&self, from: &CommitId, to: &CommitId) -> Result<Vec<FileChange>, RepoError> {
        self.changes(from, to)?.into_iter().map(count).collect()
    }
}

fn count(change: Change) -> Result<FileChange, RepoError> {
    let kind = match (&change.before, &change.after) {
        (None, _) => FileChangeKind::Added,
        (_, None) => FileChangeKind::Removed,
        _ => FileChangeKind::Modified,
    };
    let (added, removed) = match compared(&change)? {
        Some(patch) => {
            let (_, added, removed) = patch.line_stats().map_err(RepoError::git("count the lines of a diff"))?;
            (u32::try_from(added).unwrap_or(u32::MAX), u32::try_from(removed).unwrap_or(u32::MAX))
        }
        None => (0, 0),
    };
    Ok(FileChange { path: change.path, kind, added, removed })
}

/// The two sides compared; `None` when they are equal, or one is binary or very large.
fn compared(change: &Change) -> Result<Option<Patch<'_>>, RepoError> {
    let (old, new) = (bytes_of(change.before.as_ref()), bytes_of(change.after.as_ref()));
    if old == new || is_binary(old) || is_binary(new) {
        return Ok(None);
    }
    let mut options = DiffOptions::new();
    options.force_text(true).context_lines(3);
    Patch::from_buffers(old, None, new, None, Some(&mut options))
        .map(Some)
        .map_err(RepoError::git(format!("compare the two sides of {}", change.path)))
}

fn bytes_of(state: Option<&FileState>) -> &[u8] {
    state.map_or(&[], |state| &state.bytes)
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.len() > MAX_COMPARED || bytes.iter().take(8000).any(|byte| *byte == 0)
}

fn render(change: &Change, out: &mut String) -> Result<(), RepoError> {
    let (old_name, new_name) = (quoted("a", change.path.as_str()), quoted("b", change.path.as_str()));
    let mode = |state: &FileState| mode_of(state.mode);
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("diff --git {old_name} {new_name}"));
    match (&change.before, &change.after) {
        (None, Some(after)) => line(format!("new file mode {:o}", mode(after))),
        (Some(before), None) => line(format!("deleted file mode {:o}", mode(before))),
        (Some(before), Some(after)) if before.mode != after.mode => {
            line(format!("old mode {:o}", mode(before)));
            line(format!("new mode {:o}", mode(after)));
        }
        _ => {}
    }
    let (old, new) = (bytes_of(change.before.as_ref()), bytes_of(change.after.as_ref()));
    if old == new {
        return Ok(());
    }
    let (old_shown, new_shown) = (
        if change.before.is_some() { old_name } else { "/dev/null".to_owned() },
        if change.after.is_some() { new_name } else { "/dev/null".to_owned() },
    );
    let Some(patch) = compared(change)? else {
        line(format!("Binary files {old_shown} and {new_shown} differ"));
        return Ok(());
    };
    line(format!("--- {old_shown}"));
    line(format!("+++ {new_shown}"));
    hunks(&patch, out).map_err(RepoError::git(format!("show the diff of {}", change.path)))
}

fn hunks(patch: &Patch<'_>, out: &mut String) -> Result<(), git2::Error> {
    for at in 0..patch.num_hunks() {
        let (hunk, lines) = patch.hunk(at)?;
        out.push_str(&format!(
            "@@ -{} +{} @@\n",
            range(hunk.old_start(), hunk.old_lines()),
            range(hunk.new_start(), hunk.new_lines())
        ));
        for number in 0..lines {
            let line = patch.line_in_hunk(at, number)?;
            let sign = match line.origin_value() {
                DiffLineType::Addition => '+',
                DiffLineType::Deletion => '-',
                DiffLineType::Context => ' ',
                DiffLineType::ContextEOFNL | DiffLineType::AddEOFNL | DiffLineType::DeleteEOFNL => {
                    out.push_str("\\ No newline at end of file\n");
                    continue;
                }
                DiffLineType::FileHeader | DiffLineType::HunkHeader | DiffLineType::Binary => continue,
            };
            out.push(sign);
            let content = line.content();
            out.push_str(&String::from_utf8_lossy(content.strip_suffix(b"\n").unwrap_or(content)));
            out.push('\n');
        }
    }
    Ok(())
}

fn range(start: u32, lines: u32) -> String {
    if lines == 1 { start.to_string() } else { format!("{start},{lines}") }
}

/// A path as a diff names it: in quotation marks when it holds one, as git does it.
fn quoted(side: &str, path: &str) -> String {
    if !path.contains('"') {
        return format!("{side}/{path}");
    }
    let mut text = String::from("\"");
    let _ = write!(text, "{side}/{}", path.replace('"', "\\\""));
    text.push('"');
    text
}
