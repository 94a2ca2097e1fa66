//! The terms of a cycle as a caller gives them; what is left out comes from the settings.

use kaizen_domain::{Base, CommitId, CycleRequest, Goal, LandingMode, OpportunityKind, PatchSource, RefName, Usd};
use kaizen_settings::Settings;

use crate::failure::Failure;

/// The terms of a cycle.
#[derive(Debug, Clone, Default)]
pub struct CycleTerms {
    /// What a person asks for.
    pub goal: Option<String>,
    /// The kinds of work; empty: as the settings say.
    pub only: Vec<OpportunityKind>,
    /// How many patches may land.
    pub max_landings: Option<u32>,
    /// How many opportunities are taken up.
    pub max_opportunities: Option<u32>,
    /// Where patches land.
    pub landing: Option<LandingMode>,
    /// Whether a clean work tree moves along with a merge.
    pub update_worktree: bool,
    /// Everything but the landing.
    pub dry_run: bool,
    /// What a model may cost.
    pub budget: Option<Usd>,
    /// Where to start from, and the branch that it belongs to, in place of what the repository says here.
    pub start: Option<(CommitId, RefName)>,
    /// A patch that somebody else wrote, instead of looking for work.
    pub given: Option<PatchSource>,
}

impl CycleTerms {
    /// The request that these terms and the settings amount to.
    ///
    /// # Errors
    /// When the settings hold an amount that is none.
    pub(crate) fn request(self, base: Base, settings: &Settings) -> Result<CycleRequest, Failure> {
        let budget = match self.budget {
            Some(budget) => budget,
            None => settings.model.budget_usd.parse().map_err(|error| {
                Failure::input(format!("`model.budget_usd`: {error}"), "write an amount in dollars, such as \"0.50\"")
            })?,
        };
        // Somebody who asks for one thing does not ask for the others.
        let mut only = if self.only.is_empty() { settings.cycle.only.clone() } else { self.only };
        if self.goal.is_some() && only.is_empty() {
            only = vec![OpportunityKind::Goal];
        }
        let max_landings = self.max_landings.unwrap_or(settings.cycle.max_landings);
        // Who asks for many landings means as many opportunities, unless they say otherwise.
        let most = self.max_opportunities.unwrap_or_else(|| settings.cycle.max_opportunities.max(max_landings));
        Ok(CycleRequest {
            base,
            source: self.given.unwrap_or(PatchSource::Engines),
            goal: self.goal.map(Goal),
            only,
            max_landings,
            max_opportunities: most,
            landing: self.landing.unwrap_or(settings.landing.mode),
            update_worktree: self.update_worktree,
            dry_run: self.dry_run,
            budget,
            revises: None,
            replays: None,
        })
    }
}
