//! Leases: one writer a repository. Each has a fencing token that only grows, and ends when it is released, when its
//! holder is gone, or when its deadline passes on the clock since boot. Machines that share the journal have no clock in
//! common: there a lease ends when it was not renewed for a while, by the clock of whoever wants it.
//!
//! A holder that was paused and superseded is refused at its next write: the token is compared in the same transaction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::chain::{Hash, Sum};
use crate::error::JournalError;
use crate::files::Files;
use crate::journal::{Journal, Step};
use crate::machine::Process;
use crate::row::{number, signed};

/// The right to write about one repository, as long as no newer one is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The journal it is from: tokens of another one mean nothing here.
    journal: [u8; 16],
    repo: String,
    token: u64,
    ttl: Duration,
}

impl Lease {
    /// The repository.
    #[must_use]
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// The fencing token: larger than that of every earlier lease of the repository.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.token
    }

    /// How long it lasts from the last write under it.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }
}

/// Who holds the lease of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The token of its lease.
    pub token: u64,
    /// Since when.
    pub held_for: Duration,
    /// When the lease runs out unless it is renewed.
    pub expires_in: Duration,
}

/// A row of the table of leases.
#[derive(Debug, Clone)]
struct Stored {
    token: u64,
    held: bool,
    process: Process,
    /// When it was acquired, milliseconds since boot.
    taken: u64,
    /// When it ends, milliseconds since boot.
    deadline: u64,
}

impl Stored {
    fn load(conn: &Connection, repo: &str, files: &Files) -> Result<Option<Self>, JournalError> {
        let sql = "SELECT token, held, pid, start, namespace, boot, taken, deadline, sum FROM leases WHERE repo = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let pid: i64 = row.get(2)?;
            let pid = u32::try_from(pid).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(2, pid))?;
            let process = Process { pid, start: number(row, 3)?, namespace: row.get(4)?, boot: row.get(5)? };
            let (token, held) = (number(row, 0)?, row.get(1)?);
            let stored = Self { token, held, process, taken: number(row, 6)?, deadline: number(row, 7)? };
            Ok((stored, row.get::<_, Hash>(8)?))
        };
        let found = conn.prepare_cached(sql).and_then(|mut query| query.query_row([repo], read).optional());
        match found.map_err(|error| files.sql(error, Duration::ZERO))? {
            Some((stored, sum)) if stored.sum(repo) != sum => {
                Err(files.corrupt(None, format!("the lease of repository `{repo}` does not match its sum")))
            }
            found => Ok(found.map(|(stored, _)| stored)),
        }
    }

    fn save(&self, step: &Step<'_>, repo: &str) -> Result<(), JournalError> {
        let Self { token, held, process, taken, deadline } = self;
        let save = || -> rusqlite::Result<()> {
            let sql = "INSERT OR REPLACE INTO leases
                       (repo, token, held, pid, start, namespace, boot, taken, deadline, sum)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
            let (token, start) = (signed(*token)?, signed(process.start)?);
            let (taken, deadline) = (signed(*taken)?, signed(*deadline)?);
            let Process { pid, namespace, boot, .. } = process;
            let sum = self.sum(repo);
            let values = params![repo, token, held, pid, start, namespace, boot, taken, deadline, sum];
            step.tx.prepare_cached(sql)?.execute(values).map(|_| ())
        };
        save().map_err(|error| step.sql(error))
    }

    fn sum(&self, repo: &str) -> Hash {
        Sum::new("lease 1")
            .text(repo)
            .number(self.token)
            .number(self.held.into())
            .number(self.process.pid.into())
            .number(self.process.start)
            .text(&self.process.namespace)
            .text(&self.process.boot)
            .number(self.taken)
            .number(self.deadline)
            .finish()
    }

    /// Whether somebody holds it who may still write. Of another machine only time can tell.
    fn is_live(&self, observer: &Process, now: u64) -> bool {
        let in_time = now < self.deadline || self.process.is_elsewhere(observer);
        self.held && in_time && !self.process.is_gone(observer)
    }

    fn held_for(&self, now: u64) -> Duration {
        Duration::from_millis(now.saturating_sub(self.taken))
    }

    fn expires_in(&self, now: u64) -> Duration {
        Duration::from_millis(self.deadline.saturating_sub(now))
    }
}

