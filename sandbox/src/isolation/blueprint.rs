//! Everything that the forked processes need, prepared while allocating is still allowed.
//!
//! Three processes follow each other: the monitor stays outside the new pid namespace and waits, init is its first
//! process and builds the root, the command gives up the last powers and starts the program. Each has its own steps.

use std::collections::BTreeSet;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::arrangement::Arrangement;
use super::aside::Stack;
use super::cgroup::Group;
use super::conduct::Conducted;
use super::error::IsolationError;
use super::filter::Filter;
use super::job::{Job, Limits, Tree};
use super::landlock::{Landlock, version};
use super::layer::LayerName;
use super::restricted;
use super::root::{RootBuilder, c_string, devices, inside_parts, scratch};
use super::step::{Action, Command, INSIDE_ID, Step};

/// How many times the memory limit one process may reserve. The kernel refuses more at once; the watch ends the job
/// long before, but looks only now and then.
const RESERVE: u64 = 2;
/// How many processes and threads over the limit the kernel lets pass, so that the watch sees that it was crossed.
pub(super) const PROCESS_SLACK: u64 = 16;
/// Numbers that the kernel gives out only once in a pid namespace.
const RESERVED_NUMBERS: u64 = 300;
/// The most processes that any way of limiting lets pass when the limit is 0.
pub(super) const MOST_OVER_LIMIT: u64 = RESERVED_NUMBERS + PROCESS_SLACK;

/// The steps of one job.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub monitor: Vec<Step>,
    pub init: Vec<Step>,
    pub command: Vec<Step>,
    /// Calls to make in place of one program, each behind the command's steps.
    pub batch: Option<Conducted>,
    /// The copy-on-write tree, to see whether it was full in the end.
    pub tree: Option<CString>,
    /// Scratch space in memory, to see the same.
    pub tmp: Option<CString>,
    /// The command has a network of its own, whose counts are about nothing else.
    pub own_network: bool,
    /// The mounts are the sandbox's own, and gone with it.
    pub own_mounts: bool,
    /// Processes that leave their parents have to be gathered and ended one by one.
    pub gathers: bool,
    pub init_stack: Stack,
    pub command_stack: Stack,
    program: PathBuf,
}

/// What the last process does in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Starts the command.
    Run,
    /// Proves the layers from within, says so, and waits.
    DryRun,
}

impl Blueprint {
    /// Prepares `job`, without the layers in `dropped`, in a group where it has one.
    pub(super) fn prepare(
        job: &Job,
        arrangement: Arrangement,
        dropped: &BTreeSet<LayerName>,
        group: Option<&Group>,
        purpose: Purpose,
    ) -> Result<Self, IsolationError> {
        let (mut monitor, init, command) = match arrangement {
            Arrangement::Namespaces => {
                (monitor_steps(dropped), init_steps(job, dropped)?, command_steps(job, dropped, purpose)?)
            }
            Arrangement::Restricted => (
                restricted::monitor_steps(),
                restricted::init_steps(job)?,
                restricted::command_steps(job, dropped, purpose)?,
            ),
        };
        if let Some(group) = group {
            // First of all, while the machine's folders are still in sight: whatever is forked later is in it too.
            let enter = Action::Put { path: group.entry()?, bytes: b"0".to_vec() };
            monitor.insert(0, step(LayerName::Watch, "entering a control group", enter));
        }
        let in_memory = arrangement == Arrangement::Namespaces;
        Ok(Self {
            monitor,
            init,
            command,
            batch: job.batch.as_ref().map(Conducted::prepare).transpose()?,
            tree: match job.tree {
                Tree::CopyOnWrite { .. } if in_memory => Some(c_string(&job.places.tree)?),
                _ => None,
            },
            tmp: if in_memory { Some(c_string(&job.places.tmp)?) } else { None },
            own_network: in_memory && !dropped.contains(&LayerName::Network),
            own_mounts: in_memory,
            gathers: arrangement == Arrangement::Restricted,
            init_stack: stack()?,
            command_stack: stack()?,
            program: job.program.clone(),
        })
    }

    /// What it means that the step with this index over all three processes failed.
    pub(super) fn failure(&self, index: u32, errno: i32) -> IsolationError {
        let source = std::io::Error::from_raw_os_error(errno);
        let mut steps = self.monitor.iter().chain(&self.init).chain(&self.command);
        match steps.nth(index as usize) {
            Some(Step { action: Action::Exec(_), .. }) => {
                IsolationError::Exec { program: self.program.clone(), source }
            }
            Some(Step { layer, what, .. }) => IsolationError::Setup { layer: layer.name(), step: what.clone(), source },
            None => IsolationError::System { what: "starting the sandbox's own processes", source },
        }
    }
}

pub(super) fn stack() -> Result<Stack, IsolationError> {
    Stack::new().map_err(|source| IsolationError::System { what: "getting memory for a stack", source })
}

pub(super) fn step(layer: LayerName, what: &str, action: Action) -> Step {
    Step { layer, what: what.to_owned(), action }
}

