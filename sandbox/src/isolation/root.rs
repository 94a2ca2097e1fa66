//! The new root, as a list of steps: system folders read-only, devices, scratch space, the tree, and what the job names.
//!
//! It is put together on a file system in memory while the host's root is still there, under `/host`; then the command's
//! root is entered and the host's let go of. Only the builder is here, the steps are done in the child.

use std::ffi::{CString, OsStr};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::error::IsolationError;
use super::job::{Job, Tree, TreeChange};
use super::layer::LayerName;
use super::step::{Action, NO_DEV, NO_EXEC, NO_SUID, READ_ONLY, Step};
use super::walk::Place;

/// The command's root while it is put together.
const ROOT: &str = "/root";
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
const SYSTEM_FOLDERS: [&str; 10] =
    ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix/store", "etc/alternatives", "etc/ld.so.conf.d"];
const SYSTEM_FILES: [&str; 3] = ["etc/ld.so.cache", "etc/ld.so.conf", "etc/localtime"];
/// What of `/proc` says more about the machine than a test needs, or could change it.
const PROC_MASKED: [&str; 12] = [
    "kcore",
    "keys",
    "key-users",
    "kmsg",
    "kpagecount",
    "kpageflags",
    "kpagecgroup",
    "sched_debug",
    "slabinfo",
    "sysrq-trigger",
    "timer_list",
    "vmallocinfo",
];
const NOBODY: &str = "nobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "kaizen:x:1000:\nnogroup:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost kaizen\n::1 localhost\n";
const NAMES: &str = "passwd: files\ngroup: files\nhosts: files\n";

/// Places inside that the command may write to, besides the tree and what the job names.
pub(super) fn scratch(job: &Job) -> [&Path; 3] {
    [&job.places.tmp, &job.places.home, Path::new("/dev/shm")]
}

/// The folders and files of the system that commands may read, as far as this machine has them.
pub(super) fn system_paths() -> impl Iterator<Item = PathBuf> {
    SYSTEM_FOLDERS.into_iter().chain(SYSTEM_FILES).map(|name| Path::new("/").join(name)).filter(|path| path.exists())
}

/// The devices inside.
pub(super) fn devices() -> impl Iterator<Item = String> {
    DEVICES.into_iter().map(|name| format!("/dev/{name}"))
}

/// Text as the kernel takes it.
pub(super) fn c_string(text: impl AsRef<OsStr>) -> Result<CString, IsolationError> {
    let text = text.as_ref();
    CString::new(text.as_bytes()).map_err(|_| IsolationError::Job(format!("{} holds a NUL byte", text.display())))
}

/// Collects the steps of the root.
pub(super) struct RootBuilder {
    steps: Vec<Step>,
}

impl RootBuilder {
    /// The steps that give `job` its root. `private_proc` is false when that layer is waived.
    pub(super) fn steps(job: &Job, private_proc: bool) -> Result<Vec<Step>, IsolationError> {
        let mut builder = Self { steps: Vec::new() };
        builder.staging()?;
        builder.system(&job.places.home)?;
        builder.devices_and_scratch(job)?;
        builder.proc(private_proc)?;
        builder.tree(job)?;
        for (host, inside) in &job.read_only {
            builder.host_path(host, inside, READ_ONLY | NO_SUID | NO_DEV)?;
        }
        for (host, inside) in &job.writable {
            builder.host_path(host, inside, NO_SUID | NO_DEV)?;
        }
        builder.mount_step("closing the new root", Action::ReadOnly { path: c_string(ROOT)? });
        builder.mount_step("entering the new root", Action::EnterRoot(c_string(ROOT)?));
        builder.changes(job)?;
        Ok(builder.steps)
    }

    /// The steps that change the tree of `job`, wherever it is.
    pub(super) fn changes_alone(job: &Job) -> Result<Vec<Step>, IsolationError> {
        let mut builder = Self { steps: Vec::new() };
        builder.changes(job)?;
        Ok(builder.steps)
    }

    fn step(&mut self, layer: LayerName, what: impl Into<String>, action: Action) {
        self.steps.push(Step { layer, what: what.into(), action });
    }

    fn mount_step(&mut self, what: impl Into<String>, action: Action) {
        self.step(LayerName::Mount, what, action);
    }

