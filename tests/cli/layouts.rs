//! The ways in which a project lies in a repository: a workspace, a subfolder, without a lock file, in an old edition.

use crate::cli::shapes;
use crate::cli::support::{Room, replaced};

/// What `clean_lib` is for a source that was not cleaned by hand: the landed file has no finding left.
fn landed_lib(room: &Room, path: &str) {
    let landed = room.landed_branch();
    assert_eq!(room.show(&landed, path), shapes::clean_lib(), "{path}");
}

#[test]
fn a_workspace_with_path_dependencies_is_worked_on_as_a_whole() {
    let uses = "\n/// Adds with the other crate.\npub fn add_there(a: i32) -> i32 {\n    one::add(a, a)\n}\n";
    let (before_tests, tests) = shapes::LIB.split_once("\n#[cfg(test)]").expect("tests");
    let two = format!("{before_tests}{uses}\n#[cfg(test)]{tests}");
    let room = Room::with(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"2\"\n"),
        ("one/Cargo.toml", &shapes::manifest("one", "2021", "")),
        ("one/src/lib.rs", shapes::LIB),
        ("two/Cargo.toml", &shapes::manifest("two", "2021", "one = { path = \"../one\" }\n")),
        ("two/src/lib.rs", &two),
    ]);
    // Named from within a member, it is the workspace all the same.
    let said = room.kaizen(&["run-cycle", "--repo", "two/src"]).expect(0);
    said.says(&["builds, 4 tests pass", "signals   4: 4 clippy", "Clear 2 findings of clippy::len_zero", "landed 2"]);
    landed_lib(&room, "one/src/lib.rs");
    let landed = room.landed_branch();
    assert!(
        room.show(&landed, "two/src/lib.rs").contains("one::add(a, a)"),
        "the path dependency is used, so it stays"
    );
    assert!(room.show(&landed, "two/Cargo.toml").contains("../one"));
}

#[test]
fn a_project_in_a_subfolder_is_found_by_its_path_and_nothing_else_is_touched() {
    let room = Room::with(&[
        ("README.md", "two projects\n"),
        ("sub/Cargo.toml", shapes::MANIFEST),
        ("sub/Cargo.lock", shapes::LOCK),
        ("sub/src/lib.rs", shapes::LIB),
        ("other/Cargo.toml", &shapes::manifest("other", "2021", "")),
        ("other/src/lib.rs", shapes::LIB),
    ]);
    room.kaizen(&["run-cycle"]).expect(10).says(&["it has no Cargo.toml here", "with `--repo`: other, sub"]);
    room.kaizen(&["run-cycle", "--repo", "sub"]).expect(0).says(&["work/sub @", "landed 2"]);
    landed_lib(&room, "sub/src/lib.rs");
    let landed = room.landed_branch();
    assert_eq!(room.git(&["diff", "--name-only", "main", &landed]), "sub/src/lib.rs\n");
}

#[test]
fn without_a_lock_file_in_the_repository_none_is_committed() {
    let room = Room::with(&[("Cargo.toml", shapes::MANIFEST), ("src/lib.rs", shapes::LIB)]);
    // One lies about, as cargo leaves it, and is not known to git.
    room.write("Cargo.lock", shapes::LOCK);
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 2"]);
    let landed = room.landed_branch();
    assert_eq!(room.git(&["ls-tree", "-r", "--name-only", &landed]), "Cargo.toml\nsrc/lib.rs\n");
    assert_eq!(std::fs::read_to_string(room.repo.join("Cargo.lock")).expect("still there"), shapes::LOCK);
}

#[test]
fn an_unused_dependency_goes_without_a_lock_file_too() {
    let (manifest, _) = shapes::with_unused_dependency();
    let aid = shapes::manifest("aid", "2021", "");
    let room = Room::with(&[
        ("Cargo.toml", &manifest),
        ("src/lib.rs", shapes::LIB),
        ("aid/Cargo.toml", &aid),
        ("aid/src/lib.rs", "//! Aid.\n"),
    ]);
    room.kaizen(&["run-cycle", "--only", "dependency"]).expect(0).says(&["Drop unused dependency aid", "-3 +0"]);
    let landed = room.landed_branch();
    assert_eq!(room.git(&["diff", "--name-only", "main", &landed]), "Cargo.toml\n");
}

#[test]
fn a_crate_of_the_edition_of_2015_is_worked_on() {
    let manifest = replaced(shapes::MANIFEST, "edition = \"2021\"\n", "");
    let room = Room::with(&[("Cargo.toml", &manifest), ("src/lib.rs", shapes::LIB)]);
    room.kaizen(&["run-cycle"]).expect(0).says(&["builds, 2 tests pass", "landed 2"]);
    landed_lib(&room, "src/lib.rs");
}

#[test]
fn a_linked_work_tree_is_the_same_repository() {
    let room = Room::tiny();
    let linked = room.at("linked");
    room.git(&["worktree", "add", "-q", "-b", "side", &linked.display().to_string()]);
    room.kaizen(&["run-cycle", "--repo", &linked.display().to_string()]).expect(0).says(&["(side)", "landed 2"]);
    room.kaizen(&["status"]).expect(0).says(&["finished   landed 2"]);
}

#[test]
fn names_and_contents_that_are_no_text_do_not_stand_in_the_way() {
    let room = Room::tiny();
    let odd = std::ffi::OsString::from(String::from("b"));
    let odd = {
        use std::os::unix::ffi::OsStringExt as _;
        let mut bytes = odd.into_vec();
        bytes.extend([0xff, b'.', b'r', b's']);
        std::ffi::OsString::from_vec(bytes)
    };
    std::fs::write(room.repo.join(&odd), [0xfe, 0xff, 0]).expect("a file with an odd name");
    room.write("latin.rs", [b'/', b'/', 0xe9, b'\n']);
    room.write("dos.rs", "fn a() {}\r\nfn b() {}\r\n");
    room.write("big.bin", vec![7_u8; 1 << 20]);
    room.commit("Odd files");
    let trees = |rev: &str| {
        room.git(&["ls-tree", "-r", rev])
            .lines()
            .filter(|line| !line.ends_with("src/lib.rs"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 2"]);
    let landed = room.landed_branch();
    assert_eq!(trees(&landed), trees("main"));
}
