//! Pull requests: what a cycle wrote is pushed, opened when its turn comes, and looked after until somebody merges or
//! closes it. Everything is journalled before it is done and after; a round that was cut off anywhere is repeated, and
//! looks at the forge before it does anything twice.

pub mod book;
mod commands;
mod following;
mod opening;
mod revising;
mod saying;
pub mod told;
mod words;

use std::sync::Arc;

use kaizen_contributing::{Codeowners, Rules, Template};
use kaizen_domain::{BranchName, CommitId, Event, PullRequest, PullRequestEvent, RefName, Timestamp};
use kaizen_forge::{Forge, ForgeError, GitRemote};
use kaizen_repo::{Repo, RepoError};
use kaizen_schedule::{Pacing, PacingState};

use crate::error::AgentError;
use crate::journal::JournalHandle;
use crate::pull_requests::book::Book;
use crate::pull_requests::told::Told;
use crate::start::Kaizen;
use crate::world::World;

/// Where the branch of others is kept here, so that its commits are not pruned.
const UPSTREAM: &str = "refs/kaizen/upstream/";

/// What the repository says about changes from outside.
pub struct Customs {
    /// Its rules.
    pub rules: Rules,
    /// Its template for pull requests.
    pub template: Option<Template>,
    /// Whose files are whose.
    pub owners: Option<Codeowners>,
}

/// Looks after the pull requests of one repository.
pub struct Keeper {
    world: Arc<World>,
    journal: JournalHandle,
    forge: Arc<dyn Forge>,
    git: GitRemote,
    pacing: Pacing,
    onto: BranchName,
    folder: String,
    account: String,
}

/// What a keeper is made with.
pub struct KeeperTerms {
    /// The forge.
    pub forge: Arc<dyn Forge>,
    /// The repository as git reaches it.
    pub git: GitRemote,
    /// How fast others are bothered.
    pub pacing: Pacing,
    /// The branch that pull requests go to.
    pub onto: BranchName,
    /// The folder of the cargo project below the top of the repository.
    pub folder: String,
}

impl Keeper {
    /// A keeper for a running system.
    ///
    /// # Errors
    /// When the forge does not say whose the token is.
    pub async fn new(kaizen: &Kaizen, terms: KeeperTerms) -> Result<Self, AgentError> {
        let KeeperTerms { forge, git, pacing, onto, folder } = terms;
        let account = forge.account().await?;
        Ok(Self { world: kaizen.world().clone(), journal: kaizen.journal(), forge, git, pacing, onto, folder, account })
    }

    /// The branch of others as it stands now; its objects are here afterwards.
    ///
    /// # Errors
    /// When it cannot be fetched.
    pub async fn upstream(&self) -> Result<CommitId, AgentError> {
        let token = self.forge.token().await?;
        let tip = self.git.fetch(&self.onto, &token).await?;
        let (world, to) = (self.world.clone(), tip.clone());
        let name =
            RefName::new(format!("{UPSTREAM}{}", self.onto)).map_err(|error| AgentError::Bug(error.to_string()))?;
        crate::address::blocking(move || -> Result<(), AgentError> {
            let repo = world.repo()?;
            let from = repo.ref_target(&name)?;
            if from.as_ref() != Some(&to) {
                repo.move_ref(&name, from.as_ref(), &to, "kaizen: fetched")?;
            }
            Ok(())
        })
        .await?;
        Ok(tip)
    }

    /// What the repository says about changes from outside, at a commit of it.
    ///
    /// # Errors
    /// When the commit cannot be read.
    pub async fn customs(&self, commit: &CommitId) -> Result<Customs, AgentError> {
        let (world, commit) = (self.world.clone(), commit.clone());
        crate::address::blocking(move || Ok(customs(&world.repo()?, &commit)?)).await
    }

    /// One round: what was cut off is finished, what is open is looked after, what waits is opened as far as may be.
    ///
    /// # Errors
    /// When the journal fails, or Kaizen was stopped. What the forge refuses is told, not an error.
    pub async fn round(&self) -> Result<Vec<Told>, AgentError> {
        let mut told = Vec::new();
        match self.whole_round(&mut told).await {
            Err(AgentError::Forge(error)) => told.push(Told::Trouble { patch: None, error }),
            other => other?,
        }
        Ok(told)
    }

    async fn whole_round(&self, told: &mut Vec<Told>) -> Result<(), AgentError> {
        let book = self.book().await?;
        if book.is_empty(self.now()) {
            return Ok(());
        }
        let facts = self.forge.repository().await?;
        if facts.archived {
            return Err(ForgeError::Archived { name: facts.full_name }.into());
        }
        let tip = self.upstream().await?;
        for entry in book.entries.iter() {
            let Some(pull) = entry.pull.as_ref().filter(|pull| !pull.stage.is_over()) else { continue };
            match self.look_after(&book, entry, pull.clone(), &tip, told).await {
                // One that makes trouble does not keep the others from being looked after, unless nothing answers.
                Err(AgentError::Forge(error)) if !error.may_pass() => {
                    told.push(Told::Trouble { patch: Some(entry.patch.id), error });
                }
                other => other?,
            }
        }
        self.open_waiting(&tip, told).await
    }

    async fn book(&self) -> Result<Book, AgentError> {
        let records = self.journal.records(None).await?;
        Ok(Book::read(&records)?)
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    /// Records an event of a pull request and goes on with the state after it.
    async fn record(&self, pull: PullRequest, event: PullRequestEvent) -> Result<PullRequest, AgentError> {
        self.record_all(pull, vec![event]).await
    }

    /// Records events that belong together: either all of them are in the journal or none. Checked before they are
    /// written: what cannot follow must not be in the journal.
    async fn record_all(&self, pull: PullRequest, events: Vec<PullRequestEvent>) -> Result<PullRequest, AgentError> {
        let patch = pull.patch;
        let next = events.iter().try_fold(pull, PullRequest::next)?;
        if !events.is_empty() {
            let events = events.into_iter().map(|event| Event::PullRequest { patch, event });
            self.journal.append(events.collect()).await?;
        }
        Ok(next)
    }

    /// What pacing goes by.
    fn paced(&self, book: &Book) -> PacingState {
        PacingState { open: book.open(), landings: book.merged_at(), rejections: book.closed_at() }
    }
}

/// What a repository says about changes from outside, at a commit of it.
///
/// # Errors
/// When the commit cannot be read.
pub fn customs(repo: &Repo, commit: &CommitId) -> Result<Customs, RepoError> {
    let mut files = std::collections::BTreeMap::new();
    for (path, _, size) in repo.files(commit)?.files {
        if size <= 1 << 20
            && kaizen_contributing::candidate(path.as_str())
            && let Some(state) = repo.read(commit, &path)?
        {
            files.insert(path.to_string(), String::from_utf8_lossy(&state.bytes).into_owned());
        }
    }
    Ok(Customs { rules: Rules::read(&files), template: Template::find(&files), owners: Codeowners::find(&files) })
}
