//! The board: what everybody in the daemon may look at: what runs, what waits, what is next, what came of it. Only for the
//! eye; what matters is in the journal.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use kaizen_domain::{Cycle, Timestamp, Word};
use serde::Serialize;
use tokio::sync::{Notify, broadcast, watch};

use crate::daemon::plan::{Plan, now};

/// Events that a slow listener may be behind.
const BEHIND: usize = 1024;

/// What is known of one repository.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Place {
    /// Its name for people.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// `owner/name` on its forge.
    pub forge: Option<String>,
    /// What is being done, and since when.
    pub running: Option<(String, Timestamp)>,
    /// Why nothing is done although something is due.
    pub waits: Option<String>,
    /// The next run: its schedule and its time.
    pub next: Option<(String, Timestamp)>,
    /// How the last run ended.
    pub last: Option<(String, Timestamp)>,
    /// What went wrong last, until something goes well.
    pub trouble: Option<String>,
    /// What went wrong in the run that is under way.
    pub met: Option<String>,
    /// Whether what went wrong may go better later, so that the place is left alone for a while.
    pub backs_off: bool,
    /// How many runs there were.
    pub runs: u64,
    /// How opportunities ended, by word.
    pub words: BTreeMap<String, u64>,
    /// What models cost, in millionths of a dollar.
    pub spent_micros: u64,
}

/// What everybody may look at.
pub(crate) struct Board {
    places: Mutex<BTreeMap<String, Place>>,
    /// Why the settings that are in the file now are not those that are in force.
    refused: Mutex<Option<String>>,
    events: broadcast::Sender<String>,
    stopping: watch::Sender<bool>,
    wake: Notify,
    /// Repositories whose forge called.
    called: Mutex<Vec<String>>,
    /// How often the main loop went round.
    beats: AtomicU64,
    /// Whether anything moved since it was last asked.
    moved: AtomicBool,
    /// When something last moved in each job.
    progress: Mutex<BTreeMap<String, Instant>>,
    pub started: Timestamp,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Board {
    /// A board for a plan.
    pub fn new(plan: &Plan) -> Self {
        let board = Self {
            places: Mutex::default(),
            refused: Mutex::default(),
            events: broadcast::channel(BEHIND).0,
            stopping: watch::channel(false).0,
            wake: Notify::new(),
            called: Mutex::default(),
            beats: AtomicU64::new(0),
            moved: AtomicBool::new(false),
            progress: Mutex::default(),
            started: now(),
        };
        board.show(plan);
        board
    }

    /// Shows the repositories of a plan; what is known of those that stay, stays.
    pub fn show(&self, plan: &Plan) {
        let mut places = lock(&self.places);
        places.retain(|key, place| place.running.is_some() || plan.repositories.iter().any(|one| one.key == *key));
        for one in &plan.repositories {
            let place = places.entry(one.key.clone()).or_default();
            place.name.clone_from(&one.name);
            place.path = one.settings.path.display().to_string();
            place.forge.clone_from(&one.full_name);
        }
    }

    /// Changes what is known of a repository.
    pub fn update(&self, key: &str, change: impl FnOnce(&mut Place)) {
        if let Some(place) = lock(&self.places).get_mut(key) {
            change(place);
        }
    }

    /// What is known of all, by key.
    pub fn places(&self) -> BTreeMap<String, Place> {
        lock(&self.places).clone()
    }

    /// Notes what came of a cycle.
    pub fn cycle_over(&self, key: &str, cycle: &Cycle) {
        self.update(key, |place| {
            for attempt in &cycle.attempts {
                if let Some(word) = attempt.word() {
                    *place.words.entry(word.shout().to_lowercase()).or_default() += 1;
                }
            }
            place.spent_micros = place.spent_micros.saturating_add(cycle.spend().usd.0);
        });
    }

    /// Notes a word for something that is no attempt, such as a pull request that was opened.
    pub fn count(&self, key: &str, word: Word) {
        self.update(key, |place| *place.words.entry(word.shout().to_lowercase()).or_default() += 1);
    }

    /// Says why the settings in the file are not in force, or that they are.
    pub fn refuse(&self, why: Option<String>) {
        *lock(&self.refused) = why;
    }

    /// Why the settings in the file are not in force.
    pub fn refused(&self) -> Option<String> {
        lock(&self.refused).clone()
    }

    /// Tells listeners.
    pub fn tell(&self, line: String) {
        // Nobody may be listening.
        let _ = self.events.send(line);
    }

    /// Everything that is told from now on.
    pub fn listen(&self) -> broadcast::Receiver<String> {
        self.events.subscribe()
    }

    /// Asks everything to stop.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether everything is to stop.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Asks the main loop to look again.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until somebody asks the main loop to look again.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Notes that a forge called about a repository. Says whether anybody works for it.
    pub fn call(&self, full_name: &str) -> bool {
        let key = lock(&self.places)
            .iter()
            .find(|(_, place)| place.forge.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(full_name)))
            .map(|(key, _)| key.clone());
        let Some(key) = key else { return false };
        let mut called = lock(&self.called);
        if !called.contains(&key) {
            called.push(key);
        }
        self.wake();
        true
    }

    /// The repositories whose forge called since.
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.called))
    }

    /// The main loop went round.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it did.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Something moved in a job.
    pub fn moved(&self, job: &str) {
        self.moved.store(true, Ordering::Relaxed);
        lock(&self.progress).insert(job.to_owned(), Instant::now());
    }

    /// A job is over.
    pub fn over(&self, job: &str) {
        lock(&self.progress).remove(job);
    }

    /// Jobs in which nothing moved for so long.
    pub fn stuck(&self, after: std::time::Duration) -> Vec<String> {
        lock(&self.progress).iter().filter(|(_, at)| at.elapsed() > after).map(|(job, _)| job.clone()).collect()
    }
}
