//! A diagnostic of the compiler or of clippy, as cargo reports it in JSON.

use serde::{Deserialize, Serialize};

use crate::path::RelPath;

/// Who reported a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    /// The compiler.
    Rustc,
    /// Clippy.
    Clippy,
}

/// How bad the tool thinks it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The build fails.
    Error,
    /// Worth a look.
    Warning,
}

/// One message of the compiler or of clippy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Who said it.
    pub tool: Tool,
    /// How bad it is.
    pub level: Level,
    /// The error code or lint, such as `E0308` or `clippy::needless_borrow`; empty when it has none.
    pub code: String,
    /// What it said, one line.
    pub message: String,
    /// The package it was found in.
    pub package: String,
    /// The file of the primary span, below the top of the repository.
    pub path: Option<RelPath>,
    /// The line of the primary span, counted from 1; 0 without a span.
    pub line: u32,
    /// The bytes of the primary span in that file.
    pub bytes: (u32, u32),
    /// Whether one of its suggestions may be applied by a machine.
    pub fixable: bool,
    /// The text as a person reads it in a terminal.
    pub rendered: String,
    /// The message as the tool wrote it in JSON, kept only where a suggestion may be taken from it.
    pub raw: String,
}

impl Diagnostic {
    /// The file that a key names, and the bytes in it; none for a key of something else.
    #[must_use]
    pub fn place_of(key: &str, code: &str, message: &str) -> Option<(RelPath, std::ops::Range<usize>)> {
        let place = key.strip_prefix(code)?.strip_prefix('@')?.strip_suffix(message)?.strip_suffix(':')?;
        let (path, bytes) = place.rsplit_once(':')?;
        let (start, end) = bytes.split_once('-')?;
        Some((RelPath::new(path).ok()?, start.parse().ok()?..end.parse().ok()?))
    }

    /// A name for the finding that is the same for every run on the same text.
    #[must_use]
    pub fn key(&self) -> String {
        let path = self.path.as_ref().map_or("", RelPath::as_str);
        format!("{}@{}:{}-{}:{}", self.code, path, self.bytes.0, self.bytes.1, self.message)
    }
}
