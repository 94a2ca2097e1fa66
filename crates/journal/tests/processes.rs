//! Several processes on one journal: exclusion, death, pause, and a writer that never ends.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::*;
use kaizen_journal::{Journal, JournalError, Options};
use rustix::process::{Signal, WaitOptions, kill_process, waitpid};

#[test]
#[ignore = "played by other tests"]
fn role_holder() {
    let Some(dir) = role_dir() else { return };
    let mut journal = Journal::open(&dir).unwrap();
    let ttl = Duration::from_millis(listen().parse().unwrap());
    let lease = journal.acquire(REPO, ttl).unwrap();
    say(&lease.token().to_string());
    loop {
        let result = match listen().as_str() {
            "append" => append(&mut journal, &lease, &[started(9)]).map(drop),
            "check" => journal.check(&lease),
            "answer" => journal.keep_answer(&lease, "late", "late"),
            _ => return,
        };
        say(match result {
            Ok(()) => "done",
            Err(JournalError::Fenced { .. }) => "fenced",
            Err(_) => "failed",
        });
    }
}

#[test]
#[ignore = "played by other tests"]
fn role_appender() {
    let Some(dir) = role_dir() else { return };
    say("up");
    let mut journal = Journal::open(&dir).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    for n in 0.. {
        let text = format!("{}-{n} {}", lease.token(), "x".repeat(n * 37 % 9000));
        let records = append(&mut journal, &lease, &[collected(1, &text), collected(2, &text)]).unwrap();
        say(&format!("{} {text}", records[1].seq));
    }
}

#[test]
#[ignore = "played by other tests"]
fn role_blocker() {
    let Some(dir) = role_dir() else { return };
    let conn = rusqlite::Connection::open(dir.join("journal.sqlite")).unwrap();
    conn.execute_batch("BEGIN IMMEDIATE; UPDATE meta SET writes = 99").unwrap();
    say("held");
    listen();
    conn.execute_batch("ROLLBACK").unwrap();
    say("free");
    listen();
}

#[test]
#[ignore = "played by other tests"]
fn role_locker() {
    let Some(dir) = role_dir() else { return };
    let file = std::fs::OpenOptions::new().write(true).open(dir.join("journal.lock")).unwrap();
    file.lock().unwrap();
    say("held");
    listen();
    file.unlock().unwrap();
    say("free");
    listen();
}

fn holder(dir: &Path, ttl: Duration) -> Role {
    let mut holder = Role::play("role_holder", dir);
    holder.tell(&ttl.as_millis().to_string());
    assert!(holder.hear().is_some());
    holder
}

#[test]
fn a_lease_excludes_another_process_and_dies_with_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let mut holder = holder(dir.path(), TTL);
    let mut journal = Journal::open(dir.path()).unwrap();
    match journal.acquire(REPO, TTL) {
        Err(JournalError::Leased { pid, .. }) => assert_eq!(pid, holder.child.id()),
        other => panic!("{other:?}"),
    }
    assert_eq!(journal.holder(REPO).unwrap().unwrap().pid, holder.child.id());
    // Killed and not yet waited for: a zombie holds nothing.
    kill_process(holder.pid(), Signal::KILL).unwrap();
    assert!(holder.hear().is_none());
    while !is_zombie(holder.child.id()) {
        std::thread::yield_now();
    }
    assert_eq!(journal.acquire(REPO, TTL).unwrap().token(), 2);
}

fn is_zombie(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().rsplit_once(')').unwrap().1.starts_with(" Z")
}

#[test]
fn a_holder_paused_past_its_end_is_fenced_when_it_wakes() {
    let dir = tempfile::tempdir().unwrap();
    let mut late = holder(dir.path(), Duration::from_millis(40));
    kill_process(late.pid(), Signal::STOP).unwrap();
    waitpid(Some(late.pid()), WaitOptions::UNTRACED).unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = loop {
        match journal.acquire(REPO, TTL) {
            Ok(lease) => break lease,
            Err(JournalError::Leased { expires_in, .. }) => std::thread::sleep(expires_in),
            Err(other) => panic!("{other}"),
        }
    };
    let records = append(&mut journal, &lease, &[started(1)]).unwrap();
    kill_process(late.pid(), Signal::CONT).unwrap();
    for effect in ["append", "check", "answer", "append"] {
        late.tell(effect);
        assert_eq!(late.hear().as_deref(), Some("fenced"), "{effect}");
    }
    assert_eq!(all(&journal), records);
    assert_eq!(journal.answer("late").unwrap(), None);
    append(&mut journal, &lease, &[finished(1)]).unwrap();
    journal.verify().unwrap();
}

