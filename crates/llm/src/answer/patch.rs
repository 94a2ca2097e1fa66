//! The answer of a specialist: edits with a title and a rationale, perhaps a benchmark, or a reason to give up.

use kaizen_domain::path::is_invisible;
use kaizen_domain::{Edit, EditSet};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::edits::{FlatEdit, MAX_EDITS, check_written, edit_schema};
use super::error::AnswerError;
use super::schema::{list, object, text, text_or_null};
use super::{json, text as plain};
use crate::prompt::Schema;

const FIELDS: &str = "title, rationale, edits, benchmark, give_up";
/// Characters of a title; it becomes the subject of a commit.
const MAX_TITLE: usize = 120;

/// A patch as a model proposes it, checked as far as that goes without the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchAnswer {
    /// One line that says what the patch does.
    pub title: String,
    /// Why it is right.
    pub rationale: String,
    /// The edits; empty exactly when it gave up.
    pub edits: Vec<Edit>,
    /// A program for `examples/` that shows a performance change.
    pub benchmark: Option<String>,
    /// Why there is no patch.
    pub give_up: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Flat {
    title: String,
    rationale: String,
    edits: Vec<FlatEdit>,
    #[serde(default)]
    benchmark: Option<String>,
    #[serde(default)]
    give_up: Option<String>,
}

impl PatchAnswer {
    /// The form of the answer for providers that can hold a model to it.
    #[must_use]
    pub fn schema() -> Schema {
        let json = object([
            ("title", text("One line, imperative, at most 72 characters: what the patch does.")),
            ("rationale", text("Why it is right, in a few sentences.")),
            ("edits", list(edit_schema(), "The edits, in order; empty when you give up.")),
            ("benchmark", text_or_null("A whole Rust program that shows the gain, when one is asked for; else null.")),
            ("give_up", text_or_null("Why there can be no good patch; null when there is one.")),
        ]);
        Schema { name: "patch".to_owned(), json }
    }

    /// Reads the answer: JSON, or the form with search and replace blocks.
    ///
    /// # Errors
    /// When it is not exactly one whole answer that keeps the rules; the error can be sent back to the model.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        let text = json::spoken(text)?;
        if plain::is_plain(text) {
            return plain::parse(text)?.checked();
        }
        let flat: Flat = json::find(text, FIELDS)?;
        if flat.edits.len() > MAX_EDITS {
            let (size, limit) = (format!("{} edits", flat.edits.len()), format!("{MAX_EDITS} edits"));
            return Err(AnswerError::TooLarge { size, limit });
        }
        let edits: Result<Vec<Edit>, _> =
            flat.edits.into_iter().enumerate().map(|(index, edit)| edit.checked(index + 1)).collect();
        let answer = Self {
            title: flat.title,
            rationale: flat.rationale,
            edits: edits?,
            benchmark: flat.benchmark,
            give_up: flat.give_up,
        };
        answer.checked()
    }

    /// The edits as the patch room takes them.
    #[must_use]
    pub fn edit_set(&self) -> EditSet {
        EditSet { edits: self.edits.clone() }
    }

    /// The answer as JSON that [`PatchAnswer::parse`] reads back.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let edits: Vec<FlatEdit> = self.edits.iter().map(FlatEdit::from).collect();
        serde_json::json!({
            "title": self.title,
            "rationale": self.rationale,
            "edits": edits,
            "benchmark": self.benchmark,
            "give_up": self.give_up,
        })
    }

    fn checked(mut self) -> Result<Self, AnswerError> {
        self.benchmark = self.benchmark.filter(|program| !program.trim().is_empty());
        self.give_up = self.give_up.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
        self.title = one_line(&self.title);
        self.rationale = self.rationale.trim().to_owned();
        if self.edits.is_empty() == self.give_up.is_none() {
            return Err(AnswerError::EditsOrGiveUp);
        }
        if self.title.is_empty() && self.give_up.is_none() {
            return Err(AnswerError::EmptyField { field: "title", wanted: "say in one line what the patch does" });
        }
        for text in [&self.title, &self.rationale].into_iter().chain(&self.benchmark).chain(&self.give_up) {
            check_written(text)?;
        }
        for edit in &self.edits {
            match edit {
                Edit::Replace { replace: written, .. }
                | Edit::WholeFile { content: written, .. }
                | Edit::Item { content: written, .. } => check_written(written)?,
                Edit::Delete { .. } => {}
            }
        }
        Ok(self)
    }
}

