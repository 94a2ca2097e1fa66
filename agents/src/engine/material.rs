//! Material: what of the repository a model is shown for a task, as far as its room goes, and the prompt that comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use kaizen_context::{Focus, Index, SourceFile, select};
use kaizen_domain::{CommitId, Cycle, OpportunityKind, RelPath, Signal, Specialist, Tokens};
use kaizen_llm::inputs::{
    ConfiguratorInput, DebuggerInput, EngineerInput, FailingTest, OptimizerInput, PromptFile, Repair,
};
use kaizen_llm::tokens::Tokenizer;
use kaizen_llm::{Prompt, PromptError, render};
use sha2::{Digest as _, Sha256};

use crate::engine::{Brief, feedback};
use crate::error::AgentError;
use crate::model_gateway::Offer;
use crate::world::World;

/// Commits that count as recent.
const RECENT: usize = 5;
/// What the tags around a piece need.
const TAGS: u64 = 48;
/// What the frame of a prompt may need besides what is counted: labels and tags.
const FRAME: u64 = 200;

/// What a prompt shows of the repository.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// What the repository holds, in short.
    pub map: Option<String>,
    /// Files and pieces of files.
    pub files: Vec<PromptFile>,
    /// What there was no room for, in words.
    pub left_out: Vec<String>,
}

/// The sources of a commit and what is known of them, ready to be picked from.
#[derive(Clone)]
pub struct Sources {
    index: Arc<Index>,
    /// Files that are no Rust and may matter: manifests.
    others: Vec<(RelPath, String)>,
    recent: Vec<RelPath>,
}

impl Sources {
    /// Reads a commit. What has not changed since the last one is not parsed again.
    ///
    /// # Errors
    /// When the commit cannot be read.
    pub fn of(world: &World, tip: &CommitId, folder: &str) -> Result<Self, AgentError> {
        let repo = world.repo()?;
        let mut files = Vec::new();
        let mut others = Vec::new();
        for (path, _, size) in repo.files(tip)?.files {
            let rust = path.is_rust();
            if (!rust && !matches!(path.file_name(), "Cargo.toml" | "Cargo.lock")) || size > 4 << 20 {
                continue;
            }
            let Some(state) = repo.read(tip, &path)? else { continue };
            let Ok(text) = String::from_utf8(state.bytes) else { continue };
            if rust {
                files.push(SourceFile { path, key: hex::encode(Sha256::digest(text.as_bytes())), text: text.into() });
            } else {
                others.push((path, text));
            }
        }
        let near = RelPath::below(folder, "Cargo.toml").ok();
        others.sort_by_key(|(path, _)| Some(path) != near.as_ref());
        let index = world.indexed(|before| Index::of(files, before));
        let mut recent = BTreeSet::new();
        let mut commit = tip.clone();
        for _ in 0..RECENT {
            let Some(parent) = repo.parent(&commit)? else { break };
            recent.extend(repo.stat(&parent, &commit)?.into_iter().map(|change| change.path));
            commit = parent;
        }
        Ok(Self { index, others, recent: recent.into_iter().collect() })
    }

    /// What fits into the room.
    #[must_use]
    pub fn pick(&self, focus: &Focus, room: u64, tokenizer: Tokenizer) -> Shown {
        let count = |text: &str| tokenizer.count(text).0 + TAGS;
        let mut left = room;
        let mut files = Vec::new();
        // What may change and is no Rust, and the manifest that is nearest: small, and seldom to be done without.
        for (number, (path, text)) in self.others.iter().enumerate() {
            let wanted = focus.reach.contains(path) || (number == 0 && path.file_name() == "Cargo.toml");
            let tokens = count(text);
            if wanted && tokens <= left / 2 {
                left -= tokens;
                files.push(PromptFile::whole(path.clone(), text.clone()));
            }
        }
        let focus = Focus { recent: self.recent.clone(), ..focus.clone() };
        let selection = select(&self.index, &focus, left, &count);
        files.extend(selection.pieces.into_iter().map(|piece| PromptFile {
            part: piece.lines.map(|(first, last)| format!("lines {first} to {last}: {}", piece.about)),
            path: piece.path,
            text: piece.text,
        }));
        let map = (!selection.map.trim().is_empty()).then_some(selection.map);
        Shown { map, files, left_out: selection.left_out }
    }
}

/// What a task is about, from its evidence and from what earlier patches led to.
#[must_use]
pub fn focus<'s>(reach: &[RelPath], evidence: impl Iterator<Item = &'s Signal>, texts: &[String]) -> Focus {
    let mut focus = Focus { reach: reach.to_vec(), words: texts.to_vec(), ..Focus::default() };
    for signal in evidence {
        focus.places.extend(signal.place.as_ref().map(|place| (place.path.clone(), place.line as usize)));
    }
    // Panics and compilers name places as `src/tax.rs:12:5`.
    for word in texts.iter().flat_map(|text| text.split_whitespace()) {
        let mut parts = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/').split(':');
        let (Some(path), Some(line)) = (parts.next(), parts.next()) else { continue };
        if let (true, Ok(path), Ok(line)) = (path.ends_with(".rs"), RelPath::new(path), line.parse::<usize>()) {
            focus.places.push((path, line));
        }
    }
    focus.places.sort();
    focus.places.dedup();
    focus
}

