//! What is remembered of a forge for as long as the program runs: answers that may be asked for again with a condition, how
//! long the forge asked to wait, the token of an App, when something was last changed. A forge counts by account, so all
//! who use the same one share it, whichever repository they ask about.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Answers that are kept.
const KEPT: usize = 2000;

/// An answer that may be asked for again.
struct Kept {
    etag: HeaderValue,
    body: Value,
    next: Option<String>,
    used: u64,
}

#[derive(Default)]
struct Inner {
    kept: BTreeMap<String, Kept>,
    uses: u64,
    /// Until when the forge asked to wait.
    wait: Option<Instant>,
    /// A token of an App, and when it ends.
    token: Option<(SecretString, Instant)>,
}

/// What is remembered.
#[derive(Default)]
pub(crate) struct Memory {
    inner: Mutex<Inner>,
    /// When something was last changed; held while one waits for its turn.
    pub(crate) changed: tokio::sync::Mutex<Option<Instant>>,
}

/// All of them, by the hash of address and account: no secret is kept for longer than it is used.
static ALL: LazyLock<Mutex<BTreeMap<[u8; 32], Arc<Memory>>>> = LazyLock::new(Mutex::default);

impl Memory {
    /// The memory of an account on a forge. `who` is what tells the account, such as its token.
    pub(crate) fn of(base: &str, who: &SecretString) -> Arc<Self> {
        let key = Sha256::new().chain_update(base).chain_update([0]).chain_update(who.expose_secret()).finalize();
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(key.into()).or_default().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells the forge which answer is known already.
    pub(crate) fn etag(&self, url: &str) -> Option<HeaderValue> {
        let mut inner = self.lock();
        inner.uses += 1;
        let uses = inner.uses;
        let kept = inner.kept.get_mut(url)?;
        kept.used = uses;
        Some(kept.etag.clone())
    }

    /// A known answer, and where the next page is.
    pub(crate) fn kept(&self, url: &str) -> Option<(Value, Option<String>)> {
        self.lock().kept.get(url).map(|kept| (kept.body.clone(), kept.next.clone()))
    }

    /// Keeps an answer.
    pub(crate) fn keep(&self, url: &str, etag: &HeaderValue, body: &Value, next: Option<String>) {
        let mut inner = self.lock();
        inner.uses += 1;
        let used = inner.uses;
        inner.kept.insert(url.to_owned(), Kept { etag: etag.clone(), body: body.clone(), next, used });
        if inner.kept.len() > KEPT
            && let Some(oldest) = inner.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(url, _)| url.clone())
        {
            inner.kept.remove(&oldest);
        }
    }

    /// Forgets an answer.
    pub(crate) fn forget(&self, url: &str) {
        self.lock().kept.remove(url);
    }

    /// The forge asks to wait.
    pub(crate) fn wait(&self, time: Duration) {
        let mut inner = self.lock();
        inner.wait = inner.wait.max(Some(Instant::now() + time));
    }

    /// How many seconds are still to be waited.
    pub(crate) fn wait_left(&self) -> Option<u64> {
        let left = self.lock().wait?.checked_duration_since(Instant::now())?;
        Some(left.as_secs().saturating_add(1))
    }

    /// The token of an App, when it holds for longer than this.
    pub(crate) fn token(&self, left: Duration) -> Option<SecretString> {
        let (token, ends) = self.lock().token.clone()?;
        ends.checked_duration_since(Instant::now()).filter(|time| *time > left).map(|_| token)
    }

    /// Keeps the token of an App.
    pub(crate) fn keep_token(&self, token: &SecretString, ends: Instant) {
        self.lock().token = Some((token.clone(), ends));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_account_is_remembered_and_no_other() {
        let who = |text: &str| SecretString::from(text.to_owned());
        let one = Memory::of("https://forge.example", &who("a"));
        one.wait(Duration::from_secs(90));
        assert!(Memory::of("https://forge.example", &who("a")).wait_left().is_some_and(|left| left > 80));
        assert_eq!(Memory::of("https://forge.example", &who("b")).wait_left(), None);
        assert_eq!(Memory::of("https://other.example", &who("a")).wait_left(), None);
    }

    #[test]
    fn the_answer_that_was_not_used_for_longest_makes_room() {
        let memory = Memory::default();
        let etag = HeaderValue::from_static("e");
        for at in 0..=KEPT {
            memory.keep(&at.to_string(), &etag, &Value::Null, None);
            memory.etag("0");
        }
        assert!(memory.kept("0").is_some() && memory.kept("1").is_none() && memory.kept("2").is_some());
    }
}
