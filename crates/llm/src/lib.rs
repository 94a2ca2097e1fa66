//! Talking to language models: prompts from templates, calls with deadlines, retries, a breaker and a budget, and
//! answers read strictly. What comes from a repository goes in fenced and redacted; what comes back is data until the
//! patch room has applied it. This room knows no agent and keeps nothing.

pub mod answer;
pub mod bill;
pub mod breaker;
pub mod budget;
pub mod client;
pub mod clock;
pub mod error;
pub mod inputs;
mod material;
pub mod pace;
pub mod presets;
pub mod prompt;
pub mod prompts;
pub mod provider;
pub mod purse;
pub mod record;
pub mod redact;
pub mod retry;
pub mod router;
mod stream;
pub mod tokens;
mod transport;
mod wire;

pub use answer::{AnswerError, Format, PatchAnswer, PlanAnswer, SecurityAnswer};
pub use bill::{Billing, Estimate};
pub use budget::{Amount, Budget, BudgetError};
pub use client::{Billed, Client, Completion};
pub use error::{Deadline, ModelError};
pub use presets::{PRESETS, Preset, preset};
pub use prompt::{Prompt, Schema, request_key};
pub use prompts::{PromptError, render};
pub use provider::{Auth, Deadlines, Provider, Structured};
pub use purse::{Held, Purse};
pub use tokens::Tokenizer;
pub use wire::Finish;
