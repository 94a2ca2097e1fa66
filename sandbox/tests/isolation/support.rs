//! Running a probe inside and outside, and keeping an eye on the processes of a job.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use kaizen_sandbox::isolation::{Arrangement, Cancel, Exit, Finished, Isolation, Job, Places, Stream, Tree};
use tempfile::TempDir;

/// Where the probe's program is inside.
pub const PROGRAM: &str = "/probe/program";

/// What a probe says by its exit code.
pub const GOT_THROUGH: i32 = 0;
pub const REFUSED: i32 = 3;

pub fn isolation() -> &'static Isolation {
    static PROBED: OnceLock<Isolation> = OnceLock::new();
    PROBED.get_or_init(|| {
        Isolation::probe_arrangement(Arrangement::Namespaces, &[]).expect("every layer can be had where the tests run")
    })
}

/// The places inside, which are the same for all folders.
pub fn places() -> Places {
    isolation().places(Path::new("/"))
}

pub fn program() -> PathBuf {
    std::env::current_exe().expect("this program has a path")
}

fn arguments() -> Vec<OsString> {
    ["probe_entry", "--exact", "--nocapture", "--test-threads=1"].map(OsString::from).to_vec()
}

/// A job that plays a probe over an empty tree; the folder must live as long as the job.
pub fn probe_job(name: &str, argument: &str) -> (Job, TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let tree = Tree::CopyOnWrite { lower: dir.path().to_path_buf(), changes: Vec::new() };
    (probe_job_on(tree, name, argument), dir)
}

pub fn probe_job_on(tree: Tree, name: &str, argument: &str) -> Job {
    let mut job = Job::new(PROGRAM, tree, places());
    job.args = arguments();
    job.env = vec![("KAIZEN_PROBE".into(), name.into()), ("KAIZEN_PROBE_ARGUMENT".into(), argument.into())];
    job.read_only = vec![(program(), PROGRAM.into())];
    job
}

pub fn run(job: &Job) -> Finished {
    let cancel = Cancel::new().expect("a flag");
    isolation().run(job, &cancel, &mut |_: Stream, _: &[u8]| {}).expect("the job was run")
}

/// Plays a probe inside, with nothing but the defaults.
pub fn inside(name: &str, argument: &str) -> Finished {
    let (job, _dir) = probe_job(name, argument);
    run(&job)
}

/// Plays a probe outside, as a plain child: the exit code and what it printed.
pub fn outside(name: &str, argument: &str) -> (Option<i32>, String) {
    let output = plain_command(name, argument).stderr(Stdio::inherit()).output().expect("the probe was started");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

pub fn plain_command(name: &str, argument: &str) -> Command {
    let mut command = Command::new(program());
    command.args(arguments()).env("KAIZEN_PROBE", name).env("KAIZEN_PROBE_ARGUMENT", argument);
    command.stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The probe gets through outside and is refused inside.
pub fn assert_refused_inside(name: &str, argument: &str) {
    let (code, printed) = outside(name, argument);
    assert_eq!(code, Some(GOT_THROUGH), "the witness outside must get through: {printed}");
    let finished = inside(name, argument);
    assert_eq!(finished.exit, Exit::Code(REFUSED), "inside: {}{}", text(&finished.stdout), text(&finished.stderr));
}

/// Every process below `pid`, held by a descriptor that cannot come to mean another one.
pub struct Held(Vec<(i32, OwnedFd)>);

impl Held {
    /// Holds what the calling thread has started, directly or not.
    pub fn below_this_thread() -> Self {
        // SAFETY: takes nothing.
        let thread = unsafe { libc::gettid() };
        Self::below(&format!("/proc/self/task/{thread}/children"))
    }

    /// Holds what process `pid` has started, directly or not.
    pub fn below_process(pid: u32) -> Self {
        // One that ended since it was listed has started nothing that is not listed elsewhere.
        let lists = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        Self(lists.flat_map(|task| Self::below(&task.path().join("children").to_string_lossy()).0).collect())
    }

    fn below(list: &str) -> Self {
        let mut held = Vec::new();
        for pid in fs::read_to_string(list).unwrap_or_default().split_ascii_whitespace() {
            let pid: i32 = pid.parse().expect("a number");
            // SAFETY: takes numbers.
            let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
            if fd >= 0 {
                // SAFETY: the descriptor is new.
                held.push((pid, unsafe { OwnedFd::from_raw_fd(fd as i32) }));
                held.extend(Self::below_process(pid.unsigned_abs()).0);
            }
        }
        Self(held)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Kills the first: the one that is closest to the holder.
    pub fn kill_first(&self) {
        let (_, fd) = self.0.first().expect("there is one");
        let nothing = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: no signal information is passed.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd.as_raw_fd(), libc::SIGKILL, nothing, 0) };
    }

    /// Waits until all have ended; those that have not after `millis`.
    pub fn still_running_after(&self, millis: i32) -> Vec<i32> {
        let running = |fd: &OwnedFd| {
            let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one valid structure.
            unsafe { libc::poll(&raw mut poll, 1, millis) == 0 }
        };
        self.0.iter().filter(|(_, fd)| running(fd)).map(|(pid, _)| *pid).collect()
    }
}

/// Runs a job, holds its processes when it prints a line with `when` in it, and returns both.
pub fn run_holding(job: &Job, when: &str) -> (Finished, Held) {
    let mut held = None;
    let cancel = Cancel::new().expect("a flag");
    let finished = isolation()
        .run(job, &cancel, &mut |_: Stream, line: &[u8]| {
            if held.is_none() && text(line).contains(when) {
                held = Some(Held::below_this_thread());
            }
        })
        .expect("the job was run");
    (finished, held.expect("the probe said that it was up"))
}

/// Path, content, mode and time of everything in a folder.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, i64, i64)> {
    let mut all = BTreeMap::new();
    let mut todo = vec![dir.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, status) = (entry.path(), entry.metadata().expect("a status"));
            let content = if status.is_file() { fs::read(&path).expect("a file") } else { Vec::new() };
            if status.is_dir() {
                todo.push(path.clone());
            }
            all.insert(path, (content, status.mode(), status.mtime(), status.mtime_nsec()));
        }
    }
    all
}
