//! The Landlock layer: what may be read and executed, and which places may be written.
//!
//! Prepared before the fork, applied in the child by raw calls. With namespaces it stands behind the mounts, and all of
//! the new root may be read: a mount that is writable by mistake is still refused. Without them it stands alone, and
//! nothing may be read but what is named.

use std::ffi::CString;

use super::sys::{Errno, check_long, open_at};

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const MAKE_CHAR: u64 = 1 << 6;
const MAKE_BLOCK: u64 = 1 << 11;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
/// Connecting to abstract sockets, and sending signals, out of the domain.
const SCOPES: u64 = 0b11;

/// Binding and connecting TCP ports.
const PORTS: u64 = 0b11;

/// The version that knows these scopes.
pub(super) const SCOPES_SINCE: i64 = 6;
/// The version that knows the ports.
const PORTS_SINCE: i64 = 4;
/// The version from which on no file can be emptied through a path: without it, Landlock cannot stand alone.
pub(super) const TRUNCATE_SINCE: i64 = 3;

/// What Landlock is to allow.
#[derive(Debug)]
pub(super) struct Landlock {
    handled: u64,
    ports: u64,
    scoped: u64,
    rules: Vec<(CString, u64)>,
}

/// What may be read and executed: folders with all below them, and single files.
#[derive(Debug)]
pub(super) struct Readable {
    pub folders: Vec<CString>,
    pub files: Vec<CString>,
}

/// The version of Landlock that the kernel has; 0 for none.
pub(super) fn version() -> i64 {
    const VERSION: libc::c_uint = 1;
    let nothing = std::ptr::null::<u8>();
    // SAFETY: with this flag no memory is read.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0usize, VERSION) }.max(0)
}

/// The rights on files that a version knows.
fn file_rights(version: i64) -> u64 {
    let count = match version {
        ..=1 => 13,
        2 => 14,
        3 | 4 => 15,
        5.. => 16,
    };
    (1 << count) - 1
}

impl Landlock {
    /// Read and execute everywhere, everything but device nodes in `writable`, and reading and writing of `devices`.
    pub(super) fn new(version: i64, writable: Vec<CString>, devices: Vec<CString>) -> Self {
        let everything = Readable { folders: vec![c"/".to_owned()], files: Vec::new() };
        Self { ports: 0, ..Self::alone(version, everything, writable, devices) }
    }

    /// The same, but reading and executing only what is named, and no port of TCP.
    pub(super) fn alone(version: i64, readable: Readable, writable: Vec<CString>, devices: Vec<CString>) -> Self {
        let handled = file_rights(version);
        let folders = readable.folders.into_iter().map(|path| (path, EXECUTE | READ_FILE | READ_DIR));
        let files = readable.files.into_iter().map(|path| (path, EXECUTE | READ_FILE));
        let mut rules: Vec<(CString, u64)> = folders.chain(files).collect();
        rules.extend(writable.into_iter().map(|path| (path, handled & !(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV))));
        let device = (READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV) & handled;
        rules.extend(devices.into_iter().map(|path| (path, device)));
        Self {
            handled,
            ports: if version >= PORTS_SINCE { PORTS } else { 0 },
            scoped: if version >= SCOPES_SINCE { SCOPES } else { 0 },
            rules,
        }
    }

    /// Restricts the calling thread for good. Needs `no_new_privs`.
    pub(super) fn restrict_self(&self) -> Result<(), Errno> {
        #[repr(C, packed)]
        struct PathBeneath {
            access: u64,
            parent: i32,
        }
        const PATH_BENEATH: libc::c_int = 1;
        // handled_access_fs, handled_access_net, scoped. Older kernels take the longer structure as long as what they
        // do not know is zero.
        let attributes: [u64; 3] = [self.handled, self.ports, self.scoped];
        // SAFETY: the structure is of the size that is passed.
        let set = check_long(unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                attributes.as_ptr(),
                size_of_val(&attributes),
                0 as libc::c_uint,
            )
        })?;
        let set = super::sys::Fd(set as libc::c_int);
        for (path, access) in &self.rules {
            let parent = open_at(libc::AT_FDCWD, path, libc::O_PATH, 0)?;
            let rule = PathBeneath { access: *access, parent: parent.0 };
            // SAFETY: the structure is the one that this kind of rule takes.
            check_long(unsafe {
                libc::syscall(libc::SYS_landlock_add_rule, set.0, PATH_BENEATH, &raw const rule, 0 as libc::c_uint)
            })?;
        }
        // SAFETY: takes no memory.
        check_long(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, set.0, 0 as libc::c_uint) }).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::super::sys::{exit, prctl};
    use super::*;

    /// Restricts a child to `writable`, and says with what error it then opens each of `files` for writing.
    fn open_restricted(writable: CString, files: &[CString]) -> Vec<Errno> {
        let landlock = Landlock::new(version(), vec![writable], vec![c"/dev/null".to_owned()]);
        let open = |file: &CString| open_at(libc::AT_FDCWD, file, libc::O_WRONLY | libc::O_CREAT, 0o600);
        let one = |file: &CString| {
            // SAFETY: the child makes raw calls only and never returns.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let restricted = prctl(libc::PR_SET_NO_NEW_PRIVS, 1).and_then(|_| landlock.restrict_self());
                exit(restricted.and_then(|()| open(file).map(drop)).err().unwrap_or(0));
            }
            let mut status = 0;
            // SAFETY: the status is valid for writing.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            libc::WEXITSTATUS(status)
        };
        files.iter().map(one).collect()
    }

    #[test]
    fn writing_is_refused_where_no_rule_allows_it() {
        let (mine, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let path =
            |dir: &tempfile::TempDir, name| CString::new(dir.path().join(name).as_os_str().as_bytes()).expect("no NUL");
        let files = [path(&mine, "new"), path(&other, "new"), c"/dev/null".to_owned(), c"/dev/zero".to_owned()];
        let errors = open_restricted(path(&mine, ""), &files);
        assert_eq!(errors, [0, libc::EACCES, 0, libc::EACCES]);
        assert!(!other.path().join("new").exists());
    }

    #[test]
    fn each_version_handles_the_rights_that_it_knows() {
        assert_eq!(file_rights(1), 0x1fff);
        assert_eq!(file_rights(2), 0x3fff);
        assert_eq!(file_rights(3), 0x7fff);
        assert_eq!(file_rights(7), 0xffff);
        let old = Landlock::new(1, vec![c"/repo".to_owned()], vec![c"/dev/null".to_owned()]);
        assert!(old.rules.iter().all(|(_, access)| access & !old.handled == 0), "no rule may ask for unknown rights");
        assert_eq!(old.scoped, 0);
        assert_eq!(Landlock::new(6, Vec::new(), Vec::new()).scoped, SCOPES);
    }
}
