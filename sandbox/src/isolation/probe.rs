//! The proof that the sandbox can be built here: every layer is tried, by building it all and looking from within.
//!
//! Without an [`Isolation`] nothing runs, and there is no other way to one than the probe.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;

use kaizen_domain::{Layer, LayerState, RelPath};

use super::blueprint::{Blueprint, Purpose};
use super::cancel::Cancel;
use super::error::IsolationError;
use super::finished::{Finished, Stream};
use super::job::{Job, Limits, Tree, TreeChange};
use super::landlock;
use super::launch::Running;
use super::layer::LayerName;
use super::report::Record;
use super::step::PROBE_PROCESSES;
use super::supervise;
use super::watch;

/// The isolation, with its layers probed. Only with one of these can a job be run.
#[derive(Debug, Clone)]
pub struct Isolation {
    layers: Vec<Layer>,
    dropped: BTreeSet<LayerName>,
}

/// What trying found out.
#[derive(Default)]
struct Survey {
    /// Layers that cannot be had, and why.
    missing: BTreeMap<LayerName, String>,
    /// Whether the others were all tried.
    complete: bool,
}

impl Isolation {
    /// Tries every layer. Layers named in `waived` may be missing; they are used where they can be had.
    ///
    /// # Errors
    /// The first missing layer that is not waived, with the way out; a waiver that names no layer; or what the
    /// system refused outside the sandbox.
    pub fn probe(waived: &[String]) -> Result<Self, IsolationError> {
        let waived = waivers(waived)?;
        let survey = survey()?;
        for (layer, why) in &survey.missing {
            if layer.structural() || !waived.contains(layer) {
                let (why, help) = (why.clone(), layer.way_out());
                return Err(IsolationError::Missing { layer: layer.name(), why, help });
            }
        }
        Ok(Self { layers: survey.layers(LayerState::Waived), dropped: survey.missing.into_keys().collect() })
    }

    /// The layers as they were found, in the order in which they are built up.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Tries every layer and says what was found, for a person. Nothing is waived and nothing fails.
    #[must_use]
    pub fn inspect() -> Vec<Layer> {
        match survey() {
            Ok(survey) => survey.layers(LayerState::Missing),
            Err(error) => {
                let why = in_full(&error);
                let missing = |layer: LayerName| layer.report(LayerState::Missing, Some(&why));
                LayerName::ALL.into_iter().map(missing).collect()
            }
        }
    }

    /// Runs a job to its end and hands on its lines, without their line ends, as they come. Blocks the calling thread.
    /// When it returns, by whatever way, no process of the job is left.
    ///
    /// # Errors
    /// When the job was not run. A command that fails or is ended is no error.
    pub fn run(
        &self,
        job: &Job,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<Finished, IsolationError> {
        let plan = Blueprint::prepare(job, &self.dropped, Purpose::Run)?;
        supervise::run(&plan, job, cancel, on_line)
    }
}

fn waivers(names: &[String]) -> Result<BTreeSet<LayerName>, IsolationError> {
    let find = |name: &String| {
        LayerName::ALL.into_iter().find(|layer| layer.name() == name).ok_or_else(|| IsolationError::UnknownWaiver {
            name: name.clone(),
            known: LayerName::ALL.map(LayerName::name).join(", "),
        })
    };
    names.iter().map(find).collect()
}

impl Survey {
    fn layers(&self, state_of_missing: LayerState) -> Vec<Layer> {
        let report = |layer: LayerName| match self.missing.get(&layer) {
            Some(why) => layer.report(state_of_missing, Some(why)),
            None if !self.complete => layer.report(LayerState::Missing, None),
            None if layer == LayerName::Landlock && landlock::version() < landlock::SCOPES_SINCE => {
                let why = "signals and abstract sockets are kept in by the namespaces alone before Linux 6.12";
                layer.report(LayerState::Weaker, Some(why))
            }
            None if layer == LayerName::Watch => {
                let why = "it looks every 50 ms and does not use cgroups, so memory that is shared and no longer mapped \
                           is only seen when it gets short on the machine";
                layer.report(LayerState::Weaker, Some(why))
            }
            None => layer.report(LayerState::Active, None),
        };
        LayerName::ALL.into_iter().map(report).collect()
    }
}

/// Builds the whole sandbox; where a layer fails that others do not stand on, builds it again without that one.
fn survey() -> Result<Survey, IsolationError> {
    let mut survey = Survey::default();
    loop {
        let dropped = survey.missing.keys().copied().collect();
        let (layer, why) = match dry_run(&dropped) {
            Ok(()) => {
                survey.complete = true;
                return Ok(survey);
            }
            Err(error) => match failed_layer(&error) {
                Some(layer) if !dropped.contains(&layer) => (layer, in_full(&error)),
                _ => return Err(error),
            },
        };
        survey.missing.insert(layer, why);
        if layer.structural() {
            return Ok(survey);
        }
    }
}

fn failed_layer(error: &IsolationError) -> Option<LayerName> {
    let IsolationError::Setup { layer, .. } = error else { return None };
    LayerName::ALL.into_iter().find(|known| known.name() == *layer)
}

fn in_full(error: &IsolationError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}")
}

