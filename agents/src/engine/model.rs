//! Has a language model write the change. What it answers is data: edits that are applied to the files of the tip,
//! within the reach that the plan fixed, and reviewed and tried like anybody's. An answer that cannot be used is sent
//! back once with what is wrong with it.

use async_trait::async_trait;
use kaizen_domain::edit::Change;
use kaizen_domain::{EngineName, OpportunityKind, RelPath, Specialist, Spend};
use kaizen_llm::inputs::{
    ConfiguratorInput, DebuggerInput, EngineerInput, FailingTest, OptimizerInput, PriorRound, PromptFile, Repair,
};
use kaizen_llm::{PatchAnswer, Prompt, PromptError, render};

use crate::address::blocking;
use crate::engine::{Brief, Draft, Engine, Proposal};
use crate::error::AgentError;
use crate::writing::RepoSource;

/// How often an answer that cannot be used is sent back.
const REPAIRS: usize = 1;

/// The engine.
pub struct Model;

#[async_trait]
impl Engine for Model {
    fn name(&self) -> EngineName {
        EngineName::Model
    }

    async fn write(&self, brief: &Brief) -> Result<Draft, AgentError> {
        let files = read_files(brief).await?;
        let mut spend = Spend::default();
        let mut repair: Option<Repair> = None;
        for _ in 0..=REPAIRS {
            let prompt = prompt(brief, &files, repair.take()).map_err(|error| AgentError::Bug(error.to_string()))?;
            let answered = match brief.gateway.ask(&brief.cycle, prompt).await? {
                Ok(answered) => answered,
                Err(none) => return Ok(Draft::Unanswered { reason: none.reason, spend: spend.plus(none.spend) }),
            };
            spend = spend.plus(answered.spend);
            match take(brief, &answered.text).await? {
                Taken::Change(answer, changes) => {
                    return Ok(Draft::Change(Box::new(Proposal {
                        changes,
                        title: answer.title,
                        rationale: answer.rationale,
                        benchmark: answer.benchmark,
                        model: Some(answered.model),
                        spend,
                        ..Proposal::default()
                    })));
                }
                Taken::GaveUp(reason) => {
                    return Ok(Draft::Nothing { reasons: vec![format!("the model gave up: {reason}")], spend });
                }
                Taken::Unusable(error) => repair = Some(Repair { answer: answered.text, error }),
            }
        }
        let error = repair.map(|repair| repair.error).unwrap_or_default();
        Ok(Draft::Nothing { reasons: vec![format!("the model's answer could not be used: {error}")], spend })
    }
}

enum Taken {
    Change(PatchAnswer, Vec<Change>),
    GaveUp(String),
    Unusable(String),
}

async fn take(brief: &Brief, text: &str) -> Result<Taken, AgentError> {
    let answer = match PatchAnswer::parse(text) {
        Ok(answer) => answer,
        Err(error) => return Ok(Taken::Unusable(error.to_string())),
    };
    if let Some(reason) = answer.give_up.clone() {
        return Ok(Taken::GaveUp(reason));
    }
    let (world, tip, edits) = (brief.world.clone(), brief.tip().clone(), answer.edit_set());
    let applied = blocking(move || -> Result<_, AgentError> {
        let repo = world.repo()?;
        Ok(kaizen_patch::apply(&edits, &RepoSource { repo: &repo, commit: &tip }).map_err(|error| error.to_string()))
    })
    .await?;
    Ok(match applied {
        Ok(changes) => Taken::Change(answer, changes),
        Err(error) => Taken::Unusable(error),
    })
}

/// The files in reach, and after them the manifest, as far as there is room.
async fn read_files(brief: &Brief) -> Result<Vec<PromptFile>, AgentError> {
    let (world, tip, room) = (brief.world.clone(), brief.tip().clone(), brief.gateway.room());
    let mut paths = brief.task.reach.clone();
    paths.extend(brief.evidence().filter_map(|signal| signal.place.as_ref().map(|place| place.path.clone())));
    paths.extend(RelPath::below(&brief.cycle.request.base.folder, "Cargo.toml").ok());
    blocking(move || files_within(&world, &tip, &paths, room)).await
}

/// Reads files until the room is used up; each once, in the order given.
pub(crate) fn files_within(
    world: &crate::world::World,
    tip: &kaizen_domain::CommitId,
    paths: &[RelPath],
    mut room: usize,
) -> Result<Vec<PromptFile>, AgentError> {
    let repo = world.repo()?;
    let mut files: Vec<PromptFile> = Vec::new();
    for path in paths {
        if files.iter().any(|file| file.path == *path) {
            continue;
        }
        let Some(state) = repo.read(tip, path)? else { continue };
        if let Ok(text) = String::from_utf8(state.bytes)
            && text.len() <= room
        {
            room -= text.len();
            files.push(PromptFile { path: path.clone(), text });
        }
    }
    Ok(files)
}

fn prompt(brief: &Brief, files: &[PromptFile], repair: Option<Repair>) -> Result<Prompt, PromptError> {
    let (case, files) = (&brief.case, files.to_vec());
    let reach = brief.task.reach.clone();
    let rounds: Vec<PriorRound> = case
        .earlier
        .iter()
        .map(|(diff, outcome)| PriorRound { diff: diff.clone(), outcome: outcome.clone() })
        .collect();
    let lessons = lessons(brief);
    let text = case.brief.clone();
    match brief.task.specialist {
        Specialist::Optimizer => render(&OptimizerInput {
            brief: text,
            evidence: case.slow.clone(),
            package: crate_name(&files),
            files,
            reach,
            lessons,
            rounds,
            repair,
        }),
        Specialist::Configurator => render(&ConfiguratorInput {
            brief: text,
            evidence: case.diagnostics.clone(),
            files,
            reach,
            lessons,
            rounds,
            repair,
        }),
        Specialist::Debugger if brief.opportunity.kind == OpportunityKind::Goal => {
            let request = brief.cycle.request.goal.as_ref().map_or_else(String::new, |goal| goal.0.clone());
            render(&EngineerInput { request, brief: text, files, reach, lessons, rounds, repair })
        }
        Specialist::Debugger => {
            let failing = case
                .failing_tests
                .iter()
                .map(|(name, output)| FailingTest { name: name.clone(), output: output.clone() })
                .collect();
            render(&DebuggerInput {
                brief: text,
                failing,
                errors: case.diagnostics.clone(),
                files,
                reach,
                lessons,
                rounds,
                repair,
            })
        }
    }
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
