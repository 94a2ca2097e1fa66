//! Spending: what calls to models may cost and did cost, one entry a try. An entry is made before the try with the most
//! it can cost, and only if no limit is passed with it; it is settled after the try. One that was never settled, because
//! the process died in between, counts as the most: it may have been billed.
//!
//! Limit and entry are one step under the lock of all writers, so that no two calls can take the same money: not two of
//! one process, and not two processes that share the state directory.

use kaizen_domain::{CycleId, TenantId, Usd};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::chain::{Hash, Sum};
use crate::error::JournalError;
use crate::journal::Journal;
use crate::lease::Lease;

/// A try that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Whose money it is.
    pub tenant: TenantId,
    /// The cycle that asks.
    pub cycle: CycleId,
    /// What the question is for: the opportunity, or another name that is unique in the cycle.
    pub task: String,
    /// The day in UTC, as `2026-11-22`. Its first seven letters are the month.
    pub day: String,
    /// The most it can cost.
    pub most: Usd,
}

/// What may be spent; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// For one task of a cycle.
    pub task: Option<Usd>,
    /// For a cycle.
    pub cycle: Option<Usd>,
    /// In a day, by everybody who uses this state directory.
    pub day: Option<Usd>,
    /// By the tenant, in a calendar month.
    pub tenant: Option<Usd>,
}

/// What a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One task of a cycle.
    Task,
    /// A cycle.
    Cycle,
    /// A day.
    Day,
    /// A tenant's month.
    Tenant,
}

/// What came of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booked {
    /// It stands; the number settles it.
    Entry(i64),
    /// It would pass a limit, and is not there.
    Refused {
        /// Which limit.
        scope: Scope,
        /// What is left of it.
        left: Usd,
    },
}

struct Entry {
    tenant: String,
    cycle: String,
    task: String,
    day: String,
    most: i64,
    paid: Option<i64>,
}

impl Entry {
    fn sum(&self, id: i64) -> Hash {
        let paid = self.paid.map_or_else(|| "open".to_owned(), |paid| paid.to_string());
        Sum::new("spending 1")
            .text(&id.to_string())
            .text(&self.tenant)
            .text(&self.cycle)
            .text(&self.task)
            .text(&self.day)
            .text(&self.most.to_string())
            .text(&paid)
            .finish()
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Self, Hash)> {
        let entry = Self {
            tenant: row.get(1)?,
            cycle: row.get(2)?,
            task: row.get(3)?,
            day: row.get(4)?,
            most: row.get(5)?,
            paid: row.get(6)?,
        };
        Ok((row.get(0)?, entry, row.get(7)?))
    }
}

const COLUMNS: &str = "id, tenant, cycle, task, day, most, paid, sum";

/// An amount as the database holds it. What no database number can hold is more than anybody has.
fn stored(usd: Usd) -> i64 {
    i64::try_from(usd.0).unwrap_or(i64::MAX)
}

fn read_back(amount: i64) -> Usd {
    Usd(u64::try_from(amount).unwrap_or(0))
}

impl Journal {
    /// Makes an entry for a try, unless it would pass a limit.
    ///
    /// # Errors
    /// `Fenced` when the lease is over; the errors of every write otherwise. Then the try must not be made.
    pub fn book(&mut self, lease: &Lease, booking: &Booking, limits: &Limits) -> Result<Booked, JournalError> {
        self.write(|step| {
            step.extend(lease)?;
            let sql = |error| step.sql(error);
            let scopes = [
                (Scope::Task, limits.task),
                (Scope::Cycle, limits.cycle),
                (Scope::Day, limits.day),
                (Scope::Tenant, limits.tenant),
            ];
            for (scope, limit) in scopes {
                let Some(limit) = limit else { continue };
                let spent = spent(&step.tx, scope, booking).map_err(sql)?;
                let left = Usd(limit.0.saturating_sub(spent.0));
                if booking.most > left {
                    return Ok(Booked::Refused { scope, left });
                }
            }
            let entry = Entry {
                tenant: booking.tenant.to_string(),
                cycle: booking.cycle.to_string(),
                task: booking.task.clone(),
                day: booking.day.clone(),
                most: stored(booking.most),
                paid: None,
            };
            let last: i64 =
                step.tx.query_row("SELECT coalesce(max(id), 0) FROM spending", [], |row| row.get(0)).map_err(sql)?;
            let id = last + 1;
            let insert = "INSERT INTO spending (id, tenant, cycle, task, day, most, paid, sum) \
                          VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7)";
            step.tx
                .execute(
                    insert,
                    params![id, entry.tenant, entry.cycle, entry.task, entry.day, entry.most, entry.sum(id)],
                )
                .map_err(sql)?;
            Ok(Booked::Entry(id))
        })
    }

