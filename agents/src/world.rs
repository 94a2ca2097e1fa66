//! The world of one system of actors: the repository it works for, its terms, and who listens. Fixed at the start.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kaizen_context::Index;
use kaizen_domain::TenantId;
use kaizen_repo::Repo;
use kaizen_settings::Settings;

use crate::clock::Clock;
use crate::error::AgentError;
use crate::notice::Notices;
use crate::security::advisories::AdvisoryDatabase;

/// Everything that is the same for every actor of a system.
pub struct World {
    /// The name of the system, unique in this process.
    pub system: String,
    /// A path inside the repository.
    pub repo_path: PathBuf,
    /// The repository's key.
    pub key: String,
    /// The repository's name for people.
    pub name: String,
    /// Where Kaizen keeps its state.
    pub state_dir: PathBuf,
    /// The settings.
    pub settings: Settings,
    /// Whose repository it is.
    pub tenant: TenantId,
    /// Time and random bits.
    pub clock: Arc<dyn Clock>,
    /// Who listens.
    pub notices: Notices,
    /// Where to die, for tests of recovery.
    pub crash: CrashPoint,
    /// What the sources hold, as they were last looked at.
    pub index: Mutex<Option<Arc<Index>>>,
    /// What is known against packages.
    pub advisories: AdvisoryDatabase,
}

/// A test hook: the environment variable `KAIZEN_CRASH_AFTER=N` makes the process abort, without a word to anyone, right
/// after the N-th record since its start is in the journal and before anything follows from it.
#[derive(Debug, Default)]
pub struct CrashPoint {
    after: Option<u64>,
    seen: AtomicU64,
}

impl CrashPoint {
    /// The point that the environment names, when it names one.
    #[must_use]
    pub fn from_environment() -> Self {
        let after = std::env::var("KAIZEN_CRASH_AFTER").ok().and_then(|text| text.parse().ok());
        Self { after, seen: AtomicU64::new(0) }
    }

    /// Counts records; dies when the point is reached.
    pub fn recorded(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let seen = self.seen.fetch_add(count, Ordering::SeqCst).saturating_add(count);
        if self.after.is_some_and(|after| seen >= after) {
            std::process::abort();
        }
    }
}

impl World {
    /// Opens the repository. libgit2's handles stay on the thread that opened them, so each piece of work opens its own.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn repo(&self) -> Result<Repo, AgentError> {
        Ok(Repo::open(&self.repo_path)?)
    }

    /// What the sources hold, made anew out of what is known of them.
    pub fn indexed(&self, make: impl FnOnce(Option<&Index>) -> Index) -> Arc<Index> {
        let before = self.index.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let index = Arc::new(make(before.as_deref()));
        *self.index.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&index));
        index
    }

    /// Whether the repository is Kaizen's own: then its gates are guarded more strictly.
    #[must_use]
    pub fn is_kaizen(&self, manifest: &str) -> bool {
        manifest.contains("name = \"kaizen\"")
    }
}
