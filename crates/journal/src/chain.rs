//! The hash of stored things: SHA-256 over a label and fields, each with its length, so that no two different rows
//! have the same bytes under the hash.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// Collects the fields of one stored thing.
pub(crate) struct Sum(Sha256);

impl Sum {
    /// Begins with a label: what kind of thing it is, and the version of its fields.
    pub(crate) fn new(label: &str) -> Self {
        Self(Sha256::new()).bytes(label.as_bytes())
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A text that may be missing; missing and empty differ.
    pub(crate) fn optional(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    pub(crate) fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

/// What the first record of a journal is chained to: it ties the chain to this journal and no other.
pub(crate) fn genesis(journal: &[u8; 16]) -> Hash {
    Sum::new("kaizen journal 1").bytes(journal).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let split = |a: &str, b: &str| Sum::new("x").text(a).text(b).finish();
        assert_ne!(split("ab", "c"), split("a", "bc"));
        assert_ne!(Sum::new("x").optional(None).finish(), Sum::new("x").optional(Some("")).finish());
        assert_ne!(genesis(&[1; 16]), genesis(&[2; 16]));
    }
}
