//! What else can be done to a file of the host than writing to it: its name, mode, times, attributes and locks, and
//! what can be learnt without reading it.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::ptr;
use std::time::SystemTime;

use crate::own::{argument, c_path, check, refused};
use crate::scene::Scene;
use crate::table::{Act, Probe, Shown};
use crate::writes::changes;

/// Acts on one file of the host.
const ACTS: [(&str, Act); 9] = [
    ("append to it", |args| {
        io::Write::write_all(&mut fs::OpenOptions::new().append(true).open(argument(args, 0))?, b"more")
    }),
    ("cut it off", |args| {
        // SAFETY: the path ends in NUL.
        check(unsafe { libc::truncate(file(args).as_ptr(), 0) }).map(drop)
    }),
    ("remove it", |args| fs::remove_file(argument(args, 0))),
    ("rename it", |args| fs::rename(argument(args, 0), format!("{}.old", argument(args, 0)))),
    ("make a folder beside it", |args| fs::create_dir(format!("{}.d", argument(args, 0)))),
    ("change its mode", |args| fs::set_permissions(argument(args, 0), fs::Permissions::from_mode(0o666))),
    ("change its times", |args| {
        let times = [libc::timespec { tv_sec: 1, tv_nsec: 0 }; 2];
        // SAFETY: the path ends in NUL; two times.
        check(unsafe { libc::utimensat(libc::AT_FDCWD, file(args).as_ptr(), times.as_ptr(), 0) }).map(drop)
    }),
    ("make a socket beside it", |args| {
        std::os::unix::net::UnixListener::bind(format!("{}.sock", argument(args, 0))).map(drop)
    }),
    ("make a pipe beside it", |args| {
        let path = c_path(format!("{}.pipe", argument(args, 0)));
        // SAFETY: the path ends in NUL.
        check(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }).map(drop)
    }),
];

pub fn probes() -> Vec<Probe> {
    let mut probes: Vec<Probe> = ACTS
        .into_iter()
        .map(|(what, act)| Probe::new(format!("file: {what}"), |s| changes(s, "home/.config/kaizen/config.toml"), act))
        .collect();
    probes.extend([
        Probe::new("file: set an attribute", attribute, set_attribute),
        Probe::new("file: hold its lock", locked, lock),
        Probe::new("file: list the names of the home folder", |s| told_of(s, "home"), list),
        Probe::new("file: learn that it is there", |s| told_of(s, "home/.ssh/id_ed25519"), exists),
        Probe::new("file: watch what is done to it", |s| told_of(s, "home/.ssh/id_ed25519"), watch),
    ]);
    probes
}

fn file(args: &[String]) -> CString {
    c_path(argument(args, 0))
}

fn told_of(scene: &mut Scene, at: &str) -> Shown {
    scene.args = vec![scene.arg(at)];
    Shown::Said
}

const ATTRIBUTE: &std::ffi::CStr = c"user.probe";

fn attribute(scene: &mut Scene) -> Shown {
    scene.args = vec![scene.arg("home/.bashrc")];
    let path = c_path(scene.at("home/.bashrc"));
    // SAFETY: both strings end in NUL; nothing is asked but the size.
    Shown::Host(Box::new(move || unsafe { libc::getxattr(path.as_ptr(), ATTRIBUTE.as_ptr(), ptr::null_mut(), 0) } > 0))
}

fn set_attribute(args: &[String]) -> io::Result<()> {
    // SAFETY: both strings end in NUL; one byte.
    check(unsafe { libc::setxattr(file(args).as_ptr(), ATTRIBUTE.as_ptr(), b"x".as_ptr().cast(), 1, 0) }).map(drop)
}

/// The journal is locked by whoever writes it: one who holds the lock keeps Kaizen from its work.
fn locked(scene: &mut Scene) -> Shown {
    scene.args = vec![scene.arg("state/journal.db")];
    Shown::Said
}

fn lock(args: &[String]) -> io::Result<()> {
    fs::File::open(argument(args, 0))?.lock()
}

fn list(args: &[String]) -> io::Result<()> {
    let names: Vec<_> = fs::read_dir(argument(args, 0))?.flatten().map(|entry| entry.file_name()).collect();
    if names.iter().any(|name| name == ".ssh") { Ok(()) } else { Err(refused("another folder")) }
}

fn exists(args: &[String]) -> io::Result<()> {
    let meta = Path::new(argument(args, 0)).metadata()?;
    if meta.modified()? <= SystemTime::now() { Ok(()) } else { Err(refused("another file")) }
}

fn watch(args: &[String]) -> io::Result<()> {
    // SAFETY: takes a number.
    let inotify = check(unsafe { libc::inotify_init1(libc::IN_CLOEXEC) })?;
    // SAFETY: the path ends in NUL.
    check(unsafe { libc::inotify_add_watch(inotify, file(args).as_ptr(), libc::IN_ALL_EVENTS) }).map(drop)
}
