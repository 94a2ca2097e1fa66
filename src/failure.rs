//! Failure: the one error type at the program's edge. What failed, on which thing, what now.

use std::fmt;

use kaizen_agents::security::advisories::AdvisoriesError;
use kaizen_agents::{AgentError, Shortage};
use kaizen_domain::Millis;
use kaizen_evidence::KeyError;
use kaizen_forge::ForgeError;
use kaizen_journal::JournalError;
use kaizen_repo::RepoError;
use kaizen_sandbox::TrialError;
use kaizen_settings::SettingsError;

use crate::exit::Exit;
use crate::story::lines::shown;

/// An error as a person sees it.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What failed, on which thing.
    pub message: String,
    /// What to do about it.
    pub help: Vec<String>,
}

impl Failure {
    /// Something given that cannot be worked with.
    #[must_use]
    pub fn input(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Input, message: message.into(), help: vec![help.into()] }
    }

    /// A fault of the machine or of Kaizen.
    #[must_use]
    pub fn fault(message: impl Into<String>) -> Self {
        Self { exit: Exit::Fault, message: message.into(), help: Vec::new() }
    }

    /// The same with one more way out.
    #[must_use]
    pub fn or(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of branches and files are part of messages, and a terminal obeys what they may hold.
        let harmless = |text: &str| text.lines().map(shown).collect::<Vec<_>>().join("\n");
        write!(f, "error: {}", harmless(&self.message))?;
        self.help.iter().try_for_each(|help| write!(f, "\nhelp: {}", harmless(help)))
    }
}

impl std::error::Error for Failure {}

const AFTER_DISK_FULL: &str = "free some space and run again: nothing that was recorded is lost";

/// The way out when the machine has run out of something.
fn after(shortage: Shortage) -> &'static str {
    match shortage {
        Shortage::Disk => AFTER_DISK_FULL,
        Shortage::Files => {
            "raise the limit on open files, such as with `ulimit -n 1024`, and run again: nothing that was recorded is lost"
        }
        Shortage::Memory => {
            "end what else uses memory, or raise the limits on memory and processes (`ulimit -v`, `ulimit -u`), and run \
             again: nothing that was recorded is lost"
        }
    }
}

/// An error with what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some messages hold their cause already.
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(&format!(": {said}"));
        }
        cause = error.source();
    }
    text
}

/// A message and the way out, when the message has both, split by its semicolon: errors of the rooms below say both in
/// one line.
fn split(exit: Exit, text: &str) -> Failure {
    match text.split_once("; ") {
        Some((message, help)) => Failure { exit, message: message.to_owned(), help: vec![help.to_owned()] },
        None => Failure { exit, message: text.to_owned(), help: Vec::new() },
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NoPublicKey { .. } | KeyError::NoKey { .. } => {
                Self::input(error.to_string(), "`kaizen verify --print-key` prints the public key of an installation")
            }
            KeyError::Io { .. } | KeyError::NoRandomness => Self::fault(error.to_string()),
        }
    }
}

impl From<RepoError> for Failure {
    fn from(error: RepoError) -> Self {
        split(Exit::Input, &error.to_string())
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::input(error.to_string(), error.help())
    }
}

impl From<ForgeError> for Failure {
    fn from(error: ForgeError) -> Self {
        let exit = if error.may_pass() { Exit::Forge } else { Exit::Input };
        split(exit, &error.to_string())
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        match &error {
            JournalError::Leased { pid, held_for, .. } => Self {
                exit: Exit::Busy,
                message: format!(
                    "another kaizen, process {pid}, has worked on this repository for {}",
                    Millis::from_duration(*held_for)
                ),
                help: vec!["wait until it is done, or stop it; `kaizen status` shows how far it is".to_owned()],
            },
            JournalError::Busy { .. } | JournalError::LeasedElsewhere { .. } => split(Exit::Busy, &error.to_string()),
            JournalError::DiskFull { path } => {
                Self::fault(format!("no space is left for {}", path.display())).or(AFTER_DISK_FULL)
            }
            _ => split(Exit::Fault, &chain(&error)),
        }
    }
}

impl From<AdvisoriesError> for Failure {
    fn from(error: AdvisoriesError) -> Self {
        Self::input(
            chain(&error),
            "clone https://github.com/rustsec/advisory-db there, name another folder, or leave `security.advisories` empty",
        )
    }
}

impl From<TrialError> for Failure {
    fn from(error: TrialError) -> Self {
        match &error {
            TrialError::Isolation(_) => split(Exit::Sandbox, &chain(&error)).or("`kaizen doctor` shows every layer"),
            TrialError::Export(_) => split(Exit::Input, &error.to_string()),
            TrialError::Fetch { .. } | TrialError::Metadata { .. } => Self::input(
                error.to_string().trim_end(),
                "`cargo fetch` in the repository shows the same; paths outside the repository and submodules that are not \
                 part of the commit cannot be used",
            ),
            TrialError::Features { .. } => Self::input(
                error.to_string(),
                "`trial.features` in kaizen.toml, or in your own settings, names what is on",
            ),
            TrialError::Cancelled => Self { exit: Exit::Stopped, message: error.to_string(), help: Vec::new() },
            _ => split(Exit::Fault, &error.to_string()),
        }
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        if let (false, Some(shortage)) = (matches!(error, AgentError::Journal(_)), error.shortage()) {
            return Self::fault(chain(&error)).or(after(shortage));
        }
        match error {
            AgentError::Repo(error) => error.into(),
            AgentError::Journal(error) => error.into(),
            AgentError::Trial(error) => error.into(),
            AgentError::Forge(error) => error.into(),
            AgentError::Key(error) => error.into(),
            AgentError::Advisories(error) => error.into(),
            AgentError::Stopped(reason) => Self {
                exit: Exit::Stopped,
                message: format!("stopped: {reason}"),
                help: vec!["nothing is lost: `kaizen run-cycle` goes on where this stood".to_owned()],
            },
            AgentError::Emergency(reason) => Self::fault(format!("emergency, nothing lands any more: {reason}"))
                .or("`kaizen log` shows what led to it; this is a fault of Kaizen's own, please report it"),
            other => Self::fault(other.to_string())
                .or("this is a fault of Kaizen's own; please report it with `kaizen log --json`"),
        }
    }
}