/// The text in one line of bounded length, without characters that cannot be seen.
fn one_line(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .map(|word| word.chars().filter(|c| !is_invisible(*c)).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(MAX_TITLE).collect()
}

#[cfg(test)]
mod tests {
    use kaizen_domain::RelPath;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn edit() -> impl Strategy<Value = Edit> {
        let path = || "[a-z]{1,8}(/[a-z]{1,8}){0,2}\\.rs".prop_map(|path| RelPath::new(path).expect("a plain path"));
        // Content that looks like an answer itself, to tempt the parser.
        let content = || prop_oneof!["[\\PC\n]{0,40}", Just("{\"title\":\"x\",\"edits\":[]}\n```\n{}".to_owned())];
        prop_oneof![
            (path(), "[a-z]{1,9}", content()).prop_map(|(path, search, replace)| Edit::Replace {
                path,
                search: format!("{search} {{}}"),
                replace
            }),
            (path(), content()).prop_map(|(path, content)| Edit::WholeFile { path, content }),
            ("crate(::[a-z]{1,8}){1,3}", content()).prop_map(|(item, content)| Edit::Item { item, content }),
            path().prop_map(|path| Edit::Delete { path }),
        ]
    }

    fn answer() -> impl Strategy<Value = PatchAnswer> {
        let benchmark = proptest::option::of("fn main\\(\\) \\{[a-z ]{0,20}\\}");
        ("[a-z]{1,10}( [a-z]{1,8}){0,4}", "[a-z]{0,30}", proptest::collection::vec(edit(), 1..4), benchmark).prop_map(
            |(title, rationale, edits, benchmark)| PatchAnswer { title, rationale, edits, benchmark, give_up: None },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn an_answer_reads_back_as_it_was_and_no_strict_prefix_of_it_is_used(answer in answer(), pretty: bool) {
            let json = answer.to_json();
            let text = if pretty { format!("{json:#}") } else { json.to_string() };
            for text in [text.clone(), format!("```json\n{text}\n```"), format!("Here you go: {text}\nBye.")] {
                prop_assert_eq!(PatchAnswer::parse(&text), Ok(answer.clone()));
            }
            for (end, _) in text.char_indices() {
                prop_assert!(PatchAnswer::parse(&text[..end]).is_err(), "{}", &text[..end]);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[\\PC\n{}\"<>=` :]{0,300}") {
            let _ = PatchAnswer::parse(&text);
            let _ = PatchAnswer::parse(&format!("TITLE: x\n{text}\nEND OF ANSWER"));
        }
    }

    fn with_edit(edit: Value) -> Result<PatchAnswer, AnswerError> {
        let answer = json!({ "title": "t", "rationale": "r", "edits": [edit], "benchmark": null, "give_up": null });
        PatchAnswer::parse(&answer.to_string())
    }

    #[test]
    fn edits_that_reach_outside_or_say_too_little_are_refused_with_what_to_do() {
        for path in ["../x", "/etc/passwd", ".git/hooks/pre-commit", "a\\b", ""] {
            let edit = json!({ "edit": "whole_file", "path": path, "content": "x" });
            assert!(matches!(with_edit(edit), Err(AnswerError::BadPath(_))), "{path}");
        }
        for edit in [
            json!({ "edit": "replace", "path": "a.rs", "search": " ", "replace": "x" }),
            json!({ "edit": "replace", "path": "a.rs", "search": "x", "replace": "x" }),
            json!({ "edit": "replace", "path": "a.rs", "search": "x" }),
            json!({ "edit": "whole_file", "path": "a.rs" }),
            json!({ "edit": "item", "item": "a\nb", "content": "x" }),
            json!({ "edit": "chmod", "path": "a.rs" }),
        ] {
            let error = with_edit(edit.clone()).expect_err(&edit.to_string());
            assert!(matches!(error, AnswerError::BadEdit { number: 1, .. }), "{error}");
        }
    }

    #[test]
    fn secrets_and_marks_of_redacted_secrets_are_never_written() {
        let token = format!("ghp_{}", "a1".repeat(18));
        let edit = json!({ "edit": "whole_file", "path": "a.rs", "content": format!("const T: &str = \"{token}\";") });
        assert_eq!(with_edit(edit), Err(AnswerError::Secret { kind: "github token" }));
        let edit = json!({ "edit": "whole_file", "path": "a.rs", "content": crate::redact::redact(&token) });
        assert_eq!(with_edit(edit), Err(AnswerError::Placeholder));
    }

    #[test]
    fn giving_up_and_editing_exclude_each_other() {
        let parse = |value: Value| PatchAnswer::parse(&value.to_string());
        let edits = json!([{ "edit": "delete", "path": "a.rs" }]);
        let gave_up = parse(json!({ "title": "", "rationale": "", "edits": [], "give_up": "the test is wrong" }));
        assert_eq!(gave_up.map(|answer| answer.give_up), Ok(Some("the test is wrong".to_owned())));
        for neither_nor_both in [
            json!({ "title": "t", "rationale": "r", "edits": [], "give_up": " " }),
            json!({ "title": "t", "rationale": "r", "edits": edits, "give_up": "no" }),
        ] {
            assert_eq!(parse(neither_nor_both), Err(AnswerError::EditsOrGiveUp));
        }
        let untitled = json!({ "title": "\u{200b}\n", "rationale": "r", "edits": edits });
        assert!(matches!(parse(untitled), Err(AnswerError::EmptyField { field: "title", .. })));
    }

    #[test]
    fn a_title_becomes_one_clean_line() {
        assert_eq!(one_line(" a\n\tb\u{202e}c \u{0}d "), "a bc d");
        assert_eq!(one_line(&"x".repeat(500)).len(), MAX_TITLE);
    }
}
