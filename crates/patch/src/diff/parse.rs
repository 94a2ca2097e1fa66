//! Finds the files and hunks of a diff in a text that may also hold prose and code fences.
//!
//! A hunk is read by its counts to the last line; one that ends early or goes on after them is an error, so that a
//! truncated answer is never applied in part.

use crate::error::ApplyError;
use crate::shown::shown;

use super::header::FileDiff;
use super::hunk::{Hunk, HunkLine, Mark, counts};

/// The files of a diff, in order.
pub(super) fn parse(text: &str) -> Result<Vec<FileDiff>, ApplyError> {
    let mut reader = Reader { lines: text.split('\n').collect(), at: 0 };
    // What `split` yields behind the last line feed is no line.
    if reader.lines.last() == Some(&"") {
        reader.lines.pop();
    }
    let mut files = Vec::new();
    while let Some(line) = reader.peek() {
        if line.starts_with("diff --git ") {
            files.push(reader.git_file()?);
        } else if line.starts_with("diff --cc ") || line.starts_with("diff --combined ") {
            return Err(reader.error("this is a combined diff of a merge; give a diff against one base"));
        } else if reader.is_file_header() {
            let mut file = FileDiff { at: reader.at + 1, ..FileDiff::default() };
            reader.names(&mut file)?;
            reader.hunks(&mut file)?;
            files.push(file);
        } else if counts(line).is_some() {
            return Err(reader.error("a hunk without a file: `--- a/path` and `+++ b/path` must stand before it"));
        } else {
            reader.at += 1;
        }
    }
    if files.is_empty() {
        let why =
            "no diff was found: it needs `--- a/path`, `+++ b/path` and a hunk that begins with `@@ -1,2 +1,3 @@`";
        return Err(ApplyError::Diff { line: 1, why: why.to_owned() });
    }
    Ok(files)
}

struct Reader<'t> {
    /// Without line feeds.
    lines: Vec<&'t str>,
    at: usize,
}

