//! Damage is found: flipped bytes in rows, pages, log and anchor lead to an error or to the very same records, never
//! to a panic or to others, and a damaged file is left as it is.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use common::*;
use kaizen_domain::Record;
use kaizen_journal::{Filter, Journal, JournalError};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use tempfile::TempDir;

/// A journal as bytes, and what it says.
struct Sample {
    files: Vec<(&'static str, Vec<u8>)>,
    records: Vec<Record>,
}

const NAMES: [&str; 4] = ["journal.sqlite", "journal.sqlite-wal", "journal.head", "journal.seal"];

impl Sample {
    /// Copied while it is open, as after a crash: part of it is in the main file, part in the log.
    fn make(settled: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = filled(dir.path(), 12);
        drop(journal);
        journal = filled(dir.path(), 6);
        let records = all(&journal);
        if settled {
            drop(journal);
            return Self { files: files(dir.path()), records };
        }
        // By a process of its own: closing the file in this one would drop SQLite's locks.
        let copy = tempfile::tempdir().unwrap();
        for name in NAMES {
            let status = std::process::Command::new("cp").arg(dir.path().join(name)).arg(copy.path()).status();
            assert!(status.unwrap().success());
        }
        Self { files: files(copy.path()), records }
    }

    fn restore(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in &self.files {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        dir
    }

    fn len(&self, name: &str) -> usize {
        self.files.iter().find(|(other, _)| *other == name).map_or(0, |(_, bytes)| bytes.len())
    }
}

static SETTLED: LazyLock<Sample> = LazyLock::new(|| Sample::make(true));
static LOGGED: LazyLock<Sample> = LazyLock::new(|| Sample::make(false));

fn filled(dir: &Path, rounds: u8) -> Journal {
    let mut journal = Journal::open(dir).unwrap();
    let before = all(&journal).len();
    let lease = journal.acquire(&format!("repo-{before}"), TTL).unwrap();
    for n in 0..rounds {
        let text = "lorem ".repeat(usize::from(n) * 120);
        append(&mut journal, &lease, &[started(n), collected(n, &text), trial_started(n)]).unwrap();
        journal.keep_answer(&lease, &format!("key-{before}-{n}"), &text).unwrap();
    }
    append(&mut journal, &lease, &[finished(0)]).unwrap();
    journal
}

/// The files with something in them; SQLite makes an empty log when it looks at a database.
fn files(dir: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let files = NAMES.into_iter().filter_map(|name| Some((name, fs::read(dir.join(name)).ok()?)));
    files.filter(|(_, bytes)| !bytes.is_empty()).collect()
}

/// Opens and reads everything: the same records or an error. Gives the error.
fn examine(sample: &Sample, dir: &Path) -> Option<JournalError> {
    let before = files(dir);
    let journal = match Journal::open(dir) {
        Ok(journal) => journal,
        Err(error) => {
            assert!(files(dir) == before, "a damaged journal was written to: {error}");
            return Some(error);
        }
    };
    if let Ok(records) = journal.records(&Filter::default()) {
        assert_eq!(records, sample.records);
    }
    let of_cycle = |n: u8| sample.records.iter().filter(move |r| kaizen_cycle(r) == Some(cycle_id(n))).cloned();
    for n in [0, 3] {
        if let Ok(records) = journal.records(&Filter::cycle(cycle_id(n))) {
            assert_eq!(records, of_cycle(n).collect::<Vec<_>>());
        }
    }
    for repo in ["repo-0", "repo-37"] {
        if let Ok(records) = journal.records(&Filter::repo(repo)) {
            let due: Vec<_> = sample.records.iter().filter(|record| record.repo == repo).cloned().collect();
            assert_eq!(records, due);
        }
    }
    if let Ok(Some(answer)) = journal.answer("key-0-2") {
        assert_eq!(answer, "lorem ".repeat(240));
    }
    let verdict = journal.verify();
    if verdict.is_ok() {
        assert_eq!(journal.cycles(None).unwrap().len(), 12);
        assert_eq!(journal.find("c").unwrap().len(), 12);
        assert!(journal.answer("key-0-2").unwrap().is_some());
    }
    verdict.err()
}

fn kaizen_cycle(record: &Record) -> Option<kaizen_domain::CycleId> {
    match &record.event {
        kaizen_domain::Event::Cycle { cycle, .. } => Some(*cycle),
        _ => None,
    }
}

fn flip(dir: &Path, name: &str, flips: &[(usize, u8)]) {
    let path = dir.join(name);
    let mut bytes = fs::read(&path).unwrap();
    for (at, mask) in flips {
        let at = at % bytes.len();
        bytes[at] ^= mask;
    }
    fs::write(path, bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes_of_the_main_file_never_make_other_records_and_are_always_found(
        flips in prop::collection::vec((any::<usize>(), 1_u8..=255), 1..4),
    ) {
        let dir = SETTLED.restore();
        flip(dir.path(), NAMES[0], &flips);
        let same = files(dir.path()) == SETTLED.files;
        match examine(&SETTLED, dir.path()) {
            // Where no record is named, it is said that none is bad.
            Some(JournalError::Corrupt { record: None, detail, .. }) => {
                prop_assert!(detail.ends_with("(each of its 56 records is whole)"), "{detail}");
            }
            Some(_) => {}
            None => prop_assert!(same, "nothing was found"),
        }
    }

    #[test]
    fn flipped_bytes_of_the_log_never_make_other_records(
        flips in prop::collection::vec((any::<usize>(), 1_u8..=255), 1..4),
    ) {
        let dir = LOGGED.restore();
        flip(dir.path(), NAMES[1], &flips);
        examine(&LOGGED, dir.path());
    }

    #[test]
    fn a_flipped_byte_of_the_anchor_is_always_found(at in any::<usize>(), mask in 1_u8..=255) {
        let dir = SETTLED.restore();
        flip(dir.path(), NAMES[2], &[(at, mask)]);
        let error = examine(&SETTLED, dir.path());
        prop_assert!(matches!(&error, Some(JournalError::Corrupt { path, .. }) if path.ends_with(NAMES[2])), "{error:?}");
    }

    #[test]
    fn a_flipped_byte_of_the_seal_is_always_found(at in any::<usize>(), mask in 1_u8..=255) {
        let dir = SETTLED.restore();
        flip(dir.path(), NAMES[3], &[(at, mask)]);
        let error = examine(&SETTLED, dir.path());
        prop_assert!(matches!(&error, Some(JournalError::Altered { path, .. }) if path.ends_with(NAMES[3])), "{error:?}");
    }

    #[test]
    fn a_log_cut_anywhere_is_found(at in any::<usize>()) {
        let dir = LOGGED.restore();
        let length = at % LOGGED.len(NAMES[1]);
        fs::OpenOptions::new().write(true).open(dir.path().join(NAMES[1])).unwrap().set_len(length as u64).unwrap();
        let error = examine(&LOGGED, dir.path());
        prop_assert!(matches!(error, Some(JournalError::RolledBack { .. })), "{error:?}");
    }

    #[test]
    fn a_main_file_cut_anywhere_is_found(at in any::<usize>()) {
        let dir = SETTLED.restore();
        let length = at % SETTLED.len(NAMES[0]);
        fs::OpenOptions::new().write(true).open(dir.path().join(NAMES[0])).unwrap().set_len(length as u64).unwrap();
        prop_assert!(examine(&SETTLED, dir.path()).is_some());
    }

    #[test]
    fn a_changed_byte_of_any_column_of_any_record_is_found_and_named(
        seq in 1_u64..=56, column in 0_usize..9, at in any::<usize>(), mask in 1_u8..=255,
    ) {
        let dir = SETTLED.restore();
        let journal = Journal::open_read_only(dir.path()).unwrap().unwrap();
        change(dir.path(), seq, column, at, mask);
        let error = journal.verify().unwrap_err();
        prop_assert!(matches!(&error, JournalError::Corrupt { record: Some(found), .. } if *found == seq), "{error}");
        // A reader that was open all the time does not hand out what was changed either.
        prop_assert!(journal.records(&Filter::default()).is_err());
    }
}

/// Changes one byte of one column behind the back of the journal, triggers and all.
fn change(dir: &Path, seq: u64, column: usize, at: usize, mask: u8) {
    const COLUMNS: [(&str, &str); 9] = [
        ("seq", "INTEGER"),
        ("at", "INTEGER"),
        ("tenant", "TEXT"),
        ("repo", "TEXT"),
        ("cycle", "TEXT"),
        ("kind", "TEXT"),
        ("body", "TEXT"),
        ("prev", "BLOB"),
        ("hash", "BLOB"),
    ];
    let (name, kind) = COLUMNS[column];
    let conn = Connection::open(dir.join(NAMES[0])).unwrap();
    let seq = i64::try_from(seq).unwrap();
    let trigger: String =
        conn.query_row("SELECT sql FROM sqlite_schema WHERE name = 'records_stay'", [], |row| row.get(0)).unwrap();
    conn.execute("DROP TRIGGER records_stay", []).unwrap();
    let changed = if kind == "INTEGER" {
        // A number far from that of any other record.
        let sql = format!("UPDATE records SET {name} = {name} + ?2 WHERE seq = ?1");
        conn.execute(&sql, params![seq, i64::from(mask) << (8 + at % 32)])
    } else {
        let sql = format!("SELECT CAST({name} AS BLOB) FROM records WHERE seq = ?1");
        let mut bytes: Vec<u8> = conn.query_row(&sql, [seq], |row| row.get(0)).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= mask;
        conn.execute(&format!("UPDATE records SET {name} = CAST(?2 AS {kind}) WHERE seq = ?1"), params![seq, bytes])
    };
    assert_eq!(changed.unwrap(), 1);
    conn.execute(&trigger, []).unwrap();
}

#[test]
fn the_samples_themselves_are_sound() {
    assert_eq!((SETTLED.records.len(), SETTLED.len(NAMES[1])), (56, 0));
    assert!(LOGGED.len(NAMES[1]) > 100_000);
    for sample in [&*SETTLED, &*LOGGED] {
        let dir = sample.restore();
        assert!(examine(sample, dir.path()).is_none());
    }
}

/// Changes a byte in room of a page that holds nothing.
fn change_what_nothing_uses(dir: &Path) {
    let bytes = fs::read(dir.join(NAMES[0])).unwrap();
    let at = bytes.windows(64).position(|room| room.iter().all(|byte| *byte == 0)).unwrap() + 32;
    flip(dir, NAMES[0], &[(at, 1)]);
}

#[test]
fn what_nothing_uses_is_sealed_whenever_a_writer_has_gone() {
    let dir = SETTLED.restore();
    change_what_nothing_uses(dir.path());
    let verify = || Journal::open_read_only(dir.path()).unwrap().unwrap().verify();
    let text = verify().unwrap_err().to_string();
    assert!(text.contains("every record is whole") && text.contains("delete journal.seal"), "{text}");
    // Nothing that counts is damaged: work goes on, and what is left behind then is sealed anew.
    drop(filled(dir.path(), 2));
    verify().unwrap();
    change_what_nothing_uses(dir.path());
    assert!(matches!(verify(), Err(JournalError::Altered { .. })));
    // Only looking at it to write does not seal what was found.
    drop(Journal::open(dir.path()).unwrap());
    assert!(matches!(verify(), Err(JournalError::Altered { .. })));
    fs::remove_file(dir.path().join(NAMES[3])).unwrap();
    verify().unwrap();
}

#[test]
fn a_seal_counts_for_the_last_writer_alone() {
    let dir = SETTLED.restore();
    let (first, second) = (filled(dir.path(), 1), filled(dir.path(), 1));
    drop(first);
    second.verify().unwrap();
    let mut third = Journal::open(dir.path()).unwrap();
    let lease = third.acquire("another", TTL).unwrap();
    append(&mut third, &lease, &[started(9)]).unwrap();
    // The seal of the first is of an earlier state: while somebody writes there is none that counts.
    third.verify().unwrap();
    drop((second, third));
    Journal::open_read_only(dir.path()).unwrap().unwrap().verify().unwrap();
    change_what_nothing_uses(dir.path());
    assert!(matches!(Journal::open(dir.path()).unwrap().verify(), Err(JournalError::Altered { .. })));
}

#[test]
fn a_record_that_was_taken_out_is_missed() {
    for (seq, newest) in [(1, false), (30, false), (56, true)] {
        let dir = SETTLED.restore();
        let conn = Connection::open(dir.path().join(NAMES[0])).unwrap();
        let trigger: String =
            conn.query_row("SELECT sql FROM sqlite_schema WHERE name = 'records_last'", [], |row| row.get(0)).unwrap();
        conn.execute_batch(&format!("DROP TRIGGER records_last; DELETE FROM records WHERE seq = {seq}; {trigger}"))
            .unwrap();
        drop(conn);
        match examine(&SETTLED, dir.path()) {
            Some(JournalError::RolledBack { .. }) => assert!(newest),
            Some(JournalError::Corrupt { record, .. }) => assert_eq!((record, newest), (Some(seq), false)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_message_about_damage_names_the_file_and_the_way_out() {
    let dir = SETTLED.restore();
    fs::write(dir.path().join(NAMES[0]), "no database").unwrap();
    let text = Journal::open(dir.path()).unwrap_err().to_string();
    assert!(text.contains(dir.path().join(NAMES[0]).to_str().unwrap()), "{text}");
    assert!(text.contains("`kaizen doctor --rebuild-journal`"), "{text}");
}
