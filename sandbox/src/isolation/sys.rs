//! System calls that the forked child makes: thin, without allocation, with the error number as the error.
//!
//! Everything here may run between `fork` and `exec` of a process with threads: no allocation, no lock, no panic.

use std::ffi::CStr;
use std::ptr;

/// An error number of the kernel.
pub(super) type Errno = i32;

/// Descriptor numbers in the child. The last two are closed when the command starts.
pub(super) const REPORT_FD: i32 = 3;
pub(super) const LIFE_FD: i32 = 4;

/// The error number of the last call of this thread.
pub(super) fn errno() -> Errno {
    // SAFETY: the location is valid for the thread's life.
    unsafe { *libc::__errno_location() }
}

pub(super) fn check(result: libc::c_int) -> Result<libc::c_int, Errno> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

pub(super) fn check_long(result: libc::c_long) -> Result<libc::c_long, Errno> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

/// A descriptor that closes itself; not used across a fork on purpose.
pub(super) struct Fd(pub libc::c_int);

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours and closed once.
        unsafe { libc::close(self.0) };
    }
}

/// Opens `path` below the folder `dir`, close-on-exec.
pub(super) fn open_at(dir: libc::c_int, path: &CStr, flags: libc::c_int, mode: libc::mode_t) -> Result<Fd, Errno> {
    // SAFETY: the path ends in NUL.
    check(unsafe { libc::openat(dir, path.as_ptr(), flags | libc::O_CLOEXEC, libc::c_uint::from(mode)) }).map(Fd)
}

/// Writes all of `bytes`.
pub(super) fn write_all(fd: libc::c_int, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        // SAFETY: the pointer and the length are those of a slice.
        let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(0) => return Err(libc::EIO),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => return Err(errno()),
        }
    }
    Ok(())
}

/// Writes a small file that exists, such as those in `/proc`.
pub(super) fn put(path: &CStr, bytes: &[u8]) -> Result<(), Errno> {
    let file = open_at(libc::AT_FDCWD, path, libc::O_WRONLY, 0)?;
    write_all(file.0, bytes)
}

pub(super) fn mount(
    source: &CStr,
    target: &CStr,
    kind: &CStr,
    flags: libc::c_ulong,
    options: Option<&CStr>,
) -> Result<(), Errno> {
    let data = options.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: every string ends in NUL; the data is a string or null.
    check(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, data.cast()) }).map(drop)
}

/// A detached copy of what is mounted at `path`, with everything mounted below it.
pub(super) fn clone_mounts(path: &CStr) -> Result<Fd, Errno> {
    const OPEN_TREE_CLONE: libc::c_uint = 1;
    let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC as libc::c_uint | libc::AT_RECURSIVE as libc::c_uint;
    // SAFETY: the path ends in NUL.
    let fd = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) };
    check_long(fd).map(|fd| Fd(fd as libc::c_int))
}

/// Adds attributes (`MOUNT_ATTR_*`) to the mount at a descriptor, with everything mounted below it or alone.
pub(super) fn add_mount_attributes(fd: libc::c_int, set: u64, recursive: bool) -> Result<(), Errno> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // attr_set, attr_clr, propagation, userns_fd
    let attributes: [u64; 4] = [set, 0, 0, 0];
    // SAFETY: the structure is of the size that is passed.
    let done = unsafe {
        libc::syscall(libc::SYS_mount_setattr, fd, c"".as_ptr(), flags, attributes.as_ptr(), size_of_val(&attributes))
    };
    check_long(done).map(drop)
}

/// Attaches a detached mount on top of the file or folder that `target` refers to.
pub(super) fn attach_mount(mount: &Fd, target: &Fd) -> Result<(), Errno> {
    const FROM_EMPTY_TO_EMPTY: libc::c_uint = 0x04 | 0x40;
    // SAFETY: both paths are empty strings that end in NUL.
    let done = unsafe {
        libc::syscall(libc::SYS_move_mount, mount.0, c"".as_ptr(), target.0, c"".as_ptr(), FROM_EMPTY_TO_EMPTY)
    };
    check_long(done).map(drop)
}

pub(super) fn pivot_root(new: &CStr, old: &CStr) -> Result<(), Errno> {
    // SAFETY: both paths end in NUL.
    check_long(unsafe { libc::syscall(libc::SYS_pivot_root, new.as_ptr(), old.as_ptr()) }).map(drop)
}

/// `prctl` with one argument.
pub(super) fn prctl(option: libc::c_int, value: libc::c_ulong) -> Result<libc::c_int, Errno> {
    // SAFETY: the options used take numbers, no pointers.
    check(unsafe { libc::prctl(option, value, 0 as libc::c_ulong, 0 as libc::c_ulong, 0 as libc::c_ulong) })
}

/// Whether the other end of the life line is gone: whoever started this no longer wants it or no longer lives.
pub(super) fn life_is_over() -> bool {
    poll_life(0) > 0
}

/// Waits until the life line is cut.
pub(super) fn wait_for_end_of_life() {
    while poll_life(-1) < 0 && errno() == libc::EINTR {}
}

fn poll_life(millis: libc::c_int) -> libc::c_int {
    // That the other end is closed is always reported.
    let mut poll = libc::pollfd { fd: LIFE_FD, events: 0, revents: 0 };
    // SAFETY: one valid structure.
    unsafe { libc::poll(&raw mut poll, 1, millis) }
}

/// Ends this process without running anything of the parent's image.
pub(super) fn exit(code: libc::c_int) -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(code) }
}
