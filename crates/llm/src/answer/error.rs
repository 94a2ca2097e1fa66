//! Why an answer cannot be used, in words that its writer can act on: the text goes back to the model in the repair
//! round. It holds shortened pieces of the answer at most.

use kaizen_domain::InvalidPath;
use thiserror::Error;

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// Nothing in it looks like an answer.
    #[error("no answer was found: send one JSON object with the fields {fields}, and nothing else")]
    NotFound {
        /// The fields it should have.
        fields: &'static str,
    },
    /// It ends in the middle.
    #[error("the answer ends in the middle: {what}; send the whole answer again, shorter if need be")]
    Incomplete {
        /// What is missing.
        what: String,
    },
    /// There is more than one.
    #[error("there are several answers: send exactly one")]
    Several,
    /// Its JSON is broken, or a field is missing or of the wrong type.
    #[error("the JSON cannot be read: {detail}; it needs the fields {fields}")]
    BadJson {
        /// What the parser said.
        detail: String,
        /// The fields it should have.
        fields: &'static str,
    },
    /// A path points out of the repository or is not a path.
    #[error("{0}; write paths as they are listed, from the top of the repository")]
    BadPath(#[from] InvalidPath),
    /// An edit is not complete or contradicts itself.
    #[error("edit {number}: {why}")]
    BadEdit {
        /// Its number, counted from 1.
        number: usize,
        /// What is wrong with it and what would be right.
        why: String,
    },
    /// A field of text is empty or says nothing.
    #[error("`{field}` is empty: {wanted}")]
    EmptyField {
        /// The field.
        field: &'static str,
        /// What it should say.
        wanted: &'static str,
    },
    /// There are neither edits nor a reason to give up, or both.
    #[error("send either edits or a reason in `give_up`, not both and not neither")]
    EditsOrGiveUp,
    /// It is larger than any change should be.
    #[error("the answer is too large ({size}; at most {limit}): make a smaller change")]
    TooLarge {
        /// Its size, with a unit.
        size: String,
        /// The limit, with a unit.
        limit: String,
    },
    /// It holds something that looks like a secret.
    #[error("the answer holds a {kind}: no secret may be written into a repository; read it from the environment")]
    Secret {
        /// What it looks like.
        kind: &'static str,
    },
    /// It writes the mark of a redacted secret into a file, which would destroy what really stands there.
    #[error(
        "an edit writes a `[redacted ...]` mark, which stands for text that you cannot see: \
         edit around it with `replace` and leave those lines alone"
    )]
    Placeholder,
}