/// The row of a lease that is still its holder's, or `Fenced`.
fn true_holder(conn: &Connection, journal: [u8; 16], lease: &Lease, files: &Files) -> Result<Stored, JournalError> {
    let stored = Stored::load(conn, &lease.repo, files)?;
    let newest = stored.as_ref().map_or(0, |stored| stored.token);
    match stored {
        Some(stored) if journal == lease.journal && stored.held && stored.token == lease.token => Ok(stored),
        _ => Err(JournalError::Fenced { repo: lease.repo.clone(), token: lease.token, newest }),
    }
}

/// The lease of another machine counts as over when it was not renewed for so long, by the clock of this one. Holders renew
/// theirs four times in this time.
const QUIET: Duration = Duration::from_secs(60);
/// How long is waited between two looks at it.
const PAUSE: Duration = Duration::from_secs(1);

/// What a lease was seen as, and since when, by journal and repository.
type Seen = BTreeMap<(PathBuf, String), (Hash, Instant)>;

/// Leases of other machines that were seen.
static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);

/// For how long the lease of another machine has been seen as it is.
fn seen(journal: &Path, repo: &str, sum: Hash) -> Duration {
    let mut all = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = all.entry((journal.to_path_buf(), repo.to_owned())).or_insert_with(|| (sum, Instant::now()));
    if known.0 != sum {
        *known = (sum, Instant::now());
    }
    known.1.elapsed()
}

/// Gives a lease out.
fn give(step: &Step<'_>, repo: &str, before: Option<Stored>, now: u64, ttl: Duration) -> Result<Lease, JournalError> {
    let token = before.map_or(0, |before| before.token).saturating_add(1);
    let process = step.process.clone();
    let stored = Stored { token, held: true, process, taken: now, deadline: deadline(now, ttl) };
    stored.save(step, repo)?;
    Ok(Lease { journal: step.head.journal, repo: repo.to_owned(), token, ttl })
}

/// The end of a lease that begins now; within what SQLite can keep.
fn deadline(now: u64, ttl: Duration) -> u64 {
    let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    now.saturating_add(ttl).min(i64::MAX.cast_unsigned())
}

impl Step<'_> {
    /// Refuses a lease that is over; extends one that is not.
    pub(crate) fn extend(&self, lease: &Lease) -> Result<(), JournalError> {
        let mut stored = true_holder(&self.tx, self.head.journal, lease, self.files)?;
        stored.deadline = deadline(self.options.clock.now_ms(), lease.ttl);
        stored.save(self, &lease.repo)
    }
}

impl Journal {
    /// Acquires the lease of a repository for this process. It lasts `ttl` from the last write under it.
    ///
    /// # Errors
    /// `Leased` when somebody else holds it; the errors of every write otherwise.
    pub fn acquire(&mut self, repo: &str, ttl: Duration) -> Result<Lease, JournalError> {
        self.write(|step| {
            let now = step.options.clock.now_ms();
            let before = Stored::load(&step.tx, repo, step.files)?;
            if let Some(other) = before.as_ref().filter(|other| other.is_live(step.process, now)) {
                if other.process.is_elsewhere(step.process) {
                    let quiet = seen(&step.files.database(), repo, other.sum(repo));
                    match QUIET.checked_sub(quiet).filter(|left| !left.is_zero()) {
                        Some(left) => return Err(JournalError::LeasedElsewhere { repo: repo.to_owned(), quiet, left }),
                        None => return give(step, repo, before, now, ttl),
                    }
                }
                return Err(JournalError::Leased {
                    repo: repo.to_owned(),
                    pid: other.process.pid,
                    held_for: other.held_for(now),
                    expires_in: other.expires_in(now),
                });
            }
            give(step, repo, before, now, ttl)
        })
    }

    /// Acquires it, and waits for a holder on another machine that may be gone: whether it is shows only in time. For
    /// threads that may stand still for a minute.
    ///
    /// # Errors
    /// As [`Journal::acquire`].
    pub fn acquire_patiently(&mut self, repo: &str, ttl: Duration) -> Result<Lease, JournalError> {
        let mut before = Duration::ZERO;
        loop {
            match self.acquire(repo, ttl) {
                // Renewed meanwhile: it lives.
                Err(JournalError::LeasedElsewhere { quiet, left, .. }) if quiet >= before => {
                    before = quiet;
                    std::thread::sleep(left.min(PAUSE));
                }
                result => return result,
            }
        }
    }

