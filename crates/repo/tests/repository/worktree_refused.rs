//! When a work tree must not move: whatever a person has in it stays, byte for byte, and the error says what it was.

use std::path::PathBuf;
use std::time::Duration;

use kaizen_domain::edit::{FileMode, FileState};
use kaizen_domain::names::CommitId;
use kaizen_repo::RepoError;

use crate::support::{Fixture, assert_untouched, branch, change, file, fingerprint, try_git_in};

/// A commit after HEAD that changes one file and adds one.
fn next(fixture: &Fixture) -> CommitId {
    let changes = [change("README.md", file("# X\n"), file("# Y\n")), change("new/a.rs", None, file("a\n"))];
    fixture.change(&fixture.head(), &changes, "Next")
}

/// Prepares a repository, tries to move its work tree, and checks that it is refused and that nothing was touched.
fn refused(prepare: impl FnOnce(&Fixture)) -> RepoError {
    let fixture = Fixture::new();
    let from = fixture.head();
    let to = next(&fixture);
    prepare(&fixture);
    refused_from(&fixture, &from, &to)
}

fn refused_from(fixture: &Fixture, from: &CommitId, to: &CommitId) -> RepoError {
    let before = fingerprint(fixture.path(), &[".git/objects"]);
    let repo = fixture.repo().with_lock_wait(Duration::from_millis(50));
    let error = repo.update_worktree(fixture.path(), &branch("main"), from, to).unwrap_err();
    assert_untouched(fixture.path(), &[".git/objects"], &before);
    error
}

#[test]
fn any_change_of_a_person_stands_in_the_way() {
    type Prepare = fn(&Fixture);
    let cases: [(&str, Prepare); 10] = [
        ("README.md", |fixture| fixture.write("README.md", "mine")),
        ("Cargo.toml", |fixture| fixture.write("Cargo.toml", "mine, and not in the change")),
        ("src/lib.rs", |fixture| std::fs::remove_file(fixture.path().join("src/lib.rs")).unwrap()),
        ("Cargo.toml", |fixture| {
            fixture.write("Cargo.toml", "staged");
            fixture.git(["add", "Cargo.toml"]);
        }),
        ("Cargo.toml", |fixture| {
            // Staged, and put back in the work tree: only the index has it.
            let text = fixture.text("Cargo.toml");
            fixture.write("Cargo.toml", "staged");
            fixture.git(["add", "Cargo.toml"]);
            fixture.write("Cargo.toml", text);
        }),
        ("staged", |fixture| {
            fixture.write("staged", "x");
            fixture.git(["add", "staged"]);
        }),
        ("new/a.rs", |fixture| fixture.write("new/a.rs", "untracked")),
        ("new/a.rs", |fixture| {
            fixture.write(".git/info/exclude", "new\n");
            fixture.write("new/a.rs", "ignored, and still mine");
        }),
        ("new/a.rs", |fixture| fixture.write("new", "a file where a folder is to be")),
        ("new/a.rs", |fixture| fixture.write("new/a.rs/b", "a folder where a file is to be")),
    ];
    for (path, prepare) in cases {
        let error = refused(prepare);
        assert!(matches!(&error, RepoError::WorkTreeDirty { paths, .. } if paths == &[path]), "{path}: {error:?}");
        assert!(error.to_string().contains("commit or stash"), "{error}");
    }
}

#[test]
fn a_folder_that_is_a_link_out_of_the_tree_is_not_followed() {
    let fixture = Fixture::new();
    let (from, outside) = (fixture.head(), fixture.beside("outside"));
    let to = next(&fixture);
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, fixture.path().join("new")).unwrap();
    let error = refused_from(&fixture, &from, &to);
    assert!(matches!(error, RepoError::WorkTreeDirty { .. }), "{error:?}");
    assert_eq!(std::fs::read_dir(outside).unwrap().count(), 0);
}

