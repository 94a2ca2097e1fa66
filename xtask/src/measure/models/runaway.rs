//! Runaway: cycles against a model that always asks for more. It talks instead of answering, writes to its limit, repeats
//! itself, claims to have used what nobody can have used, fails after it was paid. What is spent, by the journal and by the
//! server's own bill, stays below every limit, and nothing is tried again and again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use kaizen_domain::{TenantId, Usd};
use kaizen_journal::{Booking, Journal, Scope};
use kaizen_testkit::{Fixture, Reply, ScriptedModel, patch, plan};
use serde_json::json;

use super::super::table::Table;
use super::super::{Options, Outcome};
use super::{LIB, WRONG, asks_for, broken, program, settings};

const CYCLES: [usize; 2] = [1_000, 40];
/// What a cycle, a task and a day may cost.
const CYCLE: &str = "0.60";
const TASK: &str = "0.50";
/// Rounds that are the same, at most.
const SAME: usize = 4;

/// How the model asks for more.
const WAYS: [&str; 8] = [
    "wants to see more",
    "writes to its limit",
    "the same wrong patch",
    "another wrong patch each time",
    "claims a billion tokens",
    "claims less than nothing",
    "fails after the work",
    "says nothing of its use",
];

/// Runs them.
///
/// # Errors
/// When the program does not build or the journal cannot be read.
pub fn measure(options: &Options) -> Result<Outcome> {
    let program = program()?;
    let cycles = CYCLES[usize::from(options.quick)];
    let header = ["the model", "cycles", "requests", "most a cycle", "dearest cycle", "same rounds", "over a limit"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut worst_same, mut over_all, mut dearest_all) = (0, 0, Usd(0));
    for (way, name) in WAYS.iter().enumerate() {
        let count = cycles / WAYS.len() + usize::from(way < cycles % WAYS.len());
        // What the server would bill, in millionths of a dollar, as far as it can be true.
        let billed = Arc::new(Mutex::new(0_u64));
        let (bill, number) = (Arc::clone(&billed), Mutex::new(0_u64));
        let server = ScriptedModel::start_with(move |request| {
            let mut number = number.lock().unwrap_or_else(PoisonError::into_inner);
            *number += 1;
            let input = request.message("system").len() as u64 / 4 + request.message("user").len() as u64 / 4;
            let output = if asks_for(request) == "plan" { 60 } else { 8_000 };
            *bill.lock().unwrap_or_else(PoisonError::into_inner) += input * 3 + output * 15;
            reply(way, *number, asks_for(request), (input, output))
        });
        let fixture = Fixture::tiny(&broken("Sums."));
        let day = "9000";
        fixture.settings(&settings(&server).text("model", "task_usd", TASK).text("model", "day_usd", day).text(
            "model",
            "tenant_usd",
            "",
        ));
        let (mut most, mut dearest, mut same, mut over) = (0, Usd(0), 0, 0);
        let limit: Usd = CYCLE.parse().map_err(|_| anyhow::anyhow!("an amount"))?;
        for number in 0..count {
            // Another question each time: the same one would be answered from the journal.
            fixture.write(LIB, &broken(&format!("Sums, number {number}.")));
            fixture.commit("Go on");
            let before = (server.requests().len(), *billed.lock().unwrap_or_else(PoisonError::into_inner));
            let ran = program.run_cycle(&fixture, &["--only", "repair", "--budget", CYCLE]);
            let cycle = ran.cycle();
            let asked = server.requests().split_off(before.0);
            most = most.max(asked.len());
            let mut bodies: BTreeMap<String, usize> = BTreeMap::new();
            for request in &asked {
                *bodies.entry(request.body.to_string()).or_default() += 1;
            }
            let mut rounds: BTreeMap<&str, usize> = BTreeMap::new();
            for round in cycle.attempts.iter().flat_map(|attempt| &attempt.rounds) {
                *rounds.entry(round.patch.diff.as_str()).or_default() += 1;
            }
            same = same.max(bodies.into_values().max().unwrap_or(0)).max(rounds.into_values().max().unwrap_or(0));
            let spent = booked(&fixture, cycle.id)?;
            let by_server = Usd(*billed.lock().unwrap_or_else(PoisonError::into_inner) - before.1);
            dearest = dearest.max(spent);
            over += usize::from(spent > limit || by_server > limit || cycle.spend().usd > limit);
        }
        let cells = [name.to_string(), count.to_string(), server.requests().len().to_string(), most.to_string()];
        outcome.table.row(cells.into_iter().chain([dearest.to_string(), same.to_string(), over.to_string()]));
        worst_same = worst_same.max(same);
        over_all += over;
        dearest_all = dearest_all.max(dearest);
    }
    outcome.notes.push(format!(
        "a cycle may cost ${CYCLE} and a task ${TASK}; compared with what is booked in the journal, with what the events of the \
         cycle say, and with what the server would bill for the tokens that it really read and wrote"
    ));
    outcome.require(over_all == 0, format!("{over_all} cycles passed a limit"));
    outcome.require(worst_same <= SAME, format!("{worst_same} rounds were the same"));
    outcome.summary = format!(
        "{cycles} cycles: {over_all} over a limit (bar 0), the dearest {dearest_all} of ${CYCLE}; at most {worst_same} rounds the \
         same (bar {SAME})"
    );
    Ok(outcome)
}

fn booked(fixture: &Fixture, cycle: kaizen_domain::CycleId) -> Result<Usd> {
    let journal = Journal::open_read_only(&fixture.state())?.context("there is a journal")?;
    let booking = Booking { tenant: TenantId::local(), cycle, task: String::new(), day: String::new(), most: Usd(0) };
    Ok(journal.spent(Scope::Cycle, &booking)?)
}

fn reply(way: usize, number: u64, asked: &str, (input, output): (u64, u64)) -> Reply {
    let usage = |input: serde_json::Value, output: serde_json::Value| {
        Some(json!({ "prompt_tokens": input, "completion_tokens": output }))
    };
    let honest = usage(json!(input), json!(output));
    if asked == "plan" {
        return Reply::completion(plan(&[LIB], "divide by the length of the list"), honest);
    }
    let wrong = |line: String| {
        patch("Divide by something else").replace(LIB, WRONG, &format!("    let count = {line};\n")).json()
    };
    match way {
        0 => Reply::completion("I need more: send me every file of the repository, then ask again.", honest),
        1 => Reply::Completion { content: "{\"title\": \"".to_owned(), usage: honest, finish: "length".to_owned() },
        2 => Reply::completion(wrong("7".to_owned()), honest),
        3 => Reply::completion(wrong(format!("{number} + 7")), honest),
        4 => Reply::completion(wrong(format!("{number} + 7")), usage(json!(1_000_000_000), json!(1_000_000_000))),
        5 => Reply::completion(wrong(format!("{number} + 7")), usage(json!(-5), json!(-1))),
        6 if number.is_multiple_of(2) => {
            Reply::CloseAfter { bytes: 200, of: Box::new(Reply::completion("x".repeat(4_000), honest)) }
        }
        6 => Reply::error(502, "the model has thought for nothing"),
        _ => Reply::completion(wrong(format!("{number} + 7")), None),
    }
}
