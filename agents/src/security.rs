//! The Security actor: reviews every patch before any of its code runs, and can veto any. Nobody but a person overrules
//! what it asks a person, and nobody at all what it refuses.

pub mod advisories;
mod second_reader;

use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::{
    Cycle, EngineName, Finding, OpportunityKind, Patch, PatchSource, Plan, RelPath, Review, Severity, Spend,
};
use kaizen_patch::{ADVISORY_RULE, Manifest, Policy, ReviewInput, is_lock_file};
use kaizen_settings::TestFiles;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::address::{Address, blocking};
use crate::error::AgentError;
use crate::model_gateway::GatewayHandle;
use crate::world::World;

const TIMEOUT: Duration = Duration::from_secs(300);
/// A model may think for minutes; its own deadlines end that before.
const READING: Duration = Duration::from_secs(3600);
/// The rule that speaks of tests which ask less than before.
const TESTS_WEAKENED: &str = "tests-weakened";
/// The rule that speaks of lifetimes of public items that are spelt otherwise.
const LIFETIMES_RESPELT: &str = "public-lifetimes";
/// The rule that speaks of files of the tests.
const TEST_FILE: &str = "test-file";
/// The rule that speaks of unsafe code that reads otherwise, where there is no more of it than before.
const UNSAFE_CHANGED: &str = "unsafe-changed";

/// What Security is asked.
pub enum SecurityMsg {
    /// Review a patch that a plan led to.
    Review(Arc<Cycle>, Box<Patch>, Box<Plan>, RpcReplyPort<Result<Review, AgentError>>),
    /// Have a model read a patch of this kind of work, which would land.
    Read(Arc<Cycle>, Box<Patch>, OpportunityKind, RpcReplyPort<Result<(Vec<Finding>, Spend), AgentError>>),
}

/// The actor.
pub struct Security;

/// What the actor holds.
pub struct SecurityState {
    world: Arc<World>,
    gateway: GatewayHandle,
}

impl Actor for Security {
    type Msg = SecurityMsg;
    type State = SecurityState;
    type Arguments = (Arc<World>, GatewayHandle);

    async fn pre_start(
        &self,
        _: ActorRef<SecurityMsg>,
        (world, gateway): Self::Arguments,
    ) -> Result<SecurityState, ActorProcessingErr> {
        Ok(SecurityState { world, gateway })
    }

    async fn handle(
        &self,
        _: ActorRef<SecurityMsg>,
        message: SecurityMsg,
        state: &mut SecurityState,
    ) -> Result<(), ActorProcessingErr> {
        let world = state.world.clone();
        match message {
            SecurityMsg::Review(cycle, patch, plan, reply) => {
                let _ = reply.send(blocking(move || review(&world, &cycle, &patch, &plan)).await);
            }
            SecurityMsg::Read(cycle, patch, kind, reply) => {
                let _ = reply.send(second_reader::read(&world, &state.gateway, &cycle, &patch, kind).await);
            }
        }
        Ok(())
    }
}