/// The namespaces, one by one so that a missing one can be named; the user namespace first, as it gives the right to
/// the others.
const NAMESPACES: [(LayerName, libc::c_int); 7] = [
    (LayerName::User, libc::CLONE_NEWUSER),
    (LayerName::Mount, libc::CLONE_NEWNS),
    (LayerName::Pid, libc::CLONE_NEWPID),
    (LayerName::Network, libc::CLONE_NEWNET),
    (LayerName::Ipc, libc::CLONE_NEWIPC),
    (LayerName::Uts, libc::CLONE_NEWUTS),
    (LayerName::CgroupNamespace, libc::CLONE_NEWCGROUP),
];

fn monitor_steps(dropped: &BTreeSet<LayerName>) -> Vec<Step> {
    // SAFETY: these take nothing and cannot fail.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    let put = |path: &str, text: String| Action::Put {
        path: CString::new(path).unwrap_or_default(),
        bytes: text.into_bytes(),
    };
    let mut steps = vec![
        step(LayerName::Pid, "asking to end with Kaizen", Action::DieWithParent),
        step(LayerName::Pid, "leaving Kaizen's session", Action::NewSession),
        step(LayerName::User, "dropping groups", Action::DropGroups),
        // Otherwise the maps below would belong to root.
        step(LayerName::User, "opening the way to the maps", Action::Dumpable(true)),
    ];
    for (layer, flag) in NAMESPACES.into_iter().filter(|(layer, _)| !dropped.contains(layer)) {
        steps.push(step(layer, "making the namespace", Action::Unshare(flag)));
    }
    steps.extend([
        step(LayerName::User, "mapping the user", put("/proc/self/uid_map", format!("{INSIDE_ID} {user} 1\n"))),
        step(LayerName::User, "denying setgroups", put("/proc/self/setgroups", "deny".to_owned())),
        step(LayerName::User, "mapping the group", put("/proc/self/gid_map", format!("{INSIDE_ID} {group} 1\n"))),
        // Changing credentials may have cleared it.
        step(LayerName::Pid, "asking to end with Kaizen", Action::DieWithParent),
    ]);
    steps
}

fn init_steps(job: &Job, dropped: &BTreeSet<LayerName>) -> Result<Vec<Step>, IsolationError> {
    let mut steps = vec![
        step(LayerName::Pid, "asking to end with the monitor", Action::DieWithParent),
        step(
            LayerName::ResourceLimits,
            "offering to be ended first when the machine runs out of memory",
            Action::Put { path: c_string("/proc/self/oom_score_adj")?, bytes: b"1000".to_vec() },
        ),
        // This process is a copy of Kaizen, memory and all: nothing inside may look into it.
        step(LayerName::Pid, "closing init to the command", Action::Dumpable(false)),
    ];
    if !dropped.contains(&LayerName::Network) {
        steps.push(step(LayerName::Network, "bringing loopback up", Action::Loopback));
    }
    if !dropped.contains(&LayerName::Uts) {
        steps.push(step(LayerName::Uts, "setting the host name", Action::HostName(b"kaizen")));
    }
    if !dropped.contains(&LayerName::ProcessLimit)
        && let Some(most) = most_process_numbers(&job.limits)
    {
        let path = c_string("/proc/sys/kernel/pid_max")?;
        let bytes = most.to_string().into_bytes();
        steps.push(step(LayerName::ProcessLimit, "limiting process numbers", Action::Put { path, bytes }));
    }
    steps.extend(RootBuilder::steps(job, !dropped.contains(&LayerName::PrivateProc))?);
    steps.push(step(LayerName::Capabilities, "dropping all capabilities", Action::DropCapabilities));
    steps.push(step(LayerName::NoNewPrivileges, "forbidding new privileges", Action::NoNewPrivileges));
    Ok(steps)
}

/// The first steps of a command, which are the same however the sandbox is arranged. `others` is how many processes are
/// there already that the kernel counts as the command's.
pub(super) fn common_steps(job: &Job, layer: LayerName, others: u64) -> Result<Vec<Step>, IsolationError> {
    inside_parts(&job.cwd)?;
    let limits = Action::Limits(resource_limits(&job.limits, others));
    Ok(vec![
        step(layer, "opening /dev/null", Action::Stdin),
        Step {
            layer,
            what: format!("entering the working directory {}", job.cwd.display()),
            action: Action::WorkingDirectory(c_string(&job.cwd)?),
        },
        step(LayerName::ResourceLimits, "setting resource limits", limits),
    ])
}

/// The filter of system calls.
pub(super) fn filter_step(arrangement: Arrangement) -> Result<Step, IsolationError> {
    let filter = Filter::compiled(arrangement).map_err(|error| IsolationError::Setup {
        layer: LayerName::Seccomp.name(),
        step: "compiling the system call filter".to_owned(),
        source: std::io::Error::other(error),
    })?;
    Ok(step(LayerName::Seccomp, "installing the system call filter", Action::Seccomp(filter)))
}

