//! Webhooks of the scripted forge: each event is sent to each hook in the words of the dialect that it was made in,
//! signed as that dialect signs. Only loopback addresses are called.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::state::{Dialect, Repo, State};
use super::{forgejo, github, gitlab};
use crate::http;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Push { branch: String, from: Option<String>, to: Option<String> },
    Pull { number: u64, action: &'static str },
    Comment { number: u64, id: u64 },
    Review { number: u64, id: u64 },
    Check { sha: String, context: String, run: bool },
}

/// Where events are sent.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub id: u64,
    pub dialect: Dialect,
    pub url: String,
    pub secret: String,
}

/// A delivery that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where to.
    pub url: String,
    /// The event's name in the dialect.
    pub event: String,
    /// The unique id that was sent with it.
    pub id: String,
    /// What the receiver answered; none when it could not be reached.
    pub status: Option<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Whether an address is on this machine only.
pub(crate) fn is_loopback(url: &str) -> bool {
    let host = url.strip_prefix("http://").unwrap_or_default();
    let host = host.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// What has to be sent for all that happened since the last time.
pub(crate) fn due(state: &mut State, base: &str) -> Vec<Delivery> {
    let mut due = Vec::new();
    while let Some((id, event)) = state.events.pop_front() {
        let Some(repo) = state.repos.iter().find(|repo| repo.id == id) else { continue };
        for hook in repo.hooks.clone() {
            if let Some((name, payload)) = payload(state, repo, &hook, &event, base) {
                due.push(delivery(&hook, &name, &payload, state.requests.len() + state.deliveries.len() + due.len()));
            }
        }
    }
    due
}

fn payload(state: &State, repo: &Repo, hook: &Hook, event: &Event, base: &str) -> Option<(String, Value)> {
    match hook.dialect {
        Dialect::GitHub => github::event(state, repo, event, base),
        Dialect::GitLab => gitlab::event(state, repo, event, base),
        Dialect::Forgejo => forgejo::event(state, repo, event, base),
    }
}

fn delivery(hook: &Hook, event: &str, payload: &Value, number: usize) -> Delivery {
    let body = payload.to_string().into_bytes();
    let salt = format!("{}{number}{:?}", hook.id, std::time::SystemTime::now());
    let hash = hex::encode(Sha256::digest(salt));
    let part = |from, to| hash.get(from..to).unwrap_or_default();
    let id = format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let mut say = |name: &str, value: String| headers.push((name.to_owned(), value));
    let signature = hex::encode(hmac(hook.secret.as_bytes(), &body));
    match hook.dialect {
        Dialect::GitHub => {
            say("x-github-event", event.to_owned());
            say("x-github-delivery", id.clone());
            say("x-hub-signature-256", format!("sha256={signature}"));
        }
        Dialect::GitLab => {
            say("x-gitlab-event", event.to_owned());
            say("x-gitlab-event-uuid", id.clone());
            say("idempotency-key", id.clone());
            say("x-gitlab-token", hook.secret.clone());
        }
        Dialect::Forgejo => {
            for name in ["x-forgejo", "x-gitea", "x-github"] {
                say(&format!("{name}-event"), event.to_owned());
                say(&format!("{name}-delivery"), id.clone());
            }
            say("x-forgejo-signature", signature.clone());
            say("x-gitea-signature", signature.clone());
            say("x-hub-signature-256", format!("sha256={signature}"));
        }
    }
    Delivery { url: hook.url.clone(), event: event.to_owned(), id, status: None, headers, body }
}

/// Sends it and notes what came back.
pub(crate) fn send(delivery: &mut Delivery) {
    let headers: Vec<(&str, &str)> = delivery.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let sent = http::call("POST", &delivery.url, &headers, Some(&delivery.body));
    delivery.status = sent.ok().map(|response| response.status);
}

/// HMAC with SHA-256, as RFC 2104 has it.
#[must_use]
pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let case_2 = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex::encode(case_2), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let case_6 = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex::encode(case_6), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn only_this_machine_is_called() {
        assert!(is_loopback("http://127.0.0.1:80/x") && is_loopback("http://localhost/x"));
        assert!(!is_loopback("http://10.0.0.1:80/x") && !is_loopback("https://127.0.0.1.example.org/"));
        assert!(!is_loopback("http://127.0.0.1@example.org/"));
    }
}