impl<'t> Reader<'t> {
    /// A line as headers are read: without the carriage return that a transport may have added.
    fn line(&self, at: usize) -> Option<&'t str> {
        self.lines.get(at).map(|line| line.strip_suffix('\r').unwrap_or(line))
    }

    fn peek(&self) -> Option<&'t str> {
        self.line(self.at)
    }

    fn error(&self, why: &str) -> ApplyError {
        ApplyError::Diff { line: self.at + 1, why: why.to_owned() }
    }

    fn is_file_header(&self) -> bool {
        let starts = |offset: usize, prefix: &str| {
            self.line(self.at + offset)
                .and_then(|line| line.strip_prefix(prefix))
                .is_some_and(|name| !name.trim().is_empty())
        };
        starts(0, "--- ") && starts(1, "+++ ")
    }

    fn git_file(&mut self) -> Result<FileDiff, ApplyError> {
        let mut file = FileDiff::of_git_line(self.peek().unwrap_or(""), self.at + 1);
        self.at += 1;
        while let Some(line) = self.peek() {
            if line.starts_with("--- ") {
                self.names(&mut file)?;
                break;
            }
            if !file.take(line, self.at + 1)? {
                break;
            }
            self.at += 1;
        }
        if file.old.is_some() {
            self.hunks(&mut file)?;
        }
        let whole = !file.hunks.is_empty()
            || ((file.created || file.deleted) && file.empty)
            || (file.identical && (file.renamed.1.is_some() || file.copied.1.is_some()));
        if whole {
            Ok(file)
        } else {
            Err(self.error(&format!("{}: its hunks are missing; the diff is cut off here", file.label())))
        }
    }

    fn names(&mut self, file: &mut FileDiff) -> Result<(), ApplyError> {
        let name = |line: Option<&str>, prefix: &str| {
            line.and_then(|line| line.strip_prefix(prefix)).and_then(super::name::name_in)
        };
        let (old, new) = (name(self.peek(), "--- "), name(self.line(self.at + 1), "+++ "));
        if old.is_none() || new.is_none() {
            return Err(self.error("a `---` line with a name must be followed by a `+++` line with a name; the diff is cut off or a name cannot be read"));
        }
        (file.old, file.new) = (old, new);
        self.at += 2;
        Ok(())
    }

    fn hunks(&mut self, file: &mut FileDiff) -> Result<(), ApplyError> {
        while self.peek().is_some_and(|line| line.starts_with("@@ ")) {
            let hunk = self.hunk()?;
            file.hunks.push(hunk);
        }
        if file.hunks.is_empty() {
            return Err(match self.peek() {
                Some(line) if line.starts_with("Binary ") || line.starts_with("GIT binary") => {
                    ApplyError::Unsupported {
                        line: self.at + 1,
                        path: file.label(),
                        why: "is a binary patch; only text can be patched".to_owned(),
                    }
                }
                _ => {
                    self.error(&format!("{}: a hunk that begins with `@@ -1,2 +1,3 @@` must follow here", file.label()))
                }
            });
        }
        Ok(())
    }

    fn hunk(&mut self) -> Result<Hunk, ApplyError> {
        let header = self.peek().unwrap_or("");
        let Some(counts) = counts(header) else {
            return Err(self
                .error(&format!("`{}` is not a hunk header; it must look like `@@ -1,2 +1,3 @@`", shown(header, 80))));
        };
        // A transport that ends every line with a carriage return ends this one so, too.
        let carried = self.lines.get(self.at).is_some_and(|line| line.ends_with('\r'));
        let mut hunk = Hunk { at: self.at + 1, header: shown(header, 80), start: counts.start, lines: Vec::new() };
        self.at += 1;
        let (mut old, mut new) = (counts.old, counts.new);
        while old > 0 || new > 0 {
            let Some(line) = self
                .lines
                .get(self.at)
                .map(|line| if carried { line.strip_suffix('\r').unwrap_or(line) } else { line })
            else {
                return Err(self.cut(&hunk, old, new));
            };
            let (mark, text) = match line.chars().next() {
                Some(' ') => (Mark::Context, line.get(1..)),
                Some('-') => (Mark::Removed, line.get(1..)),
                Some('+') => (Mark::Added, line.get(1..)),
                // Some tools take the space of an empty context line away.
                None => (Mark::Context, Some("")),
                Some('\r') if line == "\r" => (Mark::Context, Some("\r")),
                Some('\\') if !hunk.lines.is_empty() => {
                    unend(&mut hunk);
                    self.at += 1;
                    continue;
                }
                _ => return Err(self.cut(&hunk, old, new)),
            };
            let (uses_old, uses_new) = (mark != Mark::Added, mark != Mark::Removed);
            let left = (old.checked_sub(uses_old.into()), new.checked_sub(uses_new.into()));
            let (Some(old_left), Some(new_left)) = left else { return Err(self.cut(&hunk, old, new)) };
            (old, new) = (old_left, new_left);
            hunk.lines.push(HunkLine { mark, text: format!("{}\n", text.unwrap_or("")) });
            self.at += 1;
        }
        if self.peek().is_some_and(|line| line.starts_with('\\')) {
            unend(&mut hunk);
            self.at += 1;
        }
        self.ends_here(&hunk)?;
        Ok(hunk)
    }

    fn cut(&self, hunk: &Hunk, old: usize, new: usize) -> ApplyError {
        self.error(&format!(
            "the hunk that begins at diff line {} (`{}`) does not have as many lines as it says: {old} old and {new} new \
             lines are missing here; the diff is cut off, or its counts are wrong",
            hunk.at, hunk.header
        ))
    }

    /// A hunk line behind the counted ones means that the counts are wrong.
    fn ends_here(&self, hunk: &Hunk) -> Result<(), ApplyError> {
        let Some(line) = self.peek() else { return Ok(()) };
        let signature = matches!(line.trim_end(), "--" | "-");
        let goes_on =
            line.starts_with(['+', '-', ' ']) && !line.trim().is_empty() && !signature && !self.is_file_header();
        if !goes_on {
            return Ok(());
        }
        Err(self.error(&format!(
            "the hunk that begins at diff line {} (`{}`) goes on after the lines it says it has; correct its counts",
            hunk.at, hunk.header
        )))
    }
}

/// `\ No newline at end of file`: the line before has no line end.
fn unend(hunk: &mut Hunk) {
    if let Some(line) = hunk.lines.last_mut() {
        line.text.pop();
    }
}
