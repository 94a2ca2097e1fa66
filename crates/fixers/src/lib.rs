//! Fixers: what can be written without a language model. Pure: texts in, texts out.

pub mod bisection;
pub mod manifest;
pub mod suggestions;

pub use bisection::{Next, next};
pub use manifest::{ManifestError, remove_dependency};
pub use suggestions::{Applied, apply};
