//! Rule `size`: a patch stays small enough to be read, and to be parsed without harm. Runs before any parser.

use kaizen_domain::edit::FileState;
use kaizen_domain::review::Severity;

use super::{Findings, ReviewInput};
use crate::diff::changed_lines;
use crate::lines::byte_lines;

pub(super) const RULE: &str = "size";

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    let policy = input.policy;
    if input.changes.len() > policy.max_files {
        let detail = format!("changes {} files, {} are allowed; split it", input.changes.len(), policy.max_files);
        return findings.add(Severity::Refusal, RULE, None, detail);
    }
    let bytes = |state: Option<&FileState>| state.map_or(0, |state| state.bytes.len());
    let mut small = true;
    for change in input.changes {
        let (before, after) = (bytes(change.before.as_ref()), bytes(change.after.as_ref()));
        if after > policy.max_file_bytes.max(before) || before > policy.max_file_bytes.saturating_mul(8) {
            let detail = format!("has {} bytes, {} are allowed", after.max(before), policy.max_file_bytes);
            findings.refuse(RULE, &change.path, detail);
            small = false;
        }
    }
    if !small {
        return;
    }
    let mut lines = 0usize;
    for change in input.changes {
        let (before, after) = (content(change.before.as_ref()), content(change.after.as_ref()));
        let longest = |bytes: &[u8]| byte_lines(bytes).iter().map(|line| line.len()).max().unwrap_or(0);
        let line = longest(after);
        if line > policy.max_line_bytes && line > longest(before) {
            let detail = format!("has a line of {line} bytes, {} are allowed", policy.max_line_bytes);
            findings.refuse(RULE, &change.path, detail);
        }
        let (added, removed) = changed_lines(before, after);
        lines = lines.saturating_add(added).saturating_add(removed);
    }
    if lines > policy.max_changed_lines {
        let detail = format!("changes {lines} lines, {} are allowed; split it", policy.max_changed_lines);
        findings.add(Severity::Refusal, RULE, None, detail);
    }
}

fn content(state: Option<&FileState>) -> &[u8] {
    state.map_or(&[], |state| state.bytes.as_slice())
}
