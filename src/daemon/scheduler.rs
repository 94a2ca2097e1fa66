//! The scheduler: says for each repository what is due, and starts it when there is room. What was settled of a schedule is
//! in the journal; asked again after a crash, the same question has the same answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kaizen_agents::pull_requests::book::Book;
use kaizen_agents::watcher::book::Watches;
use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{AttemptEvent, CycleId, Event, LandingMode, Record, Timestamp};
use kaizen_journal::Journal;
use kaizen_schedule::{PacingState, Progress};

use crate::daemon::board::Board;
use crate::daemon::job::{self, Work};
use crate::daemon::plan::{Plan, Planned, now};
use crate::daemon::{DaemonOptions, LOOK, service};
use crate::failure::Failure;

/// After trouble, a repository is left alone for so long; each time in a row doubles it.
const PAUSE: Duration = Duration::from_secs(30);
/// But not for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(1800);

/// What the scheduler knows of a repository.
#[derive(Default)]
struct Known {
    progress: BTreeMap<String, Progress>,
    /// When its forge was last asked.
    followed: Option<Instant>,
    /// Its forge called, and nobody has looked since.
    called: bool,
    /// When something was last started for it.
    started: Option<Instant>,
    /// Whether that was a cycle, or a look at what landed: then pull requests come next.
    follows_next: bool,
    /// Whether its journal was read, and up to which record.
    read: bool,
    newest: u64,
    /// A cycle of it was cut off.
    cut_off: bool,
    /// It has pull requests that are not over, or that wait.
    proposes: bool,
    /// What landed and is watched, or is to be.
    watches: Watches,
    /// When that was last looked at.
    watched: Option<Instant>,
    /// When patches landed on the branch of a person.
    landings: Vec<Timestamp>,
    /// How often in a row something went wrong, and until when it is left alone.
    troubles: u32,
    not_before: Option<Instant>,
    job: Option<JoinHandle<()>>,
}

/// Says what is due, and starts it.
pub(crate) struct Scheduler {
    options: DaemonOptions,
    plan: Plan,
    board: Arc<Board>,
    known: BTreeMap<String, Known>,
    /// The text of a file that was refused, so that it is said once.
    refused: Option<String>,
    /// The text of a file that is new: it is read when it is still the same at the next look, as it may be half written.
    fresh: Option<String>,
    /// When the journal was last looked at for what others recorded.
    looked: Instant,
}

impl Scheduler {
    pub fn new(options: DaemonOptions, plan: Plan, board: Arc<Board>) -> Self {
        Self { options, plan, board, known: BTreeMap::new(), refused: None, fresh: None, looked: Instant::now() }
    }

    /// What is to be done.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Reads the settings again when they changed. A plan that cannot be used is refused, and the old one stays. Says
    /// whether there is a new one.
    pub fn reload(&mut self, asked: bool) -> bool {
        let text = std::fs::read_to_string(&self.options.settings).unwrap_or_default();
        let known = text == self.plan.text || self.refused.as_ref() == Some(&text);
        if known && !asked {
            if text == self.plan.text && self.refused.take().is_some() {
                self.board.refuse(None);
            }
            return false;
        }
        if !asked && self.fresh.as_ref() != Some(&text) {
            self.fresh = Some(text);
            return false;
        }
        self.fresh = None;
        match Plan::read(&self.options) {
            Ok(plan) => {
                tracing::info!(repositories = plan.repositories.len(), "the settings were read again");
                if plan.settings.daemon.listen != self.plan.settings.daemon.listen {
                    tracing::warn!("`daemon.listen` changes with the next start");
                }
                self.board.show(&plan);
                self.board.refuse(None);
                self.refused = None;
                self.plan = plan;
                true
            }
            Err(failure) => {
                tracing::error!(%failure, "the new settings are refused, the old ones stay");
                self.board.refuse(Some(failure.to_string()));
                self.refused = Some(text);
                false
            }
        }
    }

    /// What others recorded is read: a cycle that a person ran by hand may have landed something that is to be watched.
    fn look(&mut self) {
        if self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Instant::now();
        let Ok(Some(journal)) = Journal::open_read_only(&self.options.state_dir) else { return };
        for (key, known) in self.known.iter_mut().filter(|(_, known)| known.job.is_none() && known.read) {
            if journal.newest(key).is_ok_and(|newest| newest != known.newest) {
                known.read = false;
            }
        }
    }

