//! What tests of more than one room share: a small repository in a temporary directory, a settings file, a language
//! model that says what a test wrote down, the program as a process, and the journal's records as it tells them.
//!
//! Nothing here is part of the program. It panics where a test cannot go on.

pub mod answers;
pub mod fixture;
pub mod program;
pub mod scripted_model;
pub mod settings;

pub use answers::{not_worth, patch, plan};
pub use fixture::Fixture;
pub use program::{Program, Ran};
pub use scripted_model::{Reply, ScriptedModel};
pub use settings::SettingsText;
