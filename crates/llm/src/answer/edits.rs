//! Edits as a model writes them in JSON: one flat form for all kinds, because strict schemas have no good way to say
//! "one of these". Here they become edits of the domain, or the error says what is wrong with which.

use kaizen_domain::{Edit, RelPath};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::AnswerError;
use super::schema::{object, one_of, text_or_null};
use crate::redact::{PLACEHOLDER, excerpt, find_token};

/// More edits than this are no small change.
pub(super) const MAX_EDITS: usize = 200;

/// One edit in its flat form.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct FlatEdit {
    pub edit: String,
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub item: Option<String>,
    #[serde(default)]
    pub search: Option<String>,
    #[serde(default)]
    pub replace: Option<String>,
    #[serde(default)]
    pub content: Option<String>,
}

/// The schema of one edit.
pub(super) fn edit_schema() -> Value {
    let words = ["replace", "whole_file", "item", "delete"];
    object([
        ("edit", one_of(&words, "The kind of edit.")),
        ("path", text_or_null("The file, for replace, whole_file and delete; null for item.")),
        ("item", text_or_null("For item: the item's path, such as crate::tax::Tax::apply; null otherwise.")),
        ("search", text_or_null("For replace: text that stands in the file exactly once; null otherwise.")),
        ("replace", text_or_null("For replace: what stands there afterwards; null otherwise.")),
        ("content", text_or_null("For whole_file and item: the whole new content; null otherwise.")),
    ])
}

impl FlatEdit {
    /// The edit of the domain.
    pub(super) fn checked(self, number: usize) -> Result<Edit, AnswerError> {
        let bad = |why: String| AnswerError::BadEdit { number, why };
        let lacks = |field: &str| bad(format!("`{field}` is missing for an edit of the kind `{}`", self.edit));
        let path =
            || -> Result<RelPath, AnswerError> { Ok(RelPath::new(self.path.clone().ok_or_else(|| lacks("path"))?)?) };
        match self.edit.as_str() {
            "replace" => {
                let search = self.search.clone().ok_or_else(|| lacks("search"))?;
                let replace = self.replace.clone().ok_or_else(|| lacks("replace"))?;
                if search.trim().is_empty() {
                    return Err(bad("`search` is empty: give lines that stand in the file exactly once".to_owned()));
                }
                if search == replace {
                    return Err(bad("`search` and `replace` are the same: leave the edit out".to_owned()));
                }
                Ok(Edit::Replace { path: path()?, search, replace })
            }
            "whole_file" => {
                Ok(Edit::WholeFile { path: path()?, content: self.content.clone().ok_or_else(|| lacks("content"))? })
            }
            "item" => {
                let item = self.item.clone().ok_or_else(|| lacks("item"))?;
                let content = self.content.clone().ok_or_else(|| lacks("content"))?;
                let one_line = !item.trim().is_empty() && item.len() <= 512 && !item.chars().any(char::is_control);
                if !one_line {
                    return Err(bad("`item` must be the path of one item, such as crate::tax::Tax::apply".to_owned()));
                }
                Ok(Edit::Item { item: item.trim().to_owned(), content })
            }
            "delete" => Ok(Edit::Delete { path: path()? }),
            other => {
                Err(bad(format!("`{}` is not a kind of edit: use replace, whole_file, item or delete", excerpt(other))))
            }
        }
    }
}

impl From<&Edit> for FlatEdit {
    fn from(edit: &Edit) -> Self {
        let kind = |word: &str| Self { edit: word.to_owned(), ..Self::default() };
        match edit.clone() {
            Edit::Replace { path, search, replace } => {
                Self { path: Some(path.into()), search: Some(search), replace: Some(replace), ..kind("replace") }
            }
            Edit::WholeFile { path, content } => {
                Self { path: Some(path.into()), content: Some(content), ..kind("whole_file") }
            }
            Edit::Item { item, content } => Self { item: Some(item), content: Some(content), ..kind("item") },
            Edit::Delete { path } => Self { path: Some(path.into()), ..kind("delete") },
        }
    }
}

/// Refuses text that would be written into a repository and holds a secret, or the mark of one that was taken out.
pub(super) fn check_written(text: &str) -> Result<(), AnswerError> {
    if let Some(kind) = find_token(text) {
        return Err(AnswerError::Secret { kind });
    }
    if text.contains(PLACEHOLDER) { Err(AnswerError::Placeholder) } else { Ok(()) }
}
