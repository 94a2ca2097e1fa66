//! Applies machine-applicable suggestions of rustc and clippy, as many at once as pass, by bisection over trials.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::{Diagnostic, EngineName, RelPath, SignalKind, Spend};
use kaizen_fixers::{Next, next};
use kaizen_sandbox::Scan;

use crate::address::blocking;
use crate::engine::{Brief, Draft, Engine, Proposal};
use crate::error::AgentError;
use crate::weigh;

/// The engine.
pub struct Rustfix;

#[async_trait]
impl Engine for Rustfix {
    fn name(&self) -> EngineName {
        EngineName::Rustfix
    }

    async fn write(&self, brief: &Brief) -> Result<Draft, AgentError> {
        let scan = brief.pool.scan(brief.tree()).await?;
        let wanted = wanted(brief, &scan);
        let (tip, world) = (brief.tip().clone(), brief.world.clone());
        let first: Option<Vec<String>> = brief.rounds_on_tip().next().map(|round| round.patch.items.clone());
        let outcomes: Vec<bool> = brief.rounds_on_tip().map(|round| weigh::passed(brief, round)).collect();
        let last = brief.rounds_on_tip().last().and_then(|round| round.reworked.clone()).unwrap_or_default();
        let subject = subject(brief);
        let draft = blocking(move || -> Result<Draft, AgentError> {
            let repo = world.repo()?;
            let read = |path: &RelPath| -> Result<Option<String>, AgentError> {
                let state = repo.read(&tip, path)?.filter(|state| state.mode == FileMode::Regular);
                Ok(state.and_then(|state| String::from_utf8(state.bytes).ok()))
            };
            // The first proposal on this tip settles what the search is about: what fits together.
            let all = match first {
                Some(all) => all,
                None => apply(&wanted, &|_| true, &read)?.0,
            };
            if all.is_empty() {
                return Ok(Draft::nothing("none of the suggestions fits the files as they are now"));
            }
            let (items, more) = match next(&all, &outcomes) {
                Next::Try { items, more } => (items, more),
                Next::Nothing { bad } => {
                    return Ok(Draft::Nothing {
                        reasons: vec![every_one_fails(bad.len(), &last)],
                        spend: Spend::default(),
                        uses: Vec::new(),
                    });
                }
            };
            let chosen: BTreeSet<&str> = items.iter().map(String::as_str).collect();
            let (_, changes) = apply(&wanted, &|key| chosen.contains(key), &read)?;
            let count = items.len();
            let title = if count == 1 {
                format!("clear 1 finding of {subject}")
            } else {
                format!("clear {count} findings of {subject}")
            };
            let rationale = rationale(&wanted, &chosen);
            Ok(Draft::Change(Box::new(Proposal { changes, title, rationale, items, more, ..Proposal::default() })))
        })
        .await?;
        let Draft::Change(mut proposal) = draft else { return Ok(draft) };
        proposal.changes = brief.pool.format(brief.tree(), proposal.changes).await?;
        Ok(Draft::Change(proposal))
    }
}

fn every_one_fails(count: usize, last: &str) -> String {
    if count == 1 {
        last.to_owned()
    } else {
        format!("each of the {count} suggestions fails on its own; the last: {last}")
    }
}

/// What the findings are of: the lint, or the compiler's errors.
fn subject(brief: &Brief) -> String {
    brief.opportunity.topic.strip_prefix("lint:").map_or_else(|| "rustc's errors".to_owned(), str::to_owned)
}

/// The diagnostics of the scan that the opportunity is about and that are not known to be bad.
fn wanted(brief: &Brief, scan: &Scan) -> Vec<Diagnostic> {
    let lint = brief.opportunity.topic.strip_prefix("lint:");
    let bad: BTreeSet<&str> = brief.cycle.bad_items().into_iter().collect();
    let about_build = brief.cycle.signals.iter().any(|signal| {
        brief.opportunity.evidence.contains(&signal.id) && matches!(signal.kind, SignalKind::BuildFailure { .. })
    });
    scan.diagnostics
        .iter()
        .filter(|found| found.fixable)
        .filter(|found| {
            if about_build { found.level == kaizen_domain::Level::Error } else { Some(found.code.as_str()) == lint }
        })
        .filter(|found| found.path.as_ref().is_some_and(|path| brief.task.reach.contains(path)))
        .filter(|found| !bad.contains(found.key().as_str()))
        .cloned()
        .collect()
}

type Read<'a> = &'a dyn Fn(&RelPath) -> Result<Option<String>, AgentError>;

/// Applies the suggestions that `choose` wants, file by file; returns the keys of those that fit, and the changes.
fn apply(
    wanted: &[Diagnostic],
    choose: &dyn Fn(&str) -> bool,
    read: Read<'_>,
) -> Result<(Vec<String>, Vec<Change>), AgentError> {
    let mut files: BTreeMap<&RelPath, Vec<&Diagnostic>> = BTreeMap::new();
    for found in wanted {
        if let Some(path) = &found.path
            && choose(&found.key())
        {
            files.entry(path).or_default().push(found);
        }
    }
    let (mut keys, mut changes) = (Vec::new(), Vec::new());
    for (path, findings) in files {
        let Some(text) = read(path)? else { continue };
        let applied = kaizen_fixers::apply(&text, &findings);
        keys.extend(applied.applied);
        if applied.text != text {
            let state = |text: String| Some(FileState { mode: FileMode::Regular, bytes: text.into_bytes() });
            changes.push(Change { path: path.clone(), before: state(text), after: state(applied.text) });
        }
    }
    Ok((keys, changes))
}

/// What the tools said, each message once.
fn rationale(wanted: &[Diagnostic], chosen: &BTreeSet<&str>) -> String {
    let mut messages: BTreeMap<&str, usize> = BTreeMap::new();
    for found in wanted.iter().filter(|found| chosen.contains(found.key().as_str())) {
        *messages.entry(&found.message).or_default() += 1;
    }
    let shown: Vec<String> = messages
        .iter()
        .take(5)
        .map(
            |(message, count)| {
                if *count == 1 { format!("- {message}") } else { format!("- {message} ({count} times)") }
            },
        )
        .collect();
    let rest = messages.len().saturating_sub(shown.len());
    let more = if rest > 0 { format!("\n- and {rest} more") } else { String::new() };
    format!("Suggestions of the compiler's own tools, applied as they are:\n{}{more}", shown.join("\n"))
}
