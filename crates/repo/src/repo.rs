//! Opening a repository, and the few things every other module of this room asks of it: its two folders, its
//! object store, its identity and its time limits. It owns the one change of libgit2's global state (partial
//! clones may be opened) and must not make another.

use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use git2::{ErrorCode, Oid, Repository, RepositoryOpenFlags};
use kaizen_domain::names::{CommitId, RefName, TreeId};
use sha2::{Digest, Sha256};

use crate::error::RepoError;

/// How long a call waits for a lock that another program holds, unless [`Repo::with_lock_wait`] says otherwise.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// An open repository. Cheap to open and not to be shared between threads: open one where it is used.
pub struct Repo {
    /// The repository as it was found: of a linked work tree, that work tree's own.
    pub(crate) here: Repository,
    /// The main repository, when `here` is a linked work tree.
    main: Option<Repository>,
    pub(crate) lock_wait: Duration,
}

impl Repo {
    /// Opens the repository that `path` is in, looking upwards from there.
    ///
    /// Only folders that belong to the user, or that their `safe.directory` names, are opened, as git does it.
    ///
    /// # Errors
    /// When there is no repository, it belongs to somebody else, or it is stored in a form that cannot be read.
    pub fn open(path: &Path) -> Result<Self, RepoError> {
        prepare();
        let none: [&std::ffi::OsStr; 0] = [];
        let here = Repository::open_ext(path, RepositoryOpenFlags::empty(), none)
            .map_err(|error| why_not_opened(path, error))?;
        let main = if here.is_worktree() {
            let common = here.commondir();
            Some(Repository::open(common).map_err(|error| why_not_opened(common, error))?)
        } else {
            None
        };
        Ok(Self { here, main, lock_wait: LOCK_WAIT })
    }

    /// The same repository, waiting this long for locks that another program holds.
    #[must_use]
    pub fn with_lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// A name for the repository that is the same for all its work trees: 16 hexadecimal digits, from the real path
    /// of the folder that holds its objects and refs.
    #[must_use]
    pub fn key(&self) -> String {
        use std::os::unix::ffi::OsStrExt;
        let common = self.common_dir();
        let real = std::fs::canonicalize(common).unwrap_or_else(|_| common.to_path_buf());
        let digest = Sha256::digest(real.as_os_str().as_bytes());
        let mut key = hex::encode(digest);
        key.truncate(16);
        key
    }

    /// The name of the repository's folder, for people.
    #[must_use]
    pub fn name(&self) -> String {
        let common = self.common_dir();
        let named_by = match self.store().workdir() {
            Some(top) => top,
            None if common.file_name().is_some_and(|name| name == ".git") => common.parent().unwrap_or(common),
            None => common,
        };
        let name = named_by.file_name().map_or_else(|| "repository".into(), |name| name.to_string_lossy());
        name.strip_suffix(".git").filter(|stem| !stem.is_empty()).unwrap_or(&name).to_owned()
    }

    /// The top of the work tree; `None` when the repository is bare.
    #[must_use]
    pub fn top(&self) -> Option<PathBuf> {
        self.here.workdir().map(Path::to_path_buf)
    }

    /// The repository to read objects and shared refs from.
    pub(crate) fn store(&self) -> &Repository {
        self.main.as_ref().unwrap_or(&self.here)
    }

    /// The folder of objects and shared refs.
    pub(crate) fn common_dir(&self) -> &Path {
        self.here.commondir()
    }

    /// The folder of this work tree's HEAD and index.
    pub(crate) fn git_dir(&self) -> &Path {
        self.here.path()
    }

    /// The place a message names the repository by.
    pub(crate) fn place(&self) -> PathBuf {
        self.top().unwrap_or_else(|| self.common_dir().to_path_buf())
    }

