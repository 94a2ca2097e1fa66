//! Carries a change over to another commit by a three-way merge, in memory: nothing is stored, no file is touched.
//! (Objects of the merge that the repository has already may get a newer time, which keeps them from being pruned.)

use std::collections::BTreeSet;

use git2::{MergeOptions, Repository};
use kaizen_domain::edit::Change;
use kaizen_domain::names::CommitId;

use crate::error::{RepoError, lossy};
use crate::repo::Repo;

/// What came of carrying a change over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// The change, as it is on the other commit; empty when that commit has it already.
    Clean(Vec<Change>),
    /// Files that both sides changed in ways that do not go together. What is not UTF-8 in a path is replaced.
    Conflicts(Vec<String>),
}

impl Repo {
    /// The change from `from` to `to`, made to `onto` instead. Renames are not followed: a change to a file that is
    /// gone or elsewhere on `onto` is a conflict.
    ///
    /// # Errors
    /// When a commit or a part of one is not there, or as [`Repo::changes`].
    pub fn carry(&self, from: &CommitId, to: &CommitId, onto: &CommitId) -> Result<Carried, RepoError> {
        let (from, to, onto) =
            (self.find_tree_of(from)?.id(), self.find_tree_of(to)?.id(), self.find_tree_of(onto)?.id());
        // Merging stores merged files. A second handle keeps them in memory, and as it has no work tree, no
        // attribute of a checked-out file has a say in the merge.
        let scratch =
            Repository::open_bare(self.common_dir()).map_err(RepoError::git("open the repository to merge"))?;
        let odb = scratch.odb().map_err(RepoError::git("open the object store to merge"))?;
        let memory = odb.add_new_mempack_backend(i32::MAX).map_err(RepoError::git("merge in memory"))?;
        let tree = |oid| scratch.find_tree(oid).map_err(RepoError::object(oid, "a merge"));
        let mut options = MergeOptions::new();
        options.find_renames(false).skip_reuc(true);
        let mut merged = scratch
            .merge_trees(&tree(from)?, &tree(onto)?, &tree(to)?, Some(&options))
            .map_err(RepoError::git("merge the change"))?;
        if merged.has_conflicts() {
            let mut paths = BTreeSet::new();
            for conflict in merged.conflicts().map_err(RepoError::git("list the conflicts"))? {
                let conflict = conflict.map_err(RepoError::git("list the conflicts"))?;
                let sides = [conflict.ancestor, conflict.our, conflict.their];
                paths.extend(sides.into_iter().flatten().map(|entry| lossy(&entry.path)));
            }
            return Ok(Carried::Conflicts(paths.into_iter().collect()));
        }
        let result = merged.write_tree_to(&scratch).map_err(RepoError::git("build the merged tree"))?;
        let changes = self.changes_between(&scratch, onto, result)?;
        memory.reset().map_err(RepoError::git("drop what was merged"))?;
        Ok(Carried::Clean(changes))
    }
}
