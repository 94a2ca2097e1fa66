//! The Cycle actor: carries one cycle from step to step. It holds nothing that is not in the journal, so that it can be
//! killed and started again at any instant.

use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{AttemptEvent, Cycle, CycleId, Event, OpportunityId, Step};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::AbortHandle;

use crate::coordinator::CoordinatorMsg;
use crate::error::AgentError;
use crate::steps::Colleagues;

/// How often a step is tried again when an agent dies over it; then the opportunity is put aside.
pub const DEATHS: u32 = 3;
/// The pause before a step is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What a cycle is told.
pub enum CycleMsg {
    /// Do the step that is due.
    Advance,
    /// The step is done; the number tells it from one that was given up.
    Done(u64, Result<Vec<CycleEvent>, AgentError>),
    /// Stop where it stands; the journal has everything.
    Stop(String),
}

/// The actor.
pub struct CycleActor;

/// What the actor is started with.
#[derive(Clone)]
pub struct CycleArguments {
    /// The cycle.
    pub id: CycleId,
    /// The agents.
    pub colleagues: Colleagues,
    /// Whom to tell that it is over.
    pub coordinator: ActorRef<CoordinatorMsg>,
}

/// What the actor holds.
pub struct CycleState {
    arguments: CycleArguments,
    cycle: Arc<Cycle>,
    running: Option<AbortHandle>,
    step: Step,
    number: u64,
    deaths: u32,
}

impl Actor for CycleActor {
    type Msg = CycleMsg;
    type State = CycleState;
    type Arguments = CycleArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<CycleMsg>,
        arguments: CycleArguments,
    ) -> Result<CycleState, ActorProcessingErr> {
        let records = arguments.colleagues.journal.records(Some(arguments.id)).await?;
        let cycle = fold(arguments.id, &records)?;
        myself.send_message(CycleMsg::Advance)?;
        Ok(CycleState { arguments, cycle: Arc::new(cycle), running: None, step: Step::Nothing, number: 0, deaths: 0 })
    }

    async fn handle(
        &self,
        myself: ActorRef<CycleMsg>,
        message: CycleMsg,
        state: &mut CycleState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CycleMsg::Advance => state.advance(&myself),
            CycleMsg::Done(number, outcome) if number == state.number => {
                state.running = None;
                match outcome {
                    Ok(events) => state.record(&myself, events).await,
                    Err(error) => state.failed(&myself, error).await,
                }
            }
            CycleMsg::Done(..) => {}
            CycleMsg::Stop(reason) => state.over(&myself, Err(AgentError::Stopped(reason))),
        }
        Ok(())
    }
}

/// The state of a cycle from its records.
///
/// # Errors
/// When they do not follow each other.
pub fn fold(id: CycleId, records: &[kaizen_domain::Record]) -> Result<Cycle, kaizen_domain::IllegalEvent> {
    Cycle::fold(
        id,
        records.iter().filter_map(|record| match &record.event {
            Event::Cycle { cycle, event } if *cycle == id => Some(event),
            _ => None,
        }),
    )
}

impl Drop for CycleState {
    /// Also when the actor dies: whoever takes the cycle over does the step again, and two must not do it at once.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

impl CycleState {
    fn advance(&mut self, myself: &ActorRef<CycleMsg>) {
        self.step = self.cycle.step();
        if self.step == Step::Nothing {
            let cycle = self.cycle.clone();
            return self.over(myself, Ok(cycle));
        }
        self.number += 1;
        let (number, step, cycle) = (self.number, self.step, self.cycle.clone());
        let (colleagues, myself) = (self.arguments.colleagues.clone(), myself.clone());
        let span = tracing::info_span!("step", cycle = %cycle.id.short(), ?step);
        let work = async move { colleagues.perform(step, &cycle).await };
        let work = tokio::spawn(tracing::Instrument::instrument(work, span));
        self.running = Some(work.abort_handle());
        tokio::spawn(async move {
            let outcome = match work.await {
                Ok(outcome) => outcome,
                // A step that panics must be heard of, or the cycle waits for it for ever.
                Err(error) if error.is_panic() => Err(AgentError::Died { actor: "cycle".to_owned() }),
                Err(_) => return,
            };
            let _ = myself.send_message(CycleMsg::Done(number, outcome));
        });
    }

