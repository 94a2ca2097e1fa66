//! Told apart: tests that fail on what was there before a change and pass with it, so that a difference is meant. Those that
//! came with the change count, and those that the base has, but not where they ask for something else than they did.

use kaizen_behaviour::with_tests_of;
use kaizen_domain::edit::{Change, FileMode};
use kaizen_domain::{Comparison, TestId, TestOutcome, TrialReport};
use kaizen_sandbox::{TreeChange, TrialError};

use crate::noticing::{Noticing, is_code, is_test_file};

/// What tests say about the two trees.
#[derive(Default)]
pub(crate) struct ToldApart {
    /// Those that fail before and pass after.
    pub apart: Vec<TestId>,
    /// Those of the base that fail after the change as they were.
    pub rewritten: Vec<TestId>,
}

/// Runs the new tests on the old code, and the old ones on the new. `against` is the report of the tree before the change.
///
/// # Errors
/// When the sandbox cannot run it.
pub(crate) fn told_apart(of: &Noticing<'_>, against: &TrialReport) -> Result<ToldApart, TrialError> {
    let compared = Comparison::of(against, of.report);
    let mut told = ToldApart { apart: compared.repaired, ..ToldApart::default() };
    let tests_of =
        |new: bool| of.changes.iter().filter_map(move |change| mixed(change, new)).collect::<Vec<TreeChange>>();
    let (new, old) = (tests_of(true), tests_of(false));
    if new.is_empty() {
        return Ok(told);
    }
    let outcome = |report: &TrialReport, id: &TestId| report.tests.get(id).map(|test| test.outcome);
    let new_on_old = of.tried(&[of.trees.0, &new].concat(), against)?;
    let fails = |id: &TestId| outcome(&new_on_old, id) == Some(TestOutcome::Failed);
    told.apart.extend(compared.added.into_iter().filter(fails));
    if !old.is_empty() {
        let old_on_new = of.tried(&[of.trees.1, &old].concat(), of.report)?;
        let passed = against.tests.iter().filter(|(_, test)| test.outcome == TestOutcome::Passed);
        for (id, _) in passed.filter(|(id, _)| outcome(of.report, id) == Some(TestOutcome::Passed)) {
            match outcome(&old_on_new, id) {
                Some(TestOutcome::Passed) if fails(id) => told.apart.push(id.clone()),
                Some(TestOutcome::Failed) => told.rewritten.push(id.clone()),
                _ => {}
            }
        }
    }
    Ok(told)
}

/// A file with the code of one version and the tests of the other: new tests on old code, or the other way round. None where
/// the tests are the same.
fn mixed(change: &Change, new_tests: bool) -> Option<TreeChange> {
    let (before, after) = change.texts()?;
    let state = change.after.as_ref().filter(|_| is_code(change))?;
    let (code, tests) = if new_tests { (before, after) } else { (after, before) };
    let text = match (&change.before, is_test_file(change.path.as_str(), before, after)) {
        (None, _) => new_tests.then(|| after.to_owned())?,
        (Some(_), true) => tests.to_owned(),
        (Some(_), false) => {
            with_tests_of(code, tests).filter(|text| with_tests_of(code, code).as_ref() != Some(text))?
        }
    };
    let executable = state.mode == FileMode::Executable;
    Some(TreeChange::Write { path: change.path.clone(), bytes: text.into_bytes(), executable })
}
