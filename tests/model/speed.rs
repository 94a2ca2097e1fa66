//! A goal about speed goes to the Optimizer: what it writes is measured, and lands only when the measurement shows it.

use kaizen_domain::trial::SpeedVerdict;
use kaizen_domain::{OpportunityKind, Specialist, Word};
use kaizen_testkit::{Reply, ScriptedModel, patch, plan};

use super::support::{LIB, fixture, patch_requests, planner, run_cycle, settings};

/// Running totals, computed again from the start for each entry.
const SLOW: &str = r#"//! Running totals.

/// The sum of all numbers up to and including each one.
pub fn totals(numbers: &[u64]) -> Vec<u64> {
    let mut totals = Vec::new();
    for end in 1..=numbers.len() {
        totals.push(numbers[..end].iter().fold(0_u64, |sum, number| sum.wrapping_add(std::hint::black_box(*number))));
    }
    totals
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_total_is_the_sum_up_to_there() {
        assert_eq!(super::totals(&[1, 2, 3, 4]), [1, 3, 6, 10]);
    }
}
"#;

const LINEAR: &str = r#"pub fn totals(numbers: &[u64]) -> Vec<u64> {
    let mut sum = 0_u64;
    let mut totals = Vec::with_capacity(numbers.len());
    for number in numbers {
        sum = sum.wrapping_add(*number);
        totals.push(sum);
    }
    totals
}"#;

/// As quadratic as before, said in other words.
const NO_FASTER: &str = r#"pub fn totals(numbers: &[u64]) -> Vec<u64> {
    let up_to = |end: usize| numbers[..end].iter().fold(0_u64, |sum, number| sum.wrapping_add(std::hint::black_box(*number)));
    (1..=numbers.len()).map(up_to).collect()
}"#;

/// Adds up totals of numbers from a generator with a fixed seed, and prints one checksum over all of them.
const BENCHMARK: &str = r#"fn main() {
    let mut state = 88172645463325252_u64;
    let mut numbers = Vec::new();
    for _ in 0..12_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        numbers.push(state >> 40);
    }
    let totals = tiny::totals(std::hint::black_box(&numbers));
    let checksum = totals.iter().fold(0_u64, |sum, total| sum.rotate_left(5) ^ total);
    println!("{checksum}");
}
"#;

const GOAL: &str = "make totals faster";

fn item(title: &str, text: &str) -> kaizen_testkit::answers::PatchText {
    let documented = format!("/// The sum of all numbers up to and including each one.\n{text}");
    patch(title).item("crate::totals", &documented)
}

fn serve(patches: impl IntoIterator<Item = String>) -> ScriptedModel {
    planner(plan(&[LIB], "compute the totals in one pass"), patches.into_iter().map(Reply::text))
}

#[test]
fn a_change_lands_as_faster_when_the_sandbox_measures_it() {
    let server = serve([item("Compute totals in one pass", LINEAR).benchmark(BENCHMARK).json()]);
    let fixture = fixture(SLOW, &server);
    let ran = run_cycle(&fixture, &server, &["--goal", GOAL, "--max-landings", "1"]);
    let done = ran.only(OpportunityKind::Goal);
    assert_eq!(done.word, Word::Landed, "{ran:?}");
    assert_eq!(done.attempt.plan.as_ref().map(|plan| plan.task.specialist), Some(Specialist::Optimizer));
    let speed = done.attempt.rounds[0].trial.as_ref().and_then(|trial| trial.speed.clone()).expect("it was measured");
    assert_eq!((speed.verdict, speed.pairs), (SpeedVerdict::Better, 12), "{speed:?}");
    assert!(speed.detail.contains("processor time, base over candidate "), "{speed:?}");
    assert!(speed.ratio_milli > 1_500, "a quadratic function made linear: {speed:?}");

    let branch = fixture.landed_branch().expect("it landed");
    assert!(fixture.read_at(&branch, LIB).is_some_and(|text| text.contains("sum = sum.wrapping_add(*number);")));
    assert_eq!(fixture.read_at(&branch, "examples/kaizen_speed.rs"), None, "the benchmark never lands");
    assert!(patch_requests(&server)[0].message("system").contains("You are the Optimizer"));
}

