//! The one room that reads and writes git repositories: objects, refs, and, on request alone, a work tree.
//!
//! Blocking calls on libgit2. The git program is never run, so a repository's hooks, filters, file system monitor
//! and aliases cannot run either. A person's work tree, index, stash, configuration and refs are never touched,
//! with one exception that has to be asked for by name: [`Repo::update_worktree`]. Refs move by compare-and-swap
//! alone. Everything a repository says about itself (names, contents, messages) is data from outside.

mod attributes;
mod begin;
mod blame;
mod carry;
mod changes;
mod checked_out;
mod commit;
mod condition;
mod diff;
mod dir;
mod error;
mod export;
mod files;
mod lock;
mod notes;
mod packed;
mod reflog;
mod refs;
mod remote;
mod repo;
mod revision;
mod style;
mod sync;
mod trailers;
mod walk;
mod worktree;
mod worktree_apply;
mod worktree_check;

pub use carry::Carried;
pub use commit::NewCommit;
pub use condition::{Condition, Head};
pub use error::RepoError;
pub use export::Exported;
pub use files::Listing;
pub use notes::NOTES;
pub use refs::{Moved, RefMove};
pub use repo::Repo;
pub use style::{MessageStyle, Shape};
pub use trailers::Trailers;
