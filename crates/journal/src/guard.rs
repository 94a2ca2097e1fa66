//! The lock file: one writing step at a time over database and anchor together, across processes, with a bounded wait.
//! Also says which process holds a lock, as far as `/proc/locks` tells.
//!
//! The lock dies with its process; nothing here ever removes a lock of somebody else.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::JournalError;
use crate::files::Files;

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// The byte of the `-shm` file that a writer in WAL mode locks; part of SQLite's file format.
const WAL_WRITE_LOCK: u64 = 120;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    // Closing the file gives the lock back.
    _file: File,
}

impl Guard {
    /// Takes the lock, waiting at most `wait`.
    pub(crate) fn take(files: &Files, wait: Duration) -> Result<Self, JournalError> {
        let path = files.lock();
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| files.io("open", &path, error))?;
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if started.elapsed() < wait => {
                    thread::sleep(pause.min(wait.saturating_sub(started.elapsed())));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    let pid = holder(&path, "FLOCK", 0);
                    return Err(JournalError::Busy { path, waited: wait, pid });
                }
                Err(TryLockError::Error(error)) => return Err(files.io("lock", &path, error)),
            }
        }
    }
}

/// The process that is writing to a database in WAL mode.
pub(crate) fn sqlite_writer(shm: &Path) -> Option<u32> {
    holder(shm, "POSIX", WAL_WRITE_LOCK)
}

/// The process that holds a write lock of this class over this byte of the file.
fn holder(path: &Path, class: &str, byte: u64) -> Option<u32> {
    let meta = fs::metadata(path).ok()?;
    let file = format!("{:02x}:{:02x}:{}", rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()), meta.ino());
    fs::read_to_string("/proc/locks").ok()?.lines().find_map(|line| parse_lock(line, class, &file, byte))
}

/// Reads a line such as `1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 120 120`. Lines of processes that wait for a lock
/// have an arrow in the second field and so do not match.
fn parse_lock(line: &str, class: &str, file: &str, byte: u64) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    let found = fields.next()? == class && fields.nth(1)? == "WRITE";
    let pid: u32 = fields.next()?.parse().ok()?;
    let same_file = fields.next()? == file;
    let start: u64 = fields.next()?.parse().ok()?;
    let end = fields.next()?.parse().unwrap_or(u64::MAX);
    (found && same_file && pid > 0 && (start..=end).contains(&byte)).then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::parse_lock;

    #[test]
    fn the_holder_of_a_lock_is_read_from_the_systems_list() {
        let file = "fd:00:2531452";
        let holder = |line: &str, class| parse_lock(line, class, file, 120);
        assert_eq!(holder("1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 120 120", "POSIX"), Some(3568));
        assert_eq!(holder("7: FLOCK  ADVISORY  WRITE 12 fd:00:2531452 0 EOF", "FLOCK"), Some(12));
        for other in [
            "1: POSIX  ADVISORY  READ 3568 fd:00:2531452 120 120",
            "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 124 124",
            "1: POSIX  ADVISORY  WRITE 3568 fd:00:7 120 120",
            "1: -> POSIX  ADVISORY  WRITE 3568 fd:00:2531452 120 120",
            "1: POSIX  ADVISORY  WRITE 0 fd:00:2531452 120 120",
            "1: OFDLCK ADVISORY  WRITE -1 fd:00:2531452 120 120",
            "",
            "1:",
        ] {
            assert_eq!(holder(other, "POSIX"), None, "{other}");
        }
    }
}
