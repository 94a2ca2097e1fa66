//! The steps of a cycle: each looks at the state, has its part done by the agents, and answers with events. A step
//! that is cut off leaves nothing behind that repeating it would double.

pub mod collect;
pub mod land;
pub mod learn;

use std::sync::Arc;

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{
    Attempt, AttemptEvent, AttemptStage, Check, Cycle, Decision, EngineName, OpportunityId, OpportunityKind,
    PatchSource, Round, Specialist, Step, TrialId, TrialOutcome, Verdict,
};
use kaizen_settings::FailingTests;

use crate::architect::ArchitectHandle;
use crate::configurator::{Configuration, ConfiguratorHandle};
use crate::debugger::{DebuggerHandle, Repairs};
use crate::engine::{Brief, Case, tree_of};
use crate::error::AgentError;
use crate::journal::JournalHandle;
use crate::model_gateway::GatewayHandle;
use crate::new_id;
use crate::optimizer::{OptimizerHandle, Performance};
use crate::security::SecurityHandle;
use crate::trial_pool::{Compared, PoolHandle};
use crate::weigh::weigh;
use crate::world::World;
use crate::writer::Craft as _;

/// The agents as a cycle sees them.
#[derive(Clone)]
pub struct Colleagues {
    /// The world.
    pub world: Arc<World>,
    /// The journal.
    pub journal: JournalHandle,
    /// The sandbox.
    pub pool: PoolHandle,
    /// The model.
    pub gateway: GatewayHandle,
    /// Plans.
    pub architect: ArchitectHandle,
    /// Reviews.
    pub security: SecurityHandle,
    /// Writes what is faster.
    pub optimizer: OptimizerHandle,
    /// Repairs.
    pub debugger: DebuggerHandle,
    /// Changes manifests.
    pub configurator: ConfiguratorHandle,
}

impl Colleagues {
    /// The handles of a system.
    #[must_use]
    pub fn new(world: Arc<World>, gateway: GatewayHandle) -> Self {
        let system = world.system.as_str();
        Self {
            journal: JournalHandle::new(system),
            pool: PoolHandle::new(system),
            architect: ArchitectHandle::new(system),
            security: SecurityHandle::new(system),
            optimizer: OptimizerHandle::new(system),
            debugger: DebuggerHandle::new(system),
            configurator: ConfiguratorHandle::new(system),
            gateway,
            world,
        }
    }

    /// Does the step that is due and says what happened.
    ///
    /// # Errors
    /// When something around the step fails; the state is unchanged then, and the step may be done again.
    pub async fn perform(&self, step: Step, cycle: &Arc<Cycle>) -> Result<Vec<CycleEvent>, AgentError> {
        match step {
            Step::TryBase => self.try_base(cycle).await,
            Step::Collect => collect::collect(self, cycle).await,
            Step::Rank => self.rank(cycle).await,
            Step::Plan(id) => self.plan(cycle, id).await,
            Step::Write(id) => self.write(cycle, id).await,
            Step::Review(id) => self.review(cycle, id).await,
            Step::Try(id) => self.try_patch(cycle, id).await,
            Step::Weigh(id) => self.weigh(cycle, id).await,
            Step::Intend(id) => land::intend(cycle, id),
            Step::Land(id) => land::land(self, cycle, id).await,
            Step::Learn(id) => {
                Ok(vec![CycleEvent::Learned { lesson: learn::lesson(self.world.clock.as_ref(), cycle, id) }])
            }
            Step::Finish => Ok(vec![CycleEvent::Finished]),
            Step::Nothing => Ok(Vec::new()),
        }
    }

    async fn try_base(&self, cycle: &Arc<Cycle>) -> Result<Vec<CycleEvent>, AgentError> {
        let trial = new_id!(TrialId, self.world.clock);
        let report = self.pool.try_base(tree_of(cycle, &cycle.tip), trial).await?;
        let failing = report.failing().count();
        let total = report.tests.len();
        let wanted = self.world.settings.base.failing_tests;
        let repairs_only = cycle.request.only == [OpportunityKind::Repair];
        let mut events = vec![CycleEvent::BaseTried { report: report.clone() }];
        match &report.outcome {
            TrialOutcome::LimitHit { stage, limit } => events.push(failed(
                format!("the {stage} of the base ran into the limit of {limit}"),
                &["raise the limit under [trial] in kaizen.toml, or mend what does not end"],
            )),
            TrialOutcome::Unclear { stage, why } => events.push(failed(
                format!("the {stage} of the base prove nothing: {why}"),
                &["`kaizen show CYCLE` has what was printed; a program that tests print from may write to a file instead"],
            )),
            TrialOutcome::Ran if failing > 0 && wanted == FailingTests::Refuse && !repairs_only => events.push(failed(
                format!("the base of this repository does not pass its own tests: {failing} of {total} fail"),
                &["kaizen repairs failing tests with `--only repair`; to go on in spite of them: `--allow-failing-base`"],
            )),
            TrialOutcome::Ran | TrialOutcome::BuildFailed { .. } => {}
        }
        Ok(events)
    }

