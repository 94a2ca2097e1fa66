//! Links: symbolic and hard ones that lead out of the tree, and ones that are left for whoever looks at it later.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::symlink;

use crate::own::{argument, c_path, call, check, place, refused};
use crate::scene::Scene;
use crate::table::{Probe, Shown, Witness};
use crate::writes::{changes, photograph};

pub fn probes() -> Vec<Probe> {
    vec![
        Probe::new("link: read through a symbolic link in the tree", in_tree, read_link),
        Probe::new("link: write through a symbolic link in the tree", in_tree_to_write, write_link),
        Probe::new("link: make a symbolic link and write through it", |s| changes(s, "home/.bashrc"), make_and_write),
        Probe::new("link: write through a link in scratch space", |s| changes(s, "home/.bashrc"), through_scratch),
        Probe::new("link: make a hard link and write through it", |s| changes(s, "home/.bashrc"), hard_link),
        Probe::new("link: write through a hard link in the base", shared_file, write_shared),
        Probe::new("link: move a file of the host into the tree", |s| changes(s, "home/.bashrc"), move_in),
        Probe::new("link: read by way of /proc/self", |s| secret(s, "home/.netrc"), by_proc),
        Probe::new("link: open a file of the host by its handle", handle, open_handle).witness(Witness::Root),
        Probe::new("link: leave a setuid program on the host", left_behind, leave_setuid),
        Probe::new("link: leave one that is made with the bit", left_behind, |_| make_with_bit(0)),
        Probe::new("link: leave one that had no name at first", left_behind, |_| make_with_bit(libc::O_TMPFILE)),
        Probe::new("link: leave one by the newer calls", left_behind, make_by_newer_calls),
    ]
}

fn secret(scene: &mut Scene, at: &str) -> Shown {
    scene.args = vec![scene.arg(at)];
    Shown::Secret
}

fn in_tree(scene: &mut Scene) -> Shown {
    symlink(scene.at("home/.netrc"), scene.tree().join("link")).expect("linked");
    Shown::Secret
}

fn read_link(_: &[String]) -> io::Result<()> {
    println!("{}", fs::read_to_string(place("PROBE_TREE").join("link"))?);
    Ok(())
}

fn in_tree_to_write(scene: &mut Scene) -> Shown {
    symlink(scene.at("home/.bashrc"), scene.tree().join("link")).expect("linked");
    changes(scene, "home/.bashrc")
}

fn write_link(_: &[String]) -> io::Result<()> {
    fs::write(place("PROBE_TREE").join("link"), "written by the probe")
}

fn make_and_write(args: &[String]) -> io::Result<()> {
    let link = place("PROBE_KEPT").join("link");
    symlink(argument(args, 0), &link)?;
    fs::OpenOptions::new().append(true).open(link).and_then(|mut file| io::Write::write_all(&mut file, b"more"))
}

fn through_scratch(args: &[String]) -> io::Result<()> {
    let link = place("TMPDIR").join("link");
    symlink(argument(args, 0), &link)?;
    fs::OpenOptions::new().append(true).open(link).and_then(|mut file| io::Write::write_all(&mut file, b"more"))
}

fn hard_link(args: &[String]) -> io::Result<()> {
    let link = place("PROBE_KEPT").join("hard");
    fs::hard_link(argument(args, 0), &link)?;
    fs::write(link, "written by the probe")
}

/// A file of the base that has a second name on the host, as a copy made of hard links would have.
fn shared_file(scene: &mut Scene) -> Shown {
    let outside = scene.at("home/.bashrc");
    fs::hard_link(&outside, scene.tree().join("shared")).expect("linked");
    let before = fs::read(&outside).expect("a file");
    Shown::Host(Box::new(move || fs::read(&outside).is_ok_and(|now| now != before)))
}

fn write_shared(_: &[String]) -> io::Result<()> {
    fs::write(place("PROBE_TREE").join("shared"), "written by the probe")
}

fn move_in(args: &[String]) -> io::Result<()> {
    fs::rename(argument(args, 0), place("PROBE_TREE").join("moved"))
}

