//! Preview: what a model would be asked about an opportunity, without asking. It goes the way that a real question goes,
//! up to the point where money would be set aside.

use std::sync::Arc;

use kaizen_domain::{Cycle, OpportunityId, OpportunityKind, Tokens, Usd};
use kaizen_llm::{Format, Prompt};

use crate::architect::question::Question;
use crate::engine::material::prompt;
use crate::engine::model::sources;
use crate::error::AgentError;
use crate::model_gateway::Wish;
use crate::steps::{Colleagues, found};

/// A prompt that was not sent.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Who asks.
    pub who: String,
    /// Who would be asked.
    pub route: String,
    /// The form in which edits are asked for.
    pub format: Format,
    /// How much of the model's room it takes.
    pub tokens: Tokens,
    /// How that was counted.
    pub counted: &'static str,
    /// What the call would cost at most, answer included.
    pub most: Usd,
    /// The prompt.
    pub prompt: Prompt,
    /// What there was no room for.
    pub left_out: Vec<String>,
}

impl Colleagues {
    /// The first question that would be asked about an opportunity: for the patch when there is a plan, otherwise, and
    /// when `plan` says so, for the plan.
    pub(crate) async fn preview(
        &self,
        cycle: Cycle,
        id: OpportunityId,
        plan: bool,
    ) -> Result<Option<Preview>, AgentError> {
        let mut cycle = cycle;
        // What a matter taught was not known when it was asked about.
        if let Some(topic) = cycle.opportunity(id).map(|opportunity| opportunity.topic.clone()) {
            cycle.lessons.retain(|lesson| lesson.topic != topic);
        }
        let cycle = Arc::new(cycle);
        let opportunity = found(cycle.opportunity(id), "opportunity")?.clone();
        let wish = Wish { cycle: cycle.id, kind: opportunity.kind, task: id.to_string(), failed: Vec::new() };
        let Some(offer) = self.gateway.choose(&wish).await?.into_iter().next() else { return Ok(None) };
        let planned = cycle.attempt(id).is_some_and(|attempt| attempt.plan.is_some());
        let (who, prompt, left_out) = if planned && !plan {
            let brief = self.brief(&cycle, id)?;
            let sources = sources(&brief).await?;
            let (prompt, left_out) = prompt(&brief, &sources, &offer, None)?;
            (brief.task.specialist.word().to_owned(), prompt, left_out)
        } else {
            let manifests = opportunity.kind == OpportunityKind::Dependency;
            let question = Question::about(&self.world, &cycle, &opportunity, manifests).await?;
            ("Architect".to_owned(), question.prompt(&offer, None)?, Vec::new())
        };
        let estimate = self.gateway.estimate(&offer.route, &prompt);
        let Some(estimate) = estimate else { return Ok(None) };
        Ok(Some(Preview {
            who,
            route: offer.route,
            format: offer.format,
            tokens: estimate.input,
            counted: offer.tokenizer.name(),
            most: estimate.usd,
            prompt,
            left_out,
        }))
    }
}
