//! Rule `secret`: no credential comes in with a patch. The finding says where and what kind, never the text.

use std::collections::BTreeMap;

use super::{Findings, ReviewInput};
use crate::lines::line_at;
use crate::secret;

pub(super) const RULE: &str = "secret";

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    for change in input.changes {
        let Some(after) = &change.after else { continue };
        let after = String::from_utf8_lossy(&after.bytes);
        let found = secret::find(&after);
        if found.is_empty() {
            continue;
        }
        let before = change.before.as_ref().map(|state| String::from_utf8_lossy(&state.bytes)).unwrap_or_default();
        // What the file held before may move within it.
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for secret in secret::find(&before) {
            *known.entry(before.get(secret.range).unwrap_or("")).or_default() += 1;
        }
        let (mut counted, mut line) = (0, 1);
        for secret in found {
            if let Some(count) =
                known.get_mut(after.get(secret.range.clone()).unwrap_or("")).filter(|count| **count > 0)
            {
                *count -= 1;
                continue;
            }
            line += line_at(after.get(counted..).unwrap_or(""), secret.range.start - counted) - 1;
            counted = secret.range.start;
            findings.refuse(
                RULE,
                &change.path,
                format!("line {line} holds what looks like a {}; take it out", secret.kind),
            );
        }
    }
}
