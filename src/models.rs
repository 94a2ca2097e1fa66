//! The models that the settings amount to: presets, providers and the one model of `[model]`, with their keys. What is
//! missing or wrong is an error that names the key and the way out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kaizen_agents::{Models, Route, Spending};
use kaizen_domain::Usd;
use kaizen_llm::breaker::BreakerTerms;
use kaizen_llm::pace::PaceTerms;
use kaizen_llm::router::RouterTerms;
use kaizen_llm::{Auth, Client, Deadlines, Format, ModelError, Preset, Provider, Structured, preset};
use kaizen_settings::{AuthHeader, ModelEntry, ModelSettings, ProviderSettings, Settings};

use crate::failure::Failure;

/// A model and how it stands among the others.
struct Entry {
    provider: Provider,
    strength: Option<u64>,
    format: Option<Format>,
}

/// The models of the settings, and how they are used.
///
/// # Errors
/// When one of them cannot be used as it is configured.
pub fn models(settings: &Settings) -> Result<Models, Failure> {
    with_keys(settings, true)
}

/// The same for work that sends nothing to anybody: keys may be missing.
///
/// # Errors
/// When a model cannot be used as it is configured.
pub fn models_without_keys(settings: &Settings) -> Result<Models, Failure> {
    with_keys(settings, false)
}

fn with_keys(settings: &Settings, needed: bool) -> Result<Models, Failure> {
    let share = |percent: u32| f64::from(percent.min(100)) / 100.0;
    let terms =
        RouterTerms { good_enough: share(settings.router.good_enough), explore: share(settings.router.explore) };
    let prompt_tokens = settings.model.prompt_tokens;
    Ok(Models {
        routes: routes(settings, needed)?,
        terms,
        spending: spending(&settings.model)?,
        prompt_tokens,
        replays: None,
    })
}

/// Every model of the settings, the one of `[model]` first.
fn routes(settings: &Settings, keys: bool) -> Result<Vec<Route>, Failure> {
    let mut entries = Vec::new();
    if settings.model.configured() {
        entries.push(Entry { provider: of_section(&settings.model, keys)?, strength: None, format: None });
    }
    for (name, provider) in &settings.providers {
        for entry in &provider.models {
            entries.push(of_entry(&settings.model, (name, provider), entry, keys)?);
        }
    }
    entries.into_iter().map(route).collect()
}

/// What may be spent on them.
fn spending(settings: &ModelSettings) -> Result<Spending, Failure> {
    let limit =
        |key: &str, text: &str| (!text.trim().is_empty()).then(|| amount(&format!("model.{key}"), text)).transpose();
    Ok(Spending {
        call: limit("call_usd", &settings.call_usd)?,
        task: limit("task_usd", &settings.task_usd)?,
        day: limit("day_usd", &settings.day_usd)?,
        tenant: limit("tenant_usd", &settings.tenant_usd)?,
    })
}

fn route(entry: Entry) -> Result<Route, Failure> {
    let Entry { provider, strength, format } = entry;
    let name = provider.shown().to_owned();
    // The dearer the stronger, unless a person says otherwise.
    let strength = strength.unwrap_or(provider.price_output_per_million.0);
    let client = client(provider).map_err(|error| {
        let section = if name.contains('/') { "providers" } else { "model" };
        Failure::input(
            format!("the model {name} cannot be used: {error}"),
            format!("see `kaizen init --explain {section}`"),
        )
    })?;
    Ok(Route { client, strength, format })
}

