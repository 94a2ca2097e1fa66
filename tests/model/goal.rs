//! What a person asks for is carried out: as a new file's worth of code, or by replacing one item.

use kaizen_domain::{OpportunityKind, Word};
use kaizen_testkit::{Reply, ScriptedModel, patch, plan};

use super::support::{LIB, asks_for, fixture, patch_requests, planner, run_cycle};

const LIBRARY: &str = r#"//! Sums over lists.

/// The sum of the numbers.
pub fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sum_of_nothing_is_zero() {
        assert_eq!(super::sum(&[]), 0);
    }
}
"#;

/// A function that was not there, with its documentation and a test.
fn with_median() -> String {
    let function = "/// The middle one of the numbers in order; the lower one of two.\n\
                    pub fn median(numbers: &[u64]) -> Option<u64> {\n    \
                        let mut sorted = numbers.to_vec();\n    \
                        sorted.sort_unstable();\n    \
                        sorted.get(sorted.len().checked_sub(1)? / 2).copied()\n\
                    }\n\n#[cfg(test)]";
    let test = "    #[test]\n    fn the_median_is_the_lower_of_two() {\n        \
                assert_eq!(super::median(&[9, 1, 4, 7]), Some(4));\n    }\n}\n";
    let text = LIBRARY.replacen("#[cfg(test)]", function, 1);
    let end = text.rfind("}\n").expect("the library ends with a brace");
    format!("{}\n{test}", &text[..end])
}

#[test]
fn a_goal_brings_a_new_function_with_its_documentation_and_test() {
    let answer = patch("Add the median").whole(LIB, &with_median()).json();
    let server = planner(plan(&[LIB], "add a function `median`"), [Reply::text(answer)]);
    let fixture = fixture(LIBRARY, &server);
    let goal = "add a documented function that gives the median";
    let ran = run_cycle(&fixture, &server, &["--goal", goal, "--max-landings", "1"]);
    let done = ran.only(OpportunityKind::Goal);
    assert_eq!(done.word, Word::Landed, "{ran:?}");
    let landed = fixture.read_at(&fixture.landed_branch().expect("it landed"), LIB).expect("the file is there");
    assert!(landed.contains("/// The middle one of the numbers in order"), "{landed}");

    let trial = done.attempt.rounds[0].trial.clone().expect("it was tried");
    assert_eq!(trial.counts(), (2, 0, 0), "the new test ran beside the old one");
    let asked = patch_requests(&server);
    assert!(asked[0].message("user").contains(goal), "the person's words reach the one who writes");
    assert!(asked[0].message("system").contains("You carry out what a person asked for"));
}

#[test]
fn a_goal_may_be_met_by_replacing_one_item_and_every_other_byte_stays() {
    let item = "/// The sum of the numbers; the largest value when it does not fit.\n\
                pub fn sum(numbers: &[u64]) -> u64 {\n    \
                    numbers\n        .iter()\n        .fold(0, |sum, number| sum.saturating_add(*number))\n\
                }";
    let answer = patch("Let sums saturate").item("crate::sum", item).json();
    let server = planner(plan(&[LIB], "let `sum` saturate"), [Reply::text(answer)]);
    let fixture = fixture(LIBRARY, &server);
    let ran = run_cycle(&fixture, &server, &["--goal", "sums must not overflow", "--max-landings", "1"]);
    let done = ran.only(OpportunityKind::Goal);
    assert_eq!(done.word, Word::Landed, "{ran:?}");
    let landed = fixture.read_at(&fixture.landed_branch().expect("it landed"), LIB).expect("the file is there");
    let (start, end) = (LIBRARY.find("/// The sum").unwrap_or(0), LIBRARY.find("\n\n#[cfg(test)]").unwrap_or(0));
    assert_eq!(landed, format!("{}{item}{}", &LIBRARY[..start], &LIBRARY[end..]));
}

#[test]
fn a_goal_that_the_writer_gives_up_is_rejected_with_its_reason() {
    let gave_up =
        r#"{"title":"","rationale":"","edits":[],"benchmark":null,"give_up":"two callers rely on the order"}"#;
    let server = ScriptedModel::start_with(move |request| match asks_for(request) {
        "plan" => Reply::text(plan(&[LIB], "sort the numbers first")),
        _ => Reply::text(gave_up),
    });
    let fixture = fixture(LIBRARY, &server);
    let ran = run_cycle(&fixture, &server, &["--goal", "sort before summing"]);
    let done = ran.only(OpportunityKind::Goal);
    assert_eq!((done.word, done.why.as_str()), (Word::Rejected, "the model gave up: two callers rely on the order"));
    assert_eq!(patch_requests(&server).len(), 1, "giving up is a whole answer");
}
