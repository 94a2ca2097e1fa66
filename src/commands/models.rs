//! `kaizen models`: the language models of the settings, what they cost and how they did; `kaizen models test` asks each
//! one small question and says what works.

use std::time::{Duration, Instant};

use kaizen_agents::{ModelRecords, Route};
use kaizen_domain::{Millis, Spend, Usd};
use kaizen_journal::Filter;
use kaizen_llm::{Billing, Budget, Client, Completion, ModelError, Prompt, Provider, Schema};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::models::models;
use crate::output::{self, say};
use crate::session::{Session, SessionOptions};
use crate::story::lines::shown;

/// What the one small question of a test may cost.
const TEST_COST: Usd = Usd(500_000);
/// What a model may write for it. Models that think first need room for that.
const TEST_TOKENS: u64 = 1_024;

/// Lists the models, or tries each.
///
/// # Errors
/// When the settings cannot be used, or no model is configured.
pub fn run(options: SessionOptions, test: bool, json: bool) -> Result<Exit, Failure> {
    let session = Session::open(options)?;
    let models = models(&session.settings)?;
    if models.routes.is_empty() {
        let help = "`kaizen init --explain model` and `kaizen init --explain providers` have the keys";
        return Err(Failure::input("no model is configured", help));
    }
    if test {
        return super::runtime()?.block_on(tested(&models.routes, json));
    }
    let mut records = ModelRecords::default();
    if let Some(journal) = super::journal(Some(session.state_dir.clone()))? {
        records.take(&journal.records(&Filter::repo(session.repo().key()))?);
    }
    let width = models.routes.iter().map(|route| route.name().chars().count()).max().unwrap_or(0);
    for route in &models.routes {
        listed(route, &records, width, json);
    }
    Ok(Exit::Done)
}

fn listed(route: &Route, records: &ModelRecords, width: usize, json: bool) {
    let provider = route.client.provider();
    let spent = records.spent(route.name());
    let kinds: Vec<(String, usize, usize, bool)> = records
        .kinds(route.name())
        .map(|(kind, record)| {
            let (accepted, all) = record.counts();
            (kind.word().to_owned(), accepted, all, record.worse)
        })
        .collect();
    if json {
        let record: Vec<_> = kinds
            .iter()
            .map(|(kind, accepted, all, worse)| json!({"kind": kind, "accepted": accepted, "of": all, "worse": worse}))
            .collect();
        output::json(&json!({
            "of": "model", "route": route.name(), "base_url": provider.base_url,
            "price_input": provider.price_input_per_million.to_string(),
            "price_cached": provider.price_cached_per_million.map(|price| price.to_string()),
            "price_output": provider.price_output_per_million.to_string(),
            "context_tokens": provider.context_tokens, "tokens": provider.tokenizer().name(),
            "strength": route.strength, "record": record, "spent": spent,
        }));
        return;
    }
    let cached = provider.price_cached_per_million.map(|price| format!(" ({price} cached)")).unwrap_or_default();
    say!(
        "  {:<width$}  {} in{cached}, {} out, a million tokens; context {}, counted: {}",
        shown(route.name()),
        provider.price_input_per_million,
        provider.price_output_per_million,
        provider.context_tokens,
        provider.tokenizer().name(),
    );
    let done = kinds.iter().map(|(kind, accepted, all, worse)| {
        let alarm = if *worse { ", worse than before" } else { "" };
        format!("{kind} {accepted} of {all} accepted{alarm}")
    });
    let done: Vec<String> = done.collect();
    let record = if done.is_empty() { "nothing written here yet".to_owned() } else { done.join("; ") };
    say!("  {:<width$}  {record}{}", "", cost(spent));
}

/// What patches cost, and what of it came from caches.
fn cost(spent: Spend) -> String {
    if spent == Spend::default() {
        return String::new();
    }
    let share = (spent.cached.0 * 100).checked_div(spent.input.0).unwrap_or(0);
    format!("; {} for patches, {share} % of what was sent came from the provider's cache", spent.usd)
}

async fn tested(routes: &[Route], json: bool) -> Result<Exit, Failure> {
    let width = routes.iter().map(|route| route.name().chars().count()).max().unwrap_or(0);
    let mut all_work = true;
    for route in routes {
        let (answer, took, client) = ask(route).await;
        let works = answer.as_ref().is_ok_and(understood);
        all_work &= works;
        let (verdict, text) = (if works { "ok" } else { "bad" }, told(&answer, took, client.as_ref()));
        if json {
            let spend = answer.as_ref().map(|answer| answer.spend).unwrap_or_default();
            output::json(&json!({
                "of": "model_test", "route": route.name(), "works": works, "told": text,
                "millis": Millis::from_duration(took), "spend": spend,
            }));
        } else {
            say!("  {:<width$}  {verdict:<3}  {}", shown(route.name()), shown(&text));
        }
    }
    Ok(if all_work { Exit::Done } else { Exit::Input })
}

/// One small question, in the form in which patches are asked for.
async fn ask(route: &Route) -> (Result<Completion, ModelError>, Duration, Option<Client>) {
    let known = route.client.provider();
    let provider = Provider { max_output_tokens: known.max_output_tokens.min(TEST_TOKENS), ..known.clone() };
    let schema = json!({
        "type": "object",
        "properties": { "word": { "type": "string", "description": "The word kaizen." } },
        "required": ["word"],
        "additionalProperties": false,
    });
    let prompt = Prompt {
        system: "Answer with one JSON object and nothing else, with exactly one field, `word`.".to_owned(),
        user: "Give the word `kaizen`.".to_owned(),
        schema: Some(Schema { name: "word".to_owned(), json: schema }),
        sample: 0,
    };
    let started = Instant::now();
    let client = match Client::new(provider) {
        Ok(client) => client,
        Err(error) => return (Err(error), started.elapsed(), None),
    };
    let budget = Budget::new(TEST_COST, kaizen_domain::Tokens(u64::MAX));
    let billed = client.complete_within(&prompt, &budget).await;
    (billed.result, started.elapsed(), Some(client))
}

/// Whether the answer is what was asked for, perhaps with words around it.
fn understood(answer: &Completion) -> bool {
    let text = answer.text.as_str();
    let object = text.find('{').zip(text.rfind('}')).and_then(|(start, end)| text.get(start..=end));
    let value = object.and_then(|object| serde_json::from_str::<serde_json::Value>(object).ok());
    value.is_some_and(|value| value["word"].as_str().is_some_and(|word| word.to_lowercase().contains("kaizen")))
}

fn told(answer: &Result<Completion, ModelError>, took: Duration, client: Option<&Client>) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return error.to_string(),
    };
    let mut parts = Vec::new();
    if !understood(answer) {
        let said: String = answer.text.chars().take(60).collect();
        parts.push(format!("answered something else than was asked for: `{said}`"));
    }
    parts.extend(client.map(Client::speaks));
    parts.push(
        match answer.billing {
            Billing::Reported => "says what it used",
            Billing::Estimated => "does not say what it used: estimated",
            Billing::Disbelieved => "says it used what cannot be: counted as the most",
        }
        .to_owned(),
    );
    parts.push(format!(
        "{}, {} tokens, {}",
        Millis::from_duration(took),
        answer.spend.input.0 + answer.spend.output.0,
        answer.spend.usd
    ));
    if answer.model != client.map_or("", |client| client.provider().model.as_str()) {
        parts.push(format!("answers as {}", answer.model));
    }
    parts.join("; ")
}
