//! What goes wrong with a forge, each with the way out.

use thiserror::Error;

/// An error of a forge. The text after the semicolon says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForgeError {
    /// The repository has no remote.
    #[error(
        "the repository has no remote `{name}`; add one with `git remote add {name} ADDRESS`, or set `forge.remote`"
    )]
    NoRemote {
        /// The remote that was looked for.
        name: String,
    },
    /// Its address is not that of a repository on a forge.
    #[error(
        "the remote's address `{address}` is not one of a repository on a forge; set `forge.url` to its web address"
    )]
    NotARemote {
        /// The address, without a password.
        address: String,
    },
    /// The host does not tell which kind of forge it is.
    #[error(
        "which kind of forge {host} is cannot be told from its name; set `forge.kind` to github, gitlab or forgejo"
    )]
    UnknownForge {
        /// The host.
        host: String,
    },
    /// There is no token, or it cannot be read.
    #[error("{what}; see `kaizen init --explain forge`")]
    NoToken {
        /// What is missing.
        what: String,
    },
    /// The forge does not know the token.
    #[error(
        "{host} refuses the token: {message}; it may have expired: make a new one and put it where `forge.token_env` or `forge.token_file` says"
    )]
    TokenRefused {
        /// The forge.
        host: String,
        /// What it said.
        message: String,
    },
    /// The token is known but may not do this.
    #[error("the token may not {what}: {message}; give it that right, see `kaizen doctor`")]
    MissingRight {
        /// What was to be done.
        what: String,
        /// What the forge said.
        message: String,
    },
    /// There is no such repository, or the token may not see it.
    #[error("{what} is not there, or the token may not see it; was it deleted, renamed or made private?")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// It has another name now.
    #[error("the repository {from} is {to} now; change the remote's address with `git remote set-url`")]
    Renamed {
        /// Its old name.
        from: String,
        /// Where the forge points.
        to: String,
    },
    /// Nobody can change it any more.
    #[error(
        "the repository {name} is archived, so nothing can be opened there; take it out of kaizen.toml, or have it unarchived"
    )]
    Archived {
        /// The repository.
        name: String,
    },
    /// A rule of the forge refuses the push.
    #[error(
        "a rule of the forge refuses the push to {branch}: {message}; let Kaizen push branches named kaizen/**, or change the rule"
    )]
    Protected {
        /// The branch.
        branch: String,
        /// What the server said.
        message: String,
    },
    /// The branch is not where it was: somebody else pushed to it.
    #[error(
        "the branch {branch} on the forge is not where Kaizen left it: somebody else pushed to it; it is left alone"
    )]
    BranchMoved {
        /// The branch.
        branch: String,
    },
    /// The forge asks to wait.
    #[error("{host} asks to wait {seconds} s; what is due is done then")]
    Wait {
        /// The forge.
        host: String,
        /// For how long from now.
        seconds: u64,
    },
    /// It cannot be reached, or does not answer.
    #[error("{host} cannot be reached: {why}; what is due is done when it can")]
    Unreachable {
        /// The forge.
        host: String,
        /// Why.
        why: String,
    },
    /// It refuses what was sent.
    #[error("{host} refuses to {what}: {status} {message}; `kaizen doctor` checks what the token may do")]
    Refused {
        /// The forge.
        host: String,
        /// What was to be done.
        what: String,
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// Its answer cannot be read.
    #[error(
        "what {host} answered to \"{what}\" cannot be read: {why}; is `forge.api_url` the address of its interface?"
    )]
    Answer {
        /// The forge.
        host: String,
        /// What was asked.
        what: String,
        /// Why.
        why: String,
    },
    /// The git program does not run.
    #[error("git cannot {what}: {why}; is git installed and the disk writable?")]
    Git {
        /// What it was to do.
        what: String,
        /// Why.
        why: String,
    },
}

impl ForgeError {
    /// Whether the same may go well later without anybody doing anything.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Wait { .. } | Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }
}
