//! Moving a work tree along with its branch, and finishing what was cut off.

use std::os::unix::fs::PermissionsExt;

use kaizen_domain::edit::{FileMode, FileState};
use kaizen_domain::names::CommitId;
use kaizen_repo::RepoError;

use crate::support::{Fixture, branch, change, file, git_in};

/// A commit after HEAD that changes, adds, removes, links and makes executable.
fn next(fixture: &Fixture) -> CommitId {
    let lib = fixture.text("src/lib.rs");
    let state = |mode, text: &str| Some(FileState { mode, bytes: text.as_bytes().to_vec() });
    let changes = [
        change("README.md", file("# X\n"), None),
        change("link", None, state(FileMode::Symlink, "src/lib.rs")),
        change("new/deep/a.rs", None, file("a\r\n")),
        change("run.sh", None, state(FileMode::Executable, "#!/bin/sh\n")),
        change("src/lib.rs", file(&lib), file("pub fn two() {}\n")),
    ];
    fixture.change(&fixture.head(), &changes, "Next")
}

/// That git finds the work tree, the index and the branch all at this commit.
fn assert_at(fixture: &Fixture, commit: &CommitId) {
    assert_eq!(fixture.git(["status", "--porcelain"]), "");
    assert_eq!(fixture.git(["write-tree"]), fixture.repo().tree_of(commit).unwrap().as_str());
    assert_eq!(fixture.head(), *commit);
    assert_eq!(fixture.git(["symbolic-ref", "HEAD"]), "refs/heads/main");
    let left: Vec<_> = std::fs::read_dir(fixture.path().join(".git"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("kaizen") || name.contains("lock"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_clean_work_tree_moves_as_a_fast_forward_would() {
    let fixture = Fixture::new();
    let from = fixture.head();
    let to = next(&fixture);
    fixture.write("mine.txt", "untracked");
    fixture.write(".git/info/exclude", "mine.txt\n");
    let toml = std::fs::metadata(fixture.path().join("Cargo.toml")).unwrap().modified().unwrap();
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
    assert_at(&fixture, &to);
    assert_eq!(fixture.text("new/deep/a.rs"), "a\r\n");
    assert_eq!(fixture.text("mine.txt"), "untracked");
    assert!(!fixture.path().join("README.md").exists());
    assert!(fixture.path().join("link").is_symlink());
    let mode = std::fs::metadata(fixture.path().join("run.sh")).unwrap().permissions().mode();
    assert_ne!(mode & 0o100, 0);
    assert_eq!(std::fs::metadata(fixture.path().join("Cargo.toml")).unwrap().modified().unwrap(), toml);
    let diff = fixture.git(["diff-files", "--name-only"]);
    assert_eq!(diff, "", "the index must know the files without a refresh");
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
    assert_at(&fixture, &to);
}

#[test]
fn the_other_way_removes_folders_that_become_empty() {
    let fixture = Fixture::new();
    let to = next(&fixture);
    fixture.git(["merge", "-q", "--ff-only", to.as_str()]);
    let back = fixture.change(
        &to,
        &fixture.repo().changes(&to, &fixture.git(["rev-parse", "HEAD~1"]).parse().unwrap()).unwrap(),
        "Back",
    );
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &to, &back).unwrap();
    assert_at(&fixture, &back);
    assert!(!fixture.path().join("new").exists());
}

#[test]
fn a_branch_that_moved_without_its_work_tree_is_caught_up_with() {
    let fixture = Fixture::new();
    let from = fixture.head();
    let to = next(&fixture);
    fixture.repo().move_ref(&branch("main"), Some(&from), &to, "x").unwrap();
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
    assert_at(&fixture, &to);
}

#[test]
fn a_linked_work_tree_moves_and_the_main_one_does_not() {
    let fixture = Fixture::new();
    let from = fixture.head();
    let to = next(&fixture);
    let linked = fixture.beside("linked");
    fixture.git(["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    fixture.repo().update_worktree(&linked, &branch("other"), &from, &to).unwrap();
    assert_eq!(git_in(&linked, ["status", "--porcelain"]), "");
    assert_eq!(git_in(&linked, ["rev-parse", "HEAD"]), to.as_str());
    assert_at(&fixture, &from);
    let error = fixture.repo().update_worktree(&linked, &branch("main"), &from, &to).unwrap_err();
    assert!(matches!(error, RepoError::WorkTreeElsewhere { .. }), "{error:?}");
}

#[test]
fn what_was_cut_off_after_any_file_is_finished_by_the_same_call() {
    for done in 0..=5 {
        let fixture = Fixture::new();
        let from = fixture.head();
        let to = next(&fixture);
        let lib = fixture.path().join("src/lib.rs");
        let steps: [&dyn Fn(); 5] = [
            &|| std::fs::remove_file(fixture.path().join("README.md")).unwrap(),
            &|| std::os::unix::fs::symlink("src/lib.rs", fixture.path().join("link")).unwrap(),
            &|| fixture.write("new/deep/a.rs", "a\r\n"),
            &|| {
                fixture.write("run.sh", "#!/bin/sh\n");
                let run = fixture.path().join("run.sh");
                std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o755)).unwrap();
            },
            &|| std::fs::write(&lib, "pub fn two() {}\n").unwrap(),
        ];
        for step in steps.iter().take(done) {
            step();
        }
        fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
        assert_at(&fixture, &to);
    }
}

#[test]
fn what_was_cut_off_between_index_and_ref_is_finished_also_when_the_person_went_on() {
    let fixture = Fixture::new();
    let from = fixture.head();
    let to = next(&fixture);
    fixture.git(["read-tree", "-u", "-m", to.as_str()]);
    fixture.write("Cargo.toml", "edited meanwhile");
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
    assert_eq!(fixture.head(), to);
    assert_eq!(fixture.git(["status", "--porcelain"]), "M Cargo.toml");
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
    assert_eq!(fixture.text("Cargo.toml"), "edited meanwhile");
}

#[test]
fn a_branch_that_will_not_move_takes_the_work_tree_back() {
    let fixture = Fixture::new();
    let from = fixture.head();
    let to = next(&fixture);
    let lock = fixture.path().join(".git/refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    let repo = fixture.repo().with_lock_wait(std::time::Duration::from_millis(50));
    let error = repo.update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap_err();
    assert!(matches!(error, RepoError::RefLocked { .. }), "{error:?}");
    std::fs::remove_file(&lock).unwrap();
    assert_at(&fixture, &from);
    assert!(!fixture.path().join("new").exists());
}

#[test]
fn a_file_that_cannot_be_written_takes_the_others_back() {
    let fixture = Fixture::new();
    let from = fixture.head();
    // No file system takes a name of 255 bytes with the mark of a staged file in its folder's way, so a folder whose
    // name is too long stands for any failure in the middle.
    let long = format!("zz/{}/x", "n".repeat(300));
    let to = fixture.change(&from, &[change("README.md", file("# X\n"), None), change(&long, None, file("x"))], "Long");
    let error = fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap_err();
    assert!(matches!(error, RepoError::Io { .. }), "{error:?}");
    assert_at(&fixture, &from);
    assert!(!fixture.path().join("zz").exists());
}
