//! The envelope: a statement with its signature, as DSSE v1 says (secure-systems-lab/dsse, `protocol.md`). What is signed
//! is the payload with its type and both lengths, so that no byte of either can be taken for one of the other.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::key::{InstallationKey, PublicKey};
use crate::statement::Statement;

/// What the payload is.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// A larger envelope is not looked at, bytes.
const LARGEST: usize = 64 << 20;

/// Why an envelope cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It is none.
    #[error("it is no signed statement: {why}")]
    NotAnEnvelope {
        /// What is wrong with it.
        why: String,
    },
    /// Somebody else signed it.
    #[error(
        "it is signed by the key {by}, not by {wanted}; give that key's public half with `--key` to check it by that"
    )]
    AnotherKey {
        /// The key that it names.
        by: String,
        /// The key that it is checked by.
        wanted: String,
    },
    /// It was changed.
    #[error("its signature does not fit: something in it was changed after it was signed")]
    Changed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<Signed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    keyid: String,
    sig: String,
}

/// Signs a statement. The same statement and key give the same text.
///
/// # Errors
/// Never for a statement that this crate can hold; the serialiser's own word otherwise.
pub fn seal(statement: &Statement, key: &InstallationKey) -> Result<String, serde_json::Error> {
    let payload = serde_json::to_vec(statement)?;
    let sig = STANDARD.encode(key.sign(&signed_bytes(PAYLOAD_TYPE, &payload)));
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(&payload),
        signatures: vec![Signed { keyid: key.public().id(), sig }],
    };
    serde_json::to_string(&envelope).map(|text| text + "\n")
}

/// The statement in an envelope that this key signed. Whatever byte of it is changed, it does not open: its form is
/// compared as well, since two spellings of the same would be two envelopes.
///
/// # Errors
/// When it is no envelope, another key signed it, or anything in it was changed.
pub fn open(envelope: &str, key: &PublicKey) -> Result<Statement, OpenError> {
    let bad = |why: &str| OpenError::NotAnEnvelope { why: why.to_owned() };
    if envelope.len() > LARGEST {
        return Err(bad("it is larger than any of ours"));
    }
    let read: Envelope = serde_json::from_str(envelope).map_err(|error| bad(&error.to_string()))?;
    let [signed] = read.signatures.as_slice() else { return Err(bad("it has not exactly one signature")) };
    let payload = STANDARD.decode(&read.payload).map_err(|_| bad("its payload is not base64"))?;
    let signature = STANDARD.decode(&signed.sig).map_err(|_| bad("its signature is not base64"))?;
    if !key.is_signed(&signed_bytes(&read.payload_type, &payload), &signature) {
        return Err(match signed.keyid == key.id() {
            true => OpenError::Changed,
            false => OpenError::AnotherKey { by: signed.keyid.chars().take(64).collect(), wanted: key.id() },
        });
    }
    let as_written = serde_json::to_string(&read).map(|text| text + "\n");
    if read.payload_type != PAYLOAD_TYPE || signed.keyid != key.id() || as_written.ok().as_deref() != Some(envelope) {
        return Err(OpenError::Changed);
    }
    serde_json::from_slice(&payload).map_err(|error| bad(&error.to_string()))
}

/// DSSE's pre-authentication encoding.
fn signed_bytes(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::signed_bytes;

    #[test]
    fn what_is_signed_is_what_dsse_says() {
        // The example of the specification.
        assert_eq!(
            signed_bytes("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
