//! Killed in the middle: what a model has answered is not asked, and not paid for, a second time, and what may have
//! been billed is never forgotten.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use kaizen_domain::{Cycle, CycleStage, Event, OpportunityKind, Spend, Tokens, Usd, Word};
use kaizen_journal::{Filter, Journal};
use kaizen_llm::{Prompt, Provider, Schema, request_key};
use kaizen_testkit::scripted_model::ReceivedRequest;
use kaizen_testkit::{Fixture, Ran, Reply, ScriptedModel, patch, plan};

use super::support::{
    BROKEN, LIB, RIGHT, WRONG, asks_for, fixture, kaizen, patch_requests, run_cycle, settings, the_key_stayed,
};

const ARGS: [&str; 4] = ["--only", "repair", "--max-landings", "1"];

/// A server that tells when it is asked for a patch, right before it gives this reply.
fn telling(reply: Reply) -> (ScriptedModel, Receiver<()>) {
    let (tell, told) = channel();
    let server = ScriptedModel::start_with(move |request| match asks_for(request) {
        "plan" => Reply::text(plan(&[LIB], "divide by the length of the list")),
        _ => {
            let _ = tell.send(());
            reply.clone()
        }
    });
    (server, told)
}

fn repaired() -> Reply {
    Reply::text(patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json())
}

/// Waits for the answer to a request to be in the journal of a program that runs. Nothing tells another process of
/// that, so it is looked for.
fn wait_for_the_answer(fixture: &Fixture, server: &ScriptedModel, request: &ReceivedRequest) {
    let form = &request.body["response_format"]["json_schema"];
    let schema = Schema { name: form["name"].as_str().unwrap_or_default().to_owned(), json: form["schema"].clone() };
    let provider = Provider {
        base_url: server.base_url(),
        model: "scripted".to_owned(),
        max_output_tokens: 8_000,
        ..Provider::default()
    };
    let (system, user) = (request.message("system").to_owned(), request.message("user").to_owned());
    let key = request_key(&provider, &Prompt { system, user, schema: Some(schema), sample: 0 });
    let kept = || Journal::open_read_only(&fixture.state()).ok().flatten()?.answer(&key).ok().flatten();
    let found = (0..12_000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        kept().is_some()
    });
    assert!(found, "the answer never came into the journal");
}

/// What one scripted answer is booked at.
const ONCE: Spend = Spend { input: Tokens(100), cached: Tokens(0), output: Tokens(50), usd: Usd(3 * 100 + 15 * 50) };

fn landed_and_paid_once(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!((repair.word, repair.attempt.rounds.len()), (Word::Landed, 1), "{ran:?}");
    assert_eq!(repair.attempt.rounds[0].patch.spend, ONCE);
}

#[test]
fn a_program_that_is_killed_after_an_answer_goes_on_without_asking_again() {
    let (server, asked) = telling(repaired());
    let fixture = fixture(BROKEN, &server);
    let running = kaizen().start_cycle(&fixture, &ARGS);
    asked.recv().expect("the model is asked for a patch");
    let request = patch_requests(&server).pop().expect("it was received");
    wait_for_the_answer(&fixture, &server, &request);
    running.kill();

    let ran = run_cycle(&fixture, &server, &ARGS);
    landed_and_paid_once(&ran);
    assert_eq!(server.requests().len(), 2, "one question for the plan, one for the patch");
    assert!(fixture.landed_branch().is_some());
}

