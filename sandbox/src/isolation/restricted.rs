//! The steps of a sandbox without namespaces: the same three processes, with paths of the host. What the namespaces would
//! do is done by Landlock, by a stricter filter, by a copy of the tree (see [`copied`](super::copied)), and by init,
//! to which every process comes back that leaves its parent.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::arrangement::Arrangement;
use super::blueprint::{Purpose, common_steps, filter_step, stack, start, step};
use super::error::IsolationError;
use super::job::Job;
use super::landlock::{Landlock, Readable, version};
use super::layer::LayerName;
use super::probe::limits_processes;
use super::root::{RootBuilder, c_string, devices, system_paths};
use super::step::{Action, Step};
use super::watch::tasks_of_this_user;

/// What of `/proc` and `/sys` commands may read: about the machine, nothing about its processes.
const MACHINE: [&str; 8] = [
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/vm/overcommit_memory",
    "/proc/version",
    "/sys/devices/system/cpu",
];

pub(super) fn monitor_steps() -> Vec<Step> {
    vec![
        step(LayerName::Gathering, "leaving Kaizen's session", Action::NewSession),
        step(LayerName::Gathering, "gathering processes", Action::Gather),
        step(LayerName::Capabilities, "dropping groups", Action::DropGroups),
    ]
}

pub(super) fn init_steps(job: &Job) -> Result<Vec<Step>, IsolationError> {
    let mut steps = vec![
        step(
            LayerName::ResourceLimits,
            "offering to be ended first when the machine runs out of memory",
            Action::Put { path: c_string("/proc/self/oom_score_adj")?, bytes: b"1000".to_vec() },
        ),
        // This process is a copy of Kaizen, memory and all: nothing inside may look into it.
        step(LayerName::Gathering, "closing init to the command", Action::Dumpable(false)),
        // Not asked to end with the monitor: it has to end the others first, and the life line tells it when.
        step(LayerName::Gathering, "gathering processes", Action::Gather),
    ];
    steps.extend(RootBuilder::changes_alone(job)?.into_iter().map(|step| Step { layer: LayerName::Copy, ..step }));
    steps.push(step(LayerName::Capabilities, "dropping all capabilities", Action::DropCapabilities));
    steps.push(step(LayerName::NoNewPrivileges, "forbidding new privileges", Action::NoNewPrivileges));
    Ok(steps)
}

pub(super) fn command_steps(
    job: &Job,
    dropped: &BTreeSet<LayerName>,
    purpose: Purpose,
) -> Result<Vec<Step>, IsolationError> {
    // The kernel counts all processes of a user, so those that are there already come on top.
    let limited = !dropped.contains(&LayerName::ProcessLimit) && limits_processes(Arrangement::Restricted);
    let others = if limited { tasks_of_this_user() } else { u64::from(u32::MAX) };
    let mut steps = vec![
        step(LayerName::Gathering, "asking to end with init", Action::DieWithParent),
        step(LayerName::Gathering, "beginning a group of processes", Action::NewSession),
    ];
    steps.extend(common_steps(job, LayerName::Copy, others)?);
    steps.push(step(LayerName::Landlock, "restricting file access", Action::Landlock(landlock(job)?)));
    steps.push(filter_step(Arrangement::Restricted)?);
    match purpose {
        Purpose::Run => steps.extend(start(job, LayerName::Copy)?),
        Purpose::DryRun => {
            for layer in LayerName::of(Arrangement::Restricted).filter(|layer| !dropped.contains(layer)) {
                let proof = match layer {
                    LayerName::ProcessLimit if !limits_processes(Arrangement::Restricted) => continue,
                    LayerName::ProcessLimit => Action::ProveProcessLimit(stack()?),
                    other => Action::ProveAlone(other),
                };
                steps.push(step(layer, "looking from within whether it holds", proof));
            }
            steps.push(step(LayerName::Gathering, "waiting", Action::Ready));
        }
    }
    Ok(steps)
}

fn landlock(job: &Job) -> Result<Landlock, IsolationError> {
    let named = job.read_only.iter().map(|(host, _)| host.clone());
    let paths: Vec<PathBuf> = system_paths().chain(MACHINE.into_iter().map(PathBuf::from)).chain(named).collect();
    let (folders, files): (Vec<_>, Vec<_>) = paths.iter().filter(|path| path.exists()).partition(|path| path.is_dir());
    let names = |paths: Vec<&PathBuf>| paths.into_iter().map(c_string).collect::<Result<Vec<_>, _>>();
    let places = &job.places;
    let writable =
        [&places.tree, &places.home, &places.tmp].into_iter().chain(job.writable.iter().map(|(_, inside)| inside));
    let writable = writable.map(c_string).collect::<Result<_, _>>()?;
    let devices = devices().filter(|path| Path::new(path).exists()).map(c_string).collect::<Result<_, _>>()?;
    let readable = Readable { folders: names(folders)?, files: names(files)? };
    Ok(Landlock::alone(version(), readable, writable, devices))
}
