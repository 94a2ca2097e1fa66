//! Decision: what becomes of a patch, from its review and its trial. Pure, so that it can be checked case by case.

use serde::{Deserialize, Serialize};

use crate::behaviour::Behaviour;
use crate::plan::Check;
use crate::review::{Review, Verdict};
use crate::trial::{Comparison, SpeedVerdict, TestId, TrialOutcome, TrialReport};

/// What becomes of a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It lands.
    Land,
    /// A person decides.
    Ask {
        /// What they should know.
        reasons: Vec<String>,
    },
    /// It is refused.
    Reject {
        /// Why.
        reasons: Vec<String>,
    },
    /// Nothing could be shown; it does not land.
    Inconclusive {
        /// What stood in the way.
        reasons: Vec<String>,
    },
}

/// Decides about a patch that has been reviewed and, unless it was refused there, tried.
///
/// `approved` says that a person has already agreed to what needs a person; it does not overrule a refusal, a broken
/// test or an inconclusive trial.
#[must_use]
pub fn decide(
    review: &Review,
    check: &Check,
    base: &TrialReport,
    candidate: Option<&TrialReport>,
    approved: bool,
) -> Decision {
    if review.verdict == Verdict::Refuse {
        return Decision::Reject { reasons: review.reasons() };
    }
    let Some(candidate) = candidate else {
        return Decision::Inconclusive { reasons: vec!["it was not tried".to_owned()] };
    };
    if let Some(decision) = not_run(candidate) {
        return decision;
    }
    let comparison = Comparison::of(base, candidate);
    if let Some(decision) = broken(&comparison, check) {
        return decision;
    }
    if let Some(more) = candidate.with_features.as_deref() {
        let others = || not_run(&more.candidate).or_else(|| broken(&more.comparison(), check));
        if let Some(decision) = others() {
            return decision.said_with(&more.on());
        }
    }
    if let Some(decision) = not_done(&comparison, check, candidate) {
        return decision;
    }
    let mut reasons = Vec::new();
    if review.verdict == Verdict::AskPerson {
        reasons.extend(review.reasons());
    }
    reasons.extend(gone(&comparison));
    if let Some(more) = candidate.with_features.as_deref() {
        let known = gone(&comparison);
        let others = gone(&more.comparison()).into_iter().filter(|reason| !known.contains(reason));
        reasons.extend(others.map(|reason| format!("{}: {reason}", more.on())));
    }
    reasons.extend(unshown(candidate));
    if let Some(more) = candidate.with_features.as_deref() {
        let others = unshown(&more.candidate).into_iter().filter(|reason| !reasons.contains(reason));
        let others: Vec<String> = others.map(|reason| format!("{}: {reason}", more.on())).collect();
        reasons.extend(others);
    }
    let shown = comparison.held + comparison.repaired.len() > 0 || matches!(check, Check::Builds);
    if !shown {
        reasons.push("no test passes on the base, so nothing shows that behaviour is kept".to_owned());
    }
    if reasons.is_empty() || approved { Decision::Land } else { Decision::Ask { reasons } }
}

impl Decision {
    /// The same, said of particular circumstances.
    fn said_with(mut self, circumstances: &str) -> Self {
        if let Self::Ask { reasons } | Self::Reject { reasons } | Self::Inconclusive { reasons } = &mut self {
            reasons.iter_mut().for_each(|reason| *reason = format!("{circumstances}: {reason}"));
        }
        self
    }
}

/// What nothing shows about a change, as far as a trial looked at it.
fn unshown(candidate: &TrialReport) -> Vec<String> {
    let behaviour = candidate.behaviour.as_deref();
    let noticed = candidate.noticed.as_deref().into_iter().flat_map(|noticed| noticed.reasons(behaviour));
    noticed.chain(behaviour.into_iter().flat_map(Behaviour::reasons)).collect()
}

/// Which tests are there no more, or are not run.
fn gone(comparison: &Comparison) -> Vec<String> {
    let sorts = [(&comparison.missing, "no longer exists"), (&comparison.silenced, "is no longer run")];
    sorts.iter().flat_map(|(tests, what)| few(tests).map(move |test| format!("test `{test}` {what}"))).collect()
}

