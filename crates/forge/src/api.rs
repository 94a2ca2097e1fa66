//! One HTTP exchange with a forge: deadlines, a cap on the size of answers, conditional requests, what the forge says about
//! its limits, and every status as an error that says what to do. Redirects are not followed: a token goes nowhere else.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::{ACCEPT, AUTHORIZATION, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, LINK, LOCATION};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::timeout;

use crate::access::{Access, App, Credentials};
use crate::error::ForgeError;
use crate::log::line_of;
use crate::memory::Memory;
use crate::remote::ForgeKind;

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 8 << 20;
/// The most pages of a list that are read, a hundred entries each.
const PAGES: usize = 20;
/// The longest that a forge may ask to wait.
const LONGEST_WAIT: u64 = 24 * 3600;
/// A token of an App is renewed when less than this is left of its hour.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For a whole answer.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(60) }
    }
}

/// How fast changes are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The least time between two requests that change something. Forges take faster ones for abuse.
    pub between_changes: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { between_changes: Duration::from_secs(1) }
    }
}

/// The interface of a forge.
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
    host: String,
    kind: ForgeKind,
    credentials: Credentials,
    limits: Limits,
    pace: Pace,
    memory: Arc<Memory>,
}

/// An answer that is no error.
struct Answer {
    body: Value,
    next: Option<String>,
}

impl Api {
    pub(crate) fn new(base: &str, kind: ForgeKind, access: Access) -> Result<Self, ForgeError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let bad = |why: String| ForgeError::Unreachable { host: base.to_owned(), why };
        let url = reqwest::Url::parse(base).map_err(|error| bad(error.to_string()))?;
        let loopback = url.host_str().is_some_and(is_loopback);
        if url.scheme() != "https" && !loopback {
            return Err(bad("a token is sent over https alone".to_owned()));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("kaizen/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(access.limits.connect);
        if loopback {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| bad(error.without_url().to_string()))?;
        let memory = Memory::of(base.trim_end_matches('/'), &access.credentials.who());
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            host: url.host_str().unwrap_or(base).to_owned(),
            kind,
            credentials: access.credentials,
            limits: access.limits,
            pace: access.pace,
            memory,
        })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the token is of an App, which has no account of its own.
    pub(crate) fn is_app(&self) -> bool {
        matches!(self.credentials, Credentials::App(_))
    }

    /// The token that git pushes with.
    pub(crate) async fn token(&self) -> Result<SecretString, ForgeError> {
        match &self.credentials {
            Credentials::Token(token) => Ok(token.clone()),
            Credentials::App(app) => self.app_token(app).await,
        }
    }

    /// Reads one thing. `what` ends the sentence "the token may not ...".
    pub(crate) async fn get(&self, path: &str, what: &str) -> Result<Value, ForgeError> {
        Ok(self.read(&format!("{}{path}", self.base), what).await?.body)
    }

