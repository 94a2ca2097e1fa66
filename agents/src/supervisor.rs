//! The Supervisor actor: starts all others, and starts again what fails, after a pause that grows. A child that fails
//! more often than its restart intensity allows brings the emergency: cycles stop, nothing lands, and the reason is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kaizen_resilience::{Backoff, Intensity};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr, SupervisionEvent};

use crate::address::Address;
use crate::architect::{Architect, ArchitectHandle};
use crate::configurator::{Configuration, Configurator};
use crate::coordinator::{Coordinator, CoordinatorHandle, CoordinatorMsg};
use crate::debugger::{Debugger, Repairs};
use crate::error::AgentError;
use crate::journal::{JournalActor, JournalHandle};
use crate::model_gateway::{GatewayHandle, ModelGateway, Models};
use crate::notice::Notice;
use crate::optimizer::{Optimizer, Performance};
use crate::security::{Security, SecurityHandle};
use crate::steps::Colleagues;
use crate::trial_pool::{PoolHandle, TrialPool};
use crate::world::World;
use crate::writer::Craft;
use crate::writing::Engines;

/// How often a child is started again, and within how long: once more than one poisonous message can kill it.
const INTENSITY: (usize, Duration) = (5, Duration::from_secs(600));
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(20), most: Duration::from_secs(5) };

/// The children, in the order they are started in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Child {
    Journal,
    ModelGateway,
    TrialPool,
    Architect,
    Security,
    Optimizer,
    Debugger,
    Configurator,
    Coordinator,
}

impl Child {
    const ALL: [Self; 9] = [
        Self::Journal,
        Self::ModelGateway,
        Self::TrialPool,
        Self::Architect,
        Self::Security,
        Self::Optimizer,
        Self::Debugger,
        Self::Configurator,
        Self::Coordinator,
    ];

    /// Whether it holds nothing that would be left lying about.
    fn may_be_cut_off(self) -> bool {
        !matches!(self, Self::Journal | Self::TrialPool | Self::Coordinator)
    }

    fn role(self) -> &'static str {
        match self {
            Self::Journal => JournalHandle::ROLE,
            Self::ModelGateway => GatewayHandle::ROLE,
            Self::TrialPool => PoolHandle::ROLE,
            Self::Architect => ArchitectHandle::ROLE,
            Self::Security => SecurityHandle::ROLE,
            Self::Optimizer => Performance::ROLE,
            Self::Debugger => Repairs::ROLE,
            Self::Configurator => Configuration::ROLE,
            Self::Coordinator => CoordinatorHandle::ROLE,
        }
    }
}

/// What the Supervisor is asked.
pub enum SupervisorMsg {
    /// Start a child again.
    Restart(Restart),
    /// Say how things stand: the reason of the emergency, when there is one.
    Health(RpcReplyPort<Option<String>>),
    /// From now on children end because they are told to: start none again.
    ShuttingDown(RpcReplyPort<()>),
}

/// A child that is to be started again.
pub struct Restart(Child);

/// What the Supervisor is started with.
#[derive(Clone)]
pub struct SupervisorArguments {
    /// The world.
    pub world: Arc<World>,
    /// The language models.
    pub models: Models,
    /// The engines of the writing agents.
    pub engines: Engines,
    /// How many trials run at once.
    pub workers: usize,
}

/// The actor.
pub struct Supervisor;

/// What the actor holds.
pub struct SupervisorState {
    arguments: SupervisorArguments,
    children: BTreeMap<Child, ActorCell>,
    intensities: BTreeMap<Child, Intensity>,
    emergency: Option<String>,
    shutting_down: bool,
}

impl Actor for Supervisor {
    type Msg = SupervisorMsg;
    type State = SupervisorState;
    type Arguments = SupervisorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMsg>,
        arguments: SupervisorArguments,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        let mut state = SupervisorState {
            arguments,
            children: BTreeMap::new(),
            intensities: BTreeMap::new(),
            emergency: None,
            shutting_down: false,
        };
        for child in Child::ALL {
            state.start(&myself, child).await?;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<SupervisorMsg>,
        message: SupervisorMsg,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::ShuttingDown(reply) => {
                state.shutting_down = true;
                state.end_what_may_be_cut_off();
                let _ = reply.send(());
            }
            SupervisorMsg::Restart(_) if state.shutting_down => {}
            SupervisorMsg::Restart(Restart(child)) => {
                if let Err(error) = state.start(&myself, child).await {
                    state.failed(&myself, child, &error.to_string());
                }
            }
            SupervisorMsg::Health(reply) => drop(reply.send(state.emergency.clone())),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<SupervisorMsg>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, reason) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                (cell, reason.unwrap_or_else(|| "it stopped".to_owned()))
            }
            _ => return Ok(()),
        };
        let child = state.children.iter().find(|(_, known)| known.get_id() == cell.get_id()).map(|(child, _)| *child);
        if let Some(child) = child
            && !state.shutting_down
        {
            state.children.remove(&child);
            state.failed(&myself, child, &reason);
        }
        Ok(())
    }
}

