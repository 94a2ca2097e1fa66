//! The second reader's opinion on a patch: pass, ask a person, or refuse, with reasons. It can only make a review
//! stricter; how it is weighed belongs to the agent.

use kaizen_domain::Verdict;
use serde::Deserialize;

use super::error::AnswerError;
use super::json;
use super::schema::{list, object, one_of, text};
use crate::prompt::Schema;
use crate::redact::excerpt;

const FIELDS: &str = "verdict, reasons";
/// Reasons that are kept.
const MAX_REASONS: usize = 20;

/// A second opinion on a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityAnswer {
    /// What it says.
    pub verdict: Verdict,
    /// Why, each in one line; at least one unless it passes.
    pub reasons: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Pass,
    Ask,
    Refuse,
}

#[derive(Deserialize)]
struct Flat {
    verdict: Word,
    reasons: Vec<String>,
}

impl SecurityAnswer {
    /// The form of the answer for providers that can hold a model to it.
    #[must_use]
    pub fn schema() -> Schema {
        let json = object([
            ("verdict", one_of(&["pass", "ask", "refuse"], "pass, ask a person, or refuse.")),
            ("reasons", list(text("One reason, with the file."), "Why; empty only with pass.")),
        ]);
        Schema { name: "security".to_owned(), json }
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// When it is not exactly one whole answer that keeps the rules; the error can be sent back to the model.
    pub fn parse(text: &str) -> Result<Self, AnswerError> {
        let flat: Flat = json::find(json::spoken(text)?, FIELDS)?;
        let verdict = match flat.verdict {
            Word::Pass => Verdict::Pass,
            Word::Ask => Verdict::AskPerson,
            Word::Refuse => Verdict::Refuse,
        };
        let reasons = flat.reasons.iter().map(|reason| excerpt(reason)).filter(|reason| !reason.is_empty());
        let reasons: Vec<String> = reasons.take(MAX_REASONS).collect();
        if verdict != Verdict::Pass && reasons.is_empty() {
            return Err(AnswerError::EmptyField { field: "reasons", wanted: "say what is wrong and in which file" });
        }
        Ok(Self { verdict, reasons })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_read_and_a_bare_no_is_not_enough() {
        let read = |text: &str| SecurityAnswer::parse(text).map(|answer| answer.verdict);
        assert_eq!(read(r#"{"verdict":"pass","reasons":[]}"#), Ok(Verdict::Pass));
        assert_eq!(read(r#"{"verdict":"ask","reasons":["new unsafe in a.rs"]}"#), Ok(Verdict::AskPerson));
        assert_eq!(read(r#"{"verdict":"refuse","reasons":["reads the environment"]}"#), Ok(Verdict::Refuse));
        assert!(matches!(read(r#"{"verdict":"refuse","reasons":[" "]}"#), Err(AnswerError::EmptyField { .. })));
        assert!(matches!(read(r#"{"verdict":"maybe","reasons":[]}"#), Err(AnswerError::BadJson { .. })));
        assert!(matches!(read(r#"{"verdict":"pass","reasons":[]"#), Err(AnswerError::Incomplete { .. })));
    }
}
