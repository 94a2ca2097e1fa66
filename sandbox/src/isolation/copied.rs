//! The copy of a tree that a job without namespaces works on, at the same place each time, and its scratch folders. They
//! are made before the job and gone after it.
//!
//! Copies share their blocks with the base where the file system can do that (btrfs, xfs). Times and modes are kept, or
//! cargo would build everything again. No link is followed; what is no file, folder or link is left out.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cancel::Cancel;
use super::error::IsolationError;
use super::job::{Job, Tree};

/// How often is looked whether somebody else's job at the same place has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The places of a job on the host, ready for it. Dropping it puts back what was lent and removes the rest.
#[derive(Debug)]
pub(super) struct Stage {
    folder: PathBuf,
    /// Folders of the host that stand in the copy meanwhile: where they belong, and where they are.
    lent: Vec<(PathBuf, PathBuf)>,
    /// Held while the job runs.
    _lock: File,
}

impl Stage {
    /// Makes the places of `job`. Waits while another job has them, until this one is cancelled or its time is over.
    pub(super) fn set(job: &Job, cancel: &Cancel) -> Result<Self, IsolationError> {
        let places = &job.places;
        let folder = places.tree.parent().filter(|folder| folder.parent().is_some());
        let folder = folder.ok_or_else(|| IsolationError::Job("the tree has no folder around it".to_owned()))?;
        let lock = locked(&folder.with_extension("lock"), job.limits.wall, cancel)?;
        remove(folder)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(wrong(folder))?;
        let mut stage = Self { folder: folder.to_path_buf(), lent: Vec::new(), _lock: lock };
        for place in [&places.home, &places.tmp] {
            fs::create_dir_all(place).map_err(wrong(place))?;
        }
        stage.fill(job)?;
        Ok(stage)
    }

    fn fill(&mut self, job: &Job) -> Result<(), IsolationError> {
        let tree = &job.places.tree;
        let lower = match &job.tree {
            Tree::Writable(host) => {
                self.lend(host, tree)?;
                None
            }
            Tree::CopyOnWrite { lower, .. } => Some(lower),
        };
        // First out of the way, so that what is lent is not copied.
        let mut waiting = Vec::new();
        for (number, (host, inside)) in job.writable.iter().filter(|(host, inside)| host != inside).enumerate() {
            if !inside.starts_with(tree) {
                return Err(IsolationError::Job(format!("{} cannot be shown outside the tree here", host.display())));
            }
            let aside = self.folder.join(format!("lent-{number}"));
            self.lend(host, &aside)?;
            waiting.push((aside, inside));
        }
        if let Some(lower) = lower {
            Copier::default().folder(lower, tree)?;
        }
        for (aside, inside) in waiting {
            remove(inside)?;
            if let Some(parent) = inside.parent() {
                fs::create_dir_all(parent).map_err(wrong(parent))?;
            }
            fs::rename(&aside, inside).map_err(wrong(inside))?;
            for (_, place) in self.lent.iter_mut().filter(|(_, place)| *place == aside) {
                place.clone_from(inside);
            }
        }
        self.links(job)
    }

    /// Moves a folder of the host to where the job writes to it.
    fn lend(&mut self, host: &Path, place: &Path) -> Result<(), IsolationError> {
        fs::rename(host, place).map_err(wrong(host))?;
        self.lent.push((host.to_path_buf(), place.to_path_buf()));
        Ok(())
    }

    /// What the job wants to read at another place is found there by a link.
    fn links(&self, job: &Job) -> Result<(), IsolationError> {
        for (host, inside) in job.read_only.iter().filter(|(host, inside)| host != inside) {
            if !inside.starts_with(&self.folder) {
                return Err(IsolationError::Job(format!(
                    "{} cannot be shown as {} without namespaces",
                    host.display(),
                    inside.display()
                )));
            }
            let parent = inside.parent().unwrap_or(inside);
            fs::create_dir_all(parent).map_err(wrong(parent))?;
            symlink(host, inside).map_err(wrong(inside))?;
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for (host, place) in self.lent.drain(..).rev() {
            // A job may have put anything else in its place; only a folder is taken back.
            if fs::symlink_metadata(&place).is_ok_and(|status| status.is_dir()) {
                let _ = fs::rename(&place, &host);
            }
        }
        if let Err(error) = remove(&self.folder) {
            tracing::warn!(%error, "a copy of a tree is left; the next trial removes it");
        }
    }
}

/// Takes the lock of a place.
fn locked(path: &Path, patience: Duration, cancel: &Cancel) -> Result<File, IsolationError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(wrong(parent))?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(wrong(path))?;
    let begun = Instant::now();
    // SAFETY: takes numbers.
    while unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } < 0 {
        let error = io::Error::last_os_error();
        let taken = matches!(error.raw_os_error(), Some(libc::EWOULDBLOCK | libc::EINTR));
        if !taken || begun.elapsed() > patience || cancel.is_cancelled() {
            return Err(wrong(path)(error));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(file)
}

fn wrong(path: &Path) -> impl FnOnce(io::Error) -> IsolationError {
    let path = path.to_path_buf();
    move |source| IsolationError::HostPath { path, source }
}

/// Removes a folder with all in it; one that a job made unreadable is opened first.
fn remove(folder: &Path) -> Result<(), IsolationError> {
    match fs::remove_dir_all(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => {
            open_up(folder);
            fs::remove_dir_all(folder).map_err(wrong(folder))
        }
    }
}

/// Gives the user the rights on folders that a job took away.
fn open_up(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// Copies a tree.
#[derive(Default)]
struct Copier {
    /// Files with several names: they keep them in the copy.
    known: HashMap<(u64, u64), PathBuf>,
}

impl Copier {
    fn folder(&mut self, from: &Path, to: &Path) -> Result<(), IsolationError> {
        let status = fs::symlink_metadata(from).map_err(wrong(from))?;
        fs::create_dir(to).map_err(wrong(to))?;
        for entry in fs::read_dir(from).map_err(wrong(from))? {
            let entry = entry.map_err(wrong(from))?;
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type().map_err(wrong(&source))?;
            if kind.is_dir() {
                self.folder(&source, &target)?;
            } else if kind.is_symlink() {
                let link = fs::read_link(&source).map_err(wrong(&source))?;
                symlink(link, &target).map_err(wrong(&target))?;
            } else if kind.is_file() {
                self.file(&source, &target)?;
            }
        }
        let folder = File::open(to).map_err(wrong(to))?;
        fs::set_permissions(to, status.permissions()).map_err(wrong(to))?;
        keep_time(&folder, &status).map_err(wrong(to))
    }

    fn file(&mut self, from: &Path, to: &Path) -> Result<(), IsolationError> {
        let status = fs::symlink_metadata(from).map_err(wrong(from))?;
        let number = (status.dev(), status.ino());
        if status.nlink() > 1
            && let Some(first) = self.known.get(&number)
        {
            return fs::hard_link(first, to).map_err(wrong(to));
        }
        fs::copy(from, to).map_err(wrong(from))?;
        let file = File::open(to).map_err(wrong(to))?;
        keep_time(&file, &status).map_err(wrong(to))?;
        if status.nlink() > 1 {
            self.known.insert(number, to.to_path_buf());
        }
        Ok(())
    }
}

fn keep_time(file: &File, status: &fs::Metadata) -> io::Result<()> {
    file.set_times(FileTimes::new().set_modified(status.modified()?))
}
