//! Client: one provider, asked with retries, a breaker and a budget. A prompt comes in, a completion with its bill
//! goes out, or the reason why there is none, with what that cost.
//!
//! It owns the way a call goes. It does not write prompts, does not read answers and keeps none.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_openai::config::Config;
use kaizen_domain::Spend;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::bill::{Billing, Estimate, bill};
use crate::breaker::{Breaker, Open, Permit};
use crate::budget::Budget;
use crate::clock::{Clock, SystemClock};
use crate::error::ModelError;
use crate::pace::Pace;
use crate::prompt::Prompt;
use crate::provider::{Auth, Provider};
use crate::purse::Purse;
use crate::redact::remember;
use crate::retry::{MAX_RETRIES, RetryAllowance, wait_before};
use crate::transport::{Transport, unboxed};
use crate::wire::{Dialect, Finish, read_answer, request_body};

/// How often one call may change the way it speaks: the form of the answer, and the name of the limit.
const MAX_ADAPTATIONS: u32 = 4;

/// How long the outcome of somebody else's probe is waited for.
const PROBED_WITHIN: Duration = Duration::from_secs(2);

/// What a model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// What it cost, failed tries of the same call included.
    pub spend: Spend,
    /// Where the numbers come from.
    pub billing: Billing,
    /// The model, as the provider names the one that answered.
    pub model: String,
    /// How the answer ended.
    pub finish: Finish,
}

/// A call with what it cost, whether it worked or not.
#[derive(Debug)]
pub struct Billed {
    /// What it cost.
    pub spend: Spend,
    /// What came of it.
    pub result: Result<Completion, ModelError>,
}

/// A client of one provider. Copies share breaker, retries and connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    provider: Provider,
    api: async_openai::Client<Endpoint>,
    breaker: Breaker,
    pace: Arc<Pace>,
    retries: RetryAllowance,
    clock: Arc<dyn Clock>,
    dialect: Mutex<Dialect>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("provider", &self.inner.provider).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of this provider. Nothing is sent yet.
    ///
    /// # Errors
    /// When the provider as configured cannot be used.
    pub fn new(provider: Provider) -> Result<Self, ModelError> {
        Self::with_clock(provider, Arc::new(SystemClock::default()))
    }

    /// A client that goes by another clock.
    ///
    /// # Errors
    /// When the provider as configured cannot be used.
    pub fn with_clock(provider: Provider, clock: Arc<dyn Clock>) -> Result<Self, ModelError> {
        provider.check()?;
        let transport = Transport::new(&provider, Arc::clone(&clock))?;
        let endpoint = Endpoint::new(&provider)?;
        if let Some(key) = &provider.key {
            remember(key.expose_secret());
        }
        let api = async_openai::Client::build(transport.http(), endpoint).with_http_service(transport);
        let inner = Inner {
            api,
            breaker: Breaker::new(provider.breaker, Arc::clone(&clock)),
            pace: Arc::new(Pace::new(provider.pace, Arc::clone(&clock))),
            retries: RetryAllowance::default(),
            clock,
            dialect: Mutex::new(Dialect::of(&provider)),
            provider,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same client at the pace of another one: several models of one provider take their turns together.
    ///
    /// # Errors
    /// When the provider as configured cannot be used.
    pub fn at_the_pace_of(provider: Provider, other: &Self) -> Result<Self, ModelError> {
        let client = Self::new(provider)?;
        let Some(inner) = Arc::into_inner(client.inner) else { return Err(ModelError::Empty) };
        Ok(Self { inner: Arc::new(Inner { pace: Arc::clone(&other.inner.pace), ..inner }) })
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.inner.provider
    }

    /// How it turned out that the server wants to be spoken to, in words.
    #[must_use]
    pub fn speaks(&self) -> String {
        self.inner.dialect.lock().unwrap_or_else(PoisonError::into_inner).shown()
    }

    /// How long until the breaker lets a call through; zero when it would now.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.inner.breaker.wait()
    }

    /// What a call with this prompt costs at most, for one try.
    #[must_use]
    pub fn estimate(&self, prompt: &Prompt) -> Estimate {
        Estimate::of(&self.inner.provider, prompt)
    }

    /// Asks the model, without a limit on what that may cost.
    ///
    /// # Errors
    /// When there is no whole answer; the error says why and what can be done.
    pub async fn complete(&self, prompt: &Prompt) -> Result<Completion, ModelError> {
        self.complete_within(prompt, &Budget::unlimited()).await.result
    }

    /// Asks the model within a budget: each try is set aside before it is sent and settled after it.
    pub async fn complete_within(&self, prompt: &Prompt, purse: &dyn Purse) -> Billed {
        let mut spend = Spend::default();
        let result = self.call(prompt, purse, &mut spend).await;
        Billed { spend, result: result.map(|completion| Completion { spend, ..completion }) }
    }

    async fn call(&self, prompt: &Prompt, purse: &dyn Purse, spend: &mut Spend) -> Result<Completion, ModelError> {
        let inner = &*self.inner;
        let estimate = self.estimate(prompt);
        let (tokens, context) = (estimate.context().0, inner.provider.context_tokens);
        if tokens > context {
            return Err(ModelError::TooLong { tokens, context });
        }
        inner.retries.earn();
        let mut dialect = *inner.dialect.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut retries, mut adaptations, mut last) = (0, 0, None);
        loop {
            // A try that may not be made leaves the reason of the one before it standing: that is the cause.
            let wait = inner.breaker.wait();
            if !wait.is_zero() {
                return Err(last.unwrap_or(ModelError::BreakerOpen { wait }));
            }
            let held = match purse.reserve(estimate.amount()).await {
                Ok(held) => held,
                Err(error) => return Err(last.unwrap_or_else(|| error.into())),
            };
            inner.pace.keep(estimate.context().0).await;
            let permit = match inner.breaker.admit() {
                Ok(permit) => permit,
                Err(Open { wait }) => {
                    held.settle(Spend::default()).await;
                    // Who has waited already, and finds another one's probe under way, waits for what becomes of it.
                    match last {
                        Some(error) if retries < MAX_RETRIES && wait <= PROBED_WITHIN => {
                            inner.clock.sleep(wait.max(PROBED_WITHIN.mul_f64(0.5 + inner.clock.jitter()))).await;
                            retries += 1;
                            last = Some(error);
                            continue;
                        }
                        last => return Err(last.unwrap_or(ModelError::BreakerOpen { wait })),
                    }
                }
            };
            let (result, cost) = inner.attempt(prompt, dialect, estimate).await;
            report(permit, &result);
            held.settle(cost).await;
            *spend = spend.plus(cost);
            let error = match result {
                Ok(completion) => {
                    *inner.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
                    return Ok(completion);
                }
                Err(error) => error,
            };
            if adaptations < MAX_ADAPTATIONS
                && let Some(other) = dialect.after_refusal(&error, prompt)
            {
                tracing::info!(
                    model = inner.provider.shown(),
                    "the provider refused the form of a request; asking in another"
                );
                dialect = other;
                adaptations += 1;
                last = Some(error);
                continue;
            }
            let Some(wait) = wait_before(&error, retries, &*inner.clock) else { return Err(error) };
            if !inner.retries.take() {
                return Err(error);
            }
            tracing::info!(model = inner.provider.shown(), %error, ?wait, "a call to the model is tried again");
            inner.clock.sleep(wait).await;
            retries += 1;
            last = Some(error);
        }
    }
}

