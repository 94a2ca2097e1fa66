//! Looks at a work tree before anything in it is moved: what would change, and whether anything of a person's is in
//! the way. It only reads.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use git2::{DiffOptions, Index, Oid};
use kaizen_domain::edit::FileMode;
use kaizen_domain::path::RelPath;

use crate::attributes::conversion;
use crate::changes::{Delta, Side};
use crate::error::{RepoError, lossy};
use crate::files::valid;
use crate::repo::Repo;
use crate::walk::mode_of;
use crate::worktree_apply::{Area, OnDisk};

/// Bit of an index entry's flags: the person said not to look at the file.
const ASSUME_VALID: u16 = 0x8000;
/// Bit of an index entry's extended flags: the file is left out of the work tree.
const SKIP_WORKTREE: u16 = 1 << 14;

/// One file that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where.
    pub(crate) path: RelPath,
    /// What is there before.
    pub(crate) old: Side,
    /// What will be there.
    pub(crate) new: Side,
}

impl Step {
    /// The step back.
    pub(crate) fn reversed(&self) -> Self {
        Self { path: self.path.clone(), old: self.new, new: self.old }
    }
}

/// The differences of two trees as steps, when all of them are of a kind that can be done safely.
pub(crate) fn steps(deltas: Vec<Delta>, top: &Path) -> Result<Vec<Step>, RepoError> {
    let refuse = |path: &str, why: &str| {
        let (path, why) = (path.to_owned(), why.to_owned());
        Err(RepoError::WorkTreeRefused { worktree: top.to_path_buf(), path, why })
    };
    let mut steps = Vec::with_capacity(deltas.len());
    for delta in deltas {
        let path = match valid(&delta.path) {
            Ok(path) => path,
            Err(why) => return refuse(&lossy(&delta.path), &why),
        };
        let sides = [delta.old, delta.new];
        if sides.iter().flatten().any(|(mode, _)| *mode == FileMode::Submodule) {
            return refuse(path.as_str(), "a submodule changes");
        }
        if path.file_name() == ".gitattributes" {
            return refuse(path.as_str(), "it decides how git converts other files");
        }
        steps.push(Step { path, old: delta.old, new: delta.new });
    }
    let there: BTreeSet<&str> = steps.iter().filter(|step| step.new.is_some()).map(|step| step.path.as_str()).collect();
    let gone: BTreeSet<&str> = steps.iter().filter(|step| step.new.is_none()).map(|step| step.path.as_str()).collect();
    for (some, others) in [(&there, &gone), (&gone, &there)] {
        for path in some.iter() {
            if path.match_indices('/').any(|(at, _)| path.get(..at).is_some_and(|above| others.contains(above))) {
                return refuse(path, "a file becomes a folder, or a folder a file");
            }
        }
    }
    steps.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(steps)
}

/// Whether the index holds what a step leads to.
pub(crate) fn index_has(index: &Index, step: &Step) -> bool {
    let found = index.get_path(Path::new(step.path.as_str()), 0).map(|entry| (entry.mode, entry.id));
    found == step.new.map(|(mode, oid)| (u32::try_from(mode_of(mode)).unwrap_or(0), oid))
}

/// Checks that the work tree has nothing of its own that the steps would lose or mix with: the index is the old
/// tree, the files are the index, nothing untracked is in the way. What an earlier call already moved is fine.
pub(crate) fn check_clean(tree: &Repo, top: &Path, index: &Index, old: Oid, steps: &[Step]) -> Result<(), RepoError> {
    let by_path: HashMap<&[u8], &Step> = steps.iter().map(|step| (step.path.as_str().as_bytes(), step)).collect();
    let mut dirty = BTreeSet::new();
    if index.has_conflicts() {
        for conflict in index.conflicts().map_err(RepoError::git("list the conflicts"))?.flatten() {
            let sides = [conflict.ancestor, conflict.our, conflict.their];
            dirty.extend(sides.into_iter().flatten().map(|entry| lossy(&entry.path)));
        }
    }
    let doing = || RepoError::git(format!("compare the work tree {}", top.display()));
    let old = tree.here.find_tree(old).map_err(RepoError::object(old, "the work tree"))?;
    let mut options = DiffOptions::new();
    let staged = tree.here.diff_tree_to_index(Some(&old), Some(index), Some(&mut options)).map_err(doing())?;
    for delta in staged.deltas() {
        let path = delta.new_file().path_bytes().or(delta.old_file().path_bytes()).unwrap_or_default();
        if !by_path.get(path).is_some_and(|step| index_has(index, step)) {
            dirty.insert(lossy(path));
        }
    }
    let mut options = DiffOptions::new();
    options.ignore_submodules(true).update_index(false);
    let changed = tree.here.diff_index_to_workdir(Some(index), Some(&mut options)).map_err(doing())?;
    for delta in changed.deltas() {
        let path = delta.new_file().path_bytes().or(delta.old_file().path_bytes()).unwrap_or_default();
        if !by_path.contains_key(path) {
            dirty.insert(lossy(path));
        }
    }
    let area = Area::open(tree, top)?;
    for step in steps {
        check_step(tree, top, index, step)?;
        if !area.holds_either(step)? {
            dirty.insert(step.path.as_str().to_owned());
        }
    }
    if dirty.is_empty() {
        return Ok(());
    }
    Err(RepoError::WorkTreeDirty { worktree: top.to_path_buf(), paths: dirty.into_iter().collect() })
}

/// Refuses a step on a file that git would treat in a way of its own.
fn check_step(tree: &Repo, top: &Path, index: &Index, step: &Step) -> Result<(), RepoError> {
    let path = Path::new(step.path.as_str());
    let refuse = |why: String| {
        let path = step.path.as_str().to_owned();
        Err(RepoError::WorkTreeRefused { worktree: top.to_path_buf(), path, why })
    };
    if let Some(entry) = index.get_path(path, 0) {
        if entry.flags & ASSUME_VALID != 0 {
            return refuse("it is marked as assumed unchanged".to_owned());
        }
        if entry.flags_extended & SKIP_WORKTREE != 0 {
            return refuse("it is left out of the work tree".to_owned());
        }
    }
    let plain = |side: Side| side.is_some_and(|(mode, _)| mode != FileMode::Symlink);
    if plain(step.new) || plain(step.old) {
        let doing = format!("read the attributes of {}", step.path);
        if let Some(why) = conversion(&tree.here, path).map_err(RepoError::git(doing))? {
            return refuse(why);
        }
    }
    Ok(())
}

impl Area<'_> {
    /// Whether a file is what it is before the step or after it.
    pub(crate) fn holds_either(&self, step: &Step) -> Result<bool, RepoError> {
        let found = self.look(&step.path)?;
        Ok([step.old, step.new].into_iter().any(|side| self.is(&found, side)))
    }

    /// Whether what was found is what a side says. Where the file system keeps no executable bit, it does not count.
    pub(crate) fn is(&self, found: &OnDisk, side: Side) -> bool {
        let file = |mode| mode == FileMode::Regular || mode == FileMode::Executable;
        match (found, side) {
            (OnDisk::Nothing, None) => true,
            (OnDisk::Is(mode, oid), Some((wanted, wanted_oid))) => {
                let same_mode = *mode == wanted || (!self.modes_count && file(*mode) && file(wanted));
                same_mode && *oid == wanted_oid
            }
            _ => false,
        }
    }
}
