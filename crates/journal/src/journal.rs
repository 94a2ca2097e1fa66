//! The handle, and the one way to write through it: under the lock file, in one transaction, with the anchor brought
//! level before and after, and never again after an error that leaves the disk in doubt.

use std::path::PathBuf;

use kaizen_domain::{Event, Record, TenantId, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::anchor::{Head, Standing};
use crate::error::JournalError;
use crate::files::{Files, Identity};
use crate::guard::Guard;
use crate::index;
use crate::lease::Lease;
use crate::machine::Process;
use crate::open::Options;
use crate::row::Row;

/// How many bytes and writing steps the write-ahead log gathers before they are moved to the main file. A step counts
/// for the pages it touches at least.
const CHECKPOINT_AFTER: usize = 4 << 20;
const STEP_SIZE: usize = 32 << 10;

/// An open journal. It can be sent to another thread, but not shared: one actor owns it.
pub struct Journal {
    pub(crate) files: Files,
    pub(crate) conn: Connection,
    pub(crate) options: Options,
    pub(crate) process: Process,
    /// The database file this handle has open: another one at the same path is another journal.
    pub(crate) identity: Identity,
    pub(crate) reading_only: bool,
    pub(crate) stopped: Option<Stop>,
    /// Bytes written since the last checkpoint, estimated.
    pub(crate) unsettled: usize,
}

/// The actor that owns the handle runs on whatever thread may block.
const _: () = {
    const fn can_be_sent<T: Send>() {}
    can_be_sent::<Journal>();
};

/// Why a handle writes no more.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    DiskFull(PathBuf),
    Failed(String),
}

/// How much a checkpoint does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Checkpoint {
    /// What is possible without waiting.
    Passive,
    /// Everything, and empties the log.
    Truncate,
}

/// What one writing step works with.
pub(crate) struct Step<'a> {
    pub(crate) tx: Transaction<'a>,
    pub(crate) files: &'a Files,
    pub(crate) options: &'a Options,
    pub(crate) process: &'a Process,
    /// The head before the step.
    pub(crate) head: Head,
    /// Bytes the step has written, estimated.
    pub(crate) size: usize,
}

