//! A row of the table of records: how an event becomes one, what its hash covers, and how it becomes a record again.

use kaizen_domain::{Event, Record, TenantId, Timestamp};
use rusqlite::{Row as SqlRow, Transaction};

use crate::chain::{Hash, Sum};
use crate::error::JournalError;
use crate::files::Files;
use crate::index;

/// The columns, in the order that [`Row::read`] expects.
pub(crate) const COLUMNS: &str = "seq, at, tenant, repo, cycle, kind, body, prev, hash";

/// One stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    at: u64,
    tenant: String,
    repo: String,
    pub(crate) cycle: Option<String>,
    kind: String,
    /// The event as JSON.
    body: String,
    /// The hash of the row before.
    pub(crate) prev: Hash,
    pub(crate) hash: Hash,
}

impl Row {
    /// Chains an event to the row before it.
    pub(crate) fn new(
        (seq, prev): (u64, Hash),
        (at, tenant, repo): (Timestamp, &TenantId, &str),
        event: &Event,
    ) -> Result<Self, JournalError> {
        let kind = event.name();
        let unwritable = |reason: String| JournalError::Unwritable { kind: kind.to_owned(), reason };
        if i64::try_from(at.0).is_err() {
            return Err(unwritable(format!("{} is no time", at.0)));
        }
        let body = serde_json::to_string(event).map_err(|error| unwritable(error.to_string()))?;
        let mut row = Self {
            seq,
            at: at.0,
            tenant: tenant.as_str().to_owned(),
            repo: repo.to_owned(),
            cycle: index::cycle(event).map(|cycle| cycle.to_string()),
            kind: kind.to_owned(),
            body,
            prev,
            hash: Hash::default(),
        };
        row.hash = row.digest();
        Ok(row)
    }

    /// The hash of the previous row and of everything that this row says.
    pub(crate) fn digest(&self) -> Hash {
        Sum::new("record 1")
            .bytes(&self.prev)
            .number(self.seq)
            .number(self.at)
            .text(&self.tenant)
            .text(&self.repo)
            .optional(self.cycle.as_deref())
            .text(&self.kind)
            .text(&self.body)
            .finish()
    }

    pub(crate) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: number(row, 0)?,
            at: number(row, 1)?,
            tenant: row.get(2)?,
            repo: row.get(3)?,
            cycle: row.get(4)?,
            kind: row.get(5)?,
            body: row.get(6)?,
            prev: row.get(7)?,
            hash: row.get(8)?,
        })
    }

    pub(crate) fn insert(&self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        let sql = format!("INSERT INTO records ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        tx.prepare_cached(&sql)?.execute(rusqlite::params![
            signed(self.seq)?,
            signed(self.at)?,
            self.tenant,
            self.repo,
            self.cycle,
            self.kind,
            self.body,
            self.prev,
            self.hash
        ])?;
        Ok(())
    }

    /// Checks the row against its own hash and reads the event back.
    pub(crate) fn record(self, files: &Files) -> Result<Record, JournalError> {
        let bad = |what: String| files.corrupt(Some(self.seq), format!("record {}: {what}", self.seq));
        if self.digest() != self.hash {
            return Err(bad("its content does not match its hash".to_owned()));
        }
        let event = self.event().map_err(|error| bad(format!("its event cannot be read: {error}")))?;
        let columns_fit =
            self.kind == event.name() && self.cycle == index::cycle(&event).map(|cycle| cycle.to_string());
        if !columns_fit {
            return Err(bad("its columns do not match its event".to_owned()));
        }
        let tenant = TenantId::new(self.tenant.as_str()).map_err(|error| bad(error.to_string()))?;
        Ok(Record { seq: self.seq, at: Timestamp(self.at), tenant, repo: self.repo, event })
    }

    /// The event as it will be read back.
    pub(crate) fn event(&self) -> Result<Event, serde_json::Error> {
        serde_json::from_str(&self.body)
    }

    /// The size of the body in bytes.
    pub(crate) fn size(&self) -> usize {
        self.body.len()
    }
}

/// A column that holds a number which is never negative.
pub(crate) fn number(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// A number as SQLite keeps it.
pub(crate) fn signed(value: u64) -> rusqlite::Result<i64> {
    i64::try_from(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
