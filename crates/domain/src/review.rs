//! Review: the static verdict on a patch, before any of its code runs.

use serde::{Deserialize, Serialize};

use crate::path::RelPath;

/// The verdict and everything it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Pass, ask a person, or refuse.
    pub verdict: Verdict,
    /// What was found, the gravest first.
    pub findings: Vec<Finding>,
    /// The items that changed, by path.
    pub items: Vec<ItemChange>,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be tried and landed.
    Pass,
    /// It may be tried, but only a person may land it.
    AskPerson,
    /// It goes no further.
    Refuse,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Only a person may let it through.
    Person,
    /// Nobody may let it through.
    Refusal,
}

/// One thing a review found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// The rule, such as `path-outside-reach`: stable, for configuration and for search.
    pub rule: String,
    /// The file it is about.
    pub path: Option<RelPath>,
    /// What is wrong and what would be right, one line. It begins with where that is in the file, when it is in one place:
    /// `line 7: ..`, or `7:12: ..` with the column.
    pub detail: String,
}

impl Finding {
    /// The line of the file where it is, counted from 1, and the column where it is known.
    #[must_use]
    pub fn place(&self) -> Option<(u32, Option<u32>)> {
        if let Some(rest) = self.detail.strip_prefix("line ") {
            return Some((rest.split_once(':')?.0.parse().ok()?, None));
        }
        let (line, rest) = self.detail.split_once(':')?;
        Some((line.parse().ok()?, rest.split_once(':').and_then(|(column, _)| column.parse().ok())))
    }
}

/// How one item of the source changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemChange {
    /// The file.
    pub path: RelPath,
    /// The item, such as `Tax::apply`.
    pub item: String,
    /// Whether it can be named from outside its crate.
    pub public: bool,
    /// `added`, `removed`, `body` or `signature`.
    pub what: ItemChangeKind,
}

/// What changed about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemChangeKind {
    /// The item is new.
    Added,
    /// The item is gone.
    Removed,
    /// What it promises changed: name, types, visibility, attributes.
    Signature,
    /// Only what is inside changed.
    Body,
}

impl Review {
    /// A review with the gravest findings first and the verdict they add up to.
    #[must_use]
    pub fn of(mut findings: Vec<Finding>, items: Vec<ItemChange>) -> Self {
        findings.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.path.cmp(&b.path))
        });
        let verdict = match findings.first().map(|finding| finding.severity) {
            Some(Severity::Refusal) => Verdict::Refuse,
            Some(Severity::Person) => Verdict::AskPerson,
            Some(Severity::Note) | None => Verdict::Pass,
        };
        Self { verdict, findings, items }
    }

    /// The findings that decided the verdict, one line each.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let gravest = self.findings.first().map(|finding| finding.severity);
        self.findings
            .iter()
            .filter(|finding| Some(finding.severity) == gravest && finding.severity != Severity::Note)
            .map(|finding| match &finding.path {
                Some(path) => format!("{path}: {} ({})", finding.detail, finding.rule),
                None => format!("{} ({})", finding.detail, finding.rule),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_it_is() {
        let place = |detail: &str| {
            Finding { severity: Severity::Note, rule: "x".to_owned(), path: None, detail: detail.to_owned() }.place()
        };
        assert_eq!(place("line 7: adds `unsafe`"), Some((7, None)));
        assert_eq!(place("7:12: expected `;`"), Some((7, Some(12))));
        assert_eq!(place("adds a dependency: `x`"), None);
        assert_eq!(place("line by line"), None);
    }
}
