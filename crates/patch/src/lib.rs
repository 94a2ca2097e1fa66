//! Patches: edits and diffs applied to the files of a commit, changes rendered as diffs, and the static review.
//!
//! A pure library on floor 2: it reads files through [`Source`] and returns values. It touches no disk, no git and no
//! network, runs nothing, and takes every text it is given for untrusted.
//!
//! [`apply`] and [`apply_diff`] turn a proposal into [`Change`](kaizen_domain::edit::Change)s, [`render`] and [`stat`] show
//! them, [`review`] judges them, and [`redact`] keeps credentials out of what leaves.

mod apply;
mod diff;
mod draft;
mod error;
mod item;
mod lines;
mod parses;
mod redact;
mod review;
mod search;
mod secret;
mod shown;
mod source;
mod syntax;

pub use apply::apply;
pub use diff::{apply_diff, render, stat};
pub use error::ApplyError;
pub use parses::{parse_error, still_parses};
pub use redact::redact;
pub use review::{
    ADVISORY_RULE, Advisories, Advisory, AdvisoryFault, Manifest, NoThread, Policy, ReviewInput, is_lock_file,
    moved_tests, review,
};
pub use source::{MemorySource, Source, SourceError};