    /// Reads one thing that may not be there.
    pub(crate) async fn get_if_there(&self, path: &str, what: &str) -> Result<Option<Value>, ForgeError> {
        match self.get(path, what).await {
            Ok(body) => Ok(Some(body)),
            Err(ForgeError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads one thing that may not be there, or that not everybody is told; nothing then.
    pub(crate) async fn get_if_told(&self, path: &str, what: &str) -> Result<Value, ForgeError> {
        match self.get_if_there(path, what).await {
            Ok(body) => Ok(body.unwrap_or_default()),
            Err(error) if error.may_pass() => Err(error),
            Err(_) => Ok(Value::Null),
        }
    }

    /// Reads all pages of a list; `field` is where it stands when the answer is an object.
    pub(crate) async fn list(&self, path: &str, field: Option<&str>, what: &str) -> Result<Vec<Value>, ForgeError> {
        let join = if path.contains('?') { '&' } else { '?' };
        let size = if self.kind == ForgeKind::Forgejo { "limit=50" } else { "per_page=100" };
        let mut url = format!("{}{path}{join}{size}", self.base);
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let Answer { mut body, next } = self.read(&url, what).await?;
            let list = match field {
                Some(field) => body.get_mut(field).map(Value::take).unwrap_or_default(),
                None => body,
            };
            let Value::Array(list) = list else {
                return Err(self.unreadable(what, "it is no list".to_owned()));
            };
            all.extend(list);
            // Only pages of the same interface: the token goes nowhere else.
            match next.filter(|next| next.starts_with(&format!("{}/", self.base))) {
                Some(next) => url = next,
                None => break,
            }
        }
        Ok(all)
    }

    /// Changes something.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value, what: &str) -> Result<Value, ForgeError> {
        let mut changed = self.memory.changed.lock().await;
        if let Some(left) = changed.and_then(|last| self.pace.between_changes.checked_sub(last.elapsed())) {
            tokio::time::sleep(left).await;
        }
        let token = self.token().await?;
        let answer = self.exchange(method, &format!("{}{path}", self.base), Some(body), &token, what).await;
        *changed = Some(Instant::now());
        answer.map(|answer| answer.map_or(Value::Null, |answer| answer.body))
    }

    /// Reads a text, such as a log.
    pub(crate) async fn text(&self, path: &str, what: &str) -> Result<String, ForgeError> {
        Ok(match self.get(path, what).await? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    async fn read(&self, url: &str, what: &str) -> Result<Answer, ForgeError> {
        let token = self.token().await?;
        match self.exchange(Method::GET, url, None, &token, what).await? {
            Some(answer) => Ok(answer),
            // Not changed since; only asked for when it is kept.
            None => match self.memory.kept(url) {
                Some((body, next)) => Ok(Answer { body, next }),
                // Dropped meanwhile to make room: asked for as if it were new.
                None => {
                    self.memory.forget(url);
                    let whole = self.exchange(Method::GET, url, None, &token, what).await?;
                    whole.ok_or_else(|| self.unreadable(what, "it says that nothing changed since nothing".to_owned()))
                }
            },
        }
    }

    async fn exchange(
        &self,
        method: Method,
        url: &str,
        body: Option<Value>,
        token: &SecretString,
        what: &str,
    ) -> Result<Option<Answer>, ForgeError> {
        self.may_ask()?;
        let mut request = self.http.request(method.clone(), url).headers(self.headers(token)?);
        if let Some(body) = &body {
            request = request.json(body);
        } else if let Some(etag) = self.memory.etag(url) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        tracing::debug!(%method, url, "asking the forge");
        let unreachable = |why: String| ForgeError::Unreachable { host: self.host.clone(), why };
        let whole = timeout(self.limits.total, async {
            let mut response = request.send().await.map_err(|error| unreachable(causes(&error.without_url())))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut bytes = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(|error| unreachable(causes(&error.without_url())))? {
                if bytes.len() + piece.len() > MAX_ANSWER {
                    return Err(self.unreadable(what, format!("it is longer than {} MiB", MAX_ANSWER >> 20)));
                }
                bytes.extend_from_slice(&piece);
            }
            Ok((status, headers, bytes))
        })
        .await;
        let (status, headers, bytes) = whole.unwrap_or_else(|_| {
            Err(unreachable(format!("no whole answer within {} s", self.limits.total.as_secs())))
        })?;
        self.note_limits(status, &headers);
        if status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(self.refusal(status, &headers, &bytes, what));
        }
        let body = self.parse(&headers, &bytes, what)?;
        let next = next_page(&headers);
        if method == Method::GET
            && let Some(etag) = headers.get(ETAG)
        {
            self.memory.keep(url, etag, &body, next.clone());
        }
        Ok(Some(Answer { body, next }))
    }

    fn headers(&self, token: &SecretString) -> Result<HeaderMap, ForgeError> {
        let scheme = if self.kind == ForgeKind::Forgejo { "token" } else { "Bearer" };
        let mut value = HeaderValue::from_str(&format!("{scheme} {}", token.expose_secret()))
            .map_err(|_| ForgeError::NoToken { what: "the token cannot be sent as a header".to_owned() })?;
        value.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        if self.kind == ForgeKind::GitHub {
            headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
            headers.insert(HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28"));
        }
        Ok(headers)
    }

    fn parse(&self, headers: &HeaderMap, bytes: &[u8], what: &str) -> Result<Value, ForgeError> {
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        let json = headers
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.contains("json"));
        match serde_json::from_slice(bytes) {
            Ok(value) => Ok(value),
            Err(_) if !json => Ok(Value::String(String::from_utf8_lossy(bytes).into_owned())),
            Err(error) => Err(self.unreadable(what, error.to_string())),
        }
    }

    /// What a status means for whoever asked.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, bytes: &[u8], what: &str) -> ForgeError {
        let message = message_of(bytes);
        let wait = self.memory.wait_left();
        match status.as_u16() {
            401 => ForgeError::TokenRefused { host: self.host.clone(), message },
            403 | 429 if wait.is_some() => ForgeError::Wait { host: self.host.clone(), seconds: wait.unwrap_or(60) },
            403 if message.to_lowercase().contains("archived") => ForgeError::Archived { name: self.host.clone() },
            403 => ForgeError::MissingRight { what: what.to_owned(), message },
            404 | 410 => ForgeError::NotFound { what: what.to_owned() },
            301 | 302 | 307 | 308 => ForgeError::Renamed {
                from: what.to_owned(),
                to: headers.get(LOCATION).and_then(|to| to.to_str().ok()).map_or("elsewhere".to_owned(), line_of),
            },
            status => ForgeError::Refused { host: self.host.clone(), what: what.to_owned(), status, message },
        }
    }

    /// Notes how long the forge asks to wait: `Retry-After` in both forms, and an allowance that is used up.
    fn note_limits(&self, status: StatusCode, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let refused = matches!(status.as_u16(), 403 | 429);
        let asked = text("retry-after").and_then(|after| seconds_until(after, now));
        let used_up = number("x-ratelimit-remaining").or(number("ratelimit-remaining")) == Some(0);
        let reset = number("x-ratelimit-reset").or(number("ratelimit-reset")).map(|at| at.saturating_sub(now));
        let wait = match (refused, asked, used_up) {
            (true, Some(asked), _) => Some(asked),
            (_, _, true) => Some(reset.unwrap_or(60)),
            (true, None, false) if status.as_u16() == 429 => Some(60),
            _ => None,
        };
        if let Some(seconds) = wait {
            self.memory.wait(Duration::from_secs(seconds.clamp(1, LONGEST_WAIT)));
            tracing::warn!(host = self.host, seconds, "the forge asks to wait");
        }
    }

    fn may_ask(&self) -> Result<(), ForgeError> {
        match self.memory.wait_left() {
            Some(seconds) => Err(ForgeError::Wait { host: self.host.clone(), seconds }),
            None => Ok(()),
        }
    }

    /// A token of an App for this installation, renewed before its hour is over.
    async fn app_token(&self, app: &App) -> Result<SecretString, ForgeError> {
        if let Some(token) = self.memory.token(RENEW_BEFORE) {
            return Ok(token);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let proof = app.signed(i64::try_from(now).unwrap_or(i64::MAX))?;
        let url = format!("{}/app/installations/{}/access_tokens", self.base, app.installation);
        let what = "make a token for the App's installation";
        let answer = self.exchange(Method::POST, &url, Some(serde_json::json!({})), &proof, what).await?;
        let body = answer.map_or(Value::Null, |answer| answer.body);
        let token = body.get("token").and_then(Value::as_str);
        let token = token.ok_or_else(|| self.unreadable(what, "it holds no token".to_owned()))?;
        let ends = body.get("expires_at").and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let left = ends.map_or(3600, |ends| u64::try_from(ends.as_second()).unwrap_or(0).saturating_sub(now));
        let token = SecretString::from(token.to_owned());
        let ends = Instant::now() + Duration::from_secs(left.min(3600));
        self.memory.keep_token(&token, ends);
        Ok(token)
    }

    pub(crate) fn unreadable(&self, what: &str, why: String) -> ForgeError {
        ForgeError::Answer { host: self.host.clone(), what: what.to_owned(), why }
    }
}

/// Whether an address is this machine itself.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `Retry-After`: seconds, or a date.
fn seconds_until(text: &str, now: u64) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds);
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
    Some(u64::try_from(at).ok()?.saturating_sub(now))
}

