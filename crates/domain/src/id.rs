//! Ids of the nouns: 128 bits, sortable by the time of their making, written so that a short prefix is unique.
//!
//! An id holds a UUID of version 7 (RFC 9562: 48 bits of milliseconds, then random bits). Its written form is one
//! letter for the noun and the bytes of the UUID from the last to the first in Crockford's base 32: the random bytes
//! come first, so `p3fa` is enough for a person, while `Ord` still follows the time of making.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters of the body of a written id: 128 bits in groups of five.
const BODY: usize = 26;

/// A text that is not an id of the noun asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a {noun} id: expected `{letter}` and {BODY} letters or digits")]
pub struct InvalidId {
    text: String,
    noun: &'static str,
    letter: char,
}

fn encode(letter: char, id: Uuid) -> String {
    let mut value = u128::from_le_bytes(*id.as_bytes());
    let mut body = [0_u8; BODY];
    // Most significant group first; the first group holds the three bits that are left over of 128.
    for slot in body.iter_mut().rev() {
        *slot = ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'0');
        value >>= 5;
    }
    // The leftover group would always be one of 0 to 7: put it last, so that the prefix is as random as it can be.
    body.rotate_left(1);
    let mut text = String::with_capacity(BODY + 1);
    text.push(letter);
    text.extend(body.iter().map(|byte| char::from(*byte)));
    text
}

fn decode(letter: char, text: &str) -> Option<Uuid> {
    let body = text.strip_prefix(letter)?;
    if body.len() != BODY {
        return None;
    }
    let mut digits = Vec::with_capacity(BODY);
    for byte in body.bytes() {
        digits.push(ALPHABET.iter().position(|known| *known == byte.to_ascii_lowercase())? as u128);
    }
    digits.rotate_right(1);
    if digits.first().is_some_and(|top| *top > 7) {
        return None;
    }
    let value = digits.iter().fold(0_u128, |sum, digit| (sum << 5) | digit);
    Some(Uuid::from_bytes(value.to_le_bytes()))
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $letter:literal, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The letter every id of this noun begins with.
            pub const LETTER: char = $letter;

            /// Makes an id from the milliseconds since 1970 and ten random bytes.
            #[must_use]
            pub fn new(unix_millis: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
            }

            /// The first letters of the written form, enough for a person to tell it from its neighbours.
            #[must_use]
            pub fn short(&self) -> String {
                self.to_string().chars().take(6).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&encode($letter, self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                decode($letter, text)
                    .map(Self)
                    .ok_or_else(|| InvalidId { text: text.to_owned(), noun: $noun, letter: $letter })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id_type!(/// One run from signals to lessons.
    CycleId, 'c', "cycle");
id_type!(/// One observation.
    SignalId, 's', "signal");
id_type!(/// One thing worth changing.
    OpportunityId, 'o', "opportunity");
id_type!(/// The Architect's answer to an opportunity.
    PlanId, 'n', "plan");
id_type!(/// A set of edits against one base commit.
    PatchId, 'p', "patch");
id_type!(/// What the sandbox measured of one patch.
    TrialId, 't', "trial");
id_type!(/// What an outcome taught.
    LessonId, 'l', "lesson");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_written_form_reads_back(millis in 0_u64..1 << 48, random: [u8; 10]) {
            let id = PatchId::new(millis, random);
            prop_assert_eq!(id.to_string().parse::<PatchId>(), Ok(id));
            prop_assert!(id.to_string().starts_with('p'));
        }

        #[test]
        fn order_follows_the_time_of_making(a in 0_u64..1 << 47, random: [u8; 10], other: [u8; 10]) {
            prop_assert!(CycleId::new(a, random) < CycleId::new(a + 1, other));
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text in "\\PC{0,40}") {
            let _ = text.parse::<TrialId>();
        }
    }

    #[test]
    fn two_ids_of_one_millisecond_differ_in_their_first_letters() {
        let one = PatchId::new(1_700_000_000_000, [1; 10]);
        let two = PatchId::new(1_700_000_000_000, [2; 10]);
        assert_ne!(one.short(), two.short());
    }

    #[test]
    fn an_id_of_another_noun_is_refused_by_name() {
        let error = CycleId::new(1, [7; 10]).to_string().parse::<PatchId>().unwrap_err();
        assert!(error.to_string().contains("is not a patch id"), "{error}");
    }
}