    async fn record(&mut self, myself: &ActorRef<CycleMsg>, events: Vec<CycleEvent>) {
        // Checked before it is written: what cannot follow must not be in the journal.
        let next = events.iter().try_fold(Cycle::clone(&self.cycle), |cycle, event| cycle.next(event));
        let next = match next {
            Ok(next) => next,
            Err(error) => return self.over(myself, Err(error.into())),
        };
        let wrapped = events.into_iter().map(|event| Event::Cycle { cycle: self.cycle.id, event }).collect();
        match self.arguments.colleagues.journal.append(wrapped).await {
            Ok(_) => {
                self.cycle = Arc::new(next);
                self.deaths = 0;
                let _ = myself.send_message(CycleMsg::Advance);
            }
            Err(error) => self.over(myself, Err(error)),
        }
    }

    /// An agent that dies over a step may have been unlucky; one that dies over it again and again will for ever.
    async fn failed(&mut self, myself: &ActorRef<CycleMsg>, error: AgentError) {
        if !error.killed_the_actor() {
            return match opportunity_of(self.step) {
                _ if error.may_pass() => self.over(myself, Err(error)),
                Some(opportunity) if error.is_about_the_matter() => {
                    let event =
                        CycleEvent::Attempt { opportunity, what: AttemptEvent::Stopped { reason: error.to_string() } };
                    self.record(myself, vec![event]).await;
                }
                _ => self.close(myself, error).await,
            };
        }
        self.deaths += 1;
        if self.deaths < DEATHS {
            tracing::warn!(%error, step = ?self.step, "trying the step again");
            let myself = myself.clone();
            drop(myself.send_after(AGAIN_AFTER, || CycleMsg::Advance));
            return;
        }
        self.deaths = 0;
        match opportunity_of(self.step) {
            Some(opportunity) => {
                let reason = format!("put aside: {error}, {DEATHS} times");
                let event = CycleEvent::Attempt { opportunity, what: AttemptEvent::Stopped { reason } };
                self.record(myself, vec![event]).await;
            }
            None => self.over(myself, Err(error)),
        }
    }

    /// Ends a cycle that would end the same way however often it were resumed.
    async fn close(&mut self, myself: &ActorRef<CycleMsg>, error: AgentError) {
        let failed = CycleEvent::Failed { reason: error.to_string(), help: Vec::new() };
        let event = Event::Cycle { cycle: self.cycle.id, event: failed };
        let outcome = match self.arguments.colleagues.journal.append(vec![event]).await {
            Ok(_) => error,
            Err(unwritten) => unwritten,
        };
        self.over(myself, Err(outcome));
    }

    fn over(&mut self, myself: &ActorRef<CycleMsg>, outcome: Result<Arc<Cycle>, AgentError>) {
        if let Some(running) = self.running.take() {
            running.abort();
            self.arguments.colleagues.pool.cancel_all();
        }
        self.number += 1;
        let _ = self.arguments.coordinator.send_message(CoordinatorMsg::Over(self.cycle.id, outcome));
        myself.stop(None);
    }
}

fn opportunity_of(step: Step) -> Option<OpportunityId> {
    match step {
        Step::Plan(id) | Step::Write(id) | Step::Review(id) | Step::Try(id) | Step::Weigh(id) | Step::Intend(id) => {
            Some(id)
        }
        // A landing whose ref may have moved is never put aside, and the rest concerns the cycle as a whole.
        Step::Land(_) | Step::Learn(_) | Step::TryBase | Step::Collect | Step::Rank | Step::Finish | Step::Nothing => {
            None
        }
    }
}
