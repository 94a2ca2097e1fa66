//! Webhooks: a call of the forge that something happened. It only says that it is worth looking; what happened is asked of
//! the forge itself. The signature is compared in constant time.

use ring::hmac;
use thiserror::Error;

use crate::remote::ForgeKind;

/// A call that is what it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The id that the forge gave it: one that was seen before is a replay.
    pub id: String,
    /// What it is about, such as `pull_request`.
    pub event: String,
    /// The repository, `owner/name`.
    pub repository: String,
}

/// Why a call is not listened to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WebhookError {
    /// It has no signature, or a wrong one.
    #[error("the signature is missing or wrong")]
    Signature,
    /// It lacks what every call of that forge has.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// It cannot be read.
    #[error("its body is no JSON of that forge")]
    Body,
}

/// Checks a call: its signature over the body with the secret that both sides know, and what it is about.
///
/// # Errors
/// When the signature is wrong or something is missing.
pub fn verify<'a>(
    kind: ForgeKind,
    secret: &str,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
) -> Result<Delivery, WebhookError> {
    if secret.is_empty() {
        return Err(WebhookError::Signature);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = |text: &str| hex::decode(text).is_ok_and(|tag| hmac::verify(&key, body, &tag).is_ok());
    let (valid, id, event) = match kind {
        ForgeKind::GitHub => (
            header("x-hub-signature-256").and_then(|text| text.strip_prefix("sha256=")).is_some_and(signed),
            header("x-github-delivery"),
            header("x-github-event"),
        ),
        ForgeKind::Forgejo => (
            header("x-forgejo-signature").or_else(|| header("x-gitea-signature")).is_some_and(signed),
            header("x-forgejo-delivery").or_else(|| header("x-gitea-delivery")),
            header("x-forgejo-event").or_else(|| header("x-gitea-event")),
        ),
        // GitLab sends the secret itself: comparing what both are signed to takes the same time for any guess.
        ForgeKind::GitLab => (
            header("x-gitlab-token").is_some_and(|token| {
                hmac::verify(&key, secret.as_bytes(), hmac::sign(&key, token.as_bytes()).as_ref()).is_ok()
            }),
            header("x-gitlab-event-uuid").or_else(|| header("idempotency-key")),
            header("x-gitlab-event"),
        ),
    };
    if !valid {
        return Err(WebhookError::Signature);
    }
    let about: serde_json::Value = serde_json::from_slice(body).map_err(|_| WebhookError::Body)?;
    let name = about.pointer("/repository/full_name").or_else(|| about.pointer("/project/path_with_namespace"));
    Ok(Delivery {
        id: id.ok_or(WebhookError::Missing("delivery id"))?.to_owned(),
        event: event.ok_or(WebhookError::Missing("event"))?.to_owned(),
        repository: name.and_then(serde_json::Value::as_str).ok_or(WebhookError::Body)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"repository":{"full_name":"a/b"}}"#;

    fn call(secret: &str, signature: &str) -> Result<Delivery, WebhookError> {
        let header = |name: &str| match name {
            "x-hub-signature-256" => Some(signature),
            "x-github-delivery" => Some("d1"),
            "x-github-event" => Some("pull_request"),
            _ => None,
        };
        verify(ForgeKind::GitHub, secret, header, BODY)
    }

    #[test]
    fn a_signed_call_is_heard_and_a_forged_one_is_not() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3");
        let signature = format!("sha256={}", hex::encode(hmac::sign(&key, BODY)));
        let expected = Delivery { id: "d1".into(), event: "pull_request".into(), repository: "a/b".into() };
        assert_eq!(call("s3", &signature), Ok(expected));
        for (secret, signature) in [("other", signature.as_str()), ("s3", ""), ("s3", "sha256=00"), ("", &signature)] {
            assert_eq!(call(secret, signature), Err(WebhookError::Signature), "{secret} {signature}");
        }
    }

    #[test]
    fn the_secret_of_gitlab_must_be_the_same() {
        let call = |token: &'static str| {
            let header = move |name: &str| match name {
                "x-gitlab-token" => Some(token),
                "x-gitlab-event-uuid" => Some("u"),
                "x-gitlab-event" => Some("Merge Request Hook"),
                _ => None,
            };
            verify(ForgeKind::GitLab, "s3", header, br#"{"project":{"path_with_namespace":"g/b"}}"#)
        };
        assert!(call("s3").is_ok());
        assert_eq!(call("s4"), Err(WebhookError::Signature));
    }
}
