//! Collects what the rules find, and keeps the list to a length that a person reads.

use std::collections::BTreeMap;

use kaizen_domain::RelPath;
use kaizen_domain::review::{Finding, Severity};

use crate::shown::shown;

/// Findings of one rule about one file that are listed; the rest is counted.
const LISTED: usize = 12;

#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    counts: BTreeMap<(Severity, &'static str, Option<RelPath>), usize>,
}

impl Findings {
    /// Adds a finding; the detail is brought on one line.
    pub(super) fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        path: Option<&RelPath>,
        detail: impl AsRef<str>,
    ) {
        let count = self.counts.entry((severity, rule, path.cloned())).or_default();
        *count += 1;
        if *count <= LISTED {
            let detail = shown(detail.as_ref(), 400);
            self.list.push(Finding { severity, rule: rule.to_owned(), path: path.cloned(), detail });
        }
    }

    /// Takes up what was found elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.list.extend(other.list);
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
    }

    pub(super) fn note(&mut self, rule: &'static str, path: &RelPath, detail: impl AsRef<str>) {
        self.add(Severity::Note, rule, Some(path), detail);
    }

    pub(super) fn ask(&mut self, rule: &'static str, path: &RelPath, detail: impl AsRef<str>) {
        self.add(Severity::Person, rule, Some(path), detail);
    }

    pub(super) fn refuse(&mut self, rule: &'static str, path: &RelPath, detail: impl AsRef<str>) {
        self.add(Severity::Refusal, rule, Some(path), detail);
    }

    pub(super) fn has_refusal(&self, rules: &[&str]) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Refusal && rules.contains(&finding.rule.as_str()))
    }

    /// The findings, with a count of those that were not listed.
    pub(super) fn into_list(mut self) -> Vec<Finding> {
        for ((severity, rule, path), count) in self.counts {
            if count > LISTED {
                let detail = format!("and {} more of this kind", count - LISTED);
                self.list.push(Finding { severity, rule: rule.to_owned(), path, detail });
            }
        }
        self.list
    }
}
