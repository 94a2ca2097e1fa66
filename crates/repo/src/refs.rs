//! Refs: reading them, and moving them by compare-and-swap under git's own lock files. Whoever finds a ref elsewhere
//! than expected moves nothing; of many who race, one wins. Nothing here forces, and no lock of somebody else is
//! ever deleted.

use std::collections::BTreeSet;
use std::path::PathBuf;

use git2::{ErrorCode, ReferenceType};
use kaizen_domain::names::{CommitId, RefName};

use crate::error::RepoError;
use crate::lock::OwnedLock;
use crate::repo::{Repo, commit_id, ref_name};
use crate::{packed, reflog};

/// One ref and how it moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    /// The ref.
    pub name: RefName,
    /// Where it must stand; `None` when it must not exist.
    pub from: Option<CommitId>,
    /// Where it stands afterwards.
    pub to: CommitId,
}

/// What moving a ref found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It moved now.
    Now,
    /// It stood there already: an earlier call did it, or somebody else.
    Already,
}

impl Repo {
    /// The commit that a ref holds; `None` when the ref does not exist. A ref to another ref is followed.
    ///
    /// # Errors
    /// When the ref cannot be read or does not lead to a commit.
    pub fn ref_target(&self, name: &RefName) -> Result<Option<CommitId>, RepoError> {
        let found = match self.store().find_reference(name.as_str()) {
            Ok(found) => found,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(RepoError::git(format!("read {name}"))(error)),
        };
        let not_a_commit = |error: git2::Error| RepoError::NotACommitRef {
            name: name.clone(),
            why: format!("does not lead to a commit ({})", error.message()),
        };
        commit_id(found.peel_to_commit().map_err(not_a_commit)?.id()).map(Some)
    }

