//! The world of one system of actors: the repository it works for, its terms, and who listens. Fixed at the start.

use std::path::PathBuf;
use std::sync::Arc;

use kaizen_domain::TenantId;
use kaizen_repo::Repo;
use kaizen_settings::Settings;

use crate::clock::Clock;
use crate::error::AgentError;
use crate::notice::Notices;

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
}

impl World {
    /// Opens the repository. libgit2's handles stay on the thread that opened them, so each piece of work opens its own.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn repo(&self) -> Result<Repo, AgentError> {
        Ok(Repo::open(&self.repo_path)?)
    }

    /// Whether the repository is Kaizen's own: then its gates are guarded more strictly.
    #[must_use]
    pub fn is_kaizen(&self, manifest: &str) -> bool {
        manifest.contains("name = \"kaizen\"")
    }
}

