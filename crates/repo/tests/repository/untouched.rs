//! That nothing a repository can name ever runs, and that nothing but what was asked for is ever touched.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kaizen_domain::OpportunityKind;

use crate::support::{Fixture, assert_untouched, branch, fingerprint, rel};

const HOOKS: [&str; 28] = [
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "p4-changelist",
    "p4-post-changelist",
    "p4-pre-submit",
    "p4-prepare-changelist",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

/// Sets a trap wherever git would run a program that the repository names; each would make the file `marker`.
fn set_traps(fixture: &Fixture) -> std::path::PathBuf {
    let marker = fixture.beside("marker");
    let trap = fixture.beside("trap.sh");
    executable(&trap, &format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", marker.display()));
    let trap = trap.to_str().unwrap();
    for hook in HOOKS {
        std::os::unix::fs::symlink(trap, fixture.path().join(".git/hooks").join(hook)).unwrap();
    }
    for key in [
        "core.fsmonitor",
        "core.editor",
        "core.pager",
        "core.sshCommand",
        "core.askPass",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "merge.x.driver",
        "gpg.program",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "alias.status",
        "alias.commit",
        "sequence.editor",
        "trailer.x.command",
    ] {
        fixture.git(["config", key, trap]);
    }
    fixture.git(["config", "commit.gpgSign", "true"]);
    fixture.git(["config", "filter.x.required", "true"]);
    marker
}

fn executable(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A repository with hooks, filters and the like, and with uncommitted work of every kind.
fn trapped() -> (Fixture, std::path::PathBuf) {
    let fixture = Fixture::new();
    std::fs::remove_dir_all(fixture.path().join(".git/hooks")).unwrap();
    std::fs::create_dir(fixture.path().join(".git/hooks")).unwrap();
    fixture.write("x.txt", "x\n");
    fixture.write(".gitattributes", "*.txt filter=x diff=x merge=x\n");
    fixture.commit_all("Attributes");
    fixture.write("README.md", "stashed");
    fixture.git(["stash", "-q"]);
    fixture.write("Cargo.toml", "unstaged");
    fixture.write("staged", "staged");
    fixture.git(["add", "staged"]);
    fixture.write("untracked.txt", "untracked");
    let marker = set_traps(&fixture);
    (fixture, marker)
}

#[test]
fn the_traps_do_catch_the_git_program() {
    let (fixture, marker) = trapped();
    fixture.write("x.txt", "y\n");
    crate::support::try_git_in(fixture.path(), ["add", "x.txt"]);
    assert!(marker.exists(), "the traps must work, or the other tests prove nothing");
}

#[test]
fn reading_touches_nothing_and_runs_nothing() {
    let (fixture, marker) = trapped();
    let (from, to) = (fixture.head(), fixture.git(["rev-parse", "HEAD~1"]).parse().unwrap());
    let before = fingerprint(&fixture.beside(""), &[]);
    let without_objects = fingerprint(&fixture.beside(""), &["project/.git/objects"]);
    let repo = fixture.repo();
    assert_eq!(repo.condition().unwrap().dirty, 3);
    repo.commit_of("main").unwrap();
    repo.commit_of("mian").unwrap_err();
    repo.ref_target(&branch("main")).unwrap();
    repo.tree_of(&from).unwrap();
    repo.read(&from, &rel("x.txt")).unwrap();
    repo.files(&from).unwrap();
    repo.changes(&from, &to).unwrap();
    assert!(repo.diff_text(&from, &to).unwrap().contains("-x\n"));
    repo.stat(&from, &to).unwrap();
    repo.merge_base(&from, &to).unwrap();
    repo.is_ancestor(&from, &to).unwrap();
    repo.refs_under("refs/").unwrap();
    repo.checked_out(&branch("main")).unwrap();
    repo.line_ages(&from, &rel("x.txt"), &[1]).unwrap();
    assert_eq!(repo.message_style(&from).unwrap().subject(OpportunityKind::Repair, "x"), "X");
    repo.trailers(100).unwrap();
    assert_eq!((repo.key().len(), repo.name(), repo.top().is_some()), (16, "project".to_owned(), true));
    assert_untouched(&fixture.beside(""), &[], &before);
    // Objects that a merge would make and that are there already get a newer time, as git does it.
    repo.carry(&to, &from, &from).unwrap();
    assert_untouched(&fixture.beside(""), &["project/.git/objects"], &without_objects);
    repo.export(&from, &fixture.beside("export")).unwrap();
    assert_untouched(&fixture.beside(""), &["export", "project/.git/objects"], &without_objects);
    assert!(!marker.exists(), "{:?}", std::fs::read_to_string(&marker));
}

#[test]
fn writing_objects_and_refs_touches_nothing_of_the_person_and_runs_nothing() {
    let (fixture, marker) = trapped();
    let base = fixture.head();
    let ours = [".git/objects", ".git/refs/heads/kaizen", ".git/logs/refs/heads/kaizen"];
    let before = fingerprint(&fixture.path().join(""), &ours);
    let repo = fixture.repo();
    let made = fixture.with_file(&base, "x.txt", "kaizen\n");
    repo.move_ref(&branch("kaizen/x"), None, &base, "x").unwrap();
    repo.move_ref(&branch("kaizen/x"), Some(&base), &made, "x").unwrap();
    assert_untouched(fixture.path(), &ours, &before);
    repo.delete_ref(&branch("kaizen/x"), &made).unwrap();
    assert_untouched(fixture.path(), &ours, &before);
    assert!(!marker.exists(), "{:?}", std::fs::read_to_string(&marker));
}

#[test]
fn moving_a_work_tree_runs_nothing() {
    let fixture = Fixture::new();
    std::fs::remove_dir_all(fixture.path().join(".git/hooks")).unwrap();
    std::fs::create_dir(fixture.path().join(".git/hooks")).unwrap();
    fixture.write("x.txt", "x\n");
    fixture.write(".gitattributes", "*.txt filter=x diff=x merge=x\n");
    let from = fixture.commit_all("Attributes");
    let marker = set_traps(&fixture);
    let filtered = fixture.with_file(&from, "x.txt", "y\n");
    let plain = fixture.with_file(&from, "README.md", "y\n");
    assert!(fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &filtered).is_err());
    fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &plain).unwrap();
    assert_eq!(fixture.text("README.md"), "y\n");
    assert_eq!(fixture.repo().ref_target(&branch("main")).unwrap(), Some(plain));
    assert!(!marker.exists(), "{:?}", std::fs::read_to_string(&marker));
}
