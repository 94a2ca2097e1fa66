//! What a round has to tell a person.

use kaizen_domain::PatchId;
use kaizen_forge::ForgeError;

/// Something that happened in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A pull request is open.
    Opened {
        /// Its patch.
        patch: PatchId,
        /// Its title.
        title: String,
        /// Its number.
        number: u64,
        /// Where a person looks at it.
        url: String,
    },
    /// It is opened later.
    Waits {
        /// Its patch.
        patch: PatchId,
        /// Its title.
        title: String,
        /// Why.
        why: String,
    },
    /// It is not opened.
    Withheld {
        /// Its patch.
        patch: PatchId,
        /// Its title.
        title: String,
        /// Why.
        why: String,
    },
    /// It was changed.
    Changed {
        /// Its patch.
        patch: PatchId,
        /// Its number.
        number: u64,
        /// Why and how.
        how: String,
    },
    /// It is over.
    Over {
        /// Its patch.
        patch: PatchId,
        /// Its number.
        number: u64,
        /// `merged`, `closed` or `superseded`.
        how: String,
    },
    /// It needs a person.
    Stuck {
        /// Its patch.
        patch: PatchId,
        /// Its number.
        number: u64,
        /// Why.
        why: String,
    },
    /// The forge could not be asked, or refused.
    Trouble {
        /// The patch that it was about, when it was about one.
        patch: Option<PatchId>,
        /// What.
        error: ForgeError,
    },
}
