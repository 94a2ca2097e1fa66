//! Git's lock files (`<file>.lock`), taken in a way that survives our own death.
//!
//! The lock is a second name (hard link) of a private file beside the repository's own, on which the living process
//! holds a kernel lock. A lock file that is such a link and whose kernel lock is free was left by a Kaizen that was
//! killed: it is ours and is taken away. Every other lock file belongs to somebody else and is never deleted.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use crate::error::RepoError;
use crate::sync::sync_dir;

/// How long to wait between two looks at a lock that somebody else holds.
const PAUSE: Duration = Duration::from_millis(20);
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A lock file that this process holds. Dropped, it is released and its target stays as it was.
#[derive(Debug)]
pub(crate) struct OwnedLock {
    target: PathBuf,
    lock: PathBuf,
    private: PathBuf,
    file: File,
}

impl OwnedLock {
    /// Takes the lock of `target`, waiting up to `wait` for whoever holds it. `beside` is the folder for the private
    /// file, on the same file system as `target`. Folders above `target` are made as needed.
    pub(crate) fn take(beside: &Path, target: &Path, wait: Duration) -> Result<Self, RepoError> {
        let lock = lock_path(target);
        let prefix = private_prefix(&lock);
        let deadline = Instant::now() + wait;
        loop {
            clear_dead(beside, &prefix, &lock);
            let Some((private, file)) = new_private(beside, &prefix)? else { continue };
            let mut held = Self { target: target.to_path_buf(), lock: lock.clone(), private, file };
            if held.link(deadline, &prefix, beside)? {
                return Ok(held);
            }
        }
    }

    /// Gives the private file the lock's name; `Ok(false)` when the private file was cleared away meanwhile.
    fn link(&mut self, deadline: Instant, prefix: &str, beside: &Path) -> Result<bool, RepoError> {
        let mut folders_made = 0;
        loop {
            match std::fs::hard_link(&self.private, &self.lock) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if Instant::now() >= deadline {
                        return Err(RepoError::RefLocked { path: self.lock.clone(), holder: holder_of(&self.lock) });
                    }
                    std::thread::sleep(PAUSE);
                    clear_dead(beside, prefix, &self.lock);
                }
                Err(error) if error.kind() == ErrorKind::NotFound && folders_made < 100 => {
                    if !self.private.exists() {
                        return Ok(false);
                    }
                    // Somebody may remove an empty folder between these two steps: then they are done again.
                    folders_made += 1;
                    if let Some(folder) = self.lock.parent() {
                        std::fs::create_dir_all(folder).map_err(RepoError::io("make the folder", folder))?;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
                    if self.create()? {
                        return Ok(true);
                    }
                    if Instant::now() >= deadline {
                        return Err(RepoError::RefLocked { path: self.lock.clone(), holder: holder_of(&self.lock) });
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(RepoError::io::<std::io::Error>("make the lock file", &self.lock)(error)),
            }
        }
    }

    /// Makes the lock file itself, on a file system without hard links: as git does it, so it outlives a kill.
    fn create(&mut self) -> Result<bool, RepoError> {
        match OpenOptions::new().write(true).create_new(true).mode(0o666).open(&self.lock) {
            Ok(file) => {
                self.file = file;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(RepoError::io::<std::io::Error>("make the lock file", &self.lock)(error)),
        }
    }

    /// Gives the target this content, forced to disk, and releases the lock.
    pub(crate) fn commit(mut self, content: &[u8]) -> Result<(), RepoError> {
        self.file.write_all(content).map_err(RepoError::io("write", &self.lock))?;
        self.file.sync_all().map_err(RepoError::io("force to disk", &self.lock))?;
        if !same_file(&self.file, &self.lock) {
            return Err(RepoError::LockLost { path: self.lock.clone() });
        }
        std::fs::rename(&self.lock, &self.target).map_err(RepoError::io("put the new content in", &self.target))?;
        match self.target.parent() {
            Some(folder) => sync_dir(folder),
            None => Ok(()),
        }
    }
}

impl Drop for OwnedLock {
    fn drop(&mut self) {
        // After a commit the lock's name is gone; what stands there then is somebody else's and differs.
        if same_file(&self.file, &self.lock) {
            let _ = std::fs::remove_file(&self.lock);
        }
        let _ = std::fs::remove_file(&self.private);
    }
}

/// The lock file of a file, by git's rule.
pub(crate) fn lock_path(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Private files of one lock all start alike, so that whoever takes it next finds those left behind.
fn private_prefix(lock: &Path) -> String {
    let mut digest = hex::encode(Sha256::digest(lock.as_os_str().as_bytes()));
    digest.truncate(16);
    format!("kaizen-lock-{digest}-")
}

fn new_private(beside: &Path, prefix: &str) -> Result<Option<(PathBuf, File)>, RepoError> {
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let path = beside.join(format!("{prefix}{}-{count}-{}", std::process::id(), now.as_nanos()));
    let file = match OpenOptions::new().write(true).create_new(true).mode(0o666).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(RepoError::io::<std::io::Error>("make the lock's private file", &path)(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some((path, file))),
        // Somebody who clears away dead locks was faster, and is about to remove it.
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        // A file system without kernel locks: nobody can tell a dead holder there, so nobody takes its lock away.
        Err(std::fs::TryLockError::Error(_)) => Ok(Some((path, file))),
    }
}

/// Removes what a killed Kaizen left of this lock.
fn clear_dead(beside: &Path, prefix: &str, lock: &Path) {
    let Ok(entries) = std::fs::read_dir(beside) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().as_bytes().starts_with(prefix.as_bytes()) {
            continue;
        }
        let path = entry.path();
        let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
        let Ok(file) = OpenOptions::new().write(true).custom_flags(flags).open(&path) else { continue };
        if file.try_lock().is_err() || !same_file(&file, &path) {
            continue;
        }
        if same_file(&file, lock) {
            tracing::warn!(lock = %lock.display(), "removing a lock that a killed Kaizen left behind");
            let _ = std::fs::remove_file(lock);
        }
        let _ = std::fs::remove_file(&path);
    }
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(one), Ok(other)) => one.dev() == other.dev() && one.ino() == other.ino(),
        _ => false,
    }
}