    async fn rank(&self, cycle: &Arc<Cycle>) -> Result<Vec<CycleEvent>, AgentError> {
        let records = learn::known_to(cycle, self.journal.records(None).await?);
        let (world, of) = (self.world.clone(), cycle.clone());
        let ranked = crate::address::blocking(move || learn::rank(&world, &of, &records)).await;
        let CycleEvent::Ranked { chosen, .. } = &ranked else { return Ok(vec![ranked]) };
        let broken = cycle.base_report.as_ref().map(|report| &report.outcome);
        if chosen.is_empty()
            && cycle.attempts.is_empty()
            && let Some(TrialOutcome::BuildFailed { errors, tail }) = broken
        {
            let first = errors
                .first()
                .map_or_else(|| tail.lines().last().unwrap_or("").to_owned(), |error| error.message.clone());
            let reason = format!("the base does not build: {first}");
            return Ok(vec![
                ranked,
                failed(reason, &["mend the build, or configure a model that may: `kaizen init --explain model`"]),
            ]);
        }
        Ok(vec![ranked])
    }

    async fn plan(&self, cycle: &Arc<Cycle>, id: OpportunityId) -> Result<Vec<CycleEvent>, AgentError> {
        let opportunity = found(cycle.opportunity(id), "opportunity")?.clone();
        let (answer, spend) = self.architect.plan(cycle.clone(), opportunity).await?;
        Ok(vec![at(id, AttemptEvent::Answered { answer, spend })])
    }

    async fn write(&self, cycle: &Arc<Cycle>, id: OpportunityId) -> Result<Vec<CycleEvent>, AgentError> {
        let brief = self.brief(cycle, id)?;
        let event = match brief.task.specialist {
            Specialist::Optimizer => self.optimizer.write(brief).await?,
            Specialist::Debugger => self.debugger.write(brief).await?,
            Specialist::Configurator => self.configurator.write(brief).await?,
        };
        Ok(vec![at(id, event)])
    }

    /// What whoever writes the next patch is told.
    pub(crate) fn brief(&self, cycle: &Arc<Cycle>, id: OpportunityId) -> Result<Brief, AgentError> {
        let attempt = found(cycle.attempt(id), "attempt")?.clone();
        let opportunity = found(cycle.opportunity(id), "opportunity")?.clone();
        let task = found(attempt.plan.as_ref(), "plan")?.task.clone();
        let mut brief = Brief {
            world: self.world.clone(),
            pool: self.pool.clone(),
            gateway: self.gateway.clone(),
            cycle: cycle.clone(),
            opportunity,
            attempt,
            case: Case::default(),
            task,
        };
        brief.case = match brief.task.specialist {
            Specialist::Optimizer => Performance::case(&brief),
            Specialist::Debugger => Repairs::case(&brief),
            Specialist::Configurator => Configuration::case(&brief),
        };
        Ok(brief)
    }

    async fn review(&self, cycle: &Arc<Cycle>, id: OpportunityId) -> Result<Vec<CycleEvent>, AgentError> {
        let attempt = found(cycle.attempt(id), "attempt")?;
        let patch = found(attempt.current(), "patch")?.patch.clone();
        let plan = found(attempt.plan.clone(), "plan")?;
        let review = self.security.review(cycle.clone(), patch, plan).await?;
        Ok(vec![at(id, AttemptEvent::Reviewed { review })])
    }

    /// What would land is read by a model first, and weighed again with what it found.
    async fn weigh(&self, cycle: &Arc<Cycle>, id: OpportunityId) -> Result<Vec<CycleEvent>, AgentError> {
        let attempt = found(cycle.attempt(id), "attempt")?;
        let weighed = weigh(cycle, attempt, &self.world.settings);
        let lands = matches!(weighed, AttemptEvent::Decided { decision: Decision::Land });
        let round = found(attempt.current(), "patch")?;
        if !lands || round.read || !self.is_to_be_read(cycle, round) {
            return Ok(vec![at(id, weighed)]);
        }
        let kind = found(cycle.opportunity(id), "opportunity")?.kind;
        let (findings, spend) = self.security.read(cycle.clone(), round.patch.clone(), kind).await?;
        Ok(vec![at(id, AttemptEvent::Read { findings, spend })])
    }

