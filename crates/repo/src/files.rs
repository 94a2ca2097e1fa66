//! Reading a commit: the state of one path, and the list of all files with what had to be left out and why.

use std::path::Path;

use git2::{ErrorCode, Oid};
use kaizen_domain::edit::{FileMode, FileState};
use kaizen_domain::names::CommitId;
use kaizen_domain::path::RelPath;

use crate::error::{RepoError, lossy};
use crate::repo::Repo;
use crate::walk::{EntryKind, Flow, Visit, kind_of, walk};

/// The largest file that is read into memory, bytes.
pub(crate) const MAX_FILE: usize = 256 << 20;
/// A pointer file of Git LFS is smaller than this, by its specification.
const MAX_LFS_POINTER: usize = 1024;
/// How each pointer file of Git LFS starts.
const LFS_START: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// The files of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Every file and symbolic link with its size in bytes, in the order of the tree.
    pub files: Vec<(RelPath, FileMode, u64)>,
    /// What is not in `files`, with the reason: submodules, and names that have no safe spelling. What is not UTF-8
    /// in a name is replaced.
    pub skipped: Vec<(String, String)>,
    /// Those of `files` that only point at content kept elsewhere by Git LFS.
    pub lfs: Vec<RelPath>,
}

impl Repo {
    /// What `path` holds in a commit; `None` when nothing, or a folder, is there. A submodule's bytes are the
    /// hexadecimal digits of its commit.
    ///
    /// # Errors
    /// When the commit or the content is not there, or the file is larger than 256 MiB.
    pub fn read(&self, commit: &CommitId, path: &RelPath) -> Result<Option<FileState>, RepoError> {
        let tree = self.find_tree_of(commit)?;
        let entry = match tree.get_path(Path::new(path.as_str())) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(RepoError::git(format!("read {path} of {commit}"))(error)),
        };
        match kind_of(entry.filemode_raw()) {
            EntryKind::Folder => Ok(None),
            EntryKind::File(mode) => Ok(Some(self.state_of(mode, entry.id(), path.as_str())?)),
            EntryKind::Unknown(mode) => Err(unknown_mode(path.as_str(), mode)),
        }
    }

    /// The files of a commit with their sizes.
    ///
    /// # Errors
    /// When the commit or a folder of it is not there, or it is larger than the limits (2 million entries, 200
    /// folders inside each other).
    pub fn files(&self, commit: &CommitId) -> Result<Listing, RepoError> {
        let tree = self.find_tree_of(commit)?.id();
        let store = self.store();
        let odb = store.odb().map_err(RepoError::git("open the object store"))?;
        let mut listing = Listing::default();
        let mut small = Vec::new();
        let mut uses_lfs = false;
        walk(store, tree, &mut |visit| {
            let (path, entry) = match visit {
                Visit::Enter { path, .. } => return Ok(into_if_valid(path, &mut listing.skipped)),
                Visit::Leave => return Ok(Flow::Into),
                Visit::File { path, entry } => (path, entry),
            };
            let mut skip = |why: String| listing.skipped.push((lossy(path), why));
            let mode = match entry.kind {
                EntryKind::File(FileMode::Submodule) => {
                    skip("is a submodule: another repository's files are not looked at".to_owned());
                    return Ok(Flow::Past);
                }
                EntryKind::File(mode) => mode,
                EntryKind::Folder => return Ok(Flow::Past),
                EntryKind::Unknown(mode) => {
                    skip(format!("has the mode {mode:o}, which git does not define"));
                    return Ok(Flow::Past);
                }
            };
            let path = match valid(path) {
                Ok(path) => path,
                Err(why) => {
                    skip(why);
                    return Ok(Flow::Past);
                }
            };
            let Ok((size, _)) = odb.read_header(entry.oid) else {
                skip("its content is not in this repository (a partial clone lacks objects)".to_owned());
                return Ok(Flow::Past);
            };
            if path.file_name() == ".gitattributes" && size <= MAX_FILE {
                uses_lfs |= store.find_blob(entry.oid).is_ok_and(|blob| contains(blob.content(), b"filter=lfs"));
            }
            if size >= LFS_START.len() && size < MAX_LFS_POINTER && mode != FileMode::Symlink {
                small.push((listing.files.len(), entry.oid));
            }
            listing.files.push((path, mode, u64::try_from(size).unwrap_or(u64::MAX)));
            Ok(Flow::Past)
        })?;
        if uses_lfs {
            for (at, oid) in small {
                let is_pointer = store.find_blob(oid).is_ok_and(|blob| blob.content().starts_with(LFS_START));
                if is_pointer && let Some((path, ..)) = listing.files.get(at) {
                    listing.lfs.push(path.clone());
                }
            }
        }
        Ok(listing)
    }

    /// The state behind an entry that was found under `path`.
    pub(crate) fn state_of(&self, mode: FileMode, oid: Oid, path: &str) -> Result<FileState, RepoError> {
        if mode == FileMode::Submodule {
            return Ok(FileState { mode, bytes: oid.to_string().into_bytes() });
        }
        let store = self.store();
        let odb = store.odb().map_err(RepoError::git("open the object store"))?;
        let (size, _) = odb.read_header(oid).map_err(RepoError::object(oid, path))?;
        if size > MAX_FILE {
            let limit = format!("{} MiB", MAX_FILE >> 20);
            return Err(RepoError::TooLarge { what: format!("the file {path} ({size} bytes)"), limit });
        }
        let blob = store.find_blob(oid).map_err(RepoError::object(oid, path))?;
        Ok(FileState { mode, bytes: blob.content().to_vec() })
    }
}

/// A path of a tree in the words of the domain, or why it has none.
pub(crate) fn valid(path: &[u8]) -> Result<RelPath, String> {
    let text = std::str::from_utf8(path).map_err(|_| "its name is not UTF-8".to_owned())?;
    RelPath::new(text).map_err(|error| error.to_string())
}

pub(crate) fn unknown_mode(path: &str, mode: i32) -> RepoError {
    let why = format!("it has the mode {mode:o}, which git does not define");
    RepoError::UnrepresentablePath { path: path.to_owned(), why }
}

fn into_if_valid(path: &[u8], skipped: &mut Vec<(String, String)>) -> Flow {
    match valid(path) {
        Ok(_) => Flow::Into,
        Err(why) => {
            skipped.push((lossy(path), why));
            Flow::Past
        }
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}
