//! Moves a work tree along with its branch, as a fast-forward pull would: the one place of Kaizen that writes where
//! a person works, and only when asked for by name.
//!
//! The order is files, index, ref. Cut off at any point, what is left is either untouched or looks like the change
//! itself, uncommitted; the same call again finishes it. The index is locked, by git's own lock, from the first look
//! to the last write, so no git command of the person's comes in between.

use std::path::Path;

use git2::Index;
use kaizen_domain::names::{CommitId, RefName};

use crate::changes::deltas;
use crate::condition::Head;
use crate::error::RepoError;
use crate::lock::OwnedLock;
use crate::repo::Repo;
use crate::worktree_apply::{Area, new_index};
use crate::worktree_check::{Step, check_clean, index_has, steps};

impl Repo {
    /// Moves the branch `name`, which `worktree` has checked out, from `from` to `to`, with files and index.
    ///
    /// It goes ahead only when no tracked file of the work tree is changed, staged or not, and nothing untracked is
    /// in the way; ignored files count as untracked. No hook and no filter runs: a file that git would convert is a
    /// reason to refuse. Repeating the call after it was cut off, or after it succeeded, is fine.
    ///
    /// # Errors
    /// When the work tree is dirty, on another branch, in the middle of a rebase or the like, sparse, or locked;
    /// when `to` does not contain `from`; when the branch stands elsewhere. The work tree is as it was then.
    pub fn update_worktree(
        &self,
        worktree: &Path,
        name: &RefName,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<(), RepoError> {
        let tree = Self::open(worktree)?.with_lock_wait(self.lock_wait);
        let top = tree.top().ok_or_else(|| RepoError::Bare { path: worktree.to_path_buf() })?;
        tree.check_place(self, &top, name)?;
        if !self.is_ancestor(from, to)? {
            return Err(RepoError::NotFastForward { from: from.clone(), to: to.clone() });
        }
        let stands = self.ref_target(name)?;
        if stands.as_ref() != Some(from) && stands.as_ref() != Some(to) {
            return Err(RepoError::RefMoved { name: name.clone(), expected: Some(from.clone()), found: stands });
        }
        let (old, new) = (self.find_tree_of(from)?.id(), self.find_tree_of(to)?.id());
        let steps = steps(deltas(self.store(), old, new)?, &top)?;
        let log = format!("kaizen: fast-forward to {}", to.short());
        let index_path = tree.git_dir().join("index");
        let lock = OwnedLock::take(tree.git_dir(), &index_path, self.lock_wait)?;
        let index = tree.read_index(&top, &index_path)?;
        // The index moves after the files: when it is there already, only the ref can be missing.
        if steps.iter().all(|step| index_has(&index, step)) {
            drop(lock);
            return self.move_ref(name, Some(from), to, &log).map(drop);
        }
        check_clean(&tree, &top, &index, old, &steps)?;
        let area = Area::open(&tree, &top)?;
        area.apply(&steps)?;
        let moved = new_index(&tree, &area, &steps)
            .and_then(|content| lock.commit(&content))
            .and_then(|()| self.move_ref(name, Some(from), to, &log));
        match moved {
            Ok(_) => Ok(()),
            Err(error) => {
                tree.take_back(&area, &steps, &index_path);
                Err(error)
            }
        }
    }

    /// Checks that this work tree belongs to `of`, is on the branch, and that nothing is half done in it.
    fn check_place(&self, of: &Self, top: &Path, name: &RefName) -> Result<(), RepoError> {
        let elsewhere = |found: String| {
            Err(RepoError::WorkTreeElsewhere { worktree: top.to_path_buf(), expected: name.clone(), found })
        };
        if self.key() != of.key() {
            return elsewhere("another repository".to_owned());
        }
        if let Some(what) = self.in_progress() {
            return Err(RepoError::InProgress { worktree: top.to_path_buf(), what });
        }
        match self.head()? {
            Head::Branch(found, _) if found == *name => {}
            Head::Branch(found, _) | Head::Unborn(found) => return elsewhere(found.as_str().to_owned()),
            Head::Detached(commit) => return elsewhere(format!("commit {commit} and no branch")),
        }
        let config = self.here.config().map_err(RepoError::git("read the configuration"))?;
        if config.get_bool("core.sparsecheckout").unwrap_or(false) {
            return Err(RepoError::WorkTreeRefused {
                worktree: top.to_path_buf(),
                path: "info/sparse-checkout".to_owned(),
                why: "only a part of the files is checked out".to_owned(),
            });
        }
        Ok(())
    }

    fn read_index(&self, top: &Path, path: &Path) -> Result<Index, RepoError> {
        let read = self.here.index().and_then(|mut index| index.read(true).map(|()| index));
        read.map_err(|error| RepoError::WorkTreeRefused {
            worktree: top.to_path_buf(),
            path: path.display().to_string(),
            why: format!("the index cannot be read: {}", error.message()),
        })
    }

    /// Puts files and index back to where they were, after the ref would not move.
    fn take_back(&self, area: &Area<'_>, steps: &[Step], index_path: &Path) {
        let back: Vec<Step> = steps.iter().map(Step::reversed).collect();
        let undone = OwnedLock::take(self.git_dir(), index_path, self.lock_wait).and_then(|lock| {
            area.apply(&back)?;
            lock.commit(&new_index(self, area, &back)?)
        });
        if let Err(error) = undone {
            tracing::error!(%error, "the work tree keeps a change whose branch did not move");
        }
    }
}
