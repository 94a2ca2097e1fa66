//! Repositories that cannot be worked on, or only in part: each ends with what is wrong and what to do, or with work
//! that leaves the odd part alone.

use crate::cli::shapes;
use crate::cli::support::{Room, told};

/// What the program says about a repository that it refuses.
#[track_caller]
fn refused(room: &Room, args: &[&str]) -> String {
    let said = room.kaizen(args).expect(10);
    assert_eq!(said.out, "", "nothing but the error");
    said.err
}

#[test]
fn what_is_no_git_repository() {
    let room = Room::empty();
    told!(room, refused(&room, &["run-cycle"]), @r#"
    error: <room>/work is not a git repository, nor is any folder above it
    help: name one, or make one with `git init`
    "#);
    told!(room, refused(&room, &["run-cycle", "--repo", "nowhere"]), @r#"
    error: there is no nowhere
    help: name a folder of the repository with `--repo`
    "#);
    for command in [&["status"][..], &["log"], &["init"], &["try", "-"], &["revert", "p123"], &["approve", "p123"]] {
        let error = refused(&room, command);
        assert!(error.contains("is not a git repository"), "{command:?}: {error}");
    }
}

#[test]
fn a_repository_without_commits() {
    let room = Room::empty();
    room.git(&["init", "-q", "-b", "main"]);
    told!(room, refused(&room, &["run-cycle"]), @r#"
    error: the branch main has no commits yet
    help: make a first commit: `git add -A && git commit`
    "#);
    room.kaizen(&["status"]).expect(0).says(&["no cycle has run yet"]);
}

#[test]
fn a_repository_without_a_cargo_project() {
    let room = Room::with(&[("README.md", "words\n")]);
    told!(room, refused(&room, &["run-cycle"]), @r#"
    error: commit <hash> is no cargo project: it has no Cargo.toml here
    help: Kaizen works on Rust projects; `cargo init` begins one, then commit it
    "#);
    room.write("deep/down/Cargo.toml", shapes::MANIFEST);
    room.write("deep/down/src/lib.rs", shapes::LIB);
    // What is not committed does not count: a cycle works on commits.
    assert!(!refused(&room, &["run-cycle"]).contains("deep/down"));
    room.commit("Add a project");
    told!(room, refused(&room, &["run-cycle"]), @r#"
    error: commit <hash> is no cargo project: it has no Cargo.toml here
    help: name the project's folder with `--repo`: deep/down
    "#);
}

#[test]
fn a_detached_head_lands_on_branches_and_cannot_be_merged_into() {
    let room = Room::tiny();
    room.git(&["checkout", "-q", "--detach"]);
    told!(room, refused(&room, &["run-cycle", "--landing", "merge"]), @r#"
    error: HEAD is detached, so there is no branch to merge into
    help: check out a branch, name one with `--base`, or use `--landing branch`
    "#);
    room.kaizen(&["run-cycle"]).expect(0).says(&["(detached HEAD)", "landed 2 on branch"]);
    assert_eq!(room.show(&room.landed_branch(), "src/lib.rs"), shapes::clean_lib());
}

#[test]
fn a_bare_repository_is_worked_on_with_the_settings_of_its_head() {
    let room = Room::tiny();
    room.write("kaizen.toml", "[cycle]\nmax_landings = 1\n");
    room.commit("Configure");
    let bare = room.at("bare.git").display().to_string();
    room.git(&["clone", "-q", "--bare", ".", &bare]);
    room.kaizen(&["run-cycle", "--repo", &bare]).expect(0).says(&["landed 1 on branch"]);
    room.kaizen(&["run-cycle", "--repo", &bare, "--landing", "merge", "--max-landings", "9"])
        .expect(0)
        .says(&["on main"]);
    let text = room.git_in(std::path::Path::new(&bare), &["show", "main:src/lib.rs"]);
    assert!(text.contains("a + b\n") || text.contains("is_empty"), "{text}");
    room.kaizen(&["init", "--repo", &bare]).expect(10).says(&["is bare", "run it in a clone"]);
}

#[test]
fn a_shallow_clone_is_worked_on_and_doctor_says_what_it_lacks() {
    let room = Room::tiny();
    room.commit("Another");
    let shallow = room.at("shallow").display().to_string();
    let source = format!("file://{}", room.repo.display());
    room.git(&["clone", "-q", "--depth", "1", &source, &shallow]);
    room.kaizen(&["doctor", "--repo", &shallow]).says(&["shallow, so the ages of lines are not"]);
    room.kaizen(&["run-cycle", "--repo", &shallow]).expect(0).says(&["landed 2"]);
}

#[test]
fn a_rebase_in_progress_is_left_alone_and_another_branch_can_be_named() {
    let room = Room::tiny();
    room.write("x", "one\n");
    room.commit("One");
    room.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
    room.write("x", "two\n");
    room.commit("Two");
    let rebase = room.git_may_fail(&room.repo, &["rebase", "main"]);
    assert!(!rebase.status.success(), "the rebase stops at a conflict");
    let before = room.git(&["status"]);
    told!(room, refused(&room, &["run-cycle"]), @r#"
    error: a rebase is in progress, so HEAD is no place to start from
    help: finish or abort it, or name the branch to work on: `--base main`
    "#);
    room.kaizen(&["run-cycle", "--base", "main"]).expect(0).says(&["(main", "landed 2"]);
    assert_eq!(room.git(&["status"]), before);
}

#[test]
fn submodules_are_left_out_and_what_needs_them_is_said() {
    let library = Room::tiny();
    let room = Room::tiny();
    let source = library.repo.display().to_string();
    room.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &source, "sub"]);
    room.commit("Add a submodule");
    room.kaizen(&["doctor"]).says(&["1 submodule left out"]);
    room.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0).says(&["landed 1"]);
    assert_eq!(room.git(&["ls-tree", &room.landed_branch(), "sub"]), room.git(&["ls-tree", "main", "sub"]));

    let uses = shapes::manifest("user", "2021", "tiny = { path = \"sub\" }\n");
    room.write("Cargo.toml", &uses);
    std::fs::remove_file(room.repo.join("Cargo.lock")).expect("gone");
    room.commit("Use the submodule");
    for _ in 0..2 {
        let said = room.kaizen(&["run-cycle"]);
        assert!(matches!(said.code, 10 | 11), "{}\n{}", said.out, said.err);
        said.says(&["sub", "submodules"]);
    }
    // Once it is mended, the cycle that failed stands in nobody's way.
    room.git(&["revert", "--no-edit", "HEAD"]);
    room.kaizen(&["run-cycle"]).expect(0).says(&["base      builds"]);
}

#[test]
fn a_base_that_is_no_branch_and_no_commit() {
    let room = Room::tiny();
    room.git(&["branch", "feature"]);
    told!(room, refused(&room, &["run-cycle", "--base", "featur"]), @r#"
    error: "featur" is neither a branch nor a commit of this repository
    help: did you mean feature?
    "#);
    room.kaizen(&["run-cycle", "--base", &room.rev("main")[..10], "--dry-run"]).expect(0).says(&["would have"]);
}

#[test]
fn a_repository_with_hashes_that_cannot_be_read_is_refused_by_name() {
    let room = Room::empty();
    room.git(&["init", "-q", "-b", "main", "--object-format=sha256"]);
    room.write("Cargo.toml", shapes::MANIFEST);
    room.write("src/lib.rs", shapes::LIB);
    room.commit("Begin");
    let error = refused(&room, &["run-cycle"]);
    assert!(error.to_lowercase().contains("sha256") || error.to_lowercase().contains("sha-256"), "{error}");
    assert!(error.contains("\nhelp: "), "{error}");
}
