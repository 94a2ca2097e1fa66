//! Setting a damaged journal aside: its files move, as they are, into a directory of their own, and the place is free
//! for a new journal.
//!
//! Nothing is deleted and nothing is opened. The steps can be cut off anywhere; the next call goes on with them.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::JournalError;
use crate::files::Files;
use crate::guard::Guard;
use crate::journal::Journal;

const PREFIX: &str = "journal.damaged-";
/// Until all files are moved, the directory has this ending.
const UNFINISHED: &str = ".unfinished";
const WAIT: Duration = Duration::from_secs(5);

impl Journal {
    /// Moves the files of the journal into `journal.damaged-<n>` below the state directory and gives that path. A
    /// process that has the journal open finds out at its next write and stops.
    ///
    /// # Errors
    /// `Missing` when there is nothing to move; `Busy` when a process is in the middle of a write.
    pub fn set_aside(state_dir: &Path) -> Result<PathBuf, JournalError> {
        let files = Files::new(state_dir);
        if !state_dir.is_dir() {
            return Err(JournalError::Missing { dir: state_dir.to_path_buf() });
        }
        let _guard = Guard::take(&files, WAIT)?;
        // The logs first: beside a new database they would be taken for part of it. The anchor last: as long as it is
        // there, nothing takes its place for empty.
        let order = [
            files.wal(),
            files.rollback(),
            files.shm(),
            files.database(),
            files.seal(),
            Files::unfinished(&files.seal()),
            Files::unfinished(&files.head()),
            files.head(),
        ];
        let number = match numbers(&files)? {
            // That move was only not given its name, and a new journal has been begun since.
            (newest, Some(cut_off))
                if files.database().exists() && database_in(&unfinished(&files, cut_off)).exists() =>
            {
                finish(&files, cut_off)?;
                newest.max(cut_off).saturating_add(1)
            }
            (_, Some(cut_off)) => cut_off,
            (newest, None) => newest.saturating_add(1),
        };
        let moving = unfinished(&files, number);
        if !moving.is_dir() {
            if !order.iter().any(|path| path.exists()) {
                return Err(JournalError::Missing { dir: state_dir.to_path_buf() });
            }
            let made = DirBuilder::new().mode(0o700).create(&moving);
            made.map_err(|error| files.io("create", &moving, error))?;
        }
        for path in &order {
            match fs::rename(path, free_name(&moving, path)) {
                Ok(()) => files.sync_dir()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(files.io("move", path, error)),
            }
        }
        finish(&files, number)
    }
}

fn unfinished(files: &Files, number: u64) -> PathBuf {
    files.dir().join(format!("{PREFIX}{number}{UNFINISHED}"))
}

fn database_in(dir: &Path) -> PathBuf {
    Files::new(dir).database()
}

/// Gives a complete move its name.
fn finish(files: &Files, number: u64) -> Result<PathBuf, JournalError> {
    let moving = unfinished(files, number);
    let done = files.dir().join(format!("{PREFIX}{number}"));
    Files::new(&moving).sync_dir()?;
    fs::rename(&moving, &done).map_err(|error| files.io("rename", &moving, error))?;
    files.sync_dir()?;
    Ok(done)
}

/// Where a file goes. A reader may have made an empty side file again after the first was moved: both are kept.
fn free_name(moving: &Path, path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let mut target = moving.join(name);
    let mut again = 1_u32;
    while target.exists() {
        let mut other = name.to_owned();
        other.push(format!(".{again}"));
        target = moving.join(other);
        again = again.saturating_add(1);
    }
    target
}

/// The largest number of a move, and that of one that was cut off.
fn numbers(files: &Files) -> Result<(u64, Option<u64>), JournalError> {
    let dir = files.dir();
    let (mut newest, mut cut_off) = (0_u64, None);
    for entry in fs::read_dir(dir).map_err(|error| files.io("list", dir, error))? {
        let name = entry.map_err(|error| files.io("list", dir, error))?.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        match rest.strip_suffix(UNFINISHED) {
            Some(number) => cut_off = cut_off.or(number.parse().ok()),
            None => newest = newest.max(rest.parse().unwrap_or(0)),
        }
    }
    Ok((newest, cut_off))
}
