//! Edits as they are proposed, and changes as they come out once edits meet the files of a commit.

use serde::{Deserialize, Serialize};

use crate::path::RelPath;

/// One edit, as an engine or a person proposes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// Replaces the one place where `search` stands.
    Replace {
        /// The file.
        path: RelPath,
        /// Text that stands in the file exactly once.
        search: String,
        /// What stands there afterwards.
        replace: String,
    },
    /// Gives a file this content, whether it exists or not.
    WholeFile {
        /// The file.
        path: RelPath,
        /// Its whole content.
        content: String,
    },
    /// Replaces one item, named by its path, such as `crate::tax::Tax::apply`.
    Item {
        /// The item's path.
        item: String,
        /// The item as it stands afterwards, attributes and docs included.
        content: String,
    },
    /// Removes a file.
    Delete {
        /// The file.
        path: RelPath,
    },
}

/// Edits that belong together, with what they are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct EditSet {
    /// The edits, in order.
    pub edits: Vec<Edit>,
}

/// What kind of entry a tree holds under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileMode {
    /// A plain file, git mode 100644.
    Regular,
    /// A file with the executable bit, git mode 100755.
    Executable,
    /// A symbolic link, git mode 120000.
    Symlink,
    /// Another repository, git mode 160000.
    Submodule,
}

impl FileMode {
    /// Whether it is a file with bytes of its own, and no link or other repository.
    #[must_use]
    pub fn is_file(self) -> bool {
        matches!(self, Self::Regular | Self::Executable)
    }
}

/// One entry of a tree: its kind and its bytes (of a link: where it points).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileState {
    /// The kind of entry.
    pub mode: FileMode,
    /// The content.
    pub bytes: Vec<u8>,
}

/// What one path holds before and after a patch. `None` means that nothing is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RelPath,
    /// What is there on the base.
    pub before: Option<FileState>,
    /// What will be there.
    pub after: Option<FileState>,
}

impl Change {
    /// The text before and after; empty for a side that is missing, `None` when a side is not UTF-8.
    #[must_use]
    pub fn texts(&self) -> Option<(&str, &str)> {
        Some((text_of(self.before.as_ref())?, text_of(self.after.as_ref())?))
    }
}

fn text_of(state: Option<&FileState>) -> Option<&str> {
    state.map_or(Some(""), |state| std::str::from_utf8(&state.bytes).ok())
}