    /// Whether a model reads a patch before it lands: not what a person has looked at already, nor what tools suggest.
    fn is_to_be_read(&self, cycle: &Cycle, round: &Round) -> bool {
        let source = &cycle.request.source;
        let by_hand = matches!(round.patch.author.engine, EngineName::Model | EngineName::Given);
        let is_new = !source.approved() && !matches!(source, PatchSource::Revert { .. });
        self.world.settings.security.second_reader && self.gateway.configured() && by_hand && is_new
    }

    /// Whether it is asked if tests would notice that a patch is wrong. Where a person is asked anyway, it is for them to look;
    /// and what the compiler's own tools mark as safe for machines is trusted by default, as far as tests allow.
    fn is_to_be_noticed(&self, round: &Round) -> bool {
        let suggested = round.patch.author.engine == EngineName::Rustfix;
        round.review.as_ref().is_some_and(|review| review.verdict == Verdict::Pass)
            && (!suggested || self.world.settings.gate.suggestions)
    }

    /// Whether the repository's own benchmarks are run: always for a patch that is to be faster, and otherwise for one that
    /// is tried by itself and may land.
    fn is_to_be_measured(&self, attempt: &Attempt, round: &Round) -> bool {
        let alone = round.patch.items.len() < 2;
        is_to_be_faster(attempt) || (self.world.settings.gate.benchmarks && alone && self.is_to_be_noticed(round))
    }

    /// The intent is one step, the trial itself the next: a trial that was cut off is simply run again.
    async fn try_patch(&self, cycle: &Arc<Cycle>, id: OpportunityId) -> Result<Vec<CycleEvent>, AgentError> {
        let attempt = found(cycle.attempt(id), "attempt")?;
        let AttemptStage::Trying { trial } = attempt.stage else {
            return Ok(vec![at(id, AttemptEvent::TrialStarted { trial: new_id!(TrialId, self.world.clock) })]);
        };
        let round = found(attempt.current(), "patch")?;
        let patch = &round.patch;
        // The same tree on the same base was tried before: what it showed still holds.
        let known = attempt
            .rounds
            .iter()
            .find(|round| round.patch.tree == patch.tree && round.patch.base == patch.base && round.trial.is_some());
        if let Some(mut report) = known.and_then(|round| round.trial.clone()) {
            report.id = trial;
            report.commit = patch.commit.clone();
            return Ok(vec![at(id, AttemptEvent::TrialFinished { report })]);
        }
        let against = found(cycle.base_report.clone(), "report of the base")?;
        let compared = Compared {
            trial,
            opportunity: id,
            against,
            benchmark: patch.benchmark.clone(),
            confirm: patch.items.len() < 2,
            notice: self.is_to_be_noticed(round),
            guard: self.is_to_be_measured(attempt, round),
            claims_same: claims_same(cycle, attempt),
            base: patch.base.clone(),
        };
        let report = self.pool.try_tree(tree_of(cycle, &patch.commit), compared).await?;
        Ok(vec![at(id, AttemptEvent::TrialFinished { report })])
    }
}

/// Whether what is done for an opportunity is to keep behaviour: a clean-up, or what is only to be faster.
fn claims_same(cycle: &Cycle, attempt: &Attempt) -> bool {
    let kind = cycle.opportunity(attempt.opportunity).map(|opportunity| opportunity.kind);
    is_to_be_faster(attempt) || matches!(kind, Some(OpportunityKind::Cleanup | OpportunityKind::Performance))
}

/// Whether a patch of it lands only when it is shown to be faster.
fn is_to_be_faster(attempt: &Attempt) -> bool {
    attempt.plan.as_ref().is_some_and(|plan| plan.task.check == Check::Faster)
}

/// An event of the work on one opportunity.
pub(crate) fn at(opportunity: OpportunityId, what: AttemptEvent) -> CycleEvent {
    CycleEvent::Attempt { opportunity, what }
}

fn failed(reason: String, help: &[&str]) -> CycleEvent {
    CycleEvent::Failed { reason, help: help.iter().map(|text| (*text).to_owned()).collect() }
}

/// What a step needs and the state must hold.
pub(crate) fn found<T>(thing: Option<T>, what: &str) -> Result<T, AgentError> {
    thing.ok_or_else(|| AgentError::Bug(format!("the cycle has no {what} for the step that is due")))
}
