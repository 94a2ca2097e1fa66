//! Transport: one HTTP exchange with the provider, read to its end under four deadlines and a cap on its size. It sits
//! innermost below the API client, so that a status never gets lost in a body that is not in the API's form, and so
//! that the client above only ever sees whole JSON.
//!
//! It owns the connection pool. It neither retries nor follows redirects, and shows no secret in an error.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use futures::future::BoxFuture;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::error::{Deadline, ModelError};
use crate::provider::{Deadlines, Provider, shown_url};
use crate::redact::excerpt;
use crate::retry::parse_retry_after;
use crate::stream::{Fault, Stream};

/// LiteLLM hands what the provider behind it said on under names of its own.
const RETRY_AFTER_BEHIND_LITELLM: &str = "llm_provider-retry-after";

/// The most bytes an answer may have.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// The most bytes of an error's body that are read.
const MAX_ERROR: usize = 64 * 1024;

/// The innermost service.
#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    deadlines: Deadlines,
    url: String,
    key: Option<SecretString>,
    clock: Arc<dyn Clock>,
}

impl Transport {
    pub(crate) fn new(provider: &Provider, clock: Arc<dyn Clock>) -> Result<Self, ModelError> {
        // The program installs a TLS provider at its start; a library user may not have.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("kaizen/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(provider.deadlines.connect);
        if provider.is_loopback() {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| ModelError::BadProvider { what: causes(&error.without_url()) })?;
        Ok(Self {
            http,
            deadlines: provider.deadlines,
            url: shown_url(&provider.base_url),
            key: provider.key.clone(),
            clock,
        })
    }

    /// The HTTP client, which the API client needs to build requests with.
    pub(crate) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    async fn exchange(&self, request: HttpRequestFactory) -> Result<Response, OpenAIError> {
        let request = request.build().await?;
        let limit = self.deadlines.total;
        let whole = timeout(limit, self.read(request)).await;
        let body = whole.unwrap_or(Err(ModelError::Timeout { which: Deadline::Total, limit })).map_err(boxed)?;
        Ok(http::Response::new(reqwest::Body::from(body)).into())
    }

    /// Sends the request and reads the answer, which is whole JSON when this succeeds.
    async fn read(&self, request: reqwest::Request) -> Result<Vec<u8>, ModelError> {
        let limit = self.deadlines.first_byte;
        let mut response = match timeout(limit, self.http.execute(request)).await {
            Ok(answer) => answer.map_err(|error| self.classify(error))?,
            Err(_) => return Err(ModelError::Timeout { which: Deadline::FirstByte, limit }),
        };
        let status = response.status();
        if !status.is_success() {
            let headers = response.headers();
            let retry_after = headers.get(RETRY_AFTER).or_else(|| headers.get(RETRY_AFTER_BEHIND_LITELLM));
            let retry_after = retry_after.and_then(|value| value.to_str().ok());
            let retry_after = retry_after.and_then(|text| parse_retry_after(text, self.clock.wall_seconds()));
            // The status is what counts: a body that is cut or too long takes nothing away from it.
            let mut body = Vec::new();
            let _ = self.collect(&mut response, &mut body, MAX_ERROR).await;
            return Err(self.refusal(status.as_u16(), &body, retry_after));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream") {
            return self.streamed(&mut response).await;
        }
        let mut body = Vec::new();
        self.collect(&mut response, &mut body, MAX_ANSWER).await?;
        // Some servers stream without saying so.
        if body.trim_ascii_start().starts_with(b"data:") {
            let mut stream = Stream::default();
            stream.take(&body);
            return self.whole(stream);
        }
        self.json(body)
    }

    /// A body that is JSON from its beginning to its end.
    fn json(&self, body: Vec<u8>) -> Result<Vec<u8>, ModelError> {
        if serde_json::from_slice::<Value>(&body).is_err() {
            let start = body.get(..MAX_ERROR).unwrap_or(&body);
            return Err(ModelError::NotAnAnswer { excerpt: self.clean(&String::from_utf8_lossy(start)) });
        }
        Ok(body)
    }

    /// An answer that comes piece by piece, in the form of one that comes whole.
    async fn streamed(&self, response: &mut Response) -> Result<Vec<u8>, ModelError> {
        let mut stream = Stream::default();
        while !stream.is_over() {
            let piece = match self.piece(response).await {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                // Some servers say the last word and leave the connection open.
                Err(_) if stream.has_finished() => break,
                Err(error) => return Err(error),
            };
            // Some servers call everything a stream.
            if stream.len() == 0 && piece.trim_ascii_start().starts_with(b"{") {
                let mut body = piece.to_vec();
                self.collect(response, &mut body, MAX_ANSWER).await?;
                return self.json(body);
            }
            if stream.len().saturating_add(piece.len()) > MAX_ANSWER {
                return Err(ModelError::TooLarge { limit: MAX_ANSWER });
            }
            stream.take(&piece);
        }
        self.whole(stream)
    }