/// Builds a sandbox up to the point where a command would start, looks at it from both sides, and ends it.
fn dry_run(dropped: &BTreeSet<LayerName>) -> Result<(), IsolationError> {
    let plan = Blueprint::prepare(&trial_job()?, dropped, Purpose::DryRun)?;
    let mut running = Running::start(&plan, true)?;
    let mut bytes = [0; Record::SIZE];
    match running.report.read_exact(&mut bytes) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Err(IsolationError::Lost),
        Err(source) => return Err(IsolationError::System { what: "reading from the sandbox", source }),
    }
    match Record::read(&bytes) {
        Some(Record::Ready) => {}
        Some(Record::Failed { step, errno }) => return Err(plan.failure(step, errno)),
        _ => return Err(IsolationError::Lost),
    }
    let seen = watch::usage(running.monitor);
    if seen.tasks == 0 || watch::machine_memory().is_none() {
        return Err(IsolationError::Setup {
            layer: LayerName::Watch.name(),
            step: "finding the sandbox's processes in /proc".to_owned(),
            source: std::io::Error::from_raw_os_error(libc::ESRCH),
        });
    }
    Ok(())
}

/// A job that uses every layer. It is never started, only prepared.
fn trial_job() -> Result<Job, IsolationError> {
    let path = |text: &str| RelPath::new(text).map_err(|error| IsolationError::Job(error.to_string()));
    let changes = vec![
        TreeChange::Write { path: path("kaizen-probe/a")?, bytes: b"a".to_vec(), executable: true },
        TreeChange::Write { path: path("kaizen-probe/a")?, bytes: b"b".to_vec(), executable: false },
        TreeChange::Remove { path: path("kaizen-probe/a")? },
    ];
    let limits = Limits { disk: 1 << 20, tmp: 1 << 20, processes: PROBE_PROCESSES, ..Limits::default() };
    let tree = Tree::CopyOnWrite { lower: PathBuf::from("/usr"), changes };
    Ok(Job { limits, ..Job::new("/usr", tree, "/repo") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_that_names_no_layer_is_refused_with_the_names_there_are() {
        let error = Isolation::probe(&["seccmop".to_owned()]).map(drop).expect_err("refused");
        assert!(
            error.to_string().contains("`seccmop` is no layer") && error.to_string().contains("seccomp"),
            "{error}"
        );
    }

    #[test]
    fn every_layer_that_may_be_waived_can_be_done_without() {
        let waivable = || LayerName::ALL.into_iter().filter(|layer| !layer.structural());
        for layer in waivable() {
            dry_run(&[layer].into()).unwrap_or_else(|error| panic!("without {}: {}", layer.name(), in_full(&error)));
        }
        dry_run(&waivable().collect()).unwrap_or_else(|error| panic!("without all of them: {}", in_full(&error)));
    }

    #[test]
    fn a_missing_layer_is_named_with_the_way_out_and_structural_ones_cannot_be_waived() {
        let missing = |layer: LayerName| {
            let survey = Survey { missing: [(layer, "refused".to_owned())].into(), complete: true };
            survey.layers(LayerState::Missing)
        };
        let layers = missing(LayerName::Landlock);
        let landlock = layers.iter().find(|layer| layer.name == "landlock").expect("reported");
        assert_eq!(landlock.state, LayerState::Missing);
        assert!(landlock.detail.contains("waive the layer `landlock`"), "{}", landlock.detail);
        let user = missing(LayerName::User).into_iter().find(|layer| layer.name == "user namespace").expect("reported");
        assert!(user.detail.ends_with("this layer cannot be waived"), "{}", user.detail);
    }
}