#[test]
fn a_program_that_dies_after_every_single_record_asks_each_question_once_and_lands_once() {
    let (server, _asked) = telling(repaired());
    let fixture = fixture(BROKEN, &server);
    let crashing = kaizen().env("KAIZEN_CRASH_AFTER", "1");
    let mut deaths = 0;
    let cycle = loop {
        let ran = crashing.run_cycle(&fixture, &ARGS);
        the_key_stayed(&fixture, &server, &format!("{}{}", ran.stdout, ran.stderr));
        assert_eq!(ran.code, None, "it dies each time: {ran:?}");
        deaths += 1;
        let cycle = journalled(&fixture);
        if cycle.stage == CycleStage::Finished {
            break cycle;
        }
        assert!(deaths < 40, "it gets nowhere: {cycle:?}");
    };
    assert!(deaths > 10, "a cycle with a landing has more than {deaths} records");
    let [attempt] = cycle.attempts.as_slice() else { panic!("one attempt: {cycle:?}") };
    assert_eq!((attempt.word(), attempt.rounds.len()), (Some(Word::Landed), 1));
    assert_eq!(attempt.rounds[0].patch.spend, ONCE);
    assert_eq!(server.requests().len(), 2, "one question for the plan, one for the patch");
    let ours: Vec<String> =
        fixture.refs().into_iter().map(|(name, _)| name).filter(|name| name.contains("kaizen")).collect();
    assert_eq!(ours.len(), 2, "a branch of the patch's own and the one that collects: {ours:?}");
}

/// The one cycle in the journal.
fn journalled(fixture: &Fixture) -> Cycle {
    let journal = Journal::open_read_only(&fixture.state()).expect("it opens").expect("there is one");
    let records = journal.records(&Filter::default()).expect("it can be read");
    let first = records.iter().find_map(|record| match &record.event {
        Event::Cycle { cycle, .. } => Some(*cycle),
        _ => None,
    });
    kaizen_agents::cycle::fold(first.expect("a cycle was begun"), &records).expect("its records follow each other")
}

#[test]
fn a_call_that_was_cut_off_counts_as_spent_in_full() {
    let (server, asked) = telling(Reply::HangBeforeHeaders);
    let fixture = fixture(BROKEN, &server);
    // Enough for two questions of which one is cheap, not for three.
    let args = ["--only", "repair", "--budget", "0.20"];
    let running = kaizen().start_cycle(&fixture, &args);
    asked.recv().expect("the model is asked for a patch");
    running.kill();

    let ran = run_cycle(&fixture, &server, &args);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Inconclusive, "{repair:?}");
    assert!(repair.why.contains("the budget is used up"), "{}", repair.why);
    assert_eq!(server.requests().len(), 2, "the question that may have been billed is not asked again");
}

#[test]
fn tries_that_failed_before_the_cut_count_as_well() {
    let (server, asked) = telling(Reply::HangBeforeHeaders);
    let fixture = fixture(BROKEN, &server);
    fixture.settings(&settings(&server).set("model", "first_byte_secs", 1));
    // Enough for three questions at the most they can cost: two that hang, and one more after the restart.
    let args = ["--only", "repair", "--budget", "0.55"];
    let running = kaizen().start_cycle(&fixture, &args);
    for _ in 0..2 {
        asked.recv().expect("the model is asked for a patch");
    }
    running.kill();
    let before = patch_requests(&server).len();

    let ran = run_cycle(&fixture, &server, &args);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!((before, patch_requests(&server).len()), (2, 3), "{}", ran.only(OpportunityKind::Repair).why);
}

#[test]
fn a_program_that_is_asked_to_end_while_a_model_thinks_does_not_wait_for_it() {
    let (server, asked) = telling(Reply::HangBeforeHeaders);
    let fixture = fixture(BROKEN, &server);
    // The model may think for longer than anybody waits for this test.
    fixture.settings(&settings(&server).set("model", "first_byte_secs", 3_600).set("model", "total_secs", 3_600));
    let running = kaizen().start_cycle(&fixture, &ARGS);
    asked.recv().expect("the model is asked for a patch");
    let stopped = running.terminate();
    assert_eq!(stopped.code, Some(14), "{stopped:?}");
    assert!(stopped.stdout.contains("goes on where this stood"), "{stopped:?}");
    assert!(kaizen().run(&fixture, &["log", "--verify"]).code == Some(0), "the journal is whole");
}
