//! The Architect actor: turns an opportunity into a plan, or says that it is not worth it and why.
//!
//! It weighs what the work would cost against what it would bring, picks who does it and with which engine, and fixes
//! the files in reach before anything is written. Nothing that is read later can widen that reach.

pub(crate) mod question;

use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::{
    Answer, Check, Cycle, EngineName, Opportunity, OpportunityKind, PatchSource, Plan, PlanId, RelPath, SignalKind,
    Specialist, Spend, Task, TrialOutcome, Word,
};
use kaizen_llm::PlanAnswer;
use kaizen_llm::inputs::Repair;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::address::Address;
use crate::architect::question::Question;
use crate::engine::model::MOST_CANDIDATES;
use crate::error::AgentError;
use crate::model_gateway::{GatewayHandle, Heard, Wish};
use crate::new_id;
use crate::security::policy;
use crate::weigh::proposal_check;
use crate::world::World;

const TIMEOUT: Duration = Duration::from_secs(3600);
/// After so many cycles in which a matter came to nothing, it is left alone.
const TIRED_AFTER: f64 = 0.05;

/// What the Architect is asked.
pub enum ArchitectMsg {
    /// Answer an opportunity.
    Plan(Arc<Cycle>, Box<Opportunity>, RpcReplyPort<Result<(Answer, Spend), AgentError>>),
}

/// The actor.
pub struct Architect;

/// What the actor holds.
pub struct ArchitectState {
    world: Arc<World>,
    gateway: GatewayHandle,
}

impl Actor for Architect {
    type Msg = ArchitectMsg;
    type State = ArchitectState;
    type Arguments = (Arc<World>, GatewayHandle);

    async fn pre_start(
        &self,
        _: ActorRef<ArchitectMsg>,
        (world, gateway): Self::Arguments,
    ) -> Result<ArchitectState, ActorProcessingErr> {
        Ok(ArchitectState { world, gateway })
    }

    async fn handle(
        &self,
        _: ActorRef<ArchitectMsg>,
        message: ArchitectMsg,
        state: &mut ArchitectState,
    ) -> Result<(), ActorProcessingErr> {
        let ArchitectMsg::Plan(cycle, opportunity, reply) = message;
        let mut spend = Spend::default();
        let answer = state.plan(&cycle, &opportunity, &mut spend).await;
        let _ = reply.send(answer.map(|answer| (answer, spend)));
        Ok(())
    }
}

/// Who, with what, and what says that it is done.
struct Shape {
    specialist: Specialist,
    engine: EngineName,
    check: Check,
    reach: Vec<RelPath>,
    rationale: String,
    /// The task in the model's words.
    brief: Option<String>,
}

impl ArchitectState {
    async fn plan(
        &self,
        cycle: &Arc<Cycle>,
        opportunity: &Opportunity,
        spend: &mut Spend,
    ) -> Result<Answer, AgentError> {
        let declined = |reason: String| Ok(Answer::Declined { reason });
        if opportunity.confidence < TIRED_AFTER {
            return declined("it came to nothing in several cycles; a person may ask for it with --goal".to_owned());
        }
        let shape = match self.shape(cycle, opportunity) {
            Ok(shape) => shape,
            Err(reason) => return declined(reason),
        };
        let shape = match shape {
            shape if shape.engine == EngineName::Model => match self.ask_model(cycle, opportunity, shape, spend).await?
            {
                Ok(shape) => shape,
                Err(reason) => return declined(reason),
            },
            shape => shape,
        };
        if shape.reach.is_empty() && shape.engine != EngineName::Given {
            let reason = match shape.engine {
                EngineName::Rustfix => {
                    "all of it lies in files that only a person may change (tests, build scripts, CI)"
                }
                _ => "no file of the repository can be named that a change would be in",
            };
            return declined(reason.to_owned());
        }
        let rounds = match shape.engine {
            // Several answers to the first question are tried one by one.
            EngineName::Model => {
                let agents = &self.world.settings.agents;
                let more = agents.candidates.clamp(1, MOST_CANDIDATES) - 1;
                agents.model_rounds.max(1).saturating_add(more)
            }
            _ => self.world.settings.agents.fixer_rounds.max(1),
        };
        Ok(Answer::Plan(Plan {
            id: new_id!(PlanId, self.world.clock),
            opportunity: opportunity.id,
            rationale: shape.rationale,
            task: Task {
                specialist: shape.specialist,
                engine: shape.engine,
                brief: shape.brief.unwrap_or_else(|| opportunity.title.clone()),
                reach: shape.reach,
                check: shape.check,
                rounds,
            },
        }))
    }

