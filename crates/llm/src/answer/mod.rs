//! The answers that a model gives, read strictly: each has a JSON schema for providers that can hold a model to one,
//! and a parser that also takes what models without that ability write. A cut answer is refused, never used in part.

mod diff;
mod edits;
mod error;
mod format;
mod json;
mod patch;
mod plan;
mod schema;
mod security;
mod text;

pub use error::AnswerError;
pub use format::Format;
pub use patch::PatchAnswer;
pub use plan::PlanAnswer;
pub use security::SecurityAnswer;
