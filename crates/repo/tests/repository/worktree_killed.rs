//! Moving a work tree, killed in the middle: the same call finishes it, and nothing is left behind.

use std::path::Path;
use std::process::{Child, Command};

use kaizen_domain::edit::Change;
use kaizen_domain::names::CommitId;
use kaizen_repo::Repo;

use crate::support::{Fixture, branch, change, commit, file, hermetic};

const CHILD: &str = "KAIZEN_REPO_TEST_UPDATER";
const FILES: usize = 150;

#[test]
#[ignore = "run by another test, as a process of its own"]
fn updater() {
    hermetic();
    let Some(places) = std::env::var_os(CHILD) else { return };
    let places = places.into_string().unwrap();
    let [path, from, to] = places.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let repo = Repo::open(path.as_ref()).unwrap();
    repo.update_worktree(path.as_ref(), &branch("main"), &commit(from), &commit(to)).unwrap();
}

/// A repository with many files, and a commit that changes, adds and removes them.
fn many() -> (Fixture, CommitId, CommitId) {
    let fixture = Fixture::empty();
    for number in 0..FILES {
        fixture.write(&format!("old/{number}.txt"), format!("old {number}\n"));
        fixture.write(&format!("same/{number}.txt"), format!("old {number}\n"));
    }
    let from = fixture.commit_all("Many");
    let changes: Vec<Change> = (0..FILES)
        .flat_map(|number| {
            let (old, new) = (file(&format!("old {number}\n")), file(&format!("new {number}\n")));
            [
                change(&format!("new/{number}/a.txt"), None, new.clone()),
                change(&format!("old/{number}.txt"), old.clone(), None),
                change(&format!("same/{number}.txt"), old, new),
            ]
        })
        .collect();
    let to = fixture.change(&from, &changes, "Next");
    (fixture, from, to)
}

fn kill_when(mut child: Child, reached: impl Fn() -> bool) {
    while !reached() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // It may be done already: then there is nothing to finish, and the rest must hold all the same.
    let _ = child.kill();
    child.wait().unwrap();
}

fn holds(folder: &Path, wanted: impl Fn(&str) -> bool) -> bool {
    std::fs::read_dir(folder)
        .is_ok_and(|entries| entries.flatten().any(|entry| wanted(&entry.file_name().to_string_lossy())))
}

#[test]
fn a_move_that_was_killed_anywhere_is_finished_by_the_same_call() {
    type Point = fn(&Path) -> bool;
    let points: [Point; 6] = [
        |top| top.join(".git/index.lock").exists(),
        |top| holds(&top.join("new/0"), |name| name.ends_with(".tmp")),
        |top| holds(&top.join("same"), |name| name.ends_with(".tmp")),
        |top| top.join("new/75/a.txt").exists(),
        |top| !top.join("old/99.txt").exists(),
        |top| std::fs::read(top.join("same/99.txt")).is_ok_and(|text| text.starts_with(b"new")),
    ];
    for point in points {
        let (fixture, from, to) = many();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["worktree_killed::updater", "--exact", "--ignored"])
            .env(CHILD, format!("{}\n{from}\n{to}", fixture.path().display()))
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        kill_when(child, || point(fixture.path()));
        fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
        assert_eq!(fixture.git(["status", "--porcelain", "--ignored"]), "");
        assert_eq!(fixture.head(), to);
        assert_eq!(fixture.git(["write-tree"]), fixture.repo().tree_of(&to).unwrap().as_str());
        assert!(!holds(&fixture.path().join(".git"), |name| name.contains("kaizen") || name.ends_with(".lock")));
        assert!(!fixture.path().join("old").exists());
    }
}

#[test]
fn a_folder_that_was_emptied_but_not_removed_is_removed_by_the_same_call() {
    let (fixture, from, to) = many();
    for number in 0..FILES {
        std::fs::remove_file(fixture.path().join(format!("old/{number}.txt"))).unwrap();
    }
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
    assert!(!fixture.path().join("old").exists());
    assert_eq!(fixture.git(["status", "--porcelain", "--ignored"]), "");
}
