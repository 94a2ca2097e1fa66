//! Money is set aside before it is spent: a call that could overrun the budget is not made.

use kaizen_domain::{OpportunityKind, Word};
use kaizen_testkit::{Reply, ScriptedModel, plan};
use serde_json::json;

use super::support::{BROKEN, LIB, asks_for, fixture, run_cycle};

#[test]
fn no_call_is_made_that_could_cost_more_than_the_budget() {
    let server = ScriptedModel::start([]);
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair", "--budget", "0.0001"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Declined);
    assert!(repair.why.contains("the budget is used up") && repair.why.contains("$0.0001"), "{}", repair.why);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_the_first_answer_cost_is_missing_for_the_second_question() {
    // The plan is billed at 8,000 tokens, 12 cents, so that another question of as much does not fit into 20.
    let server = ScriptedModel::start_with(|request| match asks_for(request) {
        "plan" => {
            let usage = json!({ "prompt_tokens": 100, "completion_tokens": 8_000 });
            Reply::completion(plan(&[LIB], "divide by the length of the list"), Some(usage))
        }
        _ => Reply::error(500, "nobody should have asked"),
    });
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair", "--budget", "0.20"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Inconclusive, "{ran:?}");
    assert!(repair.why.contains("the budget is used up"), "{}", repair.why);
    assert!(repair.why.contains(" is left; raise the budget"), "{}", repair.why);
    assert_eq!(server.requests().len(), 1, "the plan alone was paid for");
}
