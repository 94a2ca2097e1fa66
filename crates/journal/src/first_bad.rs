//! The first bad record of a file that is damaged in any way: the records are read one after the other for as long as that
//! goes, without the indexes, and without anything else that the file holds.

use rusqlite::{Connection, OpenFlags};

use crate::chain::{Hash, genesis};
use crate::error::JournalError;
use crate::files::Files;
use crate::row::{COLUMNS, Row};

/// What is wrong with a damaged file, with the first bad record: where none is named, each of them is whole.
pub(crate) fn named(files: &Files, error: JournalError) -> JournalError {
    let JournalError::Corrupt { record: None, detail, path } = error else { return error };
    let (record, found) = match first_bad(files) {
        Some(Ok(whole)) => (None, format!("each of its {whole} records is whole")),
        Some(Err(bad)) => (Some(bad), format!("the first bad record is {bad}")),
        None => (None, "its records cannot be looked at now".to_owned()),
    };
    JournalError::Corrupt { record, detail: format!("{detail} ({found})"), path }
}

/// How many records there are, all of them whole, or the first that is not; none while somebody keeps others from reading.
fn first_bad(files: &Files) -> Option<Result<u64, u64>> {
    let read = |whole: &mut u64| -> rusqlite::Result<bool> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(files.database(), flags)?;
        let journal = conn.query_row("SELECT journal FROM meta WHERE only = 1", [], |row| row.get::<_, [u8; 16]>(0));
        // Where it is not known which journal it is, the first record says what it follows.
        let mut before: Option<Hash> = journal.ok().map(|journal| genesis(&journal));
        let mut query = conn.prepare(&format!("SELECT {COLUMNS} FROM records NOT INDEXED ORDER BY seq"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let row = Row::read(row)?;
            let follows = before.is_none_or(|before| row.prev == before);
            if row.seq != *whole + 1 || !follows || row.digest() != row.hash {
                return Ok(false);
            }
            (before, *whole) = (Some(row.hash), row.seq);
        }
        Ok(true)
    };
    let mut whole = 0;
    match read(&mut whole) {
        Ok(true) => Some(Ok(whole)),
        Err(error) if is_held_back(&error) => None,
        Ok(false) | Err(_) => Some(Err(whole + 1)),
    }
}

fn is_held_back(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, FileLockingProtocolFailed, SystemIoFailure};
    let code = error.sqlite_error_code();
    matches!(code, Some(DatabaseBusy | DatabaseLocked | FileLockingProtocolFailed | SystemIoFailure))
}