    /// Starts what is due, as far as there is room.
    pub fn tick(&mut self) {
        self.look();
        let called = self.board.take_calls();
        let (options, board) = (self.options.clone(), self.board.clone());
        for (key, known) in &mut self.known {
            if known.job.as_ref().is_some_and(JoinHandle::is_finished)
                && let Some(job) = known.job.take()
            {
                let _ = job.join();
                let backs_off = board.places().get(key).is_some_and(|place| place.backs_off);
                known.troubles = if backs_off { known.troubles.saturating_add(1) } else { 0 };
                known.not_before = (known.troubles > 0).then(|| {
                    let pause = PAUSE.saturating_mul(1 << (known.troubles - 1).min(10)).min(LONGEST_PAUSE);
                    Instant::now() + pause
                });
                // What it recorded decides what is due next.
                known.read = false;
            }
        }
        let mut running = self.known.values().filter(|known| known.job.is_some()).count();
        let most = usize::try_from(self.plan.settings.daemon.at_once).unwrap_or(1);
        let poll = Duration::from_secs(self.plan.settings.daemon.poll_secs);
        let mut ready: Vec<(bool, Option<Instant>, &Planned, Work)> = Vec::new();
        for planned in &self.plan.repositories {
            let known = self.known.entry(planned.key.clone()).or_default();
            known.called |= called.contains(&planned.key);
            if known.job.is_some() {
                continue;
            }
            if !known.read
                && let Err(failure) = read(&options, planned, known)
            {
                board.update(&planned.key, |place| place.trouble = Some(failure.to_string()));
                continue;
            }
            if known.not_before.is_some_and(|until| until > Instant::now()) {
                continue;
            }
            let Some(work) = due(&options, planned, known, poll, &board) else { continue };
            ready.push((!matches!(work, Work::Watch | Work::Resume), known.started, planned, work));
        }
        // What hurts or was cut off goes first, then whoever has waited longest: none keeps the others from their turn.
        ready.sort_by_key(|(later, started, ..)| (*later, *started));
        for (_, _, planned, work) in ready {
            if running >= most {
                let why =
                    format!("{most} other job{} at work (`daemon.at_once`)", if most == 1 { " is" } else { "s are" });
                board.update(&planned.key, |place| place.waits = Some(why));
                continue;
            }
            let Some(known) = self.known.get_mut(&planned.key) else { continue };
            let now = Some(Instant::now());
            match work {
                Work::Follow => (known.followed, known.called) = (now, false),
                Work::Watch => known.watched = now,
                Work::Cycle { .. } | Work::Resume => {}
            }
            (known.started, known.follows_next) = (now, !matches!(work, Work::Follow));
            match job::start(&options, planned, work, &board) {
                Ok(job) => {
                    known.job = Some(job);
                    running += 1;
                }
                Err(error) => board.update(&planned.key, |place| place.trouble = Some(format!("no thread: {error}"))),
            }
        }
        service::notify(&format!("STATUS={running} at work, {} repositories", self.plan.repositories.len()));
    }

