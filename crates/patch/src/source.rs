//! Where the files of a commit come from. This crate reads them through [`Source`] only: it opens no file itself.
//!
//! [`MemorySource`] is a source that holds everything in memory, for tests and for callers who have the files already.

use std::collections::BTreeMap;

use kaizen_domain::RelPath;
use kaizen_domain::edit::{FileMode, FileState};
use thiserror::Error;

/// The files of one commit.
pub trait Source {
    /// What the tree holds under a path; `None` when nothing is there or when it is a folder.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn read(&self, path: &RelPath) -> Result<Option<FileState>, SourceError>;

    /// Every file whose name ends in `.rs`, in any order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn rust_files(&self) -> Result<Vec<RelPath>, SourceError>;
}

/// The store behind a [`Source`] failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot read {what} from the base: {why}")]
pub struct SourceError {
    /// The path, or what else was asked for.
    pub what: String,
    /// What the store said.
    pub why: String,
}

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    files: BTreeMap<RelPath, FileState>,
}

impl MemorySource {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts an entry under a path, in place of what was there.
    pub fn put(&mut self, path: RelPath, state: FileState) {
        self.files.insert(path, state);
    }

    /// The same files and one regular file more.
    #[must_use]
    pub fn with(mut self, path: RelPath, content: impl Into<Vec<u8>>) -> Self {
        self.put(path, FileState { mode: FileMode::Regular, bytes: content.into() });
        self
    }
}

impl Source for MemorySource {
    fn read(&self, path: &RelPath) -> Result<Option<FileState>, SourceError> {
        Ok(self.files.get(path).cloned())
    }

    fn rust_files(&self) -> Result<Vec<RelPath>, SourceError> {
        Ok(self.files.keys().filter(|path| path.is_rust()).cloned().collect())
    }
}
