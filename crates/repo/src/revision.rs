//! From what a person types to a commit, and how commits relate to each other.

use git2::{ErrorCode, ObjectType, Oid};
use kaizen_domain::names::{BranchName, CommitId, RefName, TreeId};

use crate::error::RepoError;
use crate::repo::{Repo, commit_id, ref_name, tree_id};

/// The fewest digits of an abbreviated commit id.
const FEWEST_DIGITS: usize = 4;
/// The most names offered when a name is unknown.
const MOST_OFFERED: usize = 3;

impl Repo {
    /// The commit that a name stands for, with the branch when the name is one: `HEAD`, a branch, a full ref name, a
    /// tag, a remote's branch (`origin/main`), or a commit id of at least four digits.
    ///
    /// # Errors
    /// When nothing has that name, several objects have it, or HEAD's branch has no commit yet.
    pub fn commit_of(&self, name: &str) -> Result<(Option<RefName>, CommitId), RepoError> {
        if name == "HEAD" {
            return self.head_commit();
        }
        let spellings = [
            BranchName::new(name).ok().map(|branch| branch.to_ref()),
            RefName::new(name).ok(),
            RefName::new(format!("refs/tags/{name}")).ok(),
            RefName::new(format!("refs/remotes/{name}")).ok(),
        ];
        for full in spellings.into_iter().flatten() {
            if let Some(id) = self.ref_target(&full)? {
                let branch = full.as_str().starts_with("refs/heads/").then_some(full);
                return Ok((branch, id));
            }
        }
        let digits = name.to_ascii_lowercase();
        if (FEWEST_DIGITS..=40).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            match self.store().find_object_by_prefix(&digits, None).map(|object| object.peel(ObjectType::Commit)) {
                Ok(Ok(commit)) => return Ok((None, commit_id(commit.id())?)),
                Err(error) if error.code() == ErrorCode::Ambiguous => {
                    return Err(RepoError::AmbiguousRevision { name: name.to_owned() });
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Err(RepoError::UnknownRevision { name: name.to_owned(), near: self.near(name) })
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// When the repository does not hold the commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<TreeId, RepoError> {
        tree_id(self.find_commit(commit)?.tree_id())
    }

    /// The first parent of a commit; `None` when it is the first of all.
    ///
    /// # Errors
    /// When the repository does not hold the commit, or in a shallow clone not its parent.
    pub fn parent(&self, commit: &CommitId) -> Result<Option<CommitId>, RepoError> {
        let of = self.find_commit(commit)?;
        match of.parent_ids().next() {
            Some(id) => {
                let parent = commit_id(id)?;
                self.find_commit(&parent)?;
                Ok(Some(parent))
            }
            None => Ok(None),
        }
    }

    /// Whether a commit brings several histories together.
    ///
    /// # Errors
    /// When the repository does not hold the commit.
    pub fn is_merge(&self, commit: &CommitId) -> Result<bool, RepoError> {
        Ok(self.find_commit(commit)?.parent_count() > 1)
    }

    /// The newest commit that both contain; `None` when they share no history (or, in a shallow clone, none that is
    /// there).
    ///
    /// # Errors
    /// When a commit is not there.
    pub fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, RepoError> {
        let (one, other) = (self.find_commit(one)?.id(), self.find_commit(other)?.id());
        match self.store().merge_base(one, other) {
            Ok(base) => commit_id(base).map(Some),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(RepoError::git(format!("find what {one} and {other} share"))(error)),
        }
    }

    /// Whether `new` contains `old`, or is the same commit.
    ///
    /// # Errors
    /// When a commit is not there.
    pub fn is_ancestor(&self, old: &CommitId, new: &CommitId) -> Result<bool, RepoError> {
        let (old, new) = (self.find_commit(old)?.id(), self.find_commit(new)?.id());
        if old == new {
            return Ok(true);
        }
        self.store()
            .graph_descendant_of(new, old)
            .map_err(RepoError::git(format!("find out whether {new} contains {old}")))
    }

    fn head_commit(&self) -> Result<(Option<RefName>, CommitId), RepoError> {
        let doing = || RepoError::git("read HEAD");
        let head = self.here.find_reference("HEAD").map_err(doing())?;
        let branch = head.symbolic_target_bytes().map(<[u8]>::to_vec);
        match head.peel_to_commit() {
            Ok(commit) => Ok((branch.as_deref().and_then(ref_name), commit_id(commit.id())?)),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch) => {
                let branch = branch.map_or_else(|| "HEAD".to_owned(), |name| crate::error::lossy(&name));
                Err(RepoError::Unborn { path: self.place(), branch })
            }
            Err(error) => Err(doing()(error)),
        }
    }

    /// Branches whose names are nearly the one given, the nearest first.
    fn near(&self, name: &str) -> Vec<String> {
        let Ok(branches) = self.refs_under("refs/heads/") else { return Vec::new() };
        let allowed = match name.chars().count() {
            0..=2 => 1,
            length => (length / 3).max(2),
        };
        let mut near: Vec<_> = branches
            .iter()
            .map(|(branch, _)| (distance(name, branch.short()), branch.short().to_owned()))
            .filter(|(distance, _)| *distance <= allowed)
            .collect();
        near.sort();
        near.into_iter().take(MOST_OFFERED).map(|(_, name)| name).collect()
    }
}

/// How many letters have to be changed, added or left out to get from one name to the other, case set aside.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for ((b, above), above_left) in other.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or(i + 1);
            next.push((above + 1).min(left + 1).min(above_left + usize::from(a != *b)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// An object id of the domain as libgit2 takes it.
pub(crate) fn oid(id: &CommitId) -> Result<Oid, RepoError> {
    Oid::from_str(id.as_str()).map_err(|_| RepoError::UnknownCommit { id: id.as_str().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::distance;
    use proptest::prelude::*;

    #[test]
    fn the_distance_counts_letters() {
        assert_eq!(distance("main", "main"), 0);
        assert_eq!(distance("Main", "main"), 0);
        assert_eq!(distance("mian", "main"), 2);
        assert_eq!(distance("", "main"), 4);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    proptest! {
        #[test]
        fn the_distance_is_the_same_both_ways(one in "\\PC{0,12}", other in "\\PC{0,12}") {
            prop_assert_eq!(distance(&one, &other), distance(&other, &one));
        }
    }
}
