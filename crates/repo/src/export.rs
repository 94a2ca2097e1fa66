//! Writes the files of a commit below a fresh folder, byte for byte: no filters, no line-end conversion, names by
//! their raw bytes. The tree may be hostile; what cannot be written safely is left out and reported, never followed.

use std::path::Path;

use git2::Odb;
use kaizen_domain::edit::FileMode;
use kaizen_domain::names::CommitId;
use rustix::io::Errno;

use crate::dir::Dir;
use crate::error::{RepoError, lossy};
use crate::files::MAX_FILE;
use crate::repo::Repo;
use crate::walk::{Entry, EntryKind, Flow, Visit, walk};

/// The most bytes that one export writes.
const MAX_EXPORT: u64 = 64 << 30;

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exported {
    /// Files and symbolic links written.
    pub files: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Submodules: each became an empty folder. What is not UTF-8 in a path is replaced.
    pub submodules: Vec<String>,
    /// What was left out, with the reason: when this is not empty, the folder is not the whole commit.
    pub skipped: Vec<(String, String)>,
}

impl Repo {
    /// Writes the files of a commit below `into`, which is made, or is an empty folder.
    ///
    /// Files get the permissions 0644 or 0755 exactly. Symbolic links are written as they are and never followed
    /// here, so a link may point out of `into`: whoever reads the folder must not trust it. One file at a time is
    /// held in memory.
    ///
    /// # Errors
    /// When the commit is not there, `into` is not empty or cannot be written, an object is missing, or the tree is
    /// over the limits (2 million entries, 200 folders inside each other, 64 GiB).
    pub fn export(&self, commit: &CommitId, into: &Path) -> Result<Exported, RepoError> {
        let tree = self.find_tree_of(commit)?.id();
        std::fs::create_dir_all(into).map_err(RepoError::io("make the folder", into))?;
        let mut inside = std::fs::read_dir(into).map_err(RepoError::io("read the folder", into))?;
        if inside.next().is_some() {
            return Err(RepoError::NotEmpty { path: into.to_path_buf() });
        }
        let store = self.store();
        let odb = store.odb().map_err(RepoError::git("open the object store"))?;
        let top = Dir::open(into).map_err(RepoError::io("open the folder", into))?;
        let mut writer = Writer { odb, into, dirs: vec![top], done: Exported::default() };
        walk(store, tree, &mut |visit| writer.visit(visit))?;
        Ok(writer.done)
    }
}

struct Writer<'repo> {
    odb: Odb<'repo>,
    into: &'repo Path,
    /// The folders that the walk is in, from the top down.
    dirs: Vec<Dir>,
    done: Exported,
}

impl Writer<'_> {
    fn visit(&mut self, visit: Visit<'_>) -> Result<Flow, RepoError> {
        match visit {
            Visit::Leave => {
                self.dirs.pop();
                Ok(Flow::Past)
            }
            Visit::Enter { path, entry } => {
                let Some(dir) = self.make_dir(path, entry)? else { return Ok(Flow::Past) };
                self.dirs.push(dir);
                Ok(Flow::Into)
            }
            Visit::File { path, entry } => {
                match entry.kind {
                    EntryKind::File(FileMode::Submodule) => {
                        if self.make_dir(path, entry)?.is_some() {
                            self.done.submodules.push(lossy(path));
                        }
                    }
                    EntryKind::File(mode) => self.write(path, entry, mode)?,
                    EntryKind::Folder => {}
                    EntryKind::Unknown(mode) => {
                        self.skip(path, format!("has the mode {mode:o}, which git does not define"));
                    }
                }
                Ok(Flow::Past)
            }
        }
    }

    fn skip(&mut self, path: &[u8], why: impl Into<String>) {
        self.done.skipped.push((lossy(path), why.into()));
    }

    fn make_dir(&mut self, path: &[u8], entry: &Entry) -> Result<Option<Dir>, RepoError> {
        if let Some(why) = forbidden(&entry.name) {
            self.skip(path, why);
            return Ok(None);
        }
        let Some(parent) = self.dirs.last() else { return Ok(None) };
        match parent.make_dir(&entry.name).and_then(|()| parent.enter(&entry.name)) {
            Ok(dir) => Ok(Some(dir)),
            Err(error) => self.refused(path, error.into()).map(|()| None),
        }
    }

    fn write(&mut self, path: &[u8], entry: &Entry, mode: FileMode) -> Result<(), RepoError> {
        if let Some(why) = forbidden(&entry.name) {
            self.skip(path, why);
            return Ok(());
        }
        let (size, kind) = self.odb.read_header(entry.oid).map_err(RepoError::object(entry.oid, &lossy(path)))?;
        if kind != git2::ObjectType::Blob {
            self.skip(path, "is called a file, but git keeps no file under it");
            return Ok(());
        }
        if size > MAX_FILE {
            self.skip(path, format!("is larger than {} MiB", MAX_FILE >> 20));
            return Ok(());
        }
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        if self.done.bytes.saturating_add(size) > MAX_EXPORT {
            let limit = format!("{} GiB", MAX_EXPORT >> 30);
            return Err(RepoError::TooLarge { what: "the content of all files of the commit".to_owned(), limit });
        }
        let blob = self.odb.read(entry.oid).map_err(RepoError::object(entry.oid, &lossy(path)))?;
        let Some(parent) = self.dirs.last() else { return Ok(()) };
        let written = match mode {
            FileMode::Symlink => parent.link_to(blob.data(), &entry.name).map_err(std::io::Error::from),
            FileMode::Executable => parent.write_new(&entry.name, blob.data(), 0o755, true).map(drop),
            FileMode::Regular | FileMode::Submodule => {
                parent.write_new(&entry.name, blob.data(), 0o644, true).map(drop)
            }
        };
        drop(blob);
        match written {
            Ok(()) => {
                self.done.files += 1;
                self.done.bytes = self.done.bytes.saturating_add(size);
                Ok(())
            }
            Err(error) => self.refused(path, error),
        }
    }

    /// Tells an entry that cannot exist (left out, reported) from a folder that cannot be written to (an error).
    fn refused(&mut self, path: &[u8], error: std::io::Error) -> Result<(), RepoError> {
        let why = match Errno::from_io_error(&error) {
            Some(Errno::EXIST) => "another entry of the commit has the same name",
            Some(Errno::NAMETOOLONG) => "its name is too long for this file system",
            Some(Errno::INVAL | Errno::ILSEQ) => "its name or target is not one that this file system takes",
            _ => return Err(RepoError::io::<std::io::Error>("write below", self.into)(error)),
        };
        self.skip(path, why);
        Ok(())
    }
}

/// Why a name of a tree is not written to disk.
fn forbidden(name: &[u8]) -> Option<&'static str> {
    match name {
        b"" => Some("has an empty name"),
        b"." | b".." => Some("is named by dots: it would reach out of its folder"),
        _ if name.contains(&b'/') || name.contains(&0) => Some("has a slash or a zero byte in its name"),
        _ if name.eq_ignore_ascii_case(b".git") => Some("is named as git's own folder"),
        _ => None,
    }
}
