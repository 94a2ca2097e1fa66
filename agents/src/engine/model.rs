//! Has a language model write the change. What it answers is data: edits that are applied to the files of the tip,
//! within the reach that the plan fixed, and reviewed and tried like anybody's.
//!
//! An answer that cannot be used, or that is a patch which failed already, is sent back once with what is wrong with it.
//! After that, and when patches keep failing in the same way, the matter ends with the reason. Where several answers are
//! asked for at once, the smallest change is tried first: the first one that passes its trial is then the smallest that does.

use std::sync::Arc;

use async_trait::async_trait;
use kaizen_domain::edit::Change;
use kaizen_domain::{EngineName, ModelUse, Spend};
use kaizen_llm::inputs::Repair;
use kaizen_llm::{PatchAnswer, Prompt};

use crate::address::blocking;
use crate::engine::material::{Sources, prompt};
use crate::engine::{Brief, Draft, Engine, Proposal, feedback};
use crate::error::AgentError;
use crate::model_gateway::{Heard, Offer, Unanswered, Wish};
use crate::writing::RepoSource;

/// How often an answer that cannot be used is sent back.
const REPAIRS: usize = 1;

/// Answers that are asked for at once, at most: a repository may ask for more.
pub const MOST_CANDIDATES: u32 = 8;

/// The engine.
pub struct Model;

#[async_trait]
impl Engine for Model {
    fn name(&self) -> EngineName {
        EngineName::Model
    }

    async fn write(&self, brief: &Brief) -> Result<Draft, AgentError> {
        let sources = sources(brief).await?;
        let mut work = Work { brief, sources, spend: Spend::default(), uses: Vec::new() };
        if let Some(reason) = feedback::no_progress(brief.rounds_on_tip()) {
            let last = brief.rounds_on_tip().last().and_then(|round| round.reworked.clone()).unwrap_or_default();
            return Ok(work.nothing(format!("{reason}; {last}")));
        }
        match work.candidates().await? {
            Candidates::Next(found) => return Ok(work.change(*found)),
            Candidates::Tried => {}
            Candidates::Unanswered(none) => return Ok(work.unanswered(none)),
            Candidates::Nothing(reason) => return Ok(work.nothing(reason)),
        }
        work.after_failures().await
    }
}

/// The sources of the tip.
///
/// # Errors
/// When it cannot be read.
pub async fn sources(brief: &Brief) -> Result<Arc<Sources>, AgentError> {
    let (world, tip) = (brief.world.clone(), brief.tip().clone());
    let folder = brief.cycle.request.base.folder.clone();
    blocking(move || Sources::of(&world, &tip, &folder).map(Arc::new)).await
}

/// The prompt that would be sent to a model now.
///
/// # Errors
/// When a template cannot be filled.
fn written(brief: &Brief, sources: &Sources, offer: &Offer, repair: Option<&Repair>) -> Result<Prompt, AgentError> {
    prompt(brief, sources, offer, repair).map(|(prompt, _)| prompt)
}

/// A change that a model wrote.
struct Found {
    answer: PatchAnswer,
    changes: Vec<Change>,
    model: String,
    /// The question that it came from.
    last: ModelUse,
}

impl Found {
    fn size(&self) -> usize {
        kaizen_patch::stat(&self.changes).iter().map(|file| file.added as usize + file.removed as usize).sum()
    }
}

enum Taken {
    Change(PatchAnswer, Vec<Change>),
    GaveUp(String),
    Unusable(String),
}

/// What the answers to the first question come to.
enum Candidates {
    /// The smallest that has not been tried.
    Next(Box<Found>),
    /// All of them have been tried.
    Tried,
    Unanswered(Unanswered),
    Nothing(String),
}

struct Work<'b> {
    brief: &'b Brief,
    sources: Arc<Sources>,
    spend: Spend,
    uses: Vec<ModelUse>,
}

