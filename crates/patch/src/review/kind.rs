//! Rule `file-kind`: a patch holds regular files (mode 100644) only, before and after.

use kaizen_domain::edit::FileState;

use super::{Findings, ReviewInput};
use crate::draft::mode_name;

pub(super) const RULE: &str = "file-kind";

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    for change in input.changes {
        let kind = |state: Option<&FileState>| state.and_then(|state| mode_name(state.mode));
        if let Some(what) = kind(change.before.as_ref()) {
            findings.refuse(RULE, &change.path, format!("is {what} on the base; only regular files may be changed"));
        }
        if let Some(what) = kind(change.after.as_ref()) {
            findings.refuse(RULE, &change.path, format!("becomes {what}; only regular files may be written"));
        }
    }
}
