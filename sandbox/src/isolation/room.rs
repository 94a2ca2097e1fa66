//! The host's disk while a job may write to folders on it: how much room has gone since the job began.
//!
//! Asked of the file system, not by adding up files: a file that is deleted and still open takes room that no folder
//! shows. Others may use the room too; such a job ends without a verdict, which is the safe side.

use std::ffi::CString;
use std::mem::zeroed;
use std::path::Path;

use super::error::IsolationError;
use super::root::c_string;

/// One file system takes at most this many new files, per byte that may be written to it: one in 4 KiB.
const BYTES_A_FILE: u64 = 4 << 10;

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
    fn bytes_and_files_both_count() {
        let before = Free { bytes: 100 << 20, files: 100_000 };
        let after = |bytes: u64, files| Free { bytes: bytes << 20, files };
        assert!(!before.shrunk_by(after(90, 99_000), 10 << 20));
        assert!(before.shrunk_by(after(89, 100_000), 10 << 20));
        assert!(before.shrunk_by(after(100, 90_000), 10 << 20));
        assert!(!before.shrunk_by(after(200, 200_000), 0), "room that was given back is no harm");
    }
}
