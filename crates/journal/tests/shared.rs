//! A journal in a folder that machines share: without the memory that only processes of one machine can share, it keeps the
//! same promises.

mod common;

use common::*;
use kaizen_journal::{Journal, Options};

fn options(shared: bool) -> Options {
    Options { shared: Some(shared), ..Options::default() }
}

#[test]
fn what_one_writes_the_other_reads_and_nothing_is_shared_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = Journal::open_with(dir.path(), options(true)).unwrap();
    let mut two = Journal::open_with(dir.path(), options(true)).unwrap();
    let reader = Journal::open_read_only_with(dir.path(), options(true)).unwrap().unwrap();
    for round in 0..5 {
        let (writer, other) = if round % 2 == 0 { (&mut one, &two) } else { (&mut two, &one) };
        let lease = writer.acquire(REPO, TTL).unwrap();
        append(writer, &lease, &[started(round)]).unwrap();
        writer.release(lease).unwrap();
        let seen = usize::from(round) + 1;
        assert_eq!((all(other).len(), all(&reader).len()), (seen, seen));
    }
    one.verify().unwrap();
    assert!(!dir.path().join("journal.sqlite-shm").exists() && !dir.path().join("journal.sqlite-wal").exists());
}

#[test]
fn a_journal_of_one_machine_can_be_put_where_others_see_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut alone = Journal::open_with(dir.path(), options(false)).unwrap();
    let lease = alone.acquire(REPO, TTL).unwrap();
    append(&mut alone, &lease, &[started(1)]).unwrap();
    alone.release(lease).unwrap();
    drop(alone);
    let mut shared = Journal::open_with(dir.path(), options(true)).unwrap();
    let lease = shared.acquire(REPO, TTL).unwrap();
    append(&mut shared, &lease, &[started(2)]).unwrap();
    drop(shared);
    let again = Journal::open_with(dir.path(), options(true)).unwrap();
    assert_eq!(all(&again).len(), 2);
    again.verify().unwrap();
    assert!(!dir.path().join("journal.sqlite-wal").exists());
}
