//! The Configurator: changes manifests, by experiment. It drops what nothing needs and settles the lock file; a model
//! may change versions, features and profiles for it, and nothing but manifests.

use kaizen_domain::{SignalKind, Specialist};

use crate::engine::{Brief, Case, Proposal};
use crate::writer::{Craft, Writer, WriterHandle};

/// The trade.
pub struct Configuration;

/// The actor.
pub type Configurator = Writer<Configuration>;
/// What others see of it.
pub type ConfiguratorHandle = WriterHandle<Configuration>;

impl Craft for Configuration {
    const SPECIALIST: Specialist = Specialist::Configurator;
    const ROLE: &'static str = "configurator";

    fn case(brief: &Brief) -> Case {
        let mut case = Case::of(brief);
        case.diagnostics = brief
            .evidence()
            .filter_map(|signal| match &signal.kind {
                SignalKind::DuplicateDependency { name, versions } => {
                    Some(format!("the lock file holds {name} in versions {}", versions.join(", ")))
                }
                SignalKind::UnusedDependency { dependency, table, .. } => {
                    Some(format!("nothing names {dependency} of {table}"))
                }
                _ => None,
            })
            .collect();
        case
    }

    fn accept(_: &Brief, proposal: &Proposal) -> Result<(), String> {
        let other =
            proposal.changes.iter().find(|change| !matches!(change.path.file_name(), "Cargo.toml" | "Cargo.lock"));
        match other {
            Some(change) => Err(format!("the change touches {}, which is no manifest", change.path)),
            None => Ok(()),
        }
    }
}