fn by_proc(args: &[String]) -> io::Result<()> {
    let path = argument(args, 0).trim_start_matches('/');
    let ways = [format!("/proc/self/root/{path}"), format!("/proc/self/cwd/../../../../../../../{path}")];
    let text = ways.iter().map(fs::read_to_string).find_map(Result::ok).ok_or_else(|| refused("no way leads there"))?;
    println!("{text}");
    Ok(())
}

/// A handle of the kernel's: its length, its kind, and the bytes.
const HANDLE: usize = 8 + 128;

fn handle(scene: &mut Scene) -> Shown {
    let mut bytes = [0u8; HANDLE];
    bytes[..4].copy_from_slice(&128u32.to_ne_bytes());
    let (path, mut mount) = (c_path(scene.at("home/.netrc")), 0i32);
    let arguments =
        [libc::AT_FDCWD.into(), path.as_ptr() as i64, bytes.as_mut_ptr() as i64, (&raw mut mount) as i64, 0];
    call(libc::SYS_name_to_handle_at, arguments).expect("a handle");
    scene.args = vec![bytes.map(|byte| format!("{byte:02x}")).concat()];
    Shown::Secret
}

/// Any descriptor on the same file system leads to any file of it.
fn open_handle(args: &[String]) -> io::Result<()> {
    let hex = argument(args, 0).as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    let mut bytes: Vec<u8> = hex.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    let near = fs::File::open(place("PROBE_SHOWN"))?;
    let arguments = [near.as_raw_fd().into(), bytes.as_mut_ptr() as i64, libc::O_RDONLY.into(), 0, 0];
    let fd = i32::try_from(call(libc::SYS_open_by_handle_at, arguments)?).unwrap_or(-1);
    // SAFETY: the descriptor is new.
    println!("{}", io::read_to_string(unsafe { fs::File::from_raw_fd(check(fd)?) })?);
    Ok(())
}

/// A program with the setuid bit that others can reach would give them the rights of whoever runs Kaizen.
fn left_behind(scene: &mut Scene) -> Shown {
    use std::os::unix::fs::MetadataExt;
    let kept = scene.at("kept");
    Shown::Host(Box::new(move || {
        photograph(&kept).keys().any(|at| at.metadata().is_ok_and(|m| m.mode() & 0o6000 != 0))
    }))
}

fn leave_setuid(_: &[String]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let left = place("PROBE_KEPT").join("left");
    fs::write(&left, "#!/bin/sh\n")?;
    fs::set_permissions(left, fs::Permissions::from_mode(0o4755))
}

/// As the mode of a new file; one without a name gets it afterwards.
fn make_with_bit(without_name: i32) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let at = place("PROBE_KEPT");
    let path = if without_name == 0 { at.join("made") } else { at.clone() };
    let mut options = fs::OpenOptions::new();
    options.write(true).create(without_name == 0).mode(0o6755).custom_flags(without_name);
    let file = options.open(path)?;
    if without_name == 0 {
        return Ok(());
    }
    let (from, to) = (c_path(format!("/proc/self/fd/{}", file.as_raw_fd())), c_path(at.join("named")));
    let cwd = libc::AT_FDCWD;
    // SAFETY: both paths end in NUL.
    check(unsafe { libc::linkat(cwd, from.as_ptr(), cwd, to.as_ptr(), libc::AT_SYMLINK_FOLLOW) }).map(drop)
}

/// `openat2`, whose mode no filter can read, and `fchmodat2`.
fn make_by_newer_calls(_: &[String]) -> io::Result<()> {
    let path = c_path(place("PROBE_KEPT").join("newer"));
    let how: [u64; 3] = [(libc::O_CREAT | libc::O_WRONLY).unsigned_abs().into(), 0o6755, 0];
    let (cwd, size) = (libc::AT_FDCWD.into(), size_of_val(&how) as i64);
    let opened = call(libc::SYS_openat2, [cwd, path.as_ptr() as i64, how.as_ptr() as i64, size, 0]);
    fs::OpenOptions::new().create(true).append(true).open(place("PROBE_KEPT").join("newer"))?;
    call(FCHMODAT2, [cwd, path.as_ptr() as i64, 0o6755, 0, 0]).map(drop).and(opened.map(drop))
}

/// The same number on every architecture.
const FCHMODAT2: i64 = 452;
