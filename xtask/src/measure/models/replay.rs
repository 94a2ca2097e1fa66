//! Replay: cycles with a model, recorded and run again. No request reaches the server, and every patch has the tree that it
//! had.

use std::sync::Mutex;

use anyhow::Result;
use kaizen_testkit::{Fixture, Reply, ScriptedModel, patch, plan};

use super::super::table::Table;
use super::super::{Options, Outcome};
use super::{LIB, RIGHT, WRONG, asks_for, broken, program, settings};

/// Repairs it.
///
/// # Errors
/// When the program does not build.
pub fn measure(options: &Options) -> Result<Outcome> {
    let program = program()?;
    let header = ["cycle", "rounds", "requests", "requests of the replay", "patches", "same"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let good = patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json();
    let wrong = |line: &str| {
        patch("Divide by something else").replace(LIB, WRONG, &format!("    let count = {line};\n")).json()
    };
    let scripts: [(&str, Vec<String>); 4] = [
        ("repaired at once", vec![good.clone()]),
        ("repaired after an error of the compiler", vec![wrong("\"three\""), good.clone()]),
        ("repaired after prose and a failing test", vec!["I would divide by the length.".to_owned(), wrong("7"), good]),
        ("given up after three patches", vec![wrong("7"), wrong("8"), wrong("9")]),
    ];
    let (mut sent, mut other, mut all) = (0, 0, 0);
    for (name, answers) in scripts.into_iter().take(if options.quick { 2 } else { 4 }) {
        let answers = Mutex::new(answers.into_iter());
        let server = ScriptedModel::start_with(move |request| match asks_for(request) {
            "plan" => Reply::streamed(plan(&[LIB], "divide by the length of the list")),
            _ => {
                let next = answers.lock().ok().and_then(|mut answers| answers.next());
                next.map_or_else(|| Reply::error(404, "the script has no patch left"), Reply::streamed)
            }
        });
        let fixture = Fixture::tiny(&broken("Sums over lists."));
        fixture.settings(&settings(&server));
        let ran = program.run_cycle(&fixture, &["--only", "repair,cleanup", "--budget", "2.00"]);
        let (cycle, before) = (ran.cycle(), server.requests().len());
        let again = program.run(&fixture, &["replay", &cycle.id.to_string(), "--json"]);
        let verdicts: Vec<serde_json::Value> =
            again.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let same = verdicts.iter().filter(|verdict| verdict["same"] == true).count();
        let asked = server.requests().len() - before;
        let rounds: usize = cycle.attempts.iter().map(|attempt| attempt.rounds.len()).sum();
        outcome.table.row([
            name.to_owned(),
            rounds.to_string(),
            before.to_string(),
            asked.to_string(),
            verdicts.len().to_string(),
            same.to_string(),
        ]);
        outcome.require(
            again.code == Some(0),
            format!("{name}: the replay ended with {:?}: {}", again.code, again.stderr),
        );
        outcome
            .require(verdicts.len() == rounds && rounds > 0, format!("{name}: {} of {rounds} patches", verdicts.len()));
        sent += asked;
        other += verdicts.len() - same;
        all += rounds;
    }
    outcome.require(sent == 0, format!("{sent} requests were sent"));
    outcome.require(other == 0, format!("{other} patches have another tree"));
    outcome.summary =
        format!("{sent} requests sent (bar 0), {} of {all} patches with the same tree (bar all)", all - other);
    Ok(outcome)
}
