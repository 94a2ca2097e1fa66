//! A job: one cycle, or one round over pull requests, on a thread of its own. What a session holds does not go from thread to
//! thread, and a job that dies takes nobody along.

use std::sync::Arc;

use kaizen_agents::pull_requests::told::Told;
use kaizen_agents::watcher::{WatchTold, Watcher, WatcherTerms};
use kaizen_agents::{Kaizen, Notice};
use kaizen_domain::{CycleId, Event, LandingMode, OpportunityKind, Timestamp, Word};
use kaizen_journal::{Filter, Journal};

use crate::commands::carry::carry_until;
use crate::commands::pull_requests::round;
use crate::daemon::DaemonOptions;
use crate::daemon::board::Board;
use crate::daemon::plan::{Planned, now};
use crate::daemon::sampler::samples_dir;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::listener::Listener;
use crate::session::{Session, SessionOptions, heard};
use crate::story::pull_requests;
use crate::terms::CycleTerms;

/// What a job does.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// A cycle, for a time of a schedule.
    Cycle {
        /// The schedule.
        schedule: String,
        /// The time that it names.
        nominal: Timestamp,
        /// What is left out with it.
        left_out: Option<(Timestamp, String)>,
        /// The kinds of work.
        only: Vec<OpportunityKind>,
        /// How many patches may land at most.
        room: Option<u32>,
    },
    /// What was cut off goes on.
    Resume,
    /// A round over pull requests.
    Follow,
    /// A look at what has landed.
    Watch,
}

impl Work {
    /// What people read.
    pub fn title(&self) -> String {
        match self {
            Self::Cycle { schedule, .. } => format!("cycle ({schedule})"),
            Self::Resume => "going on with what was cut off".to_owned(),
            Self::Follow => "pull requests".to_owned(),
            Self::Watch => "watch".to_owned(),
        }
    }
}

/// Starts a job; the board is told how it ended, and the main loop is woken.
pub(crate) fn start(
    options: &DaemonOptions,
    planned: &Planned,
    work: Work,
    board: &Arc<Board>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let (options, planned, board) = (options.clone(), planned.clone(), board.clone());
    let runtime = tokio::runtime::Handle::current();
    let (key, title) = (planned.key.clone(), work.title());
    board.update(&key, |place| {
        place.running = Some((title.clone(), now()));
        place.waits = None;
        place.met = None;
        place.backs_off = false;
    });
    board.moved(&key);
    board.tell(
        serde_json::json!({"of": "job", "repository": planned.name, "what": title, "did": "started"}).to_string(),
    );
    tracing::info!(repository = planned.name, what = title, "started");
    std::thread::Builder::new().name(format!("job-{}", planned.name)).spawn(move || {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(perform(&options, &planned, work, &board))
        }));
        let outcome = ended.unwrap_or_else(|_| Err(Failure::fault("the job died; the next run goes on with it")));
        let outcome = match outcome {
            // Asked to stop, it stands where the next start finds it.
            Err(failure) if failure.exit == Exit::Stopped => Ok("parked".to_owned()),
            other => other,
        };
        let said = match &outcome {
            Ok(said) => said.clone(),
            Err(failure) => failure.message.lines().next().unwrap_or_default().to_owned(),
        };
        board.over(&planned.key);
        board.update(&planned.key, |place| {
            place.running = None;
            place.runs += 1;
            place.last = Some((format!("{title}: {said}"), now()));
            place.backs_off |= outcome.is_err();
            place.trouble = outcome.as_ref().err().map(|failure| failure.to_string()).or_else(|| place.met.take());
        });
        let good = outcome.is_ok();
        board.tell(
            serde_json::json!({"of": "job", "repository": planned.name, "what": title, "did": "ended", "good": good, "said": said})
                .to_string(),
        );
        match outcome {
            Ok(said) => tracing::info!(repository = planned.name, what = title, said, "ended"),
            Err(failure) => tracing::warn!(repository = planned.name, what = title, %failure, "ended badly"),
        }
        give_back();
        board.wake();
    })
}

/// Gives memory back that a job needed and the allocator keeps for more of the kind: between jobs there may be hours.
fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes no pointers, and may be called by any thread at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

