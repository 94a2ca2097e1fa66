//! `kaizen revert`: a landed patch is taken back by a commit, wherever it lives now, once.

use crate::cli::shapes;
use crate::cli::support::{Room, times, told};

#[test]
fn a_patch_is_taken_back_on_the_branch_it_landed_on() {
    let room = Room::tiny();
    let ids = room.kaizen(&["run-cycle"]).expect(0).patches("LANDED");
    let landed = room.landed_branch();
    let before = room.rev(&landed);
    let said = room.kaizen(&["revert", &ids[0]]).expect(0);
    assert!(said.out.contains("(not tried: you asked for it)"), "{}", said.out);
    assert_eq!(room.rev(&format!("{landed}~1")), before, "a commit on top, nothing rewritten");
    assert_eq!(room.show(&landed, "src/lib.rs"), shapes::clean_lib().replace("list.is_empty()", "list.len() == 0"));
    let message = room.git(&["log", "-1", "--format=%B", &landed]);
    assert!(
        message.starts_with("Revert \"Clear 1 finding of clippy::len_zero\"\n")
            && message.contains("\nKaizen-Reverts: p"),
        "{message}"
    );
    assert_eq!(room.rev("main"), room.rev(&format!("{landed}~3")));

    let again = room.kaizen(&["revert", &ids[0]]).expect(10);
    again.says(&["holds nothing of patch", "it was taken back already"]);
    room.kaizen(&["status"]).expect(0).says(&["landed 2 · taken back 1"]);
    room.kaizen(&["show", &ids[0]]).expect(0).says(&["undone    taken back by"]);
    room.kaizen(&["show", &ids[1]]).expect(0).says(&["undo      kaizen revert"]);
    let records = room.records();
    assert_eq!((times(&records, "revert_intended"), times(&records, "reverted")), (1, 1));
}

#[test]
fn a_patch_is_taken_back_on_the_branch_it_was_merged_into() {
    let room = Room::tiny();
    let id = room.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0).patch("LANDED");
    let landed = room.landed_branch();
    room.git(&["merge", "-q", &landed]);
    let refused = room.kaizen(&["revert", &id]).expect(10);
    refused.says(&["the branch main is checked out in", "--update-worktree"]);
    room.kaizen(&["revert", &id, "--update-worktree"]).expect(0).says(&["taken back on main"]);
    assert_eq!(room.show("main", "src/lib.rs"), shapes::LIB);
    assert_eq!(std::fs::read_to_string(room.repo.join("src/lib.rs")).expect("the file"), shapes::LIB);
    assert_eq!(room.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_merge_is_taken_back_where_it_landed() {
    let room = Room::tiny();
    room.git(&["checkout", "-q", "--detach"]);
    let ids = room.kaizen(&["run-cycle", "--base", "main", "--landing", "merge"]).expect(0).patches("LANDED");
    for id in ids.iter().rev() {
        room.kaizen(&["revert", id]).expect(0).says(&["taken back on main"]);
    }
    assert_eq!(room.show("main", "src/lib.rs"), shapes::LIB);
    let said = room.kaizen(&["revert", &ids[0], "--json"]).expect(10);
    assert_eq!(said.json()[0]["of"], "error");
}

#[test]
fn later_changes_in_the_way_and_lost_branches_are_said() {
    let room = Room::tiny();
    let id = room.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0).patch("LANDED");
    let landed = room.landed_branch();
    room.git(&["checkout", "-q", &landed]);
    room.write("src/lib.rs", shapes::LIB.replace("list.len() == 0", "list.first().is_none()"));
    room.commit("Change the same line");
    room.git(&["checkout", "-q", "main"]);
    let said = room.kaizen(&["revert", &id]).expect(10);
    told!(room, said.err, @r#"
    error: later changes stand in the way in src/lib.rs
    help: revert it by hand: `git revert <hash>`
    "#);
    for branch in room.own_branches() {
        room.git(&["branch", "-q", "-D", &branch]);
    }
    room.kaizen(&["revert", &id]).expect(10).says(&["no branch holds patch", "git revert"]);
}

#[test]
fn what_never_landed_cannot_be_taken_back() {
    let room = Room::tiny();
    room.kaizen(&["revert", "p123"]).expect(10).says(&["there is no journal yet"]);
    let id = room.kaizen(&["run-cycle", "--dry-run", "--max-opportunities", "1"]).expect(0).patch("ASKED");
    room.kaizen(&["revert", &id]).expect(10).says(&["has not landed"]);
    room.kaizen(&["revert", "pzzzz"]).expect(10).says(&["nothing has an id"]);
}
