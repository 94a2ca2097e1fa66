//! Revising: a pull request follows the branch it goes to, and is changed for reviews and for checks that fail. Each change is
//! a cycle of its own, reviewed and tried like any other; what it gives is pushed onto the branch of the pull request.

use kaizen_contributing::default_body;
use kaizen_domain::{
    Attempt, AttemptStage, Base, BranchName, CommitId, Cycle, CycleRequest, Event, Goal, LandingMode, OpportunityKind,
    Patch, PatchId, PatchSource, PullRequest, PullRequestEvent, PullRequestStage, Revision, RevisionReason, Word,
};
use kaizen_forge::ForgeError;

use crate::address::blocking;
use crate::coordinator::CoordinatorHandle;
use crate::cycle::fold;
use crate::error::AgentError;
use crate::pull_requests::Keeper;
use crate::pull_requests::book::{Entry, newest};
use crate::pull_requests::told::Told;
use crate::pull_requests::words::{self, parts_after};

/// What a cycle gave for a pull request.
enum Outcome {
    /// This change.
    Patch(Box<Patch>),
    /// The branch has it already, or does not need it any more.
    NotNeeded(String),
    /// Nothing.
    Failed(String),
}

impl Keeper {
    /// Makes the change that is under way, or goes on with it, and pushes it. `known` is the cycle that was run for it
    /// before this round.
    pub(super) async fn finish_revising(
        &self,
        mut known: Option<Cycle>,
        entry: &Entry,
        mut pull: PullRequest,
        tip: &CommitId,
        told: &mut Vec<Told>,
    ) -> Result<(), AgentError> {
        let mut revised = known.clone();
        while let PullRequestStage::Revising { reason } = pull.stage.clone() {
            let cycle = match known.take() {
                Some(cycle) => cycle,
                None => self.run(entry, &pull, &reason, tip).await?,
            };
            revised = Some(cycle.clone());
            pull = match outcome(&cycle, &reason) {
                Outcome::Patch(patch) => {
                    let base = onto(&reason).unwrap_or(&pull.proposal.base).clone();
                    let event = PullRequestEvent::PushIntended { to: patch.commit, base, holds: patch.id };
                    self.record(pull, event).await?
                }
                Outcome::NotNeeded(reason) => {
                    let event = PullRequestEvent::CloseIntended { reason, superseded: true };
                    let pull = self.record(pull, event).await?;
                    return self.finish_closing(pull, told).await;
                }
                Outcome::Failed(why) => {
                    let failed = PullRequestEvent::RevisionFailed { reason: why };
                    let again = redo(entry, &reason).filter(|again| pull.rounds_left(again) > 0);
                    let (Some(again), Some(number)) = (again, pull.number) else {
                        let number = pull.number.unwrap_or_default();
                        return self.give_up(pull, vec![failed], number, &reason, told).await;
                    };
                    tracing::info!(number, "the change does not fit the branch any more and is made again");
                    let begun = PullRequestEvent::RevisionBegun { reason: again };
                    self.record_all(pull, vec![failed, begun]).await?
                }
            };
        }
        self.finish_pushing(entry, pull, revised.as_ref(), tip, told).await
    }

