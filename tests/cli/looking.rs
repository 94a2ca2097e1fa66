//! The commands that only look: what they show of a cycle, of a patch, of the machine, and of the settings.

use crate::cli::shapes;
use crate::cli::support::{Room, lib_diff, told};

#[test]
fn a_cycle_and_its_patches_can_be_looked_at_afterwards() {
    let room = Room::tiny();
    let said = room.kaizen(&["run-cycle"]).expect(0);
    let id = said.patches("LANDED")[0].clone();
    let cycle = room.landed_branch().split('/').nth(1).unwrap_or_default().to_owned();

    let shown = room.kaizen(&["show", &cycle, "--opportunities"]).expect(0);
    shown.says(&[
        "finished",
        "impact risk        cost  sure  what",
        "chosen",
        "clear 1 finding of clippy::len_zero",
        "LANDED",
    ]);

    let shown = room.kaizen(&["show", &id]).expect(0);
    shown.says(&[
        "LANDED  Clear 1 finding of clippy::len_zero",
        "risk low, sure",
        "change    1 file, -1 +1, on ",
        "by        Debugger, rustfix, no tokens",
        "review    1 item changed, 0 findings",
        "tried     2 tests pass, 0 fail, 0 flaky; ",
        "landed    as ",
        &format!("undo      kaizen revert {id}"),
    ]);
    // An id may be given in capitals, and with more letters or fewer.
    room.kaizen(&["show", &id.to_uppercase()]).expect(0);
    room.kaizen(&["show", &id[..4]]).expect(0);
    room.kaizen(&["show", &id, "--evidence"])
        .expect(0)
        .says(&["-    list.len() == 0\n+    list.is_empty()\n", "  passed  tiny/lib::tests::adds"]);

    let log = room.kaizen(&["log", "--last", "1000"]).expect(0).says(&[
        "started on",
        "2 signals collected",
        "decided: to land",
        "  landed\n",
        "learned: LANDED",
        "finished",
    ]);
    assert_eq!(log.out.lines().count(), room.records().len());
    assert_eq!(room.kaizen(&["log", "--last", "3"]).expect(0).out.lines().count(), 3);
    room.kaizen(&["log", "--verify"]).expect(0).says(&["each follows the one before"]);
    room.kaizen(&["status"]).expect(0).says(&["nothing runs", &cycle, "finished   landed 2"]);
}

#[test]
fn a_patch_that_is_printed_can_be_applied_and_tried_again() {
    let room = Room::tiny();
    let ids = room.kaizen(&["run-cycle", "--dry-run"]).expect(0).patches("ASKED");
    for id in &ids {
        let diff = room.kaizen(&["diff", id]).expect(0).out;
        let file = room.beside("printed.diff", &diff);
        room.git(&["apply", "--check", &file]);
        room.kaizen_reads(&["try", "-", "--message", id], &diff).expect(0);
    }
}

#[test]
fn an_id_that_is_none_or_of_something_else_is_said_to_be() {
    let room = Room::tiny();
    for command in ["show", "diff"] {
        room.kaizen(&[command, "p123"]).expect(10).says(&["there is no journal yet", "`kaizen run-cycle` begins one"]);
    }
    room.kaizen(&["run-cycle"]).expect(0);
    let cycle = room.landed_branch().split('/').nth(1).unwrap_or_default().to_owned();
    room.kaizen(&["diff", &cycle]).expect(10).says(&[
        "no patch has an id that begins with",
        "but one cycle has",
        "kaizen show",
    ]);
    room.kaizen(&["show", "zz"]).expect(10).says(&["nothing has an id that begins with `zz`"]);
    for odd in ["", "p", "p*", "../x", "p' OR 1"] {
        room.kaizen(&["show", odd]).expect(10).says(&["is not the beginning of an id"]);
    }
}

#[test]
fn doctor_says_what_works_and_changes_nothing() {
    let room = Room::tiny();
    let said = room.kaizen(&["doctor"]).expect(0);
    let first = |text: &str| said.out.lines().any(|line| line.starts_with(text));
    for what in [
        "rust        rustc ",
        "repository  work @ ",
        "sandbox     user namespace",
        "model       none configured",
        "journal     none yet",
    ] {
        assert!(first(what), "{what} in:\n{}", said.out);
    }
    assert!(!room.state().exists(), "it only looked");
    let empty = Room::empty();
    empty.kaizen(&["doctor"]).expect(10).says(&[
        "repository",
        "is not a git repository",
        "help: name one, or make one",
    ]);
    room.write("kaizen.toml", "[landing]\nmod = 1\n");
    room.kaizen(&["doctor"])
        .expect(10)
        .says(&["settings    unknown key `landing.mod`", "did you mean `landing.mode`?"]);
}

