//! The TrialPool actor: runs so many pieces of sandbox work at once, in the order they came, on blocking threads.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::edit::Change;
use kaizen_domain::{CommitId, OpportunityId, TrialId, TrialReport};
use kaizen_sandbox::{Cancel, Scan};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use crate::address::Address;
use crate::error::AgentError;
use crate::notice::Notice;
use crate::shop::{Shop, TreeOf};
use crate::world::World;

/// No trial lasts longer: its own limits end it before.
const TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Where an answer goes.
type Port<T> = RpcReplyPort<Result<T, AgentError>>;

/// What the pool is asked.
pub enum PoolMsg {
    /// Try a tree that nothing is compared with.
    TryBase(TreeOf, TrialId, Port<TrialReport>),
    /// Try a tree against the report of its base.
    Try(TreeOf, Box<Compared>, Port<TrialReport>),
    /// Collect diagnostics.
    Scan(TreeOf, Port<Arc<Scan>>),
    /// Settle the lock file of a changed tree; the answer is its bytes.
    SettleLock(TreeOf, Vec<Change>, Port<Vec<u8>>),
    /// Format the sources of changes to a tree, where they were so before.
    Format(TreeOf, Vec<Change>, Port<Vec<Change>>),
    /// Let a command print in a tree, again and again; the answer is what each run printed, or why it could not.
    Print(TreeOf, Printing, Port<Printed>),
    /// A worker is free again.
    Free,
    /// End everything that runs and drop what waits.
    CancelAll,
}

/// What each run of a command printed, or why it could not.
pub type Printed = Result<Vec<String>, String>;

/// A command that prints.
pub struct Printing {
    /// A line for a shell, from the settings of a person.
    pub command: String,
    /// How often it is run.
    pub times: usize,
}

/// What a trial is compared with.
pub struct Compared {
    /// The trial's id.
    pub trial: TrialId,
    /// The opportunity, for progress.
    pub opportunity: OpportunityId,
    /// The report of the base.
    pub against: TrialReport,
    /// A program that shows a performance change.
    pub benchmark: Option<String>,
    /// Whether tests that newly fail are run once more.
    pub confirm: bool,
    /// Whether it is asked if anything would notice that it is wrong.
    pub notice: bool,
    /// Whether the repository's own benchmarks are run before and after it.
    pub guard: bool,
    /// Whether the change is of a kind that keeps behaviour.
    pub claims_same: bool,
    /// The commit before the change, which benchmarks are compared with.
    pub base: CommitId,
}

/// The actor.
pub struct TrialPool;

type Work = Box<dyn FnOnce(&Shop, &Cancel) + Send>;

/// What the actor holds.
pub struct PoolState {
    shop: Arc<Shop>,
    workers: usize,
    running: usize,
    waiting: VecDeque<Work>,
    cancel: Cancel,
}

impl Actor for TrialPool {
    type Msg = PoolMsg;
    type State = PoolState;
    type Arguments = (Arc<World>, usize);

    async fn pre_start(
        &self,
        _: ActorRef<PoolMsg>,
        (world, workers): Self::Arguments,
    ) -> Result<PoolState, ActorProcessingErr> {
        let shop = Arc::new(Shop::new(world));
        Ok(PoolState { shop, workers: workers.max(1), running: 0, waiting: VecDeque::new(), cancel: Cancel::new()? })
    }

