//! Fixture: a small cargo repository in a temporary directory, with a state directory and a settings file beside it.
//!
//! It is made through libgit2 with a fixed author, so that no configuration of the machine decides how it looks, and
//! it is gone when the value is dropped.

use std::fs;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Repository, RepositoryInitOptions, Signature, Time};
use tempfile::TempDir;

use crate::settings::SettingsText;

/// A small package without dependencies, whose only tests are those in its library.
const MANIFEST: &str =
    "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ndoctest = false\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n";

/// A repository with what Kaizen needs around it.
#[derive(Debug)]
pub struct Fixture {
    dir: TempDir,
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

impl Fixture {
    /// An empty repository on the branch `main`, and settings as tests need them.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let fixture = Self { dir: tempfile::tempdir().expect("a temporary directory can be made") };
        for dir in [fixture.state(), fixture.home()] {
            fs::create_dir(dir).expect("a folder can be made");
        }
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").external_template(false);
        Repository::init_opts(fixture.repo(), &options).expect("a repository can be made");
        fixture.settings(&SettingsText::default());
        fixture
    }

    /// A package of one library file, committed.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn tiny(lib: &str) -> Self {
        let fixture = Self::new();
        fixture.write("Cargo.toml", MANIFEST);
        fixture.write("Cargo.lock", LOCK);
        fixture.write("src/lib.rs", lib);
        fixture.commit("Begin");
        fixture
    }

    /// The work tree.
    #[must_use]
    pub fn repo(&self) -> PathBuf {
        self.dir.path().join("tiny")
    }

    /// The state directory.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// A home without any configuration in it.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The settings file.
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.dir.path().join("settings.toml")
    }

    /// Writes the settings file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn settings(&self, settings: &SettingsText) {
        fs::write(self.settings_file(), settings.toml()).expect("the settings can be written");
    }

    /// Writes a file of the work tree.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("its folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Commits the work tree as it is. Gives the commit's id.
    ///
    /// # Panics
    /// When git refuses it.
    pub fn commit(&self, message: &str) -> String {
        let repo = self.open();
        let mut index = repo.index().expect("there is an index");
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).expect("all files can be added");
        index.update_all(["*"], None).expect("what is gone can be removed");
        index.write().expect("the index can be written");
        let tree = index.write_tree().and_then(|id| repo.find_tree(id)).expect("a tree can be written");
        let who = Signature::new("A Person", "person@example.org", &Time::new(1_760_000_000, 0)).expect("a signature");
        let parent = repo.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        repo.commit(Some("HEAD"), &who, &who, message, &tree, &parents).expect("a commit can be made").to_string()
    }

    /// The text of a file at a revision; `None` when it is not there.
    ///
    /// # Panics
    /// When there is no such revision.
    #[must_use]
    pub fn read_at(&self, revision: &str, path: &str) -> Option<String> {
        let repo = self.open();
        let tree = repo.revparse_single(revision).and_then(|found| found.peel_to_tree()).expect(revision);
        let entry = tree.get_path(Path::new(path)).ok()?;
        let object = entry.to_object(&repo).ok()?;
        Some(String::from_utf8_lossy(object.peel_to_blob().ok()?.content()).into_owned())
    }

    /// The message of a commit.
    ///
    /// # Panics
    /// When there is no such revision.
    #[must_use]
    pub fn message_of(&self, revision: &str) -> String {
        let repo = self.open();
        let commit = repo.revparse_single(revision).and_then(|found| found.peel_to_commit()).expect(revision);
        String::from_utf8_lossy(commit.message_bytes()).into_owned()
    }

    /// The names of all refs with what they point at, sorted; that of the evidence is left out.
    ///
    /// # Panics
    /// When they cannot be read.
    #[must_use]
    pub fn refs(&self) -> Vec<(String, String)> {
        let repo = self.open();
        let all = repo.references().expect("refs can be read");
        let named =
            all.flatten().filter_map(|found| Some((found.name().ok()?.to_owned(), found.target()?.to_string())));
        let mut refs: Vec<(String, String)> = named.filter(|(name, _)| name != "refs/notes/kaizen").collect();
        refs.sort();
        refs
    }

    /// The one branch that collects what a cycle landed, when there is one.
    ///
    /// # Panics
    /// When there are several.
    #[must_use]
    pub fn landed_branch(&self) -> Option<String> {
        let mut found: Vec<String> =
            self.refs().into_iter().map(|(name, _)| name).filter(|name| is_landed_branch(name)).collect();
        assert!(found.len() <= 1, "several cycles landed: {found:?}");
        found.pop()
    }

    /// Writes the files of a revision below a folder, which is made.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn export(&self, revision: &str, into: &Path) {
        let repo = self.open();
        let tree = repo.revparse_single(revision).and_then(|found| found.peel_to_tree()).expect(revision);
        tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
            let path = into.join(folder).join(entry.name().unwrap_or("not-utf-8"));
            if entry.kind() == Some(ObjectType::Blob) {
                fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("its folder can be made");
                let blob = repo.find_blob(entry.id()).expect("a file of the tree is there");
                fs::write(path, blob.content()).expect("a file can be written");
            }
            git2::TreeWalkResult::Ok
        })
        .expect("the tree can be read");
    }

    /// Everything below the state directory and the settings, as one string of bytes: what a test looks through for
    /// what must not be there.
    #[must_use]
    pub fn all_state(&self) -> Vec<u8> {
        let mut all = Vec::new();
        gather(&self.state(), &mut all);
        all
    }

    fn open(&self) -> Repository {
        Repository::open(self.repo()).expect("the repository opens")
    }
}

fn is_landed_branch(name: &str) -> bool {
    name.starts_with("refs/heads/kaizen/") && name.ends_with("/landed")
}

fn gather(path: &Path, into: &mut Vec<u8>) {
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    if meta.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            into.extend_from_slice(entry.file_name().as_encoded_bytes());
            gather(&entry.path(), into);
        }
    } else if meta.is_file() {
        into.extend(fs::read(path).unwrap_or_default());
    }
}
