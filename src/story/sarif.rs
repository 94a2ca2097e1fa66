//! The judgement of a patch for other tools: what was found, as a SARIF 2.1.0 log.

use std::fmt::Write as _;

use kaizen_domain::{Attempt, Cycle, Severity, TrialReport, Word};
use serde_json::{Value, json};

use crate::story::lines::shown;
use crate::story::markdown::reasons;

/// One finding as SARIF has it.
struct Finding {
    rule: String,
    level: &'static str,
    text: String,
    path: Option<String>,
    line: Option<u32>,
}

/// The findings about the only patch of a cycle, as a SARIF 2.1.0 log.
#[must_use]
pub fn sarif(cycle: &Cycle) -> Value {
    let findings = cycle.attempts.first().map(findings).unwrap_or_default();
    let mut rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &rules)).collect();
    let rules: Vec<Value> =
        rules.iter().map(|rule| json!({"id": rule, "shortDescription": {"text": rule.replace('-', " ")}})).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "kaizen", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding, rules: &[&str]) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.iter().position(|rule| *rule == finding.rule),
        "level": finding.level,
        "message": {"text": shown(&finding.text)},
    });
    if let Some(path) = &finding.path {
        let mut place = json!({"artifactLocation": {"uri": uri(path), "uriBaseId": "%SRCROOT%"}});
        if let Some(line) = finding.line.filter(|line| *line > 0) {
            place["region"] = json!({"startLine": line});
        }
        result["locations"] = json!([{"physicalLocation": place}]);
    }
    result
}

/// What the review found, what no test would notice, and then what else decided.
fn findings(attempt: &Attempt) -> Vec<Finding> {
    let Some(round) = attempt.current() else { return Vec::new() };
    let mut found: Vec<Finding> = round
        .review
        .iter()
        .flat_map(|review| &review.findings)
        .map(|finding| Finding {
            rule: finding.rule.clone(),
            level: match finding.severity {
                Severity::Refusal => "error",
                Severity::Person => "warning",
                Severity::Note => "note",
            },
            text: finding.detail.clone(),
            path: finding.path.as_ref().map(ToString::to_string),
            line: finding.place().map(|(line, _)| line),
        })
        .collect();
    for (_, trial) in round.trial.iter().flat_map(TrialReport::with_and_without) {
        let noticed = trial.noticed.as_deref().filter(|noticed| !noticed.same_code);
        for (function, text) in noticed.iter().flat_map(|noticed| noticed.unnoticed(trial.behaviour.as_deref())) {
            let (path, line) = (Some(function.path.to_string()), Some(function.line));
            found.push(Finding { rule: "not-noticed".to_owned(), level: "warning", text, path, line });
        }
    }
    let level = if matches!(attempt.word(), Some(Word::Asked)) { "warning" } else { "error" };
    let known = |reason: &String, found: &[Finding]| found.iter().any(|finding| reason.contains(&finding.text));
    for reason in reasons(attempt) {
        if !known(reason, &found) {
            found.push(Finding { rule: "not-shown".to_owned(), level, text: reason.clone(), path: None, line: None });
        }
    }
    found
}

/// A path as a relative reference: what has a meaning in one is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_is_a_relative_reference() {
        assert_eq!(uri("src/lib.rs"), "src/lib.rs");
        assert_eq!(uri("a b/ä#?.rs"), "a%20b/%C3%A4%23%3F.rs");
    }
}
