//! What can go wrong with the journal, each with the thing at fault and the way out.
//!
//! Owns the split that callers act on: wait and try again (`Busy`, `Leased`), give up the work (`Fenced`), stop and
//! open again (`Stopped`, `DiskFull`), stop and ask a person (`Corrupt`, `RolledBack`).

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why the journal did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process is writing and did not end within the wait.
    #[error("{path} is in use by {}, waited {waited:?}; run again when it is done", who(.pid))]
    Busy {
        /// The file.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
        /// The process that holds it, when the system tells.
        pid: Option<u32>,
    },
    /// Another holder has the lease of the repository.
    #[error(
        "process {pid} works on repository `{repo}` since {held_for:?}: wait for it, stop it, or run again in {expires_in:?}"
    )]
    Leased {
        /// The repository.
        repo: String,
        /// The holder.
        pid: u32,
        /// How long it has held the lease.
        held_for: Duration,
        /// When the lease runs out unless it is renewed.
        expires_in: Duration,
    },
    /// A process of another machine holds the lease.
    #[error(
        "another machine that shares this state directory works on repository `{repo}`; wait for it, or stop it there: \
         when it is gone, that shows after {left:?}"
    )]
    LeasedElsewhere {
        /// The repository.
        repo: String,
        /// How long it has not been renewed, as far as this process has seen.
        quiet: Duration,
        /// After how much more of that it counts as gone.
        left: Duration,
    },
    /// The lease was released or has passed to somebody else: nothing may be written under it any more.
    #[error(
        "the lease of repository `{repo}` with token {token} is over, the newest token is {newest}: stop this work"
    )]
    Fenced {
        /// The repository.
        repo: String,
        /// The token that was shown.
        token: u64,
        /// The newest token of the repository.
        newest: u64,
    },
    /// The files are damaged. Nothing is written to them.
    #[error("{path} is damaged: {detail}; nothing was written, run `kaizen doctor --rebuild-journal`")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The first record that is bad; none when no record is, but something else.
        record: Option<u64>,
        /// What is wrong.
        detail: String,
    },
    /// The files are not the newest: an older copy was put back, or a part of them is gone.
    #[error(
        "{path} is not the newest journal: {detail}; nothing was written, put the newest files back or run \
         `kaizen doctor --rebuild-journal`"
    )]
    RolledBack {
        /// The file.
        path: PathBuf,
        /// What shows it.
        detail: String,
    },
    /// Bytes that nothing uses are not those that Kaizen left. Records, tables and pages are whole.
    #[error(
        "{path} was changed, but not by kaizen: {detail}, while every record is whole; look at the disk and at who can write \
         there, or delete journal.seal beside it if you put the file there yourself"
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A newer Kaizen wrote the file.
    #[error("{path} has schema version {found}, this program knows versions up to {known}: use a newer kaizen")]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// No space is left. The handle refuses to write until it is opened again.
    #[error("no space left for {path}: free space and run again")]
    DiskFull {
        /// The file or directory.
        path: PathBuf,
    },
    /// Reading or writing failed, so what the disk holds is not known. The handle refuses to write until it is opened
    /// again; then the last batch is there as a whole or not at all.
    #[error("writing to {path} has stopped: {reason}; run again, the journal is checked first")]
    Stopped {
        /// The file.
        path: PathBuf,
        /// What failed.
        reason: String,
    },
    /// The handle was opened for reading only.
    #[error("{path} was opened for reading only")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// There is no journal to set aside.
    #[error("there is no journal in {dir}")]
    Missing {
        /// The state directory.
        dir: PathBuf,
    },
    /// The event cannot be kept in a way that reads back.
    #[error("event `{kind}` cannot be journalled: {reason}")]
    Unwritable {
        /// The kind of the event.
        kind: String,
        /// Why.
        reason: String,
    },
    /// A file operation beside the database failed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The database refused for another reason, such as a lack of memory or of permission.
    #[error("cannot use {path}")]
    Database {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl JournalError {
    /// Whether the handle must not write any more after this error.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Corrupt { .. } | Self::RolledBack { .. } | Self::DiskFull { .. } | Self::Stopped { .. })
    }
}

fn who(pid: &Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
