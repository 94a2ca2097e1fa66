//! Two programs on one repository: the second one stands back and says who is at work.

use crate::cli::support::{Room, is, lib_diff};

#[test]
fn a_second_program_on_the_same_repository_stands_back() {
    let room = Room::tiny();
    let mut first = room.start(&["run-cycle"]);
    first.until(|record| is(record, "started")).expect("it starts");
    let pid = first.child.id().to_string();

    let second = room.kaizen(&["run-cycle"]).expect(13);
    second
        .says(&[&format!("another kaizen, process {pid}, has worked on this repository for"), "wait until it is done"]);
    room.try_diff(&lib_diff("    return a + b;", "    a + b"), &[]).expect(13);
    room.kaizen(&["run-cycle", "--json"]).expect(13).says(&["\"exit\":13"]);
    // Looking is always possible.
    room.kaizen(&["status"]).expect(0).says(&[&format!("process {pid} works on it"), "running"]);
    room.kaizen(&["log"]).expect(0);
    // Nor can the journal be taken away from it.
    room.kaizen(&["doctor", "--rebuild-journal"]).expect(10).says(&["is in order"]);

    let (code, _) = first.end();
    assert_eq!(code, 0);
    room.kaizen(&["status"]).expect(0).says(&["nothing runs", "finished   landed 2"]);
    room.kaizen(&["log", "--verify"]).expect(0);
}

#[test]
fn two_repositories_share_a_state_directory_in_peace() {
    let (one, other) = (Room::tiny(), Room::tiny());
    let state = one.state().display().to_string();
    let mut first = one.start(&["run-cycle"]);
    first.until(|record| is(record, "started")).expect("it starts");
    other.kaizen(&["--state-dir", &state, "run-cycle"]).expect(0).says(&["landed 2"]);
    assert_eq!(first.end().0, 0);
    one.kaizen(&["log", "--verify"]).expect(0);
    let status = |room: &Room| {
        room.kaizen(&["--state-dir", &state, "status", "--json"]).expect(0).json()[0]["cycles"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!((status(&one), status(&other)), (1, 1));
}

#[test]
fn eight_at_once_run_one_cycle_after_the_other_or_stand_back() {
    let room = Room::tiny();
    let runs: Vec<_> = (0..8).map(|_| room.start(&["run-cycle"])).collect();
    let codes: Vec<i32> = runs.into_iter().map(|run| run.end().0).collect();
    assert!(codes.iter().all(|code| [0, 13].contains(code)), "{codes:?}");
    assert!(codes.contains(&0), "{codes:?}");
    let finished = room.records().iter().filter(|record| is(record, "finished")).count();
    assert_eq!(finished, codes.iter().filter(|code| **code == 0).count());
    room.kaizen(&["log", "--verify"]).expect(0);
}
