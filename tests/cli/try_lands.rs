//! `kaizen try` with a patch that is fine: it lands, whatever form it comes in.

use crate::cli::shapes;
use crate::cli::support::{Room, lib_diff, told};

const FROM: &str = "    return a + b;";
const TO: &str = "    a + b";

#[test]
fn a_good_patch_lands_on_a_branch_of_its_own() {
    let room = Room::tiny();
    let before = room.refs();
    let said = room.try_diff(&lib_diff(FROM, TO), &[]).expect(0);
    told!(room, said.out, @r#"
    kaizen · work @ <hash> (main)  cycle <cycle>
      patch     Apply given.diff
      base      builds, 2 tests pass, 0 fail, 0 flaky <time>

      1 LANDED       <patch>  Apply given.diff                                     given    -1 +1     2/2 same

      landed 1 on branch kaizen/<cycle>/landed · <time>, <time> of it in trials
      look      git log -p main..kaizen/<cycle>/landed
      take      git merge kaizen/<cycle>/landed
      undo      kaizen revert <patch>
    "#);
    let landed = room.landed_branch();
    assert_eq!(room.show(&landed, "src/lib.rs"), shapes::LIB.replace(FROM, TO));
    assert_eq!(room.subjects("main", &landed), ["Apply given.diff"]);
    assert_eq!(room.own_branches().len(), 2);
    assert_eq!(room.refs().len(), before.len() + 2);
    assert_eq!(room.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_diff_comes_in_any_form_that_git_or_diff_writes() {
    let room = Room::tiny();
    let git = lib_diff(FROM, TO);
    let plain: String = git
        .lines()
        .filter(|line| !line.starts_with("diff ") && !line.starts_with("index "))
        .map(|line| format!("{line}\n"))
        .collect();
    let bare = plain.replace("--- a/", "--- ").replace("+++ b/", "+++ ");
    let dated = bare.replace("src/lib.rs\n", "src/lib.rs\t2026-01-01 10:00:00.000000000 +0000\n");
    let dos = git.replace('\n', "\r\n");
    let mailed = format!(
        "From 0123456789 Mon Sep 17 00:00:00 2001\nFrom: Bo <bo@example.org>\nSubject: [PATCH 1/2] Say it plainly\n\nIt is shorter.\n---\n src/lib.rs | 2 +-\n\n{git}-- \n2.47.3\n"
    );
    let chatty = format!("Here is the patch you asked for:\n\n```diff\n{git}```\nI hope it helps!\n");
    for (form, diff) in
        [("plain", &plain), ("bare", &bare), ("dated", &dated), ("dos", &dos), ("mailed", &mailed), ("chatty", &chatty)]
    {
        let said = match form {
            // A mail brings its own subject.
            "mailed" => room.kaizen_reads(&["try", "-"], diff),
            _ => room.kaizen_reads(&["try", "-", "--message", form], diff),
        };
        assert_eq!(said.code, 0, "{form}:\n{}\n{}", said.out, said.err);
        said.says(&[if form == "mailed" { "Say it plainly" } else { form }]);
    }
    for branch in room.own_branches() {
        assert_eq!(room.show(&branch, "src/lib.rs"), shapes::LIB.replace(FROM, TO), "{branch}");
    }
}

#[test]
fn a_message_becomes_the_subject() {
    let room = Room::tiny();
    room.try_diff(&lib_diff(FROM, TO), &["--message", "Return the sum itself"])
        .expect(0)
        .says(&["Return the sum itself"]);
    let landed = room.landed_branch();
    assert_eq!(room.subjects("main", &landed), ["Return the sum itself"]);
}

#[test]
fn patches_of_the_same_name_are_judged_each_on_its_own() {
    let room = Room::tiny();
    room.kaizen_reads(&["try", "-"], &lib_diff(FROM, TO)).expect(0);
    for _ in 0..6 {
        room.kaizen_reads(&["try", "-"], &lib_diff("return a + b;", "return a - b;")).expect(4).says(&["would fail"]);
    }
    room.kaizen_reads(&["try", "-"], &lib_diff("list.len() == 0", "list.is_empty()")).expect(0).says(&["landed 1"]);
    room.write("kaizen.toml", "[cycle]\nrisk_tolerance = \"low\"\n");
    room.kaizen_reads(&["try", "-"], &lib_diff(FROM, TO)).expect(0).says(&["landed 1"]);
}

#[test]
fn a_branch_that_stands_on_the_base_lands_as_the_commit_it_is() {
    let room = Room::tiny();
    room.git(&["checkout", "-q", "-b", "idea"]);
    room.write("src/lib.rs", shapes::LIB.replace(FROM, TO));
    let commit = room.commit("Say it plainly");
    room.git(&["checkout", "-q", "main"]);
    room.kaizen(&["try", "--branch", "idea"]).expect(0);
    assert_eq!(room.rev(&room.landed_branch()), commit);
}

#[test]
fn a_branch_that_left_the_base_earlier_lands_as_a_merge_of_what_was_tried() {
    let room = Room::tiny();
    room.git(&["checkout", "-q", "-b", "idea"]);
    room.write("src/lib.rs", shapes::LIB.replace(FROM, TO));
    let idea = room.commit("Say it plainly");
    room.git(&["checkout", "-q", "main"]);
    room.write("README.md", "news\n");
    let main = room.commit("Write a readme");
    room.kaizen(&["try", "--branch", "idea"]).expect(0);
    let landed = room.landed_branch();
    assert_eq!(room.git(&["log", "-1", "--format=%P", &landed]).trim(), format!("{main} {idea}"));
    assert_eq!(room.show(&landed, "src/lib.rs"), shapes::LIB.replace(FROM, TO));
    assert_eq!(room.show(&landed, "README.md"), "news\n");
}

#[test]
fn a_patch_that_repairs_the_build_lands_although_the_base_shows_nothing() {
    let room = Room::tiny_but("use super::*;", "use super::*;\n    use nowhere::Nothing;");
    let broken = room.show("main", "src/lib.rs");
    let diff = crate::cli::support::diff_of("src/lib.rs", &broken, shapes::LIB);
    let said = room.try_diff(&diff, &[]);
    assert!(said.code == 0 || said.code == 3, "{}\n{}", said.out, said.err);
    said.says(&["does not build"]);
}

#[test]
fn with_json_every_line_is_a_record_and_the_word_is_in_it() {
    let room = Room::tiny();
    let said = room.try_diff(&lib_diff(FROM, TO), &["--json"]).expect(0);
    let records = said.json();
    assert!(records.iter().all(|record| record["seq"].is_u64() && record["event"]["of"] == "cycle"), "{records:#?}");
    assert_eq!(crate::cli::support::times(&records, "landed"), 1);
    assert_eq!(records, room.records(), "what was printed is what is kept");
}

#[test]
fn a_merge_lands_on_the_branch_itself() {
    let room = Room::tiny();
    room.git(&["checkout", "-q", "--detach"]);
    room.try_diff(&lib_diff(FROM, TO), &["--base", "main", "--landing", "merge"]).expect(0).says(&["landed 1 on main"]);
    assert_eq!(room.show("main", "src/lib.rs"), shapes::LIB.replace(FROM, TO));
}