    /// Writes down what a try did cost. An entry that is settled already stays as it is.
    ///
    /// # Errors
    /// `Fenced` when the lease is over; the errors of every write otherwise. Then the try counts as the most.
    pub fn settle_booking(&mut self, lease: &Lease, id: i64, paid: Usd) -> Result<(), JournalError> {
        self.write(|step| {
            step.extend(lease)?;
            let sql = |error| step.sql(error);
            let query = format!("SELECT {COLUMNS} FROM spending WHERE id = ?1 AND paid IS NULL");
            let found = step.tx.query_row(&query, [id], Entry::read).optional().map_err(sql)?;
            let Some((id, mut entry, _)) = found else { return Ok(()) };
            entry.paid = Some(stored(paid));
            let update = "UPDATE spending SET paid = ?2, sum = ?3 WHERE id = ?1";
            step.tx.execute(update, params![id, entry.paid, entry.sum(id)]).map(|_| ()).map_err(sql)
        })
    }

    /// What counts as spent against a limit, as a booking like this one would find it.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn spent(&self, scope: Scope, booking: &Booking) -> Result<Usd, JournalError> {
        if !self.has_spending()? {
            return Ok(Usd(0));
        }
        spent(&self.conn, scope, booking).map_err(|error| self.sql(error))
    }

    /// Whether the table is there: a journal of an earlier version that is only read has none.
    fn has_spending(&self) -> Result<bool, JournalError> {
        let query = "SELECT count(*) FROM sqlite_schema WHERE name = 'spending'";
        let count: i64 = self.conn.query_row(query, [], |row| row.get(0)).map_err(|error| self.sql(error))?;
        Ok(count > 0)
    }

    /// Checks the sum of every entry.
    pub(crate) fn verify_spending(&self, conn: &Connection) -> Result<(), JournalError> {
        if !self.has_spending()? {
            return Ok(());
        }
        let sql = |error| self.sql(error);
        let mut query = conn.prepare(&format!("SELECT {COLUMNS} FROM spending")).map_err(sql)?;
        let mut rows = query.query([]).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let (id, entry, kept) = Entry::read(row).map_err(sql)?;
            if entry.sum(id) != kept {
                return Err(self.files.corrupt(None, format!("entry {id} of what was spent does not match its sum")));
            }
        }
        Ok(())
    }
}

fn spent(conn: &Connection, scope: Scope, booking: &Booking) -> rusqlite::Result<Usd> {
    const SUM: &str = "SELECT coalesce(sum(min(coalesce(paid, most), 1000000000000)), 0) FROM spending WHERE";
    let cycle = booking.cycle.to_string();
    let amount: i64 = match scope {
        Scope::Task => conn
            .prepare_cached(&format!("{SUM} cycle = ?1 AND task = ?2"))?
            .query_row(params![cycle, booking.task], |row| row.get(0))?,
        Scope::Cycle => conn.prepare_cached(&format!("{SUM} cycle = ?1"))?.query_row([cycle], |row| row.get(0))?,
        Scope::Day => conn.prepare_cached(&format!("{SUM} day = ?1"))?.query_row([&booking.day], |row| row.get(0))?,
        Scope::Tenant => {
            let month = booking.day.get(..7).unwrap_or(&booking.day);
            // `~` sorts after every digit: all days of the month lie in between.
            conn.prepare_cached(&format!("{SUM} day >= ?1 AND day < ?1 || '~' AND tenant = ?2"))?
                .query_row(params![month, booking.tenant.to_string()], |row| row.get(0))?
        }
    };
    Ok(read_back(amount))
}
