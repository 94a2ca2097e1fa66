//! Tests on real repositories, made in temporary folders with the git program and with libgit2, cut off from the
//! settings of the machine they run on.
#![expect(clippy::unwrap_used, reason = "tests")]

mod changing;
mod exporting;
mod history;
mod locks;
mod moving;
mod opening;
mod reading;
mod support;
mod untouched;
mod worktree;
mod worktree_killed;
mod worktree_refused;
