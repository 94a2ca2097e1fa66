//! The ModelGateway actor: the one door to language models. It knows the models, says which is to be asked, sets money
//! aside, and answers a question that was paid for before from the journal. Questions run side by side; the money is
//! counted in one place.

mod asking;
mod purse;
mod records;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::{Cycle, CycleId, Event, OpportunityKind, Record, Spend, TenantId, Tokens, Usd};
use kaizen_llm::router::{Candidate, Reason, RouterTerms, choose};
use kaizen_llm::tokens::Tokenizer;
use kaizen_llm::{Client, Completion, Estimate, Format, ModelError, Prompt, request_key};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use crate::address::Address;
use crate::clock::Clock;
use crate::error::AgentError;
use crate::journal::JournalHandle;
use crate::model_gateway::purse::JournalPurse;

pub use asking::Heard;
pub use purse::Spending;
pub use records::ModelRecords;

/// A call with all its retries may take this long; its own deadlines end it before.
const TIMEOUT: Duration = Duration::from_secs(3600);
/// Tokens that a request has besides the prompt: the form of the answer, and what the provider puts around it.
const BESIDE: u64 = 1_200;
/// What an answer is taken to have when models are compared by their price, tokens.
const TYPICAL_ANSWER: u64 = 1_500;

/// A model that may be asked.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its client.
    pub client: Client,
    /// How strong it is, beside the others.
    pub strength: u64,
    /// The form in which it writes edits, always; none: the one it does best with.
    pub format: Option<Format>,
}

impl Route {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.client.provider().shown()
    }
}

/// What the gateway is started with.
#[derive(Clone)]
pub struct Models {
    /// The models.
    pub routes: Vec<Route>,
    /// How one is chosen.
    pub terms: RouterTerms,
    /// What may be spent besides the budget of a cycle.
    pub spending: Spending,
    /// What a prompt may hold, tokens, also where more would fit.
    pub prompt_tokens: u64,
    /// Nothing is sent to anybody: models are chosen as they were in this cycle, and only their answers of then count.
    pub replays: Option<CycleId>,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            terms: RouterTerms::default(),
            spending: Spending::default(),
            prompt_tokens: 24_000,
            replays: None,
        }
    }
}

/// What somebody is to be asked about.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The cycle.
    pub cycle: CycleId,
    /// The kind of work.
    pub kind: OpportunityKind,
    /// What it is for, unique in the cycle.
    pub task: String,
    /// The models whose patches have failed in this matter.
    pub failed: Vec<String>,
}

/// A model that may be asked, with what a prompt for it must know.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The model.
    pub route: String,
    /// What a prompt may hold besides the answer.
    pub room: Tokens,
    /// How it counts.
    pub tokenizer: Tokenizer,
    /// The form in which it is asked for edits.
    pub format: Format,
    /// Why the first is the first.
    pub reason: Reason,
}

/// A question of a cycle.
pub struct Question {
    /// The cycle that pays.
    pub cycle: CycleId,
    /// What it may cost in all.
    pub budget: Usd,
    /// What it is for.
    pub task: String,
    /// The model that is asked.
    pub route: String,
    /// Whether only an answer that is there already will do.
    pub only_known: bool,
    /// The question.
    pub prompt: Prompt,
}

/// An answer of a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answered {
    /// The text.
    pub text: String,
    /// The model, as its provider names it.
    pub model: String,
    /// What it cost this cycle.
    pub spend: Spend,
    /// The cycle that paid.
    cycle: CycleId,
}

/// Why there is no answer, in words, and what trying cost.
#[derive(Debug, Clone)]
pub struct Unanswered {
    /// Why.
    pub reason: String,
    /// What trying cost.
    pub spend: Spend,
    /// Whether another model may still be asked.
    pub elsewhere: bool,
    /// Nothing was sent, because the provider is left alone for so long.
    pub pause: Option<Duration>,
}

impl Unanswered {
    fn unpaid(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), spend: Spend::default(), elsewhere: false, pause: None }
    }
}

/// What the gateway is asked.
pub enum GatewayMsg {
    /// Say whom to ask, in order.
    Choose(Box<Wish>, RpcReplyPort<Result<Vec<Offer>, AgentError>>),
    /// Ask a model.
    Ask(Box<Question>, RpcReplyPort<Result<Answered, Unanswered>>),
}

