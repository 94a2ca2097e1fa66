//! What is run on the commit that landed, and on the one before it, in the sandbox: the tests once, and the benches that print
//! numbers, in turn. What that showed is recorded, so that it is done once.

use kaizen_domain::trial::Comparison;
use kaizen_domain::watch::{Measured, Verdict, Watch, WatchEvent, WatchStage};
use kaizen_domain::{CommitId, OpportunityId, TrialId, TrialOutcome, TrialReport};
use kaizen_watch::MetricTerms;

use crate::address::blocking;
use crate::error::AgentError;
use crate::new_id;
use crate::shop::TreeOf;
use crate::trial_pool::{Compared, Printing};
use crate::watcher::{Source, Watcher, promised};

/// Tests that are named.
const NAMED: usize = 5;

impl Watcher {
    /// Runs what was promised and was not run yet.
    pub(super) async fn try_commits(&self, mut watch: Watch, finished: bool) -> Result<Watch, AgentError> {
        let due = watch.tests && watch.tested.is_none();
        let benches: Vec<(MetricTerms, String)> = promised(&watch)
            .into_iter()
            .filter(|terms| !watch.measured.contains_key(&terms.name))
            .filter_map(|terms| {
                let metric = self.terms.metrics.iter().find(|metric| metric.terms.name == terms.name)?;
                match &metric.source {
                    Source::Bench { command } => Some((terms, command.clone())),
                    _ => None,
                }
            })
            .collect();
        if !due && benches.is_empty() || watch.stage != WatchStage::Watching {
            return Ok(watch);
        }
        let (world, commit) = (self.world.clone(), watch.commit.clone());
        let before = blocking(move || world.repo()?.parent(&commit).map_err(AgentError::from)).await;
        let before = match before {
            // Not here, and the window is over: the others count.
            Err(AgentError::Repo(error)) if finished => {
                tracing::warn!(patch = %watch.patch, %error, "a landing could not be tried");
                return Ok(watch);
            }
            other => other?,
        };
        if due {
            let (verdict, evidence) = match &before {
                Some(before) => self.test(before, &watch.commit).await?,
                None => (Verdict::Inconclusive, "tests: there is no commit before the one that landed".to_owned()),
            };
            watch = self.follow(watch, WatchEvent::Tested { verdict, evidence }).await?;
        }
        for (terms, command) in benches {
            let samples = match &before {
                Some(before) => self.measure(before, &watch.commit, &terms, &command).await?,
                None => trouble("there is no commit before the one that landed".to_owned()),
            };
            watch = self.follow(watch, WatchEvent::Measured { metric: terms.name, samples }).await?;
        }
        Ok(watch)
    }

    /// Runs the tests on both commits and compares them.
    async fn test(&self, before: &CommitId, after: &CommitId) -> Result<(Verdict, String), AgentError> {
        let trial = || new_id!(TrialId, self.world.clock);
        let base = self.pool.try_base(self.tree(before, before), trial()).await?;
        if base.outcome != TrialOutcome::Ran {
            let short = before.short();
            return Ok((Verdict::Inconclusive, format!("tests: those of {short}, the commit before, do not run")));
        }
        let compared = Compared {
            trial: trial(),
            opportunity: new_id!(OpportunityId, self.world.clock),
            against: base.clone(),
            benchmark: None,
            confirm: true,
            // It is what was there before.
            notice: false,
            guard: false,
            claims_same: false,
            base: before.clone(),
        };
        let tried = self.pool.try_tree(self.tree(before, after), compared).await?;
        Ok(shown(&base, &tried, after))
    }

    /// Has a command print its numbers on both commits: half of the first, all of the second, the other half of the first,
    /// so that what drifts hits both.
    async fn measure(
        &self,
        before: &CommitId,
        after: &CommitId,
        terms: &MetricTerms,
        command: &str,
    ) -> Result<Measured, AgentError> {
        let half = terms.baseline.div_ceil(2);
        let plan = [(before, half), (after, terms.most_samples()), (before, terms.baseline - half)];
        let mut samples = Measured::default();
        for (commit, times) in plan.into_iter().filter(|(_, times)| *times > 0) {
            let asked = Printing { command: command.to_owned(), times };
            match self.pool.print(self.tree(before, commit), asked).await? {
                Ok(printed) => {
                    for output in printed {
                        match kaizen_metrics::printed(&output) {
                            Ok(number) if commit == before => samples.before.push(number.value.to_string()),
                            Ok(number) => samples.after.push(number.value.to_string()),
                            Err(error) => return Ok(trouble(error.to_string())),
                        }
                    }
                }
                Err(why) => return Ok(trouble(format!("on {}: {why}", commit.short()))),
            }
        }
        Ok(samples)
    }

    fn tree(&self, warm: &CommitId, commit: &CommitId) -> TreeOf {
        TreeOf { warm: warm.clone(), commit: commit.clone(), folder: self.terms.folder.clone() }
    }
}

fn trouble(why: String) -> Measured {
    Measured { trouble: Some(why), ..Measured::default() }
}

/// What the tests of two commits show.
fn shown(base: &TrialReport, tried: &TrialReport, commit: &CommitId) -> (Verdict, String) {
    let short = commit.short();
    match &tried.outcome {
        TrialOutcome::Ran => {}
        TrialOutcome::BuildFailed { .. } => return (Verdict::Harmful, format!("tests: {short} does not build")),
        TrialOutcome::LimitHit { stage, limit } => {
            return (Verdict::Harmful, format!("tests: the {stage} of {short} ran into the limit of {limit}"));
        }
        TrialOutcome::Unclear { stage, why } => {
            return (Verdict::Inconclusive, format!("tests: the {stage} of {short} prove nothing: {why}"));
        }
    }
    let broken = Comparison::of(base, tried).broken;
    if broken.is_empty() {
        return (Verdict::Kept, format!("tests: all that passed before pass on {short}"));
    }
    let names: Vec<String> = broken.iter().take(NAMED).map(|test| format!("`{test}`")).collect();
    let more = broken.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (Verdict::Harmful, format!("tests that passed before fail on {short}: {}{more}", names.join(", ")))
}