    /// Extends the lease to its full length from now.
    ///
    /// # Errors
    /// `Fenced` when it is over.
    pub fn renew(&mut self, lease: &Lease) -> Result<(), JournalError> {
        self.write(|step| step.extend(lease))
    }

    /// Makes sure, right before an effect outside the journal, that the lease is still held and will be for at least
    /// half of its length; it is renewed when need be. Refuses as well when the result could not be written down.
    ///
    /// # Errors
    /// `Fenced` when it is over.
    pub fn check(&mut self, lease: &Lease) -> Result<(), JournalError> {
        self.may_write()?;
        let now = self.options.clock.now_ms();
        let moved = self.files.identity()? != Some(self.identity);
        let left = self.snapshot(|conn| {
            let head = crate::anchor::Head::of(conn).map_err(|error| self.sql(error))?;
            Ok(true_holder(conn, head.journal, lease, &self.files)?.expires_in(now))
        })?;
        if moved || left < lease.ttl / 2 { self.renew(lease) } else { Ok(()) }
    }

    /// Gives the lease back, so that the next one need not wait for its end.
    ///
    /// # Errors
    /// `Fenced` when it was over already.
    pub fn release(&mut self, lease: Lease) -> Result<(), JournalError> {
        self.write(|step| {
            let stored = true_holder(&step.tx, step.head.journal, &lease, step.files)?;
            Stored { held: false, ..stored }.save(step, &lease.repo)
        })
    }

    /// Who holds the lease of a repository, if anybody does.
    ///
    /// # Errors
    /// `Corrupt` when the row is damaged.
    pub fn holder(&self, repo: &str) -> Result<Option<Holder>, JournalError> {
        let now = self.options.clock.now_ms();
        let stored = Stored::load(&self.conn, repo, &self.files)?;
        Ok(stored.filter(|stored| stored.is_live(&self.process, now)).map(|stored| Holder {
            pid: stored.process.pid,
            token: stored.token,
            held_for: stored.held_for(now),
            expires_in: stored.expires_in(now),
        }))
    }

    /// Checks the sum of every lease. Gives their number.
    pub(crate) fn verify_leases(&self, conn: &Connection) -> Result<(), JournalError> {
        let query = || -> rusqlite::Result<Vec<String>> {
            conn.prepare("SELECT repo FROM leases")?.query_map([], |row| row.get(0))?.collect()
        };
        for repo in query().map_err(|error| self.sql(error))? {
            if Stored::load(conn, &repo, &self.files)?.is_none() {
                return Err(self.files.corrupt(None, "a lease is listed but cannot be found"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPO: &str = "r";
    const TTL: Duration = Duration::from_secs(60);

    /// Makes the lease one of another machine, as if it had just been renewed there.
    fn moved_elsewhere(journal: &mut Journal, deadline: u64) {
        let moved = journal.write(|step| {
            let mut stored = Stored::load(&step.tx, REPO, step.files)?.expect("it is there");
            stored.process.boot = "other/earlier".to_owned();
            stored.deadline = deadline;
            stored.save(step, REPO)
        });
        moved.expect("it can be written");
    }

    #[test]
    fn the_lease_of_another_machine_ends_when_it_is_not_renewed_for_a_while() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::open(folder.path()).expect("a journal");
        let first = journal.acquire(REPO, TTL).expect("nobody holds it");
        // Long over by the clock of this machine, which says nothing about that of the other one.
        moved_elsewhere(&mut journal, 1);
        let refused = |journal: &mut Journal| match journal.acquire(REPO, TTL) {
            Err(JournalError::LeasedElsewhere { quiet, left, .. }) => (quiet, left),
            other => panic!("{other:?}"),
        };
        assert!(journal.holder(REPO).expect("it can be read").is_some());
        assert!(refused(&mut journal).1 > TTL / 2);
        let key = (journal.files.database(), REPO.to_owned());
        let long_ago = || {
            let mut all = SEEN.lock().expect("no panic");
            all.get_mut(&key).expect("it was seen").1 = Instant::now().checked_sub(QUIET).expect("a minute of uptime");
        };
        // Renewed there, it lives on.
        long_ago();
        moved_elsewhere(&mut journal, 2);
        assert!(refused(&mut journal).0 < TTL / 2);
        long_ago();
        let second = journal.acquire(REPO, TTL).expect("it is over");
        assert_eq!(second.token(), first.token() + 1);
        assert!(matches!(journal.check(&first), Err(JournalError::Fenced { .. })));
    }
}
