//! Opening: nothing is written before the files have been found whole and newest, and a reader never makes a journal.
//!
//! Owns the settings of the connection and the order of the checks.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::anchor::{Head, Standing};
use crate::chain::genesis;
use crate::error::JournalError;
use crate::files::Files;
use crate::first_bad::named;
use crate::guard::Guard;
use crate::journal::{Checkpoint, Journal};
use crate::machine::{BootClock, Process, SystemClock};
use crate::row::{COLUMNS, Row};
use crate::schema;
use crate::seal;

/// How many of the newest records are checked against the chain when a journal is opened. `verify` checks all.
const NEWEST: usize = 64;
/// How often a reader looks again when a writer was at work between its two looks.
const LOOKS: u32 = 3;

/// How a journal is opened.
#[derive(Clone)]
pub struct Options {
    /// How long to wait for another process that is writing.
    pub busy_wait: Duration,
    /// The clock that leases run by.
    pub clock: Arc<dyn BootClock>,
    /// Whether the state directory is shared with other machines; none: as its file system says.
    pub shared: Option<bool>,
}

impl Default for Options {
    /// Waits five seconds, by the system's clock since boot.
    fn default() -> Self {
        Self { busy_wait: Duration::from_secs(5), clock: Arc::new(SystemClock), shared: None }
    }
}

/// How SQLite keeps what it may have to undo, where machines share the journal: in a file of its own, emptied after.
const SHARED_MODE: &str = "truncate";

impl Journal {
    /// Opens the journal of a state directory for writing, and makes both if they do not exist.
    ///
    /// # Errors
    /// `Busy` when another process is writing for five seconds; `Corrupt`, `RolledBack` and `NewerSchema` when the
    /// files must not be written to; `DiskFull`, `Stopped`, `Io` and `Database` when the system refuses.
    pub fn open(state_dir: &Path) -> Result<Self, JournalError> {
        Self::open_with(state_dir, Options::default())
    }