/// The prompt for a specialist, and what matters and has no room in it, in words. The repository gets what the task itself
/// leaves of the room.
///
/// # Errors
/// When the template cannot be filled.
pub fn prompt(
    brief: &Brief,
    sources: &Sources,
    offer: &Offer,
    repair: Option<&Repair>,
) -> Result<(Prompt, Vec<String>), AgentError> {
    let bug = |error: PromptError| AgentError::Bug(error.to_string());
    let mut shown = shown(brief, sources, offer, repair).map_err(bug)?;
    let left_out = std::mem::take(&mut shown.left_out);
    Ok((fill(brief, shown, offer, repair).map_err(bug)?, left_out))
}

fn shown(brief: &Brief, sources: &Sources, offer: &Offer, repair: Option<&Repair>) -> Result<Shown, PromptError> {
    let bare = fill(brief, Shown::default(), offer, repair)?;
    let room = room_beside(offer, &bare);
    let case = &brief.case;
    let mut texts: Vec<String> = vec![case.brief.clone()];
    texts.extend(case.failing_tests.iter().flat_map(|(test, output)| [test.clone(), output.clone()]));
    texts.extend(case.diagnostics.iter().chain(&case.slow).cloned());
    texts.extend(brief.rounds_on_tip().last().map(feedback::outcome));
    let focus = focus(&brief.task.reach, brief.evidence(), &texts);
    let shown = sources.pick(&focus, room, offer.tokenizer);
    if !shown.left_out.is_empty() {
        tracing::info!(left_out = shown.left_out.len(), room, "not everything that matters fits into the prompt");
    }
    Ok(shown)
}

fn fill(brief: &Brief, shown: Shown, offer: &Offer, repair: Option<&Repair>) -> Result<Prompt, PromptError> {
    let case = &brief.case;
    let Shown { map, files, .. } = shown;
    let (format, reach, lessons) = (offer.format, brief.task.reach.clone(), lessons(brief));
    let rounds = feedback::rounds(brief.rounds_on_tip());
    let (text, repair) = (case.brief.clone(), repair.cloned());
    match brief.task.specialist {
        Specialist::Optimizer => render(&OptimizerInput {
            brief: text,
            evidence: case.slow.clone(),
            package: crate_name(&files),
            format,
            map,
            files,
            reach,
            lessons,
            rounds,
            repair,
        }),
        Specialist::Configurator => render(&ConfiguratorInput {
            brief: text,
            evidence: case.diagnostics.clone(),
            format,
            map,
            files,
            reach,
            lessons,
            rounds,
            repair,
        }),
        Specialist::Debugger if brief.opportunity.kind == OpportunityKind::Goal => {
            let request = goal(&brief.cycle);
            render(&EngineerInput { request, brief: text, format, map, files, reach, lessons, rounds, repair })
        }
        Specialist::Debugger => {
            let failing = case
                .failing_tests
                .iter()
                .map(|(name, output)| FailingTest { name: name.clone(), output: output.clone() })
                .collect();
            let errors = case.diagnostics.clone();
            render(&DebuggerInput { brief: text, failing, errors, format, map, files, reach, lessons, rounds, repair })
        }
    }
}

fn goal(cycle: &Cycle) -> String {
    cycle.request.goal.as_ref().map_or_else(String::new, |goal| goal.0.clone())
}

/// What this cycle learned about matters of the same kind that came to nothing.
fn lessons(brief: &Brief) -> Vec<String> {
    let kind = brief.opportunity.topic.split(':').next().unwrap_or_default();
    brief
        .cycle
        .lessons
        .iter()
        .filter(|lesson| !lesson.text.is_empty() && lesson.topic.split(':').next() == Some(kind))
        .map(|lesson| format!("{}: {}", lesson.word.shout().to_lowercase(), lesson.text))
        .take(5)
        .collect()
}

/// The crate's name as a program writes it, from the manifest among the files.
fn crate_name(files: &[PromptFile]) -> String {
    let manifest = files.iter().find(|file| file.path.file_name() == "Cargo.toml");
    let name = manifest.and_then(|file| {
        let line = file.text.lines().find(|line| line.trim_start().starts_with("name"))?;
        Some(line.split('"').nth(1)?.replace('-', "_"))
    });
    name.unwrap_or_else(|| "the_crate".to_owned())
}

/// What a prompt may show of the repository beside what it says without, tokens.
#[must_use]
pub fn room_beside(offer: &Offer, bare: &Prompt) -> u64 {
    let used: u64 = [&bare.system, &bare.user].iter().map(|text| offer.tokenizer.count(text).0).sum();
    let Tokens(room) = offer.room;
    room.saturating_sub(used + FRAME)
}