    fn staging(&mut self) -> Result<(), IsolationError> {
        let options = c_string("mode=0755,size=4m,nr_inodes=4096")?;
        self.mount_step("cutting mounts off from the host's", Action::PrivateMounts);
        let tmp = c_string("/tmp")?;
        self.mount_step("mounting a file system in memory on /tmp", Action::Tmpfs { at: tmp.clone(), options });
        for folder in ["host", "root", "scratch", "layer", "lower"] {
            self.mount_step("preparing the root", Action::Folder(place("/tmp", folder)?));
        }
        self.mount_step("putting the host's root aside", Action::Pivot { new: tmp, old: c_string("/tmp/host")? });
        // A folder of the same file system: another one of its own would take longer to make and to clear away.
        let (from, to) = (c_string(ROOT)?, c_string(ROOT)?);
        self.mount_step("mounting the new root", Action::Again { from, to });
        Ok(())
    }

    fn system(&mut self, home: &Path) -> Result<(), IsolationError> {
        for name in SYSTEM_FOLDERS.into_iter().chain(SYSTEM_FILES) {
            let host = Path::new("/").join(name);
            match fs::read_link(&host) {
                // `/bin` is a link to `usr/bin` on most systems, and stays one. Links out of it end up inside too.
                Ok(target) if !name.starts_with("etc") => {
                    let action = Action::Link { at: place(ROOT, name)?, target: c_string(target)? };
                    self.mount_step(format!("linking /{name}"), action);
                }
                _ if host.exists() => self.host_path(&host, &host, READ_ONLY | NO_SUID | NO_DEV)?,
                _ => {}
            }
        }
        let users = format!("kaizen:x:1000:1000:Kaizen:{}:/bin/sh\n{NOBODY}", home.display());
        for (name, text) in [("passwd", users.as_str()), ("group", GROUP), ("hosts", HOSTS), ("nsswitch.conf", NAMES)] {
            let at = place(ROOT, &format!("etc/{name}"))?;
            let action = Action::File { at, bytes: text.as_bytes().to_vec(), executable: false };
            self.mount_step(format!("writing /etc/{name}"), action);
        }
        Ok(())
    }

    fn devices_and_scratch(&mut self, job: &Job) -> Result<(), IsolationError> {
        for name in DEVICES {
            // Read-only, or root could change the mode of the host's own device.
            let host = Path::new("/dev").join(name);
            self.host_path(&host, &host, READ_ONLY | NO_SUID | NO_EXEC)?;
        }
        for (name, target) in [("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")] {
            let at = place(ROOT, &format!("dev/{name}"))?;
            let target = c_string(format!("/proc/self/{target}"))?;
            self.mount_step(format!("linking /dev/{name}"), Action::Link { at, target });
        }
        // One file system for all scratch space, so that one size bounds it.
        let at = c_string("/scratch")?;
        self.mount_step("mounting scratch space", Action::Tmpfs { at, options: memory_options(job.limits.tmp)? });
        for (number, inside) in scratch(job).into_iter().enumerate() {
            let (from, shown) = (format!("/scratch/{number}"), inside.display());
            self.mount_step(format!("preparing {shown}"), Action::Folder(place("/scratch", &number.to_string())?));
            let mode = if inside == job.places.home { 0o700 } else { 0o1777 };
            self.mount_step(format!("preparing {shown}"), Action::Mode { path: c_string(&from)?, mode });
            let to = place_inside(inside)?;
            let action = Action::Bind { from: c_string(&from)?, to, file: false, attributes: NO_SUID | NO_DEV };
            self.mount_step(format!("showing {shown}"), action);
        }
        Ok(())
    }

    fn proc(&mut self, private: bool) -> Result<(), IsolationError> {
        let layer = LayerName::PrivateProc;
        if !private {
            let attributes = READ_ONLY | NO_SUID | NO_DEV | NO_EXEC;
            return self.host_path(Path::new("/proc"), Path::new("/proc"), attributes);
        }
        self.step(layer, "preparing /proc", Action::Folder(place(ROOT, "proc")?));
        self.step(layer, "mounting a new /proc", Action::Proc { at: c_string(format!("{ROOT}/proc"))? });
        for name in PROC_MASKED.into_iter().filter(|name| Path::new("/proc").join(name).exists()) {
            let (from, to) = (c_string(format!("{ROOT}/dev/null"))?, c_string(format!("{ROOT}/proc/{name}"))?);
            self.step(layer, format!("masking /proc/{name}"), Action::Again { from, to });
        }
        Ok(())
    }

