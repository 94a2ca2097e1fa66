//! Starts the whole tree of actors for one repository, and stops it again.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{Cycle, CycleId, CycleRequest, Event, OpportunityId, TenantId};
use kaizen_repo::Repo;
use kaizen_settings::Settings;
use ractor::{Actor, ActorRef};
use tokio::sync::mpsc;

use crate::clock::{Clock, SystemClock};
use crate::coordinator::CoordinatorHandle;
use crate::engine::Engine;
use crate::engine::given::Given;
use crate::engine::manifest::Manifest;
use crate::engine::model::Model;
use crate::engine::rustfix::Rustfix;
use crate::error::AgentError;
use crate::journal::JournalHandle;
use crate::model_gateway::{GatewayHandle, Models};
use crate::notice::{Notice, Notices};
use crate::preview::Preview;
use crate::security::advisories::AdvisoryDatabase;
use crate::steps::Colleagues;
use crate::supervisor::{Supervisor, SupervisorArguments, SupervisorHandle, SupervisorMsg};
use crate::world::{CrashPoint, World};

/// What a system is started with.
pub struct Options {
    /// A path inside the repository.
    pub repo: PathBuf,
    /// Where Kaizen keeps its state.
    pub state_dir: PathBuf,
    /// The settings.
    pub settings: Settings,
    /// Whose repository it is.
    pub tenant: TenantId,
    /// The language models; none: fixers only.
    pub models: Models,
    /// Time and random bits.
    pub clock: Arc<dyn Clock>,
    /// Engines that take the place of the built-in ones of the same name.
    pub engines: Vec<Arc<dyn Engine>>,
    /// How many trials run at once.
    pub workers: usize,
}

impl Options {
    /// The options for a repository, with everything else as usual.
    #[must_use]
    pub fn new(repo: impl Into<PathBuf>, state_dir: impl Into<PathBuf>, settings: Settings) -> Self {
        Self {
            repo: repo.into(),
            state_dir: state_dir.into(),
            settings,
            tenant: TenantId::local(),
            models: Models::default(),
            clock: Arc::new(SystemClock),
            engines: Vec::new(),
            workers: 1,
        }
    }
}

/// A running system of actors for one repository.
pub struct Kaizen {
    world: Arc<World>,
    models: Models,
    supervisor: ActorRef<SupervisorMsg>,
    done: tokio::task::JoinHandle<()>,
}

static SYSTEMS: AtomicU64 = AtomicU64::new(0);

/// Starts the system: takes the lease on the repository, opens the journal, brings up the agents.
///
/// # Errors
/// When the repository or the journal cannot be opened, another process works on the repository, or the settings name
/// a database of advisories that is not there.
pub async fn start(options: Options) -> Result<Kaizen, AgentError> {
    let repo = Repo::open(&options.repo)?;
    let advisories = AdvisoryDatabase::of(&options.settings.security)?;
    let world = Arc::new(World {
        system: format!("kaizen-{}", SYSTEMS.fetch_add(1, Ordering::Relaxed)),
        key: repo.key(),
        name: repo.name(),
        repo_path: options.repo,
        state_dir: options.state_dir,
        settings: options.settings,
        tenant: options.tenant,
        clock: options.clock,
        notices: Notices::default(),
        crash: CrashPoint::from_environment(),
        index: std::sync::Mutex::default(),
        advisories,
    });
    let built_in: [Arc<dyn Engine>; 4] = [Arc::new(Rustfix), Arc::new(Manifest), Arc::new(Given), Arc::new(Model)];
    let engines = Arc::new(options.engines.into_iter().chain(built_in).collect::<Vec<_>>());
    let arguments =
        SupervisorArguments { world: world.clone(), models: options.models.clone(), engines, workers: options.workers };
    let name = SupervisorHandle::ROLE;
    match Actor::spawn(Some(format!("{}/{name}", world.system)), Supervisor, arguments).await {
        Ok((supervisor, done)) => Ok(Kaizen { world, models: options.models, supervisor, done }),
        Err(error) => Err(cause(error)),
    }
}

/// The error of ours that kept a child from starting; its own words otherwise.
fn cause(error: ractor::SpawnErr) -> AgentError {
    let mut boxed = match error {
        ractor::SpawnErr::StartupFailed(boxed) => boxed,
        other => return AgentError::Bug(other.to_string()),
    };
    loop {
        boxed = match boxed.downcast::<kaizen_journal::JournalError>() {
            Ok(journal) => return AgentError::Journal(*journal),
            Err(other) => match other.downcast::<ractor::SpawnErr>() {
                Ok(inner) => match *inner {
                    ractor::SpawnErr::StartupFailed(inner) => inner,
                    other => return AgentError::Bug(other.to_string()),
                },
                Err(other) => return AgentError::Bug(other.to_string()),
            },
        };
    }
}

impl Kaizen {
    /// The world of the system.
    #[must_use]
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Everything that is recorded, and the progress of the sandbox, from now on.
    #[must_use]
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<Notice> {
        self.world.notices.subscribe()
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> JournalHandle {
        JournalHandle::new(&self.world.system)
    }

    /// Runs a cycle to its end.
    ///
    /// # Errors
    /// When it cannot go on; it can be resumed.
    pub async fn run_cycle(&self, request: CycleRequest) -> Result<Arc<Cycle>, AgentError> {
        CoordinatorHandle::new(&self.world.system).run(request).await
    }

    /// Cycles of this repository that were cut off, the oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn cut_off(&self) -> Result<Vec<CycleId>, AgentError> {
        let mut open: Vec<CycleId> = Vec::new();
        for record in self.journal().records(None).await? {
            if let Event::Cycle { cycle, event } = record.event {
                match event {
                    CycleEvent::Started { .. } => open.push(cycle),
                    CycleEvent::Finished | CycleEvent::Failed { .. } => open.retain(|other| *other != cycle),
                    _ => {}
                }
            }
        }
        Ok(open)
    }

    /// Goes on with a cycle that was cut off.
    ///
    /// # Errors
    /// When it cannot go on.
    pub async fn resume(&self, id: CycleId) -> Result<Arc<Cycle>, AgentError> {
        CoordinatorHandle::new(&self.world.system).resume(id).await
    }

    /// The first question that a model would be asked about an opportunity of a cycle; none without a model.
    ///
    /// # Errors
    /// When the repository or the journal cannot be read.
    pub async fn preview(&self, cycle: Cycle, id: OpportunityId, plan: bool) -> Result<Option<Preview>, AgentError> {
        let gateway = GatewayHandle::new(&self.world.system, &self.models);
        Colleagues::new(self.world.clone(), gateway).preview(cycle, id, plan).await
    }

    /// Stops cycles where they stand.
    pub fn park(&self, reason: &str) {
        CoordinatorHandle::new(&self.world.system).park(reason.to_owned());
    }

    /// The reason of the emergency, when there is one.
    ///
    /// # Errors
    /// When the Supervisor does not answer.
    pub async fn emergency(&self) -> Result<Option<String>, AgentError> {
        SupervisorHandle::new(&self.world.system).emergency().await
    }

    /// Stops the system: children end their work at hand, the lease is given back.
    pub async fn stop(self) {
        // Children are stopped one by one before their supervisor, so that the journal gives its lease back.
        if let Err(error) = SupervisorHandle::new(&self.world.system).shutting_down().await {
            tracing::debug!(%error, "shutting down without a supervisor");
        }
        for child in self.supervisor.get_children() {
            let _ = child.stop_and_wait(Some("shutting down".to_owned()), Some(Duration::from_secs(10))).await;
        }
        self.supervisor.stop(None);
        let _ = self.done.await;
    }
}
