//! The Coordinator actor: starts a Cycle actor for each cycle, starts it again from the journal when it dies, and tells
//! whoever asked how the cycle ended. In an emergency it stops all cycles and starts none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{Cycle, CycleId, CycleRequest, Event};
use kaizen_resilience::Intensity;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, SupervisionEvent};

use crate::address::Address;
use crate::cycle::{CycleActor, CycleArguments, CycleMsg};
use crate::error::AgentError;
use crate::new_id;
use crate::steps::Colleagues;

/// A cycle may take this long.
const TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often a Cycle actor is started again, and within how long.
const INTENSITY: (usize, Duration) = (3, Duration::from_secs(600));

/// Where the outcome of a cycle goes.
pub type OutcomePort = RpcReplyPort<Result<Arc<Cycle>, AgentError>>;

/// What the Coordinator is asked.
pub enum CoordinatorMsg {
    /// Run a new cycle.
    Run(Box<CycleRequest>, OutcomePort),
    /// Go on with a cycle that was cut off.
    Resume(CycleId, OutcomePort),
    /// A cycle is over.
    Over(CycleId, Result<Arc<Cycle>, AgentError>),
    /// Stop all cycles and start none any more.
    Emergency(String),
    /// Stop all cycles where they stand.
    Park(String),
}

/// The actor.
pub struct Coordinator;

struct Running {
    actor: ActorRef<CycleMsg>,
    intensity: Intensity,
    reply: Option<OutcomePort>,
}

/// What the actor holds.
pub struct CoordinatorState {
    colleagues: Colleagues,
    running: BTreeMap<CycleId, Running>,
    emergency: Option<String>,
}

impl Actor for Coordinator {
    type Msg = CoordinatorMsg;
    type State = CoordinatorState;
    type Arguments = Colleagues;

