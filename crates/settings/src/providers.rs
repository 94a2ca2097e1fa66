//! The providers of language models: `[providers.NAME]` tables in a person's own file, each with the models that may be
//! asked there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::SettingsError;
use crate::settings::Structured;

/// The table that they stand in.
pub const KEY: &str = "providers";

/// A provider of models, by its name. What is left out comes from the preset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderSettings {
    /// The ready-made entry that it goes by; none: the one of its own name, when there is one.
    pub preset: Option<String>,
    /// Its address.
    pub base_url: Option<String>,
    /// The environment variable with the key.
    pub key_env: Option<String>,
    /// The file with the key.
    pub key_file: Option<String>,
    /// In which header the key goes.
    pub auth: Option<AuthHeader>,
    /// What it takes in a minute.
    pub requests_per_minute: Option<u32>,
    /// What it takes in a minute, question and longest answer together.
    pub tokens_per_minute: Option<u64>,
    /// Calls to it pause after so many failures, or slow calls, of late.
    pub breaker_failures: Option<u32>,
    /// For how long, seconds.
    pub breaker_secs: Option<u64>,
    /// A call that takes so long counts as slow, seconds; 0: none does.
    pub slow_secs: Option<u64>,
    /// Seconds to the first byte of an answer.
    pub first_byte_secs: Option<u64>,
    /// Seconds between two bytes.
    pub idle_secs: Option<u64>,
    /// Seconds in all.
    pub total_secs: Option<u64>,
    /// The models that may be asked.
    pub models: Vec<ModelEntry>,
}

/// In which header a key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthHeader {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `api-key: KEY`.
    ApiKey,
}

/// A model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Its name there.
    pub name: String,
    /// Dollars for a million tokens sent.
    #[serde(default)]
    pub price_input: Option<String>,
    /// Dollars for a million tokens sent that the provider had in its cache; none: the same.
    #[serde(default)]
    pub price_cached: Option<String>,
    /// Dollars for a million tokens written.
    #[serde(default)]
    pub price_output: Option<String>,
    /// What fits into one request, tokens.
    #[serde(default)]
    pub context_tokens: Option<u64>,
    /// What it may write in one answer, tokens.
    #[serde(default)]
    pub max_output_tokens: Option<u64>,
    /// What it can be asked for.
    #[serde(default)]
    pub structured: Option<Structured>,
    /// Whether it can be made to call a tool: the form of an answer is asked for that way where it cannot be otherwise.
    #[serde(default)]
    pub tools: Option<bool>,
    /// Whether it can stream.
    #[serde(default)]
    pub streaming: Option<bool>,
    /// How strong it is, beside the others: work that failed goes to a stronger one. None: the dearer the stronger.
    #[serde(default)]
    pub strength: Option<u64>,
    /// The form in which it writes edits, always; none: the one it does best with.
    #[serde(default)]
    pub format: Option<String>,
}

/// Takes the providers out of a settings file.
///
/// # Errors
/// When one of them cannot be read; the error says which line and why.
pub(crate) fn take(
    table: &mut Table,
    text: &str,
    file: &str,
) -> Result<BTreeMap<String, ProviderSettings>, SettingsError> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        providers: BTreeMap<String, ProviderSettings>,
    }
    if !table.get(KEY).is_some_and(Value::is_table) {
        return Ok(BTreeMap::new());
    }
    table.remove(KEY);
    let read: Result<File, toml::de::Error> = toml::from_str(text);
    let fault = |key: String, line: usize, why: String| SettingsError::Value { key, file: file.to_owned(), line, why };
    let providers = read.map(|file| file.providers).map_err(|error| {
        let start = error.span().and_then(|span| text.get(..span.start));
        let line = start.map_or(0, |before| before.matches('\n').count() + 1);
        fault(KEY.to_owned(), line, error.message().trim().replace('\n', " "))
    })?;
    for (name, provider) in &providers {
        let line =
            text.lines().position(|line| line.trim().starts_with(&format!("[providers.{name}"))).map_or(0, |at| at + 1);
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !plain {
            let why = "a provider's name has letters, digits, `-`, `_` and `.` only".to_owned();
            return Err(fault(format!("{KEY}.{name}"), line, why));
        }
        if provider.models.is_empty() {
            let why = format!("no model is named: add `[[providers.{name}.models]]` with a `name`");
            return Err(fault(format!("{KEY}.{name}"), line, why));
        }
    }
    Ok(providers)
}

#[cfg(test)]
mod tests {
    use crate::load::{Layer, Origin, load};

    fn read(text: &str, origin: Origin) -> Result<crate::Settings, String> {
        let layer = Layer { file: "kaizen.toml".to_owned(), text: text.to_owned(), origin };
        load(&[layer]).map_err(|error| error.to_string())
    }

    const GOOD: &str = "[cycle]\nmax_landings = 1\n[providers.openai]\nrequests_per_minute = 60\n\
                        [[providers.openai.models]]\nname = \"gpt-5-mini\"\nprice_input = \"0.25\"\nprice_output = \"2\"\n\
                        [[providers.openai.models]]\nname = \"gpt-5\"\nstrength = 9\n\
                        [providers.here]\nbase_url = \"http://127.0.0.1:9/v1\"\nmodels = [{ name = \"m\" }]\n";

    #[test]
    fn providers_are_read_with_their_models() {
        let settings = read(GOOD, Origin::Own).unwrap();
        let names: Vec<_> = settings.providers.keys().map(String::as_str).collect();
        assert_eq!(names, ["here", "openai"]);
        assert_eq!(settings.providers["openai"].models[1].strength, Some(9));
        assert_eq!(settings.cycle.max_landings, 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let refused = |text: &str, origin| read(text, origin).unwrap_err();
        insta::assert_snapshot!(refused(&GOOD.replace("price_input", "prize_input"), Origin::Own), @"`providers` in kaizen.toml, line 7: unknown field `prize_input`, expected one of `name`, `price_input`, `price_cached`, `price_output`, `context_tokens`, `max_output_tokens`, `structured`, `tools`, `streaming`, `strength`, `format`");
        insta::assert_snapshot!(refused("[providers.x]\nbase_url = \"http://h/v1\"\n", Origin::Own), @"`providers.x` in kaizen.toml, line 1: no model is named: add `[[providers.x.models]]` with a `name`");
        insta::assert_snapshot!(refused("[providers.\"a b\"]\nmodels = [{ name = \"m\" }]\n", Origin::Own), @r#"`providers.a b` in kaizen.toml, line 0: a provider's name has letters, digits, `-`, `_` and `.` only"#);
        insta::assert_snapshot!(refused(GOOD, Origin::Repository), @"`providers` in kaizen.toml, line 3, cannot be set by a repository");
    }
}