    /// Waits for jobs to park. Says whether all did.
    pub async fn park(&mut self, within: Duration, mut beat: impl FnMut()) -> bool {
        let until = Instant::now() + within;
        while Instant::now() < until {
            beat();
            if self.known.values().all(|known| known.job.as_ref().is_none_or(JoinHandle::is_finished)) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }
}

/// Reads what the journal says about a repository.
fn read(options: &DaemonOptions, planned: &Planned, known: &mut Known) -> Result<(), Failure> {
    let records = job::records(options, &planned.key)?;
    known.newest = records.last().map_or(0, |record| record.seq);
    known.progress = progress(&records);
    known.cut_off = cut_off(&records);
    known.landings = landings(&records);
    known.watches = Watches::read(&records).unwrap_or_default();
    let book = Book::read(&records);
    known.proposes = book.is_ok_and(|book| !book.is_empty(now()));
    known.read = true;
    Ok(())
}

/// What is due for a repository now.
fn due(options: &DaemonOptions, planned: &Planned, known: &mut Known, poll: Duration, board: &Board) -> Option<Work> {
    if known.cut_off {
        return Some(Work::Resume);
    }
    let at = now();
    let mut next: Option<(String, Timestamp)> = None;
    let mut chosen: Option<Work> = None;
    let mut oldest = None;
    for (schedule, only) in &planned.schedules {
        let name = schedule.name().to_owned();
        if !known.progress.contains_key(&name) {
            let seen = Event::ScheduleSeen { schedule: name.clone(), at };
            if let Err(failure) = job::record(options, &planned.key, &[seen]) {
                board.update(&planned.key, |place| place.waits = Some(failure.message));
                return None;
            }
            known.progress.insert(name.clone(), Progress::new(at));
        }
        let Some(progress) = known.progress.get_mut(&name) else { continue };
        let due = schedule.due(progress, at);
        if let Some(upcoming) = due.next.map(|next| next.due)
            && next.as_ref().is_none_or(|(_, known)| upcoming < *known)
        {
            next = Some((name.clone(), upcoming));
        }
        match due.run.first() {
            Some(run) if oldest.is_none_or(|oldest| run.nominal < oldest) => {
                oldest = Some(run.nominal);
                let left_out = due.left_out.through.map(|through| (through, due.left_out.to_string()));
                chosen = Some(Work::Cycle {
                    schedule: name,
                    nominal: run.nominal,
                    left_out,
                    only: only.clone(),
                    room: None,
                });
            }
            None => {
                if let Some(through) = due.left_out.through {
                    let why = Some(due.left_out.to_string());
                    let event = Event::ScheduleSettled { schedule: name, nominal: through, left_out: why };
                    if job::record(options, &planned.key, &[event]).is_ok() {
                        progress.settle(through);
                    }
                }
            }
            Some(_) => {}
        }
    }
    board.update(&planned.key, |place| place.next.clone_from(&next));
    if let Some(Work::Cycle { room, .. }) = &mut chosen
        && planned.landing == LandingMode::Merge
    {
        // What lands on a branch of a person while nobody watches is paced.
        let state = PacingState { open: 0, landings: known.landings.clone(), rejections: Vec::new() };
        match planned.pacing.may_land(&state, at) {
            Ok(()) => *room = Some(planned.pacing.room(&state, at)),
            Err(wait) => {
                board.update(&planned.key, |place| place.waits = Some(wait.to_string()));
                chosen = None;
            }
        }
    }
    let follows = planned.landing == LandingMode::PullRequest && known.proposes;
    let follow = follows && (known.called || known.followed.is_none_or(|last| last.elapsed() >= poll));
    let watch = planned.watch.as_ref().is_some_and(|watch| {
        known.watches.is_due(watch.window, at) && known.watched.is_none_or(|last| last.elapsed() >= watch.look)
    });
    // What hurts goes before everything that is new, and answers to people are not kept waiting by what is always due.
    let follow = follow.then_some(Work::Follow);
    if known.follows_next && follow.is_some() {
        return follow;
    }
    watch.then_some(Work::Watch).or(chosen).or(follow)
}

/// How far each schedule has come.
fn progress(records: &[Record]) -> BTreeMap<String, Progress> {
    let mut all: BTreeMap<String, Progress> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::ScheduleSeen { schedule, at } => drop(all.insert(schedule.clone(), Progress::new(*at))),
            Event::ScheduleSettled { schedule, nominal, .. } => {
                if let Some(progress) = all.get_mut(schedule) {
                    progress.settle(*nominal);
                }
            }
            _ => {}
        }
    }
    all
}

fn cut_off(records: &[Record]) -> bool {
    let mut open: Vec<CycleId> = Vec::new();
    for record in records {
        match &record.event {
            Event::Cycle { cycle, event: CycleEvent::Started { .. } } => open.push(*cycle),
            Event::Cycle { cycle, event: CycleEvent::Finished | CycleEvent::Failed { .. } } => {
                open.retain(|other| other != cycle);
            }
            _ => {}
        }
    }
    !open.is_empty()
}

/// When patches landed on a branch of a person.
fn landings(records: &[Record]) -> Vec<Timestamp> {
    let mut merges: Vec<CycleId> = Vec::new();
    let mut at = Vec::new();
    for record in records {
        match &record.event {
            Event::Cycle { cycle, event: CycleEvent::Started { request } } if request.landing == LandingMode::Merge => {
                merges.push(*cycle);
            }
            Event::Cycle { cycle, event: CycleEvent::Attempt { what: AttemptEvent::Landed, .. } }
                if merges.contains(cycle) =>
            {
                at.push(record.at);
            }
            _ => {}
        }
    }
    at
}
