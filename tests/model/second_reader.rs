//! What would land is read by a model first, which is shown the diff and the code as it was and nothing that its writer says.

use std::sync::Mutex;

use kaizen_domain::attempt::AttemptEvent;
use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{Event, OpportunityKind, Spend, Tokens, Word};
use kaizen_testkit::scripted_model::ReceivedRequest;
use kaizen_testkit::{Fixture, Program, Reply, ScriptedModel, patch, plan};
use serde_json::json;

use super::support::{BROKEN, LIB, RIGHT, WRONG, asks_for, kaizen, run_cycle, settings};

/// What the writers say of their patches, in words that stand nowhere else.
const TITLE: &str = "Divide by the honest number of entries";

fn opinion(verdict: &str, reasons: &[&str]) -> Reply {
    Reply::text(json!({ "verdict": verdict, "reasons": reasons }).to_string())
}

fn reader(request: &ReceivedRequest) -> bool {
    asks_for(request) == "security"
}

/// A server that plans, writes the repair and a comment on it as often as asked, and reads as the opinions say, one by one.
fn server(opinions: impl IntoIterator<Item = Reply>) -> ScriptedModel {
    let opinions = Mutex::new(opinions.into_iter().collect::<std::collections::VecDeque<_>>());
    let written = Mutex::new(0);
    ScriptedModel::start_with(move |request| match asks_for(request) {
        "plan" => Reply::text(plan(&[LIB], "divide by the length of the list")),
        "security" => {
            let next = opinions.lock().expect("no script panics").pop_front();
            next.unwrap_or_else(|| Reply::error(404, "the script has no opinion left"))
        }
        _ => {
            let mut written = written.lock().expect("no script panics");
            *written += 1;
            let with = if *written == 1 { RIGHT.to_owned() } else { format!("    // Patch {written}.\n{RIGHT}") };
            Reply::text(patch(TITLE).replace(LIB, WRONG, &with).json())
        }
    })
}

fn fixture(server: &ScriptedModel) -> Fixture {
    let fixture = Fixture::tiny(BROKEN);
    fixture.settings(&settings(server).set("security", "second_reader", true));
    fixture
}

const REPAIR: &[&str] = &["--only", "repair", "--max-landings", "1"];

#[test]
fn what_a_reader_has_nothing_against_lands_and_the_reading_is_told_and_paid_for() {
    let server = server([opinion("pass", &[])]);
    let fixture = fixture(&server);
    let ran = run_cycle(&fixture, &server, REPAIR);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Landed, "{ran:?}");
    let one = Spend { input: Tokens(100), output: Tokens(50), ..repair.attempt.rounds[0].patch.spend };
    assert_eq!(ran.cycle().spend(), one.plus(one).plus(one), "the plan, the patch and the reading");

    let asked: Vec<ReceivedRequest> = server.requests().into_iter().filter(reader).collect();
    assert_eq!(asked.len(), 1);
    let question = asked[0].message("user");
    assert!(question.contains("-    let count = numbers.len() as u32 + 1;"), "the diff: {question}");
    assert!(question.contains("pub fn label(number: u32)"), "the code as it was: {question}");
    assert!(
        !question.contains(TITLE) && !question.contains("divide by the length"),
        "no word of its writer: {question}"
    );

    let id = repair.attempt.rounds[0].patch.id.to_string();
    let shown = kaizen().run(&fixture, &["show", &id, "--evidence"]);
    assert!(shown.stdout.contains("`scripted` has read it and objects to nothing"), "{shown:?}");
}

#[test]
fn what_the_reader_refuses_goes_back_to_its_writer_with_the_reason() {
    let server = server([opinion("refuse", &["src/lib.rs: it special-cases the test"]), opinion("pass", &[])]);
    let fixture = fixture(&server);
    let ran = run_cycle(&fixture, &server, REPAIR);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!((repair.word, repair.attempt.rounds.len()), (Word::Landed, 2), "{ran:?}");
    let writers: Vec<ReceivedRequest> =
        server.requests().into_iter().filter(|request| asks_for(request) == "patch").collect();
    assert!(writers[1].message("user").contains("it special-cases the test"), "{}", writers[1].message("user"));
}

