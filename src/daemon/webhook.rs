//! Webhooks: a forge says that something happened. It is only a reason to look: what happened is asked of the forge itself,
//! so that a forged, late or lost one changes nothing, and polling finds the same.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode};
use kaizen_forge::{ForgeKind, WebhookError, verify};

use crate::daemon::board::Board;

/// How many ids of calls are remembered.
const REMEMBERED: usize = 4096;

/// Hears webhooks.
pub(crate) struct Webhooks {
    secret: Option<String>,
    seen: Mutex<(BTreeSet<String>, VecDeque<String>)>,
}

impl Webhooks {
    pub fn new(secret: Option<String>) -> Self {
        Self { secret, seen: Mutex::default() }
    }

    /// Hears one. A repository that nobody works for is answered like any other: the caller learns nothing.
    pub fn hear(&self, forge: &str, headers: &HeaderMap, body: &[u8], board: &Board) -> (StatusCode, &'static str) {
        let kind = match forge {
            "github" => ForgeKind::GitHub,
            "gitlab" => ForgeKind::GitLab,
            "forgejo" | "gitea" => ForgeKind::Forgejo,
            _ => return (StatusCode::NOT_FOUND, "no such forge\n"),
        };
        let Some(secret) = &self.secret else { return (StatusCode::NOT_FOUND, "webhooks are not switched on\n") };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let delivery = match verify(kind, secret, header, body) {
            Ok(delivery) => delivery,
            Err(WebhookError::Signature) => return (StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n"),
            Err(_) => return (StatusCode::BAD_REQUEST, "this is no webhook of that forge\n"),
        };
        if !self.is_new(&delivery.id) {
            return (StatusCode::OK, "heard before\n");
        }
        if board.call(&delivery.repository) {
            tracing::info!(repository = delivery.repository, event = delivery.event, "the forge called");
        }
        (StatusCode::ACCEPTED, "heard\n")
    }

    fn is_new(&self, id: &str) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *seen;
        if !known.insert(id.to_owned()) {
            return false;
        }
        order.push_back(id.to_owned());
        if order.len() > REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        true
    }
}
