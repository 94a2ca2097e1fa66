//! Every way a call on a repository can fail, named so that a person knows what is at fault and what to do.

use std::path::{Path, PathBuf};

use kaizen_domain::names::{CommitId, RefName};
use thiserror::Error;

/// Why something could not be done with a repository.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RepoError {
    /// Neither the path nor any folder above it is a repository.
    #[error("{} is not a git repository, nor is any folder above it; name one, or make one with `git init`", path.display())]
    NotARepository {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The repository belongs to somebody else.
    #[error(
        "the repository {} belongs to another user; if you trust it, run `git config --global --add safe.directory {}`",
        path.display(), path.display()
    )]
    NotOwned {
        /// The repository.
        path: PathBuf,
    },
    /// The repository is stored in a form that cannot be read here.
    #[error("the repository {} uses {what}, which Kaizen cannot read; {way_out}", path.display())]
    UnsupportedFormat {
        /// The repository.
        path: PathBuf,
        /// The form.
        what: String,
        /// What a person can do.
        way_out: &'static str,
    },
    /// The branch has no commit yet.
    #[error("the repository {} has no commits on {branch} yet; make a first commit", path.display())]
    Unborn {
        /// The repository.
        path: PathBuf,
        /// The branch that HEAD names.
        branch: String,
    },
    /// The repository has no work tree.
    #[error("the repository {} is bare: it has no work tree to update", path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// The name is neither a branch nor a commit.
    #[error("{name:?} is neither a branch nor a commit of this repository{}", did_you_mean(near))]
    UnknownRevision {
        /// The name as it was given.
        name: String,
        /// Branches with nearly that name.
        near: Vec<String>,
    },
    /// The abbreviated commit id fits several objects.
    #[error("{name:?} is the start of several object ids; give more digits")]
    AmbiguousRevision {
        /// The digits as they were given.
        name: String,
    },
    /// No commit has this id.
    #[error("the repository holds no commit {id}; if it is a shallow or partial clone, fetch the commit first")]
    UnknownCommit {
        /// The id.
        id: String,
    },
    /// An object that a commit needs is not there.
    #[error("object {id}, needed for {what}, is missing; fetch it (a partial clone lacks objects) or run `git fsck`")]
    MissingObject {
        /// The object's id.
        id: String,
        /// What it is needed for.
        what: String,
    },
    /// A path of the repository that Kaizen has no safe spelling for.
    #[error("the path {path:?} cannot be worked on: {why}")]
    UnrepresentablePath {
        /// The path, with what is not UTF-8 replaced.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something is larger than the limit for it.
    #[error("{what} is over the limit of {limit}")]
    TooLarge {
        /// What it is.
        what: String,
        /// The limit with its unit.
        limit: String,
    },
    /// A change was made for other content than the base has.
    #[error("the change to {path} does not fit commit {base}: {why}; make it again from this base")]
    BaseMismatch {
        /// The file.
        path: String,
        /// The base.
        base: CommitId,
        /// What differs.
        why: &'static str,
    },
    /// A change that no tree can hold.
    #[error("the change to {path} cannot be made: {why}")]
    InvalidChange {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A commit message that git cannot hold.
    #[error("the commit message {why}")]
    InvalidMessage {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The ref does not stand where it was expected; nothing was moved.
    #[error("{name} stands at {} where {} was expected; nothing was moved", at(found), at(expected))]
    RefMoved {
        /// The ref.
        name: RefName,
        /// Where it was expected; `None` for "must not exist".
        expected: Option<CommitId>,
        /// Where it stands.
        found: Option<CommitId>,
    },
    /// The ref holds something else than a commit.
    #[error("{name} {why}; name the branch itself")]
    NotACommitRef {
        /// The ref.
        name: RefName,
        /// What it holds.
        why: String,
    },
    /// Another ref's name stands in the way of this one's.
    #[error("{name} cannot be made while {other} exists: one name would be a folder of the other; rename one of them")]
    RefNameTaken {
        /// The ref that was to be made.
        name: String,
        /// The ref in the way.
        other: String,
    },
    /// Two moves of one request name the same ref.
    #[error("{name} is named twice in one set of moves; name each ref once")]
    RefNamedTwice {
        /// The ref.
        name: RefName,
    },
    /// Somebody else holds the lock for longer than Kaizen waits.
    #[error("the lock {} is held by another program ({holder}); try again when it is done, or delete the file if none runs", path.display())]
    RefLocked {
        /// The lock file.
        path: PathBuf,
        /// What is known about who holds it.
        holder: String,
    },
    /// A lock of ours was taken away while it was held.
    #[error("the lock {} was removed by another program while it was held; nothing was written through it", path.display())]
    LockLost {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder for an export holds something already.
    #[error("{} is not empty; files of a commit are written to a fresh folder only", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The work tree has changes that are not committed.
    #[error("the work tree {} has uncommitted changes: {}; commit or stash them", worktree.display(), some_of(paths))]
    WorkTreeDirty {
        /// The top of the work tree.
        worktree: PathBuf,
        /// The paths, with what is not UTF-8 replaced.
        paths: Vec<String>,
    },
    /// The work tree cannot be moved along by Kaizen, though a person could.
    #[error("the work tree {} cannot be moved along because of {path:?}: {why}; do it by hand", worktree.display())]
    WorkTreeRefused {
        /// The top of the work tree.
        worktree: PathBuf,
        /// The path that stands against it.
        path: String,
        /// Why.
        why: String,
    },
    /// The work tree does not have this branch checked out.
    #[error("the work tree {} has {found} checked out, not {expected}", worktree.display())]
    WorkTreeElsewhere {
        /// The top of the work tree.
        worktree: PathBuf,
        /// The branch it was expected to be on.
        expected: RefName,
        /// What it is on.
        found: String,
    },
    /// A rebase, merge or the like is not finished.
    #[error("a {what} is in progress in {}; finish it or abort it first", worktree.display())]
    InProgress {
        /// The top of the work tree.
        worktree: PathBuf,
        /// What is in progress.
        what: String,
    },
    /// The new commit does not contain the old one.
    #[error("{to} does not contain {from}: moving there would lose commits")]
    NotFastForward {
        /// The old commit.
        from: CommitId,
        /// The new commit.
        to: CommitId,
    },
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done, as a verb.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// libgit2 refused for a reason of its own.
    #[error("cannot {doing}: {}", source.message())]
    Git {
        /// What was being done.
        doing: String,
        /// What libgit2 said.
        source: git2::Error,
    },
}

impl RepoError {
    /// Wraps an error of libgit2 with what was being done.
    pub(crate) fn git(doing: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Git { doing, source }
    }

    /// Wraps an error of the operating system with what was being done, to which path.
    pub(crate) fn io<E: Into<std::io::Error>>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source: source.into() }
    }

    /// Wraps an error about one object: a missing one is named as such.
    pub(crate) fn object(id: git2::Oid, what: &str) -> impl FnOnce(git2::Error) -> Self {
        let what = what.to_owned();
        move |source| match source.code() {
            git2::ErrorCode::NotFound => Self::MissingObject { id: id.to_string(), what },
            _ => Self::Git { doing: format!("read object {id} for {what}"), source },
        }
    }
}

/// A path of a repository as a person may see it: what is not UTF-8 is replaced.
pub(crate) fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn at(commit: &Option<CommitId>) -> String {
    commit.as_ref().map_or_else(|| "no commit (it does not exist)".to_owned(), |id| id.as_str().to_owned())
}

fn did_you_mean(near: &[String]) -> String {
    match near {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

fn some_of(paths: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = paths.iter().take(SHOWN).map(|path| format!("{path:?}")).collect();
    match paths.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
