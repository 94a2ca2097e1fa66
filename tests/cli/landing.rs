//! Landing on a person's own branch: by compare-and-swap, never under a work tree that is not meant to move.

use std::path::Path;

use crate::cli::shapes;
use crate::cli::support::Room;

#[test]
fn a_merge_moves_a_branch_that_is_not_checked_out() {
    let room = Room::tiny();
    room.git(&["branch", "target"]);
    let before = room.rev("main");
    let said = room.kaizen(&["run-cycle", "--base", "target", "--landing", "merge"]).expect(0);
    said.says(&["landed 2 on target", "undo      kaizen revert"]);
    assert_eq!(room.rev("main"), before);
    assert_eq!(room.subjects("main", "target").len(), 2);
    assert_eq!(room.rev("target~2"), before, "it was a fast-forward");
    assert_eq!(room.show("target", "src/lib.rs"), shapes::clean_lib());
    assert_eq!(room.git(&["status", "--porcelain"]), "");
    assert!(room.own_branches().is_empty(), "nothing but the branch itself moved");
}

#[test]
fn a_merge_into_a_branch_that_is_checked_out_is_refused_by_naming_the_work_tree() {
    let room = Room::tiny();
    let refs = room.refs();
    let said = room.kaizen(&["run-cycle", "--landing", "merge"]).expect(10);
    let real = room.repo.canonicalize().expect("it is there");
    said.says(&[
        &format!("the branch main is checked out in {}\n", real.display()),
        "--update-worktree",
        "--landing branch",
    ]);
    assert_eq!(room.refs(), refs);
    assert!(room.records().is_empty(), "it was refused before anything was done");
}

#[test]
fn a_clean_work_tree_moves_along_when_asked_to_with_files_index_and_branch() {
    let room = Room::tiny();
    let said = room.kaizen(&["run-cycle", "--landing", "merge", "--update-worktree"]).expect(0);
    said.says(&["landed 2 on main"]);
    assert_eq!(std::fs::read_to_string(room.repo.join("src/lib.rs")).expect("the file"), shapes::clean_lib());
    assert_eq!(room.git(&["status", "--porcelain"]), "", "files, index and branch agree");
    assert_eq!(room.git(&["symbolic-ref", "HEAD"]).trim(), "refs/heads/main");
    assert_eq!(room.show("main", "src/lib.rs"), shapes::clean_lib());
    room.git(&["fsck", "--strict"]);
}

#[test]
fn a_work_tree_with_changes_does_not_move() {
    let room = Room::tiny();
    for (file, text) in [("src/lib.rs", "mine\n"), ("new.txt", "mine too\n")] {
        room.git(&["checkout", "-q", "."]);
        room.write(file, text);
        let before = room.rev("main");
        let said = room.kaizen(&["run-cycle", "--landing", "merge", "--update-worktree"]).expect(10);
        said.says(&["is not clean", "commit or stash"]);
        assert_eq!(room.rev("main"), before);
        assert_eq!(std::fs::read_to_string(room.repo.join(file)).expect("the file"), text);
    }
}

#[test]
fn only_the_work_tree_that_has_the_branch_counts() {
    let room = Room::tiny();
    let linked = room.at("linked");
    room.git(&["worktree", "add", "-q", "-b", "side", &linked.display().to_string()]);
    let run = |args: &[&str]| room.kaizen(&[&["run-cycle", "--base", "side", "--landing", "merge"], args].concat());
    run(&[]).expect(10).says(&["side is checked out in", "linked"]);
    // A change here is no reason, one there is.
    room.write("src/lib.rs", "mine\n");
    std::fs::write(linked.join("new.txt"), "mine").expect("a file");
    run(&["--update-worktree"]).expect(10).says(&["linked is not clean"]);
    std::fs::remove_file(linked.join("new.txt")).expect("gone");
    run(&["--update-worktree"]).expect(0).says(&["landed 2 on side"]);
    let text = |dir: &Path| std::fs::read_to_string(dir.join("src/lib.rs")).expect("the file");
    assert_eq!((text(&linked).as_str(), text(&room.repo).as_str()), (shapes::clean_lib().as_str(), "mine\n"));
    assert_eq!(room.git_in(&linked, &["status", "--porcelain"]), "");
}

#[test]
fn the_settings_of_the_repository_can_ask_for_a_merge_and_the_command_line_wins() {
    let room = Room::tiny();
    room.write("kaizen.toml", "[landing]\nmode = \"merge\"\n");
    room.commit("Configure");
    room.kaizen(&["run-cycle"]).expect(10).says(&["the branch main is checked out"]);
    room.kaizen(&["run-cycle", "--landing", "branch", "--max-landings", "1"]).expect(0).says(&["landed 1 on branch"]);
}

#[test]
fn a_locked_ref_is_waited_for_and_then_reported_and_its_lock_left_alone() {
    let room = Room::tiny();
    room.git(&["branch", "target"]);
    let lock = room.repo.join(".git/refs/heads/target.lock");
    std::fs::write(&lock, "").expect("a lock");
    // The lock of the index stands in nobody's way: no index is touched.
    std::fs::write(room.repo.join(".git/index.lock"), "").expect("a lock");
    let before = room.rev("target");
    let said =
        room.kaizen(&["run-cycle", "--base", "target", "--landing", "merge", "--max-opportunities", "1"]).expect(0);
    said.says(&["landed 0", "rejected 1", "target.lock"]);
    assert!(lock.exists(), "somebody else's lock is left alone");
    assert_eq!(room.rev("target"), before);
    std::fs::remove_file(&lock).expect("gone");
    room.kaizen(&["run-cycle", "--base", "target", "--landing", "merge"]).expect(0).says(&["on target"]);
}