    fn tree(&mut self, job: &Job) -> Result<(), IsolationError> {
        let lower = match &job.tree {
            Tree::Writable(host) => return self.host_path(host, &job.places.tree, NO_SUID | NO_DEV),
            Tree::CopyOnWrite { lower, .. } => lower,
        };
        let layer = LayerName::Overlay;
        let (from, is_file) = host_source(lower)?;
        if is_file {
            return Err(IsolationError::Job(format!("the tree {} is a file", lower.display())));
        }
        // Shown under a short name first, so that no character of the path can mean something to the overlay.
        let attributes = READ_ONLY | NO_SUID | NO_DEV;
        let action = Action::Bind { from, to: place("/lower", "")?, file: false, attributes };
        self.step(layer, format!("showing {}", lower.display()), action);
        let memory = Action::Tmpfs { at: c_string("/layer")?, options: memory_options(job.limits.disk)? };
        self.step(layer, "mounting the upper layer", memory);
        for name in ["upper", "work"] {
            self.step(layer, "preparing the upper layer", Action::Folder(place("/layer", name)?));
        }
        self.step(layer, "preparing the tree", Action::Folder(place_inside(&job.places.tree)?));
        let at = c_string(inside_root(&job.places.tree)?)?;
        let options = c_string("lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work,userxattr")?;
        self.step(layer, "mounting the overlay", Action::Overlay { at, options });
        Ok(())
    }

    fn changes(&mut self, job: &Job) -> Result<(), IsolationError> {
        let Tree::CopyOnWrite { changes, .. } = &job.tree else { return Ok(()) };
        let root =
            job.places.tree.to_str().ok_or_else(|| IsolationError::Job("the tree's place is not UTF-8".into()))?;
        for change in changes {
            let (what, action) = match change {
                TreeChange::Write { path, bytes, executable } => {
                    let (at, bytes) = (place(root, path.as_str())?, bytes.clone());
                    (format!("writing {path} into the tree"), Action::File { at, bytes, executable: *executable })
                }
                TreeChange::Remove { path } => {
                    (format!("removing {path} from the tree"), Action::Remove(place(root, path.as_str())?))
                }
            };
            self.step(LayerName::Overlay, what, action);
        }
        Ok(())
    }

    fn host_path(&mut self, host: &Path, inside: &Path, attributes: u64) -> Result<(), IsolationError> {
        let (from, file) = host_source(host)?;
        let to = place_inside(inside)?;
        self.mount_step(
            format!("showing {} as {}", host.display(), inside.display()),
            Action::Bind { from, to, file, attributes },
        );
        Ok(())
    }
}

/// A path of the host as it is found while the root is put together, and whether it is a file. Links are resolved now:
/// later they would lead through the wrong root.
fn host_source(host: &Path) -> Result<(CString, bool), IsolationError> {
    let wrong = |source| IsolationError::HostPath { path: host.to_path_buf(), source };
    let real = host.canonicalize().map_err(wrong)?;
    let is_dir = real.metadata().map_err(wrong)?.is_dir();
    let mut staged = PathBuf::from("/host");
    staged.extend(real.components().filter(|part| matches!(part, Component::Normal(_))));
    Ok((c_string(staged)?, !is_dir))
}

/// A size for a file system in memory, with a number of files to go with it.
fn memory_options(size: u64) -> Result<CString, IsolationError> {
    let files = (size / (16 << 10)).clamp(4096, 400_000);
    // 0 would mean no bound at all.
    c_string(format!("mode=0755,size={},nr_inodes={files}", size.max(4096)))
}

/// The names on the way to an absolute path inside, checked.
pub(super) fn inside_parts(inside: &Path) -> Result<Vec<CString>, IsolationError> {
    let wrong = |why: &str| IsolationError::Job(format!("the path {} inside {why}", inside.display()));
    if !inside.is_absolute() {
        return Err(wrong("is not absolute"));
    }
    let mut parts = Vec::new();
    for component in inside.components() {
        match component {
            Component::RootDir => {}
            Component::Normal(name) => parts.push(c_string(name)?),
            _ => return Err(wrong("leads upwards")),
        }
    }
    if parts.is_empty() { Err(wrong("is the root itself")) } else { Ok(parts) }
}

fn inside_root(inside: &Path) -> Result<PathBuf, IsolationError> {
    let mut path = PathBuf::from(ROOT);
    path.extend(inside_parts(inside)?.iter().map(|part| OsStr::from_bytes(part.as_bytes())));
    Ok(path)
}

fn place_inside(inside: &Path) -> Result<Place, IsolationError> {
    let mut folders = inside_parts(inside)?;
    let name = folders.pop();
    Ok(Place { root: c_string(ROOT)?, folders, name })
}

/// A place by a relative path of ours or one that was checked when it was made.
fn place(root: &str, path: &str) -> Result<Place, IsolationError> {
    let mut folders =
        path.split('/').filter(|part| !part.is_empty()).map(c_string).collect::<Result<Vec<_>, IsolationError>>()?;
    let name = folders.pop();
    Ok(Place { root: c_string(root)?, folders, name })
}
