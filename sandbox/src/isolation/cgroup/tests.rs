//! Control groups against folders that look like them, and against the kernel's own where this user may make some.

use super::*;

/// A folder that looks like a group: what the kernel makes with it is there already.
fn looks_like_group(dir: &Path, passed_on: &str) {
    fs::create_dir_all(dir).unwrap();
    for (file, text) in [("cgroup.controllers", "cpu memory pids"), ("cgroup.subtree_control", passed_on)] {
        fs::write(dir.join(file), text).unwrap();
    }
}

/// The kernel's files in the group that is made next.
fn expect_group(groups: &Groups, number: u32) -> PathBuf {
    groups.parent.join(format!("kaizen-{}-{number}", std::process::id()))
}

fn groups(parent: &Path, bounded: bool) -> Arc<Groups> {
    let parent = parent.to_path_buf();
    Arc::new(Groups { parent, memory: bounded, processes: bounded, free: Mutex::default(), made: AtomicU32::new(0) })
}

#[test]
fn the_mount_of_version_two_is_found() {
    let mounts =
        "24 1 0:5 / /proc rw - proc proc rw\n30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
    assert_eq!(mounted(mounts), Some(("/sys/fs/cgroup".into(), "/".into())));
    assert_eq!(mounted("30 24 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"), None);
    assert_eq!(mounted("cgroup2 - cgroup2"), None);
}

#[test]
fn a_place_is_found_only_where_groups_can_be_made_and_bound_anything() {
    let dir = tempfile::tempdir().unwrap();
    let mounts = format!("30 24 0:26 / {} rw - cgroup2 cgroup2 rw\n", dir.path().display());
    // Folders that are no groups have none of the kernel's files: nothing can be made, and nothing is left.
    for passed_on in ["memory pids", "cpu", ""] {
        let own = dir.path().join("a/own");
        looks_like_group(&own, passed_on);
        looks_like_group(&dir.path().join("a"), passed_on);
        assert!(Groups::among(&mounts, "9:pids:/x\n0::/a/own\n").is_none(), "{passed_on}");
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 3);
    }
    assert!(Groups::among(&mounts, "0::/../../elsewhere").is_none());
    assert!(Groups::among("", "0::/a/own").is_none());
}

#[test]
fn a_group_is_bound_as_the_job_says_and_serves_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let groups = groups(dir.path(), true);
    let made = expect_group(&groups, 7);
    fs::create_dir(&made).unwrap();
    for (file, text) in [("cgroup.procs", ""), ("cgroup.kill", ""), ("memory.events", "low 0\noom 1\noom_kill 3\n")] {
        fs::write(made.join(file), text).unwrap();
    }
    groups.give_back(made.clone());
    let limits = Limits { memory: 123_456, processes: 40, ..Limits::default() };
    let group = groups.take(&limits).unwrap();
    let said = |file: &str| fs::read_to_string(made.join(file)).unwrap();
    assert_eq!((said("memory.max").as_str(), said("pids.max").as_str()), ("123456", "58"));
    assert_eq!((said("memory.swap.max").as_str(), said("memory.oom.group").as_str()), ("0", "1"));
    assert!(!group.ran_out_of_memory());
    fs::write(made.join("memory.events"), "oom_kill 4\n").unwrap();
    assert!(group.ran_out_of_memory());
    group.end();
    assert_eq!(said("cgroup.kill"), "1");
    drop(group);
    let again = groups.take(&limits).unwrap();
    assert_eq!(again.dir, made);
    assert!(!again.ran_out_of_memory(), "what the job before met does not count");
    // One that is not empty does not serve another job.
    fs::write(made.join("cgroup.procs"), "17\n").unwrap();
    drop(again);
    assert!(groups.free.lock().unwrap().is_empty());
}

/// Where this test may make groups of version 2, as root may: a job lives in one and ends with it.
#[test]
fn a_job_lives_in_its_group_and_ends_with_it() {
    use crate::isolation::{Arrangement, Cancel, Exit, Isolation, Job, Tree};
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let Some((mount, _)) = mounted(&mounts).filter(|(mount, _)| can_write(&mount.join("cgroup.procs"))) else { return };
    let groups = groups(&mount, false);
    for arrangement in Arrangement::ALL {
        let isolation = Isolation::probe_arrangement(arrangement, &[]).unwrap().in_groups(Some(Arc::clone(&groups)));
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("lower")).unwrap();
        let tree = Tree::CopyOnWrite { lower: dir.path().join("lower"), changes: Vec::new() };
        let mut job = Job::new("/bin/sh", tree, isolation.places(dir.path()));
        job.env = vec![("PATH".into(), "/usr/bin:/bin".into())];
        job.args = vec!["-c".into(), "(setsid sh -c 'trap \"\" TERM; sleep 1000' &); echo up; sleep 1000".into()];
        let cancel = Cancel::new().unwrap();
        let mut inside = 0;
        let done = isolation
            .run(&job, &cancel, &mut |_, _| {
                let made = groups.parent.join(format!("kaizen-{}-0", std::process::id()));
                inside = fs::read_to_string(made.join("cgroup.procs")).unwrap_or_default().lines().count();
                cancel.cancel();
            })
            .unwrap();
        assert_eq!(done.exit, Exit::Cancelled);
        assert!(inside >= 3, "{arrangement:?}: {inside} processes in the group");
        assert_eq!(groups.free.lock().unwrap().len(), 1, "it is empty, and serves the next job");
        job.args = vec!["-c".into(), "exit 4".into()];
        assert_eq!(isolation.run(&job, &Cancel::new().unwrap(), &mut |_, _| {}).unwrap().exit, Exit::Code(4));
    }
    let made = groups.free.lock().unwrap().clone();
    drop(groups);
    assert!(!made.is_empty() && made.iter().all(|dir| !dir.exists()), "{made:?}");
}
