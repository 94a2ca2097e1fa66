//! Killed without a word at some instant of a cycle, the program goes on with it at the next start: nothing is lost,
//! nothing doubled, nothing left behind.

use serde_json::Value;

use crate::cli::shapes;
use crate::cli::support::{Room, all_wanted, is, replaced, times};

/// A room whose crate has a name that no other process has on its command line.
fn room() -> (Room, String) {
    let room = Room::empty();
    let folder = room.repo.parent().and_then(|dir| dir.file_name()).map(|name| name.to_string_lossy().to_lowercase());
    let name = folder.unwrap_or_default().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    room.git(&["init", "-q", "-b", "main"]);
    room.write("Cargo.toml", replaced(shapes::MANIFEST, "tiny", &name));
    room.write("src/lib.rs", shapes::LIB);
    room.commit("Begin");
    (room, name)
}

/// Kills a cycle at the record that is wanted, runs again, and checks that what came of both is what one would have.
fn killed_at(what: &str, args: &[&str], wanted: impl Fn(&Value) -> bool) {
    let (room, name) = room();
    let mut run = room.start(&[&["run-cycle"], args].concat());
    assert!(run.until(wanted).is_some(), "{what}: it ended before");
    run.kill();
    room.wait_for_silence(&name);
    room.kaizen(&["status"]).expect(0).says(&["nothing runs", "cut off"]);

    let again = room.start(&[&["run-cycle"], args].concat()).end();
    assert_eq!(again.0, 0, "{what}");
    assert!(again.1.iter().any(|line| line["of"] == "resumed"), "{what}: it says that it goes on");
    let records = room.records();
    assert_eq!((times(&records, "started"), times(&records, "finished")), (1, 1), "{what}: one cycle");
    assert_eq!(times(&records, "landed"), 2, "{what}: each patch landed once");
    assert_eq!(times(&records, "base_tried"), 1, "{what}: what was done is not done again");
    let target = if args.contains(&"merge") { "target".to_owned() } else { room.landed_branch() };
    let subjects = room.subjects("main", &target);
    assert_eq!(subjects.len(), 2, "{what}: {subjects:?}");
    assert_eq!(room.show(&target, "src/lib.rs"), shapes::clean_lib(), "{what}");
    assert_eq!(room.git(&["status", "--porcelain"]), "", "{what}");
    room.git(&["fsck", "--strict", "--no-dangling"]);
    room.kaizen(&["log", "--verify"]).expect(0);
    room.wait_for_silence(&name);
    let locks = room.git_may_fail(&room.repo, &["ls-files", "--others", "--ignored", "--exclude=*.lock"]);
    assert!(locks.stdout.is_empty());
    // The third run begins a new cycle: the first one is over.
    room.kaizen(&["run-cycle", "--only", "debt"]).expect(0).says(&["landed 0"]);
}

#[test]
fn killed_right_after_it_was_asked_for() {
    killed_at("started", &[], |record| is(record, "started"));
}

#[test]
fn killed_when_a_patch_was_written() {
    killed_at("written", &[], |record| is(record, "written"));
}

#[test]
fn killed_in_the_middle_of_a_trial() {
    killed_at("trial_started", &[], |record| is(record, "trial_started"));
}

#[test]
fn killed_between_the_intent_to_land_and_the_landing() {
    killed_at("landing_intended", &[], |record| is(record, "landing_intended"));
}

/// The power fails: the disk has the ref that moved, and of the journal only what was forced to it before.
#[test]
fn a_record_that_the_power_took_along_is_written_again_and_nothing_lands_twice() {
    let room = Room::tiny();
    let step = || {
        let mut program = room.program(&["run-cycle"]);
        assert!(!program.env("KAIZEN_CRASH_AFTER", "1").output().expect("it runs").status.success());
        room.records().last().cloned().expect("a record")
    };
    let mut steps = 1;
    while !is(&step(), "landing_intended") {
        steps += 1;
        assert!(steps < 60, "it never lands");
    }
    let journal = |from: &std::path::Path, to: &std::path::Path| {
        for entry in std::fs::read_dir(from).expect("a folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("journal") {
                std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
            }
        }
    };
    let forced = room.at("forced");
    std::fs::create_dir(&forced).expect("a folder");
    journal(&room.state(), &forced);
    assert!(is(&step(), "landed"));
    let landed = room.landed_branch();
    let tip = room.rev(&landed);
    for entry in std::fs::read_dir(room.state()).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("journal") {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    journal(&forced, &room.state());
    assert!(is(room.records().last().expect("a record"), "landing_intended"));
    room.kaizen(&["run-cycle"]).expect(0);
    room.kaizen(&["log", "--verify"]).expect(0);
    assert_eq!((times(&room.records(), "landed"), room.subjects("main", &landed).len()), (2, 2));
    room.git(&["merge-base", "--is-ancestor", &tip, &landed]);
    assert_eq!(room.show(&landed, "src/lib.rs"), shapes::clean_lib());
}