    async fn handle(
        &self,
        myself: ActorRef<PoolMsg>,
        message: PoolMsg,
        state: &mut PoolState,
    ) -> Result<(), ActorProcessingErr> {
        let work: Work = match message {
            PoolMsg::Free => {
                state.running = state.running.saturating_sub(1);
                state.next(&myself);
                return Ok(());
            }
            PoolMsg::CancelAll => {
                state.cancel.cancel();
                state.cancel = Cancel::new()?;
                state.waiting.clear();
                return Ok(());
            }
            PoolMsg::TryBase(tree, trial, reply) => Box::new(move |shop, cancel| {
                let _ = reply.send(shop.try_base(&tree, trial, cancel));
            }),
            PoolMsg::Try(tree, compared, reply) => Box::new(move |shop, cancel| {
                let _ = reply.send(shop.try_tree(&tree, &compared, cancel));
            }),
            PoolMsg::Scan(tree, reply) => Box::new(move |shop, cancel| {
                let _ = reply.send(shop.scan(&tree, cancel));
            }),
            PoolMsg::SettleLock(tree, changes, reply) => Box::new(move |shop, cancel| {
                let _ = reply.send(shop.settle_lock(&tree, &changes, cancel));
            }),
            PoolMsg::Format(tree, changes, reply) => Box::new(move |shop, cancel| {
                let _ = reply.send(shop.format(&tree, changes, cancel));
            }),
            PoolMsg::Print(tree, asked, reply) => Box::new(move |shop, cancel| {
                let _ = reply.send(shop.print(&tree, &asked, cancel));
            }),
        };
        state.waiting.push_back(work);
        state.next(&myself);
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<PoolMsg>, state: &mut PoolState) -> Result<(), ActorProcessingErr> {
        state.cancel.cancel();
        Ok(())
    }
}

impl Drop for PoolState {
    /// Also when the actor dies of a panic: nothing goes on running for a pool that is gone.
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Frees the worker however its work ends.
struct Worker(ActorRef<PoolMsg>);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.send_message(PoolMsg::Free);
    }
}

impl PoolState {
    fn next(&mut self, myself: &ActorRef<PoolMsg>) {
        while self.running < self.workers
            && let Some(work) = self.waiting.pop_front()
        {
            self.running += 1;
            let (shop, cancel, worker) = (self.shop.clone(), self.cancel.clone(), Worker(myself.clone()));
            tokio::task::spawn_blocking(move || {
                let _worker = worker;
                work(&shop, &cancel);
            });
        }
    }
}

/// Tells listeners how far the sandbox is.
pub(crate) fn progress(world: &World, opportunity: Option<OpportunityId>, what: &kaizen_sandbox::Progress) {
    world.notices.tell(&Notice::Progress { opportunity, what: what.to_string() });
}

/// What others see of the pool.
#[derive(Clone)]
pub struct PoolHandle(Address<PoolMsg>);

impl PoolHandle {
    /// The role's name.
    pub const ROLE: &'static str = "trial-pool";

    /// The handle of a system's pool.
    #[must_use]
    pub fn new(system: &str) -> Self {
        Self(Address::new(system, Self::ROLE))
    }

    /// Tries a tree that nothing is compared with.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub async fn try_base(&self, tree: TreeOf, trial: TrialId) -> Result<TrialReport, AgentError> {
        self.0.ask(TIMEOUT, |reply| PoolMsg::TryBase(tree, trial, reply)).await?
    }

    /// Tries a tree against the report of its base.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub async fn try_tree(&self, tree: TreeOf, compared: Compared) -> Result<TrialReport, AgentError> {
        self.0.ask(TIMEOUT, |reply| PoolMsg::Try(tree, Box::new(compared), reply)).await?
    }

    /// Collects diagnostics.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub async fn scan(&self, tree: TreeOf) -> Result<Arc<Scan>, AgentError> {
        self.0.ask(TIMEOUT, |reply| PoolMsg::Scan(tree, reply)).await?
    }

    /// Settles the lock file of a changed tree.
    ///
    /// # Errors
    /// When cargo cannot.
    pub async fn settle_lock(&self, tree: TreeOf, changes: Vec<Change>) -> Result<Vec<u8>, AgentError> {
        self.0.ask(TIMEOUT, |reply| PoolMsg::SettleLock(tree, changes, reply)).await?
    }

    /// Changes to a tree with their sources formatted, where they were so before.
    ///
    /// # Errors
    /// When the sandbox cannot be set up.
    pub async fn format(&self, tree: TreeOf, changes: Vec<Change>) -> Result<Vec<Change>, AgentError> {
        self.0.ask(TIMEOUT, |reply| PoolMsg::Format(tree, changes, reply)).await?
    }

    /// Lets a command print in a tree.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub async fn print(&self, tree: TreeOf, asked: Printing) -> Result<Printed, AgentError> {
        self.0.ask(TIMEOUT, |reply| PoolMsg::Print(tree, asked, reply)).await?
    }

    /// Ends everything that runs and drops what waits.
    pub fn cancel_all(&self) {
        self.0.tell(PoolMsg::CancelAll);
    }
}