fn command_steps(job: &Job, dropped: &BTreeSet<LayerName>, purpose: Purpose) -> Result<Vec<Step>, IsolationError> {
    let mut steps = common_steps(job, LayerName::Mount, 0)?;
    if !dropped.contains(&LayerName::Landlock) {
        let mut writable = vec![c_string(&job.places.tree)?];
        for path in scratch(job) {
            writable.push(c_string(path)?);
        }
        for (_, inside) in &job.writable {
            writable.push(c_string(inside)?);
        }
        let devices = devices().map(c_string).collect::<Result<_, _>>()?;
        let landlock = Action::Landlock(Landlock::new(version(), writable, devices));
        steps.push(step(LayerName::Landlock, "restricting file access", landlock));
    }
    if !dropped.contains(&LayerName::Seccomp) {
        steps.push(filter_step(Arrangement::Namespaces)?);
    }
    match purpose {
        Purpose::Run => steps.extend(start(job, LayerName::Mount)?),
        Purpose::DryRun => {
            for layer in LayerName::of(Arrangement::Namespaces).filter(|layer| !dropped.contains(layer)) {
                let proof = match layer {
                    LayerName::ProcessLimit => Action::ProveProcessLimit(stack()?),
                    other => Action::Prove(other),
                };
                steps.push(step(layer, "looking from within whether it holds", proof));
            }
            steps.push(step(LayerName::Pid, "waiting", Action::Ready));
        }
    }
    Ok(steps)
}

/// Process numbers that the pid namespace may give out, for root alone: the kernel's limit on the processes of a user
/// does not hold for it. None for others, and where the kernel has one such number for the whole machine.
fn most_process_numbers(limits: &Limits) -> Option<u64> {
    // SAFETY: takes nothing and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let wanted = RESERVED_NUMBERS + limits.processes.saturating_add(PROCESS_SLACK);
    (root && numbers_are_per_namespace(&release)).then_some(wanted.min(32_768))
}

/// Since Linux 6.14. Before it, root would change the number of the whole machine, so this must not be found out by
/// trying.
fn numbers_are_per_namespace(release: &str) -> bool {
    let mut parts = release.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse::<u32>().ok());
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (major, minor) >= (6, 14)
}

fn resource_limits(limits: &Limits, others: u64) -> Vec<(u32, u64)> {
    // The type of these constants differs between C libraries.
    #[expect(clippy::unnecessary_cast, reason = "with musl it is another type")]
    [
        // Where the machine hands dumps to a program of its own, outside of every sandbox, 0 would not keep it from that:
        // 1 does, and is too little for a dump into a file.
        (libc::RLIMIT_CORE as u32, 1),
        (libc::RLIMIT_CPU as u32, limits.cpu.as_secs().max(1)),
        (libc::RLIMIT_DATA as u32, limits.memory.saturating_mul(RESERVE)),
        (libc::RLIMIT_NPROC as u32, limits.processes.saturating_add(PROCESS_SLACK).saturating_add(others)),
        (libc::RLIMIT_FSIZE as u32, limits.file_size),
        (libc::RLIMIT_NOFILE as u32, limits.open_files),
        (libc::RLIMIT_MSGQUEUE as u32, 819_200),
        (libc::RLIMIT_RTPRIO as u32, 0),
    ]
    .to_vec()
}

/// The step that starts the program of `job`; none where it has a batch, whose calls init starts.
pub(super) fn start(job: &Job, layer: LayerName) -> Result<Option<Step>, IsolationError> {
    if job.batch.is_some() {
        return Ok(None);
    }
    let command = command_of(&job.program, &job.args, &job.env)?;
    Ok(Some(step(layer, "starting the program", Action::Exec(command))))
}

/// A program with its arguments and its whole environment.
pub(super) fn command_of(
    program: &Path,
    args: &[OsString],
    env: &[(OsString, OsString)],
) -> Result<Command, IsolationError> {
    inside_parts(program)?;
    let args = args.iter().map(c_string).collect::<Result<_, _>>()?;
    let mut entries = Vec::new();
    for (name, value) in env {
        if name.is_empty() || name.as_bytes().contains(&b'=') {
            return Err(IsolationError::Job(format!("{name:?} is no name of an environment variable")));
        }
        let mut entry = OsString::from(name);
        entry.push("=");
        entry.push(value);
        entries.push(c_string(entry)?);
    }
    Ok(Command::new(c_string(program)?, args, entries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_numbers_are_touched_only_where_each_namespace_has_its_own() {
        for (release, expected) in [
            ("6.18.44-fc-v657\n", true),
            ("6.14.0", true),
            ("7.0", true),
            ("6.13.9", false),
            ("6.8.0-60-generic", false),
            ("5.15.0", false),
            ("", false),
            ("x", false),
        ] {
            assert_eq!(numbers_are_per_namespace(release), expected, "{release}");
        }
    }
}
