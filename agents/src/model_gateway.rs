//! The ModelGateway actor: the one door to a language model. It holds the key, the budget of each cycle and the breaker,
//! and answers a question that was paid for before from the journal.

mod account;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use kaizen_domain::{Cycle, CycleId, Spend, Usd};
use kaizen_llm::{Billed, Client, Completion, Prompt, request_key};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::error::AgentError;
use crate::journal::JournalHandle;
use crate::model_gateway::account::{Account, Open};

/// A call with all its retries may take this long; its own deadlines end it before.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// How often a call that is under way is looked at: more often than the shortest pause between two tries.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A question of a cycle.
pub struct Question {
    /// The cycle that pays.
    pub cycle: CycleId,
    /// What it may cost in all.
    pub budget: kaizen_domain::Usd,
    /// What it has spent already, from the journal.
    pub spent: Spend,
    /// The question.
    pub prompt: Prompt,
}

/// An answer of a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answered {
    /// The text.
    pub text: String,
    /// The model.
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
}

/// What the gateway is asked.
pub enum GatewayMsg {
    /// Ask the model.
    Ask(Box<Question>, RpcReplyPort<Result<Answered, Unanswered>>),
}

/// The actor.
pub struct ModelGateway;

/// What the actor holds.
pub struct GatewayState {
    client: Option<Client>,
    journal: JournalHandle,
    accounts: BTreeMap<CycleId, Account>,
}

impl Actor for ModelGateway {
    type Msg = GatewayMsg;
    type State = GatewayState;
    type Arguments = (Option<Client>, JournalHandle);

    async fn pre_start(
        &self,
        _: ActorRef<GatewayMsg>,
        (client, journal): Self::Arguments,
    ) -> Result<GatewayState, ActorProcessingErr> {
        Ok(GatewayState { client, journal, accounts: BTreeMap::new() })
    }

    async fn handle(
        &self,
        _: ActorRef<GatewayMsg>,
        message: GatewayMsg,
        state: &mut GatewayState,
    ) -> Result<(), ActorProcessingErr> {
        let GatewayMsg::Ask(question, reply) = message;
        let _ = reply.send(state.ask(*question).await);
        Ok(())
    }
}

impl GatewayState {
    async fn ask(&mut self, question: Question) -> Result<Answered, Unanswered> {
        let unpaid = |reason: String| Unanswered { reason, spend: Spend::default() };
        let Some(client) = self.client.clone() else { return Err(unpaid("no model is configured".to_owned())) };
        let key = request_key(client.provider(), &question.prompt);
        let known = self.journal.answer(key.clone()).await.map_err(|error| unpaid(error.to_string()))?;
        if let Some(mut answer) = known.and_then(|body| serde_json::from_str::<Answered>(&body).ok()) {
            if answer.cycle != question.cycle {
                answer.spend = Spend::default();
            }
            return Ok(answer);
        }
        let journal = self.journal.clone();
        let account = self.account(&question).await.map_err(|error| unpaid(error.to_string()))?;
        let made = call(&client, &question.prompt, account, &journal).await;
        let (billed, open) = made.map_err(|error| unpaid(error.to_string()))?;
        let unanswered = |reason: String| Unanswered { reason, spend: billed.spend };
        let outcome = match billed.result {
            Ok(completion) => {
                let Completion { text, model, spend, .. } = completion;
                let answer = Answered { text, model, spend, cycle: question.cycle };
                let body = serde_json::to_string(&answer).unwrap_or_default();
                // What is not in the journal did not happen; it was paid for all the same.
                journal.keep_answer(key, body).await.map(|()| answer).map_err(|error| unanswered(error.to_string()))
            }
            Err(error) => Err(unanswered(format!("the model gave no answer: {error}"))),
        };
        // The answer goes first: without it the question would be asked and paid for again.
        account.settle(&journal, &open).await.unwrap_or_else(|error| unsettled(&error));
        outcome
    }

    /// The account of a cycle; after a restart what was spent before counts as spent.
    async fn account(&mut self, question: &Question) -> Result<&mut Account, AgentError> {
        match self.accounts.entry(question.cycle) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let Question { cycle, budget, spent, .. } = question;
                Ok(place.insert(Account::open(&self.journal, *cycle, *budget, *spent).await?))
            }
        }
    }
}

/// Makes a call, with each of its tries written down in the account before it is made. The last one is still open.
///
/// # Errors
/// When a try cannot be written down: then it is not made.
async fn call(
    client: &Client,
    prompt: &Prompt,
    account: &mut Account,
    journal: &JournalHandle,
) -> Result<(Billed, Open), AgentError> {
    let estimate = client.estimate(prompt).usd;
    let mut open = account.intend(journal, estimate).await?;
    let budget = account.budget.clone();
    let mut call = std::pin::pin!(client.complete_within(prompt, &budget));
    loop {
        tokio::select! {
            biased;
            () = tokio::time::sleep(LOOK_EVERY) => {
                // A try failed and may have been billed. The next one comes after a longer pause than this.
                if account.spent_since(&open) > Usd(0) {
                    account.settle(journal, &open).await.unwrap_or_else(|error| unsettled(&error));
                    open = account.intend(journal, estimate).await?;
                }
            }
            billed = &mut call => return Ok((billed, open)),
        }
    }
}

fn unsettled(error: &AgentError) {
    tracing::warn!(%error, "what a call to the model cost is not in the journal; it counts as the most");
}

/// What others see of the gateway.
#[derive(Clone)]
pub struct GatewayHandle {
    address: Address<GatewayMsg>,
    /// How much a prompt may hold, bytes; none without a model.
    room: Option<usize>,
}

impl GatewayHandle {
    /// The role's name.
    pub const ROLE: &'static str = "model-gateway";

    /// The handle of a system's gateway.
    #[must_use]
    pub fn new(system: &str, client: Option<&Client>) -> Self {
        let room = client.map(|client| {
            let provider = client.provider();
            let tokens = provider.context_tokens.saturating_sub(provider.max_output_tokens);
            // Half of what fits, at two bytes a token: code has short tokens, and rules and earlier rounds need room too.
            usize::try_from(tokens).unwrap_or(usize::MAX).min(1 << 20)
        });
        Self { address: Address::new(system, Self::ROLE), room }
    }

    /// Whether a model is configured.
    #[must_use]
    pub fn configured(&self) -> bool {
        self.room.is_some()
    }

    /// How many bytes of files a prompt may hold.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room.unwrap_or(0)
    }

    /// Asks the model on a cycle's account.
    ///
    /// # Errors
    /// When the gateway itself fails. A model that gives no answer is a value.
    pub async fn ask(&self, cycle: &Cycle, prompt: Prompt) -> Result<Result<Answered, Unanswered>, AgentError> {
        let question = Question { cycle: cycle.id, budget: cycle.request.budget, spent: cycle.spend(), prompt };
        self.address.ask(TIMEOUT, |reply| GatewayMsg::Ask(Box::new(question), reply)).await
    }
}
