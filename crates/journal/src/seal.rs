//! The seal: a small file beside the database with a hash of every byte of it, as the last writer left it. Records, tables
//! and pages have checks of their own; the seal is for what they leave out, such as room that holds nothing.
//!
//! A seal counts for the number of writing steps it names and no other. It is made when a writer closes the journal; after a
//! crash, and while somebody writes, there is none that counts, and nothing is said about those bytes.

use std::fs;
use std::io;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::anchor::Head;
use crate::chain::{Hash, Sum};
use crate::error::JournalError;
use crate::files::Files;
use crate::guard::Guard;
use crate::journal::Journal;
use crate::row::number;

const MAGIC: &str = "kaizen-journal-seal-1";
/// The largest database, in bytes, that is sealed: SQLite hands all of it over at once, in memory.
const LARGEST: u64 = 256 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seal {
    journal: [u8; 16],
    /// After how many writing steps it was made.
    writes: u64,
    /// Of the pages of the database, the log included.
    image: Hash,
}

impl Seal {
    fn to_line(&self) -> String {
        let fields = format!("{MAGIC} {} {} {}", hex::encode(self.journal), self.writes, hex::encode(self.image));
        let sum = hex::encode(Sum::new("seal 1").text(&fields).finish());
        format!("{fields} {sum}\n")
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let mut seal = Self { journal: [0; 16], writes: 0, image: Hash::default() };
        hex::decode_to_slice(fields.next()?, &mut seal.journal).ok()?;
        seal.writes = fields.next()?.parse().ok()?;
        hex::decode_to_slice(fields.next()?, &mut seal.image).ok()?;
        // Written again it must be the same text, as with the anchor.
        (seal.to_line() == line).then_some(seal)
    }

    fn read(files: &Files) -> Result<Option<Self>, JournalError> {
        let path = files.seal();
        let Some(bytes) = files.read(&path)? else { return Ok(None) };
        let seal = std::str::from_utf8(&bytes).ok().and_then(Self::from_line);
        seal.map(Some)
            .ok_or_else(|| JournalError::Altered { path, detail: "it is not a seal that kaizen wrote".to_owned() })
    }

    fn counts_for(&self, head: &Head) -> bool {
        (self.journal, self.writes) == (head.journal, head.writes)
    }
}

/// The newest head and the hash of every page with it; no hash when there are more than are hashed.
fn image(files: &Files) -> rusqlite::Result<(Head, Option<Hash>)> {
    // A connection of its own: what is handed over must not be used for anything else meanwhile.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(files.database(), flags)?;
    // All that is read is of one state.
    conn.execute_batch("BEGIN")?;
    let head = Head::of(&conn)?;
    let number = |name| conn.pragma_query_value(None, name, |row| number(row, 0));
    if number("page_count")?.saturating_mul(number("page_size")?) > LARGEST {
        return Ok((head, None));
    }
    let image = Sum::new("image 1").bytes(&conn.serialize("main")?).finish();
    Ok((head, Some(image)))
}

/// Breaks the seal before something changes the database that is no writing step.
pub(crate) fn lift(files: &Files) -> Result<(), JournalError> {
    let path = files.seal();
    match fs::remove_file(&path) {
        Ok(()) => files.sync_dir(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(files.io("remove", &path, error)),
    }
}

impl Journal {
    /// Compares every byte with the seal, where one counts.
    pub(crate) fn seal_is_unbroken(&self) -> Result<(), JournalError> {
        let Some(seal) = Seal::read(&self.files)? else { return Ok(()) };
        let (head, found) = image(&self.files).map_err(|error| self.sql(error))?;
        match found {
            Some(found) if seal.counts_for(&head) && found != seal.image => Err(JournalError::Altered {
                path: self.files.database(),
                detail: "bytes that no record uses are different".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Seals what this handle leaves behind.
    fn seal(&self) -> Result<(), JournalError> {
        let _guard = Guard::take(&self.files, Duration::ZERO)?;
        if self.files.identity()? != Some(self.identity) {
            return Ok(());
        }
        let head = Head::of(&self.conn).map_err(|error| self.sql(error))?;
        if Seal::read(&self.files).is_ok_and(|seal| seal.is_some_and(|seal| seal.counts_for(&head))) {
            return Ok(());
        }
        let (head, image) = image(&self.files).map_err(|error| self.sql(error))?;
        let Some(image) = image else { return Ok(()) };
        let seal = Seal { journal: head.journal, writes: head.writes, image };
        self.files.replace(&self.files.seal(), &seal.to_line())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.reading_only || self.stopped.is_some() {
            return;
        }
        // Whoever is writing now seals it then, and without a seal all other checks are still there.
        if let Err(error) = self.seal() {
            tracing::debug!(%error, "the journal was closed without a seal");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seal() -> Seal {
        Seal { journal: [7; 16], writes: 12, image: [3; 32] }
    }

    proptest! {
        #[test]
        fn a_line_with_any_byte_changed_is_refused(at in any::<usize>(), flip in 1_u8..=255) {
            let mut bytes = seal().to_line().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(Seal::from_line(&text), None);
        }
    }

    #[test]
    fn the_line_reads_back() {
        assert_eq!(Seal::from_line(&seal().to_line()), Some(seal()));
    }
}
