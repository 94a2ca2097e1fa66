//! A failing test is repaired by the Debugger: at once, or from what the compiler says about its first patch.

use kaizen_domain::{OpportunityKind, Spend, Tokens, Usd, Word};
use kaizen_testkit::{Reply, not_worth, patch, plan};

use super::support::{BROKEN, LIB, RIGHT, WRONG, fixture, kaizen, patch_requests, planner, run_cycle};

/// A patch whose types do not fit: rustc calls it E0308.
fn ill_typed(title: &str) -> Reply {
    Reply::text(patch(title).replace(LIB, WRONG, "    let count = \"three\";\n").json())
}

fn repaired() -> Reply {
    Reply::text(patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json())
}

#[test]
fn a_failing_test_is_repaired_and_passes_on_the_landed_branch() {
    let server = planner(plan(&[LIB], "divide by the length of the list"), [repaired()]);
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair", "--max-landings", "1"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.word, Word::Landed, "{repair:?}");
    let branch = fixture.landed_branch().expect("something landed");
    let landed = fixture.read_at(&branch, LIB).expect("the file is there");
    assert_eq!(landed, BROKEN.replace(WRONG, RIGHT), "nothing but the one line changed");
    let message = fixture.message_of(&branch);
    assert!(message.starts_with("Divide by the number of entries\n"), "{message}");
    assert!(message.contains("Kaizen-Engine: model (scripted)"), "{message}");

    // Not by Kaizen's word alone: the tests pass on what landed, outside of any sandbox.
    let tree = tempfile::tempdir().expect("a temporary directory can be made");
    fixture.export(&branch, tree.path());
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut tests = std::process::Command::new(cargo);
    tests
        .args(["test", "--offline", "--quiet"])
        .current_dir(tree.path())
        .env("CARGO_TARGET_DIR", tree.path().join("target"));
    let tests = tests.output().expect("cargo starts");
    assert!(tests.status.success(), "{}", String::from_utf8_lossy(&tests.stdout));

    // A scripted answer bills 100 tokens in and 50 out.
    let one = Spend { input: Tokens(100), output: Tokens(50), usd: Usd(3 * 100 + 15 * 50), ..Spend::default() };
    let patch = &repair.attempt.rounds[0].patch;
    assert_eq!((patch.spend, patch.author.model.as_deref()), (one, Some("scripted")));
    assert_eq!(ran.cycle().spend(), one.plus(one), "the plan is paid for as well");
    let shown = kaizen().run(&fixture, &["show", &patch.id.to_string()]);
    assert!(shown.stdout.contains("Debugger, model (scripted), 150 tokens, $0.0010"), "{shown:?}");
}

#[test]
fn a_patch_that_does_not_compile_goes_back_with_the_words_of_the_compiler() {
    let server = planner(plan(&[LIB], "divide by the length of the list"), [ill_typed("Divide by three"), repaired()]);
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair", "--max-landings", "1"]);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!((repair.word, repair.attempt.rounds.len()), (Word::Landed, 2), "{ran:?}");

    let requests = patch_requests(&server);
    assert_eq!(requests.len(), 2);
    let (first, second) = (requests[0].message("user"), requests[1].message("user"));
    assert!(!first.contains("E0308"), "{first}");
    for words in ["E0308", "mismatched types", "let count = \"three\";", "Earlier patch 1 of 1"] {
        assert!(second.contains(words), "the second question does not hold `{words}`: {second}");
    }
    let both = repair.attempt.rounds.iter().fold(Spend::default(), |sum, round| sum.plus(round.patch.spend));
    assert_eq!((both.input, both.output), (Tokens(200), Tokens(100)));
    let base = fixture.read_at("main", LIB).expect("the file is there");
    assert_eq!(base, BROKEN, "the branch of the person did not move");
}

#[test]
fn after_three_patches_that_do_not_compile_the_model_is_not_asked_again() {
    let wrong = |text: &str| {
        let line = format!("    let count = {text:?};\n");
        Reply::text(patch("Divide by a text").replace(LIB, WRONG, &line).json())
    };
    let patches = ["one", "two", "three", "four"].map(wrong);
    let server = planner(plan(&[LIB], "divide by the length of the list"), patches);
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!((repair.word, repair.attempt.rounds.len()), (Word::Rejected, 3), "{ran:?}");
    assert!(repair.why.contains("does not build: mismatched types (src/lib.rs:"), "{}", repair.why);
    assert_eq!(patch_requests(&server).len(), 3);
    assert_eq!(fixture.landed_branch(), None);
}

#[test]
fn a_patch_that_failed_is_not_tried_twice_and_repeating_it_ends_the_matter() {
    let patches = ["One", "Two", "Three", "Four"].map(ill_typed);
    let server = planner(plan(&[LIB], "divide by the length of the list"), patches);
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair"]);
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!(repair.attempt.rounds.len(), 1, "{ran:?}");
    assert!(repair.why.contains("repeats a patch that failed"), "{}", repair.why);
    let requests = patch_requests(&server);
    assert_eq!(requests.len(), 3, "asked again once, with the reason");
    assert!(requests[2].message("user").contains("this is patch 1 again, which failed"));
}

#[test]
fn what_the_architect_finds_not_worth_it_is_declined_with_its_reason() {
    let server = planner(not_worth("the test contradicts the documentation of mean"), []);
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let repair = ran.only(OpportunityKind::Repair);
    assert_eq!((repair.word, repair.why.as_str()), (Word::Declined, "the test contradicts the documentation of mean"));
    assert_eq!(server.requests().len(), 1, "nobody else is asked");
    assert_eq!(ran.cycle().spend().input, Tokens(100), "a no is paid for as well");
    let told = kaizen().run(&fixture, &["show", &ran.cycle().id.to_string()]);
    assert!(told.stdout.contains("DECLINED") && told.stdout.contains("contradicts the documentation"), "{told:?}");
}
