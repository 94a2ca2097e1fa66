//! The tree of a job: what is written vanishes or stays as the job says, and no link in it leads out.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use kaizen_domain::RelPath;
use kaizen_sandbox::isolation::{Cancel, Exit, Finished, IsolationError, Tree, TreeChange};
use tempfile::TempDir;

use crate::support::{GOT_THROUGH, isolation, probe_job_on, run, snapshot, text};

fn base() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["kept", "gone", "mode", "folder/a", "other/x"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, name).expect("written");
    }
    dir
}

fn copy(dir: &Path, changes: Vec<TreeChange>) -> Tree {
    Tree::CopyOnWrite { lower: dir.to_path_buf(), changes }
}

fn write(path: &str, bytes: &str) -> TreeChange {
    TreeChange::Write { path: RelPath::new(path).expect("a path"), bytes: bytes.into(), executable: false }
}

fn remove(path: &str) -> TreeChange {
    TreeChange::Remove { path: RelPath::new(path).expect("a path") }
}

fn try_changes(dir: &Path, changes: Vec<TreeChange>) -> Result<Finished, IsolationError> {
    let job = probe_job_on(copy(dir, changes), "list tree", "");
    isolation().run(&job, &Cancel::new().expect("a flag"), &mut |_, _| {})
}

#[test]
fn what_a_job_writes_vanishes_and_the_base_stays_byte_for_byte() {
    let dir = base();
    let before = snapshot(dir.path());
    let finished = run(&probe_job_on(copy(dir.path(), Vec::new()), "change tree", ""));
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH), "{}", text(&finished.stderr));
    let printed = text(&finished.stdout);
    assert!(printed.contains("kept: changed\n") && printed.contains("new: new\n"), "{printed}");
    assert!(!printed.contains("gone: "), "{printed}");
    assert_eq!(snapshot(dir.path()), before);

    let printed = text(&run(&probe_job_on(copy(dir.path(), Vec::new()), "list tree", "")).stdout);
    assert!(printed.contains("kept: kept\n") && printed.contains("gone: gone\n"), "{printed}");
    assert!(!printed.contains("new: "), "{printed}");
}

#[test]
fn changes_are_in_the_tree_before_the_command_starts() {
    let dir = base();
    let before = snapshot(dir.path());
    let changes = vec![write("kept", "patched"), write("deep/er/file", "x"), remove("gone"), write("deep2", "y")];
    let finished = try_changes(dir.path(), changes).expect("run");
    let printed = text(&finished.stdout);
    assert!(printed.contains("kept: patched\n") && printed.contains("deep2: y\n"), "{printed}");
    assert!(printed.contains("deep: -\n") && !printed.contains("gone: "), "{printed}");
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn a_change_may_be_executable() {
    let dir = base();
    let path = RelPath::new("script").expect("a path");
    let script = TreeChange::Write { path, bytes: b"#!/bin/sh\necho ran".to_vec(), executable: true };
    let mut job = probe_job_on(copy(dir.path(), vec![script]), "", "");
    job.program = "/repo/script".into();
    let finished = run(&job);
    assert_eq!((finished.exit, text(&finished.stdout)), (Exit::Code(0), "ran\n".to_owned()));
}

#[test]
fn removing_a_file_that_is_not_there_is_an_error_that_names_it() {
    let dir = base();
    let error = try_changes(dir.path(), vec![remove("nowhere.rs")]).expect_err("not run");
    assert!(error.to_string().contains("removing nowhere.rs"), "{error}");
}

#[test]
fn a_change_does_not_go_through_a_link_in_the_tree() {
    let (dir, host) = (base(), base());
    symlink(host.path(), dir.path().join("link")).expect("linked");
    symlink("/tmp", dir.path().join("scratch")).expect("linked");
    symlink("folder", dir.path().join("near")).expect("linked");
    let before = snapshot(host.path());
    for change in [write("link/kept", "x"), remove("link/kept"), write("scratch/x", "x"), write("near/a", "x")] {
        let error = try_changes(dir.path(), vec![change]).expect_err("not run");
        assert!(matches!(&error, IsolationError::Setup { source, .. } if source.raw_os_error() == Some(libc::ENOTDIR)));
    }
    assert_eq!(snapshot(host.path()), before);
}

#[test]
fn a_writable_tree_keeps_what_is_written() {
    let dir = base();
    let finished = run(&probe_job_on(Tree::Writable(dir.path().to_path_buf()), "change tree", ""));
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH), "{}", text(&finished.stderr));
    assert_eq!(fs::read_to_string(dir.path().join("kept")).expect("read"), "changed");
    assert!(!dir.path().join("gone").exists());
}

