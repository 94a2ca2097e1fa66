//! Moves files of a work tree, and makes the index that goes with them. All new content is written beside its place
//! first, so a full disk is found out before anything changes; each file then changes in one step. Folders are held
//! by descriptor and no symbolic link is followed.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, ObjectType, Oid};
use kaizen_domain::edit::FileMode;
use kaizen_domain::path::RelPath;
use rustix::fs::FileType;
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::dir::{Dir, file_type};
use crate::error::RepoError;
use crate::files::MAX_FILE;
use crate::repo::Repo;
use crate::walk::mode_of;
use crate::worktree_check::Step;

/// What stands under a path of the work tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDisk {
    /// Nothing.
    Nothing,
    /// A file or link with this content.
    Is(FileMode, Oid),
    /// Something that no commit holds here: a folder, a device, a file that is too large, a link on the way.
    Other,
}

/// A work tree whose files are moved.
pub(crate) struct Area<'a> {
    repo: &'a Repo,
    top_path: &'a Path,
    top: Dir,
    /// The file system keeps the executable bit.
    pub(crate) modes_count: bool,
}

impl<'a> Area<'a> {
    /// Opens the work tree at `top`.
    pub(crate) fn open(repo: &'a Repo, top_path: &'a Path) -> Result<Self, RepoError> {
        let top = Dir::open(top_path).map_err(RepoError::io("open the folder", top_path))?;
        let config = repo.here.config().map_err(RepoError::git("read the configuration"))?;
        let modes_count = config.get_bool("core.filemode").unwrap_or(true);
        Ok(Self { repo, top_path, top, modes_count })
    }

    /// What stands under a path now.
    pub(crate) fn look(&self, path: &RelPath) -> Result<OnDisk, RepoError> {
        let failed = |error: Errno| RepoError::io("look at", &self.top_path.join(path))(error);
        let dir = match self.parent(path, false) {
            Ok(dir) => dir,
            Err(Errno::NOENT) => return Ok(OnDisk::Nothing),
            Err(Errno::NOTDIR | Errno::LOOP) => return Ok(OnDisk::Other),
            Err(error) => return Err(failed(error)),
        };
        let name = path.file_name().as_bytes();
        let Some(stat) = dir.stat(name).map_err(failed)? else { return Ok(OnDisk::Nothing) };
        let hash = |bytes: &[u8]| Oid::hash_object(ObjectType::Blob, bytes).map_err(RepoError::git("hash a file"));
        match file_type(&stat) {
            FileType::Symlink => Ok(OnDisk::Is(FileMode::Symlink, hash(&dir.read_link(name).map_err(failed)?)?)),
            FileType::RegularFile => {
                let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
                let mut bytes = Vec::new();
                let file = dir.open_file(name).map_err(failed)?;
                file.take(limit + 1)
                    .read_to_end(&mut bytes)
                    .map_err(RepoError::io("read", &self.top_path.join(path)))?;
                if bytes.len() > MAX_FILE {
                    return Ok(OnDisk::Other);
                }
                let mode = if stat.st_mode & 0o100 == 0 { FileMode::Regular } else { FileMode::Executable };
                Ok(OnDisk::Is(mode, hash(&bytes)?))
            }
            _ => Ok(OnDisk::Other),
        }
    }

    /// Moves all files of the steps, or none: when one will not move, those that have are moved back.
    pub(crate) fn apply(&self, steps: &[Step]) -> Result<(), RepoError> {
        let staged = steps.iter().try_for_each(|step| self.stage(step));
        let mut done = 0;
        let result = staged.and_then(|()| {
            steps.iter().try_for_each(|step| {
                self.place(step)?;
                done += 1;
                Ok(())
            })
        });
        if result.is_ok() {
            return Ok(());
        }
        for step in steps {
            self.unstage(step);
        }
        for step in steps.iter().take(done).map(Step::reversed) {
            if let Err(error) = self.stage(&step).and_then(|()| self.place(&step)) {
                tracing::error!(path = %step.path, %error, "a file of the work tree could not be put back");
            }
        }
        result
    }

