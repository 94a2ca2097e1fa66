//! The Journal actor: the single writer. It holds the repository's lease, appends events and tells the listeners what
//! is recorded. Nobody else writes, and an effect is asked for only after its intent came back from here.

use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::{CycleId, Event, Record, Usd};
use kaizen_journal::{Booked, Booking, Filter, Journal, Lease, Limits};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::address::{Address, blocking};
use crate::error::AgentError;
use crate::notice::Notice;
use crate::world::World;

/// How long a lease holds without a sign of life.
pub const LEASE: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(60);

/// What the journal is asked.
pub enum JournalMsg {
    /// Append these events, all or none.
    Append(Vec<Event>, RpcReplyPort<Result<Vec<Record>, AgentError>>),
    /// Say whether this process still holds the lease: asked right before an effect.
    Check(RpcReplyPort<Result<(), AgentError>>),
    /// Give the records of a cycle.
    Records(Option<CycleId>, RpcReplyPort<Result<Vec<Record>, AgentError>>),
    /// Give a model's answer that was paid for before.
    Answer(String, RpcReplyPort<Result<Option<String>, AgentError>>),
    /// Keep a model's answer.
    KeepAnswer(String, String, RpcReplyPort<Result<(), AgentError>>),
    /// Set money aside for a call to a model.
    Book(Box<(Booking, Limits)>, RpcReplyPort<Result<Booked, AgentError>>),
    /// Write down what it cost.
    Settle(i64, Usd, RpcReplyPort<Result<(), AgentError>>),
    /// Hold the lease a while longer.
    Renew,
}

/// The actor.
pub struct JournalActor;

/// An open journal with the lease on the repository.
pub struct Open {
    journal: Journal,
    lease: Lease,
}

impl Drop for Open {
    /// Gives the lease back however the actor ends, so that the one that is started after it can take it.
    fn drop(&mut self) {
        if let Err(error) = self.journal.release(self.lease.clone()) {
            tracing::debug!(%error, "the lease was not given back; it ends with this process");
        }
    }
}

/// What the actor holds.
pub struct JournalState {
    world: Arc<World>,
    /// Out of its place only while a blocking thread has it.
    open: Option<Open>,
}

impl Actor for JournalActor {
    type Msg = JournalMsg;
    type State = JournalState;
    type Arguments = Arc<World>;

    async fn pre_start(
        &self,
        myself: ActorRef<JournalMsg>,
        world: Arc<World>,
    ) -> Result<JournalState, ActorProcessingErr> {
        let (dir, key) = (world.state_dir.clone(), world.key.clone());
        let open = blocking(move || -> Result<Open, kaizen_journal::JournalError> {
            let mut journal = Journal::open(&dir)?;
            let lease = journal.acquire_patiently(&key, LEASE)?;
            Ok(Open { journal, lease })
        })
        .await?;
        myself.send_interval(LEASE / 4, || JournalMsg::Renew);
        Ok(JournalState { world, open: Some(open) })
    }

