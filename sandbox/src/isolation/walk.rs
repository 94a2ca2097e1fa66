//! Finding and making places below a folder without ever following a symbolic link.
//!
//! A tree is untrusted: a link in it may point anywhere. Runs in the forked child, so nothing here allocates.

use std::ffi::{CStr, CString};

use super::sys::{Errno, Fd, check, errno, open_at, write_all};

/// A path as the names on the way from a folder that is trusted.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The folder to start from.
    pub root: CString,
    /// The names below it; `.`, `..` and empty ones never occur.
    pub folders: Vec<CString>,
    /// The last name; none for the root itself.
    pub name: Option<CString>,
}

impl Place {
    /// Opens the place as a folder, making what is missing.
    pub(super) fn folder(&self) -> Result<Fd, Errno> {
        let parent = self.parent()?;
        match &self.name {
            Some(name) => enter(&parent, name),
            None => Ok(parent),
        }
    }

    /// Opens the place as a file, making an empty one if it is missing.
    pub(super) fn file(&self) -> Result<Fd, Errno> {
        let parent = self.parent()?;
        let name = self.name.as_deref().ok_or(libc::EISDIR)?;
        match open_at(parent.0, name, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW, 0o644) {
            Ok(_) | Err(libc::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
        let file = open_at(parent.0, name, libc::O_PATH | libc::O_NOFOLLOW, 0)?;
        // SAFETY: all zeroes are a valid value of this plain structure.
        let mut status: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: the structure is valid for writing.
        check(unsafe { libc::fstat(file.0, &raw mut status) })?;
        if status.st_mode & libc::S_IFMT == libc::S_IFLNK { Err(libc::ELOOP) } else { Ok(file) }
    }

    /// Writes a new file in place of what is there.
    pub(super) fn write(&self, bytes: &[u8], executable: bool) -> Result<(), Errno> {
        let parent = self.parent()?;
        let name = self.name.as_deref().ok_or(libc::EISDIR)?;
        // A new file instead of a rewritten one: it takes neither the mode of the old one nor its other links.
        match unlink(&parent, name) {
            Ok(()) | Err(libc::ENOENT) => {}
            Err(errno) => return Err(errno),
        }
        let mode = if executable { 0o755 } else { 0o644 };
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
        let file = open_at(parent.0, name, flags, mode)?;
        write_all(file.0, bytes)
    }

    /// Makes a symbolic link.
    pub(super) fn link_to(&self, target: &CStr) -> Result<(), Errno> {
        let parent = self.parent()?;
        let name = self.name.as_deref().ok_or(libc::EISDIR)?;
        // SAFETY: both strings end in NUL.
        check(unsafe { libc::symlinkat(target.as_ptr(), parent.0, name.as_ptr()) }).map(drop)
    }

    /// Removes a file that is there.
    pub(super) fn remove(&self) -> Result<(), Errno> {
        let mut at = open_at(libc::AT_FDCWD, &self.root, libc::O_PATH | libc::O_DIRECTORY, 0)?;
        for folder in &self.folders {
            at = open_at(at.0, folder, libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW, 0)?;
        }
        unlink(&at, self.name.as_deref().ok_or(libc::EISDIR)?)
    }

    fn parent(&self) -> Result<Fd, Errno> {
        let mut at = open_at(libc::AT_FDCWD, &self.root, libc::O_PATH | libc::O_DIRECTORY, 0)?;
        for folder in &self.folders {
            at = enter(&at, folder)?;
        }
        Ok(at)
    }
}

fn enter(at: &Fd, name: &CStr) -> Result<Fd, Errno> {
    let open = || open_at(at.0, name, libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW, 0);
    match open() {
        Err(libc::ENOENT) => {}
        other => return other,
    }
    // SAFETY: the name ends in NUL.
    if unsafe { libc::mkdirat(at.0, name.as_ptr(), 0o755) } < 0 && errno() != libc::EEXIST {
        return Err(errno());
    }
    open()
}

fn unlink(at: &Fd, name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name ends in NUL.
    check(unsafe { libc::unlinkat(at.0, name.as_ptr(), 0) }).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::*;

    fn place(root: &Path, path: &str) -> Place {
        let text = |part: &[u8]| CString::new(part).expect("no NUL");
        let mut folders: Vec<CString> = path.split('/').map(|part| text(part.as_bytes())).collect();
        let name = folders.pop();
        Place { root: text(root.as_os_str().as_bytes()), folders, name }
    }

    #[test]
    fn a_write_makes_folders_and_replaces_a_file_with_a_new_one() {
        let dir = tempfile::tempdir().expect("a folder");
        place(dir.path(), "a/b/c.rs").write(b"one", true).expect("written");
        let file = dir.path().join("a/b/c.rs");
        std::fs::hard_link(&file, dir.path().join("other")).expect("linked");
        place(dir.path(), "a/b/c.rs").write(b"two", false).expect("written again");
        assert_eq!(std::fs::read(&file).expect("read"), b"two");
        assert_eq!(std::fs::read(dir.path().join("other")).expect("read"), b"one");
        assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o111, 0);
    }

    #[test]
    fn no_symbolic_link_is_followed() {
        let (dir, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let secret = outside.path().join("secret");
        std::fs::write(&secret, "kept").expect("written");
        symlink(outside.path(), dir.path().join("folder")).expect("linked");
        symlink(&secret, dir.path().join("file")).expect("linked");

        assert_eq!(place(dir.path(), "folder/secret").write(b"gone", false), Err(libc::ENOTDIR));
        assert_eq!(place(dir.path(), "folder/secret").remove(), Err(libc::ENOTDIR));
        assert_eq!(place(dir.path(), "folder/new").folder().err(), Some(libc::ENOTDIR));
        assert_eq!(place(dir.path(), "folder").folder().err(), Some(libc::ENOTDIR));
        assert_eq!(place(dir.path(), "file").file().err(), Some(libc::ELOOP));
        place(dir.path(), "file").write(b"mine", false).expect("the link itself is replaced");

        assert_eq!(std::fs::read(&secret).expect("read"), b"kept");
        assert_eq!(std::fs::read_dir(outside.path()).expect("listed").count(), 1);
        assert_eq!(std::fs::read(dir.path().join("file")).expect("read"), b"mine");
    }

    #[test]
    fn removing_what_is_not_there_is_an_error_and_makes_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(place(dir.path(), "a/b").remove(), Err(libc::ENOENT));
        assert!(!dir.path().join("a").exists());
    }
}