    async fn pre_start(
        &self,
        _: ActorRef<CoordinatorMsg>,
        colleagues: Colleagues,
    ) -> Result<CoordinatorState, ActorProcessingErr> {
        Ok(CoordinatorState { colleagues, running: BTreeMap::new(), emergency: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<CoordinatorMsg>,
        message: CoordinatorMsg,
        state: &mut CoordinatorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CoordinatorMsg::Run(request, reply) => match state.begin(*request).await {
                Ok(id) => state.start(&myself, id, reply).await,
                Err(error) => drop(reply.send(Err(error))),
            },
            CoordinatorMsg::Resume(id, reply) => match state.may_resume(id) {
                Ok(()) => state.start(&myself, id, reply).await,
                Err(error) => drop(reply.send(Err(error))),
            },
            CoordinatorMsg::Over(id, outcome) => state.over(id, outcome),
            CoordinatorMsg::Emergency(reason) => {
                state.stop_all(&reason);
                state.emergency = Some(reason);
            }
            CoordinatorMsg::Park(reason) => state.stop_all(&reason),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<CoordinatorMsg>,
        event: SupervisionEvent,
        state: &mut CoordinatorState,
    ) -> Result<(), ActorProcessingErr> {
        // A clean end has been reported by `Over`; only a failure is news.
        if let SupervisionEvent::ActorFailed(cell, error) = event {
            let found =
                state.running.iter().find(|(_, running)| running.actor.get_id() == cell.get_id()).map(|(id, _)| *id);
            if let Some(id) = found {
                state.start_again(&myself, id, &error.to_string()).await;
            }
        }
        Ok(())
    }
}

impl CoordinatorState {
    fn may_start(&self) -> Result<(), AgentError> {
        self.emergency.as_ref().map_or(Ok(()), |reason| Err(AgentError::Emergency(reason.clone())))
    }

    fn may_resume(&self, id: CycleId) -> Result<(), AgentError> {
        self.may_start()?;
        if self.running.contains_key(&id) {
            return Err(AgentError::Bug(format!("cycle {id} is to be resumed while it runs")));
        }
        Ok(())
    }

    async fn begin(&self, request: CycleRequest) -> Result<CycleId, AgentError> {
        self.may_start()?;
        let id = new_id!(CycleId, self.colleagues.world.clock);
        self.colleagues
            .journal
            .append(vec![Event::Cycle { cycle: id, event: CycleEvent::Started { request } }])
            .await?;
        Ok(id)
    }

    async fn start(&mut self, myself: &ActorRef<CoordinatorMsg>, id: CycleId, reply: OutcomePort) {
        match self.spawn(myself, id).await {
            Ok(actor) => {
                let running =
                    Running { actor, intensity: Intensity::new(INTENSITY.0, INTENSITY.1), reply: Some(reply) };
                self.running.insert(id, running);
            }
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    async fn spawn(&self, myself: &ActorRef<CoordinatorMsg>, id: CycleId) -> Result<ActorRef<CycleMsg>, AgentError> {
        let arguments = CycleArguments { id, colleagues: self.colleagues.clone(), coordinator: myself.clone() };
        let bug = |error: &dyn std::fmt::Display| AgentError::Bug(format!("the cycle does not start: {error}"));
        match CycleActor::spawn_linked(None, CycleActor, arguments, myself.get_cell()).await {
            Ok((actor, _)) => Ok(actor),
            // What stands in its way, such as a journal that cannot be read for want of memory, is no fault of its own.
            Err(SpawnErr::StartupFailed(error)) => {
                Err(error.downcast::<AgentError>().map_or_else(|error| bug(&error), |error| *error))
            }
            Err(error) => Err(bug(&error)),
        }
    }

    async fn start_again(&mut self, myself: &ActorRef<CoordinatorMsg>, id: CycleId, error: &str) {
        let Some(running) = self.running.get_mut(&id) else { return };
        if let Err(spent) = running.intensity.failed(Instant::now()) {
            return self.over(id, Err(AgentError::Bug(format!("the cycle {spent}: {error}"))));
        }
        match self.spawn(myself, id).await {
            Ok(actor) => {
                if let Some(running) = self.running.get_mut(&id) {
                    running.actor = actor;
                }
            }
            Err(error) => self.over(id, Err(error)),
        }
    }

    fn over(&mut self, id: CycleId, outcome: Result<Arc<Cycle>, AgentError>) {
        let Some(mut running) = self.running.remove(&id) else { return };
        let outcome = match (&self.emergency, outcome) {
            (Some(reason), Err(AgentError::Stopped(_))) => Err(AgentError::Emergency(reason.clone())),
            (_, outcome) => outcome,
        };
        if let Some(reply) = running.reply.take() {
            let _ = reply.send(outcome);
        }
    }

    fn stop_all(&mut self, reason: &str) {
        for running in self.running.values() {
            let _ = running.actor.send_message(CycleMsg::Stop(reason.to_owned()));
        }
    }
}

/// What others see of the Coordinator.
#[derive(Clone)]
pub struct CoordinatorHandle(Address<CoordinatorMsg>);

impl CoordinatorHandle {
    /// The role's name.
    pub const ROLE: &'static str = "coordinator";

    /// The handle of a system's Coordinator.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self(Address::new(system, Self::ROLE))
    }

    /// Runs a new cycle to its end.
    ///
    /// # Errors
    /// When it cannot go on; what was recorded stays, and it can be resumed.
    pub async fn run(&self, request: CycleRequest) -> Result<Arc<Cycle>, AgentError> {
        self.0.ask(TIMEOUT, |reply| CoordinatorMsg::Run(Box::new(request), reply)).await?
    }

    /// Goes on with a cycle that was cut off.
    ///
    /// # Errors
    /// When it cannot go on.
    pub async fn resume(&self, id: CycleId) -> Result<Arc<Cycle>, AgentError> {
        self.0.ask(TIMEOUT, |reply| CoordinatorMsg::Resume(id, reply)).await?
    }

    /// Stops all cycles and starts none any more.
    pub fn emergency(&self, reason: String) {
        self.0.tell(CoordinatorMsg::Emergency(reason));
    }

    /// Stops all cycles where they stand; each can be resumed.
    pub fn park(&self, reason: String) {
        self.0.tell(CoordinatorMsg::Park(reason));
    }
}
