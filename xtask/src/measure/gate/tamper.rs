//! Tamper: one byte changed in the journal or in the evidence, wherever it stands, room that holds nothing included. It must
//! always be seen, and of the journal the first bad record be named.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use kaizen_domain::CommitId;
use kaizen_journal::{Filter, Journal, JournalError};
use kaizen_testkit::Fixture;

use super::super::dice::Dice;
use super::super::git;
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::program;

/// A library with one thing for clippy to change, in a function that is tested.
const LIB: &str = "//! Sums.\n\n/// The sum.\npub fn add(a: u32, b: u32) -> u32 {\n    return a + b;\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    \
                   fn adds() {\n        assert_eq!(super::add(1, 2), 3);\n    }\n}\n";
/// Bytes of the journal that are changed, one after the other.
const CHANGES: u64 = 2_000;

/// Changes them.
///
/// # Errors
/// When the program does not build, or nothing lands.
pub fn measure(options: &Options) -> Result<Outcome> {
    let (program, scratch) = (program()?, Scratch::new("tamper")?);
    let header = ["where", "bytes", "changed", "seen", "record named", "no record bad"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let fixture = Fixture::tiny(LIB);
    let ran = program.run_cycle(&fixture, &[]);
    ensure!(ran.code == Some(0), "the cycle failed: {ran:?}");
    let landed = fixture.landed_branch().context("something landed")?;
    let mut dice = Dice(options.seed);
    let changes = if options.quick { CHANGES / 20 } else { CHANGES };
    journal(&fixture, &scratch, changes, &mut dice, &mut outcome)?;
    evidence(&fixture, &landed, if options.quick { 40 } else { usize::MAX }, &mut outcome)?;
    Ok(outcome)
}

/// What came of the changes in one place.
#[derive(Default)]
struct Seen {
    changed: u64,
    seen: u64,
    /// The first bad record was named.
    named: u64,
    /// It was said that every record is whole, and what is not.
    whole: u64,
}

impl Seen {
    fn row(&self, place: &str, bytes: usize) -> [String; 6] {
        let numbers = [self.changed, self.seen, self.named, self.whole].map(|number| number.to_string());
        let [changed, seen, named, whole] = numbers;
        [place.to_owned(), bytes.to_string(), changed, seen, named, whole]
    }
}

/// Bytes of the journal's files, each in a fresh copy.
fn journal(fixture: &Fixture, scratch: &Scratch, changes: u64, dice: &mut Dice, outcome: &mut Outcome) -> Result<()> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in fs::read_dir(fixture.state())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("journal") && !name.ends_with("-shm") && !name.ends_with("lock") {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    let copy = scratch.join("state");
    fs::create_dir_all(&copy)?;
    let write_all = |files: &BTreeMap<String, Vec<u8>>| -> Result<()> {
        fs::remove_dir_all(&copy)?;
        fs::create_dir_all(&copy)?;
        files.iter().try_for_each(|(name, bytes)| Ok(fs::write(copy.join(name), bytes)?))
    };
    write_all(&files)?;
    ensure!(verified(&copy)?.is_ok(), "the journal does not verify before anything is changed");
    for (name, bytes) in files.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let mut found = Seen::default();
        let share = changes.min(bytes.len() as u64 * 8);
        let (mut unseen, mut unnamed) = (Vec::new(), Vec::new());
        for _ in 0..share {
            let at = usize::try_from(dice.below(bytes.len() as u64))?;
            let mut changed = files.clone();
            if let Some(byte) = changed.get_mut(name).and_then(|bytes| bytes.get_mut(at)) {
                *byte ^= 1 << dice.below(8);
            }
            write_all(&changed)?;
            found.changed += 1;
            match verified(&copy)? {
                Ok(()) => unseen.push(at),
                Err(JournalError::Corrupt { record, .. }) => {
                    found.seen += 1;
                    found.named += u64::from(record.is_some());
                    found.whole += u64::from(record.is_none());
                }
                Err(JournalError::Altered { .. }) => {
                    found.seen += 1;
                    found.whole += 1;
                }
                Err(error) => {
                    found.seen += 1;
                    unnamed.push(format!("byte {at}: {error}"));
                }
            }
        }
        outcome.require(
            unnamed.is_empty(),
            format!("{name}: {} of {share} changes are seen, but not where: {}", unnamed.len(), unnamed.join("; ")),
        );
        outcome.require(
            unseen.is_empty(),
            format!("{name}: {} of {share} changes are not seen, first at byte {:?}", unseen.len(), unseen.first()),
        );
        outcome.table.row(found.row(name, bytes.len()));
    }
    Ok(())
}

/// Everything that is read of a journal.
fn verified(state: &std::path::Path) -> Result<Result<(), JournalError>> {
    let read = || -> Result<(), JournalError> {
        let Some(journal) = Journal::open_read_only(state)? else {
            return Err(JournalError::Corrupt {
                path: PathBuf::from(state),
                record: None,
                detail: "it is not there".to_owned(),
            });
        };
        journal.verify()?;
        journal.records(&Filter::default()).map(drop)
    };
    Ok(read())
}

/// Bytes of the evidence on a commit, each by itself.
fn evidence(fixture: &Fixture, branch: &str, most: usize, outcome: &mut Outcome) -> Result<()> {
    let commit = git::say(&fixture.repo(), &["rev-parse", branch])?;
    let commit = CommitId::new(commit)?;
    let repo = kaizen_repo::Repo::open(&fixture.repo())?;
    let good = repo.note(&commit)?.context("there is evidence on what landed")?;
    let key = kaizen_evidence::InstallationKey::read(&fixture.state().join("evidence.key"))?
        .context("there is a key")?
        .public();
    ensure!(kaizen_evidence::open(&good, &key).is_ok(), "the evidence does not open before anything is changed");
    let (mut found, step) = (Seen::default(), (good.len() / most).max(1));
    for at in (0..good.len()).step_by(step) {
        for bit in 0..7 {
            let mut bytes = good.clone().into_bytes();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            found.changed += 1;
            let opens = String::from_utf8(bytes).is_ok_and(|text| kaizen_evidence::open(&text, &key).is_ok());
            found.seen += u64::from(!opens);
        }
    }
    outcome
        .require(found.seen == found.changed, format!("evidence: {} changes are not seen", found.changed - found.seen));
    let mut row = found.row("the evidence on a commit", good.len());
    row[4] = "-".to_owned();
    row[5] = "-".to_owned();
    outcome.table.row(row);
    outcome.summary = "every changed byte is seen, and the first bad record named where one is (bar: all)".to_owned();
    Ok(())
}