#[test]
fn killed_right_after_a_landing() {
    killed_at("landed", &[], |record| is(record, "landed"));
}

#[test]
fn killed_at_other_instants() {
    if all_wanted() {
        for name in
            ["base_tried", "collected", "ranked", "answered", "reviewed", "trial_finished", "decided", "learned"]
        {
            killed_at(name, &[], |record| is(record, name));
        }
    }
}

#[test]
fn killed_while_it_lands_on_a_persons_branch() {
    let (room, name) = room();
    room.git(&["branch", "target"]);
    let args = ["run-cycle", "--base", "target", "--landing", "merge"];
    for deed in ["landing_intended", "landed"] {
        let mut run = room.start(&args);
        if run.until(|record| is(record, deed)).is_some() {
            run.kill();
        }
    }
    room.wait_for_silence(&name);
    room.kaizen(&args).expect(0);
    assert_eq!(room.subjects("main", "target").len(), 2);
    assert_eq!(room.show("target", "src/lib.rs"), shapes::clean_lib());
    let records = room.records();
    assert_eq!(times(&records, "landed"), 2);
    room.kaizen(&["log", "--verify"]).expect(0);
}

#[test]
fn killed_while_a_work_tree_moves_along_it_ends_clean() {
    let (room, name) = room();
    let args = ["run-cycle", "--landing", "merge", "--update-worktree"];
    let mut run = room.start(&args);
    run.until(|record| is(record, "landing_intended")).expect("it gets there");
    run.kill();
    room.wait_for_silence(&name);
    room.kaizen(&args).expect(0);
    assert_eq!(room.git(&["status", "--porcelain"]), "");
    assert_eq!(std::fs::read_to_string(room.repo.join("src/lib.rs")).expect("the file"), shapes::clean_lib());
    assert_eq!(room.subjects("main~2", "main").len(), 2);
}

#[test]
fn what_was_asked_for_in_other_words_is_done_after_what_was_cut_off() {
    let (room, name) = room();
    let mut run = room.start(&["run-cycle", "--max-landings", "1"]);
    run.until(|record| is(record, "base_tried")).expect("it gets there");
    run.kill();
    room.wait_for_silence(&name);
    let said = room.kaizen(&["run-cycle", "--only", "dependency"]).expect(0);
    said.says(&["was cut off and goes on, as it was asked for then", "landed 1", "chosen    0 of 0", "landed 0"]);
    assert_eq!(times(&room.records(), "finished"), 2);
}

#[test]
fn asked_to_end_it_parks_and_says_how_to_go_on() {
    let (room, name) = room();
    let mut run = room.start(&["run-cycle"]);
    run.until(|record| is(record, "base_tried")).expect("it gets there");
    // SAFETY: the process is our child and has not been waited for.
    let sent = unsafe { libc::kill(i32::try_from(run.child.id()).expect("a pid"), libc::SIGTERM) };
    assert_eq!(sent, 0);
    let (code, lines) = run.end();
    let last = lines.last().expect("a last line");
    assert_eq!((code, &last["of"]), (14, &Value::from("error")), "{last}");
    assert!(last["message"].as_str().is_some_and(|text| text.contains("SIGTERM")), "{last}");
    room.wait_for_silence(&name);
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 2 on branch"]);
}

#[test]
fn a_revert_that_was_cut_off_is_settled_by_what_the_branch_says() {
    let room = Room::tiny();
    let ids = room.kaizen(&["run-cycle"]).expect(0).patches("LANDED");
    // The branch is locked, so the revert is announced and cannot be done.
    let landed = room.landed_branch();
    let lock = room.repo.join(format!(".git/refs/heads/{landed}.lock"));
    std::fs::write(&lock, "").expect("a lock");
    let mut run = room.program(&["revert", &ids[0]]).spawn().expect("it starts");
    while times(&room.records(), "revert_intended") == 0 {
        assert!(run.try_wait().expect("it can be asked").is_none(), "it ended before");
    }
    run.kill().expect("it can be killed");
    run.wait().expect("it ends");
    std::fs::remove_file(&lock).expect("gone");
    room.kaizen(&["revert", &ids[0]]).expect(0);
    let records = room.records();
    assert_eq!(
        (times(&records, "revert_intended"), times(&records, "revert_failed"), times(&records, "reverted")),
        (2, 1, 1)
    );
}
