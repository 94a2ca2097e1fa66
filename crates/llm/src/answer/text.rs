//! The form of a patch for models that cannot be held to JSON: lines with a marker, search and replace blocks, and
//! fences with whole files, items or a diff. It must end with its own last line, so that a cut answer is seen to be cut.
//!
//! What models get wrong without leaving doubt is taken: marks with more or fewer signs, words around the answer, a
//! fence that is closed late or not at all before the next mark.

use kaizen_domain::{Edit, RelPath};

use super::edits::{FlatEdit, MAX_EDITS};
use super::error::AnswerError;
use super::patch::PatchAnswer;

/// The last line of every answer in this form.
pub(super) const END: &str = "END OF ANSWER";
const SEARCH: &str = "<<<<<<< SEARCH";
const MIDDLE: &str = "=======";
const REPLACE: &str = ">>>>>>> REPLACE";
/// What begins a part of the answer.
const MARKERS: [&str; 8] = ["TITLE:", "RATIONALE:", "GIVE UP:", "FILE:", "ITEM:", "DELETE:", "BENCHMARK:", "DIFF:"];

/// The mark of a block that a line is, also with more or fewer signs than there should be.
fn mark_of(line: &str) -> Option<&'static str> {
    let line = line.trim();
    let signs = |sign: char| line.len() - line.trim_start_matches(sign).len();
    let word = |sign: char| line.trim_start_matches(sign).trim();
    if (5..=9).contains(&signs('<')) && matches!(word('<'), "SEARCH" | "ORIGINAL") {
        Some(SEARCH)
    } else if (5..=9).contains(&signs('>')) && matches!(word('>'), "REPLACE" | "UPDATED") {
        Some(REPLACE)
    } else if (5..=9).contains(&signs('=')) && word('=').is_empty() {
        Some(MIDDLE)
    } else {
        None
    }
}

fn is_marker(line: &str) -> bool {
    MARKERS.iter().any(|marker| line.starts_with(marker))
}

/// Whether the text is in this form: a `TITLE:` line comes before anything that could be JSON.
pub(super) fn is_plain(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim_start)
        .find(|line| line.starts_with("TITLE:") || line.starts_with('{') || line.starts_with("```json"));
    first.is_some_and(|line| line.starts_with("TITLE:"))
}

/// Reads an answer in this form.
pub(super) fn parse(text: &str) -> Result<PatchAnswer, AnswerError> {
    let lines: Vec<&str> = text.lines().collect();
    // The whole answer may stand in a fence of its own, which is then closed after the last line.
    let last = lines.iter().enumerate().rfind(|(_, line)| !line.trim().is_empty() && !is_bare_fence(line.trim()));
    let Some((end, _)) = last.filter(|(_, line)| line.trim() == END) else {
        return Err(incomplete(&format!("the last line must be `{END}`")));
    };
    let mut reader = Reader { lines: lines.get(..end).unwrap_or_default(), at: 0, answer: empty(), path: None };
    while let Some(line) = reader.next() {
        reader.take(line)?;
        if reader.answer.edits.len() > MAX_EDITS {
            let (size, limit) = (format!("over {MAX_EDITS} edits"), format!("{MAX_EDITS} edits"));
            return Err(AnswerError::TooLarge { size, limit });
        }
    }
    Ok(reader.answer)
}

fn empty() -> PatchAnswer {
    PatchAnswer { title: String::new(), rationale: String::new(), edits: Vec::new(), benchmark: None, give_up: None }
}

fn incomplete(what: &str) -> AnswerError {
    AnswerError::Incomplete { what: what.to_owned() }
}

struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
    answer: PatchAnswer,
    /// The last line that may be the path of a block.
    path: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied()?;
        self.at += 1;
        Some(line)
    }

    fn take(&mut self, line: &'a str) -> Result<(), AnswerError> {
        let line = line.trim();
        if mark_of(line) == Some(SEARCH) {
            return self.block();
        }
        if let Some(title) = line.strip_prefix("TITLE:") {
            if !self.answer.title.is_empty() {
                return Err(AnswerError::Several);
            }
            title.trim().clone_into(&mut self.answer.title);
        } else if let Some(first) = line.strip_prefix("RATIONALE:") {
            self.answer.rationale = self.paragraph(first);
        } else if let Some(first) = line.strip_prefix("GIVE UP:") {
            self.answer.give_up = Some(self.paragraph(first));
        } else if let Some(path) = line.strip_prefix("FILE:") {
            let content = self.fence(line)?;
            self.push(FlatEdit { path: named(path), content: Some(content), ..kind("whole_file") })?;
        } else if let Some(item) = line.strip_prefix("ITEM:") {
            let content = self.fence(line)?;
            self.push(FlatEdit { item: named(item), content: Some(content), ..kind("item") })?;
        } else if let Some(path) = line.strip_prefix("DELETE:") {
            self.push(FlatEdit { path: named(path), ..kind("delete") })?;
        } else if line.starts_with("BENCHMARK:") {
            self.answer.benchmark = Some(self.fence(line)?);
        } else if line.starts_with("DIFF:") {
            let diff = self.fence(line)?;
            for edit in super::diff::read(&diff, self.answer.edits.len() + 1)? {
                self.push(edit)?;
            }
        } else if mark_of(line).is_some() {
            return Err(self.bad(format!("`{line}` without `{SEARCH}` before it")));
        } else if !line.is_empty() && !is_fence(line) {
            self.path = Some(line);
        }
        Ok(())
    }

    /// The rest of a marker's line and the lines after it, up to an empty line or the next marker.
    fn paragraph(&mut self, first: &str) -> String {
        let mut text = first.trim().to_owned();
        while let Some(line) = self.lines.get(self.at).map(|line| line.trim()) {
            if line.is_empty() || mark_of(line) == Some(SEARCH) || is_marker(line) {
                break;
            }
            // The line before a block is its path, not a part of the words.
            if self.lines.get(self.at + 1).is_some_and(|next| mark_of(next) == Some(SEARCH)) {
                break;
            }
            text.push(' ');
            text.push_str(line);
            self.at += 1;
        }
        text.trim().to_owned()
    }

    /// One search and replace block. Both sides are whole lines.
    fn block(&mut self) -> Result<(), AnswerError> {
        let Some(path) = self.path else {
            return Err(self.bad(format!("the line before `{SEARCH}` must be the path of the file")));
        };
        let path = named(path);
        let search = self.side(MIDDLE)?;
        let replace = self.side(REPLACE)?;
        self.push(FlatEdit { path, search: Some(search), replace: Some(replace), ..kind("replace") })
    }

    fn side(&mut self, end: &str) -> Result<String, AnswerError> {
        let mut text = String::new();
        while let Some(line) = self.next() {
            // Only at the beginning of a line: code may hold such signs further in.
            match mark_of(line).filter(|_| !line.starts_with(char::is_whitespace)) {
                Some(mark) if mark == end => return Ok(text),
                Some(mark) => return Err(self.bad(format!("`{mark}` stands where `{end}` should be"))),
                None => {}
            }
            text.push_str(line);
            text.push('\n');
        }
        Err(incomplete(&format!("a block has no `{end}`")))
    }

    /// The content of the fence that must follow.
    fn fence(&mut self, marker: &str) -> Result<String, AnswerError> {
        let opening = loop {
            match self.next().map(str::trim) {
                Some("") => {}
                Some(line) if is_fence(line) => break line,
                Some(_) => return Err(self.bad(format!("a fence with the content must follow `{marker}`"))),
                None => return Err(incomplete(&format!("`{marker}` has no content"))),
            }
        };
        let mark = opening.chars().next().unwrap_or('`');
        let length = opening.chars().take_while(|c| *c == mark).count();
        // A fence in a line that is further in belongs to the content: a diff, a doc comment.
        let margin = self.lines.get(self.at - 1).map_or(0, |line| line.len() - line.trim_start().len());
        let mut text = String::new();
        while let Some(line) = self.next() {
            let line_mark = line.trim();
            let further_in = line.len() - line.trim_start().len() > margin;
            if !further_in && line_mark.len() >= length && line_mark.chars().all(|c| c == mark) {
                return Ok(text);
            }
            text.push_str(line);
            text.push('\n');
        }
        Err(incomplete(&format!("the fence after `{marker}` is not closed")))
    }

    fn push(&mut self, edit: FlatEdit) -> Result<(), AnswerError> {
        let edit: Edit = edit.checked(self.answer.edits.len() + 1)?;
        self.answer.edits.push(edit);
        Ok(())
    }

    fn bad(&self, why: String) -> AnswerError {
        AnswerError::BadEdit { number: self.answer.edits.len() + 1, why }
    }
}

fn kind(word: &str) -> FlatEdit {
    FlatEdit { edit: word.to_owned(), ..FlatEdit::default() }
}

fn is_fence(line: &str) -> bool {
    line.starts_with("```") || line.starts_with("~~~")
}

