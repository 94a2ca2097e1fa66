//! Short ways to review a change and to look at what was found.

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::review::Review;
use kaizen_patch::{Policy, ReviewInput, review};

pub fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap_or_else(|error| panic!("{error}"))
}

pub fn change(file: &str, before: Option<&str>, after: Option<&str>) -> Change {
    let state = |text: &str| FileState { mode: FileMode::Regular, bytes: text.into() };
    Change { path: path(file), before: before.map(state), after: after.map(state) }
}

pub fn with_policy(policy: &Policy, changes: &[Change]) -> Review {
    review(&ReviewInput { changes, reach: None, policy, manifests: &[] }).unwrap_or_else(|error| panic!("{error}"))
}

/// The review of one file that changes from one text to another.
pub fn changed(file: &str, before: &str, after: &str) -> Review {
    with_policy(&Policy::default(), &[change(file, Some(before), Some(after))])
}

/// The rules that found something worse than a note, or anything when there is nothing worse.
pub fn rules(review: &Review) -> Vec<&str> {
    let mut rules: Vec<&str> = review.findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.dedup();
    rules
}

/// Findings and items as text for a snapshot.
pub fn lines_of(review: &Review) -> String {
    let findings = review.findings.iter().map(|finding| {
        let path = finding.path.as_ref().map_or("-", RelPath::as_str);
        format!("{:?} {} {path}: {}", finding.severity, finding.rule, finding.detail)
    });
    let items = review.items.iter().map(|item| format!("{:?} {} public={}", item.what, item.item, item.public));
    findings.chain(items).collect::<Vec<_>>().join("\n")
}