async fn perform(
    options: &DaemonOptions,
    planned: &Planned,
    work: Work,
    board: &Arc<Board>,
) -> Result<String, Failure> {
    let mut session = Session::open(SessionOptions {
        repo: planned.path(),
        base: planned.settings.base.clone(),
        settings_file: Some(options.settings.clone()),
        state_dir: Some(options.state_dir.clone()),
    })?;
    let mut hearer =
        Hearer { key: planned.key.clone(), name: planned.name.clone(), board: board.clone(), told: Vec::new() };
    let mut stopping = board.stopping();
    let stop = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
        "the daemon ends"
    };
    match work {
        Work::Cycle { schedule, nominal, left_out, only, room } => {
            let mut first = Vec::new();
            if let Some((through, why)) = left_out {
                first.push(Event::ScheduleSettled {
                    schedule: schedule.clone(),
                    nominal: through,
                    left_out: Some(why),
                });
            }
            first.push(Event::ScheduleSettled { schedule, nominal, left_out: None });
            let asked = &planned.settings;
            let most = asked.max_landings.unwrap_or(session.settings.cycle.max_landings);
            let terms = CycleTerms {
                only: if only.is_empty() { asked.only.clone() } else { only },
                landing: Some(planned.landing),
                update_worktree: asked.update_worktree,
                max_landings: Some(room.map_or(most, |room| most.min(room))),
                budget: asked.budget_usd,
                ..CycleTerms::default()
            };
            let cycle = carry_until(&mut session, terms, first, &mut hearer, stop).await?;
            board.cycle_over(&planned.key, &cycle);
            let words = [Word::Landed, Word::Queued, Word::Asked, Word::Rejected, Word::Inconclusive, Word::Declined];
            let said: Vec<String> = words
                .into_iter()
                .filter(|word| cycle.count(*word) > 0)
                .map(|word| format!("{} {}", word.shout().to_lowercase(), cycle.count(word)))
                .collect();
            Ok(if said.is_empty() { "nothing to do".to_owned() } else { said.join(", ") })
        }
        Work::Watch => watch(options, &session, planned, &mut hearer, stop).await,
        Work::Resume => resume(&session, &mut hearer, stop).await,
        Work::Follow => {
            round(&mut session, &mut hearer, stop).await?;
            let said: Vec<String> = hearer.told.iter().map(|told| told.trim().to_owned()).collect();
            Ok(if said.is_empty() { "nothing new".to_owned() } else { said.join("; ") })
        }
    }
}

async fn watch(
    options: &DaemonOptions,
    session: &Session,
    planned: &Planned,
    hearer: &mut Hearer,
    stop: impl Future<Output = &'static str>,
) -> Result<String, Failure> {
    let Some(wanted) = &planned.watch else { return Ok("nothing is watched".to_owned()) };
    let forge = if wanted.checks {
        let remote = crate::desk::remote(session.repo(), &session.settings)?;
        Some(crate::desk::connect(&remote, &session.settings.forge)?)
    } else {
        None
    };
    // What others merged is looked at as it is now.
    let desk = match planned.landing {
        LandingMode::PullRequest => match Desk::open(session).await {
            Ok(desk) => Some(desk),
            Err(failure) => {
                tracing::warn!(repository = hearer.name, %failure, "the forge cannot be asked; what is here is watched");
                None
            }
        },
        _ => None,
    };
    let base = crate::project::find(session.repo(), session.path(), None, session.condition())?;
    let folder = base.folder.clone();
    let terms = WatcherTerms {
        metrics: wanted.metrics(&samples_dir(&options.state_dir, &planned.key))?,
        window: wanted.window,
        forge,
        tests: wanted.tests,
        max_rollbacks: wanted.max_rollbacks,
        folder: base.folder,
    };
    let kaizen = session.start().await?;
    let outcome: Result<Vec<WatchTold>, Failure> = {
        let mut hear = |notice: &Notice| hearer.hear(notice);
        let work = async {
            session.finish_cut_off(&kaizen, &mut hear).await?;
            if let Some(desk) = &desk
                && let Err(failure) = upstream(desk, session, &kaizen, folder).await
            {
                tracing::warn!(%failure, "the branch of others cannot be fetched; what is here is watched");
            }
            let watcher = Watcher::new(&kaizen, terms);
            heard(&kaizen, watcher.round(), &mut hear).await
        };
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            signal = stop => {
                kaizen.park(signal);
                work.await
            }
        }
    };
    kaizen.stop().await;
    let told = outcome?;
    for one in &told {
        hearer.board.count(&hearer.key, one.word);
        let line = serde_json::json!({"of": "watch", "repository": hearer.name, "patch": one.patch, "word": one.word, "why": one.why});
        hearer.board.tell(line.to_string());
    }
    let said: Vec<String> =
        told.iter().map(|one| format!("{} {}: {}", one.word.shout(), one.patch.short(), one.why)).collect();
    Ok(if said.is_empty() { "nothing new".to_owned() } else { said.join("; ") })
}

