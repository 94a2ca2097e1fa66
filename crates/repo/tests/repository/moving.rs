//! Moving refs by compare-and-swap: what is moved, what is refused, and that git agrees with all of it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use kaizen_domain::names::{CommitId, RefName};
use kaizen_repo::{Moved, RefMove, Repo, RepoError};

use crate::support::{Fixture, assert_untouched, branch, commit, fingerprint, hermetic};

#[test]
fn a_ref_moves_from_exactly_where_it_was_expected() {
    let fixture = Fixture::new();
    let (repo, base) = (fixture.repo(), fixture.head());
    let (one, two) = (fixture.with_file(&base, "f", "1"), fixture.with_file(&base, "f", "2"));
    let name = branch("kaizen/x");
    let ours = [".git/objects", ".git/refs/heads/kaizen", ".git/logs/refs/heads/kaizen"];
    let before = fingerprint(fixture.path(), &ours);
    assert_eq!(repo.move_ref(&name, None, &one, "made").unwrap(), Moved::Now);
    assert_eq!(repo.move_ref(&name, None, &one, "made").unwrap(), Moved::Already);
    let error = repo.move_ref(&name, None, &two, "again").unwrap_err();
    assert!(matches!(&error, RepoError::RefMoved { found: Some(found), .. } if *found == one), "{error:?}");
    let error = repo.move_ref(&name, Some(&base), &two, "wrong").unwrap_err();
    assert!(error.to_string().contains(one.as_str()) && error.to_string().contains(base.as_str()), "{error}");
    assert_eq!(repo.ref_target(&name).unwrap(), Some(one.clone()));
    assert_eq!(repo.move_ref(&name, Some(&one), &two, "line\nbreak\0 <x>").unwrap(), Moved::Now);
    assert_eq!(fixture.git(["rev-parse", "kaizen/x"]), two.as_str());
    let log = fixture.git(["reflog", "show", "--format=%H %gs", "kaizen/x"]);
    assert_eq!(log, format!("{two} line break x\n{one} made"));
    assert_untouched(fixture.path(), &ours, &before);
    assert_eq!(fixture.git(["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_deleted_branch_stays_deleted_and_unknown_commits_are_refused() {
    let fixture = Fixture::new();
    let (repo, base) = (fixture.repo(), fixture.head());
    let one = fixture.with_file(&base, "f", "1");
    let error = repo.move_ref(&branch("gone"), Some(&base), &one, "x").unwrap_err();
    assert!(matches!(error, RepoError::RefMoved { found: None, .. }), "{error:?}");
    assert_eq!(repo.ref_target(&branch("gone")).unwrap(), None);
    let nowhere = commit(&"4".repeat(40));
    assert!(matches!(repo.move_ref(&branch("x"), None, &nowhere, "x"), Err(RepoError::UnknownCommit { .. })));
    let tree = commit(repo.tree_of(&base).unwrap().as_str());
    assert!(repo.move_ref(&branch("x"), None, &tree, "x").is_err());
}

#[test]
fn packed_refs_move_and_go_and_no_other_is_lost() {
    let fixture = Fixture::new();
    let (repo, base) = (fixture.repo(), fixture.head());
    let one = fixture.with_file(&base, "f", "1");
    for name in ["a", "b", "b2"] {
        fixture.git(["branch", name]);
    }
    fixture.git(["tag", "-a", "t", "-m", "t"]);
    fixture.git(["pack-refs", "--all"]);
    assert_eq!(repo.move_ref(&branch("a"), Some(&base), &one, "x").unwrap(), Moved::Now);
    repo.delete_ref(&branch("b"), &base).unwrap();
    repo.delete_ref(&branch("b"), &base).unwrap();
    let error = repo.delete_ref(&branch("a"), &base).unwrap_err();
    assert!(matches!(error, RepoError::RefMoved { .. }), "{error:?}");
    repo.delete_ref(&branch("a"), &one).unwrap();
    let left = fixture.git(["for-each-ref", "--format=%(refname) %(objecttype)"]);
    assert_eq!(left, "refs/heads/b2 commit\nrefs/heads/main commit\nrefs/tags/t tag");
    assert_eq!(fixture.git(["rev-parse", "t^{commit}"]), base.as_str());
    assert!(!fixture.path().join(".git/logs/refs/heads/a").exists());
    assert_eq!(fixture.repo().ref_target(&branch("a")).unwrap(), None);
}

#[test]
fn deleting_a_ref_leaves_no_empty_folders_in_the_way() {
    let fixture = Fixture::new();
    let (repo, base) = (fixture.repo(), fixture.head());
    repo.move_ref(&branch("k/c1/p1"), None, &base, "x").unwrap();
    repo.delete_ref(&branch("k/c1/p1"), &base).unwrap();
    assert!(!fixture.path().join(".git/refs/heads/k").exists());
    assert!(!fixture.path().join(".git/logs/refs/heads/k").exists());
    std::fs::create_dir_all(fixture.path().join(".git/refs/heads/k/empty")).unwrap();
    assert_eq!(repo.move_ref(&branch("k"), None, &base, "x").unwrap(), Moved::Now);
}

#[test]
fn a_name_that_would_be_a_folder_of_another_is_refused() {
    let fixture = Fixture::new();
    let (repo, base) = (fixture.repo(), fixture.head());
    repo.move_ref(&branch("a/b"), None, &base, "x").unwrap();
    for packed in [false, true] {
        if packed {
            fixture.git(["pack-refs", "--all"]);
        }
        for name in ["a", "a/b/c", "main/x"] {
            let error = repo.move_ref(&branch(name), None, &base, "x").unwrap_err();
            assert!(matches!(error, RepoError::RefNameTaken { .. }), "{name} packed {packed}: {error:?}");
        }
    }
}

#[test]
fn refs_that_are_not_plain_are_left_alone() {
    let fixture = Fixture::new();
    let (repo, base) = (fixture.repo(), fixture.head());
    let one = fixture.with_file(&base, "f", "1");
    fixture.git(["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    let worktree_ref = RefName::new("refs/bisect/bad").unwrap();
    for name in [&branch("alias"), &worktree_ref] {
        let error = repo.move_ref(name, Some(&base), &one, "x").unwrap_err();
        assert!(matches!(error, RepoError::NotACommitRef { .. }), "{error:?}");
    }
    assert_eq!(repo.ref_target(&branch("alias")).unwrap(), Some(base.clone()));
    assert_eq!(repo.ref_target(&branch("main")).unwrap(), Some(base.clone()));
    let listed: Vec<_> = repo.refs_under("refs/heads/").unwrap();
    assert_eq!(listed, [(branch("main"), base)]);
}

#[test]
fn several_refs_move_together_or_not_at_all() {
    let fixture = Fixture::new();
    let (repo, base) = (fixture.repo(), fixture.head());
    let one = fixture.with_file(&base, "f", "1");
    let to = |name: &str, from: Option<&CommitId>| RefMove { name: branch(name), from: from.cloned(), to: one.clone() };
    let wrong = [to("a", None), to("main", Some(&one)), to("z", None)];
    assert!(matches!(repo.move_refs(&wrong, "x"), Err(RepoError::RefMoved { .. })));
    assert_eq!(repo.refs_under("refs/").unwrap(), [(branch("main"), base.clone())]);
    let right = [to("z", None), to("main", Some(&base)), to("a", None)];
    // What a call that was killed between two refs leaves behind.
    repo.move_ref(&branch("z"), None, &one, "x").unwrap();
    assert_eq!(repo.move_refs(&right, "x").unwrap(), Moved::Now);
    assert_eq!(repo.move_refs(&right, "x").unwrap(), Moved::Already);
    assert_eq!(repo.refs_under("refs/heads/").unwrap().len(), 3);
    assert!(repo.refs_under("refs/heads/").unwrap().iter().all(|(_, id)| *id == one));
    let head_log = fixture.git(["reflog", "show", "--format=%H", "HEAD"]);
    assert!(head_log.starts_with(one.as_str()), "HEAD is on main, so its log has the move: {head_log}");
    let twice = [to("q", None), to("q", None)];
    assert!(matches!(repo.move_refs(&twice, "x"), Err(RepoError::RefNamedTwice { .. })));
}

/// How the processes of the race talk: the parent writes where the branch stands, a child answers how it went.
const CHILD: &str = "KAIZEN_REPO_TEST_RACER";

#[test]
#[ignore = "run by another test, as a process of its own"]
fn racer() {
    hermetic();
    let Some(path) = std::env::var_os(CHILD) else { return };
    let mut answers = std::io::stdout();
    for (round, line) in std::io::stdin().lines().enumerate() {
        let base = commit(&line.unwrap());
        let repo = Repo::open(path.as_ref()).unwrap();
        let message = format!("{} {round}", std::process::id());
        let new = kaizen_repo::NewCommit {
            parents: vec![base.clone()],
            base: base.clone(),
            changes: &[],
            message,
            seconds: 0,
        };
        let (mine, _) = repo.commit(&new).unwrap();
        let answer = match repo.move_ref(&branch("main"), Some(&base), &mine, "race") {
            Ok(Moved::Now) => format!("won {mine}"),
            Err(RepoError::RefMoved { .. }) => "lost".to_owned(),
            other => format!("odd {other:?}"),
        };
        writeln!(answers, "ANSWER {answer}").unwrap();
    }
}

fn start_racer(fixture: &Fixture) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["moving::racer", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, fixture.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn of_eight_processes_that_race_exactly_one_wins_each_round() {
    let fixture = Fixture::new();
    fixture.git(["pack-refs", "--all"]);
    let mut children: Vec<_> = (0..8).map(|_| start_racer(&fixture)).collect();
    let mut outputs: Vec<_> = children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap())).collect();
    let mut base = fixture.head();
    for round in 0..25 {
        for child in &mut children {
            writeln!(child.stdin.as_mut().unwrap(), "{base}").unwrap();
        }
        let mut winners = Vec::new();
        for output in &mut outputs {
            let answer = output
                .lines()
                .map(Result::unwrap)
                .find_map(|line| line.split_once("ANSWER ").map(|(_, answer)| answer.to_owned()));
            let answer = answer.unwrap();
            match answer.strip_prefix("won ") {
                Some(id) => winners.push(commit(id)),
                None => assert_eq!(answer, "lost"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(fixture.repo().ref_target(&branch("main")).unwrap(), winners.first().cloned());
        base = winners.remove(0);
    }
    for mut child in children {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(fixture.git(["rev-list", "--count", "main"]), "26");
    let left: Vec<_> = std::fs::read_dir(fixture.path().join(".git"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("kaizen-"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}
