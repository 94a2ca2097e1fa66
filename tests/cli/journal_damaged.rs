//! A damaged journal: nothing is written to it, the error names the file and the way out, and what landed is found
//! again in the commits.

use crate::cli::support::{Room, Said, lib_diff, told};

/// Turns every byte of the second page of the journal over.
fn damage(room: &Room) {
    let path = room.state().join("journal.sqlite");
    let mut bytes = std::fs::read(&path).expect("a journal");
    for byte in bytes.iter_mut().skip(4096).take(1024) {
        *byte ^= 0xff;
    }
    std::fs::write(&path, bytes).expect("it is written");
}

/// A room in which a cycle has landed, a patch was asked about, and then the journal was damaged.
fn damaged() -> (Room, Said, Said) {
    let room = Room::tiny();
    let landed = room.kaizen(&["run-cycle"]).expect(0);
    let asked = room.try_diff(&lib_diff("    return a + b;", "    unsafe { a.unchecked_add(b) }"), &[]).expect(3);
    damage(&room);
    (room, landed, asked)
}

#[test]
fn a_byte_that_means_nothing_is_told_when_it_changes_and_stops_no_work() {
    let room = Room::tiny();
    room.kaizen(&["run-cycle"]).expect(0);
    room.kaizen(&["log", "--verify"]).expect(0);
    let path = room.state().join("journal.sqlite");
    let mut bytes = std::fs::read(&path).expect("a journal");
    let unused = bytes.windows(64).position(|room| room.iter().all(|byte| *byte == 0)).expect("room in a page");
    bytes[unused + 32] = 1;
    std::fs::write(&path, bytes).expect("it is written");
    let said = room.kaizen(&["log", "--verify"]).expect(1);
    told!(room, said.err, @r"
    error: <room>/state/journal.sqlite was changed, but not by kaizen: bytes that no record uses are different, while every record is whole
    help: look at the disk and at who can write there, or delete journal.seal beside it if you put the file there yourself
    ");
    room.kaizen(&["doctor"]).expect(1).says(&["bytes that no record uses are different", "journal.seal"]);
    room.kaizen(&["doctor", "--rebuild-journal"]).expect(1).says(&["every record is whole"]);
    room.kaizen(&["run-cycle"]).expect(0);
    room.kaizen(&["log", "--verify"]).expect(0);
}

#[test]
fn a_damaged_journal_stops_everything_and_can_be_begun_anew() {
    let (room, landed, asked) = damaged();
    let refs = room.refs();
    let bytes = std::fs::read(room.state().join("journal.sqlite")).expect("a journal");
    for command in
        [&["run-cycle"][..], &["status"], &["log"], &["log", "--verify"], &["show", "c123"], &["revert", "p123"]]
    {
        let said = room.kaizen(command).expect(1);
        said.says(&[
            "state/journal.sqlite is damaged",
            "help: nothing was written, run `kaizen doctor --rebuild-journal`",
        ]);
    }
    room.kaizen(&["doctor"]).expect(1).says(&["journal.sqlite is damaged", "kaizen doctor --rebuild-journal"]);
    assert_eq!(room.refs(), refs);
    assert_eq!(std::fs::read(room.state().join("journal.sqlite")).expect("a journal"), bytes);

    let said = room.kaizen(&["doctor", "--rebuild-journal"]).expect(0);
    told!(room, said.out, @"the old journal is in <room>/state/journal.damaged-1; 2 landed patches found in the commits");
    assert!(room.state().join("journal.damaged-1").is_dir(), "the old files are kept");
    room.kaizen(&["log", "--verify"]).expect(0).says(&["1 records"]);

    // What landed is known by its commit; what a person was only asked about has not landed.
    let rebuilt = room.records();
    let found = rebuilt[0]["event"]["landed"].as_array().expect("a list").clone();
    let mut ids: Vec<String> = found.iter().map(|pair| pair[0].as_str().unwrap_or_default()[..6].to_owned()).collect();
    let mut expected = landed.patches("LANDED");
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected);
    let known = &landed.patches("LANDED")[0];
    for command in ["show", "diff", "revert"] {
        room.kaizen(&[command, known]).expect(10).says(&["all that is known is its commit", "git revert"]);
    }
    room.kaizen(&["show", &asked.patch("ASKED")]).expect(10).says(&["nothing has an id"]);
    // And work goes on.
    room.kaizen(&["run-cycle", "--dry-run"]).expect(0).says(&["dry run"]);
    room.kaizen(&["doctor", "--rebuild-journal"]).expect(10).says(&["is in order", "needs no rebuilding"]);
}

#[test]
fn a_journal_that_is_no_database_or_is_gone_is_noticed() {
    let room = Room::tiny();
    room.kaizen(&["run-cycle", "--max-opportunities", "1"]).expect(0);
    let path = room.state().join("journal.sqlite");
    let kept = std::fs::read(&path).expect("a journal");
    std::fs::write(&path, "this is no database").expect("it is written");
    room.kaizen(&["run-cycle"]).expect(1).says(&["journal.sqlite is damaged"]);
    std::fs::remove_file(&path).expect("gone");
    room.kaizen(&["run-cycle"]).expect(1).says(&["is not the newest journal", "put the newest files back"]);
    // An older copy is no journal either: it would forget what has landed since.
    std::fs::write(&path, &kept).expect("it is written");
    room.kaizen(&["run-cycle", "--max-opportunities", "1"]).expect(0);
    std::fs::write(&path, &kept).expect("it is written");
    room.kaizen(&["run-cycle"]).expect(1).says(&["is not the newest journal"]);
    room.kaizen(&["doctor", "--rebuild-journal", "--json"]).expect(0).says(&["\"of\":\"rebuilt\""]);
    room.kaizen(&["log", "--verify", "--json"]).expect(0).says(&["\"of\":\"verified\""]);
}

#[test]
fn a_record_that_was_changed_by_hand_breaks_the_chain() {
    let room = Room::tiny();
    room.kaizen(&["run-cycle", "--max-opportunities", "1"]).expect(0);
    let path = room.state().join("journal.sqlite");
    let mut bytes = std::fs::read(&path).expect("a journal");
    // Every place where the landed branch's word stands, in records and in what is made from them.
    let word = b"\"did\":\"landed\"";
    let places: Vec<usize> =
        bytes.windows(word.len()).enumerate().filter(|(_, window)| window == word).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 7] = b'L';
    }
    std::fs::write(&path, bytes).expect("it is written");
    room.kaizen(&["log", "--verify"]).expect(1).says(&["is damaged"]);
    room.kaizen(&["run-cycle"]).expect(1).says(&["--rebuild-journal"]);
}