#[test]
fn init_writes_a_file_that_changes_nothing_and_never_writes_over_one() {
    let room = Room::tiny();
    room.kaizen(&["init", "--repo", "src"])
        .expect(0)
        .says(&["work/kaizen.toml: every key with its default, all commented out", "config/kaizen/kaizen.toml"]);
    let path = room.repo.join("kaizen.toml");
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(
        text.contains("[landing]\n") && text.contains("\n# mode = \"branch\"\n") && !text.contains("[sandbox]"),
        "{text}"
    );
    std::fs::write(&path, "# mine\n").expect("a file");
    room.kaizen(&["init"]).expect(10).says(&["kaizen.toml is there already"]);
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), "# mine\n");
    // What it wrote is taken as it is.
    std::fs::write(&path, &text).expect("a file");
    room.kaizen(&["run-cycle", "--max-opportunities", "1"]).expect(0).says(&["landed 1"]);
}

#[test]
fn the_settings_explain_themselves() {
    let room = Room::empty();
    told!(room, room.kaizen(&["init", "--explain", "landing"]).expect(0).out, @r#"
    [landing]
    # branch: patches land on branches of Kaizen's own, nothing of yours moves. merge: they land on your branch.
    # pull-request: each is proposed on the forge of the repository's remote.
    mode = "branch"
    # What a commit's subject looks like: auto (as the repository does it), plain, or conventional.
    subject = "auto"
    # Lines at the end of every commit message, such as "Assisted-by: Kaizen".
    trailers = []
    "#);
    assert_eq!(
        room.kaizen(&["init", "--explain", "landing.mode"]).expect(0).out,
        room.kaizen(&["init", "--explain", "landing"]).out
    );
    let all = room.kaizen(&["init", "--explain"]).expect(0);
    for section in ["cycle", "landing", "signals", "base", "policy", "trial", "agents", "sandbox", "model"] {
        assert!(all.out.contains(&format!("\n[{section}]\n")), "{section}");
    }
    told!(room, room.kaizen(&["init", "--explain", "landin"]).expect(10).err, @r#"
    error: there is no section `landin`
    help: did you mean `kaizen init --explain landing`?
    "#);
    room.kaizen(&["init", "--explain", "quux"]).expect(10).says(&["the sections are cycle, landing"]);
}

#[test]
fn the_state_lies_where_it_is_asked_to() {
    let room = Room::tiny();
    let run = |change: &dyn Fn(&mut std::process::Command) -> &mut std::process::Command| {
        let mut command = room.program(&["run-cycle", "--max-opportunities", "1", "--dry-run"]);
        command.env_remove("KAIZEN_STATE_DIR");
        change(&mut command);
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&|command| command);
    assert!(room.at("xdg-state/kaizen/journal.sqlite").exists());
    run(&|command| command.env_remove("XDG_STATE_HOME"));
    assert!(room.at("home/.local/state/kaizen/journal.sqlite").exists());
    run(&|command| command.arg("--state-dir").arg(room.at("named")));
    assert!(room.at("named/journal.sqlite").exists());
    // A relative one is taken from where the program was started, and an empty one is none.
    run(&|command| command.args(["--state-dir", "../relative"]));
    assert!(room.at("relative/journal.sqlite").exists());
    run(&|command| command.env("KAIZEN_STATE_DIR", ""));
    assert_eq!(room.git(&["status", "--porcelain"]), "", "never in the work tree");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(room.at("named")).expect("a folder").permissions());
    assert_eq!(mode & 0o077, 0, "for its owner alone");
}

#[test]
fn what_was_tried_and_refused_stays_to_be_looked_at() {
    let room = Room::tiny();
    let said = room.try_diff(&lib_diff("return a + b;", "return a - b;"), &[]).expect(4);
    let id = said.patch("REJECTED");
    room.kaizen(&["show", &id]).expect(0).says(&[
        "REJECTED",
        "because   test `tiny/lib::tests::adds` would fail",
        "by        somebody else, given",
    ]);
    assert!(room.kaizen(&["diff", &id]).expect(0).out.contains("+    return a - b;"));
    assert_eq!(room.show("main", "src/lib.rs"), shapes::LIB);
}
