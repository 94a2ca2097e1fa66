//! Takes a patch that somebody else wrote, and fits it onto the tip.

use async_trait::async_trait;
use kaizen_domain::{CommitId, EngineName, PatchSource};
use kaizen_repo::{Carried, Repo};

use crate::address::blocking;
use crate::engine::{Brief, Draft, Engine, Proposal};
use crate::error::AgentError;
use crate::writing::RepoSource;

/// The engine.
pub struct Given;

#[async_trait]
impl Engine for Given {
    fn name(&self) -> EngineName {
        EngineName::Given
    }

    async fn write(&self, brief: &Brief) -> Result<Draft, AgentError> {
        if brief.rounds_on_tip().next().is_some() {
            return Ok(Draft::nothing("the patch was tried on this base already"));
        }
        let (world, tip, source) = (brief.world.clone(), brief.tip().clone(), brief.cycle.request.source.clone());
        blocking(move || {
            let repo = world.repo()?;
            match &source {
                PatchSource::Engines => Err(AgentError::Bug("there is no given patch in this cycle".to_owned())),
                PatchSource::Diff { text, title, .. } => from_diff(&repo, &tip, text, title),
                PatchSource::Revert { base, commit, title, evidence, .. } => {
                    back(&repo, &tip, (base, commit), title, evidence)
                }
                PatchSource::Commit { commit, title } => from_commit(&repo, &tip, commit, title),
            }
        })
        .await
    }
}

fn from_diff(repo: &Repo, tip: &CommitId, text: &str, title: &str) -> Result<Draft, AgentError> {
    match kaizen_patch::apply_diff(text, &RepoSource { repo, commit: tip }) {
        Ok(changes) => Ok(proposal(changes, title, None, None)),
        Err(error) => Ok(Draft::nothing(error.to_string())),
    }
}

/// Takes a landed change back from what the branch is now.
fn back(
    repo: &Repo,
    tip: &CommitId,
    (base, commit): (&CommitId, &CommitId),
    title: &str,
    evidence: &[String],
) -> Result<Draft, AgentError> {
    match repo.carry(commit, base, tip)? {
        Carried::Clean(changes) if changes.is_empty() => {
            Ok(Draft::nothing("it was taken back already: changes nothing"))
        }
        Carried::Clean(changes) => {
            let rationale = format!("This takes back {commit}, since it hurts: {}.", evidence.join("; "));
            let title = title.to_owned();
            Ok(Draft::Change(Box::new(Proposal { changes, title, rationale, ..Proposal::default() })))
        }
        Carried::Conflicts(paths) => {
            Ok(Draft::nothing(format!("later changes stand in the way in {}", paths.join(", "))))
        }
    }
}

fn from_commit(repo: &Repo, tip: &CommitId, commit: &CommitId, title: &str) -> Result<Draft, AgentError> {
    let Some(left) = repo.merge_base(tip, commit)? else {
        return Ok(Draft::nothing(format!("{} has no history in common with {}", commit.short(), tip.short())));
    };
    if left == *tip {
        // It stands right on the tip: it lands as the very commit it is.
        let changes = repo.changes(tip, commit)?;
        if changes.is_empty() {
            return Ok(Draft::nothing("the branch changes nothing"));
        }
        return Ok(proposal(changes, title, Some(commit.clone()), None));
    }
    match repo.carry(&left, commit, tip)? {
        Carried::Clean(changes) if changes.is_empty() => Ok(Draft::nothing("the branch changes nothing")),
        Carried::Clean(changes) => Ok(proposal(changes, title, None, Some(commit.clone()))),
        Carried::Conflicts(paths) => Ok(Draft::nothing(format!(
            "the branch conflicts with {} in {}; merge or rebase it first",
            tip.short(),
            paths.join(", ")
        ))),
    }
}

fn proposal(
    changes: Vec<kaizen_domain::edit::Change>,
    title: &str,
    existing: Option<CommitId>,
    merges: Option<CommitId>,
) -> Draft {
    let rationale = "Proposed from outside; reviewed and tried like any other patch.".to_owned();
    Draft::Change(Box::new(Proposal {
        changes,
        title: title.to_owned(),
        rationale,
        existing,
        merges,
        ..Proposal::default()
    }))
}
