//! Policies: small repositories with rules of their own about contributions, in different words and places. The program
//! runs a cycle on each of them, and a forge says what came of it: nothing where they forbid or ask for agreement or a
//! person, pull requests that keep every condition where they allow it.

mod fixtures;
mod kept;
mod stand;

use std::collections::BTreeSet;

use anyhow::Result;
use kaizen_contributing::{Condition, Rules, Template};

use super::program::Program;
use super::scratch::Scratch;
use super::{Options, Outcome, Table};
use fixtures::{Fixture, QUICK, REPOSITORIES};

/// The exit code of a refusal.
const REFUSED: i32 = 10;

/// Runs the program on all of them.
///
/// # Errors
/// When the program does not build, or a repository or its forge cannot be made.
pub fn measure(options: &Options) -> Result<Outcome> {
    let header = ["repository", "forge", "expected", "verdict", "conditions", "opened", "pushed", "by"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let scratch = Scratch::new("policies")?;
    let program = Program::release(&scratch)?;
    let mut tally = Tally::default();
    let chosen = |fixture: &&Fixture| !options.quick || QUICK.contains(&fixture.name);
    for (index, fixture) in REPOSITORIES.iter().filter(chosen).enumerate() {
        eprintln!("{}", fixture.name);
        let rules = Rules::read(&stand::texts(fixture));
        let run = stand::run(fixture, index, &program, &scratch)?;
        let by = by(&rules, fixture);
        let conditions: Vec<String> = rules.conditions.iter().map(ToString::to_string).collect();
        outcome.table.row([
            fixture.name.to_owned(),
            stand::dialect(index).1.to_owned(),
            fixture.unkept.map_or(fixture.verdict.to_owned(), |what| format!("withheld: {what}")),
            rules.verdict.to_string(),
            conditions.join(", "),
            run.pulls.len().to_string(),
            run.pushed.len().to_string(),
            by.clone().unwrap_or_default(),
        ]);
        for missed in read_wrongly(fixture, &rules) {
            outcome.missed.push(missed);
        }
        let missed = match fixture.opens() {
            true => kept_badly(fixture, &rules, &run, &mut tally),
            false => opened_wrongly(fixture, by, &run, &mut tally),
        };
        outcome.missed.extend(missed);
    }
    outcome.notes.push(
        "each a crate with two findings, git over HTTP, and a scripted forge of ours in one of three dialects; conditions are \
         judged by what the forge holds; by: the sentence that is printed as the reason"
            .to_owned(),
    );
    outcome.summary = format!(
        "{} repositories: {} pull requests and {} branches where none may be ({}), {} opened in {} others, {} of {} \
         conditions kept",
        tally.closed + tally.open,
        tally.wrongly,
        tally.pushed,
        tally.closed,
        tally.opened,
        tally.open,
        tally.kept,
        tally.asked
    );
    Ok(outcome)
}

#[derive(Default)]
struct Tally {
    closed: usize,
    wrongly: usize,
    pushed: usize,
    open: usize,
    opened: usize,
    asked: usize,
    kept: usize,
}

/// Where the sentence stands for which nothing is opened, `path:line`, when that line has its words.
fn by(rules: &Rules, fixture: &Fixture) -> Option<String> {
    use kaizen_contributing::Verdict as V;
    let quote = match &rules.verdict {
        V::Forbidden { quote } | V::NeedsAgreement { quote } | V::NeedsPerson { quote, .. } => quote,
        V::Open => {
            let unkept = |asked: &Condition| fixture.unkept.is_some_and(|what| asked.to_string() == what);
            rules.grounds.iter().find(|(asked, _)| unkept(asked)).map(|(_, quote)| quote)?
        }
    };
    let text = fixture.files.iter().find(|(path, _)| *path == quote.path)?.1;
    let line = text.lines().nth(quote.line.checked_sub(1)?)?;
    let first = quote.text.split_whitespace().next()?;
    line.contains(first).then(|| format!("{}:{}", quote.path, quote.line))
}

/// In what the rules were read otherwise than a person reads them.
fn read_wrongly(fixture: &Fixture, rules: &Rules) -> Vec<String> {
    let mut missed = Vec::new();
    if rules.verdict.to_string() != fixture.verdict {
        missed.push(format!("{}: {}, expected {}", fixture.name, rules.verdict, fixture.verdict));
    }
    let expected: BTreeSet<String> = fixture.conditions.iter().map(|&text| text.to_owned()).collect();
    let found: BTreeSet<String> = rules.conditions.iter().map(ToString::to_string).collect();
    if fixture.verdict == "open" && found != expected {
        missed.push(format!("{}: {found:?} instead of {expected:?}", fixture.name));
    }
    missed
}

/// What came of a repository where nothing may be opened, and should not have.
fn opened_wrongly(fixture: &Fixture, by: Option<String>, run: &stand::Run, tally: &mut Tally) -> Vec<String> {
    tally.closed += 1;
    tally.wrongly += run.pulls.len();
    tally.pushed += run.pushed.len();
    // A condition that is not kept is seen when there is a patch; everything else before any work.
    let code = if fixture.unkept.is_some() { 0 } else { REFUSED };
    let reason = by.is_some_and(|by| run.said.contains(&format!("{by}: \"")));
    let problems = [
        (!run.pulls.is_empty(), format!("{} pull requests are open", run.pulls.len())),
        (!run.pushed.is_empty(), format!("{} were pushed", run.pushed.join(", "))),
        (run.changes > 0, format!("{} requests would change something", run.changes)),
        (run.code != Some(code), format!("exit code {:?}, not {code}", run.code)),
        (!reason, "the reason does not name file and line".to_owned()),
    ];
    let missed: Vec<String> = problems.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what).collect();
    if missed.is_empty() { missed } else { vec![format!("{}: {}\n{}", fixture.name, missed.join("; "), run.last)] }
}