fn not_run(candidate: &TrialReport) -> Option<Decision> {
    match &candidate.outcome {
        TrialOutcome::Ran => None,
        TrialOutcome::BuildFailed { errors, tail } => {
            let first = errors.first().map_or_else(
                || tail.lines().last().unwrap_or("no message").to_owned(),
                |error| match &error.path {
                    Some(path) => format!("{} ({path}:{})", error.message, error.line),
                    None => error.message.clone(),
                },
            );
            Some(Decision::Reject { reasons: vec![format!("does not build: {first}")] })
        }
        TrialOutcome::LimitHit { stage, limit } => {
            Some(Decision::Reject { reasons: vec![format!("the {stage} ran into the limit of {limit}")] })
        }
        TrialOutcome::Unclear { stage, why } => {
            Some(Decision::Inconclusive { reasons: vec![format!("the {stage} prove nothing: {why}")] })
        }
    }
}

fn broken(comparison: &Comparison, check: &Check) -> Option<Decision> {
    let mut reasons: Vec<String> = few(&comparison.broken).map(|test| format!("test `{test}` would fail")).collect();
    if !matches!(check, Check::Builds) {
        reasons.extend(few(&comparison.added_failing).map(|test| format!("its own test `{test}` fails")));
    }
    (!reasons.is_empty()).then_some(Decision::Reject { reasons })
}

fn not_done(comparison: &Comparison, check: &Check, candidate: &TrialReport) -> Option<Decision> {
    let refusals = |of: &TrialReport| -> Vec<String> {
        of.behaviour.as_deref().into_iter().flat_map(Behaviour::refusals).collect()
    };
    let (mut reasons, more) = (refusals(candidate), candidate.with_features.as_deref());
    reasons.extend(more.into_iter().flat_map(|more| refusals(&more.candidate)));
    if !reasons.is_empty() {
        return Some(Decision::Reject { reasons });
    }
    if let Some(speed) = candidate.speed.as_ref().filter(|speed| speed.verdict == SpeedVerdict::Worse) {
        return Some(Decision::Reject { reasons: vec![format!("it is slower: {}", speed.detail)] });
    }
    match check {
        Check::NothingBreaks | Check::Builds => None,
        Check::TestsPass { tests } => {
            let open: Vec<&TestId> = tests.iter().filter(|test| !comparison.repaired.contains(test)).collect();
            let unclear = open.iter().any(|test| comparison.flaky.contains(test));
            let reasons: Vec<String> = open.iter().take(3).map(|test| format!("test `{test}` still fails")).collect();
            match (open.is_empty(), unclear) {
                (true, _) => None,
                (false, true) => {
                    Some(Decision::Inconclusive { reasons: vec!["the test to repair is flaky".to_owned()] })
                }
                (false, false) => Some(Decision::Reject { reasons }),
            }
        }
        Check::Faster => match &candidate.speed {
            Some(speed) if speed.verdict == SpeedVerdict::Better => None,
            Some(speed) => {
                Some(Decision::Inconclusive { reasons: vec![format!("not shown to be faster: {}", speed.detail)] })
            }
            None => Some(Decision::Inconclusive {
                reasons: vec!["not shown to be faster: it came without a benchmark".to_owned()],
            }),
        },
    }
}