    fn shape(&self, cycle: &Cycle, opportunity: &Opportunity) -> Result<Shape, String> {
        let topic = opportunity.topic.as_str();
        let base_runs = cycle.base_report.as_ref().is_none_or(|report| report.outcome == TrialOutcome::Ran);
        if !base_runs
            && opportunity.kind != OpportunityKind::Proposal
            && topic != "build"
            && opportunity.kind != OpportunityKind::Goal
        {
            return Err("the base does not build, so nothing could be shown about this".to_owned());
        }
        let model = self.gateway.configured();
        let without =
            |what: &str| Err(format!("{what} needs a model, and none is configured (kaizen init --explain model)"));
        let shape = |specialist, engine, check, rationale: &str| {
            let mut reach = opportunity.files.clone();
            if engine == EngineName::Rustfix {
                // What only a person may change is not proposed in the same breath as the rest.
                let policy = policy(&self.world, engine, false);
                reach.retain(|path| !policy.guards(path));
            }
            Ok(Shape { specialist, engine, check, reach, rationale: rationale.to_owned(), brief: None })
        };
        match opportunity.kind {
            OpportunityKind::Proposal => shape(
                Specialist::Debugger,
                EngineName::Given,
                proposal_check(cycle),
                "somebody else wrote it; it is judged like any other patch",
            ),
            OpportunityKind::Cleanup | OpportunityKind::Performance if topic.starts_with("lint:") => {
                let who = if opportunity.kind == OpportunityKind::Performance {
                    Specialist::Optimizer
                } else {
                    Specialist::Debugger
                };
                shape(who, EngineName::Rustfix, Check::NothingBreaks, "the tool that found it says how to change it")
            }
            OpportunityKind::Dependency if topic.starts_with("unused:") => self.unused(cycle, opportunity),
            OpportunityKind::Repair if topic == "build" && fixable_build(cycle, opportunity) => {
                shape(Specialist::Debugger, EngineName::Rustfix, Check::Builds, "the compiler says how to change it")
            }
            OpportunityKind::Repair if !model => without("repairing this"),
            OpportunityKind::Repair if topic == "build" => {
                shape(Specialist::Debugger, EngineName::Model, Check::Builds, "the compiler's errors name the place")
            }
            // What the forge runs cannot be run here; that nothing breaks can.
            OpportunityKind::Repair if topic.starts_with("check:") => shape(
                Specialist::Debugger,
                EngineName::Model,
                Check::NothingBreaks,
                "a check of the forge says what is wrong",
            ),
            OpportunityKind::Repair => {
                let check = Check::TestsPass { tests: failing(cycle, opportunity) };
                shape(
                    Specialist::Debugger,
                    EngineName::Model,
                    check,
                    "a test shows what is wrong, and when it is right",
                )
            }
            OpportunityKind::Goal if !model => without("carrying out a goal"),
            OpportunityKind::Goal if about_speed(&opportunity.title) => shape(
                Specialist::Optimizer,
                EngineName::Model,
                Check::Faster,
                "a person asked for speed, so speed is measured",
            ),
            OpportunityKind::Goal => {
                shape(Specialist::Debugger, EngineName::Model, goal_check(cycle), "a person asked for it")
            }
            OpportunityKind::Performance if !model => without("changing this by hand"),
            OpportunityKind::Performance => {
                shape(Specialist::Optimizer, EngineName::Model, Check::Faster, "it is worth it only if it is faster")
            }
            OpportunityKind::Dependency if !model => without("settling several versions of a crate"),
            OpportunityKind::Dependency => shape(
                Specialist::Configurator,
                EngineName::Model,
                Check::NothingBreaks,
                "a manifest can bring the versions together",
            ),
            OpportunityKind::Cleanup | OpportunityKind::Debt if !model => without("changing this by hand"),
            OpportunityKind::Cleanup | OpportunityKind::Debt => {
                shape(Specialist::Debugger, EngineName::Model, Check::NothingBreaks, "small, and in one place")
            }
        }
    }

    /// The manifest that declares the dependency, and the lock file beside the workspace.
    fn unused(&self, cycle: &Cycle, opportunity: &Opportunity) -> Result<Shape, String> {
        let mut reach = opportunity.files.clone();
        reach.extend(RelPath::below(&cycle.request.base.folder, "Cargo.lock").ok());
        Ok(Shape {
            specialist: Specialist::Configurator,
            engine: EngineName::Manifest,
            check: Check::NothingBreaks,
            reach,
            rationale: "no source names it; a trial without it shows whether it is needed".to_owned(),
            brief: None,
        })
    }

