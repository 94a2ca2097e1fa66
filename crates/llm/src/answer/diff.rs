//! Unified diffs as models write them: line numbers are guesses and counts are wrong, so neither is believed. Each hunk
//! becomes a search for its old lines and what replaces them; where it fits is found out from the file.

use kaizen_domain::RelPath;

use super::edits::FlatEdit;
use super::error::AnswerError;

/// Reads the files of a diff. `number` is the number of the first edit, for errors.
pub(super) fn read(text: &str, number: usize) -> Result<Vec<FlatEdit>, AnswerError> {
    let lines: Vec<&str> = text.lines().collect();
    let mut reader = Reader { lines: &lines, at: 0, number, edits: Vec::new() };
    while let Some(line) = reader.peek() {
        if line.starts_with("--- ") && reader.lines.get(reader.at + 1).is_some_and(|next| next.starts_with("+++ ")) {
            reader.file()?;
        } else if line.starts_with("@@") {
            return Err(reader.bad("a hunk stands before the `---` and `+++` lines that name its file"));
        } else {
            // `diff --git`, `index`, modes and words in between.
            reader.at += 1;
        }
    }
    if reader.edits.is_empty() {
        return Err(reader.bad("the diff has no file: begin each with `--- a/path` and `+++ b/path`"));
    }
    Ok(reader.edits)
}

struct Reader<'t> {
    lines: &'t [&'t str],
    at: usize,
    number: usize,
    edits: Vec<FlatEdit>,
}

/// One side of a hunk, and whether its last line has no line end.
#[derive(Default)]
struct Side {
    text: String,
    unended: bool,
}