fn is_bare_fence(line: &str) -> bool {
    is_fence(line) && line.chars().all(|c| matches!(c, '`' | '~'))
}

/// A name without the quotes and colours that models like to put around it.
fn named(text: &str) -> Option<String> {
    let plain = text.trim().trim_matches(['`', '*', '"']).trim_end_matches(':').trim();
    // Only what is a path loses its dressing: the check itself sees the same text either way.
    let plain = if RelPath::new(plain).is_ok() { plain } else { text.trim().trim_matches('`') };
    Some(plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "Sure, here it is.\n\
        TITLE: round half to even\n\
        RATIONALE: the test\nasks for it\n\n\
        `src/tax.rs`\n\
        ```rust\n\
        <<<<<<< SEARCH\n    a\n=======\n    b\n    c\n>>>>>>> REPLACE\n\
        ```\n\n\
        <<<<<<< SEARCH\n    d\n=======\n>>>>>>> REPLACE\n\n\
        FILE: src/new.rs\n````rust\n/// ```\n/// {\"title\": 1}\n/// ```\nfn f() {}\n````\n\
        ITEM: crate::tax::apply\n```\nfn apply() {}\n```\n\
        DELETE: src/old.rs\n\
        BENCHMARK:\n```rust\nfn main() {}\n```\n\
        END OF ANSWER\n";

    fn path(text: &str) -> RelPath {
        RelPath::new(text).expect("a path")
    }

    #[test]
    fn every_kind_of_edit_is_read() {
        let answer = PatchAnswer::parse(GOOD).expect("a good answer");
        assert_eq!((answer.title.as_str(), answer.rationale.as_str()), ("round half to even", "the test asks for it"));
        assert_eq!(answer.benchmark.as_deref(), Some("fn main() {}\n"));
        let (search, replace) = ("    a\n".to_owned(), "    b\n    c\n".to_owned());
        let content = "/// ```\n/// {\"title\": 1}\n/// ```\nfn f() {}\n".to_owned();
        assert_eq!(
            answer.edits,
            [
                Edit::Replace { path: path("src/tax.rs"), search, replace },
                Edit::Replace { path: path("src/tax.rs"), search: "    d\n".to_owned(), replace: String::new() },
                Edit::WholeFile { path: path("src/new.rs"), content },
                Edit::Item { item: "crate::tax::apply".to_owned(), content: "fn apply() {}\n".to_owned() },
                Edit::Delete { path: path("src/old.rs") },
            ]
        );
    }

    #[test]
    fn an_answer_in_a_fence_of_its_own_is_read() {
        let fenced = PatchAnswer::parse(&format!("`````text\n{GOOD}`````\n"));
        assert_eq!(fenced, PatchAnswer::parse(GOOD));
    }

    #[test]
    fn no_strict_prefix_is_used() {
        let text = GOOD.trim_end();
        for (end, _) in text.char_indices() {
            assert!(PatchAnswer::parse(&text[..end]).is_err(), "{}", &text[..end]);
        }
    }

    #[test]
    fn broken_blocks_are_refused_with_what_to_do() {
        for (body, wanted) in [
            ("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "must be the path"),
            ("a.rs\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE", "stands where"),
            ("a.rs\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE", "stands where"),
            ("a.rs\n<<<<<<< SEARCH\n=======\nb\n>>>>>>> REPLACE", "`search` is empty"),
            ("../a.rs\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "leaves the tree"),
            ("FILE: /etc/passwd\n```\nx\n```", "is absolute"),
            ("FILE: a.rs\nx", "a fence with the content must follow"),
            ("FILE: a.rs\n```\nx", "is not closed"),
            ("a.rs\n<<<<<<< SEARCH\na", "has no `=======`"),
        ] {
            let error = PatchAnswer::parse(&format!("TITLE: t\n\n{body}\n{END}")).expect_err(body).to_string();
            assert!(error.contains(wanted), "{body}: {error}");
        }
    }

    #[test]
    fn giving_up_can_be_said_in_this_form() {
        let answer = PatchAnswer::parse("TITLE: none\nGIVE UP: the test\ncontradicts the docs\nEND OF ANSWER");
        assert_eq!(answer.map(|answer| answer.give_up), Ok(Some("the test contradicts the docs".to_owned())));
    }

    #[test]
    fn json_with_a_title_line_inside_is_still_json() {
        assert!(!is_plain("{\n\"x\": \"\nTITLE: x\"}"));
        assert!(is_plain("Some words.\nTITLE: x"));
        assert!(!is_plain("nothing"));
    }
}
