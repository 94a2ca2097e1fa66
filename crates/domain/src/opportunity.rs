//! Opportunity: one thing worth changing, with its evidence, impact, risk and tenant.

use serde::{Deserialize, Serialize};

use crate::id::{OpportunityId, SignalId};
use crate::names::TenantId;
use crate::path::RelPath;
use crate::time::Millis;

/// One thing worth changing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opportunity {
    /// Its id.
    pub id: OpportunityId,
    /// Whose repository it is about.
    pub tenant: TenantId,
    /// The kind of work.
    pub kind: OpportunityKind,
    /// One line for a person, imperative.
    pub title: String,
    /// A name that is the same for the same matter in every cycle: what lessons are looked up by.
    pub topic: String,
    /// The signals that show it.
    pub evidence: Vec<SignalId>,
    /// The files it is about.
    pub files: Vec<RelPath>,
    /// What a change would bring.
    pub impact: Impact,
    /// What a change could break.
    pub risk: Risk,
    /// What finding out will cost, estimated.
    pub cost: Millis,
    /// How sure analysis is that a change is possible and wanted, 0 to 1.
    pub confidence: f64,
}

/// The kinds of work, as `--only` takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpportunityKind {
    /// The build or a test is broken.
    Repair,
    /// A person asked for it.
    Goal,
    /// Something is slower than it need be.
    Performance,
    /// A manifest or a lock file could be better.
    Dependency,
    /// A finding of the compiler or of clippy.
    Cleanup,
    /// A `TODO` or `FIXME` that has waited.
    Debt,
    /// A patch from somebody else to be judged.
    Proposal,
}

impl OpportunityKind {
    /// All kinds that a cycle looks for by itself.
    pub const SOUGHT: [Self; 6] =
        [Self::Repair, Self::Goal, Self::Performance, Self::Dependency, Self::Cleanup, Self::Debt];

    /// The word of the kind, as `--only` takes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Repair => "repair",
            Self::Goal => "goal",
            Self::Performance => "performance",
            Self::Dependency => "dependency",
            Self::Cleanup => "cleanup",
            Self::Debt => "debt",
            Self::Proposal => "proposal",
        }
    }
}

/// What a change would bring, in three factors that stay visible.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// The gain for one use, in percent of what it costs today.
    pub performance_gain: f64,
    /// How many users (or, for a library, how many of its files and callers) feel it.
    pub affected_users: f64,
    /// How often a user meets it, in times a day.
    pub frequency: f64,
}

impl Impact {
    /// `performance gain x affected users x frequency / 100`; 0 for anything that is not a finite number.
    #[must_use]
    pub fn score(&self) -> f64 {
        let score = self.performance_gain * self.affected_users * self.frequency / 100.0;
        if score.is_finite() && score > 0.0 { score } else { 0.0 }
    }
}

/// What a change could break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing a test would not see at once.
    Low,
    /// Behaviour in a corner.
    Medium,
    /// Behaviour that people rely on.
    High,
}

impl Risk {
    /// The word of the level.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Impact;

    #[test]
    fn the_score_is_the_product_over_a_hundred_and_never_a_surprise() {
        let impact = Impact { performance_gain: 10.0, affected_users: 4.0, frequency: 5.0 };
        assert!((impact.score() - 2.0).abs() < 1e-9);
        for odd in [f64::NAN, f64::INFINITY, -1.0] {
            assert!(Impact { performance_gain: odd, ..impact }.score().abs() < 1e-9);
        }
    }
}