impl SupervisorState {
    async fn start(&mut self, myself: &ActorRef<SupervisorMsg>, child: Child) -> Result<(), SpawnErr> {
        let SupervisorArguments { world, models, engines, workers } = self.arguments.clone();
        let system = world.system.clone();
        let name = Some(format!("{system}/{}", child.role()));
        let gateway = GatewayHandle::new(&system, &models);
        let above = myself.get_cell();
        let cell = match child {
            Child::Journal => Actor::spawn_linked(name, JournalActor, world, above).await?.0.get_cell(),
            Child::ModelGateway => {
                let (tenant, clock) = (world.tenant.clone(), world.clock.clone());
                let arguments = (models, JournalHandle::new(&system), tenant, clock);
                Actor::spawn_linked(name, ModelGateway, arguments, above).await?.0.get_cell()
            }
            Child::TrialPool => Actor::spawn_linked(name, TrialPool, (world, workers), above).await?.0.get_cell(),
            Child::Architect => Actor::spawn_linked(name, Architect, (world, gateway), above).await?.0.get_cell(),
            Child::Security => Actor::spawn_linked(name, Security, (world, gateway), above).await?.0.get_cell(),
            Child::Optimizer => Actor::spawn_linked(name, Optimizer::default(), engines, above).await?.0.get_cell(),
            Child::Debugger => Actor::spawn_linked(name, Debugger::default(), engines, above).await?.0.get_cell(),
            Child::Configurator => {
                Actor::spawn_linked(name, Configurator::default(), engines, above).await?.0.get_cell()
            }
            Child::Coordinator => {
                let (coordinator, _) =
                    Actor::spawn_linked(name, Coordinator, Colleagues::new(world, gateway), above).await?;
                if let Some(why) = &self.emergency {
                    // The one before it knew; a new one would start cycles again.
                    let _ = coordinator.send_message(CoordinatorMsg::Emergency(why.clone()));
                }
                coordinator.get_cell()
            }
        };
        self.children.insert(child, cell);
        Ok(())
    }

    /// Ends the cycles, and then the agents in the middle of what they do: nobody waits for a model that thinks. What
    /// holds the lease or runs the sandbox is left to end in order.
    fn end_what_may_be_cut_off(&self) {
        let of = |child: Child| self.children.get(&child);
        if let Some(coordinator) = of(Child::Coordinator) {
            coordinator.stop(None);
        }
        for agent in Child::ALL.into_iter().filter(|child| child.may_be_cut_off()).filter_map(of) {
            agent.kill();
        }
    }

    fn failed(&mut self, myself: &ActorRef<SupervisorMsg>, child: Child, reason: &str) {
        let intensity = self.intensities.entry(child).or_insert_with(|| Intensity::new(INTENSITY.0, INTENSITY.1));
        match intensity.failed(Instant::now()) {
            Ok(again) => {
                let pause = BACKOFF.pause(u32::try_from(again - 1).unwrap_or(u32::MAX), rand::random());
                tracing::warn!(actor = child.role(), %reason, ?pause, "starting it again");
                let notice = Notice::Restarted { actor: child.role().to_owned(), reason: reason.to_owned() };
                self.arguments.world.notices.tell(&notice);
                drop(myself.send_after(pause, move || SupervisorMsg::Restart(Restart(child))));
            }
            Err(spent) => {
                let why = format!("the {} {spent}; the last time: {reason}", child.role());
                tracing::error!(reason = %why, "emergency: cycles stop, nothing lands");
                CoordinatorHandle::new(&self.arguments.world.system).emergency(why.clone());
                self.emergency = Some(why);
            }
        }
    }
}

/// What others see of the Supervisor.
#[derive(Clone)]
pub struct SupervisorHandle(Address<SupervisorMsg>);

impl SupervisorHandle {
    /// The role's name.
    pub const ROLE: &'static str = "supervisor";

    /// The handle of a system's Supervisor.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self(Address::new(system, Self::ROLE))
    }

    /// Tells that children now end because they are told to.
    ///
    /// # Errors
    /// When the Supervisor does not answer.
    pub async fn shutting_down(&self) -> Result<(), AgentError> {
        self.0.ask(Duration::from_secs(10), SupervisorMsg::ShuttingDown).await
    }

    /// The reason of the emergency, when there is one.
    ///
    /// # Errors
    /// When the Supervisor does not answer.
    pub async fn emergency(&self) -> Result<Option<String>, AgentError> {
        self.0.ask(Duration::from_secs(10), SupervisorMsg::Health).await
    }
}
