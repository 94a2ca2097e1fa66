//! The words of a result: the same in the terminal, in JSON (lower case), in commits and in the journal.

use serde::{Deserialize, Serialize};

/// How work on an opportunity, or a landing, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// A ref holds it.
    Landed,
    /// A pull request holds it.
    Opened,
    /// A pull request of it is opened when its turn comes.
    Queued,
    /// A person is asked.
    Asked,
    /// It was refused, with a reason.
    Rejected,
    /// Nothing could be shown either way; it does not land.
    Inconclusive,
    /// The Architect found it not worth doing.
    Declined,
    /// The watch ended well.
    Kept,
    /// It was taken back.
    RolledBack,
}

impl Word {
    /// The word as a terminal shows it.
    #[must_use]
    pub fn shout(self) -> &'static str {
        match self {
            Self::Landed => "LANDED",
            Self::Opened => "OPENED",
            Self::Queued => "QUEUED",
            Self::Asked => "ASKED",
            Self::Rejected => "REJECTED",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Declined => "DECLINED",
            Self::Kept => "KEPT",
            Self::RolledBack => "ROLLED-BACK",
        }
    }
}
