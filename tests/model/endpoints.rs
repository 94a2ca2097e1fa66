//! Endpoints that do not answer as a model should: the opportunity ends with a clear reason, and the cycle goes on with
//! what the fixers can do.

use kaizen_domain::{OpportunityKind, Word};
use kaizen_testkit::{Fixture, Reply, ScriptedModel, patch, plan};

use super::support::{BROKEN, KEY, LIB, RIGHT, WRONG, asks_for, run_cycle, settings};

/// One endpoint after the other, a cycle each, on one repository. The finding in the same crate lands every time.
struct Endpoints(Fixture);

impl Endpoints {
    fn new() -> Self {
        Self(Fixture::tiny(BROKEN))
    }

    fn meet(&self, server: &ScriptedModel, word: Word, why: &str) {
        // What landed waits on a branch and is not done twice on the same base: so the base moves on.
        self.0.write("README.md", why);
        self.0.commit("Write about the next endpoint");
        self.0.settings(&settings(server).set("model", "first_byte_secs", 1).set("model", "idle_secs", 1));
        let ran = run_cycle(&self.0, server, &["--only", "repair,cleanup", "--max-landings", "1"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let repair = ran.only(OpportunityKind::Repair);
        assert_eq!(repair.word, word, "{}", repair.why);
        assert!(repair.why.contains(why), "the reason does not say `{why}`: {}", repair.why);
        assert_eq!(ran.only(OpportunityKind::Cleanup).word, Word::Landed, "{ran:?}");
    }
}

#[test]
fn an_endpoint_that_gives_no_plan_costs_its_own_opportunity_only() {
    let endpoints = Endpoints::new();
    let gone = ScriptedModel::start([]);
    gone.stop();
    endpoints.meet(&gone, Word::Declined, "cannot be reached");
    let always = |reply: Reply| ScriptedModel::start_with(move |_| reply.clone());
    let answer = || Reply::text(plan(&[LIB], "divide by the length of the list"));
    let in_words = |code, message: &str| always(Reply::error(code, message));
    endpoints.meet(&always(Reply::HangBeforeHeaders), Word::Declined, "no answer within 1");
    endpoints.meet(&always(Reply::HalfJson), Word::Declined, "what came is not the answer of a model");
    let page = "<!doctype html><title>Welcome to the hotel</title>".to_owned();
    endpoints.meet(&always(Reply::Html(page)), Word::Declined, "check the address of the provider");
    endpoints.meet(&always(Reply::too_many("0")), Word::Declined, "429: slow down; the rate or the quota is used up");
    endpoints.meet(&in_words(401, &format!("bad key {KEY}")), Word::Declined, "401: bad key [hidden]; check the key");
    let cut = Reply::CloseAfter { bytes: answer().wire_len() - 20, of: Box::new(answer()) };
    endpoints.meet(&always(cut), Word::Declined, "broke in the middle of an answer");
}

#[test]
fn an_endpoint_that_fails_over_the_patch_costs_its_own_opportunity_only() {
    let endpoints = Endpoints::new();
    let failing = |reply: Reply| {
        ScriptedModel::start_with(move |request| match asks_for(request) {
            "plan" => Reply::text(plan(&[LIB], "divide by the length of the list")),
            _ => reply.clone(),
        })
    };
    let whole = patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json();
    let truncated =
        Reply::Completion { content: whole[..whole.len() - 9].to_owned(), usage: None, finish: "length".to_owned() };
    endpoints.meet(&failing(truncated), Word::Inconclusive, "the answer was cut at 8000 tokens");
    let hanging = Reply::HangMidBody { bytes: 40, of: Box::new(Reply::text(whole)) };
    endpoints.meet(&failing(hanging), Word::Inconclusive, "the answer stopped coming within 1");
    endpoints.meet(&failing(Reply::text("")), Word::Inconclusive, "the model gave an empty answer");
}
