//! Rule `does-not-parse`: every changed Rust file is Rust afterwards.

use kaizen_domain::review::Severity;

use super::Findings;
use super::code::{CodeFile, Tree};
use crate::shown::shown;

pub(super) const RULE: &str = "does-not-parse";

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    let Tree::Broken(fault) = &file.after.tree else { return };
    let (severity, more) = match (file.before.is_broken(), fault.too_deep) {
        (false, _) => (Severity::Refusal, ""),
        (true, true) => (Severity::Person, "; so nothing in it was checked, and a person must look"),
        (true, false) => (Severity::Note, "; it did not parse before either, so less of it was checked"),
    };
    let detail = format!("{}:{}: does not parse: {}{more}", fault.line, fault.column, shown(&fault.why, 200));
    findings.add(severity, RULE, Some(file.path), detail);
}
