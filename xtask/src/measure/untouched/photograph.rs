//! A photograph of a folder: every file, folder and link with its bytes, its mode and the time it was changed. It is
//! taken by reading files alone: git itself would refresh what it looks at.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use super::super::scratch::everything_below;

/// Parts of a git folder that are Kaizen's to change: new objects, and refs of its own with their logs.
const OURS: &[&str] =
    &["objects", "refs/heads/kaizen", "logs/refs/heads/kaizen", "refs/notes/kaizen", "logs/refs/notes/kaizen"];
/// Folders that are there when the first note is: what else is in them counts.
const OF_NOTES: &[&str] = &["refs/notes", "logs/refs/notes"];
/// Folders that get a new entry when something of Kaizen's own is first made in them: their time may move.
const PARENTS: &[&str] = &["", "refs/heads", "logs/refs/heads", "refs", "logs", "logs/refs"];

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Thing {
    mode: u32,
    size: u64,
    /// When it was changed, in nanoseconds; nothing for a folder whose time may move.
    modified: Option<i128>,
    content: Vec<u8>,
}

/// Everything in a folder at one moment.
#[derive(Debug, Clone, Default)]
pub struct Photograph(BTreeMap<PathBuf, Thing>);

impl Photograph {
    /// Looks at everything below a folder.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn take(folder: &Path) -> Result<Self> {
        let mut all = BTreeMap::new();
        for path in everything_below(folder) {
            let in_git = inside_git(&path);
            let is_ours =
                |path: &str| OF_NOTES.contains(&path) || OURS.iter().any(|ours| Path::new(path).starts_with(ours));
            if in_git.as_deref().is_some_and(is_ours) {
                continue;
            }
            let may_move = in_git.as_deref().is_some_and(|path| PARENTS.contains(&path));
            let thing = look(&folder.join(&path), may_move).with_context(|| path.display().to_string())?;
            all.insert(path, thing);
        }
        Ok(Self(all))
    }

    /// How many things are on it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What is different on a later one, a line for each.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (path, before) in &self.0 {
            match later.0.get(path) {
                None => changes.push(format!("{} is gone", path.display())),
                Some(after) if after != before => {
                    changes.push(format!("{} changed: {}", path.display(), how(before, after)))
                }
                Some(_) => {}
            }
        }
        let new = later.0.keys().filter(|path| !self.0.contains_key(*path));
        changes.extend(new.map(|path| format!("{} is new", path.display())));
        changes
    }
}

/// The path inside the git folder that a path lies in, or is.
fn inside_git(path: &Path) -> Option<String> {
    let parts: Vec<_> = path.iter().collect();
    let at = parts.iter().position(|part| *part == ".git")?;
    let below: PathBuf = parts.iter().skip(at + 1).collect();
    Some(below.to_string_lossy().into_owned())
}

fn look(path: &Path, may_move: bool) -> Result<Thing> {
    let metadata = path.symlink_metadata()?;
    let content = if metadata.is_symlink() {
        std::fs::read_link(path)?.as_os_str().as_bytes().to_vec()
    } else if metadata.is_file() {
        Sha256::digest(std::fs::read(path)?).to_vec()
    } else {
        Vec::new()
    };
    let modified = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    let size = if metadata.is_dir() { 0 } else { metadata.len() };
    Ok(Thing { mode: metadata.mode(), size, modified: (!may_move || !metadata.is_dir()).then_some(modified), content })
}

fn how(before: &Thing, after: &Thing) -> String {
    let what = [
        (before.content != after.content || before.size != after.size, "bytes"),
        (before.mode != after.mode, "mode"),
        (before.modified != after.modified, "time"),
    ];
    what.iter().filter(|(differs, _)| *differs).map(|(_, what)| *what).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_seen_and_kaizens_own_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        for path in ["same", "bytes", "gone", "deep/time", ".git/HEAD", ".git/index", ".git/refs/heads/main"] {
            write(path, "a");
        }
        let before = Photograph::take(dir.path()).unwrap();
        assert!(before.changes(&Photograph::take(dir.path()).unwrap()).is_empty());
        let ours = [".git/objects/ab/cd", ".git/refs/heads/kaizen/c/landed", ".git/logs/refs/heads/kaizen/c"];
        for path in ours.into_iter().chain([".git/refs/notes/kaizen"]) {
            write(path, "ours");
        }
        // The folders of git's own that lead to them are new as well, as they are the first time in a repository.
        let seen = before.changes(&Photograph::take(dir.path()).unwrap());
        assert!(seen.iter().all(|change| change.starts_with(".git/logs") && change.ends_with("is new")), "{seen:?}");
        write("bytes", "b");
        write("new", "c");
        write(".git/index", "b");
        write(".git/refs/heads/main", "b");
        std::fs::remove_file(dir.path().join("gone")).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(10);
        std::fs::File::options().write(true).open(dir.path().join("deep/time")).unwrap().set_modified(later).unwrap();
        let seen = before.changes(&Photograph::take(dir.path()).unwrap());
        for expected in [
            "bytes changed: bytes",
            "deep/time changed: time",
            "gone is gone",
            "new is new",
            ".git/index changed",
            ".git/refs/heads/main changed",
        ] {
            assert!(seen.iter().any(|change| change.starts_with(expected)), "{expected} is not in {seen:?}");
        }
        assert!(
            !seen
                .iter()
                .any(|change| change.contains("same") || change.contains("kaizen") || change.contains("objects"))
        );
    }
}
