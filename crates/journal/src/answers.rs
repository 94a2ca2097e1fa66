//! Answers of a model by the key of the request, so that the same request is never paid twice, a crash in between
//! included. The key is the caller's: it must cover everything that the answer depends on, the tenant too.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::chain::{Hash, Sum};
use crate::error::JournalError;
use crate::journal::Journal;
use crate::lease::Lease;

fn sum(key: &str, body: &str) -> Hash {
    Sum::new("answer 1").text(key).text(body).finish()
}

impl Journal {
    /// The answer that was kept under a key.
    ///
    /// # Errors
    /// `Corrupt` when it is damaged.
    pub fn answer(&self, key: &str) -> Result<Option<String>, JournalError> {
        let found: Option<(String, Hash)> = self
            .conn
            .prepare_cached("SELECT body, sum FROM answers WHERE key = ?1")
            .and_then(|mut query| query.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(|error| self.sql(error))?;
        match found {
            Some((body, kept)) if sum(key, &body) != kept => {
                Err(self.files.corrupt(None, format!("the answer under `{key}` does not match its sum")))
            }
            found => Ok(found.map(|(body, _)| body)),
        }
    }

    /// Keeps an answer and extends the lease. The first answer under a key stays; a later one changes nothing.
    ///
    /// # Errors
    /// `Fenced` when the lease is over; the errors of every write otherwise.
    pub fn keep_answer(&mut self, lease: &Lease, key: &str, body: &str) -> Result<(), JournalError> {
        self.write(|step| {
            step.extend(lease)?;
            step.size += body.len();
            let sql = "INSERT INTO answers (key, body, sum) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING";
            let insert = || step.tx.prepare_cached(sql)?.execute(params![key, body, sum(key, body)]);
            insert().map(|_| ()).map_err(|error| step.sql(error))
        })
    }

    /// Checks the sum of every answer. Gives their number.
    pub(crate) fn verify_answers(&self, conn: &Connection) -> Result<u64, JournalError> {
        let sql = |error| self.sql(error);
        let mut query = conn.prepare("SELECT key, body, sum FROM answers").map_err(sql)?;
        let mut rows = query.query([]).map_err(sql)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(sql)? {
            let read = || Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Hash>(2)?));
            let (key, body, kept) = read().map_err(sql)?;
            if sum(&key, &body) != kept {
                return Err(self.files.corrupt(None, format!("the answer under `{key}` does not match its sum")));
            }
            count += 1;
        }
        Ok(count)
    }
}
