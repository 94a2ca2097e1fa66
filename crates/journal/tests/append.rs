//! What is appended reads back, can be found, and stays: the journal in one process.

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use common::*;
use kaizen_domain::{CycleEvent, Event, Impact, Opportunity, OpportunityKind, Risk, TenantId, Timestamp};
use kaizen_journal::{Filter, Journal, JournalError, Noun, Options};

#[test]
fn appended_events_read_back_as_they_were_in_order_and_without_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    let first = append(&mut journal, &lease, &[started(1), collected(1, "ü\0\u{202e}\n")]).unwrap();
    let second = append(&mut journal, &lease, &[finished(1)]).unwrap();
    assert_eq!(first.iter().chain(&second).map(|record| record.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(first[1].event, collected(1, "ü\0\u{202e}\n"));
    drop(journal);

    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(all(&journal), [first, second].concat());
    let verified = journal.verify().unwrap();
    assert_eq!((verified.records, verified.cycles, verified.answers), (3, 1, 0));
}

#[test]
fn records_are_filtered_by_repository_cycle_and_number() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let one = journal.acquire(REPO, TTL).unwrap();
    let two = journal.acquire("repo-2", TTL).unwrap();
    append(&mut journal, &one, &[started(1)]).unwrap();
    append(&mut journal, &two, &[started(2), finished(2)]).unwrap();
    append(&mut journal, &one, &[finished(1)]).unwrap();
    let seqs = |filter: Filter| -> Vec<u64> { journal.records(&filter).unwrap().iter().map(|r| r.seq).collect() };
    assert_eq!(seqs(Filter::repo(REPO)), [1, 4]);
    assert_eq!(seqs(Filter::cycle(cycle_id(2))), [2, 3]);
    assert_eq!(seqs(Filter { after: Some(2), ..Filter::default() }), [3, 4]);
    assert_eq!(seqs(Filter { after: Some(1), ..Filter::repo(REPO) }), [4]);
    assert_eq!(seqs(Filter { repo: Some(REPO.to_owned()), ..Filter::cycle(cycle_id(2)) }), [0_u64; 0]);
    assert_eq!(seqs(Filter { after: Some(u64::MAX), ..Filter::default() }), [0_u64; 0]);
}

#[test]
fn cycles_are_listed_with_their_range_and_whether_they_are_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let one = journal.acquire(REPO, TTL).unwrap();
    let two = journal.acquire("repo-2", TTL).unwrap();
    append(&mut journal, &one, &[started(9), trial_started(9)]).unwrap();
    append(&mut journal, &two, &[started(2)]).unwrap();
    append(&mut journal, &one, &[finished(9)]).unwrap();
    let entries = journal.cycles(None).unwrap();
    let seen: Vec<_> = entries.iter().map(|e| (e.id, e.repo.as_str(), e.first, e.last, e.records, e.over)).collect();
    assert_eq!(seen, [(cycle_id(9), REPO, 1, 4, 3, true), (cycle_id(2), "repo-2", 3, 3, 1, false)]);
    assert_eq!(entries[0].started, AT);
    assert_eq!(journal.cycles(Some("repo-2")).unwrap(), entries[1..]);
    assert_eq!(journal.cycles(Some("repo-3")).unwrap(), []);
}

#[test]
fn things_are_found_by_the_prefix_of_their_id() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    append(&mut journal, &lease, &[started(1), started(2), collected(1, "x"), trial_started(1)]).unwrap();
    let id = cycle_id(1).to_string();
    let found = journal.find(&id[..5]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.as_str(), found[0].noun, found[0].seq), (id.as_str(), Noun::Cycle, 1));
    assert_eq!(journal.find(&id.to_uppercase()).unwrap(), found);
    assert_eq!(journal.find("c").unwrap().len(), 2);
    let trial = &journal.find("t").unwrap()[0];
    assert_eq!((trial.noun, trial.cycle, trial.seq), (Noun::Trial, Some(cycle_id(1)), 4));
    assert_eq!(journal.find("s").unwrap()[0].noun, Noun::Signal);
    for nothing in ["", "%", "c'", "_", "zz", "ü"] {
        assert_eq!(journal.find(nothing).unwrap(), [], "{nothing}");
    }
}

#[test]
fn the_first_answer_under_a_key_stays_across_openings() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    journal.keep_answer(&lease, "k", "{\"a\":1}").unwrap();
    journal.keep_answer(&lease, "k", "other").unwrap();
    drop(journal);
    let journal = Journal::open(dir.path()).unwrap();
    assert_eq!(journal.answer("k").unwrap().as_deref(), Some("{\"a\":1}"));
    assert_eq!(journal.answer("K").unwrap(), None);
    assert_eq!(journal.verify().unwrap().answers, 1);
}

