//! Answers that cannot be used or reach too far: sent back or refused, given up with the reason, and never landed.

use kaizen_domain::{OpportunityKind, Verdict, Word};
use kaizen_testkit::{Fixture, Ran, Reply, ScriptedModel, patch, plan};

use super::support::{BROKEN, LIB, RIGHT, WRONG, patch_requests, planner, run_cycle, settings};

const WORKFLOW: &str = ".github/workflows/ci.yml";

/// A repository with a second source file, a test file and a workflow.
fn repository(server: &ScriptedModel) -> Fixture {
    let fixture = Fixture::tiny(&BROKEN.replace("/// The mean", "pub mod other;\n\n/// The mean"));
    fixture.write("src/other.rs", "//! Something else.\n\n/// Two.\npub const TWO: u32 = 2;\n");
    fixture
        .write("tests/sums.rs", "//! Sums.\n\n#[test]\nfn two_is_two() {\n    assert_eq!(tiny::other::TWO, 2);\n}\n");
    fixture.write(WORKFLOW, "name: ci\n");
    fixture.commit("Add files around the library");
    fixture.settings(&settings(server));
    fixture
}

/// The cycle in which the model gives these patches for the failing test.
fn cycle_with(patches: impl IntoIterator<Item = String>) -> (ScriptedModel, Ran) {
    let server = planner(plan(&[LIB], "divide by the length of the list"), patches.into_iter().map(Reply::text));
    let fixture = repository(&server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(fixture.landed_branch(), None, "{ran:?}");
    (server, ran)
}

#[test]
fn a_patch_that_touches_what_is_out_of_reach_is_refused_before_it_is_tried() {
    let repair = |title: &str| patch(title).replace(LIB, WRONG, RIGHT);
    let (server, ran) = cycle_with([
        repair("Change a file beside it").replace("src/other.rs", "u32 = 2", "u32 = 3").json(),
        repair("Change the workflow").whole(WORKFLOW, "name: mine\n").json(),
        repair("Change a test").replace("tests/sums.rs", "TWO, 2", "TWO, 3").json(),
    ]);
    let outcome = ran.only(OpportunityKind::Repair);
    assert_eq!(outcome.word, Word::Rejected, "{outcome:?}");
    let rounds = &outcome.attempt.rounds;
    assert_eq!(rounds.len(), 3);
    for (round, path) in rounds.iter().zip(["src/other.rs", WORKFLOW, "tests/sums.rs"]) {
        let review = round.review.as_ref().expect("it was reviewed");
        assert_eq!(review.verdict, Verdict::Refuse, "{round:?}");
        assert!(review.reasons().join("; ").contains(path), "{:?} does not name {path}", review.reasons());
        assert!(round.trial.is_none(), "nothing of it ran");
    }
    let told = patch_requests(&server)[1].message("user").to_owned();
    assert!(told.contains("src/other.rs"), "the reason goes back to the writer: {told}");
}

#[test]
fn a_path_that_leads_outside_is_sent_back_once_and_then_given_up() {
    let outside = |path: &str| patch("Write elsewhere").whole(path, "x").json();
    let (server, ran) = cycle_with([outside("../x"), outside("/etc/cron.d/x"), outside("../x")]);
    let outcome = ran.only(OpportunityKind::Repair);
    assert_eq!((outcome.word, outcome.attempt.rounds.len()), (Word::Rejected, 0), "{outcome:?}");
    assert!(outcome.why.starts_with("the model's answer could not be used: "), "{}", outcome.why);
    assert!(outcome.why.contains("/etc/cron.d/x"), "{}", outcome.why);
    let requests = patch_requests(&server);
    assert_eq!(requests.len(), 2);
    let repair = requests[1].message("user");
    assert!(repair.contains("Your last answer could not be used") && repair.contains("../x"), "{repair}");
}

#[test]
fn prose_in_place_of_a_patch_gets_one_more_question_and_is_then_given_up() {
    let prose = "Great question! The mean divides by one too many, so you may want to look at that line.";
    let (server, ran) = cycle_with([prose.to_owned(), format!("{prose} Let me know!"), prose.to_owned()]);
    let outcome = ran.only(OpportunityKind::Repair);
    assert_eq!(outcome.word, Word::Rejected, "{outcome:?}");
    assert!(outcome.why.starts_with("the model's answer could not be used: "), "{}", outcome.why);
    assert_eq!(patch_requests(&server).len(), 2);
    let spend = outcome.attempt.spend;
    assert!(spend.input.0 >= 200 && spend.output.0 >= 100, "what was asked in vain is paid for: {spend:?}");
}

#[test]
fn a_plan_that_cannot_be_read_is_asked_for_once_more() {
    let server = ScriptedModel::start([
        Reply::text("I would start with the mean."),
        Reply::text(plan(&[LIB], "divide by the length of the list")),
        Reply::text(patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json()),
    ]);
    let fixture = Fixture::tiny(BROKEN);
    fixture.settings(&settings(&server));
    let ran = run_cycle(&fixture, &server, &["--only", "repair", "--max-landings", "1"]);
    assert_eq!(ran.only(OpportunityKind::Repair).word, Word::Landed, "{ran:?}");
    assert_eq!(server.requests().len(), 3);
}