    /// Writes the new content beside its place.
    fn stage(&self, step: &Step) -> Result<(), RepoError> {
        let Some((mode, oid)) = step.new else { return Ok(()) };
        if self.is(&self.look(&step.path)?, step.new) {
            return Ok(());
        }
        let path = self.top_path.join(&step.path);
        let failed = |error: Errno| RepoError::io("write beside", &path)(error);
        let dir = self.parent(&step.path, true).map_err(failed)?;
        let staged = staged_name(step);
        // An earlier call that was cut off may have left it; the name is Kaizen's own.
        dir.remove_file(&staged).map_err(failed)?;
        let blob = self.repo.here.find_blob(oid).map_err(RepoError::object(oid, step.path.as_str()))?;
        match mode {
            FileMode::Symlink => dir.link_to(blob.content(), &staged).map_err(failed),
            _ => {
                let permissions = if mode == FileMode::Executable { 0o777 } else { 0o666 };
                dir.write_new(&staged, blob.content(), permissions, false)
                    .and_then(|file| file.sync_data())
                    .map_err(RepoError::io("write beside", &path))
            }
        }
    }

    /// Removes what was written beside a place, and the folders that were made for it.
    fn unstage(&self, step: &Step) {
        if step.new.is_none() {
            return;
        }
        if let Ok(dir) = self.parent(&step.path, false) {
            let _ = dir.remove_file(&staged_name(step));
        }
        if step.old.is_none() {
            self.prune(&step.path);
        }
    }

    /// Lets the new content take its place, when what is there is still what was checked.
    fn place(&self, step: &Step) -> Result<(), RepoError> {
        let found = self.look(&step.path)?;
        if self.is(&found, step.new) {
            if step.new.is_none() {
                // An earlier call may have been cut off between the file and its folder.
                self.prune(&step.path);
            }
            return Ok(());
        }
        if !self.is(&found, step.old) {
            let paths = vec![step.path.as_str().to_owned()];
            return Err(RepoError::WorkTreeDirty { worktree: self.top_path.to_path_buf(), paths });
        }
        let path = self.top_path.join(&step.path);
        let name = step.path.file_name().as_bytes();
        let dir = self.parent(&step.path, false).map_err(RepoError::io("open the folder of", &path))?;
        if step.new.is_some() {
            return dir.rename(&staged_name(step), name).map_err(RepoError::io("replace", &path));
        }
        dir.remove_file(name).map_err(RepoError::io("remove", &path))?;
        self.prune(&step.path);
        Ok(())
    }

    /// Removes the folders above a path that are empty now, as git does.
    fn prune(&self, path: &RelPath) {
        let mut folder = path.as_str();
        while let Some((above, _)) = folder.rsplit_once('/') {
            let Ok(above_path) = RelPath::new(above) else { return };
            let gone = match self.parent(&above_path, false) {
                Ok(dir) => dir.remove_empty_dir(above_path.file_name().as_bytes()),
                Err(error) => matches!(error, Errno::NOENT | Errno::NAMETOOLONG),
            };
            if !gone {
                return;
            }
            folder = above;
        }
    }

    /// The folder that holds a path.
    fn parent(&self, path: &RelPath, make: bool) -> Result<Dir, Errno> {
        let parts: Vec<&str> = path.parts().collect();
        let folders = parts.split_last().map_or(&[][..], |(_, folders)| folders);
        let mut dir = self.top.again()?;
        for part in folders {
            if make {
                match dir.make_dir(part.as_bytes()) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error),
                }
            }
            dir = dir.enter(part.as_bytes())?;
        }
        Ok(dir)
    }
}

/// The name that new content has beside its place: always the same, so that a repeated call finds it.
fn staged_name(step: &Step) -> Vec<u8> {
    let mut digest = hex::encode(Sha256::digest(format!("{:?} {}", step.new, step.path).as_bytes()));
    digest.truncate(16);
    format!(".kaizen-{digest}.tmp").into_bytes()
}

