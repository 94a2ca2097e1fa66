//! Counterparts for everything that speaks to a forge or a language model, or asks for metrics: real ones where there are any, and a
//! stand-in of ours that says so. For tests and measurements; nothing here is part of the program. It panics where a test cannot go on.
//!
//! | what | start | base URL | real? |
//! |---|---|---|---|
//! | [`GitRemote`] | `GitRemote::start(&cache, folder, &[Credential])`, then `create(owner, name)` | `http://127.0.0.1:PORT/owner/name.git`, basic auth | git's own backend behind nginx |
//! | [`ScriptedForge`] | `ScriptedForge::start()`, then `user(login, token)`, `repository(owner, name, bare, branch)` | `api(Dialect)`: `http://127.0.0.1:PORT`, `/api/v4`, `/api/v1` | ours, but its branches and merges are git's |
//! | [`Emulate`] | `Emulate::start(&cache, folder, &[(token, login)], repository)`, then `mirror(&bare, full_name)` | `api()`: `http://127.0.0.1:PORT` | somebody else's GitHub |
//! | [`ContractProxy`] | `ContractProxy::github(&cache, folder, upstream)`, `forgejo(..)`, `forgejo_mock(..)` | `api()` | the published contracts |
//! | [`Recorder`] | `Recorder::start(upstream)` | `url()` plus the upstream's path | a proxy for faults |
//! | [`PrometheusServer`] | `PrometheusServer::start(&cache, folder, target, every)` | `url()` | a real Prometheus, for metrics |
//! | [`LiteLlm`] | `LiteLlm::start(&cache, folder, upstream)` | `url()`, with `KEY` | a real gateway before a model server |
//! | [`AiMock`] | `AiMock::start(&cache, folder, &fixtures)` | `url()`, with `KEY` | somebody else's model server, from fixtures |
//!
//! Tokens go as `Authorization: Bearer TOKEN` to all three dialects, as `Authorization: token TOKEN` to GitHub and
//! Forgejo, as `PRIVATE-TOKEN: TOKEN` to GitLab. A usual stand: a [`GitRemote`] whose repository's `bare.path()` is
//! given to [`ScriptedForge::repository`], so that a push is seen by the forge at once, and a [`Recorder`] or a
//! [`ContractProxy`] before the forge.
//!
//! What must be installed goes into a [`Cache`], once: nginx, fcgiwrap and Prometheus are unpacked from Debian packages, Node and
//! its programs come from npm (600 MB, most of it GitHub's contract), Forgejo's contract from a crate. Tests that need
//! one of these run with `KAIZEN_TEST_ALL=1` only, see [`install::all_tests`], and then fail when something is
//! missing. Everything listens on 127.0.0.1 at a free port and ends when its value is dropped.

// GitHub's repository object has that many fields.
#![recursion_limit = "256"]

pub mod aimock;
pub mod bare;
pub mod base64;
pub mod contract;
pub mod emulate;
pub mod git_http;
pub mod git_remote;
pub mod http;
pub mod install;
pub mod litellm;
mod node;
mod process;
pub mod prometheus;
pub mod recorder;
pub mod scripted;

pub use aimock::AiMock;
pub use contract::ContractProxy;
pub use emulate::Emulate;
pub use git_http::GitHttp;
pub use git_remote::GitRemote;
pub use install::Cache;
pub use litellm::LiteLlm;
pub use prometheus::PrometheusServer;
pub use recorder::{Fault, Recorder};
pub use scripted::ScriptedForge;
