//! Makes commits out of changes: objects only, no ref, no work tree, no index. The same input makes the same commit,
//! so that a step cut off by a crash can be repeated.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid, Repository, Signature, Time, Tree};
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::names::{CommitId, TreeId};
use kaizen_domain::path::RelPath;

use crate::error::RepoError;
use crate::repo::{Repo, commit_id, tree_id};
use crate::sync::sync_objects;
use crate::walk::{EntryKind, check_depth, kind_of, mode_of, read_tree};

/// A commit to be made.
#[derive(Debug, Clone)]
pub struct NewCommit<'a> {
    /// Its parents, the first one first.
    pub parents: Vec<CommitId>,
    /// The commit whose tree the changes are made to.
    pub base: CommitId,
    /// What differs from the base. Each `before` must be what the base holds.
    pub changes: &'a [Change],
    /// The commit message.
    pub message: String,
    /// When it was made, seconds since 1970-01-01 UTC.
    pub seconds: i64,
}

impl Repo {
    /// Stores a commit and everything it needs, forced to disk, and points no ref at it.
    ///
    /// Author and committer are the `user.name` and `user.email` of the configuration, or `Kaizen <kaizen@localhost>`.
    /// It is not signed: signing would run a program that the repository names.
    ///
    /// # Errors
    /// When a commit is not there, a change does not fit the base or names a path that no tree can hold, or the
    /// message has a zero byte.
    pub fn commit(&self, new: &NewCommit<'_>) -> Result<(CommitId, TreeId), RepoError> {
        if new.message.contains('\0') {
            return Err(RepoError::InvalidMessage { why: "has a zero byte" });
        }
        if new.message.trim().is_empty() {
            return Err(RepoError::InvalidMessage { why: "is empty" });
        }
        let parents = new.parents.iter().map(|id| self.find_commit(id)).collect::<Result<Vec<_>, _>>()?;
        let base = self.find_tree_of(&new.base)?;
        let mut builder = Builder { store: self.store(), base: &new.base, written: Vec::new() };
        let plan = Node::of(new.changes)?;
        let tree = match builder.folder(Some(&base), &plan, "", 0)? {
            Some(tree) => tree,
            None => builder.empty_tree()?,
        };
        let mut message = new.message.clone();
        if !message.ends_with('\n') {
            message.push('\n');
        }
        let author = self.signature(new.seconds)?;
        let tree = read_tree(self.store(), tree, b"")?;
        let parents: Vec<_> = parents.iter().collect();
        let commit = self
            .store()
            .commit(None, &author, &author, &message, &tree, &parents)
            .map_err(RepoError::git("store the commit"))?;
        builder.written.push(commit);
        sync_objects(self.common_dir(), &builder.written)?;
        Ok((commit_id(commit)?, tree_id(tree.id())?))
    }

    /// Who Kaizen writes as, at a time in seconds since 1970-01-01 UTC.
    pub(crate) fn signature(&self, seconds: i64) -> Result<Signature<'static>, RepoError> {
        let time = Time::new(seconds, 0);
        let config = self.store().config().ok();
        let get = |key| config.as_ref().and_then(|config| config.get_string(key).ok());
        get("user.name")
            .zip(get("user.email"))
            .and_then(|(name, email)| Signature::new(&name, &email, &time).ok())
            .map_or_else(|| Signature::new("Kaizen", "kaizen@localhost", &time), Ok)
            .map_err(RepoError::git("make the author's line"))
    }
}

/// The changes as a tree of names.
#[derive(Default)]
struct Node<'a> {
    change: Option<&'a Change>,
    below: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    fn of(changes: &'a [Change]) -> Result<Self, RepoError> {
        let mut top = Self::default();
        for change in changes {
            let mut node = &mut top;
            for part in change.path.parts() {
                node = node.below.entry(part).or_default();
            }
            if node.change.replace(change).is_some() {
                return Err(invalid(&change.path, "it is changed twice in one commit"));
            }
        }
        Ok(top)
    }
}

struct Builder<'a> {
    store: &'a Repository,
    base: &'a CommitId,
    written: Vec<Oid>,
}