impl Work<'_> {
    /// Answers to the question as it was before anything failed. They are paid for once: later rounds find them in the
    /// journal.
    async fn candidates(&mut self) -> Result<Candidates, AgentError> {
        let wanted = self.brief.world.settings.agents.candidates.clamp(1, MOST_CANDIDATES);
        let fresh = Brief { attempt: self.without_rounds(), ..self.brief.clone() };
        if wanted == 1 && self.brief.rounds_on_tip().next().is_some() {
            return Ok(Candidates::Tried);
        }
        let wish = wish(self.brief, &[]);
        let (fresh, sources, wish) = (&fresh, &self.sources, &wish);
        let ask = |sample: u32| async move {
            let write = |offer: &Offer| Ok::<_, AgentError>(Prompt { sample, ..written(fresh, sources, offer, None)? });
            fresh.gateway.ask(&fresh.cycle, wish, write).await
        };
        let answers = futures::future::join_all((0..wanted).map(ask)).await;
        // In later rounds they are known, and have been counted.
        let before = (self.spend, self.uses.len());
        let counted = self.brief.rounds_on_tip().next().is_some();
        let (mut found, mut last, mut unanswered) = (Vec::new(), None, None);
        for answer in answers {
            match answer? {
                Ok(heard) => match self.hear(fresh, heard).await? {
                    (Ok(one), _) => found.push(one),
                    (Err(taken), repair) => last = Some((taken, repair)),
                },
                Err(none) => {
                    self.spend = self.spend.plus(none.spend);
                    unanswered = Some(Unanswered { spend: Spend::default(), ..none });
                }
            }
        }
        if counted {
            self.spend = before.0;
            self.uses.truncate(before.1);
        }
        let tried = |one: &Found| self.brief.rounds_on_tip().any(|round| same(round, &one.changes));
        let any = !found.is_empty();
        found.retain(|one| !tried(one));
        found.sort_by_key(Found::size);
        if !found.is_empty() {
            return Ok(Candidates::Next(Box::new(found.remove(0))));
        }
        Ok(match (last, unanswered) {
            _ if any || self.brief.rounds_on_tip().next().is_some() => Candidates::Tried,
            (Some((Taken::GaveUp(reason), _)), _) => Candidates::Nothing(format!("the model gave up: {reason}")),
            (Some((_, Some(repair))), _) => self.again(fresh, repair).await?,
            (_, Some(none)) => Candidates::Unanswered(none),
            (_, None) => Candidates::Nothing("the model gave no answer".to_owned()),
        })
    }

    /// The question with what became of the patches so far; a stronger model is preferred.
    async fn after_failures(&mut self) -> Result<Draft, AgentError> {
        let brief = self.brief;
        let failed: Vec<String> = brief
            .rounds_on_tip()
            .filter_map(|round| round.patch.author.uses.last().map(|last| last.route.clone()))
            .collect();
        let wish = wish(brief, &failed);
        let sources = Arc::clone(&self.sources);
        let asked = brief.gateway.ask(&brief.cycle, &wish, |offer| written(brief, &sources, offer, None)).await?;
        let heard = match asked {
            Ok(heard) => heard,
            Err(none) => return Ok(self.unanswered(none)),
        };
        let repair = match self.hear(brief, heard).await? {
            (Ok(found), _) => match brief.rounds_on_tip().position(|round| same(round, &found.changes)) {
                None => return Ok(self.change(found)),
                Some(number) => Repair {
                    answer: found.answer.to_json().to_string(),
                    error: format!("this is patch {} again, which failed: write another one, or give up", number + 1),
                },
            },
            (Err(Taken::GaveUp(reason)), _) => return Ok(self.nothing(format!("the model gave up: {reason}"))),
            (Err(_), Some(repair)) => repair,
            (Err(_), None) => return Ok(self.nothing("the model gave no answer".to_owned())),
        };
        Ok(match self.again(brief, repair).await? {
            Candidates::Next(found) if brief.rounds_on_tip().any(|round| same(round, &found.changes)) => {
                self.repeated()
            }
            Candidates::Next(found) => self.change(*found),
            Candidates::Unanswered(none) => self.unanswered(none),
            Candidates::Nothing(reason) => self.nothing(reason),
            Candidates::Tried => self.repeated(),
        })
    }

    /// Sends an answer back with what is wrong with it, as often as that is done.
    async fn again(&mut self, brief: &Brief, mut repair: Repair) -> Result<Candidates, AgentError> {
        for _ in 0..REPAIRS {
            // Who could not use the form may not be asked in vain a second time: the next one may be stronger.
            let wish = wish(brief, &self.uses.iter().map(|one| one.route.clone()).collect::<Vec<_>>());
            let (sources, sent_back) = (Arc::clone(&self.sources), &repair);
            let asked = brief
                .gateway
                .ask(&brief.cycle, &wish, |offer| written(brief, &sources, offer, Some(sent_back)))
                .await?;
            let heard = match asked {
                Ok(heard) => heard,
                Err(none) => return Ok(Candidates::Unanswered(none)),
            };
            match self.hear(brief, heard).await? {
                (Ok(found), _) => return Ok(Candidates::Next(Box::new(found))),
                (Err(Taken::GaveUp(reason)), _) => {
                    return Ok(Candidates::Nothing(format!("the model gave up: {reason}")));
                }
                (Err(_), Some(next)) => repair = next,
                (Err(_), None) => break,
            }
        }
        Ok(Candidates::Nothing(format!("the model's answer could not be used: {}", repair.error)))
    }

    /// Takes an answer in: a change, or what it is instead, with what to send back.
    async fn hear(
        &mut self,
        brief: &Brief,
        heard: Heard,
    ) -> Result<(Result<Found, Taken>, Option<Repair>), AgentError> {
        let Heard { answered, offer } = heard;
        self.spend = self.spend.plus(answered.spend);
        let taken = take(brief, &answered.text).await?;
        let usable = !matches!(taken, Taken::Unusable(_));
        let last = ModelUse { route: offer.route, format: offer.format.word().to_owned(), usable };
        self.uses.push(last.clone());
        Ok(match taken {
            Taken::Change(answer, changes) => (Ok(Found { answer, changes, model: answered.model, last }), None),
            Taken::GaveUp(reason) => (Err(Taken::GaveUp(reason)), None),
            Taken::Unusable(error) => {
                let repair = Repair { answer: answered.text, error: error.clone() };
                (Err(Taken::Unusable(error)), Some(repair))
            }
        })
    }

    fn without_rounds(&self) -> kaizen_domain::Attempt {
        let mut attempt = self.brief.attempt.clone();
        attempt.rounds.clear();
        attempt
    }

    fn change(&mut self, found: Found) -> Draft {
        let Found { answer, changes, model, last } = found;
        // The one that it came from stands last: what becomes of the patch is its record.
        self.uses.retain(|one| *one != last);
        self.uses.push(last);
        Draft::Change(Box::new(Proposal {
            changes,
            title: answer.title,
            rationale: answer.rationale,
            benchmark: answer.benchmark,
            model: Some(model),
            uses: std::mem::take(&mut self.uses),
            spend: self.spend,
            ..Proposal::default()
        }))
    }

    /// The same once more: what it failed of is still the reason.
    fn repeated(&mut self) -> Draft {
        let failed = self.brief.rounds_on_tip().last().and_then(|round| round.reworked.clone()).unwrap_or_default();
        self.nothing(format!("the model repeats a patch that failed: {failed}"))
    }

    fn nothing(&mut self, reason: String) -> Draft {
        Draft::Nothing { reasons: vec![reason], spend: self.spend, uses: std::mem::take(&mut self.uses) }
    }

    fn unanswered(&mut self, none: Unanswered) -> Draft {
        Draft::Unanswered {
            reason: none.reason,
            spend: self.spend.plus(none.spend),
            uses: std::mem::take(&mut self.uses),
        }
    }
}

