//! What the templates are filled with: one plain type a template, with public fields, to be filled by the agents. All
//! of it is material from outside; redaction and fencing happen when it is rendered, not here.

use kaizen_domain::{OpportunityKind, RelPath, Risk};
use serde::Serialize;

use crate::answer::{Format, PatchAnswer, PlanAnswer, SecurityAnswer};
use crate::prompt::Schema;

/// What fills one template.
pub trait Input: Serialize {
    /// The name of the template, without its ending.
    const TEMPLATE: &'static str;
    /// The form of the answer that the template asks for; none where it is asked for in words alone.
    fn schema(&self) -> Option<Schema>;
}

/// A file, or a part of one, as a model is shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromptFile {
    /// Where it is.
    pub path: RelPath,
    /// Which lines these are and why they matter; none: the whole file.
    pub part: Option<String>,
    /// What it holds.
    pub text: String,
}

impl PromptFile {
    /// A whole file.
    #[must_use]
    pub fn whole(path: RelPath, text: String) -> Self {
        Self { path, part: None, text }
    }
}

/// A test that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailingTest {
    /// Its name.
    pub name: String,
    /// What it printed, shortened by the caller.
    pub output: String,
}

/// A patch that was written for the same task before, and failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriorRound {
    /// The patch as a unified diff.
    pub diff: String,
    /// What became of it: the review's reasons, or what the trial showed.
    pub outcome: String,
}

/// An answer that could not be used, sent back once with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repair {
    /// The answer.
    pub answer: String,
    /// What was wrong with it.
    pub error: String,
}

/// For the Architect: is this worth it, and who does what?
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchitectInput {
    /// The kind of work.
    pub kind: OpportunityKind,
    /// What a change could break.
    pub risk: Risk,
    /// The opportunity in one line.
    pub title: String,
    /// What a person asked for, when somebody did.
    pub request: Option<String>,
    /// What shows the opportunity, one entry an observation.
    pub evidence: Vec<String>,
    /// What the repository holds, in short.
    pub map: Option<String>,
    /// The files that matter.
    pub files: Vec<PromptFile>,
    /// What earlier work on this repository taught.
    pub lessons: Vec<String>,
    /// The last answer, when it could not be read.
    pub repair: Option<Repair>,
}

/// For the Debugger: repair what fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DebuggerInput {
    /// The task as the plan puts it.
    pub brief: String,
    /// The tests that fail.
    pub failing: Vec<FailingTest>,
    /// What the compiler said.
    pub errors: Vec<String>,
    /// The form that edits are asked for in.
    pub format: Format,
    /// What the repository holds, in short.
    pub map: Option<String>,
    /// The files that matter.
    pub files: Vec<PromptFile>,
    /// The paths that may change.
    pub reach: Vec<RelPath>,
    /// What earlier work on this repository taught.
    pub lessons: Vec<String>,
    /// Earlier patches for the same task, the oldest first.
    pub rounds: Vec<PriorRound>,
    /// The last answer, when it could not be read.
    pub repair: Option<Repair>,
}

/// For whoever carries out what a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineerInput {
    /// What the person asked for, in their words.
    pub request: String,
    /// The task as the plan puts it.
    pub brief: String,
    /// The form that edits are asked for in.
    pub format: Format,
    /// What the repository holds, in short.
    pub map: Option<String>,
    /// The files that matter.
    pub files: Vec<PromptFile>,
    /// The paths that may change.
    pub reach: Vec<RelPath>,
    /// What earlier work on this repository taught.
    pub lessons: Vec<String>,
    /// Earlier patches for the same task, the oldest first.
    pub rounds: Vec<PriorRound>,
    /// The last answer, when it could not be read.
    pub repair: Option<Repair>,
}

/// For the Optimizer: make this faster and show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptimizerInput {
    /// The task as the plan puts it.
    pub brief: String,
    /// What shows that something is slow.
    pub evidence: Vec<String>,
    /// The name of the crate, as a program names it in `use`.
    pub package: String,
    /// The form that edits are asked for in.
    pub format: Format,
    /// What the repository holds, in short.
    pub map: Option<String>,
    /// The files that matter.
    pub files: Vec<PromptFile>,
    /// The paths that may change.
    pub reach: Vec<RelPath>,
    /// What earlier work on this repository taught.
    pub lessons: Vec<String>,
    /// Earlier patches for the same task, the oldest first.
    pub rounds: Vec<PriorRound>,
    /// The last answer, when it could not be read.
    pub repair: Option<Repair>,
}

/// For the Configurator: manifests, profiles, dependencies, settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfiguratorInput {
    /// The task as the plan puts it.
    pub brief: String,
    /// What shows that something should change.
    pub evidence: Vec<String>,
    /// The form that edits are asked for in.
    pub format: Format,
    /// What the repository holds, in short.
    pub map: Option<String>,
    /// The files that matter.
    pub files: Vec<PromptFile>,
    /// The paths that may change.
    pub reach: Vec<RelPath>,
    /// What earlier work on this repository taught.
    pub lessons: Vec<String>,
    /// Earlier patches for the same task, the oldest first.
    pub rounds: Vec<PriorRound>,
    /// The last answer, when it could not be read.
    pub repair: Option<Repair>,
}

/// For the second reader: is this patch what it seems to be? Nothing of what its writer says about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecurityInput {
    /// What the repository holds before it, in short.
    pub map: Option<String>,
    /// The files that it is about, as they were before it.
    pub files: Vec<PromptFile>,
    /// The patch as a unified diff.
    pub diff: String,
    /// The last answer, when it could not be read.
    pub repair: Option<Repair>,
}

macro_rules! input {
    ($type:ty, $template:literal, $answer:ty, $in_json:expr) => {
        impl Input for $type {
            const TEMPLATE: &'static str = $template;
            fn schema(&self) -> Option<Schema> {
                let in_json: fn(&Self) -> bool = $in_json;
                in_json(self).then(<$answer>::schema)
            }
        }
    };
}

input!(ArchitectInput, "architect", PlanAnswer, |_| true);
input!(DebuggerInput, "debugger", PatchAnswer, |input| input.format == Format::Json);
input!(EngineerInput, "engineer", PatchAnswer, |input| input.format == Format::Json);
input!(OptimizerInput, "optimizer", PatchAnswer, |input| input.format == Format::Json);
input!(ConfiguratorInput, "configurator", PatchAnswer, |input| input.format == Format::Json);
input!(SecurityInput, "security", SecurityAnswer, |_| true);
