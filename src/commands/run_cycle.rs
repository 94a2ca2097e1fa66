//! `kaizen run-cycle`: one cycle, told as it goes.

use kaizen_domain::{Cycle, TrialOutcome, Word};
use kaizen_settings::FailingTests;

use crate::commands::carry::carry;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, SessionOptions};
use crate::story::lines;
use crate::story::{Detail, Story, Voice};
use crate::terms::CycleTerms;

/// Runs a cycle; one that was cut off earlier goes on first.
///
/// # Errors
/// When the repository cannot be worked on, or the cycle cannot go on.
pub fn run(options: SessionOptions, terms: CycleTerms, allow_failing_base: bool, json: bool) -> Result<Exit, Failure> {
    let mut session = Session::open(options)?;
    if allow_failing_base {
        session.settings.base.failing_tests = FailingTests::Compare;
    }
    let mut story = Story::new(Voice::choose(json), Detail::Brief, &session);
    let cycle = super::runtime()?.block_on(carry(&mut session, terms, &mut story))?;
    match still_broken(&cycle) {
        Some(reason) => Err(Failure {
            exit: Exit::Base,
            message: reason,
            help: vec!["mend the build, or configure a model that may: `kaizen init --explain model`".to_owned()],
        }),
        None => Ok(Exit::Done),
    }
}

/// Why nothing could be done for a repository that does not build, when that is how it ended.
fn still_broken(cycle: &Cycle) -> Option<String> {
    let report = cycle.base_report.as_ref().or(cycle.first_report.as_ref())?;
    let broken = matches!(report.outcome, TrialOutcome::BuildFailed { .. });
    let helped = cycle.count(Word::Landed) + cycle.count(Word::Asked) > 0;
    (broken && !helped).then(|| format!("the base {}", lines::result(report)))
}
