//! The second reader: a model that is shown a patch which would land, and the code as it was, without a word of whoever
//! wrote it. What it says can only make the review stricter, and where it says nothing a person is asked.

use std::sync::Arc;

use kaizen_context::Focus;
use kaizen_domain::{Cycle, Finding, OpportunityKind, Patch, PatchSource, Severity, Spend, Verdict};
use kaizen_llm::inputs::{Repair, SecurityInput};
use kaizen_llm::{Prompt, SecurityAnswer, render};

use crate::address::blocking;
use crate::engine::material::{Sources, room_beside};
use crate::error::AgentError;
use crate::model_gateway::{GatewayHandle, Offer, Wish};
use crate::world::World;

/// The rule of all that it finds.
const RULE: &str = "second-reader";
/// How often it is asked when its answer cannot be read.
const ASKED: usize = 2;

/// Has a patch read, and says what that cost.
///
/// # Errors
/// When the commit cannot be read, or the gateway fails. A model that gives no answer is a finding.
pub(super) async fn read(
    world: &Arc<World>,
    gateway: &GatewayHandle,
    cycle: &Cycle,
    patch: &Patch,
    kind: OpportunityKind,
) -> Result<(Vec<Finding>, Spend), AgentError> {
    let (within, of, folder) = (world.clone(), patch.clone(), cycle.request.base.folder.clone());
    let text = blocking(move || -> Result<Text, AgentError> {
        let repo = within.repo()?;
        let diff = repo.diff_text(&of.base, &of.commit)?;
        let paths = repo.stat(&of.base, &of.commit)?.into_iter().map(|change| change.path).collect();
        let focus = Focus { reach: paths, words: vec![diff.clone()], ..Focus::default() };
        Ok(Text { sources: Sources::of(&within, &of.base, &folder)?, focus, diff })
    });
    let text = text.await?;
    let wish = Wish { cycle: cycle.id, kind, task: patch.opportunity.to_string(), failed: Vec::new() };
    let (mut repair, mut spend): (Option<Repair>, Spend) = (None, Spend::default());
    for _ in 0..ASKED {
        if !has_room(&gateway.choose(&wish).await?, &text)? {
            return Ok((vec![unread("the diff is longer than any model here can read")], spend));
        }
        match gateway.ask(cycle, &wish, |offer| text.prompt(offer, repair.as_ref())).await? {
            Err(none) => return Ok((vec![unread(&none.reason)], spend.plus(none.spend))),
            Ok(heard) => {
                spend = spend.plus(heard.answered.spend);
                match SecurityAnswer::parse(&heard.answered.text) {
                    Ok(answer) => return Ok((findings(answer, &heard.offer.route, &cycle.request.source), spend)),
                    Err(error) => {
                        repair = Some(Repair { answer: heard.answered.text, error: error.to_string() });
                    }
                }
            }
        }
    }
    let error = repair.map(|repair| repair.error).unwrap_or_default();
    Ok((vec![unread(&format!("its answer could not be used: {error}"))], spend))
}

/// What the reader is shown.
struct Text {
    sources: Sources,
    focus: Focus,
    diff: String,
}

impl Text {
    fn bare(&self, repair: Option<&Repair>) -> SecurityInput {
        SecurityInput { map: None, files: Vec::new(), diff: self.diff.clone(), repair: repair.cloned() }
    }

    /// The prompt for a model: the whole diff, and of the code as much as there is room for.
    fn prompt(&self, offer: &Offer, repair: Option<&Repair>) -> Result<Prompt, AgentError> {
        let bare = self.bare(repair);
        let room = room_beside(offer, &fill(&bare)?);
        let shown = self.sources.pick(&self.focus, room, offer.tokenizer);
        fill(&SecurityInput { map: shown.map, files: shown.files, ..bare })
    }
}

fn fill(input: &SecurityInput) -> Result<Prompt, AgentError> {
    render(input).map_err(|error| AgentError::Bug(error.to_string()))
}

/// Whether the diff fits into what each of the models reads.
fn has_room(offers: &[Offer], text: &Text) -> Result<bool, AgentError> {
    let bare = fill(&text.bare(None))?;
    Ok(offers.iter().all(|offer| room_beside(offer, &bare) > 0))
}

fn finding(severity: Severity, detail: String) -> Finding {
    Finding { severity, rule: RULE.to_owned(), path: None, detail }
}

/// Nobody has read it.
fn unread(why: &str) -> Finding {
    finding(Severity::Person, format!("the second reader has not read it: {why}"))
}

/// What an answer means. What Kaizen wrote goes back to its writer; about what others wrote, a person decides.
fn findings(answer: SecurityAnswer, route: &str, source: &PatchSource) -> Vec<Finding> {
    let severity = match answer.verdict {
        Verdict::Pass => return vec![finding(Severity::Note, format!("`{route}` has read it and objects to nothing"))],
        Verdict::Refuse if matches!(source, PatchSource::Engines) => Severity::Refusal,
        Verdict::Refuse | Verdict::AskPerson => Severity::Person,
    };
    answer.reasons.into_iter().map(|reason| finding(severity, format!("`{route}` has read it: {reason}"))).collect()
}
