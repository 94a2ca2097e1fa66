//! What to run: the command, what it sees, and what it may use up.
//!
//! Plain data. Paths that say "inside" are as the command sees them; everything else is the host's.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use kaizen_domain::RelPath;

use super::batch::Batch;

/// Where the tree and the scratch folders are as the command sees them. Keep them the same in all jobs on a tree, so that
/// build artefacts stay valid. [`Isolation::places`](super::Isolation::places) makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The tree.
    pub tree: PathBuf,
    /// The home folder: empty at first, gone with the job.
    pub home: PathBuf,
    /// The folder for temporary files: empty at first, gone with the job.
    pub tmp: PathBuf,
}

/// One command to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The program, an absolute path inside. No search path is consulted.
    pub program: PathBuf,
    /// Its arguments, without the program's name.
    pub args: Vec<OsString>,
    /// The working directory, an absolute path inside.
    pub cwd: PathBuf,
    /// The whole environment; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Calls to make in place of the one program. Each has a working directory and an environment of its own.
    pub batch: Option<Batch>,
    /// The tree.
    pub tree: Tree,
    /// Where it and the scratch folders are inside.
    pub places: Places,
    /// Host paths shown read-only: host path, then absolute path inside. A host path that is not there is an error.
    /// Without namespaces a path is seen at its own place, or by a link from a place in the tree or a scratch folder.
    pub read_only: Vec<(PathBuf, PathBuf)>,
    /// Host folders that the command may write to: host path, then absolute path inside, which may lie in the tree.
    /// Only for folders of Kaizen's own.
    pub writable: Vec<(PathBuf, PathBuf)>,
    /// Whether stderr goes the way of stdout, so that the order of lines is kept.
    pub merge_output: bool,
    /// Whether what it prints is kept until it has ended, besides being handed on line by line.
    pub keep_output: bool,
    /// What the job may use up.
    pub limits: Limits,
}

impl Job {
    /// A job that runs `program` in a tree, with nothing in its environment, and the default limits.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, tree: Tree, places: Places) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            cwd: places.tree.clone(),
            env: Vec::new(),
            batch: None,
            tree,
            places,
            read_only: Vec::new(),
            writable: Vec::new(),
            merge_output: false,
            keep_output: true,
            limits: Limits::default(),
        }
    }
}

/// The tree that a job works on.
#[derive(Debug, Clone)]
pub enum Tree {
    /// A host folder that the job may write to: what it writes stays. Only for folders of Kaizen's own.
    Writable(PathBuf),
    /// A host folder that stays as it is: what the job writes lies in memory and is gone with the job.
    ///
    /// Its files must belong to the user that Kaizen runs as: others cannot be changed in the copy.
    CopyOnWrite {
        /// The folder underneath.
        lower: PathBuf,
        /// Written into the copy before the command starts, in this order.
        changes: Vec<TreeChange>,
    },
}

/// A change to a tree before the command starts. Neither follows a symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeChange {
    /// Writes a file, in place of what was there; missing folders are made.
    Write {
        /// Which file.
        path: RelPath,
        /// Its whole content.
        bytes: Vec<u8>,
        /// Whether it may be executed.
        executable: bool,
    },
    /// Removes a file, which must be there.
    Remove {
        /// Which file.
        path: RelPath,
    },
}

impl TreeChange {
    /// The file that changes.
    #[must_use]
    pub fn path(&self) -> &RelPath {
        match self {
            Self::Write { path, .. } | Self::Remove { path } => path,
        }
    }
}

/// What a job may use up. A limit that is reached ends the job, except for `open_files`, where calls fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time on the clock.
    pub wall: Duration,
    /// Processor time of all its processes together; also of each alone, by the kernel.
    pub cpu: Duration,
    /// Bytes of memory of all its processes together. The two scratch spaces below are counted apart.
    pub memory: u64,
    /// Processes and threads at once.
    pub processes: u64,
    /// Bytes in one file.
    pub file_size: u64,
    /// Open descriptors in one process.
    pub open_files: u64,
    /// Bytes that may change in a copy-on-write tree; they lie in memory. Also the bytes by which free space on the
    /// host may shrink while the job runs, where it may write to a folder of the host.
    pub disk: u64,
    /// Bytes in `/tmp`, the home folder and `/dev/shm` together; they lie in memory.
    pub tmp: u64,
    /// Bytes of stdout and stderr together.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            wall: Duration::from_secs(300),
            cpu: Duration::from_secs(1200),
            memory: 4096 * MIB,
            processes: 512,
            file_size: 2048 * MIB,
            open_files: 4096,
            disk: 4096 * MIB,
            tmp: 1024 * MIB,
            output: 16 * MIB,
        }
    }
}
