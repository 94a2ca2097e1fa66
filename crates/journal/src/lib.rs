//! The journal: what is not in it did not happen.
//!
//! One SQLite file in the state directory, append-only, with every record chained to the one before it by SHA-256, and
//! an anchor file beside it that tells an older copy from the newest one, and a seal over every byte of it while nobody
//! writes. Leases with fencing tokens make one writer a repository; answers of a model are kept so that no request is
//! paid twice.
//!
//! The interface blocks: one actor owns the writing handle, on a thread where blocking is allowed. The crate decides
//! nothing about cycles and reads no wall clock.

mod anchor;
mod answers;
mod aside;
mod chain;
mod error;
mod files;
mod first_bad;
mod guard;
mod index;
mod journal;
mod lease;
mod machine;
mod open;
mod read;
mod row;
mod schema;
mod seal;
mod spending;
mod verify;

pub use error::JournalError;
pub use index::Noun;
pub use journal::Journal;
pub use lease::{Holder, Lease};
pub use machine::{BootClock, SystemClock};
pub use open::Options;
pub use read::{CycleEntry, Filter, Found};
pub use spending::{Booked, Booking, Limits, Scope};
pub use verify::Verified;
