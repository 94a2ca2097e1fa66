//! The actors that carry a cycle from signals to lessons, and the messages between them.
//!
//! Floor 3. Every actor is one file: its messages, its arguments, its state, its `handle`. Others see only a handle:
//! verbs with typed answers and a time-out. What blocks (git, SQLite, parsing) runs on blocking threads, trials in the
//! pool. [`start`] brings the whole tree up; nothing else is needed from outside.

pub mod address;
pub mod architect;
mod behaving;
mod behind_features;
mod carried;
pub mod clock;
pub mod configurator;
pub mod coordinator;
pub mod cycle;
pub mod debugger;
mod driven_root;
pub mod engine;
mod error;
pub mod evidence;
mod inputs_notice;
pub mod journal;
mod looking_closer;
pub mod measuring;
pub mod model_gateway;
pub mod notice;
mod noticing;
pub mod optimizer;
pub mod preview;
pub mod pull_requests;
pub mod security;
pub mod shop;
mod smallest_input;
pub mod start;
pub mod steps;
pub mod supervisor;
mod told_apart;
pub mod trial_pool;
pub mod watcher;
pub mod weigh;
pub mod world;
pub mod writer;
pub mod writing;

pub use clock::{Clock, SystemClock};
pub use engine::{Brief, Case, Draft, Engine, Proposal};
pub use error::{AgentError, Shortage};
pub use model_gateway::{ModelRecords, Models, Route, Spending};
pub use notice::{Notice, Notices};
pub use start::{Kaizen, Options, start};
pub use world::World;