/// The actor.
pub struct ModelGateway;

/// What the gateway works with. Questions that run side by side share it.
pub struct Desk {
    models: Models,
    journal: JournalHandle,
    tenant: TenantId,
    clock: Arc<dyn Clock>,
    /// What was known of the models when a cycle began: what it does itself must not change what it asks, or an answer that
    /// was paid for would not be found again.
    records: Mutex<BTreeMap<CycleId, ModelRecords>>,
}

impl Actor for ModelGateway {
    type Msg = GatewayMsg;
    type State = Arc<Desk>;
    type Arguments = (Models, JournalHandle, TenantId, Arc<dyn Clock>);

    async fn pre_start(
        &self,
        _: ActorRef<GatewayMsg>,
        (models, journal, tenant, clock): Self::Arguments,
    ) -> Result<Arc<Desk>, ActorProcessingErr> {
        Ok(Arc::new(Desk { models, journal, tenant, clock, records: Mutex::default() }))
    }

    async fn handle(
        &self,
        _: ActorRef<GatewayMsg>,
        message: GatewayMsg,
        desk: &mut Arc<Desk>,
    ) -> Result<(), ActorProcessingErr> {
        // A model may think for minutes, and the next question need not wait for it.
        let desk = Arc::clone(desk);
        tokio::spawn(async move {
            match message {
                GatewayMsg::Choose(wish, reply) => {
                    let _ = reply.send(desk.choose(&wish).await);
                }
                GatewayMsg::Ask(question, reply) => {
                    let _ = reply.send(desk.ask(*question).await);
                }
            }
        });
        Ok(())
    }
}

impl Desk {
    async fn choose(&self, wish: &Wish) -> Result<Vec<Offer>, AgentError> {
        let mut known = self.records.lock().await;
        let cycle = self.models.replays.unwrap_or(wish.cycle);
        if !known.contains_key(&cycle) {
            let mut records = ModelRecords::default();
            records.take(before(cycle, &self.journal.records(None).await?));
            // Few cycles run at once, and none comes back.
            while known.len() >= 8 {
                known.pop_first();
            }
            known.insert(cycle, records);
        }
        let Some(records) = known.get(&cycle) else { return Ok(Vec::new()) };
        let candidates: Vec<Candidate<'_>> = self
            .models
            .routes
            .iter()
            .map(|route| {
                let provider = route.client.provider();
                let tokens = (Tokens(self.models.prompt_tokens), Tokens(TYPICAL_ANSWER));
                Candidate {
                    route: route.name(),
                    strength: route.strength,
                    cost: kaizen_llm::bill::price(provider, tokens.0, Tokens(0), tokens.1),
                    record: records.accepted(route.name(), wish.kind),
                    up: route.client.wait().is_zero(),
                }
            })
            .collect();
        let failed = candidates.iter().filter(|one| wish.failed.iter().any(|name| name == one.route));
        let failed = failed.map(|one| one.strength).max();
        let choice = choose(&candidates, failed, &self.models.terms, seed(wish));
        let offers = choice.order.iter().filter_map(|index| self.models.routes.get(*index));
        let offers: Vec<Offer> = offers
            .map(|route| {
                let provider = route.client.provider();
                let fits = provider.context_tokens.saturating_sub(provider.max_output_tokens);
                let usable = |format: Format| records.usable(route.name(), format);
                Offer {
                    route: route.name().to_owned(),
                    room: Tokens(fits.saturating_sub(BESIDE).min(self.models.prompt_tokens)),
                    tokenizer: provider.tokenizer(),
                    format: route.format.unwrap_or_else(|| Format::best(provider, usable)),
                    reason: choice.reason,
                }
            })
            .collect();
        if let Some(first) = offers.first() {
            tracing::info!(route = %first.route, format = %first.format, reason = ?first.reason, kind = ?wish.kind, "model chosen");
        }
        Ok(offers)
    }