    /// The commit with this id.
    pub(crate) fn find_commit(&self, id: &CommitId) -> Result<git2::Commit<'_>, RepoError> {
        let unknown = || RepoError::UnknownCommit { id: id.as_str().to_owned() };
        let oid = Oid::from_str(id.as_str()).map_err(|_| unknown())?;
        self.store().find_commit(oid).map_err(|error| match error.code() {
            ErrorCode::NotFound => unknown(),
            _ => RepoError::Git { doing: format!("read commit {id}"), source: error },
        })
    }

    /// The tree of the commit with this id.
    pub(crate) fn find_tree_of(&self, id: &CommitId) -> Result<git2::Tree<'_>, RepoError> {
        let commit = self.find_commit(id)?;
        self.store().find_tree(commit.tree_id()).map_err(RepoError::object(commit.tree_id(), "the tree of a commit"))
    }
}

/// An object id in the words of the domain.
pub(crate) fn commit_id(oid: Oid) -> Result<CommitId, RepoError> {
    CommitId::new(oid.to_string()).map_err(|_| RepoError::UnknownCommit { id: oid.to_string() })
}

/// A tree's object id in the words of the domain.
pub(crate) fn tree_id(oid: Oid) -> Result<TreeId, RepoError> {
    TreeId::new(oid.to_string()).map_err(|_| RepoError::UnknownCommit { id: oid.to_string() })
}

/// A ref name as git keeps it; `None` when it is not one that Kaizen works with (not UTF-8, for example).
pub(crate) fn ref_name(bytes: &[u8]) -> Option<RefName> {
    RefName::new(std::str::from_utf8(bytes).ok()?).ok()
}

/// Lets libgit2 open partial clones. What their extension asks for, fetching missing objects, never happens: an
/// object that is not there is an error that says so.
fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: this runs once, before this program opens its first repository, so nothing reads the list yet.
        if let Err(error) = unsafe { git2::opts::set_extensions(&["partialclone"]) } {
            tracing::warn!(error = error.message(), "partial clones cannot be opened");
        }
    });
}

fn why_not_opened(path: &Path, error: git2::Error) -> RepoError {
    let path = path.to_path_buf();
    if error.code() == ErrorCode::Owner {
        return RepoError::NotOwned { path: top_above(&path).unwrap_or(path) };
    }
    if error.code() == ErrorCode::NotFound {
        return RepoError::NotARepository { path };
    }
    match unsupported(&path) {
        Some((what, way_out)) => RepoError::UnsupportedFormat { path, what, way_out },
        None => RepoError::Git { doing: format!("open the repository at {}", path.display()), source: error },
    }
}

/// The folder that `safe.directory` would have to name for a repository that would not open.
fn top_above(path: &Path) -> Option<PathBuf> {
    let none: [&std::ffi::OsStr; 0] = [];
    let found = Repository::discover_path(path, none).ok()?;
    let top = if found.file_name().is_some_and(|name| name == ".git") { found.parent()? } else { &found };
    Some(top.to_path_buf())
}

/// Reads the configuration of a repository that would not open for an extension that explains it.
fn unsupported(path: &Path) -> Option<(String, &'static str)> {
    let none: [&std::ffi::OsStr; 0] = [];
    let found = Repository::discover_path(path, none).ok()?;
    let config = [found.join("config"), found.join("../../config")]
        .iter()
        .find(|file| file.is_file())
        .and_then(|file| git2::Config::open(file).ok())?;
    if let Ok(format) = config.get_string("extensions.objectformat")
        && format != "sha1"
    {
        return Some((
            format!("the object format {format:?}"),
            "only repositories with sha1 object ids are supported: make a copy in that format",
        ));
    }
    if let Ok(storage) = config.get_string("extensions.refstorage")
        && storage != "files"
    {
        return Some((
            format!("the ref storage {storage:?}"),
            "run `git refs migrate --ref-format=files` to change how it keeps its refs",
        ));
    }
    let mut entries = config.entries(Some("extensions\\..*")).ok()?;
    let mut names = Vec::new();
    while let Some(Ok(entry)) = entries.next() {
        names.extend(entry.name().ok().map(str::to_owned));
    }
    (!names.is_empty()).then(|| (names.join(", "), "see `git config --list --local` for its extensions"))
}
