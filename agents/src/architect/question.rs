//! The question that the Architect asks a model about an opportunity: the evidence in words, and the files there are.
//!
//! It settles which files a plan may name. It sends nothing and reads no answer.

use std::sync::Arc;

use kaizen_context::Focus;
use kaizen_domain::{Cycle, Opportunity, OpportunityKind, RelPath, Signal, SignalKind};
use kaizen_llm::inputs::{ArchitectInput, Repair};
use kaizen_llm::{Prompt, render};

use crate::address::blocking;
use crate::engine::feedback::steady;
use crate::engine::material::{Sources, focus, room_beside};
use crate::error::AgentError;
use crate::model_gateway::Offer;
use crate::world::World;

/// A question, and the files that its answer may name.
pub(crate) struct Question {
    /// The files that may change.
    pub(crate) candidates: Vec<RelPath>,
    /// What fills the template, without what is shown of the repository.
    input: ArchitectInput,
    sources: Sources,
    focus: Focus,
}

impl Question {
    /// The question about an opportunity.
    ///
    /// # Errors
    /// When the tip cannot be read.
    pub(crate) async fn about(
        world: &Arc<World>,
        cycle: &Arc<Cycle>,
        opportunity: &Opportunity,
        manifests: bool,
    ) -> Result<Self, AgentError> {
        let (world, of) = (world.clone(), cycle.clone());
        let read = blocking(move || -> Result<_, AgentError> {
            let listing = world.repo()?.files(&of.tip)?;
            let candidates: Vec<RelPath> =
                listing.files.into_iter().map(|(path, _, _)| path).filter(|path| may_change(path, manifests)).collect();
            Ok((candidates, Sources::of(&world, &of.tip, &of.request.base.folder)?))
        });
        let (mut candidates, sources) = read.await?;
        candidates.sort_by_key(|path| !opportunity.files.contains(path));
        let evidence = || cycle.signals.iter().filter(|signal| opportunity.evidence.contains(&signal.id));
        let goal = cycle.request.goal.as_ref().filter(|_| opportunity.kind == OpportunityKind::Goal);
        let lessons = cycle.lessons.iter().filter(|lesson| lesson.topic == opportunity.topic);
        let input = ArchitectInput {
            kind: opportunity.kind,
            risk: opportunity.risk,
            title: opportunity.title.clone(),
            request: goal.map(|goal| goal.0.clone()),
            evidence: evidence().map(evidence_line).collect(),
            map: None,
            files: Vec::new(),
            lessons: lessons.map(|lesson| lesson.text.clone()).collect(),
            repair: None,
        };
        let mut texts = vec![input.title.clone()];
        texts.extend(input.request.clone());
        texts.extend(input.evidence.iter().cloned());
        // Without a file that the evidence names, all that may change is looked at, as far as there is room.
        let near = if opportunity.files.is_empty() { &candidates } else { &opportunity.files };
        let focus = focus(near, evidence(), &texts);
        Ok(Self { candidates, input, sources, focus })
    }

    /// The prompt for a model.
    ///
    /// # Errors
    /// When the template cannot be filled.
    pub(crate) fn prompt(&self, offer: &Offer, repair: Option<&Repair>) -> Result<Prompt, AgentError> {
        let fill = |input: &ArchitectInput| render(input).map_err(|error| AgentError::Bug(error.to_string()));
        let bare = ArchitectInput { repair: repair.cloned(), ..self.input.clone() };
        let frame = fill(&bare)?;
        let room = room_beside(offer, &frame);
        let shown = self.sources.pick(&self.focus, room, offer.tokenizer);
        fill(&ArchitectInput { map: shown.map, files: shown.files, ..bare })
    }
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
        SignalKind::FailingTest { test, output } => format!("test {test} fails{at}:\n{}", steady(output)),
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
