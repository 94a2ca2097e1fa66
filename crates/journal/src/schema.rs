//! The tables of the journal, their version, and whether a database has exactly them.
//!
//! Versions only grow. A change adds columns or tables in a new version, so that an older program is refused by name
//! instead of misreading the file.

use rusqlite::{Connection, Transaction};

use crate::error::JournalError;
use crate::files::Files;

/// The version this program writes.
pub(crate) const VERSION: i64 = 2;
/// `kzJL`, marks the file as a journal of Kaizen.
const APPLICATION_ID: i64 = 0x6b7a_4a4c;

const TABLES: &str = "
CREATE TABLE meta (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    journal BLOB NOT NULL,
    writes INTEGER NOT NULL
) STRICT;
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    repo TEXT NOT NULL,
    cycle TEXT,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX records_by_cycle ON records (cycle, seq) WHERE cycle IS NOT NULL;
CREATE INDEX records_by_repo ON records (repo, seq);
CREATE TRIGGER records_stay BEFORE UPDATE ON records BEGIN SELECT raise(ABORT, 'records are never changed'); END;
CREATE TRIGGER records_last BEFORE DELETE ON records BEGIN SELECT raise(ABORT, 'records are never deleted'); END;
CREATE TABLE cycles (
    id TEXT PRIMARY KEY,
    repo TEXT NOT NULL,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    records INTEGER NOT NULL,
    over INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cycles_by_repo ON cycles (repo, first);
CREATE TABLE things (
    id TEXT PRIMARY KEY,
    noun TEXT NOT NULL,
    cycle TEXT,
    repo TEXT NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE leases (
    repo TEXT PRIMARY KEY,
    token INTEGER NOT NULL,
    held INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    start INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    boot TEXT NOT NULL,
    taken INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    sum BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    sum BLOB NOT NULL
) STRICT;
";

/// What version 2 adds: what calls to models may have cost and did cost.
const SPENDING: &str = "
CREATE TABLE spending (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    cycle TEXT NOT NULL,
    task TEXT NOT NULL,
    day TEXT NOT NULL,
    most INTEGER NOT NULL,
    paid INTEGER,
    sum BLOB NOT NULL
) STRICT;
CREATE INDEX spending_by_day ON spending (day, tenant);
CREATE INDEX spending_by_cycle ON spending (cycle, task);
";

/// What a database file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Empty,
    /// A journal of the version that this program writes.
    Journal,
    /// A journal of an earlier version: it can be read as it is, and is brought up to date before it is written to.
    Older,
}

/// Makes the tables of a new journal. The making counts as its first write.
pub(crate) fn create(tx: &Transaction<'_>, journal: [u8; 16]) -> rusqlite::Result<()> {
    tx.execute_batch(TABLES)?;
    tx.execute_batch(SPENDING)?;
    tx.execute("INSERT INTO meta (only, journal, writes) VALUES (1, ?1, 1)", [journal])?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)
}

/// Adds what later versions have to a journal of an earlier one. Nothing that is there changes.
pub(crate) fn upgrade(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute_batch(SPENDING)?;
    tx.pragma_update(None, "user_version", VERSION)
}

/// Tells an empty file from a journal, and refuses everything else.
pub(crate) fn inspect(conn: &Connection, files: &Files) -> Result<Found, JournalError> {
    let sql = |error| files.sql(error, std::time::Duration::ZERO);
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(sql);
    let (version, application) = (pragma("user_version")?, pragma("application_id")?);
    let found = listing(conn).map_err(sql)?;
    if found.is_empty() && version == 0 && application == 0 {
        return Ok(Found::Empty);
    }
    if application != APPLICATION_ID {
        return Err(files.corrupt(None, "it is not marked as a journal"));
    }
    if version > VERSION {
        return Err(JournalError::NewerSchema { path: files.database(), found: version, known: VERSION });
    }
    if version < 1 || found != expected(version).map_err(sql)? {
        return Err(files.corrupt(None, "its tables are not those of a journal"));
    }
    Ok(if version == VERSION { Found::Journal } else { Found::Older })
}

/// Type, name, table and text of one entry of the schema.
type Entry = (String, String, String, Option<String>);

fn listing(conn: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = conn.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

fn expected(version: i64) -> rusqlite::Result<Vec<Entry>> {
    let conn = Connection::open_in_memory()?;
    conn.execute_batch(TABLES)?;
    if version >= 2 {
        conn.execute_batch(SPENDING)?;
    }
    listing(&conn)
}
