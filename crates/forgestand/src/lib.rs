//! Forges on loopback.

// The repository object of GitHub has that many fields.
#![recursion_limit = "256"]

pub mod bare;
pub mod base64;
pub mod git_http;
pub mod git_remote;
pub mod http;
pub mod install;
mod process;
pub mod scripted;

pub use git_http::GitHttp;
pub use git_remote::GitRemote;
pub use install::Cache;
pub use scripted::ScriptedForge;
