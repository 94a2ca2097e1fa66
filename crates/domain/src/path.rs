//! A path inside a repository, checked once when it is made: nothing that came from outside can point elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A path below the top of a repository: `/` between its parts, no part empty, `.`, `..` or a name of git's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelPath(String);

/// Why a text is not a path inside a repository.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("path {path:?} {why}")]
pub struct InvalidPath {
    path: String,
    why: &'static str,
}

impl RelPath {
    /// Checks a path that came from outside.
    ///
    /// # Errors
    /// When it is empty, absolute, leaves the tree, has control characters or a backslash, or names git's own files
    /// in any of the spellings that a file system may take for them.
    pub fn new(path: impl Into<String>) -> Result<Self, InvalidPath> {
        let path = path.into();
        match fault(&path) {
            None => Ok(Self(path)),
            Some(why) => Err(InvalidPath { path, why }),
        }
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The parts from the top down.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether the file is Rust source by its name.
    #[must_use]
    pub fn is_rust(&self) -> bool {
        self.0.ends_with(".rs")
    }

    /// This path below `folder`; the path itself when `folder` is empty.
    ///
    /// # Errors
    /// When the two together are not a path inside a repository.
    pub fn below(folder: &str, path: &str) -> Result<Self, InvalidPath> {
        if folder.is_empty() { Self::new(path) } else { Self::new(format!("{folder}/{path}")) }
    }
}

fn fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("is empty");
    }
    if path.len() > 4096 {
        return Some("is longer than 4096 bytes");
    }
    if path.starts_with('/') {
        return Some("is absolute");
    }
    if path.contains('\\') || path.contains(':') {
        return Some("has a backslash or a colon, which other systems read as a path of their own");
    }
    if path.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Some("has control or invisible characters");
    }
    path.split('/').find_map(part_fault)
}

fn part_fault(part: &str) -> Option<&'static str> {
    match part {
        "" => Some("has an empty part"),
        "." | ".." => Some("leaves the tree or names a folder by dots"),
        _ if is_git_dir(part) => Some("reaches into git's own folder"),
        _ if part.ends_with(' ') || part.ends_with('.') => Some("has a part that ends in a space or a dot"),
        _ => None,
    }
}

/// `.git` in every spelling that some file system folds into it (upper case, the NTFS short name, trailing dots).
fn is_git_dir(part: &str) -> bool {
    let folded = part.trim_end_matches([' ', '.']).to_ascii_lowercase();
    folded == ".git" || folded.starts_with("git~")
}

/// Characters that change how text looks without being seen: bidirectional controls, zero-width, byte order mark.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E0FFF}')
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RelPath {
    type Err = InvalidPath;
    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        Self::new(text)
    }
}

impl TryFrom<String> for RelPath {
    type Error = InvalidPath;
    fn try_from(text: String) -> Result<Self, InvalidPath> {
        Self::new(text)
    }
}

impl From<RelPath> for String {
    fn from(path: RelPath) -> Self {
        path.0
    }
}

impl AsRef<std::path::Path> for RelPath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_reaches_outside_or_into_git_is_refused() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "./a",
            ".git/config",
            "a/.GIT/hooks/x",
            "GIT~1/config",
            ".git./x",
            "a\\b",
            "C:/x",
            "a\0b",
            "a\u{202e}b",
            "a/b\u{200b}.rs",
            "a./b",
            "a /b",
        ] {
            assert!(RelPath::new(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "src/lib.rs", ".gitignore", "a b/ü.rs", ".github/x.yml"] {
            assert!(RelPath::new(good).is_ok(), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn a_checked_path_never_leaves_the_tree(text in "\\PC{0,30}|[./a-zA-Z~1 ]{0,20}") {
            if let Ok(path) = RelPath::new(text) {
                let joined = std::path::Path::new("/top").join(&path);
                prop_assert!(joined.starts_with("/top"));
                let plain = joined.components().all(|c| !matches!(c, std::path::Component::ParentDir));
                prop_assert!(plain);
            }
        }
    }
}