fn few(tests: &[TestId]) -> impl Iterator<Item = &TestId> {
    tests.iter().take(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TrialId;
    use crate::moved_tests::{MovedTest, paired};
    use crate::names::CommitId;
    use crate::noticed::Noticed;
    use crate::path::RelPath;
    use crate::review::{Finding, Severity};
    use crate::time::Millis;
    use crate::trial::{Speed, TestOutcome, TestResult, WithFeatures};

    fn report(tests: &[(&str, TestOutcome)]) -> TrialReport {
        TrialReport {
            id: TrialId::new(1, [0; 10]),
            commit: CommitId::new("a".repeat(40)).unwrap(),
            outcome: TrialOutcome::Ran,
            tests: tests
                .iter()
                .map(|(name, outcome)| {
                    (TestId((*name).to_owned()), TestResult { outcome: *outcome, output: String::new() })
                })
                .collect(),
            durations: Default::default(),
            artefacts: Default::default(),
            flaky: Default::default(),
            speed: None,
            noticed: None,
            behaviour: None,
            layers: Vec::new(),
            toolchain: "rustc 1.95.0".to_owned(),
            wall: Millis(1),
            cpu: Millis(1),
            peak_memory: 0,
            network_attempts: 0,
            stopped_early: false,
            unreached: Vec::new(),
            moved: Default::default(),
            with_features: None,
        }
    }

    fn finding(severity: Severity) -> Review {
        Review::of(
            vec![Finding { severity, rule: "unsafe-added".to_owned(), path: None, detail: "adds `unsafe`".to_owned() }],
            Vec::new(),
        )
    }

    use TestOutcome::{Failed, Ignored, Passed};

    #[test]
    fn what_keeps_every_test_lands() {
        let base = report(&[("a", Passed), ("b", Failed)]);
        let candidate = report(&[("a", Passed), ("b", Failed), ("c", Passed)]);
        assert_eq!(
            decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&candidate), false),
            Decision::Land
        );
    }

    #[test]
    fn a_test_that_passed_and_fails_is_a_refusal_that_nobody_overrules() {
        let base = report(&[("a", Passed)]);
        let candidate = report(&[("a", Failed)]);
        let decision = decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&candidate), true);
        assert_eq!(decision, Decision::Reject { reasons: vec!["test `a` would fail".to_owned()] });
    }

    #[test]
    fn a_test_that_vanishes_or_is_ignored_needs_a_person() {
        let base = report(&[("a", Passed), ("b", Passed), ("c", Passed)]);
        let candidate = report(&[("a", Passed), ("b", Ignored)]);
        let decide =
            |approved| decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&candidate), approved);
        assert!(matches!(decide(false), Decision::Ask { reasons } if reasons.len() == 2));
        assert_eq!(decide(true), Decision::Land);
    }

    #[test]
    fn what_does_not_hold_with_more_features_does_not_land() {
        let base = report(&[("a", Passed)]);
        let (more, build) = (
            report(&[("a", Passed), ("b", Passed)]),
            TrialOutcome::BuildFailed { errors: Vec::new(), tail: "no `x`".to_owned() },
        );
        let decided = |candidate: TrialReport| {
            let features = vec!["shop/serde".to_owned()];
            let more = WithFeatures { features, base: more.clone(), candidate };
            let tried = TrialReport { with_features: Some(Box::new(more)), ..base.clone() };
            decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&tried), false)
        };
        assert_eq!(decided(more.clone()), Decision::Land);
        let on = "with the feature `shop/serde` on";
        let fails = report(&[("a", Passed), ("b", Failed)]);
        assert_eq!(decided(fails), Decision::Reject { reasons: vec![format!("{on}: test `b` would fail")] });
        let unbuilt = TrialReport { outcome: build, ..more.clone() };
        assert_eq!(decided(unbuilt), Decision::Reject { reasons: vec![format!("{on}: does not build: no `x`")] });
        let gone = decided(base.clone());
        assert_eq!(gone, Decision::Ask { reasons: vec![format!("{on}: test `b` no longer exists")] });
    }

    #[test]
    fn a_test_that_moves_is_the_same_test() {
        let path = |text: &str| RelPath::new(text).unwrap();
        let test = |is_doc, was: &str, now: &str| {
            let (from, to) = (path("crates/a/src/csv.rs"), path("crates/a/src/csv/line.rs"));
            MovedTest { from, was: was.to_owned(), to, now: now.to_owned(), is_doc }
        };
        let moved = [test(false, "tests::splits", "tests::splits"), test(true, "parse", "parse")];
        let example = |place: &str, end| (format!("a/doc::src/csv{place}parse #1"), end);
        let tried = |unit: &str, ended, example: (String, TestOutcome)| {
            let base = report(&[("a/lib::csv::tests::splits", Passed), ("a/doc::src/csv.rs - csv::parse #1", Passed)]);
            let mut candidate = report(&[(unit, ended), (&example.0, example.1)]);
            candidate.moved = paired(&moved, &base, &candidate);
            decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&candidate), false)
        };
        let (here, there) = ("a/lib::csv::line::tests::splits", "/line.rs - csv::line::");
        assert_eq!(tried(here, Passed, example(there, Passed)), Decision::Land);
        assert!(matches!(tried(here, Failed, example(there, Passed)), Decision::Reject { .. }));
        assert!(matches!(tried(here, Passed, example(there, Failed)), Decision::Reject { .. }));
        for (unit, place, ended) in [
            (here, there, Ignored),
            ("a/lib::csv::other::tests::splits", there, Passed),
            ("a/it::csv::line::tests::splits", there, Passed),
            (here, "/other.rs - csv::other::", Passed),
        ] {
            let decision = tried(unit, Passed, example(place, ended));
            assert!(matches!(decision, Decision::Ask { .. }), "{unit}: {decision:?}");
        }
    }

    #[test]
    fn a_refused_review_is_refused_even_with_approval() {
        let base = report(&[("a", Passed)]);
        let decision = decide(&finding(Severity::Refusal), &Check::NothingBreaks, &base, Some(&base), true);
        assert!(matches!(decision, Decision::Reject { .. }));
    }

    #[test]
    fn a_base_without_passing_tests_shows_nothing() {
        let base = report(&[]);
        assert!(matches!(
            decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&base), false),
            Decision::Ask { .. }
        ));
    }

    #[test]
    fn a_repair_lands_only_when_its_test_passes() {
        let base = report(&[("a", Passed), ("b", Failed)]);
        let check = Check::TestsPass { tests: vec![TestId("b".to_owned())] };
        let still = report(&[("a", Passed), ("b", Failed)]);
        let fixed = report(&[("a", Passed), ("b", Passed)]);
        assert!(matches!(
            decide(&finding(Severity::Note), &check, &base, Some(&still), false),
            Decision::Reject { .. }
        ));
        assert_eq!(decide(&finding(Severity::Note), &check, &base, Some(&fixed), false), Decision::Land);
        let mut flaky = fixed;
        flaky.flaky.insert(TestId("b".to_owned()));
        assert!(matches!(
            decide(&finding(Severity::Note), &check, &base, Some(&flaky), false),
            Decision::Inconclusive { .. }
        ));
    }

    #[test]
    fn faster_must_be_measured() {
        let base = report(&[("a", Passed)]);
        let with = |verdict: Option<SpeedVerdict>| {
            let mut candidate = base.clone();
            candidate.speed =
                verdict.map(|verdict| Speed { verdict, ratio_milli: 1000, pairs: 10, detail: "x".to_owned() });
            decide(&finding(Severity::Note), &Check::Faster, &base, Some(&candidate), false)
        };
        assert_eq!(with(Some(SpeedVerdict::Better)), Decision::Land);
        assert!(matches!(with(Some(SpeedVerdict::Worse)), Decision::Reject { .. }));
        assert!(matches!(with(Some(SpeedVerdict::Inconclusive)), Decision::Inconclusive { .. }));
        assert!(matches!(with(Some(SpeedVerdict::NoData)), Decision::Inconclusive { .. }));
        assert!(matches!(with(None), Decision::Inconclusive { .. }));
    }

    #[test]
    fn what_tests_would_not_miss_needs_a_person() {
        let base = report(&[("a", Passed)]);
        let mut candidate = base.clone();
        let mutants = crate::Mutants { tried: 4, ..Default::default() };
        let function = crate::FunctionNoticed::new(crate::RelPath::new("src/lib.rs").unwrap(), "f", 1, mutants);
        candidate.noticed = Some(Box::new(Noticed { functions: vec![function], ..Noticed::default() }));
        let decide =
            |approved| decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&candidate), approved);
        assert!(matches!(decide(false), Decision::Ask { .. }));
        assert_eq!(decide(true), Decision::Land);
    }

    #[test]
    fn one_wrong_version_is_no_reason_where_the_function_was_seen_to_do_the_same() {
        let base = report(&[("a", Passed)]);
        let function = |tried| {
            let mutants = crate::Mutants { tried, reached: tried, ..Default::default() };
            crate::FunctionNoticed::new(crate::RelPath::new("src/lib.rs").unwrap(), "Till::new", 1, mutants)
        };
        let driven = |inputs| crate::Driven { function: "shop::Till::new".to_owned(), inputs, changes: true };
        let lands = |tried, inputs| {
            let mut candidate = base.clone();
            candidate.noticed = Some(Box::new(Noticed { functions: vec![function(tried)], ..Noticed::default() }));
            candidate.behaviour = Some(Box::new(Behaviour { driven: vec![driven(inputs)], ..Behaviour::default() }));
            decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&candidate), false) == Decision::Land
        };
        assert_eq!((lands(1, 500), lands(1, 0), lands(2, 500)), (true, false, false));
    }

    #[test]
    fn an_unclear_trial_never_lands() {
        let base = report(&[("a", Passed)]);
        let mut candidate = base.clone();
        candidate.outcome = TrialOutcome::Unclear { stage: crate::Stage::Tests, why: "lines are missing".to_owned() };
        assert!(matches!(
            decide(&finding(Severity::Note), &Check::NothingBreaks, &base, Some(&candidate), true),
            Decision::Inconclusive { .. }
        ));
    }
}
