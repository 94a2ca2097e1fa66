//! Session: a repository with its settings, ready for cycles.

use std::path::PathBuf;
use std::sync::Arc;

use kaizen_agents::{AgentError, Kaizen, Models, Notice, Options};
use kaizen_domain::{Cycle, CycleId, CycleRequest, RelPath};
use kaizen_repo::{Condition, Repo};
use kaizen_settings::{Layer, Origin, Settings, load};

use crate::commands::revert;
use crate::failure::Failure;
use crate::models::{models, models_without_keys};
use crate::terms::CycleTerms;
use crate::{history, project, state_dir};

/// The name of the settings file at the top of a repository.
const SETTINGS: &str = "kaizen.toml";

/// What a session is opened with.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// A path inside the repository.
    pub repo: PathBuf,
    /// The branch or commit to start from; none: HEAD.
    pub base: Option<String>,
    /// A settings file in place of the person's own.
    pub settings_file: Option<PathBuf>,
    /// Where state is kept; none: the user's state directory.
    pub state_dir: Option<PathBuf>,
}

impl SessionOptions {
    /// A session on the repository at a path, with everything else as usual.
    #[must_use]
    pub fn new(repo: impl Into<PathBuf>) -> Self {
        Self { repo: repo.into(), base: None, settings_file: None, state_dir: None }
    }
}

/// A repository with its settings.
pub struct Session {
    options: SessionOptions,
    repo: Repo,
    condition: Condition,
    /// The settings, merged.
    pub settings: Settings,
    /// Where state is kept.
    pub state_dir: PathBuf,
}

impl Session {
    /// Opens a repository and loads its settings.
    ///
    /// # Errors
    /// When either cannot be read.
    pub fn open(options: SessionOptions) -> Result<Self, Failure> {
        let state_dir = state_dir::resolve(options.state_dir.clone())?;
        let repo = project::open(&options.repo)?;
        let condition = repo.condition()?;
        let settings = load_settings(&repo, &options)?;
        Ok(Self { options, repo, condition, settings, state_dir })
    }

    /// The path that it was opened by.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.options.repo
    }

    /// The repository.
    #[must_use]
    pub fn repo(&self) -> &Repo {
        &self.repo
    }

    /// How the repository stands.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Runs a cycle to its end. A cycle of this repository that was cut off earlier is brought to its end first.
    ///
    /// # Errors
    /// When it cannot go on; what was recorded stays.
    pub async fn run_cycle(&self, terms: CycleTerms, mut on: impl FnMut(&Notice)) -> Result<Arc<Cycle>, Failure> {
        let kaizen = self.start().await?;
        let outcome = match self.finish_cut_off(&kaizen, &mut on).await {
            Ok(_) => self.run(&kaizen, terms, &mut on).await,
            Err(failure) => Err(failure),
        };
        kaizen.stop().await;
        outcome
    }

    /// Starts the agents for this repository.
    ///
    /// # Errors
    /// When somebody else works on it, or the journal cannot be opened.
    pub async fn start(&self) -> Result<Kaizen, Failure> {
        let mut options = Options::new(&self.options.repo, &self.state_dir, self.settings.clone());
        options.models = models(&self.settings)?;
        Ok(kaizen_agents::start(options).await?)
    }

    /// Starts the agents to run a cycle again: models are not asked, what they answered then counts.
    ///
    /// # Errors
    /// When somebody else works on the repository, or the journal cannot be opened.
    pub async fn start_to_replay(&self, cycle: CycleId) -> Result<Kaizen, Failure> {
        let mut options = Options::new(&self.options.repo, &self.state_dir, self.settings.clone());
        options.models = Models { replays: Some(cycle), ..models_without_keys(&self.settings)? };
        Ok(kaizen_agents::start(options).await?)
    }

    /// The request that terms amount to on this repository as it stands.
    ///
    /// # Errors
    /// When the repository cannot be worked on, or the terms do not fit it.
    pub fn request(&self, terms: CycleTerms) -> Result<CycleRequest, Failure> {
        // What was cut off and brought to its end meanwhile may have changed what was found at the start.
        let condition = self.repo.condition()?;
        let asked = terms.start.as_ref().map(|(commit, _)| commit.as_str()).or(self.options.base.as_deref());
        let mut base = project::find(&self.repo, &self.options.repo, asked, &condition)?;
        if let Some((_, branch)) = &terms.start {
            base.target = Some(branch.clone());
        }
        let request = terms.request(base, &self.settings)?;
        project::check_landing(&self.repo, &request.base, request.landing, request.update_worktree, &condition)?;
        Ok(request)
    }

    /// Runs a new cycle on running agents.
    ///
    /// # Errors
    /// When the terms do not fit the repository, or the cycle cannot go on.
    pub async fn run(
        &self,
        kaizen: &Kaizen,
        terms: CycleTerms,
        on: &mut impl FnMut(&Notice),
    ) -> Result<Arc<Cycle>, Failure> {
        let request = self.request(terms)?;
        heard(kaizen, kaizen.run_cycle(request), on).await
    }

    /// Brings what was cut off by a crash or a stop to its end: a revert, then cycles. Returns the cycles.
    ///
    /// # Errors
    /// When one cannot go on.
    pub async fn finish_cut_off(
        &self,
        kaizen: &Kaizen,
        on: &mut impl FnMut(&Notice),
    ) -> Result<Vec<Arc<Cycle>>, Failure> {
        self.settle_revert(kaizen).await?;
        let mut finished = Vec::new();
        for id in kaizen.cut_off().await? {
            finished.push(self.resume(kaizen, id, on).await?);
        }
        Ok(finished)
    }

    /// Goes on with one cycle that was cut off.
    ///
    /// # Errors
    /// When it cannot go on.
    pub async fn resume(
        &self,
        kaizen: &Kaizen,
        id: CycleId,
        on: &mut impl FnMut(&Notice),
    ) -> Result<Arc<Cycle>, Failure> {
        // A listener that comes late is told what is known already.
        for record in kaizen.journal().records(Some(id)).await? {
            on(&Notice::Recorded(Box::new(record)));
        }
        heard(kaizen, kaizen.resume(id), on).await
    }

    /// Records how a revert ended that was cut off between its announcement and its end.
    ///
    /// # Errors
    /// When the journal or the repository cannot be read.
    pub async fn settle_revert(&self, kaizen: &Kaizen) -> Result<(), Failure> {
        let records = kaizen.journal().records(None).await?;
        if let Some((patch, landing)) = history::open_revert(&records) {
            kaizen.journal().append(vec![revert::end_of(&self.repo, patch, &landing)?]).await?;
        }
        Ok(())
    }
}

