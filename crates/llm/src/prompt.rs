//! Prompt: what is said to a model, the form its answer should have, and the key under which the same question is
//! found again. Plain data; how a prompt is written belongs to the templates.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::provider::Provider;

/// Raised when the same prompt would be sent in another way, so that old answers are not taken for new ones.
const KEY_VERSION: &str = "kaizen-request-2";

/// What is said to a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompt {
    /// The rules, with authority.
    pub system: String,
    /// The task and its material.
    pub user: String,
    /// The form of the answer; none for free text.
    pub schema: Option<Schema>,
    /// Which of several answers to the same question this is, from 0.
    pub sample: u32,
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// The JSON schema.
    pub json: Value,
}

/// The key of a request: the same for the same question to the same model at the same address, 64 hexadecimal digits.
/// An answer that is kept under it can be used again without paying twice.
#[must_use]
pub fn request_key(provider: &Provider, prompt: &Prompt) -> String {
    let schema = prompt.schema.as_ref();
    let output = provider.max_output_tokens.to_string();
    let sample = prompt.sample.to_string();
    let form = format!("{:?}", provider.structured);
    let parts = [
        KEY_VERSION,
        &provider.base_url,
        &provider.model,
        &output,
        &form,
        &prompt.system,
        &prompt.user,
        schema.map_or("", |schema| &schema.name),
        &schema.map_or_else(String::new, |schema| schema.json.to_string()),
        &sample,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        // The length goes first, so that no two different lists of parts run together into the same bytes.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_changes_with_everything_that_may_change_the_answer_and_with_nothing_else() {
        let provider = Provider { model: "m".to_owned(), ..Provider::default() };
        let prompt = Prompt { system: "ab".to_owned(), user: "c".to_owned(), ..Prompt::default() };
        let key = request_key(&provider, &prompt);
        assert_eq!(key.len(), 64);
        let schema = Some(Schema { name: "s".to_owned(), json: serde_json::json!({}) });
        let others = [
            request_key(&Provider { model: "n".to_owned(), ..provider.clone() }, &prompt),
            request_key(&Provider { base_url: "http://x".to_owned(), ..provider.clone() }, &prompt),
            request_key(&provider, &Prompt { system: "a".to_owned(), user: "bc".to_owned(), ..Prompt::default() }),
            request_key(&provider, &Prompt { sample: 1, ..prompt.clone() }),
            request_key(&provider, &Prompt { schema, ..prompt.clone() }),
        ];
        assert!(others.iter().all(|other| *other != key));
        let keyed = Provider { key: Some("secret".into()), ..provider.clone() };
        assert_eq!(request_key(&keyed, &prompt), key, "the key of the provider is no part of the question");
    }
}
