//! Removes a dependency that nothing names, and settles the lock file the way cargo would.

use async_trait::async_trait;
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::{EngineName, RelPath, SignalKind};
use kaizen_fixers::remove_dependency;

use crate::address::blocking;
use crate::engine::{Brief, Draft, Engine, Proposal};
use crate::error::AgentError;

/// The engine.
pub struct Manifest;

#[async_trait]
impl Engine for Manifest {
    fn name(&self) -> EngineName {
        EngineName::Manifest
    }

    async fn write(&self, brief: &Brief) -> Result<Draft, AgentError> {
        if brief.rounds_on_tip().next().is_some() {
            return Ok(Draft::nothing("the dependency is needed after all"));
        }
        let Some(unused) = unused(brief) else {
            return Ok(Draft::nothing("there is no unused dependency among the evidence"));
        };
        let (world, tip, folder) = (brief.world.clone(), brief.tip().clone(), brief.cycle.request.base.folder.clone());
        let wanted = unused.clone();
        let found = blocking(move || -> Result<_, AgentError> {
            let repo = world.repo()?;
            let manifest = repo.read(&tip, &wanted.manifest)?;
            let lock = RelPath::below(&folder, "Cargo.lock").ok();
            let lock = match lock {
                Some(path) => repo.read(&tip, &path)?.map(|state| (path, state)),
                None => None,
            };
            Ok((manifest, lock))
        })
        .await?;
        let (Some(manifest), lock) = found else { return Ok(Draft::nothing("the manifest is gone")) };
        let Ok(text) = String::from_utf8(manifest.bytes.clone()) else {
            return Ok(Draft::nothing("the manifest is not UTF-8"));
        };
        let after = match remove_dependency(&text, &unused.table, &unused.dependency) {
            Ok(after) => after,
            Err(error) => return Ok(Draft::nothing(error.to_string())),
        };
        let regular = |bytes: Vec<u8>| Some(FileState { mode: FileMode::Regular, bytes });
        let mut changes =
            vec![Change { path: unused.manifest.clone(), before: Some(manifest), after: regular(after.into_bytes()) }];
        if let Some((path, before)) = lock {
            let settled = match brief.pool.settle_lock(brief.tree(), changes.clone()).await {
                Ok(settled) => settled,
                Err(AgentError::Trial(error)) => return Ok(Draft::nothing(error.to_string())),
                Err(error) => return Err(error),
            };
            if settled != before.bytes {
                changes.push(Change { path, before: Some(before), after: regular(settled) });
            }
        }
        let Unused { dependency, package, table, .. } = unused;
        Ok(Draft::Change(Box::new(Proposal {
            changes,
            title: format!("drop unused dependency {dependency}"),
            rationale: format!(
                "No source of the package {package} names {dependency}, which its {table} declare. Without it, everything \
                 that built before builds, and every test gives the same outcome."
            ),
            ..Proposal::default()
        })))
    }
}

#[derive(Clone)]
struct Unused {
    manifest: RelPath,
    package: String,
    dependency: String,
    table: String,
}

fn unused(brief: &Brief) -> Option<Unused> {
    brief.cycle.signals.iter().filter(|signal| brief.opportunity.evidence.contains(&signal.id)).find_map(|signal| {
        let SignalKind::UnusedDependency { package, dependency, table } = &signal.kind else { return None };
        let manifest = signal.place.as_ref()?.path.clone();
        Some(Unused { manifest, package: package.clone(), dependency: dependency.clone(), table: table.clone() })
    })
}
