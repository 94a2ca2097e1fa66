//! What is known of the base that was tried last, so that it is not read again for every trial of a search.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::Direct;
use crate::base::WarmBase;

/// One base's, as it was in the file that this was read from.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<Option<(PathBuf, Stamp, Arc<Direct>)>>);

/// What tells one writing of a file from another: each makes a new file.
#[derive(PartialEq, Eq)]
struct Stamp {
    inode: u64,
    changed: (i64, i64),
    size: u64,
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        Self { inode: file.ino(), changed: (file.ctime(), file.ctime_nsec()), size: file.len() }
    }
}

impl Remembered {
    /// What is known of a base, when it was proven.
    pub(crate) fn of(&self, base: &WarmBase) -> Option<Arc<Direct>> {
        let file = Direct::file(base);
        let stamp = Stamp::of(&std::fs::metadata(&file).ok()?);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, of, direct)) = last.as_ref()
            && *known == file
            && *of == stamp
            && direct.is_of(base)
        {
            return Some(Arc::clone(direct));
        }
        let direct = Arc::new(Direct::load(base)?);
        *last = Some((file, stamp, Arc::clone(&direct)));
        Some(direct)
    }
}
