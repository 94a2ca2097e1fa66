//! Engines: what writes the text of a change. One trait; fixers need no model, the model engine needs one.
//!
//! An engine proposes and nothing more: it touches no ref, starts no trial of its own accord and decides nothing. What
//! it may change is fixed by the task's reach before it is asked.

pub(crate) mod feedback;
pub mod given;
pub mod manifest;
pub mod material;
pub mod model;
pub mod rustfix;

use std::sync::Arc;

use async_trait::async_trait;
use kaizen_domain::attempt::Round;
use kaizen_domain::edit::Change;
use kaizen_domain::{Attempt, CommitId, Cycle, EngineName, ModelUse, Opportunity, Signal, Spend, Task};

use crate::error::AgentError;
use crate::model_gateway::GatewayHandle;
use crate::shop::TreeOf;
use crate::trial_pool::PoolHandle;
use crate::world::World;

/// What an engine is told.
#[derive(Clone)]
pub struct Brief {
    /// The world.
    pub world: Arc<World>,
    /// The sandbox.
    pub pool: PoolHandle,
    /// The model.
    pub gateway: GatewayHandle,
    /// The cycle as it stands.
    pub cycle: Arc<Cycle>,
    /// What the change is for.
    pub opportunity: Opportunity,
    /// The work so far, with what became of earlier patches.
    pub attempt: Attempt,
    /// The task.
    pub task: Task,
    /// What a model needs to know about it, in the light of the agent's trade.
    pub case: Case,
}

/// What a model needs to know about a matter. Everything in it is data from outside.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// What is to be done, in the Architect's words.
    pub brief: String,
    /// Failing tests with what they printed.
    pub failing_tests: Vec<(String, String)>,
    /// What the compiler, clippy or the lock file say.
    pub diagnostics: Vec<String>,
    /// What is slow.
    pub slow: Vec<String>,
}

impl Case {
    /// The task; the agent adds the evidence of its trade.
    #[must_use]
    pub fn of(brief: &Brief) -> Self {
        Self { brief: brief.task.brief.clone(), ..Self::default() }
    }
}

impl Brief {
    /// The commit that the change is written on.
    #[must_use]
    pub fn tip(&self) -> &CommitId {
        &self.cycle.tip
    }

    /// The tree of that commit.
    #[must_use]
    pub fn tree(&self) -> TreeOf {
        tree_of(&self.cycle, &self.cycle.tip)
    }

    /// The signals that show the opportunity.
    pub fn evidence(&self) -> impl Iterator<Item = &Signal> {
        self.cycle.signals.iter().filter(|signal| self.opportunity.evidence.contains(&signal.id))
    }

    /// Earlier patches that were written on the same commit: the others say nothing about it.
    pub fn rounds_on_tip(&self) -> impl Iterator<Item = &Round> {
        self.attempt.rounds.iter().filter(|round| round.patch.base == self.cycle.tip)
    }
}

/// A commit as the sandbox sees it in a cycle.
#[must_use]
pub fn tree_of(cycle: &Cycle, commit: &CommitId) -> TreeOf {
    TreeOf {
        warm: cycle.request.base.commit.clone(),
        commit: commit.clone(),
        folder: cycle.request.base.folder.clone(),
    }
}

/// What an engine answers.
pub enum Draft {
    /// A change.
    Change(Box<Proposal>),
    /// It can write none, or none any more.
    Nothing {
        /// Why.
        reasons: Vec<String>,
        /// What finding that out cost.
        spend: Spend,
        /// The questions to models that led to it.
        uses: Vec<ModelUse>,
    },
    /// The model gave no answer.
    Unanswered {
        /// Why.
        reason: String,
        /// What asking cost.
        spend: Spend,
        /// The questions to models that were answered before.
        uses: Vec<ModelUse>,
    },
}

impl Draft {
    /// An answer that cost nothing: there is nothing to write, and why.
    #[must_use]
    pub fn nothing(reason: impl Into<String>) -> Self {
        Self::Nothing { reasons: vec![reason.into()], spend: Spend::default(), uses: Vec::new() }
    }
}

/// A change as an engine proposes it.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    /// What it does to files of the tip.
    pub changes: Vec<Change>,
    /// One line, imperative.
    pub title: String,
    /// Why it is right.
    pub rationale: String,
    /// Keys of the suggestions in it.
    pub items: Vec<String>,
    /// Whether parts are left that will be tried if this passes.
    pub more: bool,
    /// A program that shows a performance change.
    pub benchmark: Option<String>,
    /// The model that wrote it.
    pub model: Option<String>,
    /// The questions to models that led to it, the one that it came from last.
    pub uses: Vec<ModelUse>,
    /// What it cost.
    pub spend: Spend,
    /// A commit of somebody else that is this very change on the tip: it lands as it is.
    pub existing: Option<CommitId>,
    /// A commit of somebody else that this change merges.
    pub merges: Option<CommitId>,
}

/// What writes a change.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Its name, as plans give it.
    fn name(&self) -> EngineName;

    /// Writes the next change for a task, given what became of the earlier ones.
    ///
    /// # Errors
    /// When something around it fails; that it has no idea is [`Draft::Nothing`].
    async fn write(&self, brief: &Brief) -> Result<Draft, AgentError>;
}
