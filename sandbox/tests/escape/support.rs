//! The one place that knows how a sandbox is had, and how a job that plays a probe is made in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use kaizen_sandbox::isolation::{Arrangement, Places};
use kaizen_sandbox::isolation::{Isolation, Job, Limits, Tree};
use kaizen_sandbox::{Runner, RunnerSettings};

/// The arrangement of this name.
pub fn named(name: &str) -> Option<Arrangement> {
    Arrangement::ALL.into_iter().find(|one| one.name() == name)
}

/// The sandbox in an arrangement, or why it cannot be had here.
pub fn sandbox(arrangement: Arrangement) -> Result<Isolation, String> {
    Isolation::probe_arrangement(arrangement, &[]).map_err(|error| error.to_string())
}

/// A runner of whole trials.
pub fn runner(settings: RunnerSettings) -> Runner {
    Runner::new(settings, None).expect("a runner")
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
    let places = isolation.places(given.dir);
    let program = program();
    let (inside, shown, kept) = match arrangement {
        Arrangement::Namespaces => ("/probe/program".into(), "/shown".into(), places.tree.join("kept")),
        Arrangement::Restricted => (program.clone(), given.shown.to_path_buf(), given.kept.to_path_buf()),
    };
    let tree = Tree::CopyOnWrite { lower: given.tree.to_path_buf(), changes: Vec::new() };
    let mut job = Job::new(&inside, tree, places.clone());
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
