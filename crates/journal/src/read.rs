//! Reading: records, cycles, and things by the prefix of their id. Every record is checked against its own hash when it
//! is read, so that damage is an error and never a wrong answer.

use kaizen_domain::{CycleId, Record, TenantId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::error::JournalError;
use crate::index::Noun;
use crate::journal::Journal;
use crate::row::{COLUMNS, Row, number, signed};

const CYCLES: &str = "SELECT id, repo, tenant, at, first, last, records, over FROM cycles";
const THINGS: &str = "SELECT id, noun, cycle, repo, seq FROM things";

/// Which records are wanted: those that meet every condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only of this repository.
    pub repo: Option<String>,
    /// Only of this cycle.
    pub cycle: Option<CycleId>,
    /// Only those with a larger number.
    pub after: Option<u64>,
}

impl Filter {
    /// The records of one cycle.
    #[must_use]
    pub fn cycle(cycle: CycleId) -> Self {
        Self { cycle: Some(cycle), ..Self::default() }
    }

    /// The records of one repository.
    #[must_use]
    pub fn repo(repo: impl Into<String>) -> Self {
        Self { repo: Some(repo.into()), ..Self::default() }
    }
}

/// A cycle, as the journal lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleEntry {
    /// Its id.
    pub id: CycleId,
    /// Its repository.
    pub repo: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// When its first record was written.
    pub started: Timestamp,
    /// The number of its first record.
    pub first: u64,
    /// The number of its newest record.
    pub last: u64,
    /// How many records it has; records of other cycles may lie between them.
    pub records: u64,
    /// Whether it has finished or failed.
    pub over: bool,
}

/// A thing found by the prefix of its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The whole id, written.
    pub id: String,
    /// What it is.
    pub noun: Noun,
    /// The cycle it came up in.
    pub cycle: Option<CycleId>,
    /// The repository.
    pub repo: String,
    /// The record that names it first.
    pub seq: u64,
}

impl Journal {
    /// The records that meet the filter, the oldest first.
    ///
    /// # Errors
    /// `Corrupt` when one of them is damaged or missing.
    pub fn records(&self, filter: &Filter) -> Result<Vec<Record>, JournalError> {
        self.snapshot(|conn| {
            let rows = select(conn, filter).map_err(|error| self.sql(error))?;
            self.is_complete(conn, filter, &rows)?;
            rows.into_iter().map(|row| row.record(&self.files)).collect()
        })
    }

    /// The number of the newest record of a repository; 0 when it has none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn newest(&self, repo: &str) -> Result<u64, JournalError> {
        let sql = "SELECT coalesce(max(seq), 0) FROM records WHERE repo = ?1";
        let query = self.conn.prepare_cached(sql).and_then(|mut query| query.query_row([repo], |row| number(row, 0)));
        query.map_err(|error| self.sql(error))
    }

    /// Finds out whether a damaged index hides rows, as far as that shows without reading everything.
    fn is_complete(&self, conn: &Connection, filter: &Filter, rows: &[Row]) -> Result<(), JournalError> {
        match filter {
            Filter { repo: None, cycle: Some(cycle), after: None } => {
                let sql = "SELECT records FROM cycles WHERE id = ?1";
                let query = conn
                    .prepare_cached(sql)
                    .and_then(|mut query| query.query_row([cycle.to_string()], |row| number(row, 0)).optional());
                let due = query.map_err(|error| self.sql(error))?.unwrap_or(0);
                if due != rows.len() as u64 {
                    let detail = format!("{} records of cycle {cycle} are found, {due} are listed", rows.len());
                    return Err(self.files.corrupt(None, detail));
                }
            }
            Filter { repo: None, cycle: None, after } => {
                let mut due = after.unwrap_or(0);
                let mut before = None;
                for row in rows {
                    due = due.saturating_add(1);
                    if row.seq != due || before.is_some_and(|hash| hash != row.prev) {
                        let detail = format!("record {due} is missing or does not fit the chain");
                        return Err(self.files.corrupt(Some(due), detail));
                    }
                    before = Some(row.hash);
                }
            }
            Filter { .. } => {}
        }
        Ok(())
    }

    /// The cycles of a repository, or of all, the newest last.
    ///
    /// # Errors
    /// `Corrupt` when a row cannot be read.
    pub fn cycles(&self, repo: Option<&str>) -> Result<Vec<CycleEntry>, JournalError> {
        let listed = match repo {
            Some(_) => list(&self.conn, &format!("{CYCLES} WHERE repo = ?1 ORDER BY first"), repo),
            None => all_cycles(&self.conn),
        };
        listed.map_err(|error| self.sql(error))
    }

    /// Things whose written id begins with `prefix`, in the order of their ids. No prefix finds nothing.
    ///
    /// # Errors
    /// `Corrupt` when a row cannot be read.
    pub fn find(&self, prefix: &str) -> Result<Vec<Found>, JournalError> {
        // Ids are letters and digits; whatever else a person typed begins none of them.
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Vec::new());
        }
        let from = prefix.to_ascii_lowercase();
        let to = format!("{from}\u{7f}");
        let query = || -> rusqlite::Result<Vec<Found>> {
            let sql = format!("{THINGS} WHERE id >= ?1 AND id < ?2 ORDER BY id");
            self.conn.prepare_cached(&sql)?.query_map([&from, &to], found)?.collect()
        };
        query().map_err(|error| self.sql(error))
    }
}

