//! The files of the workspace: what git tracks, and what it would track if somebody added it. Without git, everything
//! but build output. Reads only.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Places for files that are wrong on purpose, or are judged by others.
const FIXTURES: [&str; 2] = ["tests/fixtures/", "tests/gate/"];

/// The files of a workspace, by their paths from its root.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    paths: BTreeSet<String>,
}

impl Files {
    /// Lists the files below `root`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(root: &Path) -> Result<Self> {
        let paths = match from_git(root) {
            Some(paths) => paths,
            None => {
                let mut paths = BTreeSet::new();
                walk(root, "", &mut paths)?;
                paths
            }
        };
        Ok(Self { root: root.to_path_buf(), paths })
    }

    /// Every path, sorted.
    #[must_use]
    pub fn paths(&self) -> &BTreeSet<String> {
        &self.paths
    }

    /// The Rust files that are meant to be good: fixtures are not among them.
    pub fn rust(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str).filter(|path| {
            let below = |place: &&str| path.starts_with(*place) || path.contains(&format!("/{place}"));
            let fixture = FIXTURES.iter().any(below);
            path.ends_with(".rs") && !fixture
        })
    }

    /// A file's text; `None` when it cannot be read or is not UTF-8.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(path)).ok()
    }

    /// Whether a file or folder of this path belongs to the workspace.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.paths.contains(path) || self.any_below(path)
    }

    /// Whether there is a folder of this path with a file in it.
    #[must_use]
    pub fn any_below(&self, folder: &str) -> bool {
        let prefix = format!("{folder}/");
        self.paths.range(prefix.clone()..).next().is_some_and(|path| path.starts_with(&prefix))
    }
}

/// What git knows; `None` without git or outside of a repository. Nothing of the repository's configuration runs.
fn from_git(root: &Path) -> Option<BTreeSet<String>> {
    let output = Command::new("git")
        .args(["-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    // A file that was removed but is still in the index is no longer there to be checked.
    let paths: BTreeSet<String> =
        listed.split('\0').filter(|path| !path.is_empty() && root.join(path).exists()).map(str::to_owned).collect();
    (!paths.is_empty()).then_some(paths)
}

fn walk(root: &Path, below: &str, paths: &mut BTreeSet<String>) -> Result<()> {
    let folder = root.join(below);
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        match entry.file_type()? {
            kind if kind.is_dir() && (name == ".git" || name == "target") => {}
            kind if kind.is_dir() => walk(root, &path, paths)?,
            _ => {
                paths.insert(path);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_git_everything_but_build_output_is_listed() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["src/lib.rs", "target/debug/out.rs", ".git/config", "tests/fixtures/bad.rs"] {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let mut paths = BTreeSet::new();
        walk(dir.path(), "", &mut paths).unwrap();
        let files = Files { root: dir.path().to_path_buf(), paths };
        assert_eq!(files.paths().iter().collect::<Vec<_>>(), ["src/lib.rs", "tests/fixtures/bad.rs"]);
        assert_eq!(files.rust().collect::<Vec<_>>(), ["src/lib.rs"]);
        assert!(files.has("src") && files.has("src/") && files.has("src/lib.rs"));
        assert!(!files.has("sr") && !files.has("src/main.rs"));
    }
}
