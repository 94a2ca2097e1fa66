//! What differs between two commits, file by file. It compares the trees itself, by name, mode and object id: no
//! rename detection, no configuration and no attribute can hide a change from it.

use std::collections::BTreeMap;

use git2::{Oid, Repository};
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::names::CommitId;

use crate::error::{RepoError, lossy};
use crate::files::{unknown_mode, valid};
use crate::repo::Repo;
use crate::walk::{Allowance, Entry, EntryKind, check_depth, entry_at, read_tree};

/// The most bytes of content that one list of changes may hold, both sides together.
const MAX_CONTENT: usize = 512 << 20;

/// One side of a difference: what kind of file, and which object.
pub(crate) type Side = Option<(FileMode, Oid)>;

/// One path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delta {
    /// The path, unchecked.
    pub(crate) path: Vec<u8>,
    /// Before.
    pub(crate) old: Side,
    /// After.
    pub(crate) new: Side,
}

impl Repo {
    /// Every file that differs between two commits, with both contents, sorted by path.
    ///
    /// # Errors
    /// When a commit is not there, a path has no safe spelling, or the contents are over 512 MiB together.
    pub fn changes(&self, from: &CommitId, to: &CommitId) -> Result<Vec<Change>, RepoError> {
        let (old, new) = (self.find_tree_of(from)?.id(), self.find_tree_of(to)?.id());
        self.changes_between(self.store(), old, new)
    }

    /// As [`Repo::changes`], between two trees of `store`.
    pub(crate) fn changes_between(&self, store: &Repository, old: Oid, new: Oid) -> Result<Vec<Change>, RepoError> {
        let mut total = 0_usize;
        let mut load = |side: Side, path: &str| -> Result<Option<FileState>, RepoError> {
            let Some((mode, oid)) = side else { return Ok(None) };
            if mode == FileMode::Submodule {
                return self.state_of(mode, oid, path).map(Some);
            }
            let odb = store.odb().map_err(RepoError::git("open the object store"))?;
            let (size, _) = odb.read_header(oid).map_err(RepoError::object(oid, path))?;
            total = total.saturating_add(size);
            if total > MAX_CONTENT {
                let limit = format!("{} MiB", MAX_CONTENT >> 20);
                return Err(RepoError::TooLarge {
                    what: "the content of all changed files together".to_owned(),
                    limit,
                });
            }
            let blob = store.find_blob(oid).map_err(RepoError::object(oid, path))?;
            Ok(Some(FileState { mode, bytes: blob.content().to_vec() }))
        };
        let mut changes = Vec::new();
        for delta in deltas(store, old, new)? {
            let path =
                valid(&delta.path).map_err(|why| RepoError::UnrepresentablePath { path: lossy(&delta.path), why })?;
            let before = load(delta.old, path.as_str())?;
            let after = load(delta.new, path.as_str())?;
            changes.push(Change { path, before, after });
        }
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(changes)
    }
}

/// Every path that differs between two trees, without content.
pub(crate) fn deltas(store: &Repository, old: Oid, new: Oid) -> Result<Vec<Delta>, RepoError> {
    let mut found = Vec::new();
    let mut allowance = Allowance::full();
    // Pairs of folders still to compare: where they are, how deep, and the two trees.
    let mut todo = vec![(Vec::new(), 0_usize, Some(old), Some(new))];
    while let Some((folder, depth, old, new)) = todo.pop() {
        if old == new {
            continue;
        }
        check_depth(depth)?;
        let mut pairs: BTreeMap<Vec<u8>, (Option<Entry>, Option<Entry>)> = BTreeMap::new();
        for entry in entries(store, old, &folder, &mut allowance)? {
            let name = entry.name.clone();
            pairs.entry(name).or_default().0 = Some(entry);
        }
        for entry in entries(store, new, &folder, &mut allowance)? {
            let name = entry.name.clone();
            pairs.entry(name).or_default().1 = Some(entry);
        }
        for (name, (old, new)) in pairs {
            let mut path = folder.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(&name);
            let (old_folder, old_file) = split(old, &path)?;
            let (new_folder, new_file) = split(new, &path)?;
            if old_folder.is_some() || new_folder.is_some() {
                todo.push((path.clone(), depth + 1, old_folder, new_folder));
            }
            if old_file != new_file {
                found.push(Delta { path, old: old_file, new: new_file });
            }
        }
    }
    Ok(found)
}

/// The entries of a folder; a name that comes twice makes the tree mean different things to different readers.
fn entries(
    store: &Repository,
    tree: Option<Oid>,
    folder: &[u8],
    allowance: &mut Allowance,
) -> Result<Vec<Entry>, RepoError> {
    let Some(oid) = tree else { return Ok(Vec::new()) };
    let tree = read_tree(store, oid, folder)?;
    let mut list = Vec::with_capacity(tree.len());
    for at in 0..tree.len() {
        allowance.take()?;
        list.extend(entry_at(&tree, at));
    }
    let mut names: Vec<&[u8]> = list.iter().map(|entry| entry.name.as_slice()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first())).flatten()
    {
        let why = format!("its folder {:?} holds this name twice", lossy(folder));
        return Err(RepoError::UnrepresentablePath { path: lossy(twice), why });
    }
    Ok(list)
}

/// An entry as a folder or as a file.
fn split(entry: Option<Entry>, path: &[u8]) -> Result<(Option<Oid>, Side), RepoError> {
    match entry.map(|entry| (entry.kind, entry.oid)) {
        None => Ok((None, None)),
        Some((EntryKind::Folder, oid)) => Ok((Some(oid), None)),
        Some((EntryKind::File(mode), oid)) => Ok((None, Some((mode, oid)))),
        Some((EntryKind::Unknown(mode), _)) => Err(unknown_mode(&lossy(path), mode)),
    }
}