/// All cycles, the newest last.
pub(crate) fn all_cycles(conn: &Connection) -> rusqlite::Result<Vec<CycleEntry>> {
    list(conn, &format!("{CYCLES} ORDER BY first"), None)
}

/// All things, in the order of their ids.
pub(crate) fn all_things(conn: &Connection) -> rusqlite::Result<Vec<Found>> {
    conn.prepare(&format!("{THINGS} ORDER BY id"))?.query_map([], found)?.collect()
}

fn select(conn: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Row>> {
    let mut conditions = Vec::new();
    let mut values = Vec::new();
    if let Some(repo) = &filter.repo {
        values.push(Value::from(repo.clone()));
        conditions.push(format!("repo = ?{}", values.len()));
    }
    if let Some(cycle) = &filter.cycle {
        values.push(Value::from(cycle.to_string()));
        conditions.push(format!("cycle = ?{}", values.len()));
    }
    if let Some(after) = filter.after {
        values.push(Value::from(signed(after).unwrap_or(i64::MAX)));
        conditions.push(format!("seq > ?{}", values.len()));
    }
    let condition = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let sql = format!("SELECT {COLUMNS} FROM records {condition} ORDER BY seq");
    conn.prepare_cached(&sql)?.query_map(params_from_iter(values), Row::read)?.collect()
}

fn list(conn: &Connection, sql: &str, repo: Option<&str>) -> rusqlite::Result<Vec<CycleEntry>> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(CycleEntry {
            id: parsed(row, 0)?,
            repo: row.get(1)?,
            tenant: parsed(row, 2)?,
            started: Timestamp(number(row, 3)?),
            first: number(row, 4)?,
            last: number(row, 5)?,
            records: number(row, 6)?,
            over: row.get(7)?,
        })
    };
    conn.prepare_cached(sql)?.query_map(params_from_iter(repo), read)?.collect()
}

fn found(row: &rusqlite::Row<'_>) -> rusqlite::Result<Found> {
    let cycle = match row.get::<_, Option<String>>(2)? {
        Some(_) => Some(parsed(row, 2)?),
        None => None,
    };
    let word: String = row.get(1)?;
    let noun = Noun::from_word(&word).ok_or_else(|| unreadable(1, format!("`{word}` is no noun").into()))?;
    Ok(Found { id: row.get(0)?, noun, cycle, repo: row.get(3)?, seq: number(row, 4)? })
}

fn parsed<T>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| unreadable(column, Box::new(error)))
}

fn unreadable(column: usize, error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
}
