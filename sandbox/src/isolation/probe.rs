//! The proof that the sandbox can be built here: every layer is tried, by building it all and looking from within.
//!
//! Without an [`Isolation`] nothing runs, and there is no other way to one than the probe.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kaizen_domain::{Layer, LayerState, RelPath};

use super::arrangement::Arrangement;
use super::blueprint::{Blueprint, Purpose};
use super::cancel::Cancel;
use super::cgroup::Groups;
use super::copied::Stage;
use super::error::IsolationError;
use super::finished::{Finished, Stream};
use super::job::{Job, Limits, Places, Tree, TreeChange};
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
    arrangement: Arrangement,
    layers: Vec<Layer>,
    dropped: BTreeSet<LayerName>,
    groups: Option<Arc<Groups>>,
}

/// What trying found out.
struct Survey {
    arrangement: Arrangement,
    /// Layers that cannot be had, and why.
    missing: BTreeMap<LayerName, String>,
    /// Whether the others were all tried.
    complete: bool,
    /// Where each job can have a control group of its own.
    groups: Option<Arc<Groups>>,
}

impl Isolation {
    /// Tries every layer with namespaces, and without them where one is missing. Layers named in `waived` may be missing;
    /// they are used where they can be had.
    ///
    /// # Errors
    /// The first missing layer that is not waived, with the way out; a waiver that names no layer; or what the
    /// system refused outside the sandbox.
    pub fn probe(waived: &[String]) -> Result<Self, IsolationError> {
        match Self::probe_arrangement(Arrangement::Namespaces, waived) {
            Err(IsolationError::Missing { layer, why, help }) => {
                let mut other = Self::probe_arrangement(Arrangement::Restricted, waived).map_err(|restricted| {
                    let namespaces = Box::new(IsolationError::Missing { layer, why: why.clone(), help: help.clone() });
                    IsolationError::Neither { namespaces, restricted: Box::new(restricted) }
                })?;
                if let Some(first) = other.layers.first_mut() {
                    let help = help.split("; ").next().unwrap_or_default();
                    first.detail = format!("{}; stronger with namespaces ({why}): {help}", first.detail);
                }
                Ok(other)
            }
            other => other,
        }
    }

    /// Tries every layer of the arrangement that is wanted, or of the first that can be had.
    ///
    /// # Errors
    /// As with [`probe`](Self::probe).
    pub fn probe_wanted(wanted: Option<Arrangement>, waived: &[String]) -> Result<Self, IsolationError> {
        wanted.map_or_else(|| Self::probe(waived), |arrangement| Self::probe_arrangement(arrangement, waived))
    }

    /// Tries every layer of one arrangement.
    ///
    /// # Errors
    /// As with [`probe`](Self::probe).
    pub fn probe_arrangement(arrangement: Arrangement, waived: &[String]) -> Result<Self, IsolationError> {
        let waived = waivers(waived)?;
        let survey = survey(arrangement)?;
        for (layer, why) in &survey.missing {
            if layer.structural(arrangement) || !waived.contains(layer) {
                let (why, help) = (why.clone(), layer.way_out(arrangement));
                return Err(IsolationError::Missing { layer: layer.name(), why, help });
            }
        }
        let layers = survey.layers(LayerState::Waived);
        Ok(Self { arrangement, layers, dropped: survey.missing.into_keys().collect(), groups: survey.groups })
    }

    /// The same, with other control groups.
    #[cfg(test)]
    pub(super) fn in_groups(self, groups: Option<Arc<Groups>>) -> Self {
        Self { groups, ..self }
    }

    /// How the sandbox is arranged here.
    #[must_use]
    pub fn arrangement(&self) -> Arrangement {
        self.arrangement
    }

    /// Where tree and scratch folders are inside, for a tree that is kept in the folder `dir` of the host. One job at a
    /// time has them where there are no namespaces; others wait.
    #[must_use]
    pub fn places(&self, dir: &Path) -> Places {
        self.arrangement.places(dir)
    }

