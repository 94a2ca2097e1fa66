//! The desk: what stands between a session and the forge of its repository. It finds the forge from the remote, checks that
//! the token may do what will be needed, and reads the repository's own rules before any work is done for a pull request.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use kaizen_agents::Kaizen;
use kaizen_agents::pull_requests::{Customs, Keeper, KeeperTerms, customs};
use kaizen_contributing::Condition;
use kaizen_domain::{BranchName, CommitId};
use kaizen_forge::{Access, Credentials, Forge, ForgeError, ForgeKind, GitRemote, Remote, RepositoryFacts};
use kaizen_repo::Repo;
use kaizen_schedule::{Pacing, PacingTerms, QuietTerms, Weekday};
use kaizen_settings::{ForgeSettings, Settings, Subject};

use crate::failure::Failure;
use crate::session::Session;

/// The forge of a session's repository, and what it says.
pub(crate) struct Desk {
    forge: Arc<dyn Forge>,
    remote: Remote,
    /// The branch that pull requests go to.
    pub onto: BranchName,
    /// Where it stands there.
    pub tip: CommitId,
    /// What the repository says about changes from outside.
    pub customs: Customs,
}

/// The remote of a repository, as the settings name it.
pub(crate) fn remote(repo: &Repo, settings: &Settings) -> Result<Remote, Failure> {
    if !settings.forge.url.is_empty() {
        return Ok(Remote::parse(&settings.forge.url)?);
    }
    let name = &settings.pull_request.remote;
    match repo.remote_url(name)? {
        Some(address) => Ok(Remote::parse(&address)?),
        None => Err(ForgeError::NoRemote { name: name.clone() }.into()),
    }
}

/// Connects to the forge of a repository.
pub(crate) fn connect(remote: &Remote, settings: &ForgeSettings) -> Result<Arc<dyn Forge>, Failure> {
    let kind = match settings.kind.as_str() {
        "" => None,
        "github" => Some(ForgeKind::GitHub),
        "gitlab" => Some(ForgeKind::GitLab),
        "forgejo" | "gitea" => Some(ForgeKind::Forgejo),
        other => {
            let message = format!("`forge.kind` is {other:?}, which is no forge that Kaizen knows");
            return Err(Failure::input(message, "it is github, gitlab or forgejo"));
        }
    };
    if kind.or(remote.kind()).is_none() {
        return Err(ForgeError::UnknownForge { host: remote.host.clone() }.into());
    }
    let credentials = if settings.app_id.is_empty() {
        Credentials::token_from(&settings.token_env, &settings.token_file)?
    } else {
        Credentials::app_from(&settings.app_id, settings.app_installation, &settings.app_key_file)?
    };
    let api_url = (!settings.api_url.is_empty()).then(|| settings.api_url.clone());
    let pace = kaizen_forge::Pace { between_changes: Duration::from_millis(settings.pause_ms) };
    let access = Access { kind, api_url, credentials, limits: kaizen_forge::Limits::default(), pace };
    Ok(kaizen_forge::connect(remote, access)?)
}

/// Checks that the repository there can be worked with.
pub(crate) fn check(forge: &dyn Forge, facts: &RepositoryFacts) -> Result<(), Failure> {
    if facts.archived {
        return Err(ForgeError::Archived { name: facts.full_name.clone() }.into());
    }
    if facts.may_push == Some(false) {
        let message = "the forge says that it has no right to push there".to_owned();
        return Err(ForgeError::MissingRight { what: format!("push to {}", forge.name()), message }.into());
    }
    Ok(())
}

