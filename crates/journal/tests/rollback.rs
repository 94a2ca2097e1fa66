//! A journal that is not the newest is told from one that a crash left behind; the first is refused, the second goes on.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;

use common::*;
use kaizen_journal::{Journal, JournalError};
use tempfile::TempDir;

const DATABASE: &str = "journal.sqlite";
const HEAD: &str = "journal.head";

fn step(dir: &Path, n: u8) {
    let mut journal = Journal::open(dir).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    append(&mut journal, &lease, &[started(n), finished(n)]).unwrap();
    journal.release(lease).unwrap();
}

/// The database and the anchor, as bytes.
type Copies = (Vec<u8>, Vec<u8>);

/// A journal of three steps, with copies as they were after each.
fn history() -> (TempDir, Vec<Copies>) {
    let dir = tempfile::tempdir().unwrap();
    let history = (0..3).map(|n| {
        step(dir.path(), n);
        (fs::read(dir.path().join(DATABASE)).unwrap(), fs::read(dir.path().join(HEAD)).unwrap())
    });
    let history = history.collect();
    (dir, history)
}

fn is_refused(dir: &Path) {
    for error in [Journal::open(dir).map(drop).unwrap_err(), Journal::open_read_only(dir).map(drop).unwrap_err()] {
        assert!(matches!(error, JournalError::RolledBack { .. }), "{error}");
    }
}

#[test]
fn an_older_copy_of_the_database_is_refused() {
    let (dir, history) = history();
    for (old, _) in &history[..2] {
        fs::write(dir.path().join(DATABASE), old).unwrap();
        is_refused(dir.path());
        assert_eq!(&fs::read(dir.path().join(DATABASE)).unwrap(), old, "it was written to");
    }
    fs::write(dir.path().join(DATABASE), &history[2].0).unwrap();
    step(dir.path(), 3);
}

#[test]
fn a_database_that_is_gone_empty_or_of_another_journal_is_refused() {
    let (dir, _) = history();
    let (_other, others) = history_of_another();
    fs::write(dir.path().join(DATABASE), others).unwrap();
    is_refused(dir.path());
    fs::write(dir.path().join(DATABASE), "").unwrap();
    is_refused(dir.path());
    fs::remove_file(dir.path().join(DATABASE)).unwrap();
    is_refused(dir.path());
    assert!(!dir.path().join(DATABASE).exists());
}

fn history_of_another() -> (TempDir, Vec<u8>) {
    let (dir, history) = history();
    (dir, history[2].0.clone())
}

#[test]
fn an_anchor_that_is_gone_is_refused() {
    let (dir, _) = history();
    fs::remove_file(dir.path().join(HEAD)).unwrap();
    is_refused(dir.path());
}

#[test]
fn an_older_anchor_shows_that_a_file_was_put_back() {
    let (dir, history) = history();
    fs::write(dir.path().join(HEAD), &history[1].1).unwrap();
    let error = Journal::open(dir.path()).unwrap_err();
    assert!(matches!(error, JournalError::RolledBack { .. }), "{error}");
    // Everything the older anchor promises is there: a reader may have met a writer at work.
    assert_eq!(all(&Journal::open_read_only(dir.path()).unwrap().unwrap()).len(), 6);
}

#[test]
fn an_anchor_that_is_one_step_behind_is_what_a_crash_leaves_and_is_brought_level() {
    let dir = tempfile::tempdir().unwrap();
    let head = dir.path().join(HEAD);
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    let before = fs::read(&head).unwrap();
    append(&mut journal, &lease, &[started(1), finished(1)]).unwrap();
    let after = fs::read(&head).unwrap();
    drop(journal);
    fs::write(&head, &before).unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    assert_eq!(fs::read(&head).unwrap(), after);
    assert_eq!(journal.verify().unwrap().records, 2);
    // The same between two steps of a handle that stays open.
    fs::write(&head, &before).unwrap();
    append(&mut journal, &lease, &[started(2)]).unwrap();
    assert_eq!(journal.verify().unwrap().records, 3);
    // Two steps behind is no crash: the handle stops.
    fs::write(&head, &before).unwrap();
    let error = append(&mut journal, &lease, &[started(3)]).unwrap_err();
    assert!(matches!(error, JournalError::RolledBack { .. }), "{error}");
    fs::write(&head, &after).unwrap();
    let error = append(&mut journal, &lease, &[started(3)]).unwrap_err();
    assert!(matches!(error, JournalError::Stopped { .. }), "{error}");
}

