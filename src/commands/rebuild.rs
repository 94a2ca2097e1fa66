//! `kaizen doctor --rebuild-journal`: puts a damaged journal aside and begins a new one with what the commits themselves
//! say landed. A journal that is in order is left alone.

use std::time::Duration;

use kaizen_agents::Clock as _;
use kaizen_domain::{CommitId, CycleId, Event, PatchId, TenantId};
use kaizen_journal::{Journal, JournalError};
use kaizen_repo::Repo;

use crate::commands::doctor::verified;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::session::SessionOptions;
use crate::story::outcome::count;
use crate::{project, state_dir};

/// How much of the history is walked for what landed.
const COMMITS_WALKED: usize = 100_000;
/// How long the lease is held for.
const LEASE: Duration = Duration::from_secs(60);

/// Begins the journal anew.
///
/// # Errors
/// When there is nothing wrong with it, or its files cannot be moved.
pub(crate) fn run(options: &SessionOptions, json: bool) -> Result<Exit, Failure> {
    let dir = state_dir::resolve(options.state_dir.clone())?;
    let repo = project::open(&options.repo)?;
    match verified(&dir) {
        Ok(Some(records)) => {
            return Err(Failure::input(
                format!("the journal in {} is in order: {} follow each other", dir.display(), count(records, "record")),
                "it needs no rebuilding; to begin anew all the same, move its directory away",
            ));
        }
        // Only what is wrong with the files themselves is mended by new ones.
        Err(error) if !matches!(error, JournalError::Corrupt { .. } | JournalError::RolledBack { .. }) => {
            return Err(error.into());
        }
        Ok(None) | Err(_) => {}
    }
    let from = match Journal::set_aside(&dir) {
        Ok(path) => path.display().to_string(),
        Err(JournalError::Missing { .. }) => "nowhere: there was none".to_owned(),
        Err(error) => return Err(error.into()),
    };
    let landed = landed(&repo)?;
    let mut journal = Journal::open(&dir)?;
    let lease = journal.acquire_patiently(&repo.key(), LEASE)?;
    let now = kaizen_agents::SystemClock.now();
    if json {
        output::json(&serde_json::json!({"of": "rebuilt", "from": from, "landed": landed.len()}));
    } else {
        say!("the old journal is in {from}; {} found in the commits", count(landed.len(), "landed patch"));
    }
    journal.append(&lease, &TenantId::local(), now, &[Event::Rebuilt { from, landed }])?;
    journal.release(lease)?;
    Ok(Exit::Done)
}

/// The patches that commits of the repository name in their trailers, but for those that only a person was asked about:
/// they stand on a branch of their own and on no other.
fn landed(repo: &Repo) -> Result<Vec<(PatchId, CommitId)>, Failure> {
    let (ours, users): (Vec<_>, Vec<_>) =
        repo.refs_under("refs/heads/")?.into_iter().partition(|(name, _)| name.short().starts_with("kaizen/"));
    let mut landed = Vec::new();
    for (commit, trailers) in repo.trailers(COMMITS_WALKED)? {
        let value = |key: &str| trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        let cycle: Option<CycleId> = value("Kaizen-Cycle").and_then(|id| id.parse().ok());
        let patch: Option<PatchId> = value("Kaizen-Patch").and_then(|id| id.parse().ok());
        let (Some(cycle), Some(patch)) = (cycle, patch) else { continue };
        let collected = format!("kaizen/{}/landed", cycle.short());
        let own = ours.iter().filter(|(name, _)| name.short() == collected);
        let mut holds = false;
        for (_, tip) in own.chain(&users) {
            holds = holds || repo.is_ancestor(&commit, tip)?;
        }
        if holds {
            landed.push((patch, commit));
        }
    }
    Ok(landed)
}
