//! Folders held open by descriptor, so that every name is looked up inside the folder that was checked and no
//! symbolic link on the way is ever followed. Nothing here takes a path of more than one part.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// A folder that is held open.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
}

const OPEN_DIR: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Dir {
    /// Opens a folder by its path; links on the way to it are followed, as the caller chose the path.
    pub(crate) fn open(path: &Path) -> Result<Self, Errno> {
        let fd = rustix::fs::openat(CWD, path, OPEN_DIR.difference(OFlags::NOFOLLOW), Mode::empty())?;
        Ok(Self { fd })
    }

    /// A second handle on this folder.
    pub(crate) fn again(&self) -> Result<Self, Errno> {
        Ok(Self { fd: rustix::io::fcntl_dupfd_cloexec(&self.fd, 0)? })
    }

    /// Opens a folder in this one.
    pub(crate) fn enter(&self, name: &[u8]) -> Result<Self, Errno> {
        let fd = rustix::fs::openat(&self.fd, one_part(name)?, OPEN_DIR, Mode::empty())?;
        Ok(Self { fd })
    }

    /// Makes a folder in this one; it must not exist.
    pub(crate) fn make_dir(&self, name: &[u8]) -> Result<(), Errno> {
        rustix::fs::mkdirat(&self.fd, one_part(name)?, Mode::from_raw_mode(0o777))
    }

    /// Writes a new file. With `exact`, its permissions are `mode` whatever the process's mask says. A file that
    /// could not be written whole is removed again.
    pub(crate) fn write_new(&self, name: &[u8], bytes: &[u8], mode: u32, exact: bool) -> std::io::Result<File> {
        let name = one_part(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(mode))?);
        let written = file.write_all(bytes).and_then(|()| {
            if exact {
                rustix::fs::fchmod(file.as_fd(), Mode::from_raw_mode(mode))?;
            }
            Ok(())
        });
        match written {
            Ok(()) => Ok(file),
            Err(error) => {
                let _ = rustix::fs::unlinkat(&self.fd, name, AtFlags::empty());
                Err(error)
            }
        }
    }

    /// Makes a symbolic link; the name must be free.
    pub(crate) fn link_to(&self, target: &[u8], name: &[u8]) -> Result<(), Errno> {
        if target.is_empty() || target.contains(&0) {
            return Err(Errno::INVAL);
        }
        rustix::fs::symlinkat(OsStr::from_bytes(target), &self.fd, one_part(name)?)
    }

    /// What stands under a name, links not followed; `None` when nothing does.
    pub(crate) fn stat(&self, name: &[u8]) -> Result<Option<Stat>, Errno> {
        match rustix::fs::statat(&self.fd, one_part(name)?, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a plain file for reading.
    pub(crate) fn open_file(&self, name: &[u8]) -> Result<File, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        Ok(File::from(rustix::fs::openat(&self.fd, one_part(name)?, flags, Mode::empty())?))
    }

    /// Where a symbolic link points.
    pub(crate) fn read_link(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        Ok(rustix::fs::readlinkat(&self.fd, one_part(name)?, Vec::new())?.into_bytes())
    }

    /// Puts a name in place of another one in this folder.
    pub(crate) fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        rustix::fs::renameat(&self.fd, one_part(from)?, &self.fd, one_part(to)?)
    }

    /// Removes a file or link; that it is gone already is fine.
    pub(crate) fn remove_file(&self, name: &[u8]) -> Result<(), Errno> {
        match rustix::fs::unlinkat(&self.fd, one_part(name)?, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes a folder when it is empty; says whether nothing stands there any more.
    pub(crate) fn remove_empty_dir(&self, name: &[u8]) -> bool {
        let removed = one_part(name).and_then(|name| rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR));
        matches!(removed, Ok(()) | Err(Errno::NOENT | Errno::NAMETOOLONG))
    }
}

/// The kind of file that a status describes.
pub(crate) fn file_type(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// A name of one part, or an error: the check that everything above rests on.
fn one_part(name: &[u8]) -> Result<&OsStr, Errno> {
    match name {
        b"" | b"." | b".." => Err(Errno::INVAL),
        name if name.contains(&b'/') || name.contains(&0) => Err(Errno::INVAL),
        name => Ok(OsStr::from_bytes(name)),
    }
}
