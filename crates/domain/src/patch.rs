//! Patch: a set of edits against one base commit, with its author, rationale and cost.

use serde::{Deserialize, Serialize};

use crate::id::{OpportunityId, PatchId};
use crate::model_use::ModelUse;
use crate::money::Spend;
use crate::names::{CommitId, TreeId};
use crate::path::RelPath;

/// A change that has been written and stored as a commit, not landed anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Its id.
    pub id: PatchId,
    /// What it is for.
    pub opportunity: OpportunityId,
    /// The commit it was written against and will be tried on.
    pub base: CommitId,
    /// The commit that holds the result, parent `base`.
    pub commit: CommitId,
    /// The tree of that commit: what the trial sees, byte for byte.
    pub tree: TreeId,
    /// Who wrote it.
    pub author: Authorship,
    /// The subject of its commit message.
    pub title: String,
    /// Why it is right.
    pub rationale: String,
    /// What it does to each file.
    pub files: Vec<FileChange>,
    /// The change as a unified diff.
    pub diff: String,
    /// The keys of the suggestions it applies, when a fixer wrote it.
    pub items: Vec<String>,
    /// More suggestions wait to be tried with these; a pass means "go on", not "land".
    pub more: bool,
    /// A program that shows a performance change, run on both sides and never landed.
    pub benchmark: Option<String>,
    /// What it cost to write.
    pub spend: Spend,
}

/// Who wrote a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorship {
    /// The agent, or who else proposed it.
    pub agent: String,
    /// What wrote the text.
    pub engine: EngineName,
    /// The model, when one did, as its provider names it.
    pub model: Option<String>,
    /// The questions to models that led to it, the one that it came from last.
    #[serde(default)]
    pub uses: Vec<ModelUse>,
}

/// What can write a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineName {
    /// Applies the suggestions that rustc and clippy mark as safe for machines.
    Rustfix,
    /// Removes dependencies and settles the lock file.
    Manifest,
    /// A language model.
    Model,
    /// Somebody outside Kaizen.
    Given,
}

impl EngineName {
    /// The word people see.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rustfix => "rustfix",
            Self::Manifest => "manifest",
            Self::Model => "model",
            Self::Given => "given",
        }
    }
}

/// What a patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// The file.
    pub path: RelPath,
    /// Whether it is new, changed or gone.
    pub kind: FileChangeKind,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
}

/// Whether a file is new, changed or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChangeKind {
    /// It did not exist on the base.
    Added,
    /// It has other content.
    Modified,
    /// It is gone.
    Removed,
}

impl Patch {
    /// Lines added and removed, over all files.
    #[must_use]
    pub fn lines(&self) -> (u32, u32) {
        self.files.iter().fold((0, 0), |(added, removed), file| {
            (added.saturating_add(file.added), removed.saturating_add(file.removed))
        })
    }
}