impl<'a> Builder<'a> {
    /// The tree of a folder after the changes below it; `None` when nothing is left in it.
    fn folder(
        &mut self,
        old: Option<&Tree<'a>>,
        node: &Node<'_>,
        path: &str,
        depth: usize,
    ) -> Result<Option<Oid>, RepoError> {
        check_depth(depth)?;
        let store = self.store;
        let doing = || format!("build the folder {path:?}");
        let mut tree = store.treebuilder(old).map_err(RepoError::git(doing()))?;
        for (name, node) in &node.below {
            let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}/{name}") };
            let here = old
                .and_then(|tree| tree.get_name_bytes(name.as_bytes()))
                .map(|entry| (kind_of(entry.filemode_raw()), entry.id()));
            let folder = match here {
                Some((EntryKind::Folder, oid)) => Some(read_tree(store, oid, path.as_bytes())?),
                _ => None,
            };
            let file = here.filter(|(kind, _)| *kind != EntryKind::Folder);
            if let Some(change) = node.change {
                self.check_before(change, file)?;
            }
            let file_stays = match node.change {
                Some(change) => change.after.is_some(),
                None => file.is_some(),
            };
            if file_stays && !node.below.is_empty() && node.below.values().any(Self::leaves_something) {
                return Err(RepoError::InvalidChange {
                    path,
                    why: "a file of this name would be a folder too".to_owned(),
                });
            }
            let below = match (&folder, node.below.is_empty()) {
                (Some(folder), true) => Some(folder.id()),
                _ => self.folder(folder.as_ref(), node, &path, depth + 1)?,
            };
            let entry = match (node.change.and_then(|change| change.after.as_ref()), below) {
                (Some(_), Some(_)) => {
                    return Err(RepoError::InvalidChange { path, why: "a folder of this name is there".to_owned() });
                }
                (Some(after), None) => Some((self.store_file(after, &path)?, mode_of(after.mode))),
                (None, Some(below)) => Some((below, 0o040_000)),
                (None, None) if node.change.is_none() && file.is_some() => continue,
                (None, None) => None,
            };
            match entry {
                Some((oid, mode)) => {
                    let refused = |error: git2::Error| RepoError::InvalidChange {
                        path: path.clone(),
                        why: error.message().to_owned(),
                    };
                    tree.insert(*name, oid, mode).map_err(refused)?;
                }
                None if here.is_some() => tree.remove(*name).map_err(RepoError::git(doing()))?,
                None => {}
            }
        }
        if tree.is_empty() {
            return Ok(None);
        }
        let oid = tree.write().map_err(RepoError::git(doing()))?;
        self.written.push(oid);
        Ok(Some(oid))
    }

    fn leaves_something(node: &Node<'_>) -> bool {
        node.change.is_some_and(|change| change.after.is_some()) || node.below.values().any(Self::leaves_something)
    }

    fn empty_tree(&mut self) -> Result<Oid, RepoError> {
        let builder = self.store.treebuilder(None).map_err(RepoError::git("build an empty tree"))?;
        let oid = builder.write().map_err(RepoError::git("build an empty tree"))?;
        self.written.push(oid);
        Ok(oid)
    }

    /// Checks that the base holds what the change was made for.
    fn check_before(&self, change: &Change, found: Option<(EntryKind, Oid)>) -> Result<(), RepoError> {
        let differs = |why| {
            let path = change.path.as_str().to_owned();
            Err(RepoError::BaseMismatch { path, base: self.base.clone(), why })
        };
        match (&change.before, found) {
            (None, None) => Ok(()),
            (None, Some(_)) => differs("the base has this file already"),
            (Some(_), None) => differs("the base does not have this file"),
            (Some(before), Some((kind, _))) if kind != EntryKind::File(before.mode) => {
                differs("the base has it with another mode")
            }
            (Some(before), Some((_, oid))) if object_of(before, &change.path)? == oid => Ok(()),
            (Some(_), Some(_)) => differs("the base has it with other content"),
        }
    }

    fn store_file(&mut self, state: &FileState, path: &str) -> Result<Oid, RepoError> {
        if state.mode == FileMode::Submodule {
            return submodule(state, path);
        }
        let oid = self.store.blob(&state.bytes).map_err(RepoError::git(format!("store the content of {path}")))?;
        self.written.push(oid);
        Ok(oid)
    }
}

/// The object id that a state has, without storing it.
pub(crate) fn object_of(state: &FileState, path: &RelPath) -> Result<Oid, RepoError> {
    if state.mode == FileMode::Submodule {
        return submodule(state, path.as_str());
    }
    Oid::hash_object(ObjectType::Blob, &state.bytes).map_err(RepoError::git(format!("hash the content of {path}")))
}

fn submodule(state: &FileState, path: &str) -> Result<Oid, RepoError> {
    std::str::from_utf8(&state.bytes)
        .ok()
        .and_then(|digits| CommitId::new(digits).ok())
        .and_then(|id| Oid::from_str(id.as_str()).ok())
        .ok_or_else(|| RepoError::InvalidChange {
            path: path.to_owned(),
            why: "a submodule's content is the 40 digits of a commit id".to_owned(),
        })
}

fn invalid(path: &RelPath, why: &str) -> RepoError {
    RepoError::InvalidChange { path: path.as_str().to_owned(), why: why.to_owned() }
}
