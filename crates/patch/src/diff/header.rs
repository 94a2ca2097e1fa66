//! What the lines before the hunks say about a file: names, modes, renames.

use crate::error::ApplyError;
use crate::shown::shown;

use super::hunk::Hunk;
use super::name::{name_in, names_of_git_line};

/// One file of a diff, names still with their prefixes.
#[derive(Debug, Default)]
pub(super) struct FileDiff {
    /// The line of the diff where it begins, counted from 1.
    pub(super) at: usize,
    /// The names of the `diff --git` line, when they can be told apart.
    pub(super) git_names: Option<(String, String)>,
    /// The names of the `---` and `+++` lines.
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) created: bool,
    pub(super) deleted: bool,
    pub(super) renamed: (Option<String>, Option<String>),
    pub(super) copied: (Option<String>, Option<String>),
    pub(super) identical: bool,
    /// The `index` line names the hash of an empty file.
    pub(super) empty: bool,
    pub(super) hunks: Vec<Hunk>,
}

impl FileDiff {
    pub(super) fn of_git_line(line: &str, at: usize) -> Self {
        let names = line.strip_prefix("diff --git ").and_then(|names| names_of_git_line(names.trim_end()));
        Self { at, git_names: names, ..Self::default() }
    }

    /// A name for messages.
    pub(super) fn label(&self) -> String {
        let name = self.new.as_deref().filter(|name| *name != "/dev/null").or(self.old.as_deref());
        let name = name.or(self.git_names.as_ref().map(|(_, new)| new.as_str()));
        name.map_or_else(|| "a file without a name".to_owned(), |name| shown(name, 200))
    }

    /// Takes in one extended header line of git; `false` when it is none.
    pub(super) fn take(&mut self, line: &str, at: usize) -> Result<bool, ApplyError> {
        let unsupported = |file: &Self, why: String| Err(ApplyError::Unsupported { line: at, path: file.label(), why });
        let keyword = |word: &str| line.strip_prefix(word);
        if let Some(mode) = keyword("new mode ") {
            return unsupported(self, format!("turns it into {}; modes cannot be changed", mode_word(mode)));
        }
        if let Some(mode) = keyword("new file mode ") {
            self.created = true;
            if mode.trim_end() != "100644" {
                return unsupported(
                    self,
                    format!("creates {}; only regular files (mode 100644) can be created", mode_word(mode)),
                );
            }
        } else if let Some(mode) = keyword("deleted file mode ") {
            self.deleted = true;
            if mode.trim_end() != "100644" {
                return unsupported(
                    self,
                    format!("deletes {}; only regular files (mode 100644) can be deleted", mode_word(mode)),
                );
            }
        } else if let Some(index) = keyword("index ") {
            let mut words = index.split_whitespace();
            let hashes = words.next().unwrap_or("");
            let is_empty =
                |hash: &str| hash.len() >= 7 && (EMPTY_SHA1.starts_with(hash) || EMPTY_SHA256.starts_with(hash));
            self.empty = hashes.split("..").any(is_empty);
            if let Some(mode) = words.next().filter(|mode| *mode != "100644") {
                return unsupported(
                    self,
                    format!("changes {}; only regular files (mode 100644) can be changed", mode_word(mode)),
                );
            }
        } else if let Some(name) = keyword("rename from ") {
            self.renamed.0 = name_in(name);
        } else if let Some(name) = keyword("rename to ") {
            self.renamed.1 = name_in(name);
        } else if let Some(name) = keyword("copy from ") {
            self.copied.0 = name_in(name);
        } else if let Some(name) = keyword("copy to ") {
            self.copied.1 = name_in(name);
        } else if let Some(part) = keyword("similarity index ") {
            self.identical = part.trim_end() == "100%";
        } else if keyword("dissimilarity index ").or(keyword("old mode ")).is_none() {
            if line.starts_with("GIT binary patch") || line.starts_with("Binary files ") {
                return unsupported(self, "is a binary patch; only text can be patched".to_owned());
            }
            return Ok(false);
        }
        Ok(true)
    }
}

/// The hash of an empty blob, with either hash function.
const EMPTY_SHA1: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
const EMPTY_SHA256: &str = "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813";

fn mode_word(mode: &str) -> String {
    match mode.trim_end() {
        "100644" => "a regular file (mode 100644)".to_owned(),
        "100755" => "an executable file (mode 100755)".to_owned(),
        "120000" => "a symbolic link (mode 120000)".to_owned(),
        "160000" => "a submodule (mode 160000)".to_owned(),
        other => format!("mode {}", shown(other, 20)),
    }
}
