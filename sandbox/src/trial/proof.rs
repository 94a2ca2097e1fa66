//! Proves on a base that a way to try changes gives what cargo gives, before it is used for any change.

use kaizen_domain::{TestId, TrialOutcome, TrialReport};

use super::run::{Run, run_of};
use crate::base::WarmBase;
use crate::direct::{Direct, Order, Swap, is_of};
use crate::isolation::{Cancel, TreeChange};
use crate::runner::{Runner, TrialError, Watcher};

impl Runner {
    /// Runs the tests of a base without cargo. When they give what they gave with it, and what cannot build does not,
    /// changes are tried this way from now on.
    pub(super) fn prove(
        &self,
        base: &WarmBase,
        direct: Direct,
        known: &Run,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Option<Run>, TrialError> {
        let mut tried = |changes: Vec<TreeChange>| {
            let Ok(work) = direct.work(base, &changes) else { return Ok(None) };
            let order = Order { changes: &changes, against: None, stop_early: false };
            self.try_direct(base, &work, &order, cancel, watcher).map(|tried| Some(run_of(tried, &work.reach)))
        };
        let Some(run) = tried(direct.idle_changes(base))? else { return Ok(None) };
        let same = run.gave_the_same_as(known);
        let broken = tried(direct.broken_changes(base))?;
        let fails = matches!(broken.map(|run| run.outcome), Some(TrialOutcome::BuildFailed { .. }));
        tracing::debug!(same, fails, outcome = ?run.outcome, "tried the base without cargo");
        if !same || !fails {
            return Ok(None);
        }
        direct.keep(base)?;
        Ok(Some(run))
    }

    /// Makes ready for many trials that only screen: builds what they are run with, once a base. It takes as long as a few
    /// trials do, so that it is worth it for a search and not for one candidate. `against` is the report of the base.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn get_ready_to_screen(
        &self,
        base: &WarmBase,
        against: &TrialReport,
        cancel: &Cancel,
    ) -> Result<(), TrialError> {
        let Some(direct) = Direct::load(base).filter(|direct| !direct.is_ready_to_screen()) else { return Ok(()) };
        let known = Run { tests: against.tests.clone(), ..Run::default() };
        let swap = self.prove_swap(base, &direct, &known, cancel, &mut Watcher::new(0, &mut |_| {}))?;
        direct.with_swap(swap).keep(base)
    }

    /// Builds the second set of a base and runs all tests with it. It is taken when they give what they gave with cargo,
    /// though nothing but the libraries was built again, and what cannot build does not.
    fn prove_swap(
        &self,
        base: &WarmBase,
        direct: &Direct,
        known: &Run,
        cancel: &Cancel,
        watcher: &mut Watcher<'_>,
    ) -> Result<Option<Swap>, TrialError> {
        let Some(swap) = self.build_swap(base, direct, cancel)? else { return Ok(None) };
        let changes = direct.idle_libraries(base);
        let work = match swap.work(base, &changes, None) {
            Ok(work) => work,
            Err(why) => {
                tracing::debug!(why, "nothing can be swapped");
                return Ok(None);
            }
        };
        let order = Order { changes: &changes, against: None, stop_early: false };
        let run = run_of(self.try_direct(base, &work, &order, cancel, watcher)?, &work.reach);
        // What the libraries do not reach is not swapped.
        let reached = |id: &TestId| !work.reach.untouched().any(|target| is_of(id, target));
        let known =
            Run { tests: known.tests.clone().into_iter().filter(|(id, _)| reached(id)).collect(), ..Run::default() };
        let same = run.gave_the_same_as(&known);
        let changes = direct.broken_changes(base);
        let order = Order { changes: &changes, against: None, stop_early: false };
        let broken = run_of(self.try_direct(base, &work, &order, cancel, watcher)?, &work.reach);
        let fails = matches!(broken.outcome, TrialOutcome::BuildFailed { .. });
        tracing::debug!(same, fails, outcome = ?run.outcome, "tried the base with its libraries swapped");
        drop(work);
        Ok((same && fails).then_some(swap))
    }
}
