//! What is printed for other programs and for terminals: JSON lines, help, completions, the manual, and nothing that a
//! repository could use to drive a terminal.

use std::io::Read as _;
use std::process::Stdio;

use crate::cli::shapes;
use crate::cli::support::{Room, Said, lib_diff, replaced};

/// Every command that can be asked, with what must be found in its lines.
fn lines(said: &Said, of: &str) {
    let lines = said.json();
    assert!(!lines.is_empty(), "{of}: no line\n{}", said.err);
    for line in &lines {
        let known = line["of"].is_string() || line["event"]["of"].is_string();
        assert!(known, "{of}: {line}");
    }
    assert!(said.out.contains(&format!("\"of\":\"{of}\"")), "{of} is not in {}", said.out);
}

#[test]
fn with_json_every_command_prints_one_object_a_line() {
    let room = Room::tiny();
    let json = |args: &[&str]| room.kaizen(&[args, &["--json"]].concat());
    lines(&json(&["status"]), "status");
    assert_eq!(json(&["log"]).expect(0).out, "");
    lines(&json(&["log", "--verify"]), "verified");
    lines(&json(&["doctor"]), "doctor");
    lines(&json(&["init"]), "init");
    lines(&json(&["init"]), "error");
    lines(&json(&["init", "--explain", "cycle"]), "explained");
    lines(&json(&["show", "p123"]), "error");
    std::fs::remove_file(room.repo.join("kaizen.toml")).expect("gone");
    lines(&json(&["run-cycle"]), "cycle");
    lines(&json(&["log"]), "cycle");
    lines(&json(&["log", "--verify"]), "verified");
    let status = json(&["status"]).expect(0).json();
    let patch = status[0]["cycles"][0]["attempts"][0]["patch"].as_str().expect("an id").to_owned();
    assert_eq!(status[0]["cycles"][0]["attempts"][0]["word"], "landed");
    lines(&json(&["show", &patch]), "cycle");
    lines(&json(&["diff", &patch]), "patch");
    lines(&json(&["revert", &patch]), "reverted");
    lines(&json(&["log"]), "reverted");
    lines(&json(&["try", "nowhere.diff"]), "error");
    lines(&json(&["run-cycle", "--repo", "/"]), "error");
}

#[test]
fn an_error_in_json_has_the_exit_code_and_the_way_out() {
    let room = Room::empty();
    let said = room.kaizen(&["run-cycle", "--json"]).expect(10);
    let line = said.json().into_iter().next().expect("a line");
    assert_eq!((line["of"].as_str(), line["exit"].as_u64()), (Some("error"), Some(10)));
    assert!(line["message"].as_str().is_some_and(|text| text.contains("is not a git repository")));
    assert!(line["help"][0].as_str().is_some_and(|text| text.contains("git init")));
    assert_eq!(said.err, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_ends_nothing() {
    let room = Room::tiny();
    room.kaizen(&["run-cycle"]).expect(0);
    for args in [
        &["log", "--json"][..],
        &["status"],
        &["doctor"],
        &["man"],
        &["completions", "zsh"],
        &["init", "--explain"],
        &["--help"],
    ] {
        let mut command = room.program(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("it is text");
        assert!(child.wait().expect("it ends").success() && said.is_empty(), "{args:?}: {said}");
    }
    // Not even a cycle ends: what it does is in the journal.
    room.git(&["merge", "-q", &room.landed_branch()]);
    room.write("src/lib.rs", shapes::LIB);
    room.commit("As it was");
    let mut child = room.program(&["run-cycle", "--json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
    room.kaizen(&["status"]).expect(0).says(&["finished   landed 2"]);
}

#[test]
fn help_completions_and_manual_name_every_command() {
    let room = Room::empty();
    let commands = [
        "demo",
        "run-cycle",
        "try",
        "approve",
        "revert",
        "status",
        "log",
        "show",
        "diff",
        "init",
        "doctor",
        "completions",
        "man",
    ];
    let help = room.kaizen(&["--help"]).expect(0);
    let manual = room.kaizen(&["man"]).expect(0);
    for command in commands {
        assert!(help.out.contains(&format!("\n  {command} ")), "{command}");
        assert!(manual.out.contains(&command.replace('-', "\\-")), "{command}");
        let own = room.kaizen(&["man", command]).expect(0);
        assert!(own.out.contains(&format!("kaizen\\-{}", command.replace('-', "\\-"))), "{}", own.out);
        assert!(room.kaizen(&[command, "--help"]).expect(0).out.contains("Everywhere:"), "{command}");
    }
    help.says(&["Exit codes:", "3  `try`, `approve`: a person is asked", "14  stopped from outside"]);
    room.kaizen(&["man", "nope"]).expect(10).says(&["there is no command `nope`"]);
    for shell in ["bash", "zsh", "fish"] {
        let text = room.kaizen(&["completions", shell]).expect(0).out;
        for command in commands {
            assert!(text.contains(command), "{shell}: {command}");
        }
        // The shell itself can read them, where there is one.
        let file = room.beside(&format!("completions.{shell}"), &text);
        if let Ok(output) = room.command(shell).args(["-n", &file]).output() {
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    room.kaizen(&[]).expect(2).says(&["Commands:", "run-cycle"]);
    room.kaizen(&["runcycle"]).expect(2).says(&["run-cycle"]);
    room.kaizen(&["run-cycle", "--budget", "lots"]).expect(2).says(&["is not an amount in dollars"]);
    assert!(room.kaizen(&["--version"]).expect(0).out.starts_with("kaizen "));
}

#[test]
fn nothing_that_a_repository_says_can_drive_a_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}";
    let room = Room::tiny();
    let diff = lib_diff("    return a + b;", "    unsafe { a.unchecked_add(b) }");
    let message = format!("Plain{evil}");
    let id = room.try_diff(&diff, &["--message", &message]).expect(3).patch("ASKED");
    let lib = replaced(shapes::LIB, "return a + b;", "panic!(\"\\u{1b}[31mred\\u{1b}[0m\\u{7}\");");
    room.write("src/lib.rs", &lib);
    room.write("\u{1b}[7mfile.txt", "x\n");
    room.commit(&format!("Subject {evil}"));
    room.git(&["branch", "-m", "main", "b\u{202e}ranch"]);
    for args in [
        &["status"][..],
        &["log"],
        &["show", &id],
        &["run-cycle"],
        &["log", "--last", "999"],
        &["doctor"],
        &["run-cycle", "--base", "\u{1b}[2Jx"],
    ] {
        let said = room.kaizen(args);
        let printed = format!("{}{}", said.out, said.err);
        let odd: Vec<char> = printed.chars().filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}').collect();
        assert!(odd.is_empty(), "{args:?} printed {odd:?}:\n{}", printed.escape_debug());
    }
}
