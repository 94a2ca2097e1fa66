//! The story of a cycle as a person reads it, whole, and what a cycle does that is told only part of.

use crate::cli::shapes;
use crate::cli::support::{Room, told};

#[test]
fn the_story_of_a_cycle_says_what_was_seen_done_and_how_to_undo_it() {
    let (manifest, lock) = shapes::with_unused_dependency();
    let aid = shapes::manifest("aid", "2021", "");
    let room = Room::with(&[
        ("Cargo.toml", &manifest),
        ("Cargo.lock", &lock),
        ("src/lib.rs", shapes::LIB),
        ("aid/Cargo.toml", &aid),
        ("aid/src/lib.rs", "//! Aid.\n"),
    ]);
    let said = room.kaizen(&["run-cycle"]).expect(0);
    assert_eq!(said.err, "");
    told!(room, said.out, @r#"
    kaizen · work @ <hash> (main)  cycle <cycle>
      base      builds, 2 tests pass, 0 fail, 0 flaky <time>
      signals   3: 2 clippy, 1 unused dependency
      chosen    3 of 3 opportunities (impact, risk, cost)      kaizen show <cycle> --opportunities

      1 LANDED       <patch>  Drop unused dependency aid                           manifest -10 +0    2/2 same
      2 LANDED       <patch>  Clear 1 finding of clippy::len_zero                  rustfix  -1 +1     2/2 same
      3 LANDED       <patch>  Clear 1 finding of clippy::needless_return           rustfix  -1 +1     2/2 same

      landed 3 on branch kaizen/<cycle>/landed · <time>, <time> of it in trials
      look      git log -p main..kaizen/<cycle>/landed
      take      git merge kaizen/<cycle>/landed
      undo      kaizen revert <patch>
    "#);
    // The dependency is gone from the manifest and from the lock file, as cargo would have it.
    let landed = room.landed_branch();
    assert!(!room.show(&landed, "Cargo.toml").contains("aid"));
    assert_eq!(room.show(&landed, "Cargo.lock"), shapes::LOCK);
    assert_eq!(room.show(&landed, "src/lib.rs"), shapes::clean_lib());
}

#[test]
fn what_fails_on_the_base_is_named_and_not_held_against_a_patch() {
    let room = Room::tiny_but("assert!(empty(&[]));", "assert!(!empty(&[]), \"nothing is in it\");");
    let said = room.kaizen(&["run-cycle"]).expect(0);
    told!(room, said.out, @r#"
    kaizen · work @ <hash> (main)  cycle <cycle>
      base      builds, 1 test passes, 1 fails, 0 flaky <time>
                tiny/lib::tests::sees_an_empty_list  nothing is in it (src/lib.rs:24)
                tests are compared one by one: what fails already is held against no patch
      signals   3: 2 clippy, 1 failing test
      chosen    3 of 3 opportunities (impact, risk, cost)      kaizen show <cycle> --opportunities

      1 DECLINED             repair failing test tiny/lib::tests::sees_an_empty_list
                             repairing this needs a model, and none is configured (kaizen init --explain model)
      2 LANDED       <patch>  Clear 1 finding of clippy::len_zero                  rustfix  -1 +1     1/2 same
      3 LANDED       <patch>  Clear 1 finding of clippy::needless_return           rustfix  -1 +1     1/2 same

      landed 2 on branch kaizen/<cycle>/landed · declined 1 · <time>, <time> of it in trials
      look      git log -p main..kaizen/<cycle>/landed
      take      git merge kaizen/<cycle>/landed
      undo      kaizen revert <patch>
    "#);
}

#[test]
fn a_base_that_does_not_build_ends_with_what_to_do() {
    let room = Room::tiny_but("return a + b;", "return a + \"b\";");
    let said = room.kaizen(&["run-cycle"]).expect(11);
    told!(room, format!("{}{}", said.out, said.err), @r#"
    kaizen · work @ <hash> (main)  cycle <cycle>
      base      does not build: cannot add `&str` to `i32` (src/lib.rs:5) <time>
      signals   1: 1 build failure
      chosen    1 of 1 opportunities (impact, risk, cost)      kaizen show <cycle> --opportunities

      1 DECLINED             repair the build: cannot add `&str` to `i32`
                             repairing this needs a model, and none is configured (kaizen init --explain model)

      landed 0 · declined 1 · <time>, <time> of it in trials
    error: the base does not build: cannot add `&str` to `i32` (src/lib.rs:5)
    help: mend the build, or configure a model that may: `kaizen init --explain model`
    "#);
}

#[test]
fn a_cycle_on_code_without_findings_says_that_there_is_nothing_to_do() {
    let lib = shapes::clean_lib();
    let room = Room::with(&[("Cargo.toml", shapes::MANIFEST), ("Cargo.lock", shapes::LOCK), ("src/lib.rs", &lib)]);
    let said = room.kaizen(&["run-cycle"]).expect(0).says(&["signals   none", "landed 0"]);
    assert!(room.own_branches().is_empty(), "{}", said.out);
    room.kaizen(&["status"]).expect(0).says(&["finished   nothing to do"]);
}

#[test]
fn a_dry_run_does_everything_but_the_landing() {
    let room = Room::tiny();
    let before = room.refs();
    let said = room.kaizen(&["run-cycle", "--dry-run"]).expect(0);
    assert_eq!(room.refs(), before);
    assert_eq!(said.patches("ASKED").len(), 2, "{}", said.out);
    told!(room, said.out.lines().last().unwrap_or_default(), @r#"  take      the same without --dry-run, or one alone: kaizen approve <patch>"#);
    // What it kept from landing can be landed one by one.
    let first = said.patches("ASKED")[0].clone();
    room.kaizen(&["approve", &first]).expect(0).says(&["landed 1 on branch"]);
}

#[test]
fn only_the_kinds_asked_for_are_looked_for() {
    let room = Room::tiny();
    room.kaizen(&["run-cycle", "--only", "dependency,debt"]).expect(0).says(&["chosen    0 of 0"]);
    assert!(room.own_branches().is_empty());
}

#[test]
fn no_more_lands_than_was_allowed() {
    let room = Room::tiny();
    let said = room.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0);
    said.says(&["landed 1 on branch", "1 left for the next cycle"]);
    let landed = room.landed_branch();
    assert_eq!(room.subjects("main", &landed).len(), 1);
}

#[test]
fn no_more_is_taken_up_than_was_allowed() {
    let room = Room::tiny();
    let said = room.kaizen(&["run-cycle", "--max-opportunities", "1"]).expect(0).says(&["chosen    1 of 2"]);
    assert_eq!(said.patches("LANDED").len(), 1);
}

#[test]
fn commits_follow_the_style_of_the_repository_and_name_their_cycle() {
    let room = Room::tiny();
    for subject in ["fix: one", "feat: two", "chore(x): three", "docs: four"] {
        room.commit(subject);
    }
    room.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0);
    let landed = room.landed_branch();
    let message = room.git(&["log", "-1", "--format=%an <%ae>%n%B", &landed]);
    let subject = message.lines().nth(1).unwrap_or_default();
    let kind = subject.split(':').next().unwrap_or_default();
    assert!(["fix", "chore", "refactor", "style"].contains(&kind), "{message}");
    assert!(message.starts_with("Ada Test <ada@example.org>\n"), "{message}");
    assert!(message.contains("\nKaizen-Cycle: c") && message.contains("\nKaizen-Patch: p"), "{message}");
}

#[test]
fn what_was_settled_before_is_not_proposed_again() {
    let room = Room::tiny();
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 2"]);
    let landed = room.landed_branch();
    room.git(&["merge", "-q", &landed]);
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 0"]);
    assert_eq!(room.show("main", "src/lib.rs"), shapes::clean_lib());
}