#[test]
fn what_was_acknowledged_survives_kill_9_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    let mut newest = 0;
    let rounds = if std::env::var_os("KAIZEN_TEST_ALL").is_some() { 250 } else { 60 };
    for round in 0..rounds {
        let mut appender = Role::play("role_appender", dir.path());
        assert_eq!(appender.hear().as_deref(), Some("up"));
        let mut said: Vec<_> = (0..round % 7).map_while(|_| appender.hear()).collect();
        assert_eq!(said.len(), round % 7, "the appender ended by itself");
        said.extend(appender.kill());
        acknowledged.extend(said.iter().map(|word| {
            let (seq, text) = word.split_once(' ').unwrap();
            (seq.parse::<usize>().unwrap(), text.to_owned())
        }));
        let journal = Journal::open(dir.path()).unwrap();
        let records = all(&journal);
        journal.verify().unwrap();
        assert!(records.len() >= newest && records.len().is_multiple_of(2), "half a batch, or records were lost");
        newest = records.len();
        for (seq, text) in &acknowledged {
            assert_eq!(records[seq - 1].event, collected(2, text));
        }
    }
    assert!(acknowledged.len() >= 100);
}

#[test]
fn a_creation_killed_at_any_time_leaves_nothing_that_stands_in_the_way() {
    for round in 0..30 {
        let dir = tempfile::tempdir().unwrap();
        let mut appender = Role::play("role_appender", dir.path());
        assert_eq!(appender.hear().as_deref(), Some("up"));
        // Let it come a little further every time, without a clock.
        for _ in 0..round * 40 {
            std::thread::yield_now();
            let _ = dir.path().join("journal.head").exists();
        }
        let said = appender.kill();
        drop(Journal::open_read_only(dir.path()).unwrap());
        let mut journal = Journal::open(dir.path()).unwrap();
        assert!(journal.verify().unwrap().records >= 2 * said.len() as u64);
        journal.acquire(REPO, TTL).unwrap();
    }
}

#[test]
fn a_writer_that_does_not_end_is_waited_for_and_then_named() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let options = Options { busy_wait: Duration::from_millis(20), ..impatient(&clock) };
    let mut journal = Journal::open_with(dir.path(), options.clone()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    append(&mut journal, &lease, &[started(1)]).unwrap();
    for (role, file) in [("role_blocker", "journal.sqlite"), ("role_locker", "journal.lock")] {
        let mut other = Role::play(role, dir.path());
        assert_eq!(other.hear().as_deref(), Some("held"));
        match append(&mut journal, &lease, &[finished(1)]) {
            Err(JournalError::Busy { path, pid, .. }) => {
                assert_eq!(path, dir.path().join(file));
                // File systems that show one device and lock another leave the pid unknown.
                assert!(pid.is_none_or(|pid| pid == other.child.id()), "{pid:?}");
            }
            result => panic!("{result:?}"),
        }
        // Readers do not wait.
        let reader = Journal::open_read_only_with(dir.path(), options.clone()).unwrap().unwrap();
        assert_eq!(all(&reader), all(&journal));
        if role == "role_locker" {
            assert!(matches!(Journal::open_with(dir.path(), options.clone()), Err(JournalError::Busy { .. })));
        }
        other.tell("go");
        assert_eq!(other.hear().as_deref(), Some("free"));
        append(&mut journal, &lease, &[trial_started(1)]).unwrap();
    }
    assert_eq!(journal.verify().unwrap().records, 3);
}

#[test]
fn two_processes_write_about_two_repositories_at_the_same_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut appender = Role::play("role_appender", dir.path());
    assert_eq!(appender.hear().as_deref(), Some("up"));
    let first = appender.hear().unwrap();
    assert!(first.starts_with("2 "), "{first}");
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire("repo-2", TTL).unwrap();
    let mut mine = 0;
    while mine < 25 {
        mine += append(&mut journal, &lease, &[trial_started(3)]).unwrap().len();
    }
    let theirs = appender.kill().len() + 1;
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert!(journal.verify().unwrap().records as usize >= mine + 2 * theirs);
}