/// What can be found out about who holds a lock file: the process that has it open, and how old it is.
fn holder_of(lock: &Path) -> String {
    let age = std::fs::symlink_metadata(lock)
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|modified| modified.elapsed().ok())
        .map_or_else(|| "of unknown age".to_owned(), |age| format!("{} s old", age.as_secs()));
    match process_with(lock) {
        Some(process) => format!("{process}; {age}"),
        None => format!("no running process that can be seen has it open; {age}"),
    }
}

fn process_with(lock: &Path) -> Option<String> {
    let wanted = std::fs::canonicalize(lock).ok()?;
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(open) = std::fs::read_dir(process.path().join("fd")) else { continue };
        if open.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target == wanted)) {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("process {pid} {:?}", name.trim_end()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Leaves everything as a kill would: the files stay, the kernel's lock goes.
    fn kill(mut lock: OwnedLock) {
        drop(std::mem::replace(&mut lock.file, File::open("/dev/null").unwrap()));
        std::mem::forget(lock);
    }

    #[test]
    fn a_lock_is_released_when_dropped_and_replaces_its_target_when_committed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a/b/ref");
        drop(OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap());
        assert_eq!((names(dir.path()), target.exists()), (vec!["a".to_owned()], false));
        OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap().commit(b"content").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"content");
        assert_eq!(names(&dir.path().join("a/b")), ["ref"]);
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn what_a_killed_holder_left_is_taken_away_and_a_living_one_is_respected() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("ref");
        kill(OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap());
        assert!(lock_path(&target).exists());
        let living = OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap();
        let error = OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap_err();
        assert!(matches!(error, RepoError::RefLocked { .. }), "{error:?}");
        drop(living);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_holder_killed_after_its_commit_does_not_harm_the_target() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("ref");
        let lock = OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap();
        std::fs::write(&lock.lock, b"new").unwrap();
        std::fs::rename(&lock.lock, &target).unwrap();
        kill(lock);
        assert_eq!(names(dir.path()).len(), 2);
        drop(OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap());
        assert_eq!(names(dir.path()), ["ref"]);
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn without_hard_links_the_lock_is_a_file_like_gits_own() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("ref");
        let (private, file) = new_private(dir.path(), "kaizen-lock-x-").unwrap().unwrap();
        let mut lock = OwnedLock { target: target.clone(), lock: lock_path(&target), private, file };
        assert!(lock.create().unwrap());
        assert!(!lock.create().unwrap());
        lock.commit(b"content").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"content");
        assert_eq!(names(dir.path()), ["ref"]);
    }

    #[test]
    fn a_lock_taken_away_by_somebody_else_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("ref");
        let lock = OwnedLock::take(dir.path(), &target, Duration::ZERO).unwrap();
        std::fs::remove_file(lock_path(&target)).unwrap();
        std::fs::write(lock_path(&target), "theirs").unwrap();
        assert!(matches!(lock.commit(b"ours"), Err(RepoError::LockLost { .. })));
        assert_eq!(std::fs::read(lock_path(&target)).unwrap(), b"theirs");
        assert!(!target.exists());
    }
}
