//! What cargo says about a crate: its findings under the measured lints, and its tests by name. Everything runs
//! offline, in a target directory that the caller names.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::super::run::{Run, cargo};
use super::LINTS;

/// The findings of a crate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// All of them.
    pub all: usize,
    /// Those with a suggestion that may be applied by machine.
    pub applicable: usize,
    /// The latter by lint.
    by_lint: BTreeMap<String, usize>,
}

impl Findings {
    /// The machine-applicable ones by lint, the most frequent first.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut lints: Vec<(&String, &usize)> = self.by_lint.iter().collect();
        lints.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        lints.iter().map(|(lint, count)| format!("{count} {lint}")).collect::<Vec<_>>().join(", ")
    }
}

/// Counts the findings of a crate; nothing when it does not build.
///
/// # Errors
/// When cargo cannot be started.
pub fn count(tree: &Path, target: &Path) -> Result<Option<Findings>> {
    let args = ["clippy", "--offline", "--lib", "--tests", "--message-format=json", "--"];
    let lints = LINTS.iter().flat_map(|lint| ["-W", lint]);
    let ended = Run::new(cargo(), tree).args(args).args(lints).env("CARGO_TARGET_DIR", target).end()?;
    Ok(ended.status.success().then(|| findings(&ended.stdout)))
}

/// The findings that cargo's messages tell of. Targets share files, so the same one may be told several times.
fn findings(messages: &str) -> Findings {
    let mut found: BTreeMap<(String, String, String), bool> = BTreeMap::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let diagnostic = &message["message"];
        let counts = matches!(diagnostic["level"].as_str(), Some("warning" | "error"));
        let Some(lint) = diagnostic["code"]["code"].as_str() else { continue };
        if message["reason"] != "compiler-message" || !counts {
            continue;
        }
        let place: Vec<String> = spans(diagnostic)
            .filter(|span| span["is_primary"] == true)
            .map(|span| format!("{}:{}-{}", span["file_name"], span["byte_start"], span["byte_end"]))
            .collect();
        let applicable = diagnostic["children"].as_array().into_iter().flatten().flat_map(spans);
        let applicable = applicable.into_iter().any(|span| span["suggestion_applicability"] == "MachineApplicable");
        let key = (lint.to_owned(), place.join(" "), diagnostic["message"].to_string());
        *found.entry(key).or_default() |= applicable;
    }
    let mut findings = Findings { all: found.len(), ..Findings::default() };
    for ((lint, ..), _) in found.into_iter().filter(|(_, applicable)| *applicable) {
        findings.applicable += 1;
        *findings.by_lint.entry(lint).or_default() += 1;
    }
    findings
}

fn spans(diagnostic: &Value) -> impl Iterator<Item = &Value> {
    diagnostic["spans"].as_array().into_iter().flatten()
}

/// The tests that passed, by name, with how often each name did: several targets may have a test of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed(BTreeMap<String, usize>);

impl Passed {
    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// What passed here and does not pass there, a name for each.
    #[must_use]
    pub fn lost(&self, after: &Self) -> Vec<String> {
        let missing = |name: &String, count: usize| count.saturating_sub(after.0.get(name).copied().unwrap_or(0));
        self.0.iter().flat_map(|(name, count)| vec![name.clone(); missing(name, *count)]).collect()
    }
}

/// Runs all tests of a crate and says which passed; none when it does not build.
///
/// # Errors
/// When cargo cannot be started.
pub fn test(tree: &Path, target: &Path) -> Result<Passed> {
    let args = ["test", "--offline", "--no-fail-fast"];
    let ended = Run::new(cargo(), tree).args(args).env("CARGO_TARGET_DIR", target).end()?;
    Ok(passed(&ended.stdout))
}

/// The tests that the output of a test run tells of. The lines that doc tests are named by move when code above them
/// changes, so they are named without.
fn passed(output: &str) -> Passed {
    let mut passed = Passed::default();
    for line in output.lines() {
        let Some(name) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... ok")) else { continue };
        let name = match name.split_once(" (line ") {
            Some((file, rest)) => format!("{file}{}", rest.split_once(')').map_or("", |(_, kind)| kind)),
            None => name.to_owned(),
        };
        *passed.0.entry(name).or_default() += 1;
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(lint: &str, start: u32, applicability: &str) -> String {
        let span = serde_json::json!({"file_name": "src/lib.rs", "byte_start": start, "byte_end": start + 1, "is_primary": true});
        let child = serde_json::json!({"spans": [{"suggestion_applicability": applicability}]});
        let diagnostic = serde_json::json!({"level": "warning", "code": {"code": lint}, "message": "m", "spans": [span], "children": [child]});
        serde_json::json!({"reason": "compiler-message", "message": diagnostic}).to_string()
    }

    #[test]
    fn a_finding_counts_once_however_often_it_is_told() {
        let told = [
            message("a", 1, "MachineApplicable"),
            message("a", 1, "MachineApplicable"),
            message("a", 2, "MaybeIncorrect"),
            message("b", 2, "MachineApplicable"),
            "{\"reason\":\"build-finished\"}".to_owned(),
            "no json".to_owned(),
        ];
        let findings = findings(&told.join("\n"));
        assert_eq!((findings.all, findings.applicable, findings.shown().as_str()), (3, 2, "1 a, 1 b"));
    }

    #[test]
    fn tests_are_compared_by_name() {
        let before = passed(
            "running 4 tests\ntest a ... ok\ntest a ... ok\ntest b ... FAILED\ntest c - should panic ... ok\n\
             test src/lib.rs - f (line 12) ... ok\ntest src/lib.rs - g (line 3) - compile ... ok\ntest result: ok. 4 passed\n",
        );
        assert_eq!(before.total(), 5);
        let after = passed(
            "test a ... ok\ntest src/lib.rs - f (line 10) ... ok\ntest src/lib.rs - g (line 1) - compile ... ok\n",
        );
        assert_eq!(before.lost(&after), ["a", "c - should panic"]);
        assert!(before.lost(&before).is_empty());
    }
}