/// Reviews what the commit really changes, not what its author says it changes.
fn review(world: &World, cycle: &Cycle, patch: &Patch, plan: &Plan) -> Result<Review, AgentError> {
    let repo = world.repo()?;
    let changes = repo.changes(&patch.base, &patch.commit)?;
    let own = cycle.request.source == PatchSource::Engines;
    let manifest =
        repo.read(&patch.base, &RelPath::new("Cargo.toml").map_err(|error| AgentError::Bug(error.to_string()))?)?;
    let own_repository = manifest.is_some_and(|state| world.is_kaizen(&String::from_utf8_lossy(&state.bytes)));
    let mut policy = policy(world, plan.task.engine, own_repository);
    if changes.iter().any(|change| is_lock_file(&change.path)) {
        policy.advisories = world.advisories.advisories()?;
    }
    let reach = own.then_some(plan.task.reach.as_slice());
    let mut manifests = Vec::new();
    for (path, _, _) in
        repo.files(&patch.base)?.files.into_iter().filter(|(path, _, _)| path.file_name() == "Cargo.toml")
    {
        if let Some(state) = repo.read(&patch.base, &path)? {
            manifests.push(Manifest { text: String::from_utf8_lossy(&state.bytes).into_owned(), path });
        }
    }
    let mut review =
        kaizen_patch::review(&ReviewInput { changes: &changes, reach, policy: &policy, manifests: &manifests })?;
    // Of Kaizen's own rules nothing is taken back without a person.
    if let PatchSource::Revert { base, commit, .. } = &cycle.request.source
        && !own_repository
    {
        // Exactly what undoes the landing leads to what the repository held before it. Whatever later commits make of it
        // beyond that is reviewed as anything else.
        let back = repo.changes(commit, base)?;
        let restores =
            kaizen_patch::review(&ReviewInput { changes: &back, reach: None, policy: &policy, manifests: &manifests })?;
        for finding in &mut review.findings {
            if !restores.findings.contains(finding) {
                continue;
            }
            finding.severity = match finding.severity {
                // What is known against a version may be news since it was replaced: a person says whether it comes back.
                Severity::Refusal if finding.rule == ADVISORY_RULE => Severity::Person,
                Severity::Person => Severity::Note,
                other => other,
            };
        }
    }
    let tests_open = tests_are_open(world, plan.task.engine);
    for finding in &mut review.findings {
        let known = match finding.rule.as_str() {
            // A person has said so in the settings: such a change is then judged by its trial alone.
            TESTS_WEAKENED => tests_open,
            TEST_FILE => tests_open,
            // The compiler's own tools suggest only what means the same; nothing unsafe is new.
            LIFETIMES_RESPELT | UNSAFE_CHANGED => plan.task.engine == EngineName::Rustfix,
            _ => false,
        };
        if known {
            finding.severity = finding.severity.min(Severity::Note);
        }
    }
    Ok(Review::of(review.findings, review.items))
}

/// Whether what this engine writes may change tests without a person.
fn tests_are_open(world: &World, engine: EngineName) -> bool {
    engine == EngineName::Rustfix && world.settings.policy.test_files == TestFiles::Fixers
}

/// The policy that the settings amount to, for what an engine writes.
pub(crate) fn policy(world: &World, engine: EngineName, own_repository: bool) -> Policy {
    let settings = &world.settings.policy;
    let mut policy = Policy {
        max_files: settings.max_files as usize,
        max_changed_lines: settings.max_changed_lines as usize,
        max_file_bytes: settings.max_file_kib as usize * 1024,
        own_repository,
        ..Policy::default()
    };
    policy.protected.extend(settings.protected.iter().cloned());
    if tests_are_open(world, engine) {
        policy.judges.clear();
    }
    policy
}

/// What others see of Security.
#[derive(Clone)]
pub struct SecurityHandle(Address<SecurityMsg>);

impl SecurityHandle {
    /// The role's name.
    pub const ROLE: &'static str = "security";

    /// The handle of a system's Security.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self(Address::new(system, Self::ROLE))
    }

    /// Reviews a patch.
    ///
    /// # Errors
    /// When its commit cannot be read.
    pub async fn review(&self, cycle: Arc<Cycle>, patch: Patch, plan: Plan) -> Result<Review, AgentError> {
        self.0.ask(TIMEOUT, |reply| SecurityMsg::Review(cycle, Box::new(patch), Box::new(plan), reply)).await?
    }

    /// Has a model read a patch of this kind of work, which would land, and says what that cost.
    ///
    /// # Errors
    /// When its commit cannot be read, or the gateway fails.
    pub async fn read(
        &self,
        cycle: Arc<Cycle>,
        patch: Patch,
        kind: OpportunityKind,
    ) -> Result<(Vec<Finding>, Spend), AgentError> {
        self.0.ask(READING, |reply| SecurityMsg::Read(cycle, Box::new(patch), kind, reply)).await?
    }
}
