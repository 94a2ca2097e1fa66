//! Conventions: how a repository wants its commits worded, and where changes go, as far as its texts say so.

use crate::rules::{Condition, Rules};

/// What the texts say about commits and branches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conventions {
    /// Commits are worded as Conventional Commits.
    pub conventional_commits: bool,
    /// The branch that changes go to, where one is named.
    pub target_branch: Option<String>,
    /// Trailers that the commits of a program have.
    pub trailers: Vec<String>,
}

impl Rules {
    /// The conditions that are about commits and branches.
    #[must_use]
    pub fn conventions(&self) -> Conventions {
        let mut conventions = Conventions::default();
        for condition in &self.conditions {
            match condition {
                Condition::ConventionalCommits => conventions.conventional_commits = true,
                Condition::TargetBranch(name) => conventions.target_branch = Some(name.clone()),
                Condition::Trailer(name) => conventions.trailers.push(name.clone()),
                _ => {}
            }
        }
        conventions
    }
}
