//! Control groups, where the machine gives this user some: the kernel then bounds the memory and the number of all
//! processes of a job together, and ends all of them in one call. Version 2 alone, as described in the kernel's
//! `admin-guide/cgroup-v2`.
//!
//! A group is made beside the one that Kaizen runs in, or below it, wherever the bounds can be set. It serves one job after
//! the other, and is gone when Kaizen is.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::blueprint::PROCESS_SLACK;
use super::error::IsolationError;
use super::job::Limits;
use super::root::c_string;

/// The sandbox's own processes in a group: monitor and init.
const OWN_PROCESSES: u64 = 2;

/// A place in which groups can be made.
#[derive(Debug)]
pub(super) struct Groups {
    parent: PathBuf,
    memory: bool,
    processes: bool,
    free: Mutex<Vec<PathBuf>>,
    made: AtomicU32,
}

impl Groups {
    /// The place for groups of this process, where there is one in which the kernel bounds anything.
    pub(super) fn find() -> Option<Arc<Self>> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        Self::among(&mounts, &own)
    }

    fn among(mounts: &str, own: &str) -> Option<Arc<Self>> {
        let (mount, top) = mounted(mounts)?;
        let own = own.lines().find_map(|line| line.strip_prefix("0::"))?;
        let own = Path::new(own).strip_prefix(&top).ok()?;
        let own = mount.join(own);
        let beside = own.parent().filter(|parent| parent.starts_with(&mount)).map(Path::to_path_buf);
        beside.into_iter().chain([own]).find_map(|parent| Self::below(parent).map(Arc::new))
    }

    /// The groups below a folder, when they can be made there and bound anything.
    fn below(parent: PathBuf) -> Option<Self> {
        let listed = |file: &str| -> Vec<String> {
            let text = fs::read_to_string(parent.join(file)).unwrap_or_default();
            text.split_whitespace().map(str::to_owned).collect()
        };
        let has = |list: &[String], name: &str| list.iter().any(|listed| listed == name);
        // What root may change belongs to whoever set the machine up.
        // SAFETY: takes nothing and cannot fail.
        let user = unsafe { libc::geteuid() };
        let given = user != 0 && fs::metadata(&parent).is_ok_and(|folder| folder.uid() == user);
        let there = listed("cgroup.controllers");
        for name in ["memory", "pids"] {
            // Where it is not passed on yet, it can be by whoever the folder was given to.
            if given && has(&there, name) && !has(&listed("cgroup.subtree_control"), name) {
                let _ = fs::write(parent.join("cgroup.subtree_control"), format!("+{name}"));
            }
        }
        let passed_on = listed("cgroup.subtree_control");
        let (memory, processes) = (has(&passed_on, "memory"), has(&passed_on, "pids"));
        let groups = Self { parent, memory, processes, free: Mutex::default(), made: AtomicU32::new(0) };
        let group = (memory || processes).then(|| groups.make())??;
        groups.give_back(group);
        Some(groups)
    }

    /// What it bounds, for a person.
    pub(super) fn bounds(&self) -> &'static str {
        match (self.memory, self.processes) {
            (true, true) => "the memory and the number",
            (true, false) => "the memory",
            _ => "the number",
        }
    }

    /// A group for a job; none where it cannot be made any more.
    pub(super) fn take(self: &Arc<Self>, limits: &Limits) -> Option<Group> {
        let free = self.free().pop();
        let dir = free.or_else(|| self.make())?;
        let group = Group { killed: killed(&dir), dir, of: Arc::clone(self) };
        group.bound(limits).then_some(group)
    }

    fn make(&self) -> Option<PathBuf> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let dir = self.parent.join(format!("kaizen-{}-{number}", std::process::id()));
        fs::create_dir(&dir).ok()?;
        // Without these, it is of no use.
        let usable = ["cgroup.procs", "cgroup.kill"].iter().all(|file| can_write(&dir.join(file)));
        if !usable {
            remove(&dir);
            return None;
        }
        Some(dir)
    }

    fn give_back(&self, dir: PathBuf) {
        self.free().push(dir);
    }

    fn free(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        self.free().iter().for_each(|dir| remove(dir));
    }
}

/// A group that a job has to itself.
#[derive(Debug)]
pub(super) struct Group {
    dir: PathBuf,
    /// How many of its processes the kernel had ended for want of memory before this job.
    killed: u64,
    of: Arc<Groups>,
}

impl Group {
    fn bound(&self, limits: &Limits) -> bool {
        let set = |file: &str, value: String| fs::write(self.dir.join(file), value).is_ok();
        let most = limits.processes.saturating_add(OWN_PROCESSES + PROCESS_SLACK);
        let memory = !self.of.memory || set("memory.max", limits.memory.to_string());
        let processes = !self.of.processes || set("pids.max", most.to_string());
        if self.of.memory {
            // What is over the bound does not go to a disk, and all processes of a job end together. Older kernels
            // know less.
            set("memory.swap.max", "0".to_owned());
            set("memory.oom.group", "1".to_owned());
        }
        memory && processes
    }

    /// The file through which a process gets into it.
    pub(super) fn entry(&self) -> Result<CString, IsolationError> {
        c_string(self.dir.join("cgroup.procs"))
    }

    /// Ends all its processes at once.
    pub(super) fn end(&self) {
        let _ = fs::write(self.dir.join("cgroup.kill"), "1");
    }

    /// Waits until none of its processes is left; those that were ended all at once end in any order.
    pub(super) fn wait_for_end(&self, patience: Duration) {
        let begun = Instant::now();
        while !self.is_empty() && begun.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn is_empty(&self) -> bool {
        fs::read_to_string(self.dir.join("cgroup.procs")).is_ok_and(|left| left.is_empty())
    }

    /// Whether the kernel ended some of its processes for want of memory.
    pub(super) fn ran_out_of_memory(&self) -> bool {
        self.of.memory && killed(&self.dir) > self.killed
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The next job must not begin in a group in which anything is left.
        if self.is_empty() {
            self.of.give_back(std::mem::take(&mut self.dir));
        } else {
            self.end();
            remove(&self.dir);
        }
    }
}

fn killed(dir: &Path) -> u64 {
    let events = fs::read_to_string(dir.join("memory.events")).unwrap_or_default();
    let line = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn can_write(file: &Path) -> bool {
    fs::OpenOptions::new().write(true).open(file).is_ok()
}

/// A group can be removed when its last process is gone, which may take a moment.
fn remove(dir: &Path) {
    for _ in 0..50 {
        match fs::remove_dir(dir) {
            Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => {
                std::thread::sleep(Duration::from_millis(2));
            }
            _ => return,
        }
    }
}

/// Where version 2 is mounted, and which part of it is seen there.
fn mounted(mounts: &str) -> Option<(PathBuf, PathBuf)> {
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        if kind.split_whitespace().next()? != "cgroup2" {
            return None;
        }
        let mut place = place.split_whitespace().skip(3);
        let (top, mount) = (place.next()?, place.next()?);
        Some((PathBuf::from(mount), PathBuf::from(top)))
    })
}

#[cfg(test)]
mod tests;
