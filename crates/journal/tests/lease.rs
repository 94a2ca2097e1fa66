//! Leases in one process, by a clock that the test moves: exclusion, expiry, fencing.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use kaizen_journal::{Journal, JournalError};

fn fenced<T: std::fmt::Debug>(result: Result<T, JournalError>) -> (u64, u64) {
    match result {
        Err(JournalError::Fenced { token, newest, .. }) => (token, newest),
        other => panic!("expected a fence, got {other:?}"),
    }
}

#[test]
fn a_lease_excludes_others_until_its_deadline_and_fences_its_late_holder() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let mut one = Journal::open_with(dir.path(), impatient(&clock)).unwrap();
    let mut two = Journal::open_with(dir.path(), impatient(&clock)).unwrap();
    let late = one.acquire(REPO, TTL).unwrap();
    clock.advance(TTL - Duration::from_secs(1));
    match two.acquire(REPO, TTL) {
        Err(JournalError::Leased { pid, held_for, expires_in, .. }) => {
            assert_eq!(pid, std::process::id());
            assert_eq!((held_for, expires_in), (TTL - Duration::from_secs(1), Duration::from_secs(1)));
        }
        other => panic!("{other:?}"),
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(two.holder(REPO).unwrap(), None);
    let newer = two.acquire(REPO, TTL).unwrap();
    assert_eq!((late.token(), newer.token()), (1, 2));
    assert_eq!(fenced(append(&mut one, &late, &[started(1)])), (1, 2));
    assert_eq!(fenced(one.check(&late)), (1, 2));
    assert_eq!(fenced(one.renew(&late)), (1, 2));
    assert_eq!(fenced(one.keep_answer(&late, "k", "b")), (1, 2));
    assert_eq!(fenced(one.release(late)), (1, 2));
    assert_eq!((all(&one).len(), one.answer("k").unwrap()), (0, None));
    append(&mut two, &newer, &[started(1)]).unwrap();
}

#[test]
fn every_write_under_a_lease_extends_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let mut journal = Journal::open_with(dir.path(), impatient(&clock)).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    let left = |journal: &Journal| journal.holder(REPO).unwrap().unwrap().expires_in;
    clock.advance(TTL / 4);
    journal.check(&lease).unwrap();
    assert_eq!(left(&journal), TTL * 3 / 4, "more than half is left: a check writes nothing");
    clock.advance(TTL / 2);
    journal.check(&lease).unwrap();
    assert_eq!(left(&journal), TTL);
    for write in 0..3 {
        clock.advance(TTL / 2);
        match write {
            0 => journal.renew(&lease).unwrap(),
            1 => journal.keep_answer(&lease, "k", "b").unwrap(),
            _ => drop(append(&mut journal, &lease, &[started(1)]).unwrap()),
        }
        assert_eq!(left(&journal), TTL);
    }
}

#[test]
fn a_holder_that_is_late_but_not_superseded_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let mut journal = Journal::open_with(dir.path(), impatient(&clock)).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    clock.advance(TTL * 3);
    append(&mut journal, &lease, &[started(1)]).unwrap();
    assert!(matches!(journal.acquire(REPO, TTL), Err(JournalError::Leased { .. })));
}

#[test]
fn a_released_lease_is_free_at_once_and_its_token_is_never_given_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut tokens = Vec::new();
    for _ in 0..4 {
        let mut journal = Journal::open(dir.path()).unwrap();
        let lease = journal.acquire(REPO, TTL).unwrap();
        tokens.push(lease.token());
        let copy = lease.clone();
        journal.release(lease).unwrap();
        fenced(append(&mut journal, &copy, &[started(1)]));
        fenced(journal.check(&copy));
    }
    assert_eq!(tokens, [1, 2, 3, 4]);
}

#[test]
fn leases_of_other_repositories_are_independent() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let one = journal.acquire(REPO, TTL).unwrap();
    let two = journal.acquire("repo-2", TTL).unwrap();
    assert_eq!(append(&mut journal, &two, &[started(2)]).unwrap()[0].repo, "repo-2");
    journal.release(two).unwrap();
    append(&mut journal, &one, &[started(1)]).unwrap();
}

#[test]
fn a_token_of_a_journal_that_was_set_aside_means_nothing_in_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let old = Journal::open(dir.path()).unwrap().acquire(REPO, TTL).unwrap();
    Journal::set_aside(dir.path()).unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let new = journal.acquire(REPO, TTL).unwrap();
    assert_eq!(old.token(), new.token());
    fenced(append(&mut journal, &old, &[started(1)]));
    append(&mut journal, &new, &[started(1)]).unwrap();
}
