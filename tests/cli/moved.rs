//! A person works on while a cycle runs: commits, deletes, rewrites. Nothing of theirs is lost, and what lands was
//! tried on the very commit it lands on.

use crate::cli::shapes;
use crate::cli::support::{Room, is, replaced, times};

const ARGS: [&str; 5] = ["run-cycle", "--base", "target", "--landing", "merge"];

/// A room with a branch that is not checked out, and another work tree that has it checked out without its index ever
/// being asked for by the program: commits are made with plumbing.
fn room() -> Room {
    let room = Room::tiny();
    room.git(&["branch", "target"]);
    room
}

/// Commits a file onto a branch without a work tree.
fn commit_onto(room: &Room, branch: &str, path: &str, text: &str, message: &str) -> String {
    let blob = room.beside("blob", text);
    let id = room.git(&["hash-object", "-w", &blob]).trim().to_owned();
    let index = room.at("index").display().to_string();
    let _ = std::fs::remove_file(&index);
    let git = |args: &[&str]| {
        let output = room.command("git").env("GIT_INDEX_FILE", &index).args(args).output().expect("git runs");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    git(&["read-tree", branch]);
    git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{path}")]);
    let tree = git(&["write-tree"]);
    let commit = git(&["commit-tree", &tree, "-p", branch, "-m", message]);
    git(&["update-ref", &format!("refs/heads/{branch}"), &commit]);
    commit
}

#[test]
fn a_branch_that_moved_meanwhile_gets_what_was_tried_on_its_new_tip() {
    let room = room();
    let mut run = room.start(&ARGS);
    run.until(|record| is(record, "trial_started")).expect("it gets there");
    let moved = commit_onto(&room, "target", "README.md", "news\n", "Write a readme");
    let (code, rest) = run.end();
    assert_eq!(code, 0);
    assert_eq!((times(&rest, "base_moved"), times(&rest, "tip_moved")), (1, 1));
    assert_eq!(times(&rest, "base_tried"), 1, "the new tip was tried itself");
    assert_eq!(times(&rest, "landed"), 2);
    // The person's commit is in the history, and every landing stands on the commit that it was tried on.
    assert_eq!(room.subjects("main", "target").first().map(String::as_str), Some("Write a readme"));
    assert_eq!(room.rev("target~2"), moved);
    assert_eq!(room.show("target", "README.md"), "news\n");
    assert_eq!(room.show("target", "src/lib.rs"), shapes::clean_lib());
    room.kaizen(&["log"]).expect(0).says(&["base moved: target moved to", "the branch moved to"]);
}

#[test]
fn what_no_longer_fits_after_the_branch_moved_is_not_forced() {
    let room = room();
    let mut run = room.start(&ARGS);
    run.until(|record| is(record, "trial_started")).expect("it gets there");
    // The same place, done by hand in another way.
    let text = replaced(shapes::LIB, "list.len() == 0", "matches!(list, [])");
    commit_onto(&room, "target", "src/lib.rs", &text, "Do it by hand");
    let (code, rest) = run.end();
    assert_eq!(code, 0);
    assert_eq!(times(&rest, "tip_moved"), 1);
    let now = room.show("target", "src/lib.rs");
    assert!(now.contains("matches!(list, [])"), "{now}");
    assert_eq!(room.subjects("main", "target").first().map(String::as_str), Some("Do it by hand"));
}

#[test]
fn a_branch_that_was_deleted_stays_deleted() {
    let room = room();
    let mut run = room.start(&ARGS);
    run.until(|record| is(record, "trial_started")).expect("it gets there");
    room.git(&["update-ref", "-d", "refs/heads/target"]);
    let (code, rest) = run.end();
    assert_eq!(code, 0);
    assert_eq!(times(&rest, "landed"), 0);
    assert_eq!(room.refs().keys().collect::<Vec<_>>(), ["refs/heads/main"]);
    let reasons: Vec<_> = rest
        .iter()
        .filter(|record| is(record, "landing_failed"))
        .map(|record| record["event"]["reason"].to_string())
        .collect();
    assert!(
        !reasons.is_empty() && reasons.iter().all(|reason| reason.contains("was deleted meanwhile; it stays deleted")),
        "{reasons:?}"
    );
}

#[test]
fn a_branch_that_was_rewritten_keeps_what_its_owner_made_of_it() {
    let room = room();
    let mut run = room.start(&ARGS);
    run.until(|record| is(record, "trial_started")).expect("it gets there");
    // Another root: nothing of the old history is left.
    room.git(&["checkout", "-q", "--orphan", "fresh"]);
    room.write("src/lib.rs", replaced(shapes::LIB, "//! Sums.", "//! Sums, written anew."));
    let fresh = room.commit("Begin again");
    room.git(&["update-ref", "refs/heads/target", &fresh]);
    let (code, _) = run.end();
    assert_eq!(code, 0);
    assert_eq!(room.git(&["merge-base", "--is-ancestor", &fresh, "target"]), "");
    assert!(room.show("target", "src/lib.rs").contains("written anew"));
    let unrelated = room.git_may_fail(&room.repo, &["merge-base", "main", "target"]);
    assert!(!unrelated.status.success(), "the old history did not come back");
}

#[test]
fn a_branch_that_is_checked_out_meanwhile_does_not_move() {
    let room = room();
    let mut run = room.start(&ARGS);
    run.until(|record| is(record, "trial_started")).expect("it gets there");
    room.git(&["checkout", "-q", "target"]);
    let before = room.rev("target");
    let (code, rest) = run.end();
    assert_eq!((code, times(&rest, "landed")), (0, 0));
    assert_eq!(room.rev("target"), before);
    assert_eq!(room.git(&["status", "--porcelain"]), "");
}

#[test]
fn commits_of_a_person_do_not_disturb_a_landing_on_branches() {
    let room = Room::tiny();
    let mut run = room.start(&["run-cycle"]);
    run.until(|record| is(record, "trial_started")).expect("it gets there");
    room.write("README.md", "news\n");
    let mine = room.commit("Write a readme");
    assert_eq!(run.end().0, 0);
    assert_eq!(room.rev("main"), mine);
    assert_eq!(room.subjects("main~1", &room.landed_branch()).len(), 2);
}
