//! Lock files: of somebody else, waited for and never deleted; of a Kaizen that was killed, taken away.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use kaizen_repo::{Moved, Repo, RepoError};

use crate::support::{Fixture, branch, commit, hermetic};

#[test]
fn a_stale_lock_of_somebody_else_is_named_and_stays() {
    let fixture = Fixture::new();
    let base = fixture.head();
    let one = fixture.with_file(&base, "f", "1");
    let repo = fixture.repo().with_lock_wait(Duration::from_millis(50));
    let lock = fixture.path().join(".git/refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    for result in
        [repo.move_ref(&branch("main"), Some(&base), &one, "x").map(drop), repo.delete_ref(&branch("main"), &base)]
    {
        let error = result.unwrap_err();
        assert!(matches!(&error, RepoError::RefLocked { path, .. } if *path == lock), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("main.lock") && text.contains("no running process") && text.contains("delete"), "{text}");
    }
    assert!(lock.exists());
    assert_eq!(fixture.head(), base);
    std::fs::remove_file(&lock).unwrap();
    let held = std::fs::File::create(&lock).unwrap();
    let error = repo.move_ref(&branch("main"), Some(&base), &one, "x").unwrap_err();
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(held);
}

#[test]
fn a_lock_on_the_packed_refs_stops_a_deletion_before_anything_is_gone() {
    let fixture = Fixture::new();
    let base = fixture.head();
    fixture.git(["branch", "x"]);
    fixture.git(["pack-refs", "--all"]);
    let lock = fixture.path().join(".git/packed-refs.lock");
    std::fs::write(&lock, "").unwrap();
    let repo = fixture.repo().with_lock_wait(Duration::from_millis(50));
    let error = repo.delete_ref(&branch("x"), &base).unwrap_err();
    assert!(matches!(&error, RepoError::RefLocked { path, .. } if *path == lock), "{error:?}");
    assert_eq!(repo.ref_target(&branch("x")).unwrap(), Some(base.clone()));
    // Moving needs no lock on the packed refs.
    let one = fixture.with_file(&base, "f", "1");
    assert_eq!(repo.move_ref(&branch("x"), Some(&base), &one, "x").unwrap(), Moved::Now);
    assert!(lock.exists());
}

#[test]
fn a_lock_that_is_released_in_time_is_waited_for() {
    let fixture = Fixture::new();
    let base = fixture.head();
    let one = fixture.with_file(&base, "f", "1");
    let raw = fixture.raw();
    let mut held = raw.transaction().unwrap();
    held.lock_ref("refs/heads/main").unwrap();
    let path = fixture.path().to_path_buf();
    let (base_there, one_there) = (base.clone(), one.clone());
    let mover = std::thread::spawn(move || {
        let repo = Repo::open(&path).unwrap().with_lock_wait(Duration::from_secs(600));
        repo.move_ref(&branch("main"), Some(&base_there), &one_there, "x").unwrap()
    });
    while !has_private_file(&fixture.path().join(".git")) {
        std::thread::yield_now();
    }
    assert_eq!(fixture.head(), base);
    drop(held);
    assert_eq!(mover.join().unwrap(), Moved::Now);
    assert_eq!(fixture.head(), one);
}

fn has_private_file(git_dir: &Path) -> bool {
    std::fs::read_dir(git_dir)
        .unwrap()
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("kaizen-lock-"))
}

const CHILD: &str = "KAIZEN_REPO_TEST_MOVER";

/// Moves a branch to and fro until it is killed, and tells of every move.
#[test]
#[ignore = "run by another test, as a process of its own"]
fn mover() {
    hermetic();
    let Some(places) = std::env::var_os(CHILD) else { return };
    let places = places.into_string().unwrap();
    let [path, one, two] = places.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let (mut one, mut two) = (commit(one), commit(two));
    let repo = Repo::open(path.as_ref()).unwrap();
    loop {
        if repo.move_ref(&branch("main"), Some(&one), &two, "to and fro").is_err() {
            // An earlier child was killed between the two: start from the other end.
            repo.move_ref(&branch("main"), Some(&two), &one, "to and fro").unwrap();
        }
        std::mem::swap(&mut one, &mut two);
        println!("MOVED");
        std::io::stdout().flush().unwrap();
    }
}

#[test]
fn a_process_killed_in_the_middle_leaves_no_lock_that_stops_the_next_one() {
    let fixture = Fixture::new();
    let base = fixture.head();
    let one = fixture.with_file(&base, "f", "1");
    for round in 0..20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["locks::mover", "--exact", "--ignored", "--nocapture"])
            .env(CHILD, format!("{}\n{base}\n{one}", fixture.path().display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let moved = lines.map_while(Result::ok).filter(|line| line.contains("MOVED")).take(1 + round % 5).count();
        assert_eq!(moved, 1 + round % 5, "the child must get as far as being killed");
        child.kill().unwrap();
        child.wait().unwrap();
        let repo = fixture.repo().with_lock_wait(Duration::ZERO);
        let stands = repo.ref_target(&branch("main")).unwrap().unwrap();
        assert!(stands == base || stands == one);
        let next = if stands == base { &one } else { &base };
        assert_eq!(repo.move_ref(&branch("main"), Some(&stands), next, "after").unwrap(), Moved::Now);
        assert!(!has_private_file(&fixture.path().join(".git")), "round {round} left something behind");
    }
    assert_eq!(fixture.git(["fsck", "--strict", "--no-dangling"]), "");
}
