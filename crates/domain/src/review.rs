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
    /// What is wrong and what would be right, one line.
    pub detail: String,
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