fn wish(brief: &Brief, failed: &[String]) -> Wish {
    Wish {
        cycle: brief.cycle.id,
        kind: brief.opportunity.kind,
        task: brief.opportunity.id.to_string(),
        failed: failed.to_vec(),
    }
}

/// Whether a patch of an earlier round made exactly these changes.
fn same(round: &kaizen_domain::attempt::Round, changes: &[Change]) -> bool {
    round.patch.diff == kaizen_patch::render(changes)
}

async fn take(brief: &Brief, text: &str) -> Result<Taken, AgentError> {
    let answer = match PatchAnswer::parse(text) {
        Ok(answer) => answer,
        Err(error) => return Ok(Taken::Unusable(error.to_string())),
    };
    if let Some(reason) = answer.give_up.clone() {
        return Ok(Taken::GaveUp(reason));
    }
    let (world, tip, edits) = (brief.world.clone(), brief.tip().clone(), answer.edit_set());
    let applied = blocking(move || -> Result<_, AgentError> {
        let repo = world.repo()?;
        let applied = kaizen_patch::apply(&edits, &RepoSource { repo: &repo, commit: &tip });
        let whole = applied.and_then(|changes| kaizen_patch::still_parses(&changes).map(|()| changes));
        Ok(whole.map_err(|error| error.to_string()))
    })
    .await?;
    Ok(match applied {
        // Formatted before it is compared with earlier patches, which were.
        Ok(changes) => Taken::Change(answer, brief.pool.format(brief.tree(), changes).await?),
        Err(error) => Taken::Unusable(error),
    })
}