impl Desk {
    /// Opens the desk: the forge answers, the token may push, the branch is fetched, its rules are read.
    ///
    /// # Errors
    /// When one of these is not so.
    pub async fn open(session: &Session) -> Result<Self, Failure> {
        let settings = &session.settings;
        let remote = remote(session.repo(), settings)?;
        let forge = connect(&remote, &settings.forge)?;
        let facts = forge.repository().await?;
        check(forge.as_ref(), &facts)?;
        let git = git(session, &remote);
        let token = forge.token().await?;
        let branch = |name: &str| {
            BranchName::new(name).map_err(|error| {
                Failure::input(format!("the branch that pull requests go to: {error}"), "set `pull_request.onto`")
            })
        };
        let wanted = &settings.pull_request.onto;
        let mut onto = branch(if wanted.is_empty() { &facts.default_branch } else { wanted })?;
        let mut tip = git.fetch(&onto, &token).await?;
        let mut read = customs(session.repo(), &tip)?;
        // The repository itself says where changes go.
        if wanted.is_empty()
            && let Some(named) = read.rules.conventions().target_branch
            && named != onto.as_str()
        {
            onto = branch(&named)?;
            tip = git.fetch(&onto, &token).await?;
            read = customs(session.repo(), &tip)?;
        }
        Ok(Self { forge, remote, onto, tip, customs: read })
    }

    /// Why nothing may be opened here, when the repository says so and nobody says that its maintainers agreed.
    pub fn refusal(&self, settings: &Settings) -> Option<Failure> {
        let reason = self.customs.rules.verdict.reason()?;
        (!settings.forge.agreed()).then(|| {
            Failure::input(
                format!("{} does not take this pull request: {reason}", self.forge.name()),
                "nothing was opened; `--landing branch` keeps patches here",
            )
            .or("when its maintainers have agreed, say where in your own settings: `forge.agreed`")
        })
    }

    /// What the repository asks of commits, put into the settings that they are written by.
    pub fn follow_conventions(&self, settings: &mut Settings) {
        for condition in &self.customs.rules.conditions {
            match condition {
                Condition::ConventionalCommits => settings.landing.subject = Subject::Conventional,
                Condition::Trailer(name) => {
                    let line = if name.contains(": ") {
                        name.clone()
                    } else {
                        format!("{}: Kaizen", name.trim_end_matches(':'))
                    };
                    if !settings.landing.trailers.contains(&line) {
                        settings.landing.trailers.push(line);
                    }
                }
                _ => {}
            }
        }
    }

    /// Who looks after the pull requests, for a running system.
    ///
    /// # Errors
    /// When the pacing cannot be read, or the forge does not answer.
    pub async fn keeper(&self, session: &Session, kaizen: &Kaizen, folder: String) -> Result<Keeper, Failure> {
        let terms = KeeperTerms {
            forge: self.forge.clone(),
            git: git(session, &self.remote),
            pacing: pacing(&session.settings)?,
            onto: self.onto.clone(),
            folder,
        };
        Ok(Keeper::new(kaizen, terms).await?)
    }
}

fn git(session: &Session, remote: &Remote) -> GitRemote {
    GitRemote { url: remote.git_url(), objects: session.repo().objects_dir(), scratch: session.state_dir.join("forge") }
}

/// The pacing that the settings ask for.
///
/// # Errors
/// When they make none.
pub(crate) fn pacing(settings: &Settings) -> Result<Pacing, Failure> {
    let from = &settings.pacing;
    let mut quiet = Vec::new();
    for hours in &from.quiet {
        let days: Result<Vec<Weekday>, _> = hours
            .days
            .iter()
            .map(|day| serde_json::from_value(serde_json::Value::String(day.to_lowercase())))
            .collect();
        let days = days.map_err(|_| {
            Failure::input(
                format!("`pacing.quiet`: {:?} are no days of the week", hours.days),
                "they are mon, tue, wed, thu, fri, sat and sun",
            )
        })?;
        let (from, to, time_zone) = (hours.from.clone(), hours.to.clone(), hours.time_zone.clone());
        quiet.push(QuietTerms { from, to, time_zone, days });
    }
    let terms = PacingTerms {
        max_open: from.max_open,
        max_landings: from.max_landings,
        window_secs: from.window_secs,
        quiet,
        pause_secs: from.pause_secs,
        max_pause_secs: from.max_pause_secs,
    };
    Pacing::parse(&terms, &TimeZone::system())
        .map_err(|error| Failure::input(format!("[pacing]: {error}"), "`kaizen init --explain pacing` shows each key"))
}
