//! Trials of a small workspace, with real cargo: what goes without cargo gives what cargo gives.

mod benches;
mod kinds;
mod nextest;
mod support;
mod swap;

use kaizen_domain::{TestOutcome, TrialOutcome};
use kaizen_sandbox::isolation::Arrangement;
use support::Bench;

#[test]
fn a_change_is_tried_without_cargo_and_only_where_it_can_reach() {
    let bench = Bench::new();
    let base = bench.base();
    assert_eq!(base.outcome, TrialOutcome::Ran);
    assert!(base.flaky.is_empty(), "{:?}", base.flaky);
    assert!(bench.goes_without_cargo(), "the base was not shown to give the same without cargo");

    // What only the second crate holds cannot reach the first one.
    let report = bench.tried(&base, &[("second/src/lib.rs", "n + 1", "1 + n")], true);
    assert_eq!(report.outcome, TrialOutcome::Ran);
    assert_eq!(report.unreached, ["first/bin first", "first/doc", "first/lib", "first/test kinds", "first/test whole"]);
    assert_eq!(report.tests.len(), base.tests.len());

    // Each program of tests has its digest, and another one when something else was built.
    let programs: Vec<&str> = base.artefacts.keys().map(String::as_str).collect();
    let expected =
        ["first/bin first", "first/lib", "first/test kinds", "first/test whole", "second/lib", "second/test slow"];
    assert_eq!(programs, expected);
    assert!(base.artefacts.values().all(|digest| digest.len() == 64), "{:?}", base.artefacts);
    assert!(report.artefacts.contains_key("second/lib") && !report.artefacts.contains_key("first/lib"));
    let broken = bench.tried(&base, &[("second/src/lib.rs", "n + 1", "n + 2")], true);
    assert_ne!(broken.artefacts.get("second/lib"), base.artefacts.get("second/lib"));

    // A change of the first one reaches all of it, and what is made with it.
    let report = bench.tried(&base, &[("first/src/lib.rs", "n * 2", "n + n")], true);
    assert_eq!((report.outcome, report.unreached.len()), (TrialOutcome::Ran, 0));
    assert_eq!(report.tests, base.tests);
}

#[test]
fn without_namespaces_trials_give_the_same() {
    let bench = Bench::arranged(Some(Arrangement::Restricted));
    let base = bench.base();
    assert_eq!(base.outcome, TrialOutcome::Ran);
    assert!(base.layers.iter().any(|layer| layer.name == "arrangement" && layer.detail.starts_with("restricted")));
    assert_eq!(base.tests, Bench::new().base().tests);
    assert!(bench.goes_without_cargo(), "the base was not shown to give the same without cargo");
    let report = bench.tried(&base, &[("first/src/lib.rs", "n * 2", "n + n")], true);
    assert_eq!((report.outcome, report.tests), (TrialOutcome::Ran, base.tests.clone()));
    let report = bench.tried(&base, &[("first/src/lib.rs", "n * 2", "n * 3")], true);
    assert!(report.failing().any(|(id, _)| id.0 == "second/lib::tests::adds"), "{:?}", report.tests);
    let report = bench.tried(&base, &[("first/src/lib.rs", "n * 2", "n * \"2\"")], false);
    assert!(matches!(report.outcome, TrialOutcome::BuildFailed { .. }), "{:?}", report.outcome);
    // Through cargo.
    let report = bench.tried(&base, &[("second/asked.txt", "7", "8")], true);
    let failing: Vec<_> = report.failing().map(|(id, _)| id.0.as_str()).collect();
    assert_eq!(failing, ["second/lib::tests::the_build_script_was_asked"]);
}

#[test]
fn what_breaks_a_test_anywhere_is_found_and_told_like_cargo_tells_it() {
    let bench = Bench::new();
    let base = bench.base();
    assert!(bench.goes_without_cargo());
    for (file, from, to, broken) in [
        ("first/src/lib.rs", "n * 2", "n * 3", "first/lib::tests::doubles"),
        ("first/src/lib.rs", "n * 2", "n * 3", "first/doc::first/src/lib.rs - double #1"),
        ("first/src/lib.rs", "n * 2", "n * 3", "second/lib::tests::adds"),
        ("first/src/lib.rs", "\"halved\"", "\"cut\"", "first/test whole::the_program_says_so"),
        ("first/src/main.rs", "println!", "eprintln!", "first/test whole::the_program_says_so"),
        ("first/src/words.txt", "halved", "halved twice", "first/lib::tests::words_are_taken_in"),
        ("first/src/deep.rs", "true", "false", "first/doc::first/src/deep.rs - deep::is_deep #1"),
        ("second/tests/slow.rs", "1 + 1, 2", "1 + 1, 3", "second/test slow::counts"),
    ] {
        let whole = bench.tried(&base, &[(file, from, to)], true);
        assert_eq!(whole.outcome, TrialOutcome::Ran, "{file}: {from} -> {to}");
        let test = whole.tests.iter().find(|(id, _)| id.0 == broken);
        assert_eq!(test.map(|(_, test)| test.outcome), Some(TestOutcome::Failed), "{broken} in {:#?}", whole.tests);
        // One that stops early says no test to be worse that the whole one does not.
        let early = bench.tried(&base, &[(file, from, to)], false);
        let failing: Vec<_> = early.failing().map(|(id, _)| id).collect();
        assert!(!failing.is_empty() && failing.iter().all(|id| whole.failing().any(|(other, _)| other == *id)));
    }
}

#[test]
fn what_does_not_build_is_told_with_its_errors() {
    let bench = Bench::new();
    let base = bench.base();
    for (file, from, to, line) in [
        ("first/src/lib.rs", "n * 2", "n * \"2\"", 7),
        ("second/tests/slow.rs", "assert_eq!(1 + 1, 2)", "assert_eq!(1 + nothing, 2)", 3),
        ("first/examples/show.rs", "first::double(1)", "first::triple(1)", 2),
    ] {
        for confirm in [true, false] {
            let report = bench.tried(&base, &[(file, from, to)], confirm);
            let TrialOutcome::BuildFailed { errors, tail } = &report.outcome else { panic!("{:?}", report.outcome) };
            let places: Vec<_> =
                errors.iter().map(|error| (error.path.as_ref().map(|path| path.as_str()), error.line)).collect();
            assert!(places.contains(&(Some(file), line)), "{places:?} {tail}");
        }
    }
}

#[test]
fn what_cargo_has_to_look_at_goes_through_cargo() {
    let bench = Bench::new();
    let base = bench.base();
    // A new file of tests is a new target; a manifest may change anything; a build script decides for itself.
    let report = bench.tried_files(&base, &[("first/tests/new.rs", "#[test]\nfn is_new() {}\n")]);
    assert!(report.tests.keys().any(|id| id.0 == "first/test new::is_new"), "{:?}", report.tests.keys());
    let report =
        bench.tried(&base, &[("second/build.rs", "fn main() {", "fn main() { println!(\"cargo::warning=x\");")], true);
    assert_eq!((report.outcome, report.tests.len()), (TrialOutcome::Ran, base.tests.len()));
    let report = bench.tried(&base, &[("second/asked.txt", "7", "8")], true);
    let failing: Vec<_> = report.failing().map(|(id, _)| id.0.as_str()).collect();
    assert_eq!(failing, ["second/lib::tests::the_build_script_was_asked"]);
}