    /// The layers as they were found, in the order in which they are built up.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Tries every layer and says what was found, for a person: of the arrangement that is `wanted`, or that is used where
    /// none is, or of the stronger one where none can be had. Nothing is waived and nothing fails.
    #[must_use]
    pub fn inspect(wanted: Option<Arrangement>) -> Vec<Layer> {
        if let (None, Ok(isolation)) = (wanted, Self::probe(&[])) {
            return isolation.layers;
        }
        let arrangement = wanted.unwrap_or(Arrangement::Namespaces);
        match survey(arrangement) {
            Ok(survey) => survey.layers(LayerState::Missing),
            Err(error) => {
                let why = in_full(&error);
                let missing = |layer: LayerName| layer.report(arrangement, LayerState::Missing, Some(&why));
                LayerName::of(arrangement).map(missing).collect()
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
        let group = self.groups.as_ref().and_then(|groups| groups.take(&job.limits));
        let plan = Blueprint::prepare(job, self.arrangement, &self.dropped, group.as_ref(), Purpose::Run)?;
        supervise::run(&plan, job, group, cancel, on_line)
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
        let arrangement = self.arrangement;
        let report = |layer: LayerName| match self.missing.get(&layer) {
            Some(why) => layer.report(arrangement, state_of_missing, Some(why)),
            None if !self.complete => layer.report(arrangement, LayerState::Missing, None),
            None if layer == LayerName::Landlock && landlock::version() < landlock::SCOPES_SINCE => {
                let why = "signals and abstract sockets are kept in by the namespaces alone before Linux 6.12";
                layer.report(arrangement, LayerState::Weaker, Some(why))
            }
            None if layer == LayerName::ProcessLimit && !limits_processes(arrangement) => {
                let why = "it does not count those of root without namespaces, so only the watch ends a job that has too many";
                layer.report(arrangement, LayerState::Weaker, Some(why))
            }
            None if layer == LayerName::Watch => match &self.groups {
                Some(groups) => {
                    let mut report = layer.report(arrangement, LayerState::Active, None);
                    report.detail.push_str("; the kernel bounds ");
                    report.detail.push_str(groups.bounds());
                    report.detail.push_str(" of all of them in a control group, and ends them in one call");
                    report
                }
                None => {
                    let why = "it looks every 50 ms, and there is no control group for this user, so memory that is shared \
                               and no longer mapped is only seen when it gets short on the machine: with systemd, start \
                               Kaizen by `systemd-run --user --scope`";
                    layer.report(arrangement, LayerState::Weaker, Some(why))
                }
            },
            None => layer.report(arrangement, LayerState::Active, None),
        };
        let state = if arrangement == Arrangement::Namespaces { LayerState::Active } else { LayerState::Weaker };
        let kind = Layer { name: "arrangement".to_owned(), state, detail: arrangement.means().to_owned() };
        std::iter::once(kind).chain(LayerName::of(arrangement).map(report)).collect()
    }
}

/// Builds the whole sandbox; where a layer fails that others do not stand on, builds it again without that one.
fn survey(arrangement: Arrangement) -> Result<Survey, IsolationError> {
    let groups = Groups::find();
    let mut survey = Survey { arrangement, missing: BTreeMap::new(), complete: false, groups };
    if arrangement == Arrangement::Restricted && landlock::version() < landlock::TRUNCATE_SINCE {
        survey.missing.insert(LayerName::Landlock, format!("this kernel has version {} of it", landlock::version()));
        return Ok(survey);
    }
    loop {
        let dropped = survey.missing.keys().copied().collect();
        let (layer, why) = match dry_run(arrangement, &dropped, survey.groups.as_ref()) {
            Ok(()) => {
                survey.complete = true;
                return Ok(survey);
            }
            // A group that nobody may enter is none. Then there is the watch alone.
            Err(error) if survey.groups.is_some() && failed_layer(&error) == Some(LayerName::Watch) => {
                survey.groups = None;
                continue;
            }
            Err(error) => match failed_layer(&error) {
                Some(layer) if !dropped.contains(&layer) => (layer, in_full(&error)),
                _ => return Err(error),
            },
        };
        survey.missing.insert(layer, why);
        if layer.structural(arrangement) {
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
fn dry_run(
    arrangement: Arrangement,
    dropped: &BTreeSet<LayerName>,
    groups: Option<&Arc<Groups>>,
) -> Result<(), IsolationError> {
    let folder = ProbeFolder::new()?;
    let job = trial_job(&folder.0, arrangement)?;
    let group =
        groups.and_then(|groups| groups.take(&Limits { processes: Limits::default().processes, ..job.limits.clone() }));
    let plan = Blueprint::prepare(&job, arrangement, dropped, group.as_ref(), Purpose::DryRun)?;
    let _stage = if plan.gathers { Some(Stage::set(&job, &Cancel::new().map_err(no_flag)?)?) } else { None };
    let mut running = Running::start(&plan, true)?;
    let mut record = Some(Record::Mounts);
    while record == Some(Record::Mounts) {
        let mut bytes = [0; Record::SIZE];
        match running.report.read_exact(&mut bytes) {
            Ok(()) => record = Record::read(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Err(IsolationError::Lost),
            Err(source) => return Err(IsolationError::System { what: "reading from the sandbox", source }),
        }
    }
    match record {
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

fn no_flag(source: std::io::Error) -> IsolationError {
    IsolationError::System { what: "making a flag", source }
}

/// Whether the kernel limits processes of the user that Kaizen runs as.
pub(super) fn limits_processes(arrangement: Arrangement) -> bool {
    // SAFETY: takes nothing and cannot fail.
    arrangement == Arrangement::Namespaces || unsafe { libc::geteuid() } != 0
}

/// An empty folder of our own, gone when it is dropped.
struct ProbeFolder(PathBuf);

impl ProbeFolder {
    fn new() -> Result<Self, IsolationError> {
        use std::os::unix::fs::DirBuilderExt as _;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("kaizen-probe-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        let made = std::fs::DirBuilder::new().mode(0o700).create(&path);
        made.and_then(|()| std::fs::create_dir(path.join("lower")))
            .map_err(|source| IsolationError::HostPath { path: path.clone(), source })?;
        Ok(Self(path))
    }
}

impl Drop for ProbeFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A job that uses every layer. It is never started, only prepared.
fn trial_job(folder: &Path, arrangement: Arrangement) -> Result<Job, IsolationError> {
    let path = |text: &str| RelPath::new(text).map_err(|error| IsolationError::Job(error.to_string()));
    let changes = vec![
        TreeChange::Write { path: path("kaizen-probe/a")?, bytes: b"a".to_vec(), executable: true },
        TreeChange::Write { path: path("kaizen-probe/a")?, bytes: b"b".to_vec(), executable: false },
        TreeChange::Remove { path: path("kaizen-probe/a")? },
    ];
    let limits = Limits { disk: 1 << 20, tmp: 1 << 20, processes: PROBE_PROCESSES, ..Limits::default() };
    let tree = Tree::CopyOnWrite { lower: folder.join("lower"), changes };
    Ok(Job { limits, ..Job::new("/usr", tree, arrangement.places(folder)) })
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
        for arrangement in Arrangement::ALL {
            let waivable = || LayerName::of(arrangement).filter(|layer| !layer.structural(arrangement));
            for layer in waivable() {
                dry_run(arrangement, &[layer].into(), None)
                    .unwrap_or_else(|error| panic!("without {}: {}", layer.name(), in_full(&error)));
            }
            dry_run(arrangement, &waivable().collect(), None)
                .unwrap_or_else(|error| panic!("without all of them: {}", in_full(&error)));
        }
    }

    #[test]
    fn a_missing_layer_is_named_with_the_way_out_and_structural_ones_cannot_be_waived() {
        let missing = |layer: LayerName| {
            let survey = Survey {
                arrangement: Arrangement::Namespaces,
                missing: [(layer, "refused".to_owned())].into(),
                complete: true,
                groups: None,
            };
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