/// The address of the next page in a `Link` header (RFC 8288).
fn next_page(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(LINK)?.to_str().ok()?;
    link.split(',').find_map(|part| {
        let (url, about) = part.split_once(';')?;
        about.contains("rel=\"next\"").then(|| url.trim().trim_matches(['<', '>']).to_owned())
    })
}

/// What a forge said in an error, in one line.
fn message_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..64 << 10).unwrap_or(bytes)).into_owned();
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return line_of(&text) };
    let field = |name: &str| match body.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Null) | None => None,
        Some(other) => Some(other.to_string()),
    };
    let message = field("message").or_else(|| field("error")).unwrap_or_default();
    let details = body.get("errors").map(|errors| match errors {
        Value::Array(all) => all
            .iter()
            .map(|one| one.get("message").and_then(Value::as_str).map_or_else(|| one.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join("; "),
        other => other.to_string(),
    });
    line_of(&match details {
        Some(details) => format!("{message}: {details}"),
        None => message,
    })
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    if last.to_string() == error.to_string() { error.to_string() } else { format!("{error}: {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_asked_for_in_two_forms() {
        assert_eq!(seconds_until("120", 0), Some(120));
        assert_eq!(seconds_until("Thu, 01 Jan 1970 00:01:40 GMT", 40), Some(60));
        assert_eq!(seconds_until("Thu, 01 Jan 1970 00:01:40 GMT", 400), Some(0));
        assert_eq!(seconds_until("soon", 0), None);
    }

    #[test]
    fn the_next_page_is_found() {
        let link = "<https://h/a?page=1>; rel=\"prev\", <https://h/a?page=3>; rel=\"next\"";
        let headers = HeaderMap::from_iter([(LINK, HeaderValue::from_static(link))]);
        assert_eq!(next_page(&headers).as_deref(), Some("https://h/a?page=3"));
    }

    #[test]
    fn an_error_says_what_the_forge_said() {
        let body =
            br#"{"message":"Validation Failed","errors":[{"message":"A pull request already exists"},{"field":"x"}]}"#;
        assert_eq!(message_of(body), "Validation Failed: A pull request already exists; {\"field\":\"x\"}");
        assert_eq!(message_of(b"<html>\nx"), "<html> x");
    }

    #[test]
    fn a_token_goes_over_https_alone() {
        let access = || Access::with_token("t".to_owned().into());
        assert!(Api::new("http://forge.example/api", ForgeKind::GitHub, access()).is_err());
        assert!(Api::new("http://127.0.0.1:1/api", ForgeKind::GitHub, access()).is_ok());
        assert!(Api::new("https://forge.example/api", ForgeKind::GitHub, access()).is_ok());
    }
}
