//! Rule `secret`: no credential comes in with a patch. The finding says where and what kind, never the text.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::{Findings, ReviewInput};
use crate::lines::line_at;
use crate::secret;

pub(super) const RULE: &str = "secret";

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    for change in input.changes {
        let Some(after) = &change.after else { continue };
        let after = String::from_utf8_lossy(&after.bytes);
        let before = change.before.as_ref().map(|state| String::from_utf8_lossy(&state.bytes)).unwrap_or_default();
        if secret::find(&new_lines(&before, &after)).is_empty() {
            continue;
        }
        let found = secret::find(&after);
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
                format!("line {line} holds what looks like a credential ({}); take it out", secret.kind),
            );
        }
    }
}

/// The lines that the file did not hold before; all of it when it holds a key of several lines. What looks like a
/// credential otherwise stands on one line.
fn new_lines<'t>(before: &str, after: &'t str) -> Cow<'t, str> {
    if after.contains("-----BEGIN ") {
        return Cow::Borrowed(after);
    }
    let mut known: HashMap<&str, usize> = HashMap::new();
    before.lines().filter(may_hold).for_each(|line| *known.entry(line).or_default() += 1);
    let mut new = String::new();
    for line in after.lines().filter(may_hold) {
        match known.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                new.push_str(line);
                new.push('\n');
            }
        }
    }
    Cow::Owned(new)
}

/// Most lines can hold no credential: those have digits, or stand in an address.
fn may_hold(line: &&str) -> bool {
    line.bytes().any(|byte| byte.is_ascii_digit()) || line.contains("://")
}
