//! Bases that fail their own tests, now and then or always.

use crate::cli::shapes;
use crate::cli::support::{Room, replaced, told};

const WRONG: (&str, &str) = ("return a + b;", "return a - b;");

#[test]
fn a_failing_base_is_refused_where_the_settings_say_so() {
    let room = Room::tiny_but(WRONG.0, WRONG.1);
    room.write("kaizen.toml", "[base]\nfailing_tests = \"refuse\"\n");
    room.commit("Configure");
    let said = room.kaizen(&["run-cycle"]).expect(11);
    told!(room, format!("{}{}", said.out, said.err), @r#"
    kaizen · work @ <hash> (main)  cycle <cycle>
      base      builds, 1 test passes, 1 fails, 0 flaky <time>
                tiny/lib::tests::adds  assertion `left == right` failed (src/lib.rs:19)
    error: the base of this repository does not pass its own tests: 1 of 2 fail
    help: kaizen repairs failing tests with `--only repair`; to go on in spite of them: `--allow-failing-base`
    "#);
    assert!(room.own_branches().is_empty());
    // Both ways out of the message lead on.
    room.kaizen(&["run-cycle", "--only", "repair"]).expect(0).says(&["repair failing test"]);
    room.kaizen(&["run-cycle", "--allow-failing-base", "--max-landings", "1"])
        .expect(0)
        .says(&["1/2 same", "landed 1"]);
}

#[test]
fn a_failing_base_judges_a_patch_by_what_it_changes() {
    let room = Room::tiny_but(WRONG.0, WRONG.1);
    let base = room.show("main", "src/lib.rs");
    let mended = crate::cli::support::diff_of("src/lib.rs", &base, shapes::LIB);
    room.try_diff(&mended, &["--message", "Mend it"]).expect(0).says(&["2/2, was 1/2"]);
    let worse = replaced(&base, "list.len() == 0", "list.len() == 1");
    let worse = crate::cli::support::diff_of("src/lib.rs", &base, &worse);
    room.try_diff(&worse, &["--message", "Break it"])
        .expect(4)
        .says(&["test `tiny/lib::tests::sees_an_empty_list` would fail"]);
}

#[test]
fn flaky_tests_are_counted_and_are_no_evidence() {
    // So many coins that it is out of the question that none falls differently in the second run.
    let coins: String = (0..40)
        .map(|n| format!("    #[test]\n    fn coin_{n}() {{\n        assert!(flip({n}), \"tails\");\n    }}\n"))
        .collect();
    let flip = "    fn flip(n: u32) -> bool {\n        use std::hash::{BuildHasher, Hasher};\n        let mut coin = std::collections::hash_map::RandomState::new().build_hasher();\n        coin.write_u32(n);\n        coin.finish() & 1 == 0\n    }\n";
    let lib = format!("{}\n#[cfg(test)]\nmod coins {{\n{flip}{coins}}}\n", shapes::LIB);
    let room = Room::with(&[("Cargo.toml", shapes::MANIFEST), ("src/lib.rs", &lib)]);
    let said = room.kaizen(&["run-cycle", "--only", "debt"]).expect(0);
    assert!(!said.out.contains(" 0 flaky"), "{}", said.out);
    let report = room.records().into_iter().find(|record| record["event"]["event"] == "base_tried").expect("a report");
    let flaky = report["event"]["report"]["flaky"].as_array().map_or(0, Vec::len);
    assert!(flaky > 0);
    said.says(&[&format!("{flaky} flaky")]);
}

#[test]
fn a_base_whose_dependencies_cannot_be_had_ends_with_what_cargo_says() {
    let manifest = shapes::manifest("tiny", "2021", "nowhere = { path = \"../nowhere\" }\n");
    let room = Room::with(&[("Cargo.toml", &manifest), ("src/lib.rs", shapes::LIB)]);
    let said = room.kaizen(&["run-cycle"]);
    assert!(matches!(said.code, 10 | 11), "{}\n{}", said.out, said.err);
    said.says(&["nowhere/Cargo.toml", "paths outside the repository"]);
    let said = room.kaizen(&["run-cycle", "--json"]);
    let last = said.json().into_iter().last().expect("a line");
    assert_eq!(last["of"], "error", "{last}");
    assert_eq!(last["exit"], said.code);
}

#[test]
fn a_manifest_that_is_none_ends_with_what_cargo_says() {
    let room = Room::with(&[("Cargo.toml", "[package\nname = "), ("src/lib.rs", shapes::LIB)]);
    let said = room.kaizen(&["run-cycle"]);
    assert!(matches!(said.code, 10 | 11), "{}\n{}", said.out, said.err);
    said.says(&["error: ", "Cargo.toml", "help: "]);
    // Mended, the next run works: the one that failed is over.
    room.write("Cargo.toml", shapes::MANIFEST);
    room.commit("Mend");
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 2"]);
}
