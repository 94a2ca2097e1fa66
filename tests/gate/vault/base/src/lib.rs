//! A small store of notes on disk, with a ledger in memory.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The most that is read from anybody, bytes.
pub const MOST: u64 = 1024;

pub mod stock;

/// Hands out tickets, each number once.
#[derive(Debug, Default)]
pub struct Tickets {
    next: AtomicU64,
}

impl Tickets {
    /// The next number, up to `last`.
    pub fn take(&self, last: u64) -> Option<u64> {
        let mut seen = self.next.load(Ordering::Acquire);
        loop {
            if seen >= last {
                return None;
            }
            match self.next.compare_exchange(seen, seen + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(number) => return Some(number),
                Err(now) => seen = now,
            }
        }
    }
}

/// A flag that is published with what was written before it.
#[derive(Debug, Default)]
pub struct Ready(AtomicBool);

impl Ready {
    /// Publishes.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was published.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Accounts with amounts.
#[derive(Debug, Default, Clone)]
pub struct Ledger {
    accounts: Arc<Mutex<HashMap<String, u64>>>,
}

impl Ledger {
    /// Adds to an account.
    pub fn add(&self, name: &str, amount: u64) {
        let mut accounts = self.accounts.lock().unwrap();
        *accounts.entry(name.to_owned()).or_default() += amount;
    }

    /// What an account has.
    pub fn amount(&self, name: &str) -> u64 {
        self.accounts.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    /// Moves an amount, if it is there.
    pub fn pay(&self, from: &str, to: &str, amount: u64) -> bool {
        let mut accounts = self.accounts.lock().unwrap();
        let has = accounts.get(from).copied().unwrap_or(0);
        if has < amount {
            return false;
        }
        accounts.insert(from.to_owned(), has - amount);
        *accounts.entry(to.to_owned()).or_default() += amount;
        true
    }
}

/// Writes a note, whole or not at all, for its owner alone.
pub fn save(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let (new, path) = (folder.join(format!("{name}.new")), folder.join(name));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&new, &path)
}

/// Reads a note, no more than [`MOST`] bytes.
pub fn load(folder: &Path, name: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(folder.join(name))?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

/// Asks a server, and waits no longer than a second.
pub fn ask(address: &str, question: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(question.as_bytes())?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer)?;
    Ok(answer)
}

/// Tries again up to three times, with a pause in between.
pub fn retry<T>(mut work: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let mut left = 3;
    loop {
        match work() {
            Ok(done) => return Ok(done),
            Err(error) if left == 1 => {
                eprintln!("gave up: {error}");
                return Err(error);
            }
            Err(_) => left -= 1,
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A queue that holds as much as a hundred jobs back.
pub fn queue() -> (SyncSender<u64>, Receiver<u64>) {
    sync_channel(100)
}

/// Sums what is sent until all senders are gone.
pub fn sum(jobs: Receiver<u64>) -> u64 {
    jobs.iter().sum()
}

/// A lock file that is gone when it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: std::path::PathBuf,
}

impl Lock {
    /// Takes it.
    pub fn take(path: &Path) -> io::Result<Self> {
        OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            eprintln!("{} stays: {error}", self.path.display());
        }
    }
}

/// A name, cut to what fits.
pub fn short(name: &str) -> String {
    let mut out = String::with_capacity(8);
    out.extend(name.chars().take(8));
    out
}

/// A cursor over numbers.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    name: String,
    at: usize,
}

impl Cursor {
    /// At the beginning.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), at: 0 }
    }

    /// One further.
    pub fn step(mut self) -> Self {
        self.at += 1;
        self
    }

    /// Where it is.
    pub fn shown(&self) -> String {
        format!("{}:{}", self.name, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("vault-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn tickets_are_given_once() {
        let tickets = Tickets::default();
        assert_eq!([tickets.take(2), tickets.take(2), tickets.take(2)], [Some(0), Some(1), None]);
    }

    #[test]
    fn a_flag_is_set() {
        let ready = Ready::default();
        assert!(!ready.get());
        ready.set();
        assert!(ready.get());
    }

    #[test]
    fn amounts_move() {
        let ledger = Ledger::default();
        ledger.add("a", 10);
        ledger.add("a", 1);
        assert!(ledger.pay("a", "b", 11));
        assert_eq!((ledger.amount("a"), ledger.amount("b")), (0, 11));
        assert!(!ledger.pay("a", "b", 1));
        ledger.add("b", 2);
        assert!(ledger.pay("b", "a", 3));
        assert_eq!((ledger.amount("a"), ledger.amount("b")), (3, 10));
    }

    #[test]
    fn notes_are_kept() {
        let folder = folder("notes");
        save(&folder, "a", "hello").unwrap();
        assert_eq!(load(&folder, "a").unwrap(), "hello");
        save(&folder, "a", "again").unwrap();
        assert_eq!(load(&folder, "a").unwrap(), "again");
        assert!(load(&folder, "b").is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_server_is_asked() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap().to_string();
        let serving = thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut question = [0; 5];
            stream.read_exact(&mut question).unwrap();
            stream.write_all(b"yes").unwrap();
            question
        });
        assert_eq!(ask(&address, "is it").unwrap(), "yes");
        assert_eq!(&serving.join().unwrap(), b"is it");
    }

    #[test]
    fn work_is_tried_again() {
        let mut count = 0;
        let done = retry(|| {
            count += 1;
            if count == 3 { Ok(count) } else { Err("not yet".to_owned()) }
        });
        assert_eq!(done, Ok(3));
        let mut count = 0;
        let failed: Result<(), String> = retry(|| {
            count += 1;
            Err("never".to_owned())
        });
        assert_eq!((failed, count), (Err("never".to_owned()), 3));
    }

    #[test]
    fn jobs_are_summed() {
        let (sender, jobs) = queue();
        for number in [1, 2, 3] {
            sender.send(number).unwrap();
        }
        drop(sender);
        assert_eq!(sum(jobs), 6);
    }

    #[test]
    fn a_lock_is_taken_once() {
        let path = folder("lock").join("lock");
        let lock = Lock::take(&path).unwrap();
        assert!(Lock::take(&path).is_err());
        drop(lock);
        assert!(!path.exists());
        drop(Lock::take(&path).unwrap());
    }

    #[test]
    fn names_are_cut() {
        assert_eq!(short("something long"), "somethin");
        assert_eq!(short("a"), "a");
    }

    #[test]
    fn a_cursor_steps() {
        let cursor = Cursor::new("a");
        assert_eq!(cursor.shown(), "a:0");
        assert_eq!(cursor.clone().step(), Cursor { name: "a".to_owned(), at: 1 });
        assert_ne!(cursor, Cursor::new("b"));
        assert_eq!(cursor.step().step().shown(), "a:2");
    }
}
