//! Lands a patch: says first which ref will move from where to where, then moves it by compare-and-swap, from exactly
//! the commit it was tried on. Done again after a crash, it finds the ref moved and says so.

use std::sync::Arc;

use kaizen_domain::cycle::{CycleEvent, MAX_MOVES};
use kaizen_domain::{
    AttemptEvent, AttemptStage, BranchName, CommitId, Cycle, Decision, Landing, LandingMode, OpportunityId, RefName,
};
use kaizen_repo::{RefMove, RepoError};

use crate::address::blocking;
use crate::error::AgentError;
use crate::evidence;
use crate::steps::{Colleagues, at, found};
use crate::world::World;

/// Says which ref will move, or that none will.
pub(crate) fn intend(cycle: &Cycle, id: OpportunityId) -> Result<Vec<CycleEvent>, AgentError> {
    if cycle.request.dry_run {
        return Ok(vec![at(id, AttemptEvent::Withheld)]);
    }
    let attempt = found(cycle.attempt(id), "attempt")?;
    let asked = matches!(attempt.decision(), Some(Decision::Ask { .. }));
    let patch = &found(attempt.current(), "patch")?.patch;
    let own = match &cycle.request.revises {
        Some(revision) if !asked => revision.branch.clone(),
        // What a person must agree to first stands beside the pull request.
        _ => own_branch(cycle, id, &patch.title)?,
    };
    let (from, to) = (Some(patch.base.clone()), patch.commit.clone());
    let landing = if asked {
        Landing { target: own, from: None, to, branch: None, update_worktree: false, proposed: false }
    } else {
        match (cycle.request.landing, &cycle.request.base.target) {
            (LandingMode::Merge, Some(target)) => Landing {
                target: target.clone(),
                from,
                to,
                branch: None,
                update_worktree: cycle.request.update_worktree,
                proposed: false,
            },
            (LandingMode::Merge, None) => {
                let reason = "HEAD is detached, so there is no branch to merge into".to_owned();
                return Ok(vec![at(id, AttemptEvent::LandingFailed { reason })]);
            }
            (LandingMode::PullRequest, _) => {
                let from = cycle.request.revises.as_ref().map(|revision| revision.head.clone());
                Landing { target: own, from, to, branch: None, update_worktree: false, proposed: true }
            }
            (LandingMode::Branch, _) => {
                let first = cycle.tip == cycle.request.base.commit;
                let from = if first { None } else { from };
                Landing {
                    target: landed_branch(cycle)?,
                    from,
                    to,
                    branch: Some(own),
                    update_worktree: false,
                    proposed: false,
                }
            }
        }
    };
    Ok(vec![at(id, AttemptEvent::LandingIntended { landing })])
}

/// Moves the ref, unless it has moved already.
pub(crate) async fn land(
    colleagues: &Colleagues,
    cycle: &Arc<Cycle>,
    id: OpportunityId,
) -> Result<Vec<CycleEvent>, AgentError> {
    let attempt = found(cycle.attempt(id), "attempt")?;
    let AttemptStage::Landing { landing, asked } = attempt.stage.clone() else {
        return Err(AgentError::Bug("the step that is due is no landing".to_owned()));
    };
    // A process that lost its lease while it was paused must not move anything any more.
    colleagues.journal.check().await?;
    let (world, cycle, attempt) = (colleagues.world.clone(), cycle.clone(), attempt.clone());
    let outcome = blocking(move || {
        let outcome = move_refs(&world, &landing, cycle.moves)?;
        if let Outcome::Moved = outcome {
            evidence::attach(&world, &cycle, &attempt, &landing, &asked);
        }
        Ok::<_, AgentError>(outcome)
    })
    .await?;
    Ok(match outcome {
        Outcome::Moved => vec![at(id, AttemptEvent::Landed)],
        Outcome::Failed(reason) => vec![at(id, AttemptEvent::LandingFailed { reason })],
        Outcome::BaseMoved { to, reason } => {
            vec![at(id, AttemptEvent::BaseMoved { reason }), CycleEvent::TipMoved { to }]
        }
    })
}

enum Outcome {
    Moved,
    Failed(String),
    BaseMoved { to: CommitId, reason: String },
}

fn move_refs(world: &World, landing: &Landing, moves: u32) -> Result<Outcome, AgentError> {
    let repo = world.repo()?;
    let ours = landing.proposed || landing.branch.is_some() || landing.from.is_none();
    let done = if ours {
        let log = "kaizen: landed";
        let mut all =
            vec![RefMove { name: landing.target.clone(), from: landing.from.clone(), to: landing.to.clone() }];
        all.extend(landing.branch.clone().map(|name| RefMove { name, from: None, to: landing.to.clone() }));
        repo.move_refs(&all, log).map(drop)
    } else {
        move_users_ref(&repo, landing)
    };
    match done {
        Ok(()) => Ok(Outcome::Moved),
        Err(RepoError::RefMoved { name, found, .. }) if !ours => Ok(match found {
            Some(to) if moves < MAX_MOVES => {
                let reason = format!("{} moved to {} meanwhile", name.short(), to.short());
                Outcome::BaseMoved { to, reason }
            }
            Some(_) => Outcome::Failed(format!("{} keeps moving; run again when it rests", name.short())),
            None => Outcome::Failed(format!("{} was deleted meanwhile; it stays deleted", name.short())),
        }),
        Err(error) => Ok(Outcome::Failed(error.to_string())),
    }
}

fn move_users_ref(repo: &kaizen_repo::Repo, landing: &Landing) -> Result<(), RepoError> {
    match (repo.checked_out(&landing.target)?, &landing.from) {
        (Some(worktree), Some(from)) if landing.update_worktree => {
            repo.update_worktree(&worktree, &landing.target, from, &landing.to)
        }
        // Moving it would make everything that landed look like a change of the person's own.
        (Some(worktree), _) => Err(RepoError::WorkTreeRefused {
            worktree,
            path: landing.target.short().to_owned(),
            why: "the branch is checked out there; `--update-worktree` moves a clean work tree along".to_owned(),
        }),
        (None, from) => repo.move_ref(&landing.target, from.as_ref(), &landing.to, "kaizen: landed").map(drop),
    }
}

/// The branch that collects what a cycle landed.
///
/// # Errors
/// Never for ids that Kaizen made.
pub fn landed_branch(cycle: &Cycle) -> Result<RefName, AgentError> {
    branch(&format!("kaizen/{}/landed", cycle.id.short()))
}

/// The branch of one patch alone.
fn own_branch(cycle: &Cycle, id: OpportunityId, title: &str) -> Result<RefName, AgentError> {
    branch(&format!("kaizen/{}/{}-{}", cycle.id.short(), cycle.number(id), slug(title)))
}

fn branch(name: &str) -> Result<RefName, AgentError> {
    BranchName::new(name).map(|name| name.to_ref()).map_err(|error| AgentError::Bug(error.to_string()))
}

/// A title as part of a branch name: lower-case letters, digits and dashes, at most 40.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() >= 40 {
            break;
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "patch".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_title_becomes_a_plain_branch_name() {
        assert_eq!(slug("clear 11 findings of clippy::needless_borrow"), "clear-11-findings-of-clippy-needless-bor");
        assert_eq!(slug("../../ ~^: \u{202e}"), "patch");
    }
}