/// The content of the index after the steps, everything else in it kept. The index must be locked by the caller.
pub(crate) fn new_index(tree: &Repo, area: &Area<'_>, steps: &[Step]) -> Result<Vec<u8>, RepoError> {
    let index_path = tree.git_dir().join("index");
    let copy = tree.git_dir().join("kaizen-index");
    let remove_copy = || {
        let _ = std::fs::remove_file(&copy);
        let _ = std::fs::remove_file(crate::lock::lock_path(&copy));
    };
    // Under the index's lock these names are nobody else's; an earlier call that was cut off may have left them.
    remove_copy();
    let content = std::fs::copy(&index_path, &copy)
        .map_err(RepoError::io("copy the index", &index_path))
        .and_then(|_| write_steps(&copy, area.top_path, steps))
        .and_then(|()| std::fs::read(&copy).map_err(RepoError::io("read", &copy)));
    remove_copy();
    content
}

fn write_steps(copy: &Path, top: &Path, steps: &[Step]) -> Result<(), RepoError> {
    let doing = || RepoError::git("write the index");
    let mut index = Index::open(copy).map_err(doing())?;
    for step in steps {
        let path = Path::new(step.path.as_str());
        match step.new {
            None if index.get_path(path, 0).is_some() => index.remove(path, 0).map_err(doing())?,
            None => {}
            Some((mode, oid)) => index.add(&entry(top, step, mode, oid)?).map_err(doing())?,
        }
    }
    index.write().map_err(doing())
}

/// The index entry of a file that stands in the work tree, with the marks by which git sees that it is unchanged.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the index keeps the low 32 bits")]
fn entry(top: &Path, step: &Step, mode: FileMode, oid: Oid) -> Result<IndexEntry, RepoError> {
    let path = top.join(&step.path);
    let stat = std::fs::symlink_metadata(&path).map_err(RepoError::io("look at", &path))?;
    let time = |seconds: i64, nanoseconds: i64| IndexTime::new(seconds as i32, nanoseconds as u32);
    Ok(IndexEntry {
        ctime: time(stat.ctime(), stat.ctime_nsec()),
        mtime: time(stat.mtime(), stat.mtime_nsec()),
        dev: stat.dev() as u32,
        ino: stat.ino() as u32,
        mode: u32::try_from(mode_of(mode)).unwrap_or(0),
        uid: stat.uid(),
        gid: stat.gid(),
        file_size: stat.size() as u32,
        id: oid,
        flags: 0,
        flags_extended: 0,
        path: step.path.as_str().as_bytes().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_one_file_will_not_move_those_that_did_are_moved_back() {
        let dir = tempfile::tempdir().unwrap();
        let raw = git2::Repository::init(dir.path()).unwrap();
        let side = |text: &str| Some((FileMode::Regular, raw.blob(text.as_bytes()).unwrap()));
        let top = dir.path().canonicalize().unwrap();
        let step = |path: &str, old, new| Step { path: RelPath::new(path).unwrap(), old, new };
        // The last file was edited after the check: it is not what the step starts from.
        let steps = [
            step("changed", side("old"), side("new")),
            step("gone/x", side("old"), None),
            step("made/x", None, side("new")),
            step("mine", side("old"), side("new")),
        ];
        std::fs::create_dir(top.join("gone")).unwrap();
        for (path, text) in [("changed", "old"), ("gone/x", "old"), ("mine", "edited")] {
            std::fs::write(top.join(path), text).unwrap();
        }
        let repo = Repo::open(&top).unwrap();
        let error = Area::open(&repo, &top).unwrap().apply(&steps).unwrap_err();
        assert!(matches!(&error, RepoError::WorkTreeDirty { paths, .. } if paths == &["mine"]), "{error:?}");
        let read = |path: &str| std::fs::read_to_string(top.join(path)).unwrap();
        assert_eq!([read("changed"), read("gone/x"), read("mine")], ["old", "old", "edited"]);
        let mut left: Vec<_> =
            std::fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, [".git", "changed", "gone", "mine"]);
    }
}
