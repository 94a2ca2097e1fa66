//! The judgement over all metrics of a watch: kept, rolled back or inconclusive.
//!
//! One metric that is worse rolls back, so with many metrics many could raise a false alarm. Each is therefore tested at
//! its alpha divided by the number of metrics (Bonferroni), which holds however they depend on each other. Holm's
//! procedure would not find more here: its first step is the very same, and the first rejection already rolls back; what
//! it gains it gains on the second one. And it would need all p-values at one moment, while metrics end at different ones.
//! The number of metrics is that of the terms, not of those that have data: it is fixed before anything is seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::look::Look;
use crate::series::Series;
use crate::terms::{InvalidTerms, MetricTerms, Missing};
use crate::verdict::verdict_of;

/// What a watch comes to, with what each metric says, in the order of the terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Its end, or that it goes on.
    pub outcome: Outcome,
    /// The metrics by name.
    pub looks: Vec<(String, Look)>,
}

/// What a watch comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The watch goes on.
    Open(Open),
    /// Every metric that counts came to its end, and none is worse.
    Kept,
    /// At least one metric is worse.
    RolledBack,
    /// No metric is known to be worse, and of at least one that counts it is not known that it is fine.
    Inconclusive,
}

/// How a watch that goes on looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Open {
    /// Nothing was found yet.
    Quiet,
    /// A metric seems worse, and waits for confirmation.
    Suspect,
}

/// Judges all metrics. A metric without an entry in `series` has no samples. `finished`: no more samples will come.
///
/// # Errors
/// When the terms cannot be kept, also when a metric could no longer show anything at its part of alpha.
pub fn judge(
    terms: &[MetricTerms],
    series: &BTreeMap<String, Series<'_>>,
    finished: bool,
) -> Result<Judgement, InvalidTerms> {
    let mut judgement = Judgement { outcome: Outcome::Inconclusive, looks: Vec::new() };
    let mut counts = Vec::new();
    for own in terms {
        own.validate()?;
        if judgement.looks.iter().any(|(name, _)| *name == own.name) {
            return Err(InvalidTerms::Twice { metric: own.name.clone() });
        }
        let shared = MetricTerms { alpha: own.alpha / terms.len() as f64, ..own.clone() };
        shared.validate()?;
        let look = verdict_of(&shared, &series.get(&own.name).copied().unwrap_or_default(), finished);
        counts.push(own.missing != Missing::Ignore || !matches!(look, Look::NoData { .. }));
        judgement.looks.push((own.name.clone(), look));
    }
    let counted: Vec<&Look> =
        judgement.looks.iter().zip(&counts).filter(|(_, counts)| **counts).map(|((_, look), _)| look).collect();
    judgement.outcome = outcome(&counted);
    Ok(judgement)
}

fn outcome(looks: &[&Look]) -> Outcome {
    let any = |is: fn(&Look) -> bool| looks.iter().any(|look| is(look));
    if any(|look| matches!(look, Look::Worse { .. } | Look::Silent)) {
        Outcome::RolledBack
    } else if any(|look| matches!(look, Look::Suspect { .. })) {
        Outcome::Open(Open::Suspect)
    } else if any(Look::is_open) {
        Outcome::Open(Open::Quiet)
    } else if !looks.is_empty() && looks.iter().all(|look| matches!(look, Look::Fine { .. })) {
        Outcome::Kept
    } else {
        Outcome::Inconclusive
    }
}
