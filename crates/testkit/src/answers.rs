//! Answers of a model, as a test writes them down: plans and patches in the JSON that prompts ask for.
//!
//! Kept apart from the types that read answers, so that a mistake there is not made here as well.

use serde_json::{Value, json};

/// The Architect's yes: these files, and what is to be done to them.
#[must_use]
pub fn plan(files: &[&str], brief: &str) -> String {
    json!({
        "worth_it": true,
        "reason": "the evidence names the place",
        "specialist": "debugger",
        "files": files,
        "brief": brief,
    })
    .to_string()
}

/// The Architect's no.
#[must_use]
pub fn not_worth(reason: &str) -> String {
    json!({ "worth_it": false, "reason": reason, "specialist": "debugger", "files": [], "brief": "" }).to_string()
}

/// The beginning of a patch with this title.
#[must_use]
pub fn patch(title: &str) -> PatchText {
    PatchText { title: title.to_owned(), edits: Vec::new(), benchmark: Value::Null }
}

/// A patch that is being put together.
#[derive(Debug, Clone)]
pub struct PatchText {
    title: String,
    edits: Vec<Value>,
    benchmark: Value,
}

impl PatchText {
    /// Replaces a text that stands in the file once.
    #[must_use]
    pub fn replace(self, path: &str, search: &str, replace: &str) -> Self {
        self.edit(json!({ "edit": "replace", "path": path, "search": search, "replace": replace }))
    }

    /// Gives a file this content.
    #[must_use]
    pub fn whole(self, path: &str, content: &str) -> Self {
        self.edit(json!({ "edit": "whole_file", "path": path, "content": content }))
    }

    /// Replaces one item by its path.
    #[must_use]
    pub fn item(self, item: &str, content: &str) -> Self {
        self.edit(json!({ "edit": "item", "item": item, "content": content }))
    }

    /// Removes a file.
    #[must_use]
    pub fn delete(self, path: &str) -> Self {
        self.edit(json!({ "edit": "delete", "path": path }))
    }

    /// Comes with this benchmark.
    #[must_use]
    pub fn benchmark(mut self, program: &str) -> Self {
        self.benchmark = program.into();
        self
    }

    /// The answer.
    #[must_use]
    pub fn json(&self) -> String {
        json!({
            "title": self.title,
            "rationale": "Written down by a test.",
            "edits": self.edits,
            "benchmark": self.benchmark,
            "give_up": null,
        })
        .to_string()
    }

    fn edit(mut self, mut edit: Value) -> Self {
        for field in ["path", "item", "search", "replace", "content"] {
            if edit.get(field).is_none() {
                edit[field] = Value::Null;
            }
        }
        self.edits.push(edit);
        self
    }
}
