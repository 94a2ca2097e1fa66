//! Settings that are wrong: what is wrong, in which file and line, and what was meant.

use crate::cli::support::{Room, told};

#[track_caller]
fn refused(room: &Room, settings: &str) -> String {
    room.write("kaizen.toml", settings);
    let said = room.kaizen(&["run-cycle"]).expect(10);
    assert_eq!(said.out, "");
    assert!(room.own_branches().is_empty() && !room.state().exists(), "nothing was begun");
    said.err
}

#[test]
fn an_unknown_key_is_named_with_what_was_meant() {
    let room = Room::tiny();
    told!(room, refused(&room, "[cycle]\n\n[landing]\nmod = \"merge\"\n"), @r#"
    error: unknown key `landing.mod` in kaizen.toml, line 4
    help: did you mean `landing.mode`?  `kaizen init --explain landing` lists the keys
    "#);
    told!(room, refused(&room, "[landin]\n"), @r#"
    error: unknown key `landin` in kaizen.toml, line 1
    help: did you mean `landing`?  `kaizen init --explain landing` lists the keys
    "#);
    told!(room, refused(&room, "whatever = 1\n"), @r#"
    error: unknown key `whatever` in kaizen.toml, line 1
    help: `kaizen init --explain` lists the keys
    "#);
}

#[test]
fn a_wrong_value_is_named() {
    let room = Room::tiny();
    told!(room, refused(&room, "[cycle]\nmax_landings = \"many\"\n"), @r#"
    error: `cycle.max_landings` in kaizen.toml, line 2, must be a whole number, not a text in quotes
    help: `kaizen init --explain cycle` shows each key with its default
    "#);
    let error = refused(&room, "[landing]\nmode = \"mergee\"\n");
    assert!(error.contains("`landing.mode` in kaizen.toml, line 2: unknown variant `mergee`"), "{error}");
    let error = refused(&room, "[cycle]\nmax_landings = -1\n");
    assert!(error.contains("`cycle.max_landings` in kaizen.toml, line 2: must be 0 or more"), "{error}");
    let error = refused(&room, "[cycle\n");
    assert!(error.contains("kaizen.toml") && error.contains("unclosed table"), "{error}");
}

#[test]
fn a_repository_cannot_decide_about_the_machine() {
    let room = Room::tiny();
    told!(room, refused(&room, "[sandbox]\nwaived = [\"seccomp\"]\n"), @r#"
    error: `sandbox` in kaizen.toml, line 1, cannot be set by a repository
    help: `sandbox` decides what this machine may do; set it in your own file, see `kaizen doctor`
    "#);
    let error = refused(&room, "[model]\nbase_url = \"http://example.org\"\n");
    assert!(error.contains("cannot be set by a repository"), "{error}");
}

#[test]
fn a_settings_file_that_cannot_be_read_is_no_reason_to_go_on_without() {
    let room = Room::tiny();
    std::fs::create_dir(room.repo.join("kaizen.toml")).expect("a folder");
    room.kaizen(&["run-cycle"]).expect(10).says(&["kaizen.toml cannot be read: it is not a regular file"]);
    std::fs::remove_dir(room.repo.join("kaizen.toml")).expect("gone");
    std::os::unix::fs::symlink("/etc/passwd", room.repo.join("kaizen.toml")).expect("a link");
    let said = room.kaizen(&["run-cycle"]).expect(10);
    assert!(!said.err.contains("root:"), "{}", said.err);
    std::fs::remove_file(room.repo.join("kaizen.toml")).expect("gone");
    room.write("kaizen.toml", [0xff, 0xfe, b'\n']);
    room.kaizen(&["run-cycle"]).expect(10).says(&["it is not UTF-8"]);
    std::fs::remove_file(room.repo.join("kaizen.toml")).expect("gone");
    room.kaizen(&["run-cycle", "--settings", "nowhere.toml"])
        .expect(10)
        .says(&["nowhere.toml cannot be read", "--settings"]);
}

#[test]
fn a_persons_own_settings_win_over_the_repositorys() {
    let room = Room::tiny();
    room.write("kaizen.toml", "[cycle]\nmax_landings = 2\n");
    let own = room.at("config/kaizen");
    std::fs::create_dir(&own).expect("a folder");
    std::fs::write(own.join("kaizen.toml"), "[cycle]\nmax_landings = 1\n").expect("a file");
    room.kaizen(&["run-cycle"]).expect(0).says(&["landed 1"]);
    std::fs::write(own.join("kaizen.toml"), "[model]\nnme = \"x\"\n").expect("a file");
    room.kaizen(&["run-cycle"]).expect(10).says(&[
        "unknown key `model.nme`",
        "config/kaizen/kaizen.toml, line 2",
        "`model.name`",
    ]);
}
