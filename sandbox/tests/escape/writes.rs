//! Writes outside: to a person's files, to a repository's `.git`, to Kaizen's own state and settings, whether they are
//! there yet or not. The host's folder shows whether one succeeded.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::own::{argument, place};
use crate::scene::Scene;
use crate::table::{Probe, Shown, Witness};

/// What is written, and where on the host. A place that does not exist is to be made.
const PLACES: [(&str, &str); 12] = [
    ("a file in the home folder", "home/.bashrc"),
    ("the keys that may log in", "home/.ssh/authorized_keys"),
    ("cargo's settings", "home/.cargo/config.toml"),
    ("a program for cargo, not there yet", "home/.cargo/bin/cargo-clippy"),
    ("git's settings, not there yet", "home/.config/git/config"),
    (".git/config of a repository", "home/repo/.git/config"),
    ("a ref of a repository", "home/repo/.git/refs/heads/main"),
    ("Kaizen's journal", "state/journal.db"),
    ("Kaizen's settings", "home/.config/kaizen/config.toml"),
    ("Kaizen's settings for a repository, not there yet", "home/repo/kaizen.toml"),
    ("Kaizen's state, not there yet", "home/.local/state/kaizen/journal.db"),
    ("the base of another repository", "state/bases/two/tree/src/lib.rs"),
];

pub fn probes() -> Vec<Probe> {
    let mut probes: Vec<Probe> = PLACES
        .into_iter()
        .map(|(what, at)| Probe::new(format!("write: {what}"), move |scene| changes(scene, at), write_file))
        .collect();
    probes.extend([
        Probe::new(
            "write: a hook of a repository, not there yet",
            |s| changes(s, "home/repo/.git/hooks/post-merge"),
            make_hook,
        ),
        Probe::new(
            "write: a hook of a repository, made executable",
            |s| changes(s, "home/repo/.git/hooks/pre-commit"),
            make_hook,
        ),
        Probe::new("write: the base underneath the tree", base, change_tree),
        Probe::new("write: upwards from the tree", upwards, write_upwards),
        Probe::new("write: what is shown read-only", shown, write_shown),
        Probe::new("write: a program of the system", |_| Shown::Said, open_system).witness(Witness::Root),
    ]);
    probes
}

/// Everything in a folder: kind, mode, time, owner and content, but for what the suite itself writes.
pub fn photograph(dir: &Path) -> BTreeMap<PathBuf, (u32, i64, i64, u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
            if meta.is_dir() {
                open.push(path.clone());
            }
            let content = if meta.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
            all.insert(path, (meta.mode(), meta.mtime(), meta.mtime_nsec(), meta.uid(), content));
        }
    }
    all
}

/// The act is told of a place; it succeeded when anything of the home folder or the state is another than before.
pub fn changes(scene: &mut Scene, at: &str) -> Shown {
    scene.args = vec![scene.arg(at), at.to_owned()];
    unchanged(scene, &["home", "state", "shown"])
}

fn unchanged(scene: &Scene, folders: &[&str]) -> Shown {
    let folders: Vec<PathBuf> = folders.iter().map(|folder| scene.at(folder)).collect();
    let look = move || folders.iter().map(|folder| photograph(folder)).collect::<Vec<_>>();
    let before = look();
    Shown::Host(Box::new(move || look() != before))
}

/// By its path outside, and by where it would be in the home folder.
fn write_file(args: &[String]) -> io::Result<()> {
    let write = |path: &Path| {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, "written by the probe")
    };
    let direct = write(argument(args, 0).as_ref());
    if let Some(below) = argument(args, 1).strip_prefix("home/") {
        let _ = write(&place("HOME").join(below));
    }
    direct
}

fn make_hook(args: &[String]) -> io::Result<()> {
    let path = Path::new(argument(args, 0));
    fs::write(path, "#!/bin/sh\n")?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn base(scene: &mut Scene) -> Shown {
    unchanged(scene, &["state"])
}

/// What belongs to the tree may be written inside, in a copy that vanishes.
fn change_tree(_: &[String]) -> io::Result<()> {
    let tree = place("PROBE_TREE");
    fs::create_dir_all(tree.join(".git/hooks"))?;
    fs::write(tree.join(".git/hooks/post-checkout"), "#!/bin/sh\n")?;
    fs::write(tree.join("file"), "changed by the probe")?;
    symlink("/", tree.join("link"))
}

fn upwards(scene: &mut Scene) -> Shown {
    scene.args = vec!["../base.json".into(), "../../../journal.db".into(), "../new".into()];
    unchanged(scene, &["home", "state"])
}

fn write_upwards(args: &[String]) -> io::Result<()> {
    args.iter().try_for_each(|path| fs::write(place("PROBE_TREE").join(path), "written by the probe"))
}

fn shown(scene: &mut Scene) -> Shown {
    unchanged(scene, &["shown"])
}

fn write_shown(_: &[String]) -> io::Result<()> {
    let shown = place("PROBE_SHOWN");
    fs::write(shown.join("file"), "changed").and_then(|()| fs::write(shown.join("new"), "new"))
}

/// Opened for writing, and left as it is.
fn open_system(_: &[String]) -> io::Result<()> {
    let open = |path: &str| OpenOptions::new().append(true).open(path).and_then(|mut file| file.flush());
    ["/usr/bin/env", "/etc/passwd", "/etc/ld.so.cache"].into_iter().try_for_each(open)
}
