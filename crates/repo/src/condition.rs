//! What state a repository is in, for a caller to decide what can be done with it. Reading it changes nothing: the
//! index is compared, never refreshed.

use git2::{ErrorCode, RepositoryState, StatusOptions};
use kaizen_domain::edit::FileMode;
use kaizen_domain::names::{CommitId, RefName};

use crate::error::{RepoError, lossy};
use crate::repo::{Repo, commit_id, ref_name};
use crate::walk::{EntryKind, Flow, Visit, walk};

/// What HEAD is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch.
    Branch(RefName, CommitId),
    /// A commit, no branch.
    Detached(CommitId),
    /// A branch without a commit.
    Unborn(RefName),
}

/// The state of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What HEAD is on.
    pub head: Head,
    /// It has no work tree.
    pub bare: bool,
    /// Its history is cut off.
    pub shallow: bool,
    /// Some of its objects are on a server only.
    pub partial_clone: bool,
    /// What is not finished in the work tree, such as `rebase` or `merge`.
    pub in_progress: Option<String>,
    /// Files of the work tree that differ from HEAD or are untracked; an untracked folder counts once. Submodules
    /// are not looked into.
    pub dirty: usize,
    /// Why the index cannot be read, when it cannot; `dirty` is 0 then and says nothing.
    pub unreadable_index: Option<String>,
    /// Submodules in HEAD's commit.
    pub submodules: usize,
}

impl Repo {
    /// The state of the repository and of this work tree.
    ///
    /// # Errors
    /// When HEAD or its commit cannot be read.
    pub fn condition(&self) -> Result<Condition, RepoError> {
        let head = self.head()?;
        let bare = self.here.is_bare();
        let (dirty, unreadable_index) = match self.count_dirty(bare) {
            Ok(dirty) => (dirty, None),
            Err(error) => (0, Some(error.message().to_owned())),
        };
        let submodules = match &head {
            Head::Branch(_, commit) | Head::Detached(commit) => self.count_submodules(commit)?,
            Head::Unborn(_) => 0,
        };
        Ok(Condition {
            head,
            bare,
            shallow: self.common_dir().join("shallow").metadata().is_ok_and(|file| file.len() > 0),
            partial_clone: self.is_partial_clone(),
            in_progress: self.in_progress(),
            dirty,
            unreadable_index,
            submodules,
        })
    }

    pub(crate) fn head(&self) -> Result<Head, RepoError> {
        let doing = || RepoError::git("read HEAD");
        let head = self.here.find_reference("HEAD").map_err(doing())?;
        let Some(branch) = head.symbolic_target_bytes() else {
            return Ok(Head::Detached(commit_id(head.peel_to_commit().map_err(doing())?.id())?));
        };
        let name = ref_name(branch).ok_or_else(|| RepoError::UnsupportedFormat {
            path: self.place(),
            what: format!("a HEAD on {:?}, which is not a ref name in UTF-8", lossy(branch)),
            way_out: "check out a branch with a plain name",
        })?;
        match head.peel_to_commit() {
            Ok(commit) => Ok(Head::Branch(name, commit_id(commit.id())?)),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch) => {
                // A branch whose commit is missing is broken, not new.
                match self.store().find_reference(name.as_str()) {
                    Ok(_) => Err(doing()(error)),
                    Err(_) => Ok(Head::Unborn(name)),
                }
            }
            Err(error) => Err(doing()(error)),
        }
    }

    /// What is not finished in this work tree.
    pub(crate) fn in_progress(&self) -> Option<String> {
        let word = match self.here.state() {
            RepositoryState::Clean => return None,
            RepositoryState::Merge => "merge",
            RepositoryState::Revert | RepositoryState::RevertSequence => "revert",
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "cherry-pick",
            RepositoryState::Bisect => "bisect",
            RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => "rebase",
            RepositoryState::ApplyMailbox => "mailbox import",
            RepositoryState::ApplyMailboxOrRebase => "rebase or mailbox import",
        };
        Some(word.to_owned())
    }

    fn count_dirty(&self, bare: bool) -> Result<usize, git2::Error> {
        if bare {
            return Ok(0);
        }
        let mut options = StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(false)
            .include_ignored(false)
            .exclude_submodules(true)
            .update_index(false);
        Ok(self.here.statuses(Some(&mut options))?.len())
    }

    fn count_submodules(&self, commit: &CommitId) -> Result<usize, RepoError> {
        let mut count = 0;
        let tree = self.find_commit(commit)?.tree_id();
        let counted = walk(self.store(), tree, &mut |visit| {
            if let Visit::File { entry, .. } = visit
                && entry.kind == EntryKind::File(FileMode::Submodule)
            {
                count += 1;
            }
            Ok(Flow::Into)
        });
        match counted {
            // A partial clone may lack folders too; what is there has been counted.
            Ok(()) | Err(RepoError::MissingObject { .. }) => Ok(count),
            Err(error) => Err(error),
        }
    }

    fn is_partial_clone(&self) -> bool {
        let Ok(config) = self.store().config() else { return false };
        if config.get_string("extensions.partialclone").is_ok() {
            return true;
        }
        let Ok(mut entries) = config.entries(Some("^remote\\..*\\.promisor$")) else { return false };
        while let Some(Ok(entry)) = entries.next() {
            if entry.value().is_ok_and(|value| git2::Config::parse_bool(value).unwrap_or(false)) {
                return true;
            }
        }
        false
    }
}