    /// Asks the model whether it is worth it and which files it is about. What may change is a choice among the sources
    /// there are (for the Configurator: the manifests), never tests, and never anything that only a text names.
    async fn ask_model(
        &self,
        cycle: &Arc<Cycle>,
        opportunity: &Opportunity,
        mut shape: Shape,
        spend: &mut Spend,
    ) -> Result<Result<Shape, String>, AgentError> {
        let manifests = shape.specialist == Specialist::Configurator;
        let question = Question::about(&self.world, cycle, opportunity, manifests).await?;
        let (mut repair, mut failed): (Option<Repair>, Vec<String>) = (None, Vec::new());
        for _ in 0..2 {
            let wish = Wish {
                cycle: cycle.id,
                kind: opportunity.kind,
                task: opportunity.id.to_string(),
                failed: failed.clone(),
            };
            let asked = self.gateway.ask(cycle, &wish, |offer| question.prompt(offer, repair.as_ref())).await?;
            let Heard { answered, offer } = match asked {
                Ok(heard) => heard,
                Err(none) => {
                    *spend = spend.plus(none.spend);
                    return Ok(Err(none.reason));
                }
            };
            *spend = spend.plus(answered.spend);
            match PlanAnswer::parse(&answered.text) {
                Ok(answer) if !answer.worth_it => return Ok(Err(answer.reason)),
                Ok(answer) => {
                    shape.reach.extend(answer.files);
                    shape.reach.retain(|path| question.candidates.contains(path));
                    shape.reach.sort();
                    shape.reach.dedup();
                    shape.brief = Some(answer.brief);
                    return Ok(Ok(shape));
                }
                Err(error) => {
                    failed.push(offer.route);
                    repair = Some(Repair { answer: answered.text, error: error.to_string() });
                }
            }
        }
        let error = repair.map(|repair| repair.error).unwrap_or_default();
        Ok(Err(format!("the model's answer could not be used: {error}")))
    }
}

fn fixable_build(cycle: &Cycle, opportunity: &Opportunity) -> bool {
    cycle.signals.iter().filter(|signal| opportunity.evidence.contains(&signal.id)).any(|signal| {
        matches!(&signal.kind, SignalKind::BuildFailure { errors } if errors.iter().any(|error| error.fixable))
    })
}

fn failing(cycle: &Cycle, opportunity: &Opportunity) -> Vec<kaizen_domain::TestId> {
    let evidence = cycle.signals.iter().filter(|signal| opportunity.evidence.contains(&signal.id));
    evidence
        .filter_map(|signal| match &signal.kind {
            SignalKind::FailingTest { test, .. } | SignalKind::FlakyTest { test } => Some(test.clone()),
            _ => None,
        })
        .collect()
}

/// Whether a person's words ask for speed: then the change must be measured.
fn about_speed(goal: &str) -> bool {
    let words = [
        "fast",
        "faster",
        "slow",
        "slower",
        "speed",
        "performance",
        "quadratic",
        "linear",
        "latency",
        "throughput",
        "optimise",
        "optimize",
    ];
    goal.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
}

fn goal_check(cycle: &Cycle) -> Check {
    if matches!(cycle.request.source, PatchSource::Engines) { proposal_check(cycle) } else { Check::NothingBreaks }
}

/// Whether an attempt of this cycle at the same topic has come to nothing.
#[must_use]
pub fn closed_topics(cycle: &Cycle) -> Vec<&str> {
    cycle
        .attempts
        .iter()
        .filter(|attempt| attempt.word().is_some_and(|word| word != Word::Landed))
        .filter_map(|attempt| cycle.opportunity(attempt.opportunity))
        .map(|opportunity| opportunity.topic.as_str())
        .collect()
}

/// What others see of the Architect.
#[derive(Clone)]
pub struct ArchitectHandle(Address<ArchitectMsg>);

impl ArchitectHandle {
    /// The role's name.
    pub const ROLE: &'static str = "architect";

    /// The handle of a system's Architect.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self(Address::new(system, Self::ROLE))
    }

    /// Answers an opportunity, and says what asking a model about it cost.
    ///
    /// # Errors
    /// When something around the answer fails; "not worth it" is an answer.
    pub async fn plan(&self, cycle: Arc<Cycle>, opportunity: Opportunity) -> Result<(Answer, Spend), AgentError> {
        self.0.ask(TIMEOUT, |reply| ArchitectMsg::Plan(cycle, Box::new(opportunity), reply)).await?
    }
}

#[cfg(test)]
mod tests {
    use super::about_speed;

    #[test]
    fn speed_is_heard_in_plain_words_only() {
        assert!(about_speed("make the report faster") && about_speed("Totals are slow!"));
        assert!(!about_speed("fasten the lid") && !about_speed("rename Speedometer"));
    }
}