    /// Moves the branch there, from exactly where Kaizen left it.
    async fn finish_pushing(
        &self,
        entry: &Entry,
        pull: PullRequest,
        revised: Option<&Cycle>,
        tip: &CommitId,
        told: &mut Vec<Told>,
    ) -> Result<(), AgentError> {
        let (PullRequestStage::Pushing { to, base, holds }, Some(number)) = (pull.stage.clone(), pull.number) else {
            return Ok(());
        };
        self.journal.check().await?;
        let branch: BranchName = pull.proposal.branch.clone();
        let token = self.forge.token().await?;
        match self.git.push(&branch, Some(&pull.proposal.head), &to, &token).await {
            Ok(_) => {}
            Err(error @ (ForgeError::Protected { .. } | ForgeError::BranchMoved { .. })) => {
                let reason = error.to_string();
                let pull = self.record(pull, PullRequestEvent::RevisionFailed { reason: reason.clone() }).await?;
                told.push(Told::Stuck { patch: pull.patch, number, why: reason });
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        let body = match revised {
            Some(revised) => self.say_anew(entry, &pull, (holds, revised), tip, number).await?,
            None => None,
        };
        let how = format!("now at {}, on {}", to.short(), base.short());
        told.push(Told::Changed { patch: pull.patch, number, how: how.clone() });
        let key = format!("changed-{}", to.short());
        self.say(pull, vec![PullRequestEvent::Pushed { body }], &key, &words::changed(&to, &how)).await.map(drop)
    }

    /// Says in the pull request what is true of the change; words that somebody else put there stay.
    async fn say_anew(
        &self,
        entry: &Entry,
        pull: &PullRequest,
        (holds, revised): (PatchId, &Cycle),
        tip: &CommitId,
        number: u64,
    ) -> Result<Option<String>, AgentError> {
        let rounds = revised.attempts.iter().flat_map(|attempt| &attempt.rounds);
        let Some(patch) = rounds.map(|round| &round.patch).find(|patch| patch.id == holds) else { return Ok(None) };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let there = words(&self.forge.get(number).await?.body);
        let cycle = fold(entry.cycle, &self.journal.records(Some(entry.cycle)).await?)?;
        let parts = parts_after(&cycle, entry, patch, revised);
        let body = match self.customs(tip).await?.template {
            Some(form) => form.fill(&parts),
            None => default_body(&parts),
        };
        // After a crash it may be there already.
        if there != words(&pull.proposal.body) && there != words(&body) {
            return Ok(None);
        }
        self.forge.describe(number, &pull.proposal.title, &body).await?;
        Ok(Some(body))
    }

    /// Runs the cycle that makes the change.
    async fn run(
        &self,
        entry: &Entry,
        pull: &PullRequest,
        reason: &RevisionReason,
        tip: &CommitId,
    ) -> Result<Cycle, AgentError> {
        let request = self.request(entry, pull, reason, tip).await?;
        let coordinator = CoordinatorHandle::new(&self.world.system);
        let cycle = coordinator.run(request).await?;
        Ok(Cycle::clone(&cycle))
    }

    async fn request(
        &self,
        entry: &Entry,
        pull: &PullRequest,
        reason: &RevisionReason,
        tip: &CommitId,
    ) -> Result<CycleRequest, AgentError> {
        let head = pull.proposal.head.clone();
        let records = self.journal.records(Some(entry.cycle)).await?;
        let first = fold(entry.cycle, &records)?.request;
        let target = Some(self.onto.to_ref());
        let (commit, source, goal, only) = match reason {
            RevisionReason::BaseMoved { .. } => {
                let (world, from, to) = (self.world.clone(), pull.proposal.base.clone(), head.clone());
                let text = blocking(move || -> Result<String, AgentError> {
                    Ok(kaizen_patch::render(&world.repo()?.changes(&from, &to)?))
                })
                .await?;
                let title = pull.proposal.title.clone();
                (tip.clone(), PatchSource::Diff { text, title, approves: None }, None, Vec::new())
            }
            RevisionReason::Redo { .. } => (tip.clone(), PatchSource::Engines, first.goal.clone(), first.only.clone()),
            RevisionReason::Asked { text, .. } => {
                let goal = Some(Goal(text.clone()));
                (head.clone(), PatchSource::Engines, goal, vec![OpportunityKind::Goal])
            }
            RevisionReason::RedCheck { .. } => {
                (head.clone(), PatchSource::Engines, None, vec![OpportunityKind::Repair])
            }
        };
        Ok(CycleRequest {
            base: Base { commit, target, folder: self.folder.clone() },
            source,
            goal,
            only,
            max_landings: 1,
            max_opportunities: 1,
            landing: LandingMode::PullRequest,
            update_worktree: false,
            dry_run: false,
            budget: first.budget,
            replays: None,
            revises: Some(Revision {
                patch: pull.patch,
                branch: pull.proposal.branch.to_ref(),
                head,
                reason: reason.clone(),
            }),
        })
    }

    /// Whether a cycle that was cut off changes a pull request; such a one is brought to its end before any round.
    #[must_use]
    pub fn revises(event: &Event) -> bool {
        matches!(event, Event::Cycle { event: kaizen_domain::cycle::CycleEvent::Started { request }, .. } if request.revises.is_some())
    }
}

/// The commit of the other branch that a change for this reason stands on.
fn onto(reason: &RevisionReason) -> Option<&CommitId> {
    match reason {
        RevisionReason::BaseMoved { to } | RevisionReason::Redo { onto: to, .. } => Some(to),
        RevisionReason::RedCheck { .. } | RevisionReason::Asked { .. } => None,
    }
}

/// A change that does not fit any more is made again from the same findings, when findings led to it.
fn redo(entry: &Entry, failed: &RevisionReason) -> Option<RevisionReason> {
    let RevisionReason::BaseMoved { to } = failed else { return None };
    let found = !matches!(entry.opportunity.kind, OpportunityKind::Proposal);
    found.then(|| RevisionReason::Redo { onto: to.clone(), topic: entry.opportunity.topic.clone() })
}

fn outcome(cycle: &Cycle, reason: &RevisionReason) -> Outcome {
    if let Some((reason, _)) = &cycle.failure {
        return Outcome::Failed(reason.clone());
    }
    let queued = cycle.attempts.iter().find(|attempt| attempt.word() == Some(Word::Queued)).and_then(newest);
    if let Some(patch) = queued {
        return Outcome::Patch(Box::new(patch));
    }
    let reasons: Vec<String> = cycle.attempts.iter().flat_map(reasons_of).collect();
    if reasons.iter().any(|reason| reason.contains("changes nothing")) {
        return Outcome::NotNeeded("the branch it goes to holds this change already".to_owned());
    }
    match reason {
        RevisionReason::Redo { topic, .. } if cycle.attempts.is_empty() => {
            Outcome::NotNeeded(format!("what it is about ({topic}) is not found on the branch any more"))
        }
        _ if reasons.is_empty() => Outcome::Failed("nobody knew how to change it".to_owned()),
        _ => Outcome::Failed(reasons.join("; ")),
    }
}

fn reasons_of(attempt: &Attempt) -> Vec<String> {
    match &attempt.stage {
        AttemptStage::Done { reasons, .. } => reasons.clone(),
        _ => Vec::new(),
    }
}
