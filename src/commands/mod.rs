//! One file a command: what it reads, what it prints, how it ends.

pub(crate) mod carry;
pub mod daemon;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod given;
pub mod init;
pub mod log;
pub mod man;
pub mod models;
pub mod prompt;
pub mod pull_requests;
pub(crate) mod rebuild;
pub mod reject;
pub mod replay;
pub mod revert;
pub mod run_cycle;
pub(crate) mod running;
pub mod show;
pub mod status;
pub mod verify;

use std::path::PathBuf;

use kaizen_journal::{Found, Journal, Noun};

use crate::failure::Failure;
use crate::state_dir;

/// How long a command that writes to the journal by itself holds the lease for.
pub(crate) const LEASE: std::time::Duration = std::time::Duration::from_secs(60);

/// A runtime for the agents.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Many ask for TLS; the first one to install a provider decides, and a second try is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::fault(format!("the runtime does not start: {error}")))
}

/// The journal for reading.
pub(crate) fn journal(state: Option<PathBuf>) -> Result<Option<Journal>, Failure> {
    let dir = state_dir::resolve(state)?;
    Ok(Journal::open_read_only(&dir)?)
}

/// The one thing whose id begins with these letters.
pub(crate) fn find(journal: &Journal, prefix: &str, wanted: Option<Noun>) -> Result<Found, Failure> {
    let plain = prefix.len() >= 2 && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain {
        return Err(Failure::input(
            format!("`{prefix}` is not the beginning of an id"),
            "an id is a letter and what follows, such as p3fa; `kaizen log` shows them",
        ));
    }
    let mut found = journal.find(&prefix.to_lowercase())?;
    let others: Vec<Noun> = found.iter().map(|thing| thing.noun).collect();
    if let Some(noun) = wanted {
        found.retain(|thing| thing.noun == noun);
    }
    match (found.len(), others.first(), wanted) {
        (1, ..) => Ok(found.remove(0)),
        (0, Some(other), Some(wanted)) => Err(Failure::input(
            format!("no {wanted} has an id that begins with `{prefix}`, but one {other} has"),
            format!("`kaizen show {prefix}` shows what belongs to it"),
        )),
        (0, ..) => Err(Failure::input(
            format!("nothing has an id that begins with `{prefix}`"),
            "`kaizen log` lists what there is",
        )),
        (many, ..) => {
            let ids: Vec<String> = found.iter().take(5).map(|thing| thing.id.chars().take(10).collect()).collect();
            Err(Failure::input(format!("{many} ids begin with `{prefix}`: {}", ids.join(", ")), "give more letters"))
        }
    }
}