impl Inner {
    /// One try, with what it cost.
    async fn attempt(
        &self,
        prompt: &Prompt,
        dialect: Dialect,
        estimate: Estimate,
    ) -> (Result<Completion, ModelError>, Spend) {
        let body = request_body(&self.provider, prompt, dialect);
        let answered: Result<Value, _> = self.api.chat().create_byot(body).await;
        let answer = answered.map_err(unboxed).and_then(|value| read_answer(&self.provider, &value));
        let answer = match answer {
            Ok(answer) => answer,
            // Nobody knows what was billed: it is booked as the most it can have been.
            Err(error) if error.may_be_billed() => return (Err(error), estimate.spend()),
            Err(error) => return (Err(error), Spend::default()),
        };
        let (spend, billing) = bill(&self.provider, estimate, answer.usage.as_ref(), &answer.received);
        if billing == Billing::Disbelieved {
            tracing::warn!(
                model = self.provider.shown(),
                "the provider's bill cannot be right; booked as the most it can be"
            );
        }
        let model = answer.model.unwrap_or_else(|| self.provider.model.clone());
        let result = answer.text.map(|(text, finish)| Completion { text, spend, billing, model, finish });
        (result, spend)
    }
}

/// Tells the breaker how a try went.
fn report(permit: Permit<'_>, result: &Result<Completion, ModelError>) {
    match result {
        Err(ModelError::Status { code: 429 | 503, retry_after: Some(wait), .. }) if !wait.is_zero() => {
            permit.held_off(*wait);
        }
        Err(error) if error.is_failure_of_provider() => permit.failed(),
        _ => permit.succeeded(),
    }
}

/// Where the API client sends its requests: what was configured, and nothing from the environment.
struct Endpoint {
    base: String,
    key: SecretString,
    headers: HeaderMap,
}

impl Endpoint {
    fn new(provider: &Provider) -> Result<Self, ModelError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &provider.key {
            let (name, text) = match provider.auth {
                Auth::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose_secret())),
                Auth::ApiKey => (HeaderName::from_static("api-key"), key.expose_secret().to_owned()),
            };
            let value = HeaderValue::from_str(&text);
            let mut value = value.map_err(|_| ModelError::BadProvider {
                what: "the key has characters that no header may carry".to_owned(),
            })?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let base = provider.base_url.trim_end_matches('/').to_owned();
        Ok(Self { base, key: provider.key.clone().unwrap_or_default(), headers })
    }
}

impl Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}