    async fn handle(
        &self,
        _: ActorRef<JournalMsg>,
        message: JournalMsg,
        state: &mut JournalState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            JournalMsg::Append(events, reply) => {
                let (tenant, at) = (state.world.tenant.clone(), state.world.clock.now());
                let done = state.with(move |open| open.journal.append(&open.lease, &tenant, at, &events)).await;
                if let Ok(records) = &done {
                    state.world.crash.recorded(records.len());
                    for record in records {
                        state.world.notices.tell(&Notice::Recorded(Box::new(record.clone())));
                    }
                }
                let _ = reply.send(done);
            }
            JournalMsg::Check(reply) => {
                let _ = reply.send(state.with(|open| open.journal.check(&open.lease)).await);
            }
            JournalMsg::Records(cycle, reply) => {
                let filter = Filter { repo: Some(state.world.key.clone()), cycle, after: None };
                let _ = reply.send(state.with(move |open| open.journal.records(&filter)).await);
            }
            JournalMsg::Answer(key, reply) => {
                let _ = reply.send(state.with(move |open| open.journal.answer(&key)).await);
            }
            JournalMsg::KeepAnswer(key, body, reply) => {
                let _ = reply.send(state.with(move |open| open.journal.keep_answer(&open.lease, &key, &body)).await);
            }
            JournalMsg::Book(booking, reply) => {
                let (booking, limits) = *booking;
                let _ = reply.send(state.with(move |open| open.journal.book(&open.lease, &booking, &limits)).await);
            }
            JournalMsg::Settle(entry, paid, reply) => {
                let done = state.with(move |open| open.journal.settle_booking(&open.lease, entry, paid)).await;
                let _ = reply.send(done);
            }
            JournalMsg::Renew => {
                if let Err(error) = state.with(|open| open.journal.renew(&open.lease)).await {
                    tracing::warn!(%error, "the lease on the repository could not be renewed");
                }
            }
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<JournalMsg>, state: &mut JournalState) -> Result<(), ActorProcessingErr> {
        let open = state.open.take();
        blocking(move || drop(open)).await;
        Ok(())
    }
}

impl JournalState {
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Open) -> Result<T, kaizen_journal::JournalError> + Send + 'static,
    ) -> Result<T, AgentError> {
        let Some(mut open) = self.open.take() else {
            return Err(AgentError::Bug("the journal is in two hands at once".to_owned()));
        };
        let (open, done) = blocking(move || {
            let done = work(&mut open);
            (open, done)
        })
        .await;
        self.open = Some(open);
        Ok(done?)
    }
}

/// What others see of the journal.
#[derive(Clone)]
pub struct JournalHandle(Address<JournalMsg>);

impl JournalHandle {
    /// The role's name.
    pub const ROLE: &'static str = "journal";

    /// The handle of a system's journal.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self(Address::new(system, Self::ROLE))
    }

    /// Appends events, all or none; they are durable when the answer comes.
    ///
    /// # Errors
    /// When the journal refuses them.
    pub async fn append(&self, events: Vec<Event>) -> Result<Vec<Record>, AgentError> {
        self.0.ask(TIMEOUT, |reply| JournalMsg::Append(events, reply)).await?
    }

    /// Says whether this process still holds the lease.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), AgentError> {
        self.0.ask(TIMEOUT, JournalMsg::Check).await?
    }

    /// The records of a cycle, or of the whole repository.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn records(&self, cycle: Option<CycleId>) -> Result<Vec<Record>, AgentError> {
        self.0.ask(TIMEOUT, |reply| JournalMsg::Records(cycle, reply)).await?
    }

    /// Sets money aside for a call to a model, unless that would pass a limit.
    ///
    /// # Errors
    /// When the journal refuses it: then the call must not be made.
    pub async fn book(&self, booking: Booking, limits: Limits) -> Result<Booked, AgentError> {
        self.0.ask(TIMEOUT, |reply| JournalMsg::Book(Box::new((booking, limits)), reply)).await?
    }

    /// Writes down what a call did cost.
    ///
    /// # Errors
    /// When the journal refuses it: then it counts as the most.
    pub async fn settle(&self, entry: i64, paid: Usd) -> Result<(), AgentError> {
        self.0.ask(TIMEOUT, |reply| JournalMsg::Settle(entry, paid, reply)).await?
    }

    /// A model's answer that was paid for before.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn answer(&self, key: String) -> Result<Option<String>, AgentError> {
        self.0.ask(TIMEOUT, |reply| JournalMsg::Answer(key, reply)).await?
    }

    /// Keeps a model's answer.
    ///
    /// # Errors
    /// When the journal refuses it.
    pub async fn keep_answer(&self, key: String, body: String) -> Result<(), AgentError> {
        self.0.ask(TIMEOUT, |reply| JournalMsg::KeepAnswer(key, body, reply)).await?
    }
}
