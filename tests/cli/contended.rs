//! A journal that somebody else has locked, and a program that was asleep while another one took its place.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::cli::support::{Room, all_wanted, is, times};

/// A transaction that keeps every writer of the journal out.
fn locked(room: &Room) -> Connection {
    let conn = Connection::open(room.state().join("journal.sqlite")).expect("the journal");
    conn.busy_timeout(Duration::from_secs(30)).expect("a timeout");
    conn.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    conn
}

#[test]
fn a_locked_journal_is_waited_for() {
    let room = Room::tiny();
    let mut run = room.start(&["run-cycle"]);
    run.until(|record| is(record, "started")).expect("it starts");
    let lock = locked(&room);
    std::thread::sleep(Duration::from_secs(2));
    drop(lock);
    assert_eq!(run.end().0, 0);
    assert_eq!(times(&room.records(), "landed"), 2);
    room.kaizen(&["log", "--verify"]).expect(0);
}

#[test]
fn a_journal_that_stays_locked_is_named_and_the_cycle_goes_on_afterwards() {
    let room = Room::tiny();
    let mut run = room.start(&["run-cycle"]);
    run.until(|record| is(record, "started")).expect("it starts");
    let (lock, began) = (locked(&room), Instant::now());
    let (code, records) = run.end();
    assert!(began.elapsed() >= Duration::from_secs(4), "it waits a while");
    assert_eq!(code, 13, "{records:?}");
    // Nor does one that starts meanwhile wait for ever.
    let said = room.kaizen(&["run-cycle"]).expect(13);
    said.says(&["journal.sqlite is in use by process", "help: run again when it is done"]);
    drop(lock);
    room.kaizen(&["run-cycle"]).expect(0);
    assert_eq!(times(&room.records(), "landed"), 2);
    room.kaizen(&["log", "--verify"]).expect(0);
    room.wait_for_silence(&room.state().display().to_string());
}

#[test]
fn a_program_that_slept_past_its_lease_cannot_write_any_more() {
    if !all_wanted() {
        return;
    }
    let room = Room::tiny();
    let mut sleeper = room.start(&["run-cycle"]);
    sleeper.until(|record| is(record, "started")).expect("it starts");
    let signal = |signal: i32| {
        let pid = i32::try_from(sleeper.child.id()).expect("a process id");
        // SAFETY: a plain system call, on a process of our own that was not waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    };
    signal(libc::SIGSTOP);
    room.kaizen(&["run-cycle"]).expect(13);
    std::thread::sleep(Duration::from_secs(62));
    room.kaizen(&["run-cycle"]).expect(0);
    signal(libc::SIGCONT);
    let (code, records) = sleeper.end();
    assert_ne!(code, 0, "{records:?}");
    assert_eq!(times(&room.records(), "landed"), 2);
    assert_eq!(times(&room.records(), "finished"), 1);
    room.kaizen(&["log", "--verify"]).expect(0);
    room.wait_for_silence(&room.state().display().to_string());
}
