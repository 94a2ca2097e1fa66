//! Small calls that several acts and the suite need: namespaces of one's own, raw calls with an error, forks.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Goes into new namespaces, where root and an ordinary user are both allowed to do what concerns these alone.
pub fn namespaces() -> io::Result<()> {
    // SAFETY: these take nothing and cannot fail.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET;
    if user != 0 {
        flags |= libc::CLONE_NEWUSER;
    }
    // SAFETY: takes a number.
    check(unsafe { libc::unshare(flags) })?;
    if user != 0 {
        std::fs::write("/proc/self/uid_map", format!("0 {user} 1\n"))?;
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/gid_map", format!("0 {group} 1\n"))?;
    }
    let none = std::ptr::null();
    // SAFETY: strings that end in NUL, or none.
    check(unsafe { libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, none.cast()) }).map(drop)
}

pub fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A system call by its number. The arguments must be ones that it may be given.
pub fn call(number: libc::c_long, [a, b, c, d, e]: [i64; 5]) -> io::Result<i64> {
    // SAFETY: the caller passes numbers, and pointers to memory that is large enough and lives through the call.
    let done = unsafe { libc::syscall(number, a, b, c, d, e) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(done) }
}

/// A path as the kernel takes it.
pub fn c_path(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_bytes()).expect("no NUL")
}

pub fn refused(why: &str) -> io::Error {
    io::Error::other(why.to_owned())
}

/// A fork; true in the child, which must end with `exit`.
pub fn fork() -> io::Result<bool> {
    // SAFETY: an act has one thread.
    check(unsafe { libc::fork() }).map(|pid| pid == 0)
}

pub fn signal(pid: i32, number: i32) -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libc::kill(pid, number) }).map(drop)
}

pub fn parent() -> i32 {
    // SAFETY: takes nothing.
    unsafe { libc::getppid() }
}

pub fn is_terminal() -> bool {
    // SAFETY: takes a number.
    unsafe { libc::isatty(1) == 1 }
}

/// Says that the act has come to the point at which the suite has its turn.
pub fn say_up() {
    println!("up");
}

/// A place that the act is told of.
pub fn place(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(name).unwrap_or_default())
}

pub fn argument(args: &[String], index: usize) -> &str {
    args.get(index).map_or("", String::as_str)
}

pub fn number<T: std::str::FromStr + Default>(args: &[String], index: usize) -> T {
    argument(args, index).parse().unwrap_or_default()
}