/// The client of a provider: one for as long as the program runs, however many cycles and repositories ask, so that its
/// breaker, its pace and its connections are shared by all of them.
fn client(provider: Provider) -> Result<Client, ModelError> {
    static CLIENTS: Mutex<Vec<Client>> = Mutex::new(Vec::new());
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = clients.iter().find(|client| client.provider().is_same(&provider)) {
        return Ok(known.clone());
    }
    // Settings that changed name another provider under the same route; the one before is done with.
    clients.retain(|client| client.provider().shown() != provider.shown());
    // What a provider takes in a minute, it takes for all of its models.
    let sibling = clients.iter().find(|client| {
        let known = client.provider();
        let names = (known.route.split('/').next(), provider.route.split('/').next());
        !provider.route.is_empty()
            && names.0 == names.1
            && known.base_url == provider.base_url
            && known.pace == provider.pace
    });
    let client = match sibling {
        Some(sibling) => Client::at_the_pace_of(provider, sibling)?,
        None => Client::new(provider)?,
    };
    clients.push(client.clone());
    Ok(client)
}

fn amount(key: &str, text: &str) -> Result<Usd, Failure> {
    text.parse().map_err(|error| Failure::input(format!("`{key}`: {error}"), "write dollars, such as \"0.50\""))
}

fn of_section(model: &ModelSettings, keys: bool) -> Result<Provider, Failure> {
    Ok(Provider {
        base_url: model.base_url.clone(),
        key: key("model", &model.key_env, &model.key_file).or_else(missing(keys))?.map(Into::into),
        model: model.name.clone(),
        price_input_per_million: amount("model.price_input", &model.price_input)?,
        price_output_per_million: amount("model.price_output", &model.price_output)?,
        context_tokens: model.context_tokens,
        max_output_tokens: model.max_output_tokens,
        deadlines: deadlines(model),
        structured: structured(model.structured),
        ..Provider::default()
    })
}

fn deadlines(model: &ModelSettings) -> Deadlines {
    Deadlines {
        connect: Duration::from_secs(model.connect_secs),
        first_byte: Duration::from_secs(model.first_byte_secs),
        idle: Duration::from_secs(model.idle_secs),
        total: Duration::from_secs(model.total_secs),
    }
}

fn of_entry(
    general: &ModelSettings,
    (name, settings): (&str, &ProviderSettings),
    entry: &ModelEntry,
    keys: bool,
) -> Result<Entry, Failure> {
    let at = format!("providers.{name}");
    let known = known(name, settings)?;
    let base_url = settings.base_url.clone().or_else(|| known.map(|known| known.base_url.to_owned()));
    let Some(base_url) = base_url.filter(|url| !url.is_empty()) else {
        let help =
            "write for example base_url = \"https://HOST/v1\", or name a preset: `kaizen init --explain providers`";
        return Err(Failure::input(format!("`{at}` has no `base_url`"), help));
    };
    let own = known.is_some_and(|known| known.own);
    let price = |key: &str, text: &Option<String>| match text {
        Some(text) => amount(&format!("{at}.models.{key}"), text),
        None if own => Ok(Usd(0)),
        None => Err(Failure::input(
            format!("`{key}` of the model {name}/{} is missing", entry.name),
            "without a price no budget can hold: write the dollars for a million tokens, \"0\" if it is free",
        )),
    };
    let price_cached = entry.price_cached.as_ref().map(|text| amount(&format!("{at}.models.price_cached"), text));
    let usual_key = known.map_or("", |known| known.key_env);
    let named = settings.key_env.as_deref();
    let (variable, file) = (named.unwrap_or(usual_key), settings.key_file.as_deref().unwrap_or_default());
    // A preset says where a key usually lies. A server at an address of one's own may want none.
    let optional = named.is_none() && settings.base_url.is_some() && std::env::var_os(variable).is_none();
    let variable = if optional || !file.is_empty() { "" } else { variable };
    let usual = known.map_or(Structured::JsonSchema, |known| known.structured);
    let structured = match (entry.structured, entry.tools) {
        (Some(asked), _) => structured(asked),
        (None, Some(true)) if usual != Structured::JsonSchema => Structured::Tool,
        (None, Some(false)) if usual == Structured::Tool => Structured::Text,
        _ => usual,
    };
    let secs = |own: Option<u64>, general: Duration| own.map_or(general, Duration::from_secs);
    let general_deadlines = deadlines(general);
    let usual_breaker = BreakerTerms::default();
    let provider = Provider {
        route: format!("{name}/{}", entry.name),
        base_url,
        key: key(&at, variable, file).or_else(missing(keys))?.map(Into::into),
        auth: match settings.auth {
            Some(AuthHeader::Bearer) => Auth::Bearer,
            Some(AuthHeader::ApiKey) => Auth::ApiKey,
            None => known.map_or(Auth::Bearer, |known| known.auth),
        },
        model: entry.name.clone(),
        price_input_per_million: price("price_input", &entry.price_input)?,
        price_cached_per_million: price_cached.transpose()?,
        price_output_per_million: price("price_output", &entry.price_output)?,
        context_tokens: entry.context_tokens.unwrap_or(general.context_tokens),
        max_output_tokens: entry.max_output_tokens.unwrap_or(general.max_output_tokens),
        deadlines: Deadlines {
            connect: general_deadlines.connect,
            first_byte: secs(settings.first_byte_secs, general_deadlines.first_byte),
            idle: secs(settings.idle_secs, general_deadlines.idle),
            total: secs(settings.total_secs, general_deadlines.total),
        },
        structured,
        streaming: entry.streaming.unwrap_or_else(|| known.is_none_or(|known| known.streaming)),
        breaker: BreakerTerms {
            failures: settings.breaker_failures.unwrap_or(usual_breaker.failures),
            open_for: secs(settings.breaker_secs, usual_breaker.open_for),
            slow: secs(settings.slow_secs, usual_breaker.slow),
            ..usual_breaker
        },
        pace: PaceTerms { requests: settings.requests_per_minute, tokens: settings.tokens_per_minute },
    };
    let format = entry.format.as_deref().map(str::parse::<Format>).transpose().map_err(|error| {
        Failure::input(format!("`{at}.models.format`: {error}"), "leave it out to have it measured")
    })?;
    Ok(Entry { provider, strength: entry.strength, format })
}