#[test]
fn where_git_would_convert_a_file_it_is_left_to_git() {
    let attributes = |text: &'static str| move |fixture: &Fixture| fixture.write(".git/info/attributes", text);
    for text in [
        "README.md filter=lfs\n",
        "README.md filter\n",
        "*.md text eol=crlf\n",
        "*.md eol=crlf\n",
        "*.md ident\n",
        "*.md working-tree-encoding=UTF-16\n",
    ] {
        let error = refused(attributes(text));
        assert!(matches!(&error, RepoError::WorkTreeRefused { path, .. } if path == "README.md"), "{text}: {error:?}");
    }
    for setting in [["core.autocrlf", "true"], ["core.sparseCheckout", "true"]] {
        let error = refused(|fixture| {
            fixture.git(["config", setting[0], setting[1]]);
        });
        assert!(matches!(error, RepoError::WorkTreeRefused { .. }), "{setting:?}: {error:?}");
    }
    for text in
        ["* text=auto\n", "* text\n", "*.md -text eol=crlf\n", "*.rs filter=x\n*.rs -filter\n", "* diff=x merge=y\n"]
    {
        let fixture = Fixture::new();
        let (from, to) = (fixture.head(), next(&fixture));
        attributes(text)(&fixture);
        fixture.repo().update_worktree(fixture.path(), &branch("main"), &from, &to).unwrap();
        assert_eq!(fixture.git(["status", "--porcelain"]), "", "{text}");
    }
}

#[test]
fn changes_that_need_more_than_files_are_left_to_git() {
    let state = |mode, text: &str| Some(FileState { mode, bytes: text.as_bytes().to_vec() });
    for changes in [
        vec![change(".gitattributes", None, file("* -text\n"))],
        vec![change("dep", None, state(FileMode::Submodule, &"1".repeat(40)))],
        vec![change("README.md", file("# X\n"), None), change("README.md/a", None, file("x"))],
    ] {
        let fixture = Fixture::new();
        let from = fixture.head();
        let to = fixture.change(&from, &changes, "x");
        let error = refused_from(&fixture, &from, &to);
        assert!(matches!(error, RepoError::WorkTreeRefused { .. }), "{error:?}");
    }
}

#[test]
fn files_a_person_told_git_not_to_look_at_are_left_alone() {
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        let error = refused(|fixture| {
            fixture.git(["update-index", flag, "README.md"]);
            fixture.write("README.md", "mine");
        });
        assert!(matches!(error, RepoError::WorkTreeRefused { .. } | RepoError::WorkTreeDirty { .. }), "{error:?}");
    }
}

#[test]
fn another_branch_another_repository_and_half_done_work_are_told_apart() {
    let error = refused(|fixture| {
        fixture.git(["checkout", "-q", "-b", "other"]);
    });
    assert!(matches!(&error, RepoError::WorkTreeElsewhere { found, .. } if found == "refs/heads/other"), "{error:?}");
    let error = refused(|fixture| {
        fixture.git(["checkout", "-q", "--detach"]);
    });
    assert!(matches!(error, RepoError::WorkTreeElsewhere { .. }), "{error:?}");
    let error = refused(|fixture| {
        fixture.git(["checkout", "-q", "-b", "topic"]);
        fixture.write("README.md", "topic\n");
        fixture.commit_all("Topic");
        fixture.git(["checkout", "-q", "main"]);
        let merged = try_git_in(fixture.path(), ["merge", "-q", "--no-ff", "--no-commit", "topic"]);
        assert!(merged.status.success());
    });
    assert!(matches!(&error, RepoError::InProgress { what, .. } if what == "merge"), "{error:?}");
    let (one, other) = (Fixture::new(), Fixture::new());
    other.commit_all("Another");
    let to = next(&one);
    let error = one.repo().update_worktree(other.path(), &branch("main"), &one.head(), &to).unwrap_err();
    assert!(matches!(error, RepoError::WorkTreeElsewhere { .. }), "{error:?}");
}

#[test]
fn only_forward_and_only_from_where_the_branch_stands() {
    let fixture = Fixture::new();
    let from = fixture.head();
    let (to, aside) = (next(&fixture), fixture.with_file(&from, "x", "y"));
    let error = refused_from(&fixture, &aside, &to);
    assert!(matches!(error, RepoError::NotFastForward { .. }), "{error:?}");
    let further = fixture.with_file(&to, "x", "y");
    let error = refused_from(&fixture, &to, &further);
    assert!(matches!(error, RepoError::RefMoved { .. }), "{error:?}");
}

#[test]
fn a_locked_index_is_waited_for_named_and_kept() {
    let mut lock = PathBuf::new();
    let error = refused(|fixture| {
        lock = fixture.path().join(".git/index.lock");
        std::fs::write(&lock, "").unwrap();
    });
    assert!(matches!(&error, RepoError::RefLocked { path, .. } if *path == lock), "{error:?}");
    let error = refused(|fixture| std::fs::write(fixture.path().join(".git/index"), "junk").unwrap());
    assert!(matches!(error, RepoError::WorkTreeRefused { .. }), "{error:?}");
}