#[test]
fn an_event_that_would_not_read_back_is_refused_and_takes_its_batch_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    let odd = Opportunity {
        id: kaizen_domain::OpportunityId::new(1, [1; 10]),
        tenant: TenantId::local(),
        kind: OpportunityKind::Cleanup,
        title: "t".to_owned(),
        topic: "t".to_owned(),
        evidence: Vec::new(),
        files: Vec::new(),
        impact: Impact { performance_gain: f64::NAN, affected_users: 0.1, frequency: 1.0 },
        risk: Risk::Low,
        cost: kaizen_domain::Millis(1),
        confidence: 0.1 + 0.2,
    };
    let ranked = |opportunity: &Opportunity| Event::Cycle {
        cycle: cycle_id(1),
        event: CycleEvent::Ranked { opportunities: vec![opportunity.clone()], chosen: Vec::new(), settled: Vec::new() },
    };
    let refused = append(&mut journal, &lease, &[started(1), ranked(&odd)]);
    assert!(matches!(refused, Err(JournalError::Unwritable { .. })), "{refused:?}");
    let late = journal.append(&lease, &TenantId::local(), Timestamp(u64::MAX), &[started(1)]);
    assert!(matches!(late, Err(JournalError::Unwritable { .. })), "{late:?}");
    assert_eq!(all(&journal), []);
    // The handle goes on, and numbers come back to the last bit.
    let sound = Opportunity { impact: Impact { performance_gain: 1e-7, ..odd.impact }, ..odd };
    let records = append(&mut journal, &lease, &[started(1), ranked(&sound)]).unwrap();
    assert_eq!(records[1].event, ranked(&sound));
    assert_eq!(all(&journal), records);
}

#[test]
fn a_reader_makes_nothing_sees_what_is_written_beside_it_and_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    assert!(Journal::open_read_only(&state).unwrap().is_none());
    assert!(!state.exists());
    let mut writer = Journal::open(&state).unwrap();
    let mut reader = Journal::open_read_only(&state).unwrap().unwrap();
    let lease = writer.acquire(REPO, TTL).unwrap();
    append(&mut writer, &lease, &[started(1)]).unwrap();
    assert_eq!(all(&reader), all(&writer));
    assert_eq!(reader.holder(REPO).unwrap().unwrap().pid, std::process::id());
    assert!(matches!(reader.acquire("other", TTL), Err(JournalError::ReadOnly { .. })));
    assert_eq!(reader.verify().unwrap().records, 1);
    // With the writer gone, a reader alone sees the same.
    drop((reader, writer));
    assert_eq!(all(&Journal::open_read_only(&state).unwrap().unwrap()).len(), 1);
}

#[test]
fn directory_and_files_are_for_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("a/state");
    let mut journal = Journal::open(&state).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    append(&mut journal, &lease, &[started(1)]).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let names: Vec<_> = std::fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        assert_eq!(mode(&name), 0o600, "{name:?}");
    }
}

#[test]
fn records_cannot_be_changed_or_deleted_by_a_statement() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path()).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    append(&mut journal, &lease, &[started(1)]).unwrap();
    let other = rusqlite::Connection::open(dir.path().join("journal.sqlite")).unwrap();
    for sql in ["DELETE FROM records", "UPDATE records SET body = '{}'"] {
        assert!(other.execute(sql, []).unwrap_err().to_string().contains("records are never"), "{sql}");
    }
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(Journal::open(dir.path()).unwrap());
    let raw = rusqlite::Connection::open(dir.path().join("journal.sqlite")).unwrap();
    raw.pragma_update(None, "user_version", 7).unwrap();
    drop(raw);
    for error in [Journal::open(dir.path()).unwrap_err(), Journal::open_read_only(dir.path()).unwrap_err()] {
        assert!(matches!(error, JournalError::NewerSchema { found: 7, known: 2, .. }), "{error}");
    }
}

#[test]
fn a_log_that_grows_is_moved_into_the_main_file_while_work_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let mut journal = Journal::open_with(dir.path(), Options { ..impatient(&clock) }).unwrap();
    let lease = journal.acquire(REPO, TTL).unwrap();
    for _ in 0..12 {
        append(&mut journal, &lease, &[large(1 << 20)]).unwrap();
    }
    let size = |name| std::fs::metadata(dir.path().join(name)).unwrap().len();
    assert!(size("journal.sqlite") > 4 << 20);
    assert!(size("journal.sqlite-wal") < 9 << 20);
    assert_eq!(journal.verify().unwrap().records, 12);
}
