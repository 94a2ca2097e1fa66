//! Looks: what can be said about one metric at a moment.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What can be said about a metric so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Look {
    /// The next look is not due.
    NeedMore {
        /// Samples after the landing.
        have: usize,
        /// With how many the next look is due.
        need: usize,
    },
    /// A look has crossed its boundary; the next one confirms it or not.
    Suspect {
        /// By which factor the metric seems to have changed.
        ratio: f64,
        /// How likely that is, or more, if it is only as much worse as is tolerated.
        p: f64,
        /// The look that crossed.
        look: usize,
        /// With how many samples the next look is due.
        need: usize,
    },
    /// Worse than tolerated.
    Worse {
        /// By which factor the metric has changed.
        ratio: f64,
        /// How likely that is, or more, if it is only as much worse as is tolerated; the plain rule does not know.
        p: Option<f64>,
        /// The look at which that was certain.
        look: usize,
    },
    /// What reported before the landing has fallen silent, which the terms count as harm.
    Silent,
    /// The plan came to its end, and harm was neither found nor is it likely.
    Fine {
        /// By which factor the metric seems to have changed; not shown to differ from 1.
        ratio: f64,
    },
    /// There is too little to judge.
    NoData {
        /// What is missing.
        what: Absent,
    },
    /// There are data, and they allow no verdict.
    Inconclusive {
        /// Why.
        why: Why,
    },
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "absent", rename_all = "kebab-case")]
pub enum Absent {
    /// Too few samples before the landing.
    Baseline {
        /// There are so many.
        have: usize,
        /// So many are needed.
        need: usize,
    },
    /// The window ended with too few samples after the landing.
    After {
        /// There are so many.
        have: usize,
        /// So many were needed.
        need: usize,
    },
    /// All samples before, or all after, are the same: what never moves was not measured.
    Movement,
}

/// Why there is no verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// Too many samples are no measurement: not a number, infinite or negative.
    Unusable {
        /// So many.
        bad: usize,
        /// Of these.
        of: usize,
    },
    /// A look changed by a factor that no regression has.
    Absurd {
        /// The factor; nothing when it is one from or to zero.
        ratio: Option<f64>,
        /// The look.
        look: usize,
    },
    /// The control moved as well.
    Control {
        /// By which factor; nothing when that cannot be said.
        ratio: Option<f64>,
    },
    /// The control cannot be used, though there is one.
    NoControl,
    /// A look crossed its boundary, and fresh samples did not confirm it, or there were none.
    Unconfirmed {
        /// By which factor the metric seems to have changed.
        ratio: f64,
    },
    /// It seems worse than tolerated, but not so clearly that it is sure.
    Undecided {
        /// By which factor the metric seems to have changed.
        ratio: f64,
    },
    /// The terms cannot be kept.
    Terms {
        /// What is wrong with them.
        error: String,
    },
}

impl Look {
    /// Whether more samples could still change it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::NeedMore { .. } | Self::Suspect { .. })
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline { have, need } => write!(out, "{have} of {need} samples before the landing"),
            Self::After { have, need } => write!(out, "{have} of {need} samples after the landing"),
            Self::Movement => write!(out, "all samples are the same"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { bad, of } => write!(out, "{bad} of {of} samples are no measurement"),
            Self::Absurd { ratio: Some(ratio), look } => {
                write!(out, "look {look} differs by a factor of {ratio:.3e}, which looks like another unit")
            }
            Self::Absurd { ratio: None, look } => write!(out, "look {look} differs by a factor from or to zero"),
            Self::Control { ratio: Some(ratio) } => write!(out, "the control moved as well, by a factor of {ratio:.2}"),
            Self::Control { ratio: None } => write!(out, "the control moved as well"),
            Self::NoControl => write!(out, "the control has too few samples that can be used"),
            Self::Unconfirmed { ratio } => write!(out, "{ratio:.2} times at one look, not confirmed by the next"),
            Self::Undecided { ratio } => write!(out, "perhaps {ratio:.2} times, not shown to be more than tolerated"),
            Self::Terms { error } => write!(out, "{error}"),
        }
    }
}
