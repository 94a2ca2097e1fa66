//! Provider: where a model is, what it costs and how long an answer may take. Plain data with defaults, and the check
//! that an address and a key may be used at all.
//!
//! It reads no environment: everything that is sent to a provider was configured for that provider.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use kaizen_domain::Usd;
use secrecy::{ExposeSecret, SecretString};

use crate::breaker::BreakerTerms;
use crate::error::ModelError;
use crate::pace::PaceTerms;
use crate::tokens::Tokenizer;

/// A model behind an HTTP address that speaks the chat completions of OpenAI.
#[derive(Clone)]
pub struct Provider {
    /// What people and the journal call this provider and model together, such as `openai/gpt-5-mini`.
    pub route: String,
    /// The address that `/chat/completions` is appended to, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key; none for a server that wants none.
    pub key: Option<SecretString>,
    /// In which header the key is sent.
    pub auth: Auth,
    /// The name of the model, as the provider spells it.
    pub model: String,
    /// The price of a million tokens sent.
    pub price_input_per_million: Usd,
    /// The price of a million tokens sent that the provider had in its cache; none: the same.
    pub price_cached_per_million: Option<Usd>,
    /// The price of a million tokens received.
    pub price_output_per_million: Usd,
    /// How many tokens question and answer may have together.
    pub context_tokens: u64,
    /// How many tokens an answer may have.
    pub max_output_tokens: u64,
    /// How long each part of a call may take.
    pub deadlines: Deadlines,
    /// How the form of an answer is asked for.
    pub structured: Structured,
    /// Whether answers are asked for piece by piece, so that silence is seen before the whole answer is due.
    pub streaming: bool,
    /// When calls to it pause.
    pub breaker: BreakerTerms,
    /// How much it takes in a minute.
    pub pace: PaceTerms,
}

/// In which header a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// `api-key: KEY`, as Azure has it.
    ApiKey,
}

/// How long each part of a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until there is a connection.
    pub connect: Duration,
    /// From the request until the head of the answer. A model that thinks before it answers is silent until then.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// For one try as a whole.
    pub total: Duration,
}

/// How the form of an answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Structured {
    /// With a strict JSON schema.
    #[default]
    JsonSchema,
    /// As the arguments of a tool that the model must call.
    Tool,
    /// With the request for any JSON object; the prompt says which.
    JsonObject,
    /// Not at all: the prompt alone says it.
    Text,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(180),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(300),
        }
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            route: String::new(),
            base_url: "https://api.openai.com/v1".to_owned(),
            key: None,
            auth: Auth::default(),
            model: String::new(),
            price_input_per_million: Usd(0),
            price_cached_per_million: None,
            price_output_per_million: Usd(0),
            context_tokens: 128_000,
            max_output_tokens: 8_192,
            deadlines: Deadlines::default(),
            structured: Structured::default(),
            streaming: true,
            breaker: BreakerTerms::default(),
            pace: PaceTerms::default(),
        }
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("route", &self.route)
            .field("base_url", &shown_url(&self.base_url))
            .field("key", &self.key.as_ref().map(|_| "[hidden]"))
            .field("model", &self.model)
            .field("context_tokens", &self.context_tokens)
            .field("max_output_tokens", &self.max_output_tokens)
            .field("structured", &self.structured)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Checks what a person configured.
    ///
    /// # Errors
    /// When the address, the key or a limit cannot be used; the error says which and what would be right.
    pub fn check(&self) -> Result<(), ModelError> {
        let bad = |what: String| Err(ModelError::BadProvider { what });
        let url = reqwest::Url::parse(&self.base_url);
        let shown = shown_url(&self.base_url);
        let Ok(url) = url else { return bad(format!("`{shown}` is not a URL; write for example `https://host/v1`")) };
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return bad(format!("`{shown}` is not a web address; it must start with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad(format!("`{shown}` holds a user or a password; give the key by itself"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return bad(format!("`{shown}` has a query or a fragment; give the address alone"));
        }
        if self.key.is_some() && url.scheme() == "http" && !is_near(&url) {
            return bad(format!("`{shown}` would get the key unencrypted; use https:// or remove the key"));
        }
        if self.model.trim().is_empty() || self.model.chars().any(char::is_control) {
            return bad("no model is named".to_owned());
        }
        if self.max_output_tokens == 0 || self.max_output_tokens >= self.context_tokens {
            let (output, context) = (self.max_output_tokens, self.context_tokens);
            return bad(format!("an answer of {output} tokens leaves no room in a context of {context}"));
        }
        if let Some(key) = &self.key {
            let key = key.expose_secret();
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return bad("the key is empty or has characters that no header may carry".to_owned());
            }
        }
        Ok(())
    }

    /// Whether everything about it is the same, the key too.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let key = |of: &Self| of.key.as_ref().map(|key| key.expose_secret().to_owned());
        let rest = |of: &Self| {
            let names = (of.route.clone(), of.base_url.clone(), of.model.clone(), of.auth, of.structured, of.streaming);
            let prices = (of.price_input_per_million, of.price_cached_per_million, of.price_output_per_million);
            let limits = (of.context_tokens, of.max_output_tokens, of.deadlines, of.breaker, of.pace);
            (names, prices, limits)
        };
        key(self) == key(other) && rest(self) == rest(other)
    }

    /// How this model cuts text into tokens, as far as that is published.
    #[must_use]
    pub fn tokenizer(&self) -> Tokenizer {
        Tokenizer::of(&self.model)
    }

    /// What people and the journal call it: the route, or the model where nobody named one.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.route.is_empty() { &self.model } else { &self.route }
    }

    /// Whether the address is on this machine: such a call never goes through a proxy.
    pub(crate) fn is_loopback(&self) -> bool {
        reqwest::Url::parse(&self.base_url).is_ok_and(|url| match address(&url) {
            Some(ip) => ip.is_loopback(),
            None => url.host_str() == Some("localhost"),
        })
    }
}