impl Step<'_> {
    pub(crate) fn sql(&self, error: rusqlite::Error) -> JournalError {
        self.files.sql(error, self.options.busy_wait)
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { files, reading_only, stopped, .. } = self;
        f.debug_struct("Journal")
            .field("dir", &files.dir())
            .field("reading_only", reading_only)
            .field("stopped", stopped)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// Appends events of the lease's repository, all or none, and extends the lease. When it returns, they are on
    /// the disk.
    ///
    /// # Errors
    /// `Fenced` when the lease is over; `Busy` when another process is writing; `Unwritable` when an event would not
    /// read back, such as one with a number that is not finite. After `DiskFull` and `Stopped` open again: the events
    /// are then there as a whole or not at all.
    pub fn append(
        &mut self,
        lease: &Lease,
        tenant: &TenantId,
        at: Timestamp,
        events: &[Event],
    ) -> Result<Vec<Record>, JournalError> {
        self.write(|step| {
            step.extend(lease)?;
            let mut newest = (step.head.seq, step.head.hash);
            let mut records = Vec::with_capacity(events.len());
            for event in events {
                let row = Row::new((newest.0 + 1, newest.1), (at, tenant, lease.repo()), event)?;
                row.insert(&step.tx).map_err(|error| step.sql(error))?;
                newest = (row.seq, row.hash);
                step.size += row.size();
                // What a replay will see is what the caller goes on with.
                let event = row.event().map_err(|error| JournalError::Unwritable {
                    kind: event.name().to_owned(),
                    reason: format!("it would not read back: {error}"),
                })?;
                let record = Record { seq: row.seq, at, tenant: tenant.clone(), repo: lease.repo().to_owned(), event };
                index::insert(&step.tx, &record).map_err(|error| step.sql(error))?;
                records.push(record);
            }
            Ok(records)
        })
    }

    /// Runs one writing step. What it does is there as a whole or not at all.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Step<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.may_write()?;
        let (value, size) = match self.write_locked(work) {
            Ok(done) => done,
            Err(error) => {
                if error.is_final() {
                    self.stop(&error);
                }
                return Err(error);
            }
        };
        self.unsettled = self.unsettled.saturating_add(size);
        if self.unsettled >= CHECKPOINT_AFTER
            && let Err(error) = self.checkpoint(Checkpoint::Passive)
        {
            // What was asked for is done and durable; the next write is refused.
            tracing::warn!(%error, "checkpoint of the journal failed");
            self.stop(&error);
        }
        Ok(value)
    }

    /// Refuses when the handle must not write.
    pub(crate) fn may_write(&self) -> Result<(), JournalError> {
        if self.reading_only {
            return Err(JournalError::ReadOnly { path: self.files.database() });
        }
        match &self.stopped {
            None => Ok(()),
            Some(Stop::DiskFull(path)) => Err(JournalError::DiskFull { path: path.clone() }),
            Some(Stop::Failed(reason)) => {
                Err(JournalError::Stopped { path: self.files.database(), reason: reason.clone() })
            }
        }
    }

    fn write_locked<T>(
        &mut self,
        work: impl FnOnce(&mut Step<'_>) -> Result<T, JournalError>,
    ) -> Result<(T, usize), JournalError> {
        let Self { files, options, process, identity, .. } = self;
        let _guard = Guard::take(files, options.busy_wait)?;
        if files.identity()? != Some(*identity) {
            let reason = "the files were moved away by another process".to_owned();
            return Err(JournalError::Stopped { path: files.database(), reason });
        }
        let wait = options.busy_wait;
        let sql = |error| files.sql(error, wait);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        let anchor = Head::read_anchor(files)?;
        let head = Head::of(&tx).map_err(sql)?;
        match head.against(anchor.as_ref(), &tx, files)? {
            Standing::Level => {}
            // Somebody died, or stopped, between commit and anchor.
            Standing::Interrupted => head.write_anchor(files)?,
            Standing::Ahead => return Err(files.rolled_back("journal.head was put back while the journal was open")),
        }
        let mut step = Step { tx, files, options, process, head, size: STEP_SIZE };
        let value = work(&mut step)?;
        let Step { tx, size, .. } = step;
        tx.execute("UPDATE meta SET writes = writes + 1 WHERE only = 1", []).map_err(sql)?;
        let head = Head::of(&tx).map_err(sql)?;
        tx.commit().map_err(sql)?;
        if let Err(error) = head.write_anchor(files) {
            // The commit is durable, the anchor is not: whatever failed, only opening again brings them level.
            return Err(match error {
                JournalError::Io { path, source, .. } => JournalError::Stopped { path, reason: source.to_string() },
                other => other,
            });
        }
        Ok((value, size))
    }

    /// Moves the write-ahead log into the main file, as far as readers let it.
    pub(crate) fn checkpoint(&mut self, how: Checkpoint) -> Result<(), JournalError> {
        let sql = match how {
            Checkpoint::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
            Checkpoint::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        self.conn.query_row(sql, [], |_| Ok(())).map_err(|error| self.sql(error))?;
        self.unsettled = 0;
        Ok(())
    }

    /// Whether closing the handle moves the log into the main file.
    pub(crate) fn checkpoint_on_close(&self, yes: bool) -> Result<(), JournalError> {
        let set = self.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !yes);
        set.map(|_| ()).map_err(|error| self.sql(error))
    }

    fn stop(&mut self, error: &JournalError) {
        self.stopped = Some(match error {
            JournalError::DiskFull { path } => Stop::DiskFull(path.clone()),
            JournalError::Stopped { reason, .. } => Stop::Failed(reason.clone()),
            other => Stop::Failed(other.to_string()),
        });
        // Setting a flag in memory; should it fail, SQLite repeats the checkpoint at the next opening anyway.
        if let Err(error) = self.checkpoint_on_close(false) {
            tracing::warn!(%error, "the journal cannot be kept from a checkpoint when it is closed");
        }
    }

    /// Runs reading statements that all see the same state.
    pub(crate) fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let tx = self.conn.unchecked_transaction().map_err(|error| self.sql(error))?;
        read(&tx)
    }

    pub(crate) fn sql(&self, error: rusqlite::Error) -> JournalError {
        self.files.sql(error, self.options.busy_wait)
    }
}