#[test]
fn a_writable_folder_in_a_copied_tree_keeps_what_is_written_and_the_tree_does_not() {
    let (dir, kept) = (base(), tempfile::tempdir().expect("a folder"));
    let before = snapshot(dir.path());
    let mut job = probe_job_on(copy(dir.path(), Vec::new()), "write file", "/repo/target/deep");
    job.writable.push((kept.path().to_path_buf(), "/repo/target".into()));
    let finished = run(&job);
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH), "{}", text(&finished.stdout));
    assert_eq!(fs::read_to_string(kept.path().join("deep")).expect("read"), "written by the probe");
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn a_place_in_the_tree_that_is_a_link_is_not_mounted_over() {
    let (dir, host, kept) = (base(), base(), tempfile::tempdir().expect("a folder"));
    symlink(host.path(), dir.path().join("target")).expect("linked");
    let before = snapshot(host.path());
    for inside in ["/repo/target", "/repo/target/new"] {
        let mut job = probe_job_on(copy(dir.path(), Vec::new()), "list tree", "");
        job.writable.push((kept.path().to_path_buf(), inside.into()));
        let error = isolation().run(&job, &Cancel::new().expect("a flag"), &mut |_, _| {}).expect_err("not run");
        assert!(matches!(&error, IsolationError::Setup { source, .. } if source.raw_os_error() == Some(libc::ENOTDIR)));
    }
    assert_eq!(snapshot(host.path()), before);
}

#[test]
fn a_read_only_path_can_be_read_and_not_written() {
    let (dir, shown) = (base(), base());
    let path = "/home/kaizen/shown";
    for (probe, file, expected) in [("read file", "kept", 0), ("write file", "kept", 3), ("write file", "new", 3)] {
        let mut job = probe_job_on(copy(dir.path(), Vec::new()), probe, &format!("{path}/{file}"));
        job.read_only.push((shown.path().to_path_buf(), path.into()));
        let finished = run(&job);
        assert_eq!(finished.exit, Exit::Code(expected), "{probe} {file}: {}", text(&finished.stdout));
    }
    assert!(!shown.path().join("new").exists());
}

#[test]
fn odd_names_of_the_base_mean_nothing_to_the_mount() {
    let outer = tempfile::tempdir().expect("a folder");
    let odd = outer.path().join("a:b,upperdir=c\\d e");
    fs::create_dir(&odd).expect("a folder");
    fs::write(odd.join("kept"), "odd").expect("written");
    let finished = try_changes(&odd, Vec::new()).expect("run");
    assert!(text(&finished.stdout).contains("kept: odd\n"), "{}", text(&finished.stdout));
}

#[test]
fn a_base_that_is_a_file_or_not_there_is_refused() {
    let dir = base();
    assert!(matches!(try_changes(&dir.path().join("kept"), Vec::new()), Err(IsolationError::Job(_))));
    let missing = try_changes(&dir.path().join("nowhere"), Vec::new()).expect_err("not run");
    assert!(missing.to_string().contains("nowhere"), "{missing}");
}

#[test]
fn the_mode_of_a_base_file_is_seen_inside() {
    let dir = base();
    let script = dir.path().join("run.sh");
    fs::write(&script, "#!/bin/sh\npwd; echo $HOME$PATH; umask; ls -d /sys /root /opt /run 2>&1 | grep -c 'No such'")
        .expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("made executable");
    let mut job = probe_job_on(copy(dir.path(), Vec::new()), "", "");
    job.program = "/repo/run.sh".into();
    job.cwd = "/repo/folder".into();
    let finished = run(&job);
    let printed = text(&finished.stdout);
    assert!(printed.starts_with("/repo/folder\n") && printed.contains("\n0022\n"), "{printed}");
    assert!(printed.ends_with("\n4\n"), "nothing of these folders is there: {printed}");
}