/// The address without what may be secret in it: user, password, query and fragment.
#[must_use]
pub(crate) fn shown_url(text: &str) -> String {
    match reqwest::Url::parse(text) {
        Ok(mut url) => {
            // Only addresses that cannot hold a user at all refuse this, and those have nothing to hide there.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.to_string().trim_end_matches('/').to_owned()
        }
        Err(_) => "[not a URL]".to_owned(),
    }
}

fn address(url: &reqwest::Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// This machine or a private network, where servers of models commonly run without encryption.
fn is_near(url: &reqwest::Url) -> bool {
    match address(url) {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
        Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        None => url.host_str() == Some("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base_url: &str, key: Option<&str>) -> Provider {
        Provider {
            base_url: base_url.to_owned(),
            key: key.map(SecretString::from),
            model: "m".to_owned(),
            ..Provider::default()
        }
    }

    #[test]
    fn addresses_that_would_leak_or_cannot_work_are_refused() {
        for bad in
            ["", "host/v1", "ftp://host", "https://u:hunter22@host/v1", "https://host/v1?key=hunter22", "file:///x"]
        {
            let error = at(bad, None).check().expect_err(bad).to_string();
            assert!(!error.contains("hunter22"), "{error}");
        }
        assert!(at("http://models.example/v1", Some("k")).check().is_err(), "a key in the clear");
        for good in ["https://host/v1", "http://127.0.0.1:1/v1", "http://localhost:11434/v1", "http://10.0.0.2/v1"] {
            assert!(at(good, Some("k")).check().is_ok(), "{good}");
        }
        assert!(at("http://models.example/v1", None).check().is_ok());
    }

    #[test]
    fn a_key_that_would_break_the_header_is_refused_and_never_shown() {
        let provider = at("https://host/v1", Some("line\r\nbreak: 1"));
        let error = provider.check().expect_err("the key has a line break");
        assert!(!format!("{error} {error:?} {provider:?}").contains("break:"));
        assert!(!format!("{:?}", at("https://u:hunter22@host/v1", Some("topsecret"))).contains("hunter22"));
    }

    #[test]
    fn limits_that_leave_no_room_are_refused() {
        let provider = Provider { context_tokens: 100, max_output_tokens: 100, ..at("https://host/v1", None) };
        assert!(provider.check().is_err());
        assert!(Provider { model: " ".to_owned(), ..at("https://host/v1", None) }.check().is_err());
    }
}
