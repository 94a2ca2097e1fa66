//! `kaizen verify`: checks the evidence on a commit against the key that signed it, the repository, and the journal where
//! it is here. It needs no network, and with the public key no installation.

use std::path::PathBuf;

use kaizen_agents::evidence::{key_file, statement};
use kaizen_domain::{Attempt, CommitId, Cycle, Decision};
use kaizen_evidence::{InstallationKey, PublicKey, Statement, digest, open};
use kaizen_journal::Filter;
use kaizen_repo::{NOTES, Repo};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::session::{Session, SessionOptions};
use crate::story::lines::shown;

/// What was found about one thing.
struct Finding {
    of: &'static str,
    holds: bool,
    text: String,
}

/// Checks a commit, or prints the public key of this installation.
///
/// # Errors
/// When there is no evidence, or it cannot be checked at all. Evidence that does not hold is a result.
pub fn run(options: SessionOptions, commit: Option<&str>, key: Option<&str>, json: bool) -> Result<Exit, Failure> {
    let session = Session::open(options)?;
    let key_file = key_file(&session.state_dir);
    let Some(commit) = commit else {
        let key = InstallationKey::of(&key_file)?.public();
        if json {
            output::json(&json!({"of": "key", "id": key.id(), "public": key.to_string()}));
        } else {
            say!("{key}");
        }
        return Ok(Exit::Done);
    };
    let repo = session.repo();
    let commit = repo.commit_of(commit)?.1;
    let key = match key {
        Some(key) => public_key(key)?,
        None => match InstallationKey::read(&key_file)? {
            Some(key) => key.public(),
            None => {
                let message = "this installation has signed nothing yet, so it has no key to check by";
                let help = "give the key of the one that did, as `kaizen verify --print-key` prints it there: `--key`";
                return Err(Failure::input(message, help));
            }
        },
    };
    let Some(note) = repo.note(&commit)? else {
        let message = format!("commit {} has no evidence with it", commit.short());
        let help =
            format!("evidence comes with what Kaizen landed; if it did elsewhere: `git fetch REMOTE {NOTES}:{NOTES}`");
        return Err(Failure::input(message, help));
    };
    let mut findings = Vec::new();
    match open(&note, &key) {
        Ok(statement) => {
            findings.push(Finding { of: "signed", holds: true, text: format!("by the key {}", key.id()) });
            findings.extend(checked(repo, &commit, &statement)?);
            findings.extend(in_journal(&session, &statement));
            report(&commit, Some(&statement), &findings, json);
        }
        Err(error) => {
            findings.push(Finding { of: "signed", holds: false, text: error.to_string() });
            report(&commit, None, &findings, json);
        }
    }
    Ok(if findings.iter().all(|finding| finding.holds) { Exit::Done } else { Exit::Rejected })
}

/// A public key as it was given: the digits, or a file with them.
fn public_key(text: &str) -> Result<PublicKey, Failure> {
    let file = PathBuf::from(text);
    let text = if file.is_file() {
        std::fs::read_to_string(&file).map_err(|error| {
            Failure::input(format!("{} cannot be read: {error}", file.display()), "give another file")
        })?
    } else {
        text.to_owned()
    };
    Ok(text.parse::<PublicKey>()?)
}

/// The statement against the repository.
fn checked(repo: &Repo, commit: &CommitId, statement: &Statement) -> Result<Vec<Finding>, Failure> {
    let evidence = &statement.predicate;
    let Some(about) = statement.about() else {
        return Ok(vec![Finding { of: "subject", holds: false, text: "it is about no commit of Kaizen's".to_owned() }]);
    };
    let tree = repo.tree_of(commit)?;
    let same = about.git_commit == *commit && about.git_tree == tree;
    let text = if same {
        format!("{}, tree {}", commit.short(), about.git_tree)
    } else {
        format!("it is about {}, tree {}, not about this commit", about.git_commit, about.git_tree)
    };
    let mut findings = vec![Finding { of: "commit", holds: same, text }];
    match repo.changes(&evidence.base, commit) {
        Ok(changes) => {
            let found = digest(&kaizen_patch::render(&changes));
            let holds = found == evidence.diff_sha256;
            let text = if holds {
                format!("what was tried on {} is what this commit does", evidence.base.short())
            } else {
                format!("this commit does something else to {} than what was tried", evidence.base.short())
            };
            findings.push(Finding { of: "change", holds, text });
        }
        Err(error) => findings.push(Finding { of: "change", holds: false, text: error.to_string() }),
    }
    let holds = matches!(evidence.decision, Decision::Land | Decision::Ask { .. });
    findings.push(Finding { of: "decided", holds, text: decided(statement) });
    Ok(findings)
}

