//! Writing: from an engine's proposal to a patch that is stored as a commit, with a message in the repository's style.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::{
    AttemptEvent, Authorship, CommitId, EngineName, Patch, PatchId, RelPath, Specialist, edit::FileState,
};
use kaizen_patch::{Source, SourceError};
use kaizen_repo::{MessageStyle, NewCommit, Repo, Shape};
use kaizen_settings::Subject;
use ractor::RpcReplyPort;

use crate::engine::{Brief, Engine, Proposal};
use crate::error::AgentError;
use crate::new_id;

/// Writing may wait for a scan, a model, or the sandbox.
pub const TIMEOUT: Duration = Duration::from_secs(6 * 3600);

/// The engines of an agent.
pub type Engines = Arc<Vec<Arc<dyn Engine>>>;

/// Where the answer to "write" goes.
pub type WritePort = RpcReplyPort<Result<AttemptEvent, AgentError>>;

/// Stores a proposal as a commit that nothing points at.
///
/// # Errors
/// When the repository cannot take it.
pub fn store(
    specialist: Specialist,
    engine: EngineName,
    brief: &Brief,
    proposal: Proposal,
) -> Result<Patch, AgentError> {
    let repo = brief.world.repo()?;
    let tip = brief.tip();
    let id = new_id!(PatchId, brief.world.clock);
    let title = subject(&repo, brief, &proposal.title)?;
    let (commit, tree) = match &proposal.existing {
        Some(commit) => (commit.clone(), repo.tree_of(commit)?),
        None => {
            let mut parents = vec![tip.clone()];
            parents.extend(proposal.merges.clone());
            let message = message(brief, id, engine, &title, &proposal);
            let seconds = i64::try_from(brief.world.clock.now().0 / 1000).unwrap_or(i64::MAX);
            repo.commit(&NewCommit { parents, base: tip.clone(), changes: &proposal.changes, message, seconds })?
        }
    };
    let author = Authorship {
        agent: if engine == EngineName::Given { "somebody else".to_owned() } else { specialist.word().to_owned() },
        engine,
        model: proposal.model,
        uses: proposal.uses,
    };
    Ok(Patch {
        id,
        opportunity: brief.opportunity.id,
        base: tip.clone(),
        commit,
        tree,
        author,
        title,
        rationale: proposal.rationale,
        files: kaizen_patch::stat(&proposal.changes),
        diff: kaizen_patch::render(&proposal.changes),
        items: proposal.items,
        more: proposal.more,
        benchmark: proposal.benchmark,
        spend: proposal.spend,
    })
}

fn subject(repo: &Repo, brief: &Brief, title: &str) -> Result<String, AgentError> {
    let line: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    let line = line.trim();
    // Words of a person are kept as they are.
    let own = brief.task.engine == EngineName::Given || brief.world.settings.landing.subject == Subject::Plain;
    if own {
        return Ok(line.to_owned());
    }
    let mut style = repo.message_style(brief.tip())?;
    let conventional = matches!(style.shape, Shape::Conventional { .. });
    if brief.world.settings.landing.subject == Subject::Conventional && !conventional {
        style =
            MessageStyle { shape: Shape::Conventional { types: Vec::new() }, capitalised: false, trailing_dot: false };
    }
    Ok(style.subject(brief.opportunity.kind, line))
}

/// The commit message: subject, why, and trailers by which the commit is found again when the journal is lost.
fn message(brief: &Brief, id: PatchId, engine: EngineName, title: &str, proposal: &Proposal) -> String {
    let mut text = format!("{title}\n");
    if !proposal.rationale.is_empty() {
        let _ = write!(text, "\n{}\n", wrap(&proposal.rationale));
    }
    let _ = write!(text, "\nKaizen-Cycle: {}\nKaizen-Patch: {id}\nKaizen-Engine: {}", brief.cycle.id, engine.word());
    if let Some(model) = &proposal.model {
        let _ = write!(text, " ({})", model.replace(char::is_control, " "));
    }
    text.push('\n');
    for trailer in &brief.world.settings.landing.trailers {
        let line: String = trailer.chars().filter(|c| !c.is_control()).take(200).collect();
        // Who signs off promises something that a program cannot.
        if !line.to_ascii_lowercase().starts_with("signed-off-by") {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// Breaks lines at 72 columns; a line that looks like a trailer is indented so that it is none.
fn wrap(text: &str) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let paragraph: String = paragraph.chars().filter(|c| !c.is_control()).collect();
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 72 {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if line.to_ascii_lowercase().starts_with("kaizen-") {
            line.insert(0, ' ');
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// The files of a commit, as the patch crate reads them.
pub struct RepoSource<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The commit.
    pub commit: &'a CommitId,
}

impl Source for RepoSource<'_> {
    fn read(&self, path: &RelPath) -> Result<Option<FileState>, SourceError> {
        self.repo
            .read(self.commit, path)
            .map_err(|error| SourceError { what: path.to_string(), why: error.to_string() })
    }

    fn rust_files(&self) -> Result<Vec<RelPath>, SourceError> {
        let unread = |error: kaizen_repo::RepoError| SourceError {
            what: "the list of files".to_owned(),
            why: error.to_string(),
        };
        let listing = self.repo.files(self.commit).map_err(unread)?;
        Ok(listing.files.into_iter().map(|(path, _, _)| path).filter(RelPath::is_rust).collect())
    }
}
