//! Walks the tree of a commit, entry by entry, with bounds on how much and how deep. The tree is data from outside:
//! names may be anything, the same name may come twice, and a small tree may unfold into a billion files.

use git2::{Oid, Repository, Tree};
use kaizen_domain::edit::FileMode;

use crate::error::{RepoError, lossy};

/// The most entries of one tree, folders included, that any call here looks at.
const MAX_ENTRIES: usize = 2_000_000;
/// The most folders inside each other.
const MAX_DEPTH: usize = 200;

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A folder.
    Folder,
    /// Anything a domain file can be.
    File(FileMode),
    /// A mode that git does not define.
    Unknown(i32),
}

/// One entry of a tree.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its name, unchecked.
    pub(crate) name: Vec<u8>,
    /// The object it names; of a submodule, a commit of another repository.
    pub(crate) oid: Oid,
    /// What it is.
    pub(crate) kind: EntryKind,
}

/// What a walk tells its visitor.
pub(crate) enum Visit<'a> {
    /// A folder; the visitor says whether to go in. `path` is the whole path from the top.
    Enter {
        /// The whole path.
        path: &'a [u8],
        /// The entry.
        entry: &'a Entry,
    },
    /// The folder that was gone into last is done.
    Leave,
    /// Anything else.
    File {
        /// The whole path.
        path: &'a [u8],
        /// The entry.
        entry: &'a Entry,
    },
}

/// Whether a walk goes into a folder. It is ignored for everything but [`Visit::Enter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Go in.
    Into,
    /// Leave it out.
    Past,
}

/// The kind that a mode of a tree entry stands for.
pub(crate) fn kind_of(mode: i32) -> EntryKind {
    match mode & 0o170_000 {
        0o040_000 => EntryKind::Folder,
        0o100_000 if mode & 0o100 != 0 => EntryKind::File(FileMode::Executable),
        0o100_000 => EntryKind::File(FileMode::Regular),
        0o120_000 => EntryKind::File(FileMode::Symlink),
        0o160_000 => EntryKind::File(FileMode::Submodule),
        _ => EntryKind::Unknown(mode),
    }
}

/// The mode that git writes for a kind of file.
pub(crate) fn mode_of(mode: FileMode) -> i32 {
    match mode {
        FileMode::Regular => 0o100_644,
        FileMode::Executable => 0o100_755,
        FileMode::Symlink => 0o120_000,
        FileMode::Submodule => 0o160_000,
    }
}

/// The entry at position `n` of a tree.
pub(crate) fn entry_at(tree: &Tree<'_>, n: usize) -> Option<Entry> {
    let entry = tree.get(n)?;
    Some(Entry { name: entry.name_bytes().to_vec(), oid: entry.id(), kind: kind_of(entry.filemode_raw()) })
}

/// Reads a tree, naming what it is needed for when it is missing.
pub(crate) fn read_tree<'repo>(repo: &'repo Repository, oid: Oid, path: &[u8]) -> Result<Tree<'repo>, RepoError> {
    repo.find_tree(oid).map_err(RepoError::object(oid, &format!("the folder {:?}", lossy(path))))
}

/// How many more entries may be looked at.
#[derive(Debug)]
pub(crate) struct Allowance {
    left: usize,
}

impl Allowance {
    /// The allowance of one call.
    pub(crate) fn full() -> Self {
        Self { left: MAX_ENTRIES }
    }

    /// Takes one more entry into account.
    pub(crate) fn take(&mut self) -> Result<(), RepoError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| RepoError::TooLarge {
            what: "the number of files and folders in the commit".to_owned(),
            limit: MAX_ENTRIES.to_string(),
        })?;
        Ok(())
    }
}

/// Refuses trees nested deeper than the limit.
pub(crate) fn check_depth(depth: usize) -> Result<(), RepoError> {
    if depth > MAX_DEPTH {
        let what = "the number of folders inside each other in the commit".to_owned();
        return Err(RepoError::TooLarge { what, limit: MAX_DEPTH.to_string() });
    }
    Ok(())
}

/// Walks a tree from the top, in the order its folders keep, and tells `visit` of everything it meets.
pub(crate) fn walk(
    repo: &Repository,
    tree: Oid,
    visit: &mut dyn FnMut(Visit<'_>) -> Result<Flow, RepoError>,
) -> Result<(), RepoError> {
    walk_within(repo, tree, Allowance::full(), visit)
}

fn walk_within(
    repo: &Repository,
    tree: Oid,
    mut allowance: Allowance,
    visit: &mut dyn FnMut(Visit<'_>) -> Result<Flow, RepoError>,
) -> Result<(), RepoError> {
    let mut path = Vec::new();
    // Each level: its tree, the next entry to look at, and how long the path was before its name was added.
    let mut levels = vec![(read_tree(repo, tree, b"")?, 0_usize, 0_usize)];
    while let Some((tree, next, before)) = levels.last_mut() {
        let Some(entry) = entry_at(tree, *next) else {
            path.truncate(*before);
            levels.pop();
            if !levels.is_empty() {
                visit(Visit::Leave)?;
            }
            continue;
        };
        *next += 1;
        allowance.take()?;
        let length = path.len();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(&entry.name);
        if entry.kind == EntryKind::Folder {
            if visit(Visit::Enter { path: &path, entry: &entry })? == Flow::Into {
                check_depth(levels.len())?;
                let below = read_tree(repo, entry.oid, &path)?;
                levels.push((below, 0, length));
                continue;
            }
        } else {
            visit(Visit::File { path: &path, entry: &entry })?;
        }
        path.truncate(length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of ten folders that hold ten folders each, and so on: a few objects that unfold into a billion files.
    fn bomb(repo: &Repository) -> Oid {
        let blob = repo.blob(b"x").unwrap();
        let mut builder = repo.treebuilder(None).unwrap();
        builder.insert("f", blob, 0o100_644).unwrap();
        let mut tree = builder.write().unwrap();
        for _ in 0..9 {
            let mut builder = repo.treebuilder(None).unwrap();
            for name in 0..10 {
                builder.insert(name.to_string(), tree, 0o040_000).unwrap();
            }
            tree = builder.write().unwrap();
        }
        tree
    }

    #[test]
    fn a_tree_that_unfolds_without_end_is_walked_within_the_allowance() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(dir.path()).unwrap();
        let mut seen = 0;
        let result = walk_within(&repo, bomb(&repo), Allowance { left: 5_000 }, &mut |visit| {
            seen += usize::from(!matches!(visit, Visit::Leave));
            Ok(Flow::Into)
        });
        assert!(matches!(result, Err(RepoError::TooLarge { .. })), "{result:?}");
        assert_eq!(seen, 5_000);
    }

    #[test]
    fn the_walk_tells_whole_paths_and_leaves_each_folder_it_entered() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(dir.path()).unwrap();
        let mut told = Vec::new();
        let mut inside = Vec::new();
        walk(&repo, bomb(&repo), &mut |visit| {
            match visit {
                Visit::Enter { path, .. } if told.len() >= 12 || !path.ends_with(b"0") => return Ok(Flow::Past),
                Visit::Enter { path, .. } => {
                    inside.push(lossy(path));
                    told.push(lossy(path));
                }
                Visit::Leave => drop(inside.pop()),
                Visit::File { path, .. } => told.push(lossy(path)),
            }
            Ok(Flow::Into)
        })
        .unwrap();
        assert!(inside.is_empty());
        assert_eq!(told.last().map(String::as_str), Some("0/0/0/0/0/0/0/0/0/f"));
    }
}