/// Brings the branch of others here.
async fn upstream(desk: &Desk, session: &Session, kaizen: &Kaizen, folder: String) -> Result<(), Failure> {
    desk.keeper(session, kaizen, folder).await?.upstream().await?;
    Ok(())
}

async fn resume(
    session: &Session,
    hearer: &mut Hearer,
    stop: impl Future<Output = &'static str>,
) -> Result<String, Failure> {
    let kaizen = session.start().await?;
    let outcome = {
        let mut hear = |notice: &Notice| hearer.hear(notice);
        let work = session.finish_cut_off(&kaizen, &mut hear);
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            signal = stop => {
                kaizen.park(signal);
                work.await
            }
        }
    };
    kaizen.stop().await;
    let cycles = outcome?;
    cycles.iter().for_each(|cycle| hearer.board.cycle_over(&hearer.key, cycle));
    Ok(format!("{} brought to an end", cycles.len()))
}

/// Puts what happens on the board.
struct Hearer {
    key: String,
    name: String,
    board: Arc<Board>,
    told: Vec<String>,
}

impl Listener for Hearer {
    fn hear(&mut self, notice: &Notice) {
        self.board.moved(&self.key);
        let line = match notice {
            Notice::Recorded(record) => serde_json::to_string(record).unwrap_or_default(),
            Notice::Progress { what, .. } => {
                serde_json::json!({"of": "progress", "repository": self.name, "what": what}).to_string()
            }
            Notice::Restarted { actor, reason } => {
                serde_json::json!({"of": "restarted", "repository": self.name, "actor": actor, "reason": reason})
                    .to_string()
            }
        };
        self.board.tell(line);
    }

    fn goes_on(&mut self, id: CycleId) {
        tracing::info!(repository = self.name, cycle = %id.short(), "a cycle that was cut off goes on");
    }

    fn pull_request(&mut self, told: &Told) {
        self.board.moved(&self.key);
        match told {
            Told::Opened { .. } => self.board.count(&self.key, Word::Opened),
            // Where the forge is not there for a while, that is trouble of this place until it is. One pull request that
            // makes trouble keeps nothing else waiting.
            Told::Trouble { patch, error } => {
                let (text, backs_off) = (error.to_string(), patch.is_none() || error.may_pass());
                self.board.update(&self.key, |place| {
                    place.met = Some(text);
                    place.backs_off |= backs_off;
                });
            }
            _ => {}
        }
        let mut json = pull_requests::json(told);
        if let Some(fields) = json.as_object_mut() {
            fields.insert("repository".to_owned(), self.name.clone().into());
        }
        self.board.tell(json.to_string());
        if !matches!(told, Told::Waits { .. }) {
            let paint = crate::story::paint::Paint::new(false);
            self.told.extend(pull_requests::lines(&paint, told).into_iter().take(1));
        }
    }
}

/// Records events of a repository outside of any cycle, under its lease.
///
/// # Errors
/// When somebody else holds it, or the journal cannot be written.
pub(crate) fn record(options: &DaemonOptions, key: &str, events: &[Event]) -> Result<(), Failure> {
    let mut journal = Journal::open(&options.state_dir)?;
    let lease = journal.acquire(key, std::time::Duration::from_secs(30))?;
    journal.append(&lease, &kaizen_domain::TenantId::local(), now(), events)?;
    journal.release(lease)?;
    Ok(())
}

/// The records of a repository.
///
/// # Errors
/// When the journal cannot be read.
pub(crate) fn records(options: &DaemonOptions, key: &str) -> Result<Vec<kaizen_domain::Record>, Failure> {
    match Journal::open_read_only(&options.state_dir)? {
        Some(journal) => Ok(journal.records(&Filter::repo(key))?),
        None => Ok(Vec::new()),
    }
}
