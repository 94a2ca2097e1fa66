//! What calls to models may cost: no limit is passed, whoever asks and whenever it is cut off.

mod common;

use common::*;
use kaizen_domain::{TenantId, Usd};
use kaizen_journal::{Booked, Booking, Journal, Limits, Scope};

fn booking(cycle: u8, task: &str, most: u64) -> Booking {
    let (task, day) = (task.to_owned(), "2026-11-22".to_owned());
    Booking { tenant: TenantId::local(), cycle: cycle_id(cycle), task, day, most: Usd(most) }
}

fn entry(booked: Booked) -> i64 {
    match booked {
        Booked::Entry(id) => id,
        Booked::Refused { scope, left } => panic!("refused for {scope:?}, {left} left"),
    }
}

#[test]
fn each_limit_refuses_by_its_own_name_and_what_is_settled_lower_is_free_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    let limits = Limits { task: Some(Usd(10)), cycle: Some(Usd(15)), day: Some(Usd(25)), tenant: Some(Usd(30)) };
    let mut book = |booking: &Booking| journal.book(&lease, booking, &limits).unwrap();
    let first = entry(book(&booking(1, "a", 10)));
    assert_eq!(book(&booking(1, "a", 1)), Booked::Refused { scope: Scope::Task, left: Usd(0) });
    assert_eq!(book(&booking(1, "b", 6)), Booked::Refused { scope: Scope::Cycle, left: Usd(5) });
    entry(book(&booking(1, "b", 5)));
    entry(book(&booking(2, "a", 10)));
    assert_eq!(book(&booking(3, "a", 1)), Booked::Refused { scope: Scope::Day, left: Usd(0) });
    let tomorrow = |most| Booking { day: "2026-11-23".to_owned(), ..booking(3, "a", most) };
    assert_eq!(book(&tomorrow(6)), Booked::Refused { scope: Scope::Tenant, left: Usd(5) });
    let next_month = Booking { day: "2026-12-01".to_owned(), ..booking(3, "a", 6) };
    entry(book(&next_month));
    journal.settle_booking(&lease, first, Usd(4)).unwrap();
    journal.settle_booking(&lease, first, Usd(0)).unwrap();
    assert_eq!(journal.spent(Scope::Task, &booking(1, "a", 0)).unwrap(), Usd(4), "the first settlement counts");
    assert_eq!(journal.spent(Scope::Day, &booking(1, "a", 0)).unwrap(), Usd(19));
    entry(journal.book(&lease, &booking(1, "a", 6), &limits).unwrap());
    journal.verify().unwrap();
}

#[test]
fn what_was_never_settled_counts_as_the_most_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { day: Some(Usd(100)), ..Limits::default() };
    {
        let mut journal = Journal::open(dir.path()).unwrap();
        let lease = journal.acquire(REPO, TTL).unwrap();
        entry(journal.book(&lease, &booking(1, "a", 70), &limits).unwrap());
    }
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire("repo-2", TTL).unwrap();
    let refused = journal.book(&lease, &booking(2, "a", 31), &limits).unwrap();
    assert_eq!(refused, Booked::Refused { scope: Scope::Day, left: Usd(30) });
}

#[test]
fn two_handles_at_once_never_take_the_same_money() {
    let dir = tempfile::tempdir().unwrap();
    Journal::open(dir.path()).unwrap();
    let limits = Limits { day: Some(Usd(1_000)), ..Limits::default() };
    let taken: u64 = std::thread::scope(|scope| {
        let handles: Vec<_> = ["repo-1", "repo-2", "repo-3"]
            .into_iter()
            .enumerate()
            .map(|(number, repo)| {
                let path = dir.path();
                scope.spawn(move || {
                    let mut journal = Journal::open(path).unwrap();
                    let lease = journal.acquire(repo, TTL).unwrap();
                    let cycle = u8::try_from(number + 1).unwrap();
                    let mut taken = 0;
                    for _ in 0..40 {
                        let booked = journal.book(&lease, &booking(cycle, "a", 17), &limits).unwrap();
                        taken += if matches!(booked, Booked::Entry(_)) { 17 } else { 0 };
                    }
                    taken
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).sum()
    });
    assert_eq!(taken, 986, "58 bookings of 17 fit into 1,000, and not one more");
}

#[test]
fn a_journal_of_the_first_version_is_read_as_it_is_and_upgraded_when_it_is_written_to() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut journal = Journal::open(dir.path()).unwrap();
        let lease = journal.acquire(REPO, TTL).unwrap();
        append(&mut journal, &lease, &[started(1)]).unwrap();
    }
    let raw = rusqlite::Connection::open(dir.path().join("journal.sqlite")).unwrap();
    raw.execute_batch("DROP TABLE spending").unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    drop(raw);
    std::fs::remove_file(dir.path().join("journal.seal")).unwrap();
    let reading = Journal::open_read_only(dir.path()).unwrap().expect("it is there");
    assert_eq!(reading.spent(Scope::Day, &booking(1, "a", 0)).unwrap(), Usd(0));
    reading.verify().unwrap();
    drop(reading);
    let mut journal = Journal::open(dir.path()).unwrap();
    assert_eq!(all(&journal).len(), 1);
    let lease = journal.acquire("repo-2", TTL).unwrap();
    entry(journal.book(&lease, &booking(1, "a", 7), &Limits::default()).unwrap());
    drop(journal);
    Journal::open(dir.path()).unwrap().verify().unwrap();
}