    /// Every ref whose full name starts with `prefix` and that holds a commit, sorted by name. Refs to other refs
    /// and refs whose names are not UTF-8 are left out.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn refs_under(&self, prefix: &str) -> Result<Vec<(RefName, CommitId)>, RepoError> {
        let doing = || format!("list the refs under {prefix:?}");
        let mut found = Vec::new();
        for reference in self.store().references().map_err(RepoError::git(doing()))? {
            let Ok(reference) = reference else { continue };
            let Some(name) = ref_name(reference.name_bytes()).filter(|name| name.as_str().starts_with(prefix)) else {
                continue;
            };
            let Some(target) = reference.target() else { continue };
            if self.store().find_commit(target).is_ok() {
                found.push((name, commit_id(target)?));
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Moves a ref from exactly `from` (`None`: it must not exist) to `to`, with `log` as the line in its reflog.
    ///
    /// # Errors
    /// [`RepoError::RefMoved`] when it stands elsewhere, [`RepoError::RefLocked`] when somebody else holds its lock
    /// for too long; nothing has moved then.
    pub fn move_ref(
        &self,
        name: &RefName,
        from: Option<&CommitId>,
        to: &CommitId,
        log: &str,
    ) -> Result<Moved, RepoError> {
        self.move_refs(&[RefMove { name: name.clone(), from: from.cloned(), to: to.clone() }], log)
    }

    /// Moves several refs together. All are locked and checked before the first one moves, so a ref that stands
    /// elsewhere stops them all; killed in between, the same call again moves the rest.
    ///
    /// # Errors
    /// As [`Repo::move_ref`], and when one ref is named twice.
    pub fn move_refs(&self, moves: &[RefMove], log: &str) -> Result<Moved, RepoError> {
        let mut names = BTreeSet::new();
        for one in moves {
            if !names.insert(&one.name) {
                return Err(RepoError::RefNamedTwice { name: one.name.clone() });
            }
            self.check_name(&one.name)?;
            self.find_commit(&one.to)?;
        }
        if self.all_stand_at_target(moves)? {
            return Ok(Moved::Already);
        }
        // In one order everywhere, so that two who move the same refs cannot each hold what the other waits for.
        let mut sorted: Vec<_> = moves.iter().collect();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        let mut pending = Vec::new();
        for one in sorted {
            let lock = self.lock_ref(&one.name)?;
            let found = self.stands_at(&one.name)?;
            if found.as_ref() == Some(&one.to) {
                continue;
            }
            if found != one.from {
                let (name, expected) = (one.name.clone(), one.from.clone());
                return Err(RepoError::RefMoved { name, expected, found });
            }
            pending.push((one, lock));
        }
        if pending.is_empty() {
            return Ok(Moved::Already);
        }
        for (one, lock) in pending {
            let path = self.ref_path(&one.name);
            if path.is_dir() && !reflog::remove_empty_dirs(&path) {
                let name = one.name.as_str().to_owned();
                return Err(RepoError::RefNameTaken { other: format!("{name}/..."), name });
            }
            reflog::note(self, &one.name, one.from.as_ref(), &one.to, log)?;
            lock.commit(format!("{}\n", one.to).as_bytes())?;
        }
        Ok(Moved::Now)
    }

    /// Deletes a ref that stands at exactly `expected`, and its reflog, as git does. That it is gone already is fine.
    ///
    /// # Errors
    /// As [`Repo::move_ref`].
    pub fn delete_ref(&self, name: &RefName, expected: &CommitId) -> Result<(), RepoError> {
        self.check_name(name)?;
        if self.stands_at(name)?.is_none() {
            return Ok(());
        }
        let lock = self.lock_ref(name)?;
        let Some(found) = self.stands_at(name)? else { return Ok(()) };
        if found != *expected {
            let (name, expected) = (name.clone(), Some(expected.clone()));
            return Err(RepoError::RefMoved { name, expected, found: Some(found) });
        }
        // First the packed value, then the loose one: nobody ever sees an old packed value come back.
        packed::remove(self.common_dir(), name, self.lock_wait)?;
        let (path, log) = (self.ref_path(name), self.common_dir().join("logs").join(name.as_str()));
        for file in [&path, &log] {
            match std::fs::remove_file(file) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(RepoError::io::<std::io::Error>("remove", file)(error)),
            }
        }
        drop(lock);
        reflog::prune_parents(self.common_dir(), &path, 2);
        reflog::prune_parents(&self.common_dir().join("logs"), &log, 2);
        Ok(())
    }

    fn all_stand_at_target(&self, moves: &[RefMove]) -> Result<bool, RepoError> {
        for one in moves {
            if self.stands_at(&one.name)?.as_ref() != Some(&one.to) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the ref itself holds, nothing followed.
    fn stands_at(&self, name: &RefName) -> Result<Option<CommitId>, RepoError> {
        let not_plain = |why: String| Err(RepoError::NotACommitRef { name: name.clone(), why });
        if std::fs::symlink_metadata(self.ref_path(name)).is_ok_and(|metadata| metadata.is_symlink()) {
            return not_plain("is a symbolic link in the file system".to_owned());
        }
        let found = match self.store().find_reference(name.as_str()) {
            Ok(found) => found,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(RepoError::git(format!("read {name}"))(error)),
        };
        match (found.kind(), found.target()) {
            (Some(ReferenceType::Direct), Some(target)) => commit_id(target).map(Some),
            _ => {
                let target = String::from_utf8_lossy(found.symbolic_target_bytes().unwrap_or_default()).into_owned();
                not_plain(format!("only points at the ref {target:?}"))
            }
        }
    }

    fn lock_ref(&self, name: &RefName) -> Result<OwnedLock, RepoError> {
        if self.stands_at(name)?.is_none()
            && let Some(other) = self.name_in_the_way(name)?
        {
            return Err(RepoError::RefNameTaken { name: name.as_str().to_owned(), other });
        }
        OwnedLock::take(self.common_dir(), &self.ref_path(name), self.lock_wait)
    }

    /// A ref that cannot exist beside a new one: one name would be a folder of the other.
    fn name_in_the_way(&self, name: &RefName) -> Result<Option<String>, RepoError> {
        let text = name.as_str();
        for (at, _) in text.match_indices('/').skip(2) {
            let above = text.get(..at).unwrap_or_default();
            if self.store().find_reference(above).is_ok() {
                return Ok(Some(above.to_owned()));
            }
        }
        let below = format!("{text}/");
        let doing = || RepoError::git(format!("list the refs under {below:?}"));
        let mut all = self.store().references_glob(&format!("{below}*")).map_err(doing())?;
        match all.next() {
            Some(first) => Ok(Some(crate::error::lossy(first.map_err(doing())?.name_bytes()))),
            None => Ok(None),
        }
    }

    /// Only shared refs can be moved here: those of one work tree alone are in that work tree's folder.
    fn check_name(&self, name: &RefName) -> Result<(), RepoError> {
        let text = name.as_str();
        let of_one_worktree = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"];
        if of_one_worktree.iter().any(|start| text.starts_with(start)) {
            let why = "belongs to one work tree alone".to_owned();
            return Err(RepoError::NotACommitRef { name: name.clone(), why });
        }
        if !git2::Reference::is_valid_name(text) {
            return Err(RepoError::NotACommitRef { name: name.clone(), why: "is not a name git takes".to_owned() });
        }
        Ok(())
    }

    fn ref_path(&self, name: &RefName) -> PathBuf {
        self.common_dir().join(name.as_str())
    }
}
