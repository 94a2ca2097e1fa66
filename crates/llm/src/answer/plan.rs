//! The Architect's answer to an opportunity: whether it is worth a change, and if so who does what to which files.

use kaizen_domain::{RelPath, Specialist};
use serde::Deserialize;

use super::error::AnswerError;
use super::json;
use super::schema::{boolean, list, object, one_of, text};
use crate::prompt::Schema;

const FIELDS: &str = "worth_it, reason, specialist, files, brief";
/// Files that one plan may put in reach.
const MAX_FILES: usize = 50;

/// A plan as a model proposes it. Whether the files exist and may be touched is for the caller to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanAnswer {
    /// Whether a change should be made at all.
    pub worth_it: bool,
    /// Why, or why not.
    pub reason: String,
    /// Who should write it.
    pub specialist: Specialist,
    /// The files it should touch.
    pub files: Vec<RelPath>,
    /// What is to be done, in a few sentences; empty when it is not worth it.
    pub brief: String,
}

#[derive(Deserialize)]
struct Flat {
    worth_it: bool,
    reason: String,
    specialist: Specialist,
    files: Vec<String>,
    brief: String,
}

impl PlanAnswer {
    /// The form of the answer for providers that can hold a model to it.
    #[must_use]
    pub fn schema() -> Schema {
        let json = object([
            ("worth_it", boolean("Whether this change should be made at all.")),
            ("reason", text("Why, or why not, in one or two sentences.")),
            ("specialist", one_of(&["optimizer", "debugger", "configurator"], "Who should write the change.")),
            ("files", list(text("A path from the list."), "The files that the change should touch; no others.")),
            ("brief", text("What is to be done, in a few sentences; empty when it is not worth it.")),
        ]);
        Schema { name: "plan".to_owned(), json }
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// When it is not exactly one whole answer that keeps the rules; the error can be sent back to the model.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        let flat: Flat = json::find(json::spoken(text)?, FIELDS)?;
        if flat.files.len() > MAX_FILES {
            let (size, limit) = (format!("{} files", flat.files.len()), format!("{MAX_FILES} files"));
            return Err(AnswerError::TooLarge { size, limit });
        }
        let files: Result<Vec<RelPath>, _> = flat.files.into_iter().map(RelPath::new).collect();
        let mut files = files?;
        files.sort();
        files.dedup();
        let (reason, brief) = (flat.reason.trim().to_owned(), flat.brief.trim().to_owned());
        if reason.is_empty() {
            return Err(AnswerError::EmptyField { field: "reason", wanted: "say why, or why not" });
        }
        if flat.worth_it && brief.is_empty() {
            return Err(AnswerError::EmptyField { field: "brief", wanted: "say what is to be done" });
        }
        if flat.worth_it && files.is_empty() {
            return Err(AnswerError::EmptyField { field: "files", wanted: "name the files that the change touches" });
        }
        Ok(Self { worth_it: flat.worth_it, reason, specialist: flat.specialist, files, brief })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan() -> Value {
        json!({ "worth_it": true, "reason": "r", "specialist": "debugger", "files": ["b.rs", "a.rs", "b.rs"], "brief": "b" })
    }

    fn with(field: &str, value: Value) -> Result<PlanAnswer, AnswerError> {
        let mut plan = plan();
        plan[field] = value;
        PlanAnswer::parse(&plan.to_string())
    }

    #[test]
    fn a_plan_is_read_and_its_files_are_checked() {
        let read = PlanAnswer::parse(&plan().to_string()).expect("a good plan");
        assert_eq!(read.specialist, Specialist::Debugger);
        assert_eq!(read.files.iter().map(RelPath::as_str).collect::<Vec<_>>(), ["a.rs", "b.rs"]);
        assert!(matches!(with("files", json!(["../a.rs"])), Err(AnswerError::BadPath(_))));
        assert!(matches!(with("files", json!([])), Err(AnswerError::EmptyField { field: "files", .. })));
        assert!(matches!(with("specialist", json!("root")), Err(AnswerError::BadJson { .. })));
        assert!(matches!(with("brief", json!("")), Err(AnswerError::EmptyField { field: "brief", .. })));
    }

    #[test]
    fn a_no_needs_only_its_reason() {
        let no =
            json!({ "worth_it": false, "reason": "too risky", "specialist": "debugger", "files": [], "brief": "" });
        assert!(PlanAnswer::parse(&no.to_string()).is_ok_and(|plan| !plan.worth_it));
    }

    #[test]
    fn no_strict_prefix_is_used() {
        let text = plan().to_string();
        for end in 0..text.len() {
            assert!(PlanAnswer::parse(&text[..end]).is_err(), "{}", &text[..end]);
        }
    }
}
