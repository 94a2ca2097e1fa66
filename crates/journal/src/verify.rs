//! The whole check: every record against its hash and the one before it, the tables of cycles and things against what
//! the events say, answers and leases against their sums, the structure of the file, and every byte of it against the seal.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::anchor::Head;
use crate::chain::{Hash, genesis};
use crate::error::JournalError;
use crate::first_bad::named;
use crate::index;
use crate::journal::Journal;
use crate::read::{CycleEntry, Found};
use crate::row::{COLUMNS, Row};

/// What a journal that verifies holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Records in the chain.
    pub records: u64,
    /// The hash of the newest record, in hexadecimal digits.
    pub head: String,
    /// Cycles.
    pub cycles: u64,
    /// Kept answers.
    pub answers: u64,
}

/// The tables that follow from the events, worked out again.
#[derive(Default)]
struct Derived {
    cycles: BTreeMap<String, CycleEntry>,
    things: BTreeMap<String, Found>,
}

impl Journal {
    /// Walks the whole journal.
    ///
    /// # Errors
    /// `Corrupt` with the first bad record, or with what else is damaged; `RolledBack` when the newest records are
    /// gone; `Altered` when only bytes that mean nothing are others than Kaizen left.
    pub fn verify(&self) -> Result<Verified, JournalError> {
        self.look_at_all().map_err(|error| named(&self.files, error))
    }

    fn look_at_all(&self) -> Result<Verified, JournalError> {
        let anchor = Head::read_anchor(&self.files)?;
        let verified = self.snapshot(|conn| {
            let head = Head::of(conn).map_err(|error| self.sql(error))?;
            // First, because a bad record is the better message.
            let derived = self.walk(conn, &head)?;
            head.against(anchor.as_ref(), conn, &self.files)?;
            self.compare(conn, &derived)?;
            self.verify_leases(conn)?;
            self.verify_spending(conn)?;
            let answers = self.verify_answers(conn)?;
            let cycles = derived.cycles.len() as u64;
            Ok(Verified { records: head.seq, head: hex::encode(head.hash), cycles, answers })
        })?;
        self.pages_are_whole()?;
        self.seal_is_unbroken()?;
        Ok(verified)
    }

    fn walk(&self, conn: &Connection, head: &Head) -> Result<Derived, JournalError> {
        let mut derived = Derived::default();
        let mut newest: (u64, Hash) = (0, genesis(&head.journal));
        // After record n an error of the file is about record n + 1.
        let damaged = |seq: u64, error: rusqlite::Error| match self.sql(error) {
            JournalError::Corrupt { detail, .. } => {
                self.files.corrupt(Some(seq + 1), format!("record {} cannot be read: {detail}", seq + 1))
            }
            other => other,
        };
        let sql = format!("SELECT {COLUMNS} FROM records ORDER BY seq");
        let mut query = conn.prepare(&sql).map_err(|error| self.sql(error))?;
        let mut rows = query.query([]).map_err(|error| self.sql(error))?;
        while let Some(row) = rows.next().map_err(|error| damaged(newest.0, error))? {
            let row = Row::read(row).map_err(|error| damaged(newest.0, error))?;
            let due = newest.0 + 1;
            if row.seq != due || row.prev != newest.1 {
                let detail = format!("record {due} is missing or does not follow the one before it");
                return Err(self.files.corrupt(Some(due), detail));
            }
            newest = (row.seq, row.hash);
            derived.add(&row.record(&self.files)?);
        }
        if newest != (head.seq, head.hash) {
            return Err(self.files.corrupt(Some(newest.0 + 1), format!("the chain ends after record {}", newest.0)));
        }
        Ok(derived)
    }

    /// Compares the stored tables with what the events say.
    fn compare(&self, conn: &Connection, derived: &Derived) -> Result<(), JournalError> {
        let sql = |error| self.sql(error);
        let mut cycles = crate::read::all_cycles(conn).map_err(sql)?;
        cycles.sort_by_key(|entry| entry.id.to_string());
        if !cycles.iter().eq(derived.cycles.values()) {
            return Err(self.files.corrupt(None, "the table of cycles does not match the records"));
        }
        let things = crate::read::all_things(conn).map_err(sql)?;
        if !things.iter().eq(derived.things.values()) {
            return Err(self.files.corrupt(None, "the table of things does not match the records"));
        }
        Ok(())
    }
}

impl Derived {
    fn add(&mut self, record: &kaizen_domain::Record) {
        let cycle = index::cycle(&record.event);
        if let Some(id) = cycle {
            let entry = self.cycles.entry(id.to_string()).or_insert_with(|| CycleEntry {
                id,
                repo: record.repo.clone(),
                tenant: record.tenant.clone(),
                started: record.at,
                first: record.seq,
                last: record.seq,
                records: 0,
                over: false,
            });
            entry.last = record.seq;
            entry.records += 1;
            entry.over |= index::ends(&record.event);
        }
        for (id, noun) in index::things(&record.event) {
            let found = Found { id: id.clone(), noun, cycle, repo: record.repo.clone(), seq: record.seq };
            self.things.entry(id).or_insert(found);
        }
    }
}
