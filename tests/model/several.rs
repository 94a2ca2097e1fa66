//! Several models: who is asked, who is asked next, and what all of them together may cost.

use std::sync::Mutex;

use kaizen_domain::{OpportunityKind, Word};
use kaizen_testkit::scripted_model::ReceivedRequest;
use kaizen_testkit::{Fixture, Reply, ScriptedModel, SettingsText, patch, plan};

use super::support::{BROKEN, LIB, RIGHT, WRONG, kaizen, patch_requests, planner};

const ARGS: [&str; 4] = ["--only", "repair", "--max-landings", "1"];

fn models(price: &str) -> String {
    format!("[{{ name = \"m\", price_input = \"{price}\", price_output = \"{price}\", context_tokens = 64000 }}]")
}

/// Two providers, of which the first is the cheaper one.
fn two(cheap: &ScriptedModel, dear: &ScriptedModel) -> SettingsText {
    SettingsText::default()
        .set("security", "second_reader", false)
        .text("providers.cheap", "base_url", &cheap.base_url())
        .set("providers.cheap", "models", models("1"))
        .text("providers.dear", "base_url", &dear.base_url())
        .set("providers.dear", "models", models("5"))
        .set("router", "explore", 0)
}

fn fixture(settings: &SettingsText) -> Fixture {
    let fixture = Fixture::tiny(BROKEN);
    fixture.settings(settings);
    fixture
}

fn repaired() -> Reply {
    Reply::streamed(patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json())
}

fn good() -> ScriptedModel {
    planner(plan(&[LIB], "divide by the length of the list"), [repaired(), repaired()])
}

#[test]
fn the_cheapest_is_asked_first_and_the_next_one_when_its_provider_is_down() {
    let (cheap, dear) = (good(), good());
    let first = fixture(&two(&cheap, &dear));
    let ran = kaizen().run_cycle(&first, &ARGS);
    assert_eq!(ran.only(OpportunityKind::Repair).word, Word::Landed, "{ran:?}");
    assert_eq!((cheap.requests().len(), dear.requests().len()), (2, 0));

    cheap.stop();
    let second = fixture(&two(&cheap, &dear));
    let ran = kaizen().run_cycle(&second, &ARGS);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Landed, "{ran:?}");
    let routes: Vec<_> = repair.attempt.rounds[0].patch.author.uses.iter().map(|one| one.route.as_str()).collect();
    assert_eq!(routes, ["dear/m"]);
    assert_eq!(dear.requests().len(), 2);
}

#[test]
fn what_failed_its_trial_goes_to_the_stronger_model_with_what_it_failed_of() {
    let wrong = patch("Divide by three").replace(LIB, WRONG, "    let count = \"three\";\n").json();
    let cheap = planner(plan(&[LIB], "divide by the length of the list"), [Reply::text(wrong)]);
    let dear = good();
    let fixture = fixture(&two(&cheap, &dear));
    let ran = kaizen().run_cycle(&fixture, &ARGS);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!((repair.word, repair.attempt.rounds.len()), (Word::Landed, 2), "{ran:?}");
    let asked = patch_requests(&dear);
    assert_eq!((asked.len(), patch_requests(&cheap).len()), (1, 1));
    assert!(asked[0].message("user").contains("E0308"), "{}", asked[0].message("user"));

    // What the two did is their record from now on.
    let listed = kaizen().run(&fixture, &["models"]);
    assert!(listed.stdout.contains("repair 0 of 1 accepted") && listed.stdout.contains("repair 1 of 1"), "{listed:?}");
}

#[test]
fn who_answers_with_prose_is_asked_once_and_the_next_model_after_it() {
    let cheap =
        planner(plan(&[LIB], "divide by the length of the list"), [Reply::text("lorem ipsum"), Reply::text("dolor")]);
    let dear = good();
    let fixture = fixture(&two(&cheap, &dear));
    let ran = kaizen().run_cycle(&fixture, &ARGS);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Landed, "{ran:?}");
    let uses = &repair.attempt.rounds[0].patch.author.uses;
    let seen: Vec<_> = uses.iter().map(|one| (one.route.as_str(), one.usable)).collect();
    assert_eq!(seen, [("cheap/m", false), ("dear/m", true)]);
    assert!(patch_requests(&dear)[0].message("user").contains("Your last answer could not be used"));
}

#[test]
fn of_several_answers_the_smallest_that_passes_its_trial_lands() {
    let with = |title: &str, line: &str| patch(title).replace(LIB, WRONG, line).json();
    let answers = Mutex::new(vec![
        with(
            "Divide with care",
            "    let count = numbers.len();\n    let count = count as u32;\n    let count = count;\n",
        ),
        with("Divide by one", "    let count = 1;\n"),
        with("Divide in two steps", "    let count = numbers.len();\n    let count = count as u32;\n"),
    ]);
    let server = ScriptedModel::start_with(move |request| match super::support::asks_for(request) {
        "plan" => Reply::text(plan(&[LIB], "divide by the length of the list")),
        _ => answers.lock().expect("no script panics").pop().map_or_else(|| Reply::error(404, "no more"), Reply::text),
    });
    let settings = SettingsText::default().model(&server.base_url()).prices("3", "15").set("agents", "candidates", 3);
    let fixture = fixture(&settings);
    let ran = kaizen().run_cycle(&fixture, &[&ARGS[..], &["--budget", "1.00"]].concat());
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!((repair.word, repair.attempt.rounds.len()), (Word::Landed, 2), "{ran:?}");
    let titles: Vec<_> = repair.attempt.rounds.iter().map(|round| round.patch.title.as_str()).collect();
    assert_eq!(titles, ["Divide by one", "Divide in two steps"], "the smallest first, and the largest not at all");
    assert_eq!(patch_requests(&server).len(), 3, "each answer is paid for once");
}

