//! What a person was asked about and then approves is tried again and lands, once.

use crate::cli::shapes;
use crate::cli::support::{Room, lib_diff};

const UNSAFE: (&str, &str) = ("    return a + b;", "    unsafe { a.unchecked_add(b) }");

#[test]
fn an_approved_patch_lands_once_and_waits_no_more() {
    let room = Room::tiny();
    let asked =
        room.try_diff(&lib_diff(UNSAFE.0, UNSAFE.1), &["--message", "Add without a check"]).expect(3).patch("ASKED");
    room.kaizen(&["status"]).expect(0).says(&[
        "waits for a person",
        &format!("kaizen approve {asked}"),
        "Add without a check",
    ]);
    room.kaizen(&["show", &asked]).expect(0).says(&[
        "ASKED",
        "because   src/lib.rs",
        &format!("decide    kaizen approve {asked}"),
    ]);

    let said =
        room.kaizen(&["approve", &asked]).expect(0).says(&["Add without a check", "approved as", "landed 1 on branch"]);
    let landed = said.patch("LANDED");
    let branch = room.landed_branch();
    assert_eq!(room.show(&branch, "src/lib.rs"), shapes::LIB.replace(UNSAFE.0, UNSAFE.1));

    let status = room.kaizen(&["status"]).expect(0);
    assert!(!status.out.contains("waits for a person"), "{}", status.out);
    room.kaizen(&["show", &asked]).expect(0).says(&[&format!("decided   approved; it landed as {landed}")]);
    let again = room.kaizen(&["approve", &asked]).expect(10);
    again.says(&["was approved already", &format!("kaizen revert {landed}")]);
}

#[test]
fn approval_does_not_overrule_a_test_that_breaks_meanwhile() {
    let room = Room::tiny();
    let asked = room.try_diff(&lib_diff(UNSAFE.0, UNSAFE.1), &[]).expect(3).patch("ASKED");
    // A new test on the branch catches what the patch does.
    let test = "    #[test]\n    fn adds() {\n        assert!(!include_str!(\"lib.rs\").contains(concat!(\"un\", \"checked_add\")));\n";
    room.write("src/lib.rs", shapes::LIB.replace("    #[test]\n    fn adds() {\n", test));
    room.commit("Watch out");
    room.kaizen(&["approve", &asked]).expect(4).says(&["would fail"]);
}

#[test]
fn a_branch_that_was_merged_or_deleted_by_hand_waits_no_more() {
    let room = Room::tiny();
    let waits = || room.kaizen(&["status", "--json"]).expect(0).json()[0]["waiting"].as_array().map_or(0, Vec::len);
    room.try_diff(&lib_diff(UNSAFE.0, UNSAFE.1), &[]).expect(3);
    room.try_diff(&lib_diff("//! Sums.", "//! Sums.\n#![allow(clippy::all)]"), &[]);
    let branches = room.own_branches();
    assert_eq!(waits(), branches.len());
    room.git(&["merge", "-q", &branches[0]]);
    assert_eq!(waits(), branches.len() - 1);
    for branch in &branches {
        room.git(&["branch", "-q", "-D", branch]);
    }
    assert_eq!(waits(), 0);
}

#[test]
fn only_a_patch_that_waits_can_be_approved() {
    let room = Room::tiny();
    room.kaizen(&["approve", "p123"]).expect(10).says(&["there is no journal yet"]);
    let said = room.try_diff(&lib_diff("    return a + b;", "    a + b"), &[]).expect(0);
    let landed = said.patch("LANDED");
    room.kaizen(&["approve", &landed]).expect(10).says(&["does not wait for a person: it is LANDED"]);
    let cycle = room.landed_branch().split('/').nth(1).unwrap_or_default().to_owned();
    room.kaizen(&["approve", &cycle]).expect(10).says(&["no patch has an id", "one cycle has"]);
    let other = Room::tiny();
    let state = room.state().display().to_string();
    other.kaizen(&["--state-dir", &state, "approve", &landed]).expect(10).says(&["is of another repository"]);
}