/// What came of a repository where it is allowed, and is not as its rules ask.
fn kept_badly(fixture: &Fixture, rules: &Rules, run: &stand::Run, tally: &mut Tally) -> Vec<String> {
    tally.open += 1;
    tally.opened += run.pulls.len();
    let form = Template::find(&stand::texts(fixture)).map(|form| form.text);
    let mut missed = Vec::new();
    if run.pulls.is_empty() || run.code != Some(0) {
        missed.push(format!("{}: nothing was opened, exit code {:?}\n{}", fixture.name, run.code, run.last));
    }
    missed.extend(run.pulls.iter().filter_map(kept::lacking).map(|what| format!("{}: {what}", fixture.name)));
    let on_main = |pull: &&stand::Pull| pull.base != "main";
    let elsewhere = !rules.conditions.iter().any(|asked| matches!(asked, Condition::TargetBranch(_)));
    if elsewhere && let Some(pull) = run.pulls.iter().find(on_main) {
        missed.push(format!("{}: it goes to {}", fixture.name, pull.base));
    }
    // Nothing but the branches of the pull requests was pushed.
    let own: BTreeSet<&str> = run.pulls.iter().map(|pull| pull.branch.as_str()).collect();
    let pushed: BTreeSet<&str> = run.pushed.iter().map(String::as_str).collect();
    if own != pushed {
        missed.push(format!("{}: pushed {}", fixture.name, run.pushed.join(", ")));
    }
    for condition in &rules.conditions {
        tally.asked += 1;
        let broken = run.pulls.iter().find(|pull| !kept::kept(condition, pull, form.as_deref()));
        match broken {
            None => tally.kept += usize::from(!run.pulls.is_empty()),
            Some(pull) => {
                missed.push(format!("{}: {condition} is not kept: {}\n{}", fixture.name, pull.title, pull.body))
            }
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_repositories_are_read() {
        for fixture in REPOSITORIES {
            let rules = Rules::read(&stand::texts(fixture));
            assert_eq!(read_wrongly(fixture, &rules), Vec::<String>::new());
            assert_eq!(by(&rules, fixture).is_some(), !fixture.opens(), "{}: {rules:?}", fixture.name);
        }
        assert!(QUICK.iter().all(|name| REPOSITORIES.iter().any(|fixture| fixture.name == *name)));
    }
}
