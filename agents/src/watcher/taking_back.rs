//! Taking back: what hurts is reverted by a cycle of its own, reviewed and tried like any patch; where that does not go, a
//! person is asked with the state of things.

use std::collections::BTreeSet;

use kaizen_domain::watch::{Watch, WatchEvent};
use kaizen_domain::{
    AttemptStage, Base, CommitId, Cycle, CycleRequest, LandingMode, PatchSource, RefName, RelPath, Usd, Word,
};
use kaizen_repo::Repo;

use crate::coordinator::CoordinatorHandle;
use crate::cycle::fold;
use crate::error::AgentError;
use crate::watcher::book::{Landed, Watches};
use crate::watcher::{WatchTold, Watcher};

impl Watcher {
    /// Takes a landing back by a cycle of its own; where that does not go, a person is asked with the state of things.
    pub(super) async fn roll_back(
        &self,
        all: &Watches,
        watch: Watch,
        told: &mut Vec<WatchTold>,
    ) -> Result<(), AgentError> {
        let Some(landed) = all.landed.iter().find(|landed| landed.patch.id == watch.patch) else {
            return Err(AgentError::Bug("a watch is over a patch that did not land".to_owned()));
        };
        let day = self.world.clock.now().0.saturating_sub(24 * 3_600_000);
        let recent = all.rolled_back.iter().filter(|at| at.0 > day).count();
        let known = all.takes_back.iter().rev().find(|(patch, _)| *patch == watch.patch).map(|(_, cycle)| *cycle);
        let outcome = match known {
            Some(cycle) => Ok(fold(cycle, &self.journal.records(Some(cycle)).await?)?),
            None if recent >= self.terms.max_rollbacks as usize => Err(format!(
                "{recent} landings were taken back within a day, which is as many as may be without a person"
            )),
            None => match self.take_back(&watch, landed).await {
                // What landed is not here, as when it could not be fetched: at the next look it may be.
                Err(AgentError::Repo(error)) if self.world.clock.now() < watch.until => {
                    tracing::warn!(patch = %watch.patch, %error, "a landing cannot be taken back yet");
                    return Ok(());
                }
                Err(AgentError::Repo(error)) => Err(error.to_string()),
                other => other?,
            },
        };
        let why = watch.evidence.join("; ");
        let event = match outcome {
            Ok(cycle) => of_cycle(&cycle),
            Err(reason) => WatchEvent::RollbackFailed { reason },
        };
        let word = match &event {
            WatchEvent::RolledBack { .. } => WatchTold { patch: watch.patch, word: Word::RolledBack, why },
            WatchEvent::RollbackFailed { reason } => {
                let by_hand = format!("`git revert {}` does it by hand", watch.commit.short());
                let why = format!("it hurts ({why}) and could not be taken back: {reason}; {by_hand}");
                WatchTold { patch: watch.patch, word: Word::Asked, why }
            }
            _ => return Ok(()),
        };
        self.record(watch.patch, event).await?;
        told.push(word);
        Ok(())
    }

    async fn take_back(&self, watch: &Watch, landed: &Landed) -> Result<Result<Cycle, String>, AgentError> {
        let (world, of) = (self.world.clone(), landed.clone());
        let (tip, (base, commit)) = crate::address::blocking(move || -> Result<_, AgentError> {
            let (repo, target) = (world.repo()?, of.target.clone());
            let change = changed_by(&repo, &of)?;
            let name = match of.mode {
                // What others have is known from the last fetch.
                LandingMode::PullRequest => RefName::new(format!("refs/kaizen/upstream/{}", target.short()))
                    .map_err(|error| AgentError::Bug(error.to_string()))?,
                _ => target,
            };
            Ok((repo.ref_target(&name)?, change))
        })
        .await?;
        let Some(tip) = tip else {
            return Ok(Err(format!("the branch {} is not there any more", landed.target.short())));
        };
        let request = CycleRequest {
            base: Base { commit: tip, target: Some(landed.target.clone()), folder: self.terms.folder.clone() },
            source: PatchSource::Revert {
                patch: landed.patch.id,
                base,
                commit,
                title: format!("Revert \"{}\"", landed.patch.title),
                evidence: watch.evidence.clone(),
            },
            goal: None,
            only: Vec::new(),
            max_landings: 1,
            max_opportunities: 1,
            landing: landed.mode,
            update_worktree: true,
            dry_run: false,
            budget: Usd::default(),
            revises: None,
            replays: None,
        };
        let cycle = CoordinatorHandle::new(&self.world.system).run(request).await?;
        Ok(Ok(Cycle::clone(&cycle)))
    }
}

fn of_cycle(cycle: &Cycle) -> WatchEvent {
    let landed = cycle
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.word(), Some(Word::Landed | Word::Queued)))
        .find_map(|attempt| Some((attempt.word()?, attempt.landing.clone()?)));
    if let Some((word, landing)) = landed {
        return WatchEvent::RolledBack { commit: landing.to, proposed: word == Word::Queued };
    }
    let mut reasons: Vec<String> = cycle.failure.iter().map(|(reason, _)| reason.clone()).collect();
    for attempt in &cycle.attempts {
        if let AttemptStage::Done { reasons: said, .. } = &attempt.stage {
            reasons.extend(said.iter().cloned());
        }
    }
    WatchEvent::RollbackFailed { reason: reasons.join("; ") }
}

/// What is to be taken back: from one commit to another. Of a pull request that is what its merge changed, as others may have
/// pushed to its branch; where a merge took its commits one by one, the last of them is not all of it, and what was proposed
/// counts.
fn changed_by(repo: &Repo, landed: &Landed) -> Result<(CommitId, CommitId), AgentError> {
    let (base, head) = &landed.change;
    if landed.mode != LandingMode::PullRequest {
        return Ok((base.clone(), head.clone()));
    }
    let Some(before) = repo.parent(&landed.commit)? else { return Ok((base.clone(), head.clone())) };
    let paths = |from: &CommitId, to: &CommitId| -> Result<BTreeSet<RelPath>, AgentError> {
        Ok(repo.changes(from, to)?.into_iter().map(|change| change.path).collect())
    };
    if repo.is_merge(&landed.commit)? || paths(&before, &landed.commit)?.is_superset(&paths(base, head)?) {
        return Ok((before, landed.commit.clone()));
    }
    Ok((base.clone(), head.clone()))
}
