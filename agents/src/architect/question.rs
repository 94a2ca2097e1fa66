//! The question that the Architect asks a model about an opportunity: the evidence in words, and the files there are.
//!
//! It settles which files a plan may name. It sends nothing and reads no answer.

use std::sync::Arc;

use kaizen_domain::{Cycle, Opportunity, OpportunityKind, RelPath, Signal, SignalKind};
use kaizen_llm::inputs::{ArchitectInput, PromptFile};

use crate::address::blocking;
use crate::engine::model::files_within;
use crate::error::AgentError;
use crate::world::World;

/// A question, and the files that its answer may name.
pub(super) struct Question {
    /// The files that may change.
    pub(super) candidates: Vec<RelPath>,
    /// What fills the template.
    pub(super) input: ArchitectInput,
}

impl Question {
    /// The question about an opportunity, with as many bytes of files as there is room for.
    ///
    /// # Errors
    /// When the tip cannot be read.
    pub(super) async fn about(
        world: &Arc<World>,
        cycle: &Arc<Cycle>,
        opportunity: &Opportunity,
        manifests: bool,
        room: usize,
    ) -> Result<Self, AgentError> {
        let (world, of, first) = (world.clone(), cycle.clone(), opportunity.files.clone());
        let (candidates, files) = blocking(move || files(&world, &of, &first, manifests, room)).await?;
        let shows = |signal: &&Signal| opportunity.evidence.contains(&signal.id);
        let goal = cycle.request.goal.as_ref().filter(|_| opportunity.kind == OpportunityKind::Goal);
        let lessons = cycle.lessons.iter().filter(|lesson| lesson.topic == opportunity.topic);
        let input = ArchitectInput {
            kind: opportunity.kind,
            risk: opportunity.risk,
            title: opportunity.title.clone(),
            request: goal.map(|goal| goal.0.clone()),
            evidence: cycle.signals.iter().filter(shows).map(evidence_line).collect(),
            files,
            lessons: lessons.map(|lesson| lesson.text.clone()).collect(),
            repair: None,
        };
        Ok(Self { candidates, input })
    }
}

/// The files that may change, and the text of those that there is room for; what `first` names comes first.
fn files(
    world: &World,
    cycle: &Cycle,
    first: &[RelPath],
    manifests: bool,
    room: usize,
) -> Result<(Vec<RelPath>, Vec<PromptFile>), AgentError> {
    let listing = world.repo()?.files(&cycle.tip)?;
    let mut listed: Vec<(RelPath, u64)> = listing
        .files
        .into_iter()
        .filter(|(path, _, _)| may_change(path, manifests))
        .map(|(path, _, size)| (path, size))
        .collect();
    listed.sort_by_key(|(path, _)| !first.contains(path));
    let shown = fitting(&listed, room);
    let files = files_within(world, &cycle.tip, &shown, room)?;
    Ok((listed.into_iter().map(|(path, _)| path).collect(), files))
}

/// The files that there is room for, by their sizes alone: a large repository is not read to show a part of it.
fn fitting(listed: &[(RelPath, u64)], room: usize) -> Vec<RelPath> {
    let mut left = u64::try_from(room).unwrap_or(u64::MAX);
    let mut fits = |size: u64| left.checked_sub(size).map(|rest| left = rest).is_some();
    listed.iter().filter(|(_, size)| fits(*size)).map(|(path, _)| path.clone()).collect()
}

fn may_change(path: &RelPath, manifests: bool) -> bool {
    if manifests {
        return matches!(path.file_name(), "Cargo.toml" | "Cargo.lock");
    }
    path.is_rust()
        && path.file_name() != "build.rs"
        && !path.parts().any(|part| matches!(part, "tests" | "benches" | "target"))
}

/// A signal in one line, for a prompt.
fn evidence_line(signal: &Signal) -> String {
    let at = signal.place.as_ref().map(|place| format!(" at {}:{}", place.path, place.line)).unwrap_or_default();
    match &signal.kind {
        SignalKind::Diagnostic { lint, message, .. } => format!("{lint}: {message}{at}"),
        SignalKind::BuildFailure { errors } => {
            let first: Vec<&str> = errors.iter().take(3).map(|error| error.rendered.as_str()).collect();
            format!("the build fails:\n{}", first.join("\n"))
        }
        SignalKind::FailingTest { test, output } => format!("test {test} fails{at}:\n{output}"),
        SignalKind::FlakyTest { test } => format!("test {test} fails now and then"),
        SignalKind::UnusedDependency { dependency, .. } => format!("nothing names the dependency {dependency}"),
        SignalKind::DuplicateDependency { name, versions } => {
            format!("{name} is locked in versions {}", versions.join(", "))
        }
        SignalKind::Todo { text, .. } => format!("a note{at}: {text}"),
        SignalKind::Goal { text } => text.clone(),
        SignalKind::RedCheck { checks, log } => format!("these checks fail: {}\n{log}", checks.join(", ")),
        SignalKind::Proposal { title } => title.clone(),
    }
}
