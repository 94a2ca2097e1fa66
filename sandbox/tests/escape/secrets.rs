//! Secrets: what a person and Kaizen hold in environments, files, memory and open descriptors. The act must print one.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use crate::own::{argument, call, check, number, parent, place, refused};
use crate::scene::{HELD, Scene};
use crate::table::{Probe, Shown};

/// Files of a host that hold secrets.
const FILES: [(&str, &str); 9] = [
    ("a file in the home folder", "home/.bashrc"),
    ("cargo's credentials", "home/.cargo/credentials.toml"),
    ("git's credentials", "home/.git-credentials"),
    ("the key of ssh", "home/.ssh/id_ed25519"),
    ("the passwords of .netrc", "home/.netrc"),
    ("the token of a forge", "home/.config/gh/hosts.yml"),
    ("Kaizen's settings", "home/.config/kaizen/config.toml"),
    ("Kaizen's journal", "state/journal.db"),
    ("the base of another repository", "state/bases/two/tree/src/lib.rs"),
];

pub fn probes() -> Vec<Probe> {
    let read = FILES.map(|(what, file)| {
        let prepare = move |scene: &mut Scene| {
            scene.args = vec![scene.arg(file), file.to_owned()];
            Shown::Secret
        };
        Probe::new(format!("read: {what}"), prepare, read_file)
    });
    let alone = [
        Probe::new("read: the environment that is inherited", |_| Shown::Secret, print_environment),
        Probe::new("read: the environment of the parent", |_| Shown::Secret, read_environment_of_parent),
        Probe::new("read: a descriptor that was left open", leave_open, read_descriptors),
        Probe::new("read: what the caller reads from its input", give_input, read_input),
        Probe::new("read: upwards from the tree", upwards, read_upwards),
    ];
    let of_process = [
        Probe::new("read: /proc/PID/environ of a process", victim, read_environment),
        Probe::new("read: /proc/PID/mem of a process", victim, read_memory_file),
        Probe::new("read: process_vm_readv of a process", victim, read_memory),
        Probe::new("read: /proc/PID/fd of a process", victim, read_its_descriptor),
        Probe::new("read: /proc/PID/root of a process", victim, read_through_root),
        Probe::new("read: pidfd_getfd of a process", victim, take_its_descriptor),
    ];
    read.into_iter().chain(alone).chain(of_process).collect()
}

fn show(bytes: &[u8]) -> io::Result<()> {
    println!("{}", String::from_utf8_lossy(bytes));
    Ok(())
}

/// By its path outside, and by where it would be in the home folder.
fn read_file(args: &[String]) -> io::Result<()> {
    let in_home = argument(args, 1).strip_prefix("home/").map(|below| place("HOME").join(below));
    let direct = fs::read(argument(args, 0));
    show(&direct.or_else(|error| in_home.and_then(|path| fs::read(path).ok()).ok_or(error))?)
}

fn print_environment(_: &[String]) -> io::Result<()> {
    let all: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    show(all.join("\n").as_bytes())
}

fn read_environment_of_parent(_: &[String]) -> io::Result<()> {
    show(&fs::read(format!("/proc/{}/environ", parent()))?)
}

fn leave_open(scene: &mut Scene) -> Shown {
    scene.inherited = Some(fs::File::open(scene.at("home/.netrc")).expect("a file").into());
    Shown::Secret
}

fn read_descriptors(_: &[String]) -> io::Result<()> {
    let mut found = Err(refused("no descriptor is open"));
    for fd in 3..1024 {
        let mut bytes = [0u8; 256];
        // SAFETY: room for as many bytes as are asked for.
        let count = unsafe { libc::pread(fd, bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        if count > 0 {
            found = show(&bytes);
        }
    }
    found
}

fn give_input(scene: &mut Scene) -> Shown {
    scene.stdin = Some(fs::File::open(scene.at("home/.netrc")).expect("a file").into());
    Shown::Secret
}

fn read_input(_: &[String]) -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    if text.is_empty() { Err(refused("it is empty")) } else { show(&text) }
}

fn upwards(scene: &mut Scene) -> Shown {
    scene.args = vec!["../base.json".into(), "../../../journal.db".into(), "../../../../home/.netrc".into()];
    Shown::Secret
}

fn read_upwards(args: &[String]) -> io::Result<()> {
    let read = |path: &String| fs::read(place("PROBE_TREE").join(path));
    args.iter().map(read).try_for_each(|bytes| show(&bytes?))
}

fn victim(scene: &mut Scene) -> Shown {
    let (pid, address) = scene.victim();
    scene.args = vec![pid.to_string(), address.to_string(), scene.arg("home/.ssh/id_ed25519")];
    Shown::Secret
}

/// The process that is named, and whatever is above this one.
fn targets(args: &[String]) -> [i32; 2] {
    [number(args, 0), parent()]
}

fn any(args: &[String], read: impl Fn(i32) -> io::Result<Vec<u8>>) -> io::Result<()> {
    let [named, above] = targets(args).map(read);
    match (named, above) {
        (Ok(bytes), _) | (_, Ok(bytes)) => show(&bytes),
        (Err(error), _) => Err(error),
    }
}

fn read_environment(args: &[String]) -> io::Result<()> {
    any(args, |pid| fs::read(format!("/proc/{pid}/environ")))
}

fn read_memory_file(args: &[String]) -> io::Result<()> {
    any(args, |pid| {
        let mut bytes = vec![0; 64];
        let count = fs::File::open(format!("/proc/{pid}/mem"))?.read_at(&mut bytes, number(args, 1))?;
        bytes.truncate(count);
        Ok(bytes)
    })
}

fn read_memory(args: &[String]) -> io::Result<()> {
    any(args, |pid| {
        let mut bytes = vec![0u8; 16];
        let here = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        let address: usize = number(args, 1);
        let there = libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: bytes.len() };
        // SAFETY: the local piece is as long as it says; the other one is in another process.
        if unsafe { libc::process_vm_readv(pid, &raw const here, 1, &raw const there, 1, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(bytes)
    })
}

fn read_its_descriptor(args: &[String]) -> io::Result<()> {
    any(args, |pid| fs::read(format!("/proc/{pid}/fd/{HELD}")))
}

fn read_through_root(args: &[String]) -> io::Result<()> {
    any(args, |pid| fs::read(format!("/proc/{pid}/root{}", argument(args, 2))))
}

fn take_its_descriptor(args: &[String]) -> io::Result<()> {
    any(args, |pid| {
        let process = call(libc::SYS_pidfd_open, [pid.into(), 0, 0, 0, 0])?;
        let taken = call(libc::SYS_pidfd_getfd, [process, HELD.into(), 0, 0, 0])?;
        let fd = check(i32::try_from(taken).unwrap_or(-1))?;
        let mut bytes = vec![0; 64];
        // SAFETY: the descriptor is new.
        let count = fs::File::from(unsafe { OwnedFd::from_raw_fd(fd) }).read_at(&mut bytes, 0)?;
        bytes.truncate(count);
        Ok(bytes)
    })
}
