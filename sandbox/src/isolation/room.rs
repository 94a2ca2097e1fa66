//! The host's disk while a job may write to folders on it: how much room has gone since the job began.
//!
//! Asked of the file system, not by adding up files: a file that is deleted and still open takes room that no folder
//! shows. Others may use the room too; such a job ends without a verdict, which is the safe side.

use std::ffi::CString;
use std::mem::zeroed;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::IsolationError;
use super::root::c_string;

/// One file system takes at most this many new files, per byte that may be written to it: one in 4 KiB.
const BYTES_A_FILE: u64 = 4 << 10;

/// Files that any limit leaves room for.
const LEAST_FILES: u64 = 4096;

/// The room on the file systems that a job may write to.
#[derive(Debug)]
pub(super) struct Room(Vec<(CString, Free)>);

#[derive(Debug, Clone, Copy)]
struct Free {
    bytes: u64,
    files: u64,
}

impl Room {
    /// The room there is now, for folders that a job may write to.
    pub(super) fn now<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<Self, IsolationError> {
        let mut free = Vec::new();
        for path in paths {
            let name = c_string(path)?;
            let now = Free::at(&name).ok_or_else(|| IsolationError::last("asking for free disk space"))?;
            free.push((name, now));
        }
        Ok(Self(free))
    }

    /// Whether more than `limit` bytes, or the files that go with it, are gone since.
    pub(super) fn has_shrunk_by(&self, limit: u64) -> bool {
        self.0.iter().any(|(path, before)| Free::at(path).is_some_and(|now| before.shrunk_by(now, limit)))
    }
}

/// Bytes that are free on the file system of a folder; `None` where it cannot be asked.
pub(crate) fn free_space(folder: &Path) -> Option<u64> {
    Free::at(&c_string(folder).ok()?).map(|free| free.bytes)
}

/// Whether folders hold more than `limit` bytes together, or the files that go with it. For scratch folders that lie on
/// a disk; no link is followed, and counting ends where the limit is passed.
pub(super) fn hold_more_than(folders: &[PathBuf], limit: u64) -> bool {
    let (mut bytes, mut files) = (0u64, 0u64);
    let mut todo = folders.to_vec();
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(status) = entry.metadata() else { continue };
            bytes = bytes.saturating_add(status.blocks().saturating_mul(512));
            files += 1;
            if bytes > limit || files > (limit / BYTES_A_FILE).max(LEAST_FILES) {
                return true;
            }
            if status.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    false
}

impl Free {
    fn at(path: &CString) -> Option<Self> {
        // SAFETY: all zeroes are a valid value of this plain structure.
        let mut status: libc::statfs = unsafe { zeroed() };
        // SAFETY: the path ends in NUL and the structure is valid for writing.
        let done = unsafe { libc::statfs(path.as_ptr(), &raw mut status) };
        let block = status.f_bsize.unsigned_abs();
        (done == 0).then(|| Self { bytes: status.f_bfree.saturating_mul(block), files: status.f_ffree })
    }

    fn shrunk_by(self, now: Self, limit: u64) -> bool {
        self.bytes.saturating_sub(now.bytes) > limit || self.files.saturating_sub(now.files) > limit / BYTES_A_FILE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_folder_is_counted_as_deep_as_it_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("a/b")).expect("folders");
        std::fs::write(dir.path().join("a/b/c"), vec![1; 1 << 20]).expect("written");
        let folders = [dir.path().to_path_buf()];
        assert!(hold_more_than(&folders, 1 << 19) && !hold_more_than(&folders, 2 << 20));
        std::os::unix::fs::symlink("/usr", dir.path().join("away")).expect("linked");
        assert!(!hold_more_than(&folders, 2 << 20), "no link is followed");
    }

    #[test]
    fn bytes_and_files_both_count() {
        let before = Free { bytes: 100 << 20, files: 100_000 };
        let after = |bytes: u64, files| Free { bytes: bytes << 20, files };
        assert!(!before.shrunk_by(after(90, 99_000), 10 << 20));
        assert!(before.shrunk_by(after(89, 100_000), 10 << 20));
        assert!(before.shrunk_by(after(100, 90_000), 10 << 20));
        assert!(!before.shrunk_by(after(200, 200_000), 0), "room that was given back is no harm");
    }
}
