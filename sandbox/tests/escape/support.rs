//! The one place that knows how a sandbox is had, and how a job that plays a probe is made in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use kaizen_sandbox::isolation::{HOME, Isolation, Job, Limits, Tree};
use kaizen_sandbox::{Runner, RunnerSettings};

/// The ways in which the sandbox can be put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// With namespaces, and a root of its own.
    Namespaces,
    /// Without: by Landlock, the filter and limits alone.
    Restricted,
}

impl Arrangement {
    pub const ALL: [Self; 2] = [Self::Namespaces, Self::Restricted];

    pub fn name(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Restricted => "restricted",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Where things are as a command sees them.
pub struct Places {
    pub tree: PathBuf,
    pub home: PathBuf,
    pub tmp: PathBuf,
}

/// The sandbox in an arrangement, or why it cannot be had here.
pub fn sandbox(arrangement: Arrangement) -> Result<Isolation, String> {
    match arrangement {
        Arrangement::Namespaces => Isolation::probe(&[]).map_err(|error| error.to_string()),
        Arrangement::Restricted => Err("this sandbox has no such arrangement".to_owned()),
    }
}

/// A runner of whole trials.
pub fn runner(_arrangement: Arrangement, settings: RunnerSettings) -> Runner {
    Runner::new(settings, None).expect("a runner")
}

/// Where a job in `_dir` finds tree, home and temporary files.
fn places(_isolation: &Isolation, _dir: &Path) -> Places {
    Places { tree: "/repo".into(), home: HOME.into(), tmp: "/tmp".into() }
}

/// What a job is given besides the probe.
pub struct Given<'a> {
    /// A folder of its own, for an arrangement that needs one.
    pub dir: &'a Path,
    /// The tree, copied on write.
    pub tree: &'a Path,
    /// Shown read-only.
    pub shown: &'a Path,
    /// Shown to be written to.
    pub kept: &'a Path,
}

/// The job that runs this program inside with `args`.
pub fn job(
    arrangement: Arrangement,
    isolation: &Isolation,
    given: &Given<'_>,
    args: &[OsString],
    limits: Limits,
) -> Job {
    let places = places(isolation, given.dir);
    let program = program();
    let (inside, shown, kept) = match arrangement {
        Arrangement::Namespaces => ("/probe/program".into(), "/shown".into(), places.tree.join("kept")),
        Arrangement::Restricted => (program.clone(), given.shown.to_path_buf(), given.kept.to_path_buf()),
    };
    let tree = Tree::CopyOnWrite { lower: given.tree.to_path_buf(), changes: Vec::new() };
    let mut job = Job::new(&inside, tree, &places.tree);
    job.args = args.to_vec();
    job.env = environment(&places, &shown, &kept);
    job.read_only = vec![(program, inside), (given.shown.to_path_buf(), shown)];
    job.writable = vec![(given.kept.to_path_buf(), kept)];
    job.limits = limits;
    job
}

/// What a playing child learns about its places, inside and outside.
pub fn environment(places: &Places, shown: &Path, kept: &Path) -> Vec<(OsString, OsString)> {
    [
        ("HOME", places.home.as_path()),
        ("TMPDIR", &places.tmp),
        ("PROBE_TREE", &places.tree),
        ("PROBE_SHOWN", shown),
        ("PROBE_KEPT", kept),
    ]
    .map(|(name, path)| (name.into(), path.into()))
    .into()
}

pub fn program() -> PathBuf {
    std::env::current_exe().expect("this program has a path")
}

/// Whether this is root, the one user whom the kernel lets do nearly everything.
pub fn is_root() -> bool {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
