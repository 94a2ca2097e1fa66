//! Why a job was not run: a layer is missing, the job makes no sense, or the sandbox could not be built.
//!
//! A job that ran and failed is no error; that is [`Finished`](super::Finished).

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why nothing was run.
#[derive(Debug, Error)]
pub enum IsolationError {
    /// A required layer cannot be had here.
    #[error("sandbox layer `{layer}` is missing: {why}; {help}")]
    Missing {
        /// The layer's name, as waivers use it.
        layer: &'static str,
        /// What failed.
        why: String,
        /// The way out.
        help: String,
    },
    /// The sandbox can be had neither with namespaces nor without.
    #[error("{namespaces}; and without namespaces: {restricted}")]
    Neither {
        /// What is missing with them.
        namespaces: Box<IsolationError>,
        /// What is wrong without them.
        restricted: Box<IsolationError>,
    },
    /// A waiver names no layer.
    #[error("`{name}` is no layer of the sandbox and cannot be waived; the layers are: {known}")]
    UnknownWaiver {
        /// What it names.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The job makes no sense.
    #[error("this cannot be run in the sandbox: {0}")]
    Job(String),
    /// A host path of the job cannot be used.
    #[error("host path {path} cannot be shown in the sandbox")]
    HostPath {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A step of building the sandbox failed.
    #[error("building the sandbox failed in layer `{layer}`: {step}")]
    Setup {
        /// The layer that the step belongs to.
        layer: &'static str,
        /// What was being done.
        step: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The command could not be started in the finished sandbox.
    #[error("starting {program} in the sandbox failed")]
    Exec {
        /// The program, as seen inside.
        program: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The system refused something that the sandbox needs on the outside.
    #[error("{what} failed")]
    System {
        /// What.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The sandbox ended without saying how the command ended; somebody killed it from outside.
    #[error("the sandbox was ended from outside before the command had finished (out of memory on the machine?)")]
    Lost,
}

impl IsolationError {
    /// The last system error as one about `what`.
    pub(super) fn last(what: &'static str) -> Self {
        Self::System { what, source: io::Error::last_os_error() }
    }
}
