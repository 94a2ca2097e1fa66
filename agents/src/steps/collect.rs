//! Collects signals on the tip: diagnostics, test results, dependencies, notes, and what a person asked for.

use std::sync::Arc;

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{
    CommitId, Cycle, PatchSource, RelPath, RevisionReason, Signal, SignalId, SignalKind, TrialOutcome,
};
use kaizen_repo::Repo;
use kaizen_signals::{DeclaredIn, duplicates, markers, of_diagnostics, of_markers, of_report, unused};

use crate::address::blocking;
use crate::engine::tree_of;
use crate::error::AgentError;
use crate::new_id;
use crate::steps::Colleagues;
use crate::world::World;

/// Files larger than this are not read for notes and names, bytes.
const FILE_READ: u64 = 1 << 20;
/// Notes beyond this many are not looked up in the history.
const NOTES_KEPT: usize = 200;

/// Collects everything there is to see on the tip.
pub(crate) async fn collect(colleagues: &Colleagues, cycle: &Arc<Cycle>) -> Result<Vec<CycleEvent>, AgentError> {
    let clock = colleagues.world.clock.clone();
    let mut mint = move || new_id!(SignalId, clock);
    let mut signals = Vec::new();
    if let Some(title) = cycle.request.source.title() {
        signals.push(Signal { id: mint(), place: None, kind: SignalKind::Proposal { title: title.to_owned() } });
    }
    if let Some(RevisionReason::RedCheck { checks, log }) = cycle.request.revises.as_ref().map(|r| &r.reason) {
        let kind = SignalKind::RedCheck { checks: checks.clone(), log: log.clone() };
        signals.push(Signal { id: mint(), place: None, kind });
    } else if cycle.request.source == PatchSource::Engines {
        if let Some(goal) = cycle.request.goal.as_ref().filter(|_| cycle.collections == 0) {
            signals.push(Signal { id: mint(), place: None, kind: SignalKind::Goal { text: goal.0.clone() } });
        }
        let tree = tree_of(cycle, &cycle.tip);
        let scan = colleagues.pool.scan(tree).await?;
        let builds =
            cycle.base_report.as_ref().is_none_or(|report| !matches!(report.outcome, TrialOutcome::BuildFailed { .. }));
        signals.extend(of_diagnostics(&scan.diagnostics, builds && scan.builds, &mut mint));
        // Later collections are about what landings uncovered; the rest is known from the first.
        if cycle.collections == 0 {
            if let Some(report) = &cycle.base_report {
                signals.extend(of_report(report, &mut mint));
            }
            let (world, tip, folder) = (colleagues.world.clone(), cycle.tip.clone(), cycle.request.base.folder.clone());
            signals.extend(blocking(move || of_files(&world, &tip, &folder)).await?);
        }
    }
    Ok(vec![CycleEvent::Collected { commit: cycle.tip.clone(), signals }])
}

fn of_files(world: &World, tip: &CommitId, folder: &str) -> Result<Vec<Signal>, AgentError> {
    let repo = world.repo()?;
    let clock = world.clock.clone();
    let mut mint = move || new_id!(SignalId, clock);
    let mut texts: Vec<(RelPath, String)> = Vec::new();
    for (path, _, size) in repo.files(tip)?.files {
        let wanted = path.is_rust() || matches!(path.file_name(), "Cargo.toml" | "Cargo.lock" | "README.md");
        if wanted
            && size <= FILE_READ
            && inside(folder, &path)
            && let Some(state) = repo.read(tip, &path)?
            && let Ok(text) = String::from_utf8(state.bytes)
        {
            texts.push((path, text));
        }
    }
    let mut signals = of_dependencies(&texts, &mut mint);
    if world.settings.signals.notes {
        signals.extend(of_notes(world, &repo, tip, &texts, &mut mint)?);
    }
    Ok(signals)
}

fn inside(folder: &str, path: &RelPath) -> bool {
    folder.is_empty() || path.as_str().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn of_dependencies(texts: &[(RelPath, String)], mint: &mut dyn FnMut() -> SignalId) -> Vec<Signal> {
    let folder_of =
        |path: &RelPath| path.as_str().rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let manifests: Vec<(String, &RelPath, &String)> = texts
        .iter()
        .filter(|(path, _)| path.file_name() == "Cargo.toml")
        .map(|(path, text)| (folder_of(path), path, text))
        .collect();
    let mut signals = Vec::new();
    for (folder, manifest, text) in &manifests {
        // A file belongs to the nearest manifest above it.
        let owned = |path: &RelPath| {
            let owner = manifests
                .iter()
                .map(|(other, _, _)| other)
                .filter(|other| path.as_str().starts_with(other.as_str()))
                .max_by_key(|other| other.len());
            owner == Some(folder)
        };
        let of = |wanted: &dyn Fn(&RelPath) -> bool| -> Vec<&str> {
            texts.iter().filter(|(path, _)| wanted(path) && owned(path)).map(|(_, text)| text.as_str()).collect()
        };
        let package = DeclaredIn {
            manifest: (*manifest).clone(),
            text,
            sources: of(&RelPath::is_rust),
            docs: of(&|path| path.file_name() == "README.md"),
        };
        signals.extend(unused(&package, &mut *mint));
    }
    for (path, text) in texts.iter().filter(|(path, _)| path.file_name() == "Cargo.lock") {
        signals.extend(duplicates(path, text, &mut *mint));
    }
    signals
}

fn of_notes(
    world: &World,
    repo: &Repo,
    tip: &CommitId,
    texts: &[(RelPath, String)],
    mint: &mut dyn FnMut() -> SignalId,
) -> Result<Vec<Signal>, AgentError> {
    let now = i64::try_from(world.clock.now().0 / 1000).unwrap_or(i64::MAX);
    let mut signals: Vec<Signal> = Vec::new();
    for (path, text) in texts.iter().filter(|(path, _)| path.is_rust()) {
        let found = markers(text);
        if found.is_empty() || signals.len() >= NOTES_KEPT {
            continue;
        }
        let lines: Vec<u32> = found.iter().map(|marker| marker.line).collect();
        let ages = repo.line_ages(tip, path, &lines)?;
        let age_days = |line: u32| {
            let index = lines.iter().position(|other| *other == line)?;
            let seconds = now.saturating_sub(ages.get(index).copied().flatten()?);
            u32::try_from(seconds / 86_400).ok()
        };
        signals.extend(of_markers(path, &found, &age_days, &mut *mint));
    }
    Ok(signals)
}
