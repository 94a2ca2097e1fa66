//! Kaizen, an autonomous maintainer for Rust repositories, as a library.
//!
//! [`Session`] is the way in: open one on a repository, subscribe to its events, run a cycle.
//!
//! ```no_run
//! # async fn example() -> Result<(), kaizen::Failure> {
//! use kaizen::{CycleTerms, Session, SessionOptions};
//!
//! let session = Session::open(SessionOptions::new("."))?;
//! let outcome = session.run_cycle(CycleTerms::default(), |notice| println!("{notice:?}")).await?;
//! println!("{} patches landed", outcome.count(kaizen::domain::Word::Landed));
//! # Ok(())
//! # }
//! ```
//!
//! `examples/run_cycle.rs` is the same as a program.

pub mod arguments;
pub mod cli;
pub mod commands;
mod daemon;
mod desk;
pub mod exit;
pub mod failure;
mod history;
mod listener;
mod models;
mod output;
pub mod project;
pub mod session;
pub mod state_dir;
pub mod story;
pub mod terms;

pub use failure::Failure;
pub use kaizen_agents::Notice;
pub use kaizen_domain as domain;
pub use session::{Session, SessionOptions};
pub use terms::CycleTerms;