    fn whole(&self, stream: Stream) -> Result<Vec<u8>, ModelError> {
        match stream.finish() {
            Ok(answer) => Ok(answer.to_string().into_bytes()),
            Err(Fault::NoPiece(text)) => Err(ModelError::NotAnAnswer { excerpt: self.clean(&text) }),
            // It had begun, and what it wrote until then may be billed.
            Err(Fault::Failed(code, words)) => {
                let code = code.map(|code| format!("{code}: ")).unwrap_or_default();
                let cause = format!("the server gave up: {code}{}", self.clean(&words));
                Err(ModelError::Cut { url: self.url.clone(), cause })
            }
            Err(Fault::Unfinished) => {
                let cause = "the stream ended before the answer did".to_owned();
                Err(ModelError::Cut { url: self.url.clone(), cause })
            }
        }
    }

    /// What a status other than success means.
    fn refusal(&self, code: u16, body: &[u8], retry_after: Option<Duration>) -> ModelError {
        let message = self.error_message(body);
        let text = String::from_utf8_lossy(body);
        // Who has no money left is told so with the status of somebody who asks too fast.
        let broke = ["insufficient_quota", "billing_hard_limit_reached", "insufficient_balance", "credit balance"];
        if code == 402 || (code == 429 && broke.iter().any(|sign| text.contains(sign))) {
            return ModelError::NoCredit { code, message };
        }
        ModelError::Status { code, message, retry_after }
    }

    /// The next piece of a body, within the deadline for silence.
    async fn piece(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, ModelError> {
        let limit = self.deadlines.idle;
        match timeout(limit, response.chunk()).await {
            Ok(piece) => piece.map_err(|error| self.cut(error)),
            Err(_) => Err(ModelError::Timeout { which: Deadline::Idle, limit }),
        }
    }

    async fn collect(&self, response: &mut Response, into: &mut Vec<u8>, cap: usize) -> Result<(), ModelError> {
        while let Some(piece) = self.piece(response).await? {
            if into.len().saturating_add(piece.len()) > cap {
                return Err(ModelError::TooLarge { limit: cap });
            }
            into.extend_from_slice(&piece);
        }
        Ok(())
    }

    /// What the body of an error says: its message when it is in a known form, its beginning otherwise.
    fn error_message(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let known = ["/error/message", "/error", "/message", "/detail"];
        let message = known.iter().find_map(|path| json.pointer(path)?.as_str()).unwrap_or(&text);
        let clean = self.clean(message);
        if clean.is_empty() { "nothing more was said".to_owned() } else { clean }
    }

    /// The beginning of a text from the server, without our key in case it sent that back.
    fn clean(&self, text: &str) -> String {
        match &self.key {
            Some(key) => excerpt(&text.replace(key.expose_secret(), "[hidden]")),
            None => excerpt(text),
        }
    }

    /// Sorts a failure that came before the head of an answer.
    fn classify(&self, error: reqwest::Error) -> ModelError {
        let (connect, slow, dns) = (error.is_connect(), error.is_timeout(), error.is_dns());
        if connect && slow {
            return ModelError::Timeout { which: Deadline::Connect, limit: self.deadlines.connect };
        }
        if !connect {
            return self.cut(error);
        }
        let tls = has_tls_error(&error);
        let cause = self.clean(&causes(&error.without_url()));
        let url = self.url.clone();
        let lower = cause.to_ascii_lowercase();
        let unknown_host = dns && !lower.contains("temporary failure");
        let by_proxy = lower.contains("proxy") || lower.contains("tunnel");
        if tls || unknown_host || by_proxy {
            ModelError::Unreachable { url, cause }
        } else {
            ModelError::Refused { url, cause }
        }
    }

    fn cut(&self, error: reqwest::Error) -> ModelError {
        ModelError::Cut { url: self.url.clone(), cause: self.clean(&causes(&error.without_url())) }
    }
}

impl tower::Service<HttpRequestFactory> for Transport {
    type Response = Response;
    type Error = OpenAIError;
    type Future = BoxFuture<'static, Result<Response, OpenAIError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let transport = self.clone();
        Box::pin(async move { transport.exchange(request).await })
    }
}

fn boxed(error: ModelError) -> OpenAIError {
    OpenAIError::Boxed(Box::new(error))
}

/// The error of this crate inside one of the API client.
pub(crate) fn unboxed(error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<ModelError>() {
            Ok(error) => *error,
            Err(other) => ModelError::BadProvider { what: excerpt(&other.to_string()) },
        },
        OpenAIError::Reqwest(error) => ModelError::BadProvider { what: excerpt(&causes(&error.without_url())) },
        other => ModelError::BadProvider { what: excerpt(&other.to_string()) },
    }
}

/// An error with its causes, each once, in one line.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts.join(": ")
}

fn has_tls_error(error: &(dyn StdError + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // An I/O error keeps what it wraps beside the chain of sources, not in it.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.is_some_and(|inner| has_tls_error(inner)) || error.source().is_some_and(has_tls_error)
}
