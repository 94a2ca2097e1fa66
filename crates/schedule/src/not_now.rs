//! Why something must wait, in a sentence for the maintainer.

use std::fmt;

use kaizen_domain::Timestamp;
use thiserror::Error;

use crate::instant::{shown, span};

/// Something must wait.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct NotNow {
    /// When to ask again, if time alone changes it.
    pub until: Option<Timestamp>,
    /// Why.
    pub why: Why,
}

/// Why something must wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// As many pull requests are open as may be.
    Open {
        /// How many are.
        open: u32,
        /// How many may be.
        max: u32,
    },
    /// As much has landed as may.
    Landed {
        /// How much has.
        landed: usize,
        /// How much may.
        max: u32,
        /// In so many seconds.
        window_secs: u64,
    },
    /// Pull requests were closed without being merged.
    Rejected {
        /// How many in a row.
        rejections: usize,
        /// The pause that follows from it.
        pause_secs: u64,
    },
    /// It is quiet hours.
    Quiet {
        /// When they begin.
        from: String,
        /// When they end.
        to: String,
        /// By the clocks of this zone.
        time_zone: String,
    },
}

impl fmt::Display for NotNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "{}; not before {}", self.why, shown(until)),
            None => self.why.fmt(f),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { open: 1, max } => write!(f, "1 pull request is open, and `max_open` is {max}"),
            Self::Open { open, max } => write!(f, "{open} pull requests are open, and `max_open` is {max}"),
            Self::Landed { landed, max, window_secs } => {
                let changes = if *landed == 1 { "change has" } else { "changes have" };
                write!(f, "{landed} {changes} landed within {}, and `max_landings` is {max}", span(*window_secs))
            }
            Self::Rejected { rejections: 1, pause_secs } => {
                write!(
                    f,
                    "the last pull request was closed without being merged, so the next one waits {}",
                    span(*pause_secs)
                )
            }
            Self::Rejected { rejections, pause_secs } => write!(
                f,
                "the last {rejections} pull requests were closed without being merged, so the next one waits {}",
                span(*pause_secs)
            ),
            Self::Quiet { from, to, time_zone } => write!(f, "quiet hours are from {from} to {to} ({time_zone})"),
        }
    }
}