#[test]
fn what_the_reader_asks_about_waits_for_a_person_who_is_not_asked_again() {
    let server = server([opinion("ask", &["src/lib.rs: it changes how empty lists count"])]);
    let fixture = fixture(&server);
    let ran = run_cycle(&fixture, &server, REPAIR);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Asked, "{ran:?}");
    assert!(repair.why.contains("it changes how empty lists count (second-reader)"), "{}", repair.why);
    let id = repair.attempt.rounds[0].patch.id.to_string();
    let approved = kaizen().run(&fixture, &["approve", &id]);
    assert_eq!(approved.code, Some(0), "{approved:?}");
    assert_eq!(server.requests().iter().filter(|request| reader(request)).count(), 1, "a person has read it");
}

#[test]
fn no_answer_is_no_yes() {
    let unreadable = || Reply::text("It looks fine to me.");
    for (opinions, why) in [(Vec::new(), "gave no answer"), (vec![unreadable(), unreadable()], "could not be used")] {
        let server = server(opinions);
        let fixture = fixture(&server);
        let ran = run_cycle(&fixture, &server, REPAIR);
        let repair = ran.only(OpportunityKind::Repair);
        assert_eq!(repair.word, Word::Asked, "{ran:?}");
        assert!(repair.why.contains("the second reader has not read it") && repair.why.contains(why), "{}", repair.why);
    }
}

#[test]
fn what_somebody_else_wrote_is_read_and_a_person_decides_even_where_it_is_refused() {
    let sound = BROKEN.replace(WRONG, RIGHT);
    let read = |opinions: Vec<Reply>| {
        let server = server(opinions);
        let fixture = Fixture::tiny(&sound);
        fixture.settings(&settings(&server).set("security", "second_reader", true));
        let diff = fixture.home().join("x.diff");
        let text = "Subject: [PATCH] TITLE\n\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -8,1 +8,1 @@\n-    sum.checked_div(count)\n+    (count != 0).then(|| sum / count)\n";
        let line = sound.lines().position(|line| line.contains("checked_div")).expect("the line is there") + 1;
        std::fs::write(&diff, text.replace("TITLE", TITLE).replace("-8,1 +8,1", &format!("-{line},1 +{line},1")))
            .expect("it can be written");
        let program: Program = kaizen();
        let ran = program.run(&fixture, &["try", diff.to_str().expect("a path in UTF-8")]);
        let questions: Vec<String> =
            server.requests().iter().filter(|one| reader(one)).map(|one| one.message("user").to_owned()).collect();
        (ran, questions)
    };
    let (landed, questions) = read(vec![opinion("pass", &[])]);
    assert_eq!(landed.code, Some(0), "{landed:?}");
    assert!(questions.len() == 1 && !questions[0].contains(TITLE), "{questions:?}");
    let (asked, _) = read(vec![opinion("refuse", &["src/lib.rs: it hides a division by zero"])]);
    assert_eq!(asked.code, Some(3), "{asked:?}");
    assert!(asked.stdout.contains("it hides a division by zero"), "{asked:?}");
}

#[test]
fn what_the_tools_of_the_compiler_suggest_is_not_read() {
    let server = server([]);
    let fixture = fixture(&server);
    let ran = run_cycle(&fixture, &server, &["--only", "cleanup", "--allow-failing-base", "--max-landings", "1"]);
    assert_eq!(ran.only(OpportunityKind::Cleanup).word, Word::Landed, "{ran:?}");
    assert!(server.requests().is_empty());
    let read = |event: &Event| {
        matches!(event, Event::Cycle { event: CycleEvent::Attempt { what: AttemptEvent::Read { .. }, .. }, .. })
    };
    assert!(!ran.records().iter().any(|record| read(&record.event)));
}