/// The preset that a provider goes by.
fn known(name: &str, settings: &ProviderSettings) -> Result<Option<&'static Preset>, Failure> {
    let Some(asked) = &settings.preset else { return Ok(preset(name)) };
    let names = || kaizen_llm::PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ");
    preset(asked).map(Some).ok_or_else(|| {
        Failure::input(
            format!("`providers.{name}.preset` names `{asked}`, which is none"),
            format!("there are {}", names()),
        )
    })
}

fn structured(asked: kaizen_settings::Structured) -> Structured {
    match asked {
        kaizen_settings::Structured::JsonSchema => Structured::JsonSchema,
        kaizen_settings::Structured::Tool => Structured::Tool,
        kaizen_settings::Structured::JsonObject => Structured::JsonObject,
        kaizen_settings::Structured::Text => Structured::Text,
    }
}

/// What becomes of a key that is not there: an error where one is needed.
fn missing(needed: bool) -> impl FnOnce(Failure) -> Result<Option<String>, Failure> {
    move |failure| if needed { Err(failure) } else { Ok(None) }
}

fn key(section: &str, variable: &str, file: &str) -> Result<Option<String>, Failure> {
    if !variable.is_empty() {
        return std::env::var(variable).map(|key| Some(key.trim().to_owned())).map_err(|_| {
            Failure::input(
                format!("the environment variable {variable} (`{section}.key_env`) is not set"),
                "set it, use `key_file`, or leave both empty for an endpoint without a key",
            )
        });
    }
    if file.is_empty() {
        return Ok(None);
    }
    let read = std::fs::read_to_string(file);
    read.map(|key| Some(key.trim().to_owned())).map_err(|error| {
        Failure::input(
            format!("the key file {file} (`{section}.key_file`) cannot be read: {error}"),
            "make it readable for you alone",
        )
    })
}
