//! What can go wrong between and inside actors. A refused patch or a failed trial is a value, never an error here.

use kaizen_journal::JournalError;
use kaizen_repo::RepoError;
use kaizen_sandbox::TrialError;
use thiserror::Error;

/// Why an actor could not do what it was asked.
#[derive(Debug, Error)]
pub enum AgentError {
    /// The actor died while it had the message.
    #[error("the {actor} died while it was at work on this")]
    Died {
        /// Which.
        actor: String,
    },
    /// The actor is not there and did not come back in time.
    #[error("the {actor} is not running")]
    Absent {
        /// Which.
        actor: String,
    },
    /// No answer came in time.
    #[error("the {actor} did not answer within {secs} s")]
    NoAnswer {
        /// Which.
        actor: String,
        /// How long it was waited for.
        secs: u64,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The repository.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The sandbox.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// A step met a state that it cannot follow.
    #[error(transparent)]
    Illegal(#[from] kaizen_domain::IllegalEvent),
    /// Emergency: nothing lands any more.
    #[error("emergency: {0}")]
    Emergency(String),
    /// Stopped from outside.
    #[error("stopped: {0}")]
    Stopped(String),
    /// A fault of Kaizen's own.
    #[error("BUG: {0}")]
    Bug(String),
}

impl AgentError {
    /// Whether the same message may be tried on the actor again.
    #[must_use]
    pub fn killed_the_actor(&self) -> bool {
        matches!(self, Self::Died { .. })
    }
}
