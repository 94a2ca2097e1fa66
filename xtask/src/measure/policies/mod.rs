//! Policies: small repositories with rules of their own about contributions, in different words and places. Where they
//! forbid or ask for agreement or a person, no pull request may be opened; where they allow, every condition is seen.

mod fixtures;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use kaizen_contributing::{BodyParts, Rules, Template, candidate, default_body};

use super::{Options, Outcome, Table};
use fixtures::{Fixture, REPOSITORIES};

/// What became of a repository.
struct Opened {
    /// A pull request would be open.
    opened: bool,
    verdict: String,
    reason: String,
    conditions: BTreeSet<String>,
    /// Its description; empty when none is open.
    body: String,
}

/// What the program does with a repository: it reads the rules, and opens a pull request or says why not.
fn opened(fixture: &Fixture) -> Opened {
    let files: BTreeMap<String, String> = fixture
        .files
        .iter()
        .filter(|(path, _)| candidate(path))
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let rules = Rules::read(&files);
    let parts = BodyParts {
        wrong: "`total` clones each entry".to_owned(),
        changed: "It borrows them.".to_owned(),
        operation: "measured".to_owned(),
        ..BodyParts::default()
    };
    let body = Template::find(&files).map_or_else(|| default_body(&parts), |template| template.fill(&parts));
    let said = body.starts_with(&parts.marker()) && body.contains(&parts.disclosure());
    Opened {
        opened: rules.verdict.is_open(),
        verdict: rules.verdict.to_string(),
        reason: rules.verdict.reason().unwrap_or_default(),
        conditions: rules.conditions.iter().map(ToString::to_string).collect(),
        body: if rules.verdict.is_open() && said { body } else { String::new() },
    }
}

/// Reads all of them, and compares with what a person would read.
pub fn measure(_options: &Options) -> Result<Outcome> {
    let mut outcome =
        Outcome { table: Table::new(&["repository", "expected", "verdict", "conditions", "by"]), ..Outcome::default() };
    let (mut wrongly, mut closed, mut seen, mut asked) = (0, 0, 0, 0);
    for fixture in REPOSITORIES {
        let found = opened(fixture);
        let expected: BTreeSet<String> = fixture.conditions.iter().map(|&text| text.to_owned()).collect();
        let shown: Vec<&str> = found.conditions.iter().map(String::as_str).collect();
        let by: String =
            found.reason.split(": \"").next().unwrap_or_default().rsplit(' ').next().unwrap_or_default().into();
        outcome.table.row([fixture.name, fixture.verdict, &found.verdict, &shown.join(", "), &by]);
        let open = fixture.verdict == "open";
        wrongly += usize::from(found.opened && !open);
        closed += usize::from(!open);
        asked += expected.len();
        seen += expected.intersection(&found.conditions).count();
        outcome.require(
            found.verdict == fixture.verdict,
            format!("{}: {}, expected {}; {}", fixture.name, found.verdict, fixture.verdict, found.reason),
        );
        if open {
            outcome
                .require(found.conditions == expected, format!("{}: other conditions than {expected:?}", fixture.name));
            outcome
                .require(!found.body.is_empty(), format!("{}: its description lacks disclosure or mark", fixture.name));
        } else {
            outcome.require(
                fixture.files.iter().any(|(path, _)| found.reason.contains(&format!("{path}:"))),
                format!("{}: the reason names no file", fixture.name),
            );
        }
    }
    outcome.notes.push("the rules are read by the library; no pull request is sent anywhere".to_owned());
    outcome.summary = format!(
        "{} repositories: {wrongly} of {closed} opened where it is not allowed, {seen} of {asked} conditions seen",
        REPOSITORIES.len()
    );
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_repositories_are_read() {
        assert_eq!(measure(&Options::default()).unwrap().missed, Vec::<String>::new());
    }
}
