//! A machine that runs out of open files or of memory: the error says so, nothing lands that was not judged, and with
//! room the cycle goes on.

use crate::cli::shapes;
use crate::cli::support::{Room, Said, times};

/// Runs the program under a limit of the shell's.
fn limited(room: &Room, limit: &str) -> Said {
    let script = format!("ulimit {limit}; exec '{}' run-cycle", env!("CARGO_BIN_EXE_kaizen"));
    Said::of(room.command("sh").args(["-c", &script]).output().expect("a shell"))
}

/// Whatever became of the limited runs, one without limits finishes the work, once.
fn finishes(room: &Room) {
    room.kaizen(&["run-cycle"]).expect(0);
    room.kaizen(&["log", "--verify"]).expect(0);
    assert_eq!(times(&room.records(), "landed"), 2);
    assert_eq!(room.show(&room.landed_branch(), "src/lib.rs"), shapes::clean_lib());
    room.wait_for_silence(&room.state().display().to_string());
}

#[test]
fn too_few_open_files_are_named_and_with_more_of_them_the_cycle_goes_on() {
    let room = Room::tiny();
    let mut named = 0;
    for files in [10, 14, 16, 18, 20, 24] {
        let said = limited(&room, &format!("-n {files}"));
        assert!(!said.err.contains("panicked"), "{files}: {said:?}");
        if said.code != 0 {
            named += usize::from(said.err.contains("open files"));
            assert!(said.err.contains("error: "), "{files}: {said:?}");
        }
    }
    assert!(named > 0, "none of the limits was met");
    finishes(&room);
}

#[test]
fn too_little_memory_rejects_no_patch_and_with_more_of_it_the_cycle_goes_on() {
    let room = Room::tiny();
    for kib in [200_000, 600_000] {
        let said = limited(&room, &format!("-v {kib}"));
        assert!(!said.err.contains("panicked") && !said.out.contains("could not be analysed"), "{kib}: {said:?}");
    }
    finishes(&room);
}