#[test]
fn a_day_costs_no_more_than_it_may_whoever_asks() {
    let server = good();
    let settings = || {
        let settings = SettingsText::default().model(&server.base_url()).prices("3", "15");
        settings.text("model", "day_usd", "0.30").text("model", "task_usd", "")
    };
    let fixture = fixture(&settings());
    // The first cycle spends next to nothing, but may not set aside more than is left of the day.
    let ran = kaizen().run_cycle(&fixture, &ARGS);
    assert_eq!(ran.only(OpportunityKind::Repair).word, Word::Landed, "{ran:?}");
    fixture.settings(&settings().text("model", "day_usd", "0.10"));
    // Another question: the same one would be answered from the journal.
    fixture.write(LIB, &BROKEN.replace("Sums over lists.", "Sums over lists of numbers."));
    fixture.commit("Go on");
    let before = server.requests().len();
    let ran = kaizen().run_cycle(&fixture, &ARGS);
    let repair = ran.only(OpportunityKind::Repair);
    assert!(repair.why.contains("of what a day may cost (`model.day_usd`) is left"), "{}", repair.why);
    assert_eq!(server.requests().len(), before);
}

/// Which question it is, by who is asked: nothing else says so where no form is asked for.
fn is_plan(request: &ReceivedRequest) -> bool {
    request.message("system").contains("You are the Architect")
}

#[test]
fn a_model_that_knows_no_forms_writes_blocks_and_is_understood() {
    let text = format!(
        "<think>Let me see.</think>Sure!\nTITLE: Divide by the number of entries\nRATIONALE: the list has no further entry\n\n\
         `{LIB}`\n```rust\n<<<<<<<< SEARCH\n{WRONG}=======\n{RIGHT}>>>>>>> REPLACE\n```\n\nEND OF ANSWER"
    );
    let server = ScriptedModel::start_with(move |request| {
        assert!(request.body.get("response_format").is_none() && request.body.get("tools").is_none());
        if is_plan(request) {
            Reply::text(format!("Here is my plan:\n```json\n{}\n```\n", plan(&[LIB], "divide by the length")))
        } else {
            Reply::text(text.clone())
        }
    });
    let settings = SettingsText::default().model(&server.base_url()).text("model", "structured", "text");
    let fixture = fixture(&settings);
    let ran = kaizen().run_cycle(&fixture, &ARGS);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Landed, "{ran:?}");
    let uses = &repair.attempt.rounds[0].patch.author.uses;
    assert_eq!((uses.len(), uses[0].format.as_str(), uses[0].usable), (1, "blocks", true));
}

#[test]
fn models_are_listed_and_tried_and_what_would_be_sent_is_shown() {
    let word = ScriptedModel::start_with(|request| match super::support::asks_for(request) {
        "word" => Reply::streamed("{\"word\":\"kaizen\"}"),
        "plan" => Reply::text(kaizen_testkit::not_worth("not now")),
        _ => Reply::error(500, "unexpected"),
    });
    let no = ScriptedModel::start_with(|_| Reply::error(401, "no such key"));
    let fixture = fixture(&two(&word, &no));
    let listed = kaizen().run(&fixture, &["models"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert!(listed.stdout.contains("cheap/m") && listed.stdout.contains("$5.00 in, $5.00 out"), "{}", listed.stdout);

    let tried = kaizen().run(&fixture, &["models", "test"]);
    assert_eq!(tried.code, Some(10), "{tried:?}");
    let line = |route: &str| tried.stdout.lines().find(|line| line.contains(route)).unwrap_or_default().to_owned();
    assert!(line("cheap/m").contains("ok   the form by a schema, streams; says what it used"), "{}", tried.stdout);
    assert!(
        line("dear/m").contains("bad") && line("dear/m").contains("401: no such key; check the key"),
        "{}",
        tried.stdout
    );

    let ran = kaizen().run_cycle(&fixture, &ARGS);
    let id = ran.only(OpportunityKind::Repair).attempt.opportunity.to_string();
    let sent = word.requests();
    let shown = kaizen().run(&fixture, &["prompt", "show", &id]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let request = sent.iter().find(|request| is_plan(request)).expect("the Architect asked");
    assert_eq!(shown.stdout, format!("{}\n{}", request.message("system"), request.message("user")));
    assert!(
        shown.stderr.contains("to cheap/m, as the Architect: ") && shown.stderr.contains("at most $0.0"),
        "{shown:?}"
    );
    assert_eq!(word.requests().len(), sent.len(), "nothing was sent");
}
