//! Scratch: the one folder that a measurement writes to, and the promise that it is gone afterwards, however the
//! measurement ends. An interrupt ends the processes that were started first, then removes the folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::os;

/// What must be cleared away when the program is told to stop.
struct Owned {
    folders: BTreeSet<PathBuf>,
    /// Process groups, each named by the child that leads it.
    groups: BTreeSet<u32>,
}

static OWNED: Mutex<Owned> = Mutex::new(Owned { folders: BTreeSet::new(), groups: BTreeSet::new() });

fn owned() -> MutexGuard<'static, Owned> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, an interrupt clears everything away. To be called once.
///
/// # Errors
/// When interrupts cannot be listened to.
pub fn clear_when_stopped() -> Result<()> {
    os::on_stop_signal(|signal| {
        // Held until the end, so that nothing new is started meanwhile.
        let owned = owned();
        for group in &owned.groups {
            os::end_group(*group, false);
        }
        wait_until(Duration::from_secs(5), || !owned.groups.iter().any(|group| os::group_lives(*group)));
        for group in &owned.groups {
            os::end_group(*group, true);
        }
        for folder in &owned.folders {
            wait_until(Duration::from_secs(5), || processes_naming(folder).is_empty());
            remove(folder);
        }
        std::process::exit(128 + signal);
    })?;
    Ok(())
}

/// Waits until something holds, looking again and again. Says whether it came to hold in time.
pub fn wait_until(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Starts a child at the head of a process group of its own, which an interrupt ends.
///
/// # Errors
/// When it cannot be started.
pub fn start(command: &mut Command) -> Result<Child> {
    use std::os::unix::process::CommandExt as _;
    let mut owned = owned();
    let child = command.process_group(0).spawn();
    let child = child.with_context(|| format!("{} cannot be started", command.get_program().display()))?;
    owned.groups.insert(child.id());
    Ok(child)
}

/// Takes over a child that others started at the head of a process group of its own, which an interrupt then ends too.
pub fn owns(child: u32) {
    owned().groups.insert(child);
}

/// Forgets a child that has ended.
pub fn ended(child: u32) {
    owned().groups.remove(&child);
}

/// A folder for one measurement, removed when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder, with `tmp` and `config` in it for the programs that will run.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &str) -> Result<Self> {
        let mut owned = owned();
        let dir = tempfile::Builder::new().prefix(&format!("kaizen-measure-{name}-")).tempdir()?.keep();
        let dir = dir.canonicalize()?;
        owned.folders.insert(dir.clone());
        let scratch = Self(dir);
        for part in ["tmp", "config"] {
            std::fs::create_dir(scratch.0.join(part))?;
        }
        Ok(scratch)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A path in it.
    #[must_use]
    pub fn join(&self, below: impl AsRef<Path>) -> PathBuf {
        self.0.join(below)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
        owned().folders.remove(&self.0);
    }
}

fn remove(folder: &Path) {
    // A process that is just ending may still add a file.
    wait_until(Duration::from_secs(5), || {
        let _ = std::fs::remove_dir_all(folder);
        !folder.exists()
    });
    if folder.exists() {
        eprintln!("warning: {} could not be removed", folder.display());
    }
}

/// The processes, other than this one, whose command line, environment or working folder names a path.
#[must_use]
pub fn processes_naming(path: &Path) -> Vec<u32> {
    let needle = path.as_os_str().as_encoded_bytes();
    let names = |bytes: &[u8]| bytes.windows(needle.len()).any(|part| part == needle);
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let at = Path::new("/proc").join(pid.to_string());
            let in_file = |name: &str| std::fs::read(at.join(name)).is_ok_and(|bytes| names(&bytes));
            let in_folder = std::fs::read_link(at.join("cwd")).is_ok_and(|cwd| cwd.starts_with(path));
            in_file("cmdline") || in_file("environ") || in_folder
        })
        .collect()
}

/// The mounts, as this process sees them, that name a path.
#[must_use]
pub fn mounts_naming(path: &Path) -> usize {
    let path = path.to_string_lossy().into_owned();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().filter(|line| line.contains(&path)).count()
}

/// Every file and folder below a folder, by paths from it, sorted. What cannot be read is left out.
#[must_use]
pub fn everything_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in std::fs::read_dir(folder.join(&below)).into_iter().flatten().flatten() {
            let path = below.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Copies a folder with everything in it: modes, times and links as they are.
///
/// # Errors
/// When `cp` fails.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let args = [OsStr::new("-a"), OsStr::new("--"), from.as_os_str(), to.as_os_str()];
    let status = Command::new("cp").args(args).status().context("cp cannot be started")?;
    anyhow::ensure!(status.success(), "{} cannot be copied to {}", from.display(), to.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_gone_afterwards_and_its_processes_are_found() {
        let scratch = Scratch::new("test").unwrap();
        let path = scratch.path().to_path_buf();
        assert!(processes_naming(&path).is_empty());
        let mut child = start(Command::new("sleep").arg("60").env("PLACE", &path)).unwrap();
        assert!(wait_until(Duration::from_secs(10), || processes_naming(&path) == [child.id()]));
        os::kill(child.id());
        child.wait().unwrap();
        ended(child.id());
        assert!(processes_naming(&path).is_empty() && mounts_naming(&path) == 0);
        assert_eq!(everything_below(&path), [PathBuf::from("config"), PathBuf::from("tmp")]);
        drop(scratch);
        assert!(!path.exists());
    }
}
