//! The files while edits are being applied: what the base holds, and on top what the edits so far made of it.
//!
//! Every write goes through here, so the rules about what may be written (regular files, folders that are folders)
//! hold for edits and for diffs alike.

use std::collections::BTreeMap;

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileMode, FileState};

use crate::error::ApplyError;
use crate::source::{Source, SourceError};

struct Entry {
    before: Option<FileState>,
    now: Option<FileState>,
}

pub(crate) struct Draft<'s> {
    source: &'s dyn Source,
    entries: BTreeMap<RelPath, Entry>,
}

impl<'s> Draft<'s> {
    pub(crate) fn new(source: &'s dyn Source) -> Self {
        Self { source, entries: BTreeMap::new() }
    }

    /// What stands under a path now.
    pub(crate) fn state(&self, path: &RelPath) -> Result<Option<FileState>, SourceError> {
        match self.entries.get(path) {
            Some(entry) => Ok(entry.now.clone()),
            None => self.source.read(path),
        }
    }

    /// The text of a regular file as it is now.
    pub(crate) fn text(&self, path: &RelPath) -> Result<String, ApplyError> {
        let Some(state) = self.state(path)? else {
            return Err(ApplyError::MissingFile { path: path.clone() });
        };
        must_be_regular(path, &state)?;
        String::from_utf8(state.bytes).map_err(|_| ApplyError::NotText { path: path.clone() })
    }

    /// Gives a path new content, as a regular file.
    pub(crate) fn write(&mut self, path: &RelPath, bytes: Vec<u8>) -> Result<(), ApplyError> {
        if let Some(state) = self.state(path)? {
            must_be_regular(path, &state)?;
        } else {
            self.parents_are_folders(path)?;
        }
        self.set(path, Some(FileState { mode: FileMode::Regular, bytes }))
    }

    /// Removes a regular file.
    pub(crate) fn remove(&mut self, path: &RelPath) -> Result<(), ApplyError> {
        let Some(state) = self.state(path)? else {
            return Err(ApplyError::MissingFile { path: path.clone() });
        };
        must_be_regular(path, &state)?;
        self.set(path, None)
    }

    /// Every Rust file as things stand now.
    pub(crate) fn rust_files(&self) -> Result<Vec<RelPath>, SourceError> {
        let mut files = self.source.rust_files()?;
        files.retain(|path| self.entries.get(path).is_none_or(|entry| entry.now.is_some()));
        files.extend(
            self.entries
                .iter()
                .filter(|(path, entry)| path.is_rust() && entry.now.is_some())
                .map(|(path, _)| path.clone()),
        );
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// What all of it comes to, by path, without what changes nothing.
    pub(crate) fn finish(self) -> Result<Vec<Change>, ApplyError> {
        let changes: Vec<Change> = self
            .entries
            .into_iter()
            .filter(|(_, entry)| entry.before != entry.now)
            .map(|(path, entry)| Change { path, before: entry.before, after: entry.now })
            .collect();
        if changes.is_empty() { Err(ApplyError::NothingChanged) } else { Ok(changes) }
    }

    fn set(&mut self, path: &RelPath, now: Option<FileState>) -> Result<(), ApplyError> {
        if let Some(entry) = self.entries.get_mut(path) {
            entry.now = now;
        } else {
            let before = self.source.read(path)?;
            self.entries.insert(path.clone(), Entry { before, now });
        }
        Ok(())
    }

    fn parents_are_folders(&self, path: &RelPath) -> Result<(), ApplyError> {
        for (at, _) in path.as_str().match_indices('/') {
            let Some(parent) = path.as_str().get(..at).and_then(|text| RelPath::new(text).ok()) else { continue };
            if self.state(&parent)?.is_some() {
                return Err(ApplyError::BelowFile { path: path.clone(), parent });
            }
        }
        let below = format!("{path}/");
        let child = self.entries.iter().any(|(other, entry)| entry.now.is_some() && other.as_str().starts_with(&below));
        if child { Err(ApplyError::NotRegular { path: path.clone(), what: "a folder" }) } else { Ok(()) }
    }
}

fn must_be_regular(path: &RelPath, state: &FileState) -> Result<(), ApplyError> {
    match mode_name(state.mode) {
        None => Ok(()),
        Some(what) => Err(ApplyError::NotRegular { path: path.clone(), what }),
    }
}

/// What a mode is called when it is not that of a regular file.
pub(crate) fn mode_name(mode: FileMode) -> Option<&'static str> {
    match mode {
        FileMode::Regular => None,
        FileMode::Executable => Some("an executable file (mode 100755)"),
        FileMode::Symlink => Some("a symbolic link (mode 120000)"),
        FileMode::Submodule => Some("a submodule (mode 160000)"),
    }
}
