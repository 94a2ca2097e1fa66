//! The isolation: runs one untrusted command in namespaces of its own, without root, daemon or setuid helper.
//!
//! A job sees a root of its own (system folders read-only, one tree, scratch space in memory), no network but its own
//! loopback, no process but its own, no environment but what it was given, and nothing of it is left when it ends.
//! Landlock, seccomp, dropped capabilities and resource limits stand behind the namespaces. It fails closed: where a
//! layer is missing, nothing runs, unless a person waived that layer by name. Linux only.

mod arrangement;
mod aside;
mod batch;
mod blueprint;
mod calls;
mod cancel;
mod cgroup;
mod child;
mod conduct;
mod copied;
mod error;
mod filter;
mod finished;
mod gather;
mod job;
mod landlock;
mod launch;
mod layer;
mod netcount;
mod output;
mod probe;
mod report;
mod restricted;
mod room;
mod root;
mod step;
mod supervise;
mod sys;
mod walk;
mod watch;

pub use arrangement::Arrangement;
pub use batch::{Batch, BatchCall, BatchStep, Code, MOST_TASKS, Task, Workers};
pub use cancel::Cancel;
pub use error::IsolationError;
pub use finished::{Exit, Finished, LimitKind, Stream};
pub use job::{Job, Limits, Places, Tree, TreeChange};
pub use probe::Isolation;
pub(crate) use room::free_space;
pub(crate) use watch::machine_memory;