/// Waits for work of the agents while their notices are told.
pub(crate) async fn heard<T>(
    kaizen: &Kaizen,
    work: impl Future<Output = Result<T, AgentError>>,
    on: &mut impl FnMut(&Notice),
) -> Result<T, Failure> {
    let mut notices = kaizen.subscribe();
    tokio::pin!(work);
    let outcome = loop {
        tokio::select! {
            biased;
            Some(notice) = notices.recv() => on(&notice),
            outcome = &mut work => break outcome?,
        }
    };
    while let Ok(notice) = notices.try_recv() {
        on(&notice);
    }
    Ok(outcome)
}

/// The defaults, then the repository's file, then the person's own: what decides about this machine wins.
fn load_settings(repo: &Repo, options: &SessionOptions) -> Result<Settings, Failure> {
    let mut layers = Vec::new();
    if let Some(text) = in_repository(repo)? {
        layers.push(Layer { file: SETTINGS.to_owned(), text, origin: Origin::Repository });
    }
    let own = options.settings_file.clone().or_else(|| state_dir::own_settings().filter(|path| path.exists()));
    if let Some(path) = own {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::input(
                format!("the settings file {file} cannot be read: {error}"),
                "name another with `--settings`",
            )
        })?;
        layers.push(Layer { file, text, origin: Origin::Own });
    }
    Ok(load(&layers)?)
}

/// The settings file of a repository: in its work tree as it is, in a bare repository that of HEAD.
fn in_repository(repo: &Repo) -> Result<Option<String>, Failure> {
    let unread = |why: String| {
        Failure::input(
            format!("{SETTINGS} cannot be read: {why}"),
            "mend it, or move it away; `kaizen init` writes a new one",
        )
    };
    let bytes = match repo.top() {
        Some(top) => {
            let path = top.join(SETTINGS);
            match std::fs::symlink_metadata(&path) {
                Ok(about) if about.is_file() => std::fs::read(&path).map_err(|error| unread(error.to_string()))?,
                Ok(_) => return Err(unread("it is not a regular file".to_owned())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(unread(error.to_string())),
            }
        }
        None => {
            let (Ok((_, head)), Ok(path)) = (repo.commit_of("HEAD"), RelPath::new(SETTINGS)) else { return Ok(None) };
            match repo.read(&head, &path)? {
                Some(state) => state.bytes,
                None => return Ok(None),
            }
        }
    };
    String::from_utf8(bytes).map(Some).map_err(|_| unread("it is not UTF-8".to_owned()))
}