fn decided(statement: &Statement) -> String {
    let evidence = &statement.predicate;
    let approved = if evidence.approved { ", a person agreed" } else { "" };
    let what = match &evidence.decision {
        Decision::Land => format!("to land{approved}"),
        Decision::Ask { reasons } => format!("to ask a person: {}", reasons.join("; ")),
        Decision::Reject { .. } | Decision::Inconclusive { .. } => "not to land".to_owned(),
    };
    let tests = &evidence.after.tests;
    let passed = tests.values().filter(|outcome| **outcome == kaizen_domain::TestOutcome::Passed).count();
    let more = evidence.after.with_features.as_deref().and_then(|more| more.noticed.as_ref());
    let noticed = match evidence.noticed.as_ref().or(more) {
        Some(noticed) => noticed.shown(),
        None => "whether tests would notice it was not looked at".to_owned(),
    };
    format!("{what}: {passed} of {} tests pass; {noticed}", tests.len())
}

/// The statement against the journal, where the cycle is in it.
fn in_journal(session: &Session, statement: &Statement) -> Option<Finding> {
    let evidence = &statement.predicate;
    let said = || -> Result<Option<bool>, Failure> {
        let Some(journal) = super::journal(Some(session.state_dir.clone()))? else { return Ok(None) };
        journal.verify()?;
        let records = journal.records(&Filter::cycle(evidence.cycle))?;
        if records.is_empty() {
            return Ok(None);
        }
        let cycle = kaizen_agents::cycle::fold(evidence.cycle, &records).map_err(kaizen_agents::AgentError::from)?;
        Ok(Some(says(&cycle, statement)))
    };
    let cycle = evidence.cycle.short();
    let (holds, text) = match said() {
        Ok(None) => return None,
        Ok(Some(true)) => (true, format!("cycle {cycle} says the same")),
        Ok(Some(false)) => (false, format!("cycle {cycle} says something else about this patch")),
        Err(failure) => (false, failure.message),
    };
    Some(Finding { of: "journal", holds, text })
}

/// Whether the cycle, as the journal has it, gives this very statement. The report of the base is that of the tip as it was
/// then, so the statement's own is taken where another patch has landed since.
fn says(cycle: &Cycle, theirs: &Statement) -> bool {
    let evidence = &theirs.predicate;
    let about = |attempt: &&Attempt| attempt.current().is_some_and(|round| round.patch.id == evidence.patch);
    let asked = match &evidence.decision {
        Decision::Ask { reasons } => reasons.clone(),
        _ => Vec::new(),
    };
    let ours = cycle.attempts.iter().find(about).and_then(|attempt| statement(cycle, attempt, &asked));
    ours.is_some_and(|mut ours| {
        ours.predicate.before = evidence.before.clone();
        ours.predicate.kaizen.clone_from(&evidence.kaizen);
        ours == *theirs
    })
}

fn report(commit: &CommitId, statement: Option<&Statement>, findings: &[Finding], json: bool) {
    let holds = findings.iter().all(|finding| finding.holds);
    if json {
        let found: Vec<_> = findings
            .iter()
            .map(|finding| json!({"of": finding.of, "holds": finding.holds, "text": finding.text}))
            .collect();
        output::json(&json!({
            "of": "evidence", "commit": commit, "holds": holds, "findings": found, "statement": statement,
        }));
        return;
    }
    let (word, title) =
        (if holds { "verified" } else { "DOES NOT HOLD" }, statement.and_then(|statement| statement.subject.first()));
    say!("{word}  {}  {}", commit.short(), title.map(|subject| shown(&subject.name)).unwrap_or_default());
    for finding in findings {
        let mark = if finding.holds { "" } else { "NOT SO: " };
        say!("  {:<8}  {mark}{}", finding.of, shown(&finding.text));
    }
}
