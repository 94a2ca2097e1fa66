//! Changes inside functions, screened with swapped libraries: programs of the base are run as they are, unless they may
//! hold a copy of what changed. A program whose source is spoiled shows whether it was compiled again.

use std::fs;

use kaizen_domain::{TestOutcome, TrialOutcome, TrialReport};

use crate::support::Bench;

const KINDS: &str = "first/src/kinds.rs";

fn failing(report: &TrialReport) -> Vec<&str> {
    report.failing().map(|(id, _)| id.0.as_str()).collect()
}

fn builds(report: &TrialReport) -> bool {
    !matches!(report.outcome, TrialOutcome::BuildFailed { .. })
}

#[test]
fn a_change_in_a_body_is_caught_by_programs_of_the_base_unless_it_is_to_be_confirmed() {
    let bench = Bench::new();
    let base = bench.base();
    bench.get_ready(&base);
    assert!(bench.swaps(), "the second set of the base was not shown to give the same");
    bench.spoil("first/tests/kinds.rs");
    bench.spoil("second/tests/slow.rs");
    let edit = [(KINDS, "    10", "    11")];
    let screened = bench.tried(&base, &edit, false);
    assert_eq!((&screened.outcome, failing(&screened)), (&TrialOutcome::Ran, vec!["first/test kinds::gives"]));
    // What is to be confirmed is compiled as cargo does it.
    assert!(!builds(&bench.tried(&base, &edit, true)));

    // One that no test sees: everything ran, nothing was compiled again but the library, and gave the same.
    let survives = bench.tried(&base, &[("first/src/lib.rs", "n * 2", "n + n")], false);
    assert_eq!(survives.outcome, TrialOutcome::Ran);
    assert_eq!((survives.tests, survives.stopped_early), (base.tests.clone(), false));

    // Through a library that is made with it, and through the program that a test starts.
    let through = bench.tried(&base, &[("second/src/lib.rs", "n + 1", "n + 2")], false);
    let known = ["second/lib::tests::adds", "second/test slow::counts"];
    assert!(matches!(failing(&through).as_slice(), [first, ..] if known.contains(first)), "{:?}", through.outcome);
    let program = bench.tried(&base, &[("first/src/lib.rs", "\"halved\"", "\"cut\"")], false);
    assert_eq!(failing(&program), ["first/test whole::the_program_says_so"]);
}

#[test]
fn a_program_that_may_hold_a_copy_is_compiled_again() {
    let bench = Bench::new();
    let base = bench.base();
    bench.get_ready(&base);
    assert!(bench.swaps());
    let edits = [
        ("x.into() + 20", "x.into() + 21"),
        ("    30", "    31"),
        ("    40", "    41"),
        ("        50", "        51"),
        ("|| 70", "|| 71"),
    ];
    for (from, to) in edits {
        let report = bench.tried(&base, &[(KINDS, from, to)], false);
        assert!(failing(&report).contains(&"first/test kinds::gives"), "{from}: {:?}", report.outcome);
    }
    // It uses what the library has made for itself, and misses it when the library does so no more.
    let gone = [(KINDS, "pair(60u8).0", "60")];
    let report = bench.tried(&base, &gone, false);
    assert_eq!((&report.outcome, &report.tests), (&TrialOutcome::Ran, &base.tests));
    bench.spoil("first/tests/kinds.rs");
    for (from, to) in edits {
        assert!(!builds(&bench.tried(&base, &[(KINDS, from, to)], false)), "{from}: it was not compiled again");
    }
    assert!(!builds(&bench.tried(&base, &gone, false)), "it was not compiled again for a name that is gone");
    // What the library has made for itself is there once, and is called.
    let shared = bench.tried(&base, &[(KINDS, "(x, x)", "{ let _ = x; panic!() }")], false);
    assert_eq!(failing(&shared), ["first/test kinds::gives"]);
}

#[test]
fn tests_in_docs_are_run_as_they_are() {
    let bench = Bench::new();
    let base = bench.base();
    bench.get_ready(&base);
    assert!(bench.swaps());
    let broken = bench.tried(&base, &[("first/src/deep.rs", "true", "false")], false);
    assert_eq!(failing(&broken), ["first/doc::first/src/deep.rs - deep::is_deep #1"]);
    // Those that must not compile and those that are not run are there as well.
    let same = bench.tried(&base, &[("first/src/deep.rs", "true", "!false")], false);
    let docs = |report: &TrialReport| {
        let docs = report.tests.iter().filter(|(id, _)| id.0.starts_with("first/doc::"));
        docs.map(|(id, test)| (id.0.clone(), test.outcome)).collect::<Vec<_>>()
    };
    assert_eq!(docs(&same), docs(&base));
    assert!(docs(&same).iter().any(|(id, outcome)| id.contains("compile fail") && *outcome == TestOutcome::Passed));
    assert!(docs(&same).len() >= 4, "{:?}", docs(&same));
}

#[test]
fn a_program_that_cannot_start_is_compiled_again_and_not_judged() {
    let bench = Bench::new();
    let base = bench.base();
    bench.get_ready(&base);
    assert!(bench.swaps());
    let kept = bench.kept("kinds");
    assert_eq!(kept.len(), 1);
    for program in &kept {
        fs::write(program, "#!/bin/sh\necho 'symbol lookup error' >&2\nexit 127\n").expect("it works");
    }
    let edit = [("first/src/lib.rs", "n * 2", "n + n")];
    let report = bench.tried(&base, &edit, false);
    assert_eq!((&report.outcome, &report.tests), (&TrialOutcome::Ran, &base.tests));
    bench.spoil("first/tests/kinds.rs");
    assert!(!builds(&bench.tried(&base, &edit, false)));
}
