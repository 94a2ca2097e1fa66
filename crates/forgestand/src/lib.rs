//! Forges on loopback.

// The repository object of GitHub has that many fields.
#![recursion_limit = "256"]

pub mod bare;
pub mod base64;
pub mod http;
pub mod scripted;

pub use scripted::ScriptedForge;
