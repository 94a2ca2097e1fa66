//! A Prometheus, asked over version 1 of its HTTP interface: deadlines, a cap on the size of answers, no redirects. What it
//! answers is text from outside.

use std::time::Duration;

use kaizen_domain::Timestamp;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use crate::Sample;
use crate::answer::{Answered, samples};
use crate::error::MetricsError;

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 8 << 20;

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

/// How it is reached.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// How long is waited.
    pub limits: Limits,
    /// Whether plain http may be spoken beyond this machine: a person says that the network between is theirs.
    pub plain_http: bool,
    /// A token that it wants to see.
    pub token: Option<SecretString>,
}

/// A Prometheus.
#[derive(Debug, Clone)]
pub struct Prometheus {
    http: reqwest::Client,
    base: Url,
    host: String,
    limits: Limits,
}

impl Prometheus {
    /// One at an address, with the path before `/api/v1` when it has one.
    ///
    /// # Errors
    /// When it is no address, or one of plain http beyond this machine that nobody allowed.
    pub fn new(address: &str, access: &Access) -> Result<Self, MetricsError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut base = Url::parse(address).map_err(|error| bad(address, error.to_string()))?;
        let host = base.host_str().filter(|host| !host.is_empty()).map(str::to_owned);
        let host = host.ok_or_else(|| bad(address, "it names no host".to_owned()))?;
        let loopback = is_loopback(&host);
        match base.scheme() {
            "https" => {}
            "http" if loopback || access.plain_http => {}
            "http" => {
                return Err(bad(
                    address,
                    "plain http goes to this machine alone unless `plain_http` allows it".to_owned(),
                ));
            }
            other => return Err(bad(address, format!("`{other}` is neither http nor https"))),
        }
        base.set_query(None);
        base.set_fragment(None);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("kaizen/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(access.limits.connect);
        if let Some(token) = &access.token {
            let mut shown = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
                .map_err(|_| bad(address, "its token has characters that no header may have".to_owned()))?;
            shown.set_sensitive(true);
            builder = builder.default_headers(HeaderMap::from_iter([(AUTHORIZATION, shown)]));
        }
        if loopback {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| bad(address, error.without_url().to_string()))?;
        let host = base.port().map_or(host.clone(), |port| format!("{host}:{port}"));
        Ok(Self { http, base, host, limits: access.limits })
    }

    /// What a query comes to at a moment, or now: one sample of a scalar or a vector, or all of a series over a span, as
    /// `name[5m]` asks for: those are the very samples that were scraped.
    ///
    /// # Errors
    /// When it cannot be asked, and when the answer is not exactly one series.
    pub async fn instant(&self, query: &str, at: Option<Timestamp>) -> Result<Vec<Sample>, MetricsError> {
        let time = at.map(seconds);
        let mut terms = vec![("query", query)];
        terms.extend(time.as_deref().map(|time| ("time", time)));
        self.ask("query", query, &terms).await
    }

    /// What a query comes to at every step from one moment to another, both included. Where it comes to nothing there is
    /// no sample; the server bounds how many steps there may be.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub async fn range(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Vec<Sample>, MetricsError> {
        let (start, end, step) = (seconds(from), seconds(to), format!("{:.3}", step.as_secs_f64()));
        self.ask("query_range", query, &[("query", query), ("start", &start), ("end", &end), ("step", &step)]).await
    }

    async fn ask(&self, what: &str, query: &str, terms: &[(&str, &str)]) -> Result<Vec<Sample>, MetricsError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/api/v1/{what}", self.base.path().trim_end_matches('/')));
        url.query_pairs_mut().extend_pairs(terms);
        tracing::debug!(host = self.host, query, "asking for a metric");
        let unreachable = |why: String| MetricsError::Unreachable { host: self.host.clone(), why };
        let whole = timeout(self.limits.total, async {
            let mut response = self.http.get(url).send().await.map_err(|error| unreachable(causes(error)))?;
            let mut bytes = Vec::new();
            while let Some(piece) = response.chunk().await.map_err(|error| unreachable(causes(error)))? {
                if bytes.len() + piece.len() > MAX_ANSWER {
                    let why = format!("it is longer than {} MiB", MAX_ANSWER >> 20);
                    return Err(MetricsError::Answer { host: self.host.clone(), query: query.to_owned(), why });
                }
                bytes.extend_from_slice(&piece);
            }
            Ok((response.status().as_u16(), bytes))
        })
        .await;
        let (status, bytes) = whole.unwrap_or_else(|_| {
            Err(unreachable(format!("no whole answer within {} s", self.limits.total.as_secs_f32())))
        })?;
        samples(&Answered { host: &self.host, query, status, bytes: &bytes })
    }
}

/// A moment as the interface takes it.
fn seconds(at: Timestamp) -> String {
    format!("{}.{:03}", at.0 / 1000, at.0 % 1000)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn bad(address: &str, why: String) -> MetricsError {
    // A password stands before the last `@`.
    let shown = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
    MetricsError::Address { address: crate::error::line_of(shown), why }
}

/// An error with the last of its causes, without the address: it may hold a password.
fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut last: &dyn std::error::Error = &error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    if last.to_string() == error.to_string() { error.to_string() } else { format!("{error}: {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine_unless_it_is_allowed() {
        let usual = Access::default();
        for good in ["http://127.0.0.1:9090", "http://[::1]:9090/", "http://localhost/x", "https://prometheus.example"]
        {
            assert!(Prometheus::new(good, &usual).is_ok(), "{good}");
        }
        let allowed = Access { plain_http: true, ..usual.clone() };
        assert!(Prometheus::new("http://prometheus.example", &allowed).is_ok());
        for bad in ["http://prometheus.example", "ftp://127.0.0.1", "prometheus", "", "http://127.0.0.1.example"] {
            assert!(matches!(Prometheus::new(bad, &usual), Err(MetricsError::Address { .. })), "{bad}");
        }
        let said = Prometheus::new("http://ann:secret@prometheus.example", &usual).unwrap_err().to_string();
        assert!(!said.contains("secret") && said.contains("prometheus.example"), "{said}");
    }

    #[test]
    fn moments_keep_their_milliseconds() {
        assert_eq!(seconds(Timestamp(1_700_000_000_007)), "1700000000.007");
    }
}
