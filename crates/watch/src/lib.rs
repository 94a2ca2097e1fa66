//! What became of a landing: whether a metric is worse after it than before, decided by a test that was fixed beforehand.
//!
//! Pure: samples come in, a verdict goes out. It is a function of the terms and of the samples so far, so whoever watches
//! may be started again at any time, ask again, and get the same answer. Once decided, later samples change nothing.
//!
//! A metric is looked at a few times, after so many new samples each. At each look the Mann-Whitney test asks whether the
//! samples after are worse than those before by more than the tolerance. How sure it must be is set by alpha spending, so
//! that several looks together raise no more false alarms than promised. A look that crosses makes the landing suspect;
//! it is rolled back only when the next look, on its fresh samples alone, says so too. Data that cannot be judged leads to
//! an inconclusive end, never to one that speaks for the landing.
//!
//! The test takes samples for independent of each other. Those of a service that is slow for minutes at a time are not, and
//! then alarms are more frequent than promised: take them further apart than such a spell lasts, or give a control.

mod hodges_lehmann;
mod judge;
mod look;
mod mann_whitney;
mod series;
mod spending;
mod terms;
mod verdict;

pub use hodges_lehmann::ratio;
pub use judge::{Judgement, Open, Outcome, judge};
pub use look::{Absent, Look, Why};
pub use mann_whitney::{MannWhitney, greater};
pub use series::{Control, Series};
pub use spending::Boundaries;
pub use terms::{Direction, InvalidTerms, MetricTerms, Missing, Rule};
pub use verdict::{verdict, verdict_of, verdict_within};
