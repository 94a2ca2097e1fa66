//! The anchor: a small file beside the database that holds the newest head, written after each commit. A database that
//! is behind its anchor is an older copy or has lost its tail.
//!
//! Every writing step holds the lock file from before its commit until after the anchor, so the two are never more
//! than one step apart, whoever dies when.

use rusqlite::{Connection, OptionalExtension as _};

use crate::chain::{Hash, Sum, genesis};
use crate::error::JournalError;
use crate::files::Files;
use crate::row::{number, signed};

const MAGIC: &str = "kaizen-journal-head-1";

/// How far a journal has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The journal, by the random id it was made with.
    pub(crate) journal: [u8; 16],
    /// Writing steps so far: appends, leases and answers alike.
    pub(crate) writes: u64,
    /// The newest record; 0 when there is none.
    pub(crate) seq: u64,
    /// Its hash.
    pub(crate) hash: Hash,
}

/// How database and anchor stand to each other when neither was tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// They agree.
    Level,
    /// The newest step was committed, but its anchor was not written.
    Interrupted,
    /// The database went on after the anchor was read. Only a reader, who holds no lock, meets this.
    Ahead,
}

impl Head {
    /// The head of the database.
    pub(crate) fn of(conn: &Connection) -> rusqlite::Result<Self> {
        let (journal, writes): ([u8; 16], u64) = conn
            .prepare_cached("SELECT journal, writes FROM meta WHERE only = 1")?
            .query_row([], |row| Ok((row.get(0)?, number(row, 1)?)))?;
        let newest: Option<(u64, Hash)> = conn
            .prepare_cached("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| Ok((number(row, 0)?, row.get(1)?)))
            .optional()?;
        let (seq, hash) = newest.unwrap_or_else(|| (0, genesis(&journal)));
        Ok(Self { journal, writes, seq, hash })
    }

    fn to_line(&self) -> String {
        let fields =
            format!("{MAGIC} {} {} {} {}", hex::encode(self.journal), self.writes, self.seq, hex::encode(self.hash));
        let sum = hex::encode(Sum::new("head 1").text(&fields).finish());
        format!("{fields} {sum}\n")
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let mut head = Self { journal: [0; 16], writes: 0, seq: 0, hash: Hash::default() };
        hex::decode_to_slice(fields.next()?, &mut head.journal).ok()?;
        head.writes = fields.next()?.parse().ok()?;
        head.seq = fields.next()?.parse().ok()?;
        hex::decode_to_slice(fields.next()?, &mut head.hash).ok()?;
        // Written again it must be the same text: that checks label, sum and everything between.
        (head.to_line() == line).then_some(head)
    }

    /// Reads the anchor; `None` when there is none.
    pub(crate) fn read_anchor(files: &Files) -> Result<Option<Self>, JournalError> {
        let path = files.head();
        let Some(bytes) = files.read(&path)? else { return Ok(None) };
        let head = std::str::from_utf8(&bytes).ok().and_then(Self::from_line);
        head.map(Some).ok_or_else(|| JournalError::Corrupt {
            path,
            record: None,
            detail: "it is not a head that kaizen wrote".to_owned(),
        })
    }

    /// Makes this head the anchor, durably and in one step.
    pub(crate) fn write_anchor(&self, files: &Files) -> Result<(), JournalError> {
        files.replace(&files.head(), &self.to_line())
    }

    /// Compares the head of the database with an anchor that was read before it.
    pub(crate) fn against(
        &self,
        anchor: Option<&Self>,
        conn: &Connection,
        files: &Files,
    ) -> Result<Standing, JournalError> {
        let Some(anchor) = anchor else {
            // The very first step makes the journal; its anchor follows.
            return match self.writes {
                0 | 1 => Ok(Standing::Interrupted),
                _ => Err(files.rolled_back("journal.head is missing")),
            };
        };
        if anchor.journal != self.journal {
            return Err(files.rolled_back("journal.head belongs to another journal"));
        }
        if anchor.writes > self.writes || anchor.seq > self.seq {
            return Err(files.rolled_back(format!(
                "it ends at record {} after {} writes, journal.head knows record {} after {} writes",
                self.seq, self.writes, anchor.seq, anchor.writes
            )));
        }
        if stored_hash(conn, anchor, files)? != Some(anchor.hash) {
            let detail = format!("record {} is not the one that journal.head names", anchor.seq);
            return Err(files.corrupt(Some(anchor.seq), detail));
        }
        match self.writes - anchor.writes {
            0 if anchor.seq == self.seq => Ok(Standing::Level),
            0 => Err(files.corrupt(None, "it holds records that no write accounts for")),
            1 => Ok(Standing::Interrupted),
            _ => Ok(Standing::Ahead),
        }
    }
}

fn stored_hash(conn: &Connection, anchor: &Head, files: &Files) -> Result<Option<Hash>, JournalError> {
    if anchor.seq == 0 {
        return Ok(Some(genesis(&anchor.journal)));
    }
    let query = || {
        let seq = signed(anchor.seq)?;
        conn.prepare_cached("SELECT hash FROM records WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).optional()
    };
    query().map_err(|error| files.sql(error, std::time::Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head() -> Head {
        Head { journal: [7; 16], writes: 12, seq: 9, hash: [3; 32] }
    }

    proptest! {
        #[test]
        fn a_line_with_any_byte_changed_is_refused(at in 0_usize..222, flip in 1_u8..=255) {
            let mut bytes = head().to_line().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(Head::from_line(&text), None);
        }
    }

    #[test]
    fn the_line_reads_back() {
        assert_eq!(Head::from_line(&head().to_line()), Some(head()));
        for odd in ["", "kaizen-journal-head-1", "a b c d e f"] {
            assert_eq!(Head::from_line(odd), None);
        }
    }
}