#[test]
fn a_creation_that_was_cut_off_is_taken_up_again() {
    let (dir, _) = history();
    // The file was made, nothing else.
    let fresh = tempfile::tempdir().unwrap();
    fs::write(fresh.path().join(DATABASE), "").unwrap();
    assert!(Journal::open_read_only(fresh.path()).unwrap().is_none());
    step(fresh.path(), 1);
    // The tables were made, the anchor was not.
    let fresh = tempfile::tempdir().unwrap();
    drop(Journal::open(fresh.path()).unwrap());
    fs::remove_file(fresh.path().join(HEAD)).unwrap();
    assert_eq!(all(&Journal::open_read_only(fresh.path()).unwrap().unwrap()), []);
    step(fresh.path(), 1);
    // A log without its database is never taken into a new one.
    let fresh = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join(HEAD), fresh.path().join("journal.sqlite-wal")).unwrap();
    assert!(matches!(Journal::open(fresh.path()), Err(JournalError::Corrupt { .. })));
}

#[test]
fn set_aside_moves_everything_frees_the_place_and_can_be_repeated() {
    let (dir, history) = history();
    let first = Journal::set_aside(dir.path()).unwrap();
    assert_eq!(first, dir.path().join("journal.damaged-1"));
    assert_eq!(fs::read(first.join(DATABASE)).unwrap(), history[2].0);
    assert_eq!(fs::read(first.join(HEAD)).unwrap(), history[2].1);
    assert!(matches!(Journal::set_aside(dir.path()), Err(JournalError::Missing { .. })));
    step(dir.path(), 1);
    assert_eq!(Journal::set_aside(dir.path()).unwrap(), dir.path().join("journal.damaged-2"));
    assert!(Journal::open_read_only(dir.path()).unwrap().is_none());
    assert!(matches!(Journal::set_aside(&dir.path().join("none")), Err(JournalError::Missing { .. })));
}

#[test]
fn set_aside_goes_on_where_it_was_cut_off() {
    for moved in 0..=3 {
        let (dir, _) = history();
        fs::write(dir.path().join("journal.sqlite-wal"), "log").unwrap();
        let unfinished = dir.path().join("journal.damaged-4.unfinished");
        fs::create_dir(&unfinished).unwrap();
        for name in ["journal.sqlite-wal", DATABASE, HEAD].iter().take(moved) {
            fs::rename(dir.path().join(name), unfinished.join(name)).unwrap();
        }
        if moved == 2 {
            is_refused(dir.path());
        }
        let done = Journal::set_aside(dir.path()).unwrap();
        assert_eq!(done, dir.path().join("journal.damaged-4"));
        assert_eq!(fs::read(done.join("journal.sqlite-wal")).unwrap(), b"log");
        assert!(done.join(DATABASE).exists() && done.join(HEAD).exists());
        assert!(!unfinished.exists());
        step(dir.path(), 1);
    }
}

#[test]
fn a_move_that_was_cut_off_never_swallows_the_journal_begun_after_it() {
    let (dir, history) = history();
    let done = Journal::set_aside(dir.path()).unwrap();
    fs::rename(&done, dir.path().join("journal.damaged-1.unfinished")).unwrap();
    step(dir.path(), 1);
    assert_eq!(Journal::set_aside(dir.path()).unwrap(), dir.path().join("journal.damaged-2"));
    assert_eq!(fs::read(done.join(DATABASE)).unwrap(), history[2].0);
}

#[test]
fn a_handle_whose_files_were_set_aside_stops_and_leaves_the_new_journal_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut old = Journal::open(dir.path()).unwrap();
    let lease = old.acquire(REPO, TTL).unwrap();
    Journal::set_aside(dir.path()).unwrap();
    assert!(matches!(append(&mut old, &lease, &[started(1)]), Err(JournalError::Stopped { .. })));
    step(dir.path(), 2);
    assert!(matches!(old.check(&lease), Err(JournalError::Stopped { .. })));
    drop(old);
    assert_eq!(Journal::open(dir.path()).unwrap().verify().unwrap().records, 2);
}
