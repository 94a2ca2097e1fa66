//! Repositories to test on. The git program runs with a fixed environment; libgit2 in this process reads no
//! configuration but the repository's own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Once;

use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::names::{BranchName, CommitId, RefName};
use kaizen_domain::path::RelPath;
use kaizen_repo::{NewCommit, Repo};
use tempfile::TempDir;

/// A repository with a work tree, in a folder of its own.
pub struct Fixture {
    dir: TempDir,
    path: PathBuf,
}

impl Fixture {
    /// A repository without commits, on the branch `main`.
    pub fn empty() -> Self {
        hermetic();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("project");
        std::fs::create_dir(&path).unwrap();
        let fixture = Self { dir, path };
        fixture.git(["init", "-q", "-b", "main"]);
        fixture.git(["config", "user.name", "A Person"]);
        fixture.git(["config", "user.email", "person@example.org"]);
        fixture
    }

    /// A repository with one commit: a few files in two folders.
    pub fn new() -> Self {
        let fixture = Self::empty();
        fixture.write("Cargo.toml", "[package]\nname = \"x\"\n");
        fixture.write("src/lib.rs", "pub fn one() -> u32 {\n    1\n}\n");
        fixture.write("README.md", "# X\n");
        fixture.commit_all("Add the project");
        fixture
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path beside the repository, in the same temporary folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub fn repo(&self) -> Repo {
        Repo::open(&self.path).unwrap()
    }

    pub fn raw(&self) -> git2::Repository {
        git2::Repository::open(&self.path).unwrap()
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path.join(path)).unwrap()
    }

    /// Commits everything in the work tree.
    pub fn commit_all(&self, message: &str) -> CommitId {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    pub fn head(&self) -> CommitId {
        commit(&self.git(["rev-parse", "HEAD"]))
    }

    /// Runs git in the repository; it must succeed. Its output, trimmed.
    pub fn git<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        git_in(&self.path, args)
    }

    /// Makes a commit on `base` without touching a ref.
    pub fn change(&self, base: &CommitId, changes: &[Change], message: &str) -> CommitId {
        let new = NewCommit {
            parents: vec![base.clone()],
            base: base.clone(),
            changes,
            message: message.to_owned(),
            seconds: 1_700_000_000,
        };
        self.repo().commit(&new).unwrap().0
    }

    /// Makes a commit on `base` that gives a file this content, whatever it had.
    pub fn with_file(&self, base: &CommitId, path: &str, content: &str) -> CommitId {
        let path = rel(path);
        let before = self.repo().read(base, &path).unwrap();
        let mode = before.as_ref().map_or(FileMode::Regular, |before| before.mode);
        let after = Some(FileState { mode, bytes: content.as_bytes().to_vec() });
        self.change(base, &[Change { path, before, after }], &format!("change to {content:?}"))
    }
}

/// Runs git in a folder with a fixed environment; it must succeed. Its output, trimmed.
pub fn git_in<S: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = S>) -> String {
    let output = try_git_in(dir, args);
    assert!(output.status.success(), "git failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs git in a folder with a fixed environment.
pub fn try_git_in<S: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = S>) -> Output {
    Command::new("git")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_DATE", "1600000000 +0000")
        .env("GIT_COMMITTER_DATE", "1600000000 +0000")
        .env("GIT_EDITOR", "true")
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

/// Cuts libgit2 in this process off from the settings of the machine. Every test that uses it goes through here.
pub fn hermetic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The first call of the crate under test sets up what it needs of libgit2's global state.
        assert!(Repo::open(Path::new("/nonexistent")).is_err());
        for level in [git2::ConfigLevel::System, git2::ConfigLevel::Global, git2::ConfigLevel::XDG] {
            // SAFETY: this runs once, before any test has opened a repository.
            unsafe { git2::opts::set_search_path(level, "/nonexistent").unwrap() };
        }
    });
}

pub fn commit(text: &str) -> CommitId {
    CommitId::new(text).unwrap()
}

pub fn rel(path: &str) -> RelPath {
    RelPath::new(path).unwrap()
}

pub fn branch(name: &str) -> RefName {
    BranchName::new(name).unwrap().to_ref()
}

pub fn file(content: &str) -> Option<FileState> {
    Some(FileState { mode: FileMode::Regular, bytes: content.as_bytes().to_vec() })
}

pub fn change(path: &str, before: Option<FileState>, after: Option<FileState>) -> Change {
    Change { path: rel(path), before, after }
}

/// What stands below a folder: for each path its kind, permissions, inode, time of change and content.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<PathBuf, String>);

/// Everything below a folder but `skip`. Two calls give the same when nothing was touched in between.
pub fn fingerprint(top: &Path, skip: &[&str]) -> Fingerprint {
    let mut found = BTreeMap::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(top).unwrap().to_path_buf();
            if skip.iter().any(|skip| below.starts_with(skip)) {
                continue;
            }
            let stat = std::fs::symlink_metadata(&path).unwrap();
            let what = if stat.is_dir() {
                todo.push(path.clone());
                "folder".to_owned()
            } else {
                let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
                format!("{:o} {}.{} {} {content:?}", stat.mode(), stat.mtime(), stat.mtime_nsec(), stat.ino())
            };
            found.insert(below, what);
        }
    }
    Fingerprint(found)
}

/// The paths of everything below a folder.
pub fn names_below(top: &Path) -> Vec<PathBuf> {
    fingerprint(top, &[]).0.into_keys().collect()
}

/// Fails when something below a folder, but `skip`, is not as it was, and says what.
#[track_caller]
pub fn assert_untouched(top: &Path, skip: &[&str], before: &Fingerprint) {
    let after = fingerprint(top, skip);
    let paths: std::collections::BTreeSet<_> = before.0.keys().chain(after.0.keys()).collect();
    let mut differ = Vec::new();
    for path in paths {
        let (old, new) = (before.0.get(path), after.0.get(path));
        if old != new {
            differ.push(format!("{}: {old:?} became {new:?}", path.display()));
        }
    }
    assert!(differ.is_empty(), "touched: {}", differ.join("\n"));
}

/// Stores a tree object with these entries as they are, nothing checked, and a commit of it.
pub fn raw_commit(repo: &git2::Repository, entries: &[(&str, &[u8], git2::Oid)]) -> CommitId {
    let tree = raw_tree(repo, entries);
    let text = format!("tree {tree}\nauthor A <a@b> 1600000000 +0000\ncommitter A <a@b> 1600000000 +0000\n\nx\n");
    let id = repo.odb().unwrap().write(git2::ObjectType::Commit, text.as_bytes()).unwrap();
    commit(&id.to_string())
}

/// Stores a tree object with these entries (mode, name, object) as they are, nothing checked.
pub fn raw_tree(repo: &git2::Repository, entries: &[(&str, &[u8], git2::Oid)]) -> git2::Oid {
    let mut bytes = Vec::new();
    for (mode, name, oid) in entries {
        bytes.extend_from_slice(mode.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.extend_from_slice(oid.as_bytes());
    }
    repo.odb().unwrap().write(git2::ObjectType::Tree, &bytes).unwrap()
}