    async fn ask(&self, question: Question) -> Result<Answered, Unanswered> {
        let route = self.models.routes.iter().find(|route| route.name() == question.route);
        let Some(route) = route else { return Err(Unanswered::unpaid("no model is configured")) };
        let failed = |error: AgentError| Unanswered::unpaid(error.to_string());
        let key = request_key(route.client.provider(), &question.prompt);
        let known = self.journal.answer(key.clone()).await.map_err(failed)?;
        if let Some(mut answer) = known.and_then(|body| serde_json::from_str::<Answered>(&body).ok()) {
            if answer.cycle != question.cycle {
                answer.spend = Spend::default();
            }
            return Ok(answer);
        }
        if question.only_known || self.models.replays.is_some() {
            return Err(Unanswered { elsewhere: true, ..Unanswered::unpaid("not asked yet") });
        }
        let purse = JournalPurse::new(
            self.journal.clone(),
            self.models.spending,
            self.tenant.clone(),
            (question.cycle, question.budget),
            question.task,
            day(self.clock.as_ref()),
        );
        let billed = route.client.complete_within(&question.prompt, &purse).await;
        let outcome = match billed.result {
            Ok(Completion { text, model, spend, .. }) => {
                let answer = Answered { text, model, spend, cycle: question.cycle };
                let body = serde_json::to_string(&answer).unwrap_or_default();
                // What is not in the journal did not happen; it was paid for all the same.
                let kept = self.journal.keep_answer(key, body).await;
                kept.map(|()| answer).map_err(|error| Unanswered { spend: billed.spend, ..failed(error) })
            }
            Err(error) => {
                let pause = match error {
                    ModelError::BreakerOpen { wait } => Some(wait),
                    _ => None,
                };
                let (elsewhere, spend) = (error.is_of_this_model(), billed.spend);
                Err(Unanswered { reason: format!("the model gave no answer: {error}"), spend, elsewhere, pause })
            }
        };
        // The answer goes first: without it the question would be asked and paid for again.
        purse.settle().await;
        outcome
    }
}

/// The records from before a cycle.
fn before(cycle: CycleId, records: &[Record]) -> &[Record] {
    let of = |record: &Record| matches!(&record.event, Event::Cycle { cycle: of, .. } if *of == cycle);
    let end = records.iter().position(of).unwrap_or(records.len());
    records.get(..end).unwrap_or_default()
}

/// The same wish makes the same choice, also after a restart.
fn seed(wish: &Wish) -> u64 {
    let text = format!("{}/{}/{}", wish.cycle, wish.task, wish.failed.len());
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// Today in UTC, such as `2026-11-22`.
fn day(clock: &dyn Clock) -> String {
    let millis = i64::try_from(clock.now().0).unwrap_or(i64::MAX);
    let then = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    then.strftime("%Y-%m-%d").to_string()
}

/// What others see of the gateway.
#[derive(Clone)]
pub struct GatewayHandle {
    address: Address<GatewayMsg>,
    routes: Arc<Vec<Route>>,
}

impl GatewayHandle {
    /// The role's name.
    pub const ROLE: &'static str = "model-gateway";

    /// The handle of a system's gateway.
    #[must_use]
    pub fn new(system: &str, models: &Models) -> Self {
        Self { address: Address::new(system, Self::ROLE), routes: Arc::new(models.routes.clone()) }
    }

    /// Whether a model is configured.
    #[must_use]
    pub fn configured(&self) -> bool {
        !self.routes.is_empty()
    }

    /// What a question would cost with a model; none when there is no such model.
    #[must_use]
    pub fn estimate(&self, route: &str, prompt: &Prompt) -> Option<Estimate> {
        self.routes.iter().find(|known| known.name() == route).map(|route| route.client.estimate(prompt))
    }

    /// Whom to ask, in order.
    ///
    /// # Errors
    /// When the gateway or the journal fails.
    pub async fn choose(&self, wish: &Wish) -> Result<Vec<Offer>, AgentError> {
        self.address.ask(TIMEOUT, |reply| GatewayMsg::Choose(Box::new(wish.clone()), reply)).await?
    }

    async fn ask_one(
        &self,
        cycle: &Cycle,
        task: &str,
        route: &str,
        (prompt, only_known): (Prompt, bool),
    ) -> Result<Result<Answered, Unanswered>, AgentError> {
        let (route, task) = (route.to_owned(), task.to_owned());
        let question = Question { cycle: cycle.id, budget: cycle.request.budget, task, route, only_known, prompt };
        self.address.ask(TIMEOUT, |reply| GatewayMsg::Ask(Box::new(question), reply)).await
    }
}
