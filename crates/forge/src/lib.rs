//! Forges: where a repository lives that others see. Pull requests on GitHub (also Enterprise), GitLab and
//! Forgejo/Gitea behind one trait, found from the remote; the push is the git program, in a folder of its own, so that
//! no setting, hook or filter of the repository has a say.
//!
//! Everything a forge answers is text from outside. A token is sent to the API and to the git server alone: it is in no
//! URL, no error and no log.

mod access;
mod api;
mod error;
mod forge;
mod forgejo;
mod git;
mod github;
mod gitlab;
mod log;
mod memory;
mod remote;
mod webhook;

pub use access::{Access, App, Credentials};
pub use api::{Limits, Pace};
pub use error::ForgeError;
pub use forge::{
    Check, CheckState, Checks, Forge, NewPullRequest, Permission, Protection, PullRequest, PullRequestState, Remark,
    RepositoryFacts,
};
pub use git::{GitRemote, Pushed};
pub use remote::{ForgeKind, Remote};
pub use webhook::{Delivery, WebhookError, verify};

use std::sync::Arc;

/// Connects to the forge of a remote.
///
/// # Errors
/// When the kind of forge cannot be told, or the credentials cannot be used.
pub fn connect(remote: &Remote, access: Access) -> Result<Arc<dyn Forge>, ForgeError> {
    let kind = access.kind.or(remote.kind()).ok_or_else(|| ForgeError::UnknownForge { host: remote.host.clone() })?;
    let base = access.api_url.clone().unwrap_or_else(|| remote.api_url(kind));
    let api = api::Api::new(&base, kind, access)?;
    let path = (remote.owner.clone(), remote.name.clone());
    Ok(match kind {
        ForgeKind::GitHub => Arc::new(github::GitHub::new(api, path)),
        ForgeKind::GitLab => Arc::new(gitlab::GitLab::new(api, path)),
        ForgeKind::Forgejo => Arc::new(forgejo::Forgejo::new(api, path)),
    })
}
