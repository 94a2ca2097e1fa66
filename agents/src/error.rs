//! What can go wrong between and inside actors. A refused patch or a failed trial is a value, never an error here.

use kaizen_journal::JournalError;
use kaizen_repo::RepoError;
use kaizen_sandbox::TrialError;
use thiserror::Error;

use crate::security::advisories::AdvisoriesError;

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
    /// The key that evidence is signed with.
    #[error(transparent)]
    Key(#[from] kaizen_evidence::KeyError),
    /// The sandbox.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// The forge.
    #[error(transparent)]
    Forge(#[from] kaizen_forge::ForgeError),
    /// The review.
    #[error(transparent)]
    Review(#[from] kaizen_patch::NoThread),
    /// The database of advisories.
    #[error(transparent)]
    Advisories(#[from] AdvisoriesError),
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
    /// Whether it may be over by the next run, so that the cycle is left to be resumed: a full disk, a stop, a journal
    /// that cannot be written, advisories that cannot be read.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.shortage().is_some()
            || matches!(
                self,
                Self::Journal(_)
                    | Self::Advisories(_)
                    | Self::Stopped(_)
                    | Self::Emergency(_)
                    | Self::Trial(TrialError::Cancelled)
            )
    }

    /// What the machine has run out of, when that is what failed.
    #[must_use]
    pub fn shortage(&self) -> Option<Shortage> {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<std::io::Error>().and_then(Shortage::of) {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }

    /// Whether it concerns the matter that was worked on, and not the repository or the machine as a whole.
    #[must_use]
    pub fn is_about_the_matter(&self) -> bool {
        matches!(self, Self::Repo(_) | Self::Illegal(_) | Self::Bug(_) | Self::Trial(TrialError::Metadata { .. }))
    }

    /// Whether the same message may be tried on the actor again.
    #[must_use]
    pub fn killed_the_actor(&self) -> bool {
        matches!(self, Self::Died { .. })
    }
}

/// Something that a machine can run out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// Space on a disk.
    Disk,
    /// Files that may be open at once.
    Files,
    /// Memory, or processes and threads.
    Memory,
}

impl Shortage {
    /// What an error of the system says to be short.
    #[must_use]
    pub fn of(error: &std::io::Error) -> Option<Self> {
        use rustix::io::Errno;
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Some(Self::Disk);
        }
        match Errno::from_io_error(error)? {
            Errno::NOSPC | Errno::DQUOT => Some(Self::Disk),
            Errno::MFILE | Errno::NFILE => Some(Self::Files),
            Errno::NOMEM | Errno::AGAIN => Some(Self::Memory),
            _ => None,
        }
    }
}
