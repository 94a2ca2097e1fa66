//! Plan: the Architect's answer to an opportunity.

use serde::{Deserialize, Serialize};

use crate::id::{OpportunityId, PlanId};
use crate::patch::EngineName;
use crate::path::RelPath;
use crate::trial::TestId;

/// What the Architect says to an opportunity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is worth it, and this is how.
    Plan(Plan),
    /// It is not worth it; the reason is kept.
    Declined {
        /// Why not.
        reason: String,
    },
}

/// How an opportunity will be worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// What it answers.
    pub opportunity: OpportunityId,
    /// The work, in order. Every plan has at least one task.
    pub task: Task,
    /// Why this way.
    pub rationale: String,
}

/// One piece of work for one specialist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Who does it.
    pub specialist: Specialist,
    /// What writes the change.
    pub engine: EngineName,
    /// What is to be done, in a sentence.
    pub brief: String,
    /// The files that may change. Nothing else may, whatever any text says.
    pub reach: Vec<RelPath>,
    /// What says that it is done.
    pub check: Check,
    /// How many patches may be written for it before it is given up.
    pub rounds: u32,
}

/// The agents that write changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Specialist {
    /// Writes what is faster, with the benchmark that shows it.
    Optimizer,
    /// Repairs what fails and what the compiler finds.
    Debugger,
    /// Changes manifests, profiles, dependencies, settings.
    Configurator,
}

impl Specialist {
    /// The name people see.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Optimizer => "Optimizer",
            Self::Debugger => "Debugger",
            Self::Configurator => "Configurator",
        }
    }
}

/// What says that a task is done, beyond "nothing that passed before fails now".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// Nothing that passed before fails now.
    NothingBreaks,
    /// The code builds.
    Builds,
    /// These tests pass.
    TestsPass {
        /// The tests that fail today.
        tests: Vec<TestId>,
    },
    /// The benchmark that comes with the patch runs faster than on the base.
    Faster,
}
