//! The runner: everything a trial needs around it. It starts cargo in the sandbox and hands out what cargo said.

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::admission::Admission;
use crate::base::WarmBase;
use crate::direct::Remembered;
use crate::isolation::{
    Arrangement, Batch, Cancel, Finished, Isolation, IsolationError, Job, Limits, Stream, Tree, TreeChange,
};
use crate::progress::{Progress, compiling};
use crate::toolchain::{Toolchain, ToolchainError};

/// What a person may set about trials.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// The limits of one job.
    pub limits: Limits,
    /// How long a first build may take.
    pub build_wall: Duration,
    /// Layers of the sandbox that a person gave up by name.
    pub waived: Vec<String>,
    /// How the sandbox is to be arranged; none for the first that can be had here.
    pub arrangement: Option<Arrangement>,
    /// Where warm bases live.
    pub state_dir: PathBuf,
    /// How often the tests of the base are run to find flaky ones; at least 1.
    pub base_runs: u32,
}

/// Why a trial could not be carried out. Nothing here is a verdict about a patch.
#[derive(Debug, Error)]
pub enum TrialError {
    /// The sandbox.
    #[error(transparent)]
    Isolation(#[from] IsolationError),
    /// The toolchain.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// A file or folder of our own.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The files of the commit could not be written out.
    #[error("the files of the base cannot be written out: {0}")]
    Export(String),
    /// Dependencies could not be fetched.
    #[error("the dependencies cannot be fetched:\n{output}")]
    Fetch {
        /// What cargo said.
        output: String,
    },
    /// cargo does not understand the project.
    #[error("cargo does not understand the project:\n{output}")]
    Metadata {
        /// What cargo said.
        output: String,
    },
    /// A feature is wanted that is none of any package.
    #[error("no package has the feature `{name}`; those that there are: {known}")]
    Features {
        /// The feature.
        name: String,
        /// Those that packages of the workspace have.
        known: String,
    },
    /// It was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl TrialError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}

/// Starts cargo in the sandbox.
pub struct Runner {
    pub(crate) isolation: Isolation,
    pub(crate) toolchain: Toolchain,
    pub(crate) settings: RunnerSettings,
    pub(crate) remembered: Remembered,
}

/// One call of cargo inside.
#[derive(Default)]
pub(crate) struct Call {
    /// An absolute path inside.
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// Calls in place of that.
    pub batch: Option<Batch>,
    /// Written into the tree first.
    pub changes: Vec<TreeChange>,
    /// Whether what is built stays in the base's target folder.
    pub warm: bool,
    pub merge_output: bool,
    /// It is read line by line as it comes, and not needed any more after that.
    pub forget_output: bool,
    pub wall: Duration,
    /// More of the host that it sees, read-only: there, then inside.
    pub read_only: Vec<(PathBuf, PathBuf)>,
    /// More of the environment.
    pub env: Vec<(OsString, OsString)>,
    /// A folder of the host for notes, which the call may write to.
    pub notes: Option<PathBuf>,
}

impl Runner {
    /// Probes the sandbox and finds the toolchain.
    ///
    /// # Errors
    /// When a required layer of the sandbox is missing and not waived, or there is no toolchain.
    pub fn new(settings: RunnerSettings, asked_toolchain: Option<&str>) -> Result<Self, TrialError> {
        std::fs::create_dir_all(&settings.state_dir).map_err(TrialError::io("creating", &settings.state_dir))?;
        let isolation = Isolation::probe_wanted(settings.arrangement, &settings.waived)?;
        let toolchain = Toolchain::find(asked_toolchain, &settings.state_dir, isolation.arrangement())?;
        Ok(Self { isolation, toolchain, settings, remembered: Remembered::default() })
    }

    /// The layers of the sandbox as they were found.
    #[must_use]
    pub fn layers(&self) -> &[kaizen_domain::Layer] {
        self.isolation.layers()
    }

    /// The toolchain that is used.
    #[must_use]
    pub fn toolchain(&self) -> &Toolchain {
        &self.toolchain
    }

    /// The environment of cargo on a base.
    pub(crate) fn environment(&self, base: &WarmBase) -> Vec<(OsString, OsString)> {
        let mut env = self.toolchain.environment(base.places());
        env.push(("CARGO_TARGET_DIR".into(), base.project_inside().join("target").into()));
        env
    }

    pub(crate) fn call(
        &self,
        base: &WarmBase,
        call: Call,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(&str),
    ) -> Result<Finished, TrialError> {
        let finished = self.call_streams(base, call, cancel, &mut |_, line| on_line(line))?;
        if cancel.is_cancelled() {
            return Err(TrialError::Cancelled);
        }
        Ok(finished)
    }

    pub(crate) fn call_streams(
        &self,
        base: &WarmBase,
        mut call: Call,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(Stream, &str),
    ) -> Result<Finished, TrialError> {
        let places = base.places();
        base.features.in_changes(&mut call.changes);
        let mut read_only = self.toolchain.mounts(&places.home);
        read_only.extend(call.read_only);
        let cwd = base.project_inside();
        let mut env = self.environment(base);
        env.extend(call.env);
        let mut writable = if call.warm { vec![(base.target_dir(), cwd.join("target"))] } else { Vec::new() };
        writable.extend(call.notes.map(|notes| (notes, base.notes_inside().to_path_buf())));
        read_only.retain(|(host, _)| host.exists());
        let job = Job {
            program: call.program,
            args: call.args,
            batch: call.batch,
            cwd,
            env,
            tree: Tree::CopyOnWrite { lower: base.tree_dir(), changes: call.changes },
            places: places.clone(),
            read_only,
            writable,
            merge_output: call.merge_output,
            keep_output: !call.forget_output,
            limits: Limits { wall: call.wall, ..self.settings.limits.clone() },
        };
        let admission = Admission::of_this_machine();
        let leave = admission.enter(base.dir(), cancel).ok_or(TrialError::Cancelled)?;
        let finished = self
            .isolation
            .run(&job, cancel, &mut |stream: Stream, line: &[u8]| {
                on_line(stream, String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']));
            })
            .map_err(TrialError::from)?;
        drop(leave);
        admission.took(base.dir(), finished.peak_memory);
        Ok(finished)
    }
}

/// A word that nobody can know before: new each time.
#[must_use]
pub fn nonce() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// What lines begin with that are ours: never seen inside before.
pub(crate) fn mark() -> String {
    format!("@{}", nonce())
}

/// Turns cargo's status lines into progress.
pub(crate) struct Watcher<'a> {
    begun: usize,
    tested: usize,
    of: usize,
    on: &'a mut dyn FnMut(Progress),
}

impl<'a> Watcher<'a> {
    pub fn new(of: usize, on: &'a mut dyn FnMut(Progress)) -> Self {
        Self { begun: 0, tested: 0, of, on }
    }

    pub fn line(&mut self, line: &str) {
        if let Some(krate) = compiling(line) {
            self.begun += 1;
            (self.on)(Progress::Compiling { krate: krate.to_owned(), begun: self.begun });
        } else if line.starts_with("test ") && (line.ends_with(" ok") || line.ends_with(" FAILED")) {
            self.tested += 1;
            (self.on)(Progress::Testing { done: self.tested, of: self.of });
        }
    }
}