#[test]
fn a_change_that_is_not_shown_to_be_faster_does_not_land() {
    let server = serve([item("Compute totals with a closure", NO_FASTER).benchmark(BENCHMARK).json()]);
    let fixture = fixture(SLOW, &server);
    fixture.settings(&settings(&server).set("agents", "model_rounds", 1));
    let ran = run_cycle(&fixture, &server, &["--goal", GOAL]);
    let done = ran.only(OpportunityKind::Goal);
    // Beside other work it may even seem slower.
    match done.word {
        Word::Inconclusive => {
            assert!(done.why.starts_with("not shown to be faster: "), "{}", done.why);
            assert!(done.why.contains("base over candidate"), "{}", done.why);
        }
        word => assert!(word == Word::Rejected && done.why.contains("slower"), "{ran:?}"),
    }
    assert_eq!(fixture.landed_branch(), None);
}

#[test]
fn a_change_without_a_benchmark_is_refused_before_it_is_tried() {
    let server = serve([item("Compute totals in one pass", LINEAR).json()]);
    let fixture = fixture(SLOW, &server);
    let ran = run_cycle(&fixture, &server, &["--goal", GOAL]);
    let done = ran.only(OpportunityKind::Goal);
    assert_eq!(done.word, Word::Rejected, "{ran:?}");
    assert!(done.why.contains("without a benchmark"), "{}", done.why);
    assert!(done.attempt.rounds.iter().all(|round| round.trial.is_none()), "{done:?}");
    assert_eq!(fixture.landed_branch(), None);
}

#[test]
fn a_change_whose_benchmark_prints_something_else_is_not_landed_however_fast_it_is() {
    let wrong = LINEAR.replace("totals\n}", "if totals.len() > 9 {\n        totals.pop();\n    }\n    totals\n}");
    let server = serve([item("Compute totals in one pass", &wrong).benchmark(BENCHMARK).json()]);
    let fixture = fixture(SLOW, &server);
    let once = settings(&server).set("agents", "model_rounds", 1);
    fixture.settings(&once.set("gate", "inputs", 0));
    let ran = run_cycle(&fixture, &server, &["--goal", GOAL]);
    let done = ran.only(OpportunityKind::Goal);
    assert_eq!(done.word, Word::Inconclusive, "{ran:?}");
    assert!(done.why.contains("prints something else"), "{}", done.why);
    let trial = done.attempt.rounds[0].trial.clone().expect("it was tried");
    assert_eq!(trial.counts(), (1, 0, 0), "the tests alone would have let it through");
    assert_eq!(fixture.landed_branch(), None);
}

#[test]
fn a_faster_function_that_gives_something_else_is_refused_with_the_input() {
    let wrong = LINEAR.replace("totals\n}", "if totals.len() > 9 {\n        totals.pop();\n    }\n    totals\n}");
    let server = serve([item("Compute totals in one pass", &wrong).benchmark(BENCHMARK).json()]);
    let fixture = fixture(SLOW, &server);
    fixture.settings(&settings(&server).set("agents", "model_rounds", 1));
    let ran = run_cycle(&fixture, &server, &["--goal", GOAL]);
    let done = ran.only(OpportunityKind::Goal);
    assert_eq!(done.word, Word::Rejected, "{ran:?}");
    let (_, shown) = done.why.split_once("it is to keep behaviour, and does not: `tiny::totals([").expect(&done.why);
    let (numbers, _) = shown.split_once("])` gave").expect(&done.why);
    assert_eq!(numbers.split(", ").count(), 10, "no shorter list shows it: {}", done.why);
    assert_eq!(fixture.landed_branch(), None);
}
