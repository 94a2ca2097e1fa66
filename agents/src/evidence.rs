//! Evidence: what a decision rests on, as a signed statement on the commit that it is about, so that it can be checked later
//! by whoever has the repository and the installation's public key.

use std::path::{Path, PathBuf};

use kaizen_domain::{Attempt, Cycle, Decision, Landing};
use kaizen_evidence::{Evidence, InstallationKey, Statement, TestsTried, digest, seal};

use crate::error::AgentError;
use crate::world::World;

/// The file of the installation's key, below the state directory.
#[must_use]
pub fn key_file(state_dir: &Path) -> PathBuf {
    state_dir.join("evidence.key")
}

/// The statement about the newest patch of an attempt, which is about to land, or to wait for a person: what follows from
/// the journal and from nothing else. None where it was never tried.
#[must_use]
pub fn statement(cycle: &Cycle, attempt: &Attempt, asked: &[String]) -> Option<Statement> {
    let (round, plan) = (attempt.current()?, attempt.plan.as_ref()?);
    let (review, trial) = (round.review.as_ref()?, round.trial.as_ref()?);
    let patch = &round.patch;
    let decision = if asked.is_empty() { Decision::Land } else { Decision::Ask { reasons: asked.to_vec() } };
    let evidence = Evidence {
        kaizen: env!("CARGO_PKG_VERSION").to_owned(),
        cycle: cycle.id,
        patch: patch.id,
        opportunity: patch.opportunity,
        kind: cycle.opportunity(patch.opportunity)?.kind,
        author: patch.author.clone(),
        base: patch.base.clone(),
        diff_sha256: digest(&patch.diff),
        check: plan.task.check.clone(),
        review: review.clone(),
        before: TestsTried::of(cycle.base_report.as_ref()?),
        after: TestsTried::of(trial),
        noticed: trial.noticed.as_deref().cloned(),
        behaviour: trial.behaviour.as_deref().cloned(),
        speed: trial.speed.clone(),
        decision,
        approved: cycle.request.source.approved(),
        spend: patch.spend,
    };
    Some(Statement::new(&patch.title, patch.commit.clone(), patch.tree.clone(), evidence))
}

/// Puts the evidence on the commit that a ref was just moved to. Without it the patch has landed all the same: that it is
/// missing is told.
pub(crate) fn attach(world: &World, cycle: &Cycle, attempt: &Attempt, landing: &Landing, asked: &[String]) {
    // A replay decides nothing, and leaves nothing behind.
    let wanted = world.settings.gate.evidence && cycle.request.replays.is_none();
    if let Some(statement) = statement(cycle, attempt, asked).filter(|_| wanted)
        && let Err(error) = put(world, landing, &statement)
    {
        tracing::warn!(%error, commit = landing.to.short(), "the evidence for a patch could not be put on its commit");
    }
}

fn put(world: &World, landing: &Landing, statement: &Statement) -> Result<(), AgentError> {
    let key = InstallationKey::of(&key_file(&world.state_dir))?;
    let sealed =
        seal(statement, &key).map_err(|error| AgentError::Bug(format!("evidence cannot be written: {error}")))?;
    let seconds = i64::try_from(world.clock.now().0 / 1000).unwrap_or(i64::MAX);
    Ok(world.repo()?.put_note(&landing.to, &sealed, seconds)?)
}
