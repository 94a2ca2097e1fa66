//! The files of a journal in its state directory: their names, how they are made, and how errors of the system become
//! errors that name them.
//!
//! Never opens the database or its `-shm` and `-wal` files itself: closing a second descriptor would drop the locks
//! that SQLite holds for this process.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::JournalError;
use crate::guard;

const DATABASE: &str = "journal.sqlite";
/// Below this much free space, in bytes, a failed write is taken for a full disk: SQLite reports some of these failures
/// as plain I/O errors.
const FULL_BELOW: u64 = 64 * 1024;

/// Where a journal is kept.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    dir: PathBuf,
}

/// A file as the system knows it: device and inode.
pub(crate) type Identity = (u64, u64);

impl Files {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_path_buf() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// Whether the folder lies on a file system of a network, as NFS, SMB, Ceph, Lustre, GlusterFS and the like.
    pub(crate) fn is_on_network(&self) -> bool {
        /// By the numbers of `statfs(2)`. What is mounted by FUSE may be one, and is taken for one.
        const NETWORKS: [u64; 10] = [
            0x6969,      // NFS
            0x517b,      // SMB, old
            0xff53_4d42, // CIFS
            0xfe53_4d42, // SMB 2
            0x00c3_6400, // Ceph
            0x0bd0_0bd0, // Lustre
            0x6573_5546, // FUSE
            0x0102_1997, // 9p
            0x0116_1970, // GFS2
            0x7461_636f, // OCFS2
        ];
        let parent = self.database();
        let folder = parent.parent().unwrap_or(&parent);
        rustix::fs::statfs(folder).is_ok_and(|about| NETWORKS.contains(&(about.f_type.cast_unsigned() & 0xffff_ffff)))
    }

    pub(crate) fn wal(&self) -> PathBuf {
        self.beside("-wal")
    }

    pub(crate) fn shm(&self) -> PathBuf {
        self.beside("-shm")
    }

    /// SQLite's rollback journal: it exists only while a new database is being turned to a write-ahead log.
    pub(crate) fn rollback(&self) -> PathBuf {
        self.beside("-journal")
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(DATABASE);
        name.push(suffix);
        self.dir.join(name)
    }

    pub(crate) fn head(&self) -> PathBuf {
        self.dir.join("journal.head")
    }

    /// The hash of every byte of the database, as the last writer left it.
    pub(crate) fn seal(&self) -> PathBuf {
        self.dir.join("journal.seal")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("journal.lock")
    }

    /// Makes the state directory, for its owner alone, unless it exists.
    pub(crate) fn make_dir(&self) -> Result<(), JournalError> {
        if self.dir.is_dir() {
            return Ok(());
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|error| self.io("create", &self.dir, error))?;
        match self.dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => self.sync(parent),
            None => self.sync(Path::new(".")),
        }
    }

    /// Makes the database file, empty and for its owner alone, unless it exists. SQLite gives its side files the same
    /// mode.
    pub(crate) fn make_database(&self) -> Result<(), JournalError> {
        let path = self.database();
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(_) => self.sync_dir(),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(self.io("create", &path, error)),
        }
    }

    /// Takes group and others out of the mode of the database file.
    pub(crate) fn protect_database(&self) -> Result<(), JournalError> {
        let path = self.database();
        let mode = fs::metadata(&path).map_err(|error| self.io("read", &path, error))?.permissions().mode();
        if mode & 0o077 == 0 {
            return Ok(());
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(|error| self.io("protect", &path, error))
    }

    /// The identity of the database file; `None` when there is none.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, JournalError> {
        let path = self.database();
        match fs::metadata(&path) {
            Ok(meta) => Ok(Some((meta.dev(), meta.ino()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("read", &path, error)),
        }
    }

    /// What a file beside the database holds; none when it is not there.
    pub(crate) fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, JournalError> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("read", path, error)),
        }
    }

    /// What a file is called until it is whole.
    pub(crate) fn unfinished(path: &Path) -> PathBuf {
        path.with_added_extension("new")
    }

    /// Gives a file beside the database this content, durably and in one step.
    pub(crate) fn replace(&self, path: &Path, content: &str) -> Result<(), JournalError> {
        let new = Self::unfinished(path);
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(content.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        write().map_err(|error| self.io("write", path, error))?;
        self.sync_dir()
    }

    /// Makes renames and new names in the state directory durable.
    pub(crate) fn sync_dir(&self) -> Result<(), JournalError> {
        self.sync(&self.dir)
    }

    fn sync(&self, dir: &Path) -> Result<(), JournalError> {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| self.io("write to", dir, error))
    }

    /// The error of a file operation. What shows that the disk fails or is full stops the handle.
    pub(crate) fn io(&self, action: &'static str, path: &Path, source: io::Error) -> JournalError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                JournalError::DiskFull { path: path.to_path_buf() }
            }
            _ if source.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                JournalError::Stopped { path: path.to_path_buf(), reason: source.to_string() }
            }
            _ => JournalError::Io { action, path: path.to_path_buf(), source },
        }
    }

    /// The error of a statement. The statements are fixed and tested, so that whatever they stumble over in the data
    /// is damage.
    pub(crate) fn sql(&self, error: rusqlite::Error, waited: Duration) -> JournalError {
        let path = self.database();
        let Some(code) = error.sqlite_error_code() else {
            return self.corrupt(None, error.to_string());
        };
        match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
                JournalError::Busy { path, waited, pid: guard::sqlite_writer(&self.shm()) }
            }
            ErrorCode::DiskFull => JournalError::DiskFull { path },
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen if self.is_full() => JournalError::DiskFull { path },
            ErrorCode::SystemIoFailure => JournalError::Stopped { path, reason: error.to_string() },
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::Unknown
            | ErrorCode::SchemaChanged
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch => self.corrupt(None, error.to_string()),
            _ => JournalError::Database { path, source: Box::new(error) },
        }
    }

    pub(crate) fn corrupt(&self, record: Option<u64>, detail: impl Into<String>) -> JournalError {
        JournalError::Corrupt { path: self.database(), record, detail: detail.into() }
    }

    pub(crate) fn rolled_back(&self, detail: impl Into<String>) -> JournalError {
        JournalError::RolledBack { path: self.database(), detail: detail.into() }
    }

    fn is_full(&self) -> bool {
        rustix::fs::statvfs(&self.dir).is_ok_and(|fs| {
            fs.f_bavail.saturating_mul(fs.f_frsize) < FULL_BELOW || (fs.f_files > 0 && fs.f_favail == 0)
        })
    }
}