    /// Opens the journal for writing, with another wait or clock.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_with(state_dir: &Path, options: Options) -> Result<Self, JournalError> {
        let files = Files::new(state_dir);
        Self::open_to_write(files.clone(), options).map_err(|error| named(&files, error))
    }

    fn open_to_write(files: Files, options: Options) -> Result<Self, JournalError> {
        files.make_dir()?;
        let _guard = Guard::take(&files, options.busy_wait)?;
        let anchor = Head::read_anchor(&files)?;
        if files.identity()?.is_none() {
            if anchor.is_some() {
                return Err(files.rolled_back("it is gone, but journal.head is there"));
            }
            if files.wal().exists() || files.rollback().exists() {
                return Err(files.corrupt(None, "it is gone, but a log of it is there"));
            }
            files.make_database()?;
        }
        let mut journal = Self::connect(files, options, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        match schema::inspect(&journal.conn, &journal.files)? {
            schema::Found::Empty if anchor.is_some() => {
                return Err(journal.files.rolled_back("it is empty, but journal.head is not"));
            }
            schema::Found::Empty => journal.create()?,
            schema::Found::Journal => journal.looks_whole()?,
            schema::Found::Older => {
                journal.looks_whole()?;
                journal.upgrade()?;
            }
        }
        if let Err(error) = journal.seal_is_unbroken() {
            // No record, table or page is touched by it, or the look at them would have said so.
            tracing::warn!(%error, "the journal has bytes that kaizen did not write");
        }
        journal.follow_sharing()?;
        journal.settle(anchor.as_ref())?;
        journal.checkpoint_on_close(true)?;
        Ok(journal)
    }

    /// Opens the journal for reading, beside a writer or not. Makes no journal: `None` when there is none.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_read_only(state_dir: &Path) -> Result<Option<Self>, JournalError> {
        Self::open_read_only_with(state_dir, Options::default())
    }

    /// Opens the journal for reading, with another wait or clock.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_read_only_with(state_dir: &Path, options: Options) -> Result<Option<Self>, JournalError> {
        let mut look = 1;
        loop {
            match Self::look(&Files::new(state_dir), &options) {
                // A reader holds no lock: a writer may have made the journal, or gone several steps on, between the
                // look at the anchor and the look at the database. What is really wrong is still so the next time.
                Err(JournalError::RolledBack { .. } | JournalError::Corrupt { .. } | JournalError::Database { .. })
                    if look < LOOKS =>
                {
                    look += 1
                }
                result => return result.map_err(|error| named(&Files::new(state_dir), error)),
            }
        }
    }

    fn look(files: &Files, options: &Options) -> Result<Option<Self>, JournalError> {
        let anchor = Head::read_anchor(files)?;
        if files.identity()?.is_none() {
            return match anchor {
                None => Ok(None),
                Some(_) => Err(files.rolled_back("it is gone, but journal.head is there")),
            };
        }
        if anchor.is_none() && files.rollback().exists() {
            // The making of the journal goes on, or was cut off; a reader can neither end it nor undo it.
            return Ok(None);
        }
        let journal = Self::connect(files.clone(), options.clone(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        match schema::inspect(&journal.conn, files)? {
            schema::Found::Empty if anchor.is_none() => return Ok(None),
            schema::Found::Empty => return Err(files.rolled_back("it is empty, but journal.head is not")),
            schema::Found::Journal | schema::Found::Older => journal.looks_whole()?,
        }
        let head = journal.snapshot(|conn| Head::of(conn).map_err(|error| journal.sql(error)))?;
        head.against(anchor.as_ref(), &journal.conn, files)?;
        Ok(Some(journal))
    }

    fn connect(files: Files, options: Options, mode: OpenFlags) -> Result<Self, JournalError> {
        let process = Process::current()
            .map_err(|error| files.io("read the state of this process in", "/proc".as_ref(), error))?;
        let sql = |error| files.sql(error, options.busy_wait);
        let reading_only = mode == OpenFlags::SQLITE_OPEN_READ_ONLY;
        if !reading_only {
            files.protect_database()?;
        }
        let conn =
            Connection::open_with_flags(files.database(), mode | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sql)?;
        configure(&conn, options.busy_wait).map_err(sql)?;
        let identity = files.identity()?.ok_or_else(|| files.rolled_back("it has just been moved away"))?;
        Ok(Self { files, conn, options, process, identity, reading_only, stopped: None, unsettled: 0 })
    }

    /// Makes the tables of a new journal.
    fn create(&mut self) -> Result<(), JournalError> {
        let wait = self.options.busy_wait;
        let sql = |error| self.files.sql(error, wait);
        let wanted = if self.is_shared() { SHARED_MODE } else { "wal" };
        let mode = to_the_end(&self.conn, &format!("PRAGMA journal_mode = {wanted}")).map_err(sql)?;
        if mode.as_deref() != Some(wanted) {
            let source = "this file system cannot share memory between processes, which SQLite needs: use another \
                          state directory"
                .into();
            return Err(JournalError::Database { path: self.files.database(), source });
        }
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        schema::create(&tx, rand::random()).map_err(sql)?;
        tx.commit().map_err(sql)?;
        self.files.sync_dir()
    }

    /// Adds the tables of later versions, all or none. Records stay as they are, so the anchor does too.
    fn upgrade(&mut self) -> Result<(), JournalError> {
        let wait = self.options.busy_wait;
        let sql = |error| self.files.sql(error, wait);
        seal::lift(&self.files)?;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        schema::upgrade(&tx).map_err(sql)?;
        tx.commit().map_err(sql)
    }

    /// Whether other machines may have the journal open. What SQLite shares in memory in its `wal` mode stays on one
    /// machine; without it, locks on the file are all there is, and those a network file system passes on.
    fn is_shared(&self) -> bool {
        self.options.shared.unwrap_or_else(|| self.files.is_on_network())
    }

    /// Brings a journal that was made on one machine alone, and now lies on a network, into the mode for that.
    fn follow_sharing(&self) -> Result<(), JournalError> {
        if self.is_shared() && self.mode()? == "wal" {
            seal::lift(&self.files)?;
            let pragma = format!("PRAGMA journal_mode = {SHARED_MODE}");
            to_the_end(&self.conn, &pragma).map_err(|error| self.sql(error))?;
        }
        Ok(())
    }

    fn mode(&self) -> Result<String, JournalError> {
        self.conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(|error| self.sql(error))
    }

    /// Checks what can be checked quickly. Writes nothing.
    fn looks_whole(&self) -> Result<(), JournalError> {
        let mode = self.mode()?;
        // Every way to do without the shared memory of `wal` looks alike to a new connection.
        if mode != "wal" && !(self.is_shared() && mode == "delete") {
            return Err(self.files.corrupt(None, format!("its journal mode is {mode}, not wal")));
        }
        self.pages_are_whole()?;
        self.snapshot(|conn| self.newest_are_chained(conn))
    }

    /// Has SQLite check the structure of the file, the indexes too: `quick_check` costs a little less and leaves out
    /// whether an index hides a row.
    pub(crate) fn pages_are_whole(&self) -> Result<(), JournalError> {
        let found: String =
            self.conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(|error| self.sql(error))?;
        if found == "ok" { Ok(()) } else { Err(self.files.corrupt(None, found)) }
    }

    fn newest_are_chained(&self, conn: &Connection) -> Result<(), JournalError> {
        let head = Head::of(conn).map_err(|error| self.sql(error))?;
        let query = || -> rusqlite::Result<Vec<Row>> {
            let sql = format!("SELECT {COLUMNS} FROM records ORDER BY seq DESC LIMIT {NEWEST}");
            conn.prepare(&sql)?.query_map([], Row::read)?.collect()
        };
        let rows = query().map_err(|error| self.sql(error))?;
        let (mut due, mut hash) = (head.seq, head.hash);
        let all = rows.len() < NEWEST;
        for row in rows {
            if row.seq != due || row.hash != hash || row.digest() != row.hash {
                return Err(self.files.corrupt(Some(due), format!("record {due} does not fit the chain")));
            }
            (due, hash) = (due.saturating_sub(1), row.prev);
        }
        if all && (due, hash) != (0, genesis(&head.journal)) {
            let detail = format!("record {} does not begin the chain of this journal", due + 1);
            return Err(self.files.corrupt(Some(due.max(1)), detail));
        }
        Ok(())
    }

    /// Brings database and anchor level, under the lock.
    fn settle(&mut self, anchor: Option<&Head>) -> Result<(), JournalError> {
        let head = Head::of(&self.conn).map_err(|error| self.sql(error))?;
        match head.against(anchor, &self.conn, &self.files)? {
            Standing::Level => self.checkpoint(Checkpoint::Passive),
            Standing::Interrupted => {
                // The last step was cut off, perhaps by a failed fsync: what was read back may be in memory only.
                // Writing it again makes it durable before anybody relies on it.
                self.checkpoint(Checkpoint::Truncate)?;
                head.write_anchor(&self.files)
            }
            Standing::Ahead => Err(self
                .files
                .rolled_back("journal.head is older than a crash explains, so one of the two was put back")),
        }
    }
}

/// Runs a statement that changes something and answers with a row. It must be run to its end: the change is committed
/// after the row, and an error of that would be lost with the rest of the statement.
fn to_the_end(conn: &Connection, sql: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let answer = rows.next()?.map(|row| row.get(0)).transpose()?;
    while rows.next()?.is_some() {}
    Ok(answer)
}

fn configure(conn: &Connection, wait: Duration) -> rusqlite::Result<()> {
    conn.busy_timeout(wait)?;
    // Closing must not touch a file that is found damaged. Checkpoints are ours: SQLite's own would hide their errors.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "cell_size_check", true)
}
