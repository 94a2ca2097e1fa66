//! The actor behind the three writing agents: it hands the task to the engine the plan names, has the craft look at
//! what came back, and stores what it accepts as a commit. What an agent knows of its trade is its [`Craft`].

use std::marker::PhantomData;

use kaizen_domain::{AttemptEvent, EngineName, ModelUse, Specialist, Spend};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::address::{Address, blocking};
use crate::engine::{Brief, Case, Draft, Proposal};
use crate::error::AgentError;
use crate::writing::{Engines, TIMEOUT, WritePort, store};

/// What a writing agent knows of its trade.
pub trait Craft: Send + Sync + 'static {
    /// Who it is.
    const SPECIALIST: Specialist;
    /// The role's name among the actors.
    const ROLE: &'static str;

    /// What a model needs to know about the matter, from the evidence and from what earlier patches led to.
    fn case(brief: &Brief) -> Case;

    /// Looks at a change of a model before it is stored.
    ///
    /// # Errors
    /// When it is not what was asked for; the text says what is missing.
    fn accept(brief: &Brief, proposal: &Proposal) -> Result<(), String>;
}

/// What a writing agent is asked.
pub enum WriterMsg<C> {
    /// Write the next patch for a task.
    Write(Box<Brief>, WritePort, PhantomData<fn(C)>),
}

/// The actor.
pub struct Writer<C>(PhantomData<fn(C)>);

impl<C> Default for Writer<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// What the actor holds.
pub struct WriterState {
    engines: Engines,
}

impl<C: Craft> Actor for Writer<C> {
    type Msg = WriterMsg<C>;
    type State = WriterState;
    type Arguments = Engines;

    async fn pre_start(&self, _: ActorRef<WriterMsg<C>>, engines: Engines) -> Result<WriterState, ActorProcessingErr> {
        Ok(WriterState { engines })
    }

    async fn handle(
        &self,
        _: ActorRef<WriterMsg<C>>,
        message: WriterMsg<C>,
        state: &mut WriterState,
    ) -> Result<(), ActorProcessingErr> {
        let WriterMsg::Write(brief, reply, _) = message;
        let _ = reply.send(write::<C>(&state.engines, *brief).await);
        Ok(())
    }
}

async fn write<C: Craft>(engines: &Engines, brief: Brief) -> Result<AttemptEvent, AgentError> {
    let wanted = brief.task.engine;
    let Some(engine) = engines.iter().find(|engine| engine.name() == wanted) else {
        let reason = format!("the {} has no engine `{}`", C::SPECIALIST.word(), wanted.word());
        return Ok(gave_up(vec![reason], Spend::default(), Vec::new()));
    };
    match engine.write(&brief).await? {
        Draft::Nothing { reasons, spend, uses } => Ok(gave_up(reasons, spend, uses)),
        Draft::Unanswered { reason, spend, uses } => {
            Ok(AttemptEvent::GaveUp { reasons: vec![reason], spend, unanswered: true, uses })
        }
        Draft::Change(proposal) => {
            if wanted == EngineName::Model
                && let Err(reason) = C::accept(&brief, &proposal)
            {
                return Ok(gave_up(vec![reason], proposal.spend, refused(proposal.uses)));
            }
            let patch = blocking(move || store(C::SPECIALIST, wanted, &brief, *proposal)).await?;
            Ok(AttemptEvent::Written { patch })
        }
    }
}

fn gave_up(reasons: Vec<String>, spend: Spend, uses: Vec<ModelUse>) -> AttemptEvent {
    AttemptEvent::GaveUp { reasons, spend, unanswered: false, uses }
}

/// The answer that was not what was asked for could not be used.
fn refused(mut uses: Vec<ModelUse>) -> Vec<ModelUse> {
    if let Some(last) = uses.last_mut() {
        last.usable = false;
    }
    uses
}

/// What others see of a writing agent.
pub struct WriterHandle<C: Craft>(Address<WriterMsg<C>>);

impl<C: Craft> Clone for WriterHandle<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Craft> WriterHandle<C> {
    /// The handle of a system's agent.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self(Address::new(system, C::ROLE))
    }

    /// Writes the next patch for a task.
    ///
    /// # Errors
    /// When something around the engine fails.
    pub async fn write(&self, brief: Brief) -> Result<AttemptEvent, AgentError> {
        self.0.ask(TIMEOUT, |reply| WriterMsg::Write(Box::new(brief), reply, PhantomData)).await?
    }
}
