//! What does not end is ended: a patch that makes a test run for ever, a base that does so by itself, and children that
//! try to stay behind.

use crate::cli::shapes;
use crate::cli::support::{Room, diff_of, replaced};

/// A package name that no other process has on its command line.
fn unique(room: &Room) -> String {
    let dir = room.repo.parent().and_then(|dir| dir.file_name()).map(|name| name.to_string_lossy().into_owned());
    format!("tiny_{}", dir.unwrap_or_default().to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_"))
}

/// A room with the small crate under a name of its own, and settings with a short limit.
fn hurried() -> (Room, String) {
    let room = Room::empty();
    let name = unique(&room);
    room.git(&["init", "-q", "-b", "main"]);
    room.write("Cargo.toml", replaced(shapes::MANIFEST, "tiny", &name));
    room.write("src/lib.rs", shapes::LIB);
    room.write("kaizen.toml", "[trial]\nwall_secs = 5\n");
    room.commit("Begin");
    (room, name)
}

#[test]
fn a_test_that_never_ends_is_refused_and_no_process_stays() {
    let (room, name) = hurried();
    // It starts a child that leaves its process group, and one that keeps the output open.
    let body = "let _ = std::process::Command::new(\"setsid\").args([\"sleep\", \"600\"]).spawn();\n        let _ = std::process::Command::new(\"sleep\").arg(\"600\").spawn();\n        loop {\n            std::thread::park();\n        }";
    let diff = diff_of(
        "src/lib.rs",
        shapes::LIB,
        &replaced(shapes::LIB, "assert_eq!(add(1, 2), 3);", &format!("assert_eq!(add(1, 2), 3);\n        {body}")),
    );
    let before = room.refs();
    let said = room.try_diff(&diff, &[]).expect(4);
    said.says(&["REJECTED", "limit of wall time 5 s"]);
    assert_eq!(room.refs(), before);
    room.wait_for_silence(&name);
}

#[test]
fn a_base_with_a_test_that_never_ends_is_an_error_that_names_the_limit() {
    let (room, name) = hurried();
    room.write("src/lib.rs", replaced(shapes::LIB, "assert_eq!(add(1, 2), 3);", "loop {}"));
    room.commit("Loop");
    let said = room.kaizen(&["run-cycle"]).expect(11);
    said.says(&[
        "error: the tests of the base ran into the limit of wall time 5 s",
        "help: raise the limit under [trial]",
    ]);
    assert!(room.own_branches().is_empty());
    room.wait_for_silence(&name);
    room.kaizen(&["status"]).expect(0).says(&["failed     the tests of the base"]);
}
