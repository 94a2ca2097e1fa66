//! Rules about where a patch reaches: `path-outside-reach`, `path-forbidden`, `path-protected`, `path-own-gate`,
//! `path-clash`.
//!
//! The judge sits outside what it judges: tests, build, CI and configuration on the base are not a patch's to change.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::RelPath;
use kaizen_domain::edit::Change;

use super::glob::matches;
use super::manifest::judging_folders;
use super::weakened::only_adds;
use super::{Findings, ReviewInput};

const OUTSIDE: &str = "path-outside-reach";
const FORBIDDEN: &str = "path-forbidden";
const PROTECTED: &str = "path-protected";
/// A file of the tests is a rule of its own: a person may open the tests to some changes and not the build.
const TESTS: &str = "test-file";
/// Why a file of the tests is guarded.
pub(super) const OF_THE_TESTS: &str = "belongs to the tests of the base, which judge the change";
const OWN: &str = "path-own-gate";
const CLASH: &str = "path-clash";

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    let reach: Option<BTreeSet<&RelPath>> = input.reach.map(|reach| reach.iter().collect());
    let judging = judging_folders(input);
    for change in input.changes {
        let path = &change.path;
        if reach.as_ref().is_some_and(|reach| !reach.contains(path)) {
            findings.refuse(OUTSIDE, path, "is not among the files that the plan allows; leave it as it is");
        }
        if !input.policy.allow.is_empty() && !matches(&input.policy.allow, path.as_str()) {
            findings.refuse(OUTSIDE, path, "is not among the paths that the policy allows; leave it as it is");
        }
        protected(input, change, &judging, findings);
    }
    clashes(input, findings);
}

fn protected(input: &ReviewInput<'_>, change: &Change, judging: &[(String, &'static str)], findings: &mut Findings) {
    let (policy, path) = (input.policy, &change.path);
    let text = path.as_str();
    if matches(&policy.forbidden, text) {
        return findings.refuse(FORBIDDEN, path, "changes how git reads other files; no patch may touch it");
    }
    if matches(&policy.protected, text) {
        findings.ask(PROTECTED, path, "steers how the change is built or judged; a person must agree");
    } else if matches(&policy.judges, text) {
        if change.before.is_none() {
            findings.note(PROTECTED, path, "adds a file to the tests");
        } else if holds_tests(path) && only_adds(change) {
            findings.note(TESTS, path, "has more tests than before, and is otherwise as it was");
        } else {
            findings.ask(TESTS, path, format!("{OF_THE_TESTS}; a person must agree"));
        }
    } else if let Some((_, why)) = judging.iter().find(|(prefix, _)| text == prefix || is_below(text, prefix)) {
        let rule = if *why == OF_THE_TESTS { TESTS } else { PROTECTED };
        findings.ask(rule, path, format!("{why}; a person must agree"));
    }
    if policy.own_repository && matches(&policy.own_gates, text) {
        findings.ask(OWN, path, "is part of Kaizen's own review, policy, sandbox or journal; a person must agree");
    }
}

/// Sources of tests: not those of benchmarks, nor what tests read.
fn holds_tests(path: &RelPath) -> bool {
    const READ: [&str; 7] = ["benches", "fixtures", "testdata", "golden", "snapshots", "ui", "data"];
    path.is_rust() && path.parts().any(|part| part == "tests") && !path.parts().any(|part| READ.contains(&part))
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Two paths that some file systems take for one.
fn clashes(input: &ReviewInput<'_>, findings: &mut Findings) {
    let mut seen: BTreeMap<String, &RelPath> = BTreeMap::new();
    for change in input.changes {
        if let Some(other) = seen.insert(change.path.as_str().to_lowercase(), &change.path)
            && (change.after.is_some() || other == &change.path)
        {
            findings.refuse(CLASH, &change.path, format!("is the same path as {other} where case does not count"));
        }
    }
}
