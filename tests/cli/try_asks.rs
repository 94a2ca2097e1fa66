//! `kaizen try` with a patch that only a person may let through: exit code 3, a branch to look at, and nothing landed.

use crate::cli::shapes;
use crate::cli::support::{Room, Said, diff_of, lib_diff, new_file};

/// Judges a diff that must end with a question for this reason.
#[track_caller]
fn asked(room: &Room, diff: &str, reason: &str) -> Said {
    let said = room.try_diff(diff, &[]).expect(3).says(&[
        reason,
        "ASKED",
        "look      git show kaizen/",
        "decide    kaizen approve p",
    ]);
    let branches = room.own_branches();
    assert!(branches.iter().all(|name| !name.ends_with("/landed")), "nothing landed: {branches:?}");
    said
}

#[test]
fn tests_that_ask_less_than_before_ask_a_person() {
    let room = Room::tiny();
    asked(
        &room,
        &lib_diff("    #[test]\n    fn adds", "    #[test]\n    #[ignore]\n    fn adds"),
        "`tests::adds` is ignored now",
    );
    asked(
        &room,
        &lib_diff("        assert!(empty(&[]));\n", "        let _ = empty(&[]);\n"),
        "has fewer assertions (0 instead of 1)",
    );
    asked(&room, &lib_diff("assert_eq!(add(1, 2), 3);", "assert_eq!(3, 3);"), "no longer asserts");
    let adds = "    #[test]\n    fn adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n\n";
    asked(&room, &lib_diff(adds, ""), "removes the test `tests::adds`");
    asked(&room, &lib_diff("#[cfg(test)]\nmod tests", "#[cfg(any())]\nmod tests"), "tests-weakened");
}

#[test]
fn a_deleted_test_file_asks_a_person() {
    let files = "//! Adds from outside.\n\n#[test]\nfn adds() {\n    assert_eq!(tiny::add(2, 2), 4);\n}\n";
    let room =
        Room::with(&[("Cargo.toml", shapes::MANIFEST), ("src/lib.rs", shapes::LIB), ("tests/outside.rs", files)]);
    let lines = files.lines().count();
    let gone: String = files.lines().map(|line| format!("-{line}\n")).collect();
    let diff = format!(
        "diff --git a/tests/outside.rs b/tests/outside.rs\ndeleted file mode 100644\n--- a/tests/outside.rs\n+++ /dev/null\n@@ -1,{lines} +0,0 @@\n{gone}"
    );
    asked(&room, &diff, "tests/outside.rs");
}

#[test]
fn unsafe_code_asks_a_person() {
    let room = Room::tiny();
    asked(&room, &lib_diff("    return a + b;", "    unsafe { a.unchecked_add(b) }"), "unsafe code in `add`");
}

#[test]
fn a_new_dependency_asks_a_person_or_is_refused_where_it_cannot_be_had() {
    let room = Room::with(&[
        ("Cargo.toml", shapes::MANIFEST),
        ("src/lib.rs", shapes::LIB),
        ("aid/Cargo.toml", &shapes::manifest("aid", "2021", "")),
        ("aid/src/lib.rs", "//! Aid.\n"),
    ]);
    let with = |dependency: &str| {
        diff_of("Cargo.toml", shapes::MANIFEST, &format!("{}\n[dependencies]\n{dependency}\n", shapes::MANIFEST))
    };
    asked(&room, &with("aid = { path = \"aid\" }"), "adds the dependency `aid`");
    // A name that a model made up, and places that are no registry.
    room.try_diff(&with("reqwest-async-json-nowhere = \"1\""), &[]).expect(4).says(&["REJECTED"]);
    room.try_diff(&with("aid = { git = \"https://example.org/aid\" }"), &[]).expect(4).says(&["from a git repository"]);
    let patched = format!("{}\n[patch.crates-io]\naid = {{ path = \"aid\" }}\n", shapes::MANIFEST);
    let said = room.try_diff(&diff_of("Cargo.toml", shapes::MANIFEST, &patched), &[]);
    assert!(said.code == 3 || said.code == 4, "{}", said.out);
}

#[test]
fn what_steers_the_judge_asks_a_person() {
    let room = Room::tiny();
    for (path, text) in [
        ("build.rs", "fn main() {}\n"),
        (".cargo/config.toml", "[build]\n"),
        (".github/workflows/ci.yml", "on: push\n"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n"),
        ("kaizen.toml", "[cycle]\nmax_landings = 1\n"),
        ("clippy.toml", "msrv = \"1.60\"\n"),
    ] {
        asked(&room, &new_file(path, "100644", text), &format!("{path}: steers how the change is built or judged"));
    }
}

#[test]
fn a_crate_without_tests_asks_because_nothing_shows_that_behaviour_is_kept() {
    let lib = shapes::LIB.split("\n#[cfg(test)]").next().unwrap_or_default();
    let room = Room::with(&[("Cargo.toml", shapes::MANIFEST), ("src/lib.rs", lib)]);
    let diff = diff_of("src/lib.rs", lib, &lib.replace("    return a + b;", "    a + b"));
    asked(&room, &diff, "no test passes on the base").says(&["builds, no tests"]);
}