impl Side {
    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.unended = false;
    }

    fn ended(mut self) -> String {
        if self.unended {
            self.text.pop();
        }
        self.text
    }
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<&'t str> {
        self.lines.get(self.at).copied()
    }

    fn bad(&self, why: &str) -> AnswerError {
        AnswerError::BadEdit { number: self.number + self.edits.len(), why: why.to_owned() }
    }

    fn file(&mut self) -> Result<(), AnswerError> {
        let before = self.name("--- ");
        let after = self.name("+++ ");
        let path = after.clone().or_else(|| before.clone());
        let Some(path) = path else { return Err(self.bad("both sides of the diff are /dev/null")) };
        if before.is_some() && after.is_some() && before != after {
            return Err(self.bad("a file cannot be renamed: delete it and write the new one"));
        }
        let mut hunks = Vec::new();
        while self.peek().is_some_and(|line| line.starts_with("@@")) {
            self.at += 1;
            hunks.push(self.hunk());
        }
        let edit = |word: &str| FlatEdit { edit: word.to_owned(), path: Some(path.clone()), ..FlatEdit::default() };
        match (before, after) {
            (Some(_), None) => self.edits.push(edit("delete")),
            (None, Some(_)) => {
                let content = hunks.into_iter().map(|(_, new)| new).collect();
                self.edits.push(FlatEdit { content: Some(content), ..edit("whole_file") });
            }
            _ if hunks.is_empty() => return Err(self.bad("the file has no hunk: begin each with `@@`")),
            _ => {
                for (old, new) in hunks {
                    if old.trim().is_empty() {
                        let why = "a hunk has no line of the file in it: give some lines before or after the new ones";
                        return Err(self.bad(why));
                    }
                    if old != new {
                        self.edits.push(FlatEdit { search: Some(old), replace: Some(new), ..edit("replace") });
                    }
                }
            }
        }
        Ok(())
    }

    /// The path of a `---` or `+++` line; none for `/dev/null`.
    fn name(&mut self, mark: &str) -> Option<String> {
        let line = self.peek().unwrap_or_default();
        self.at += 1;
        // A time may follow after a tab.
        let name = line.strip_prefix(mark).unwrap_or_default().split('\t').next().unwrap_or_default().trim();
        let name = name.trim_matches('"');
        if name == "/dev/null" {
            return None;
        }
        let bare = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/")).unwrap_or(name);
        Some(if RelPath::new(bare).is_ok() { bare.to_owned() } else { name.to_owned() })
    }

    /// The lines of a hunk, old and new, after its header. A blank line that has lost its leading space is context.
    fn hunk(&mut self) -> (String, String) {
        let (mut old, mut new) = (Side::default(), Side::default());
        let mut last = None;
        while let Some(line) = self.peek() {
            let next_file =
                line.starts_with("--- ") && self.lines.get(self.at + 1).is_some_and(|next| next.starts_with("+++ "));
            if next_file || line.starts_with("@@") || line.starts_with("diff --git ") {
                break;
            }
            let mark = line.chars().next();
            let rest = mark.and_then(|mark| line.get(mark.len_utf8()..)).unwrap_or_default();
            match mark {
                Some('-') => old.push(rest),
                Some('+') => new.push(rest),
                Some(' ') => {
                    old.push(rest);
                    new.push(rest);
                }
                None => {
                    // Blank lines at the end belong to the answer and not to the hunk.
                    let more = self.lines.iter().skip(self.at).find(|line| !line.trim().is_empty());
                    if !more.is_some_and(|line| line.starts_with([' ', '-', '+']) && !line.starts_with("--- ")) {
                        break;
                    }
                    old.push("");
                    new.push("");
                }
                Some('\\') => {
                    old.unended |= last != Some('+');
                    new.unended |= last != Some('-');
                }
                // A line of the file that has lost its space, as those without indentation often have.
                Some(_) => {
                    old.push(line);
                    new.push(line);
                }
            }
            last = mark;
            self.at += 1;
        }
        (old.ended(), new.ended())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(text: &str) -> Vec<FlatEdit> {
        read(text, 1).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn each_hunk_becomes_a_search_whatever_its_numbers_say() {
        let text = "diff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n\
                    @@ -900,1 +1,77 @@ fn f\n a\n-b\n+c\n\n d\n@@ ... @@\n-e\n+f\n\\ No newline at end of file\n\nThat is all.\n";
        let edits = edits(text);
        let [one, two] = edits.as_slice() else { panic!("{edits:?}") };
        assert_eq!((one.search.as_deref(), one.replace.as_deref()), (Some("a\nb\n\nd\n"), Some("a\nc\n\nd\n")));
        assert_eq!((two.search.as_deref(), two.replace.as_deref()), (Some("e\n"), Some("f")));
        assert_eq!(one.path.as_deref(), Some("src/a.rs"));
    }

    #[test]
    fn a_line_that_has_lost_its_space_ends_no_hunk() {
        let edits = edits("--- a/a.rs\n+++ b/a.rs\n@@ @@\n-use a;\n+use b;\nfn main() {\n-    a();\n+    b();\n}\n");
        assert_eq!(edits.len(), 1);
        assert_eq!(edits[0].search.as_deref(), Some("use a;\nfn main() {\n    a();\n}\n"));
    }

    #[test]
    fn files_come_and_go() {
        let text = "--- /dev/null\n+++ b/src/new.rs\n@@ -0,0 +1,2 @@\n+a\n+b\n--- a/src/old.rs\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n";
        let edits = edits(text);
        assert_eq!(edits[0].content.as_deref(), Some("a\nb\n"));
        assert_eq!((edits[1].edit.as_str(), edits[1].path.as_deref()), ("delete", Some("src/old.rs")));
    }

    #[test]
    fn what_cannot_be_placed_is_refused_with_what_to_do() {
        for (text, wanted) in [
            ("@@ -1 +1 @@\n-a\n+b\n", "that name its file"),
            ("nothing", "has no file"),
            ("--- a/x.rs\n+++ b/x.rs\n", "has no hunk"),
            ("--- a/x.rs\n+++ b/x.rs\n@@ -1,0 +1 @@\n+new\n", "lines before or after"),
            ("--- a/x.rs\n+++ b/y.rs\n@@ -1 +1 @@\n-a\n+b\n", "cannot be renamed"),
            ("--- /dev/null\n+++ /dev/null\n", "both sides"),
        ] {
            let error = read(text, 1).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
