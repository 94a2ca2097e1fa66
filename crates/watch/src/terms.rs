//! Terms: what is promised about a metric before the landing, so that nothing can be chosen after the data are seen.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::spending::Boundaries;

/// Samples that a series or look must at least have: with fewer, ranks can show next to nothing.
const FEWEST: usize = 5;
/// Samples that a series or look may at most have.
const MOST: usize = 100_000;

/// How a metric is watched. The defaults are meant for durations with a long right tail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricTerms {
    /// What the metric is called.
    pub name: String,
    /// Which way harm lies.
    #[serde(default)]
    pub direction: Direction,
    /// A change of location up to this ratio is no harm: 0.1 lets a duration grow to 1.1 times, a rate fall to 1/1.1.
    #[serde(default = "defaults::tolerance")]
    pub tolerance: f64,
    /// The chance that a metric which is exactly as much worse as is tolerated is rolled back all the same.
    #[serde(default = "defaults::alpha")]
    pub alpha: f64,
    /// New samples for each look.
    #[serde(default = "defaults::samples_per_look")]
    pub samples_per_look: usize,
    /// How often is looked. One look more may follow to confirm what the last one found.
    #[serde(default = "defaults::looks")]
    pub looks: usize,
    /// Samples before the landing that must be there.
    #[serde(default = "defaults::baseline")]
    pub baseline: usize,
    /// What it means when there are no samples.
    #[serde(default)]
    pub missing: Missing,
    /// How harm is told.
    #[serde(default)]
    pub rule: Rule,
    /// A ratio beyond this (or below one through this) is another unit or a broken probe, not a regression to act upon.
    #[serde(default = "defaults::absurd")]
    pub absurd: f64,
}

/// Which way harm lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Durations, sizes, numbers of errors.
    #[default]
    HigherIsWorse,
    /// Throughput, hit rates.
    LowerIsWorse,
}

/// What it means when there are no samples after the landing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Nothing can be said.
    #[default]
    Inconclusive,
    /// What reported before has fallen silent: that is harm. Without a baseline it means nothing, as nothing fell silent.
    Worse,
    /// The other metrics decide.
    Ignore,
}

/// How harm is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The group-sequential test.
    #[default]
    Sequential,
    /// When all samples are there, the median is worse by more than this. It takes noise for harm and is not advised.
    Plain {
        /// By how much, in per cent.
        percent: f64,
    },
}

/// Terms that cannot be kept.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum InvalidTerms {
    /// A metric needs a name.
    #[error("`name` is empty: give the metric the name under which its samples arrive")]
    Name,
    /// A number is out of its range.
    #[error("`{field}` of metric `{metric}` is {value}: choose a value {range}")]
    Range {
        /// The metric.
        metric: String,
        /// The field.
        field: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        range: &'static str,
    },
    /// The baseline is smaller than a look.
    #[error(
        "`baseline` of metric `{metric}` is {baseline}, less than a look: raise it to {per_look} or lower `samples_per_look`"
    )]
    Baseline {
        /// The metric.
        metric: String,
        /// Samples before.
        baseline: usize,
        /// Samples of a look.
        per_look: usize,
    },
    /// Not even the worst samples would ever cross.
    #[error(
        "metric `{metric}` could never be rolled back: raise `samples_per_look` or `baseline`, or watch fewer metrics, so \
         that a chance of {alpha:.1e} can be shown"
    )]
    Powerless {
        /// The metric.
        metric: String,
        /// What would have to be shown.
        alpha: f64,
    },
    /// Two metrics have the same name.
    #[error("`name` of two metrics is `{metric}`: rename one of them")]
    Twice {
        /// The metric.
        metric: String,
    },
}

mod defaults {
    //! Numbers at which a slowdown by 1.3 is found at a coefficient of variation of 0.3, and by 2 at one of 1.

    pub fn tolerance() -> f64 {
        0.1
    }
    pub fn alpha() -> f64 {
        0.005
    }
    pub fn samples_per_look() -> usize {
        50
    }
    pub fn looks() -> usize {
        4
    }
    pub fn baseline() -> usize {
        200
    }
    pub fn absurd() -> f64 {
        100.0
    }
}

impl MetricTerms {
    /// The usual terms for a metric.
    #[must_use]
    pub fn new(name: impl Into<String>, direction: Direction) -> Self {
        Self {
            name: name.into(),
            direction,
            tolerance: defaults::tolerance(),
            alpha: defaults::alpha(),
            samples_per_look: defaults::samples_per_look(),
            looks: defaults::looks(),
            baseline: defaults::baseline(),
            missing: Missing::default(),
            rule: Rule::default(),
            absurd: defaults::absurd(),
        }
    }

    /// Samples after the landing that the whole plan may need, with the look that confirms.
    #[must_use]
    pub fn most_samples(&self) -> usize {
        let looks = match self.rule {
            Rule::Sequential => self.looks + 1,
            Rule::Plain { .. } => self.looks,
        };
        self.samples_per_look.saturating_mul(looks)
    }

    /// The boundaries of the sequential rule with so many samples before the landing.
    #[must_use]
    pub fn boundaries(&self, baseline: usize) -> Boundaries {
        Boundaries::new(self.alpha, baseline, self.samples_per_look, self.looks)
    }

    /// Whether the terms can be kept.
    ///
    /// # Errors
    /// When a field is out of its range, or the plan could never find harm.
    pub fn validate(&self) -> Result<(), InvalidTerms> {
        if self.name.trim().is_empty() {
            return Err(InvalidTerms::Name);
        }
        let count = |count: usize| count as f64;
        let samples = FEWEST..=MOST;
        self.check("tolerance", self.tolerance, (0.0..=10.0).contains(&self.tolerance), "from 0 to 10")?;
        self.check("alpha", self.alpha, (1e-9..=0.1).contains(&self.alpha), "from 1e-9 to 0.1")?;
        self.check("absurd", self.absurd, (2.0..=1e12).contains(&self.absurd), "from 2 to 1e12")?;
        self.check("absurd", self.absurd, self.absurd > 1.0 + self.tolerance, "above what is tolerated")?;
        let per_look = self.samples_per_look;
        self.check("samples_per_look", count(per_look), samples.contains(&per_look), "from 5 to 100000")?;
        self.check("looks", count(self.looks), (2..=5).contains(&self.looks), "from 2 to 5")?;
        self.check("baseline", count(self.baseline), samples.contains(&self.baseline), "from 5 to 100000")?;
        match self.rule {
            Rule::Plain { percent } => {
                self.check("percent", percent, (0.0..=1000.0).contains(&percent), "from 0 to 1000")
            }
            Rule::Sequential if self.baseline < per_look => {
                Err(InvalidTerms::Baseline { metric: self.name.clone(), baseline: self.baseline, per_look })
            }
            Rule::Sequential if !self.has_power() => {
                Err(InvalidTerms::Powerless { metric: self.name.clone(), alpha: self.alpha })
            }
            Rule::Sequential => Ok(()),
        }
    }

    fn check(&self, field: &'static str, value: f64, holds: bool, range: &'static str) -> Result<(), InvalidTerms> {
        if holds { Ok(()) } else { Err(InvalidTerms::Range { metric: self.name.clone(), field, value, range }) }
    }

    /// Whether the last look would cross if every sample after were worse than every one before: that has a chance of
    /// one in all the orders that there are. A tenth of alpha must be left over, as the last look cannot use all of it.
    fn has_power(&self) -> bool {
        let (m, n) = (self.baseline, self.samples_per_look * self.looks);
        let orders: f64 = (1..=n.min(m)).map(|i| (((m + n - i + 1) as f64) / i as f64).ln()).sum();
        -orders < (self.alpha / 10.0).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_terms_hold_and_are_what_a_name_alone_means() {
        let usual = MetricTerms::new("latency", Direction::HigherIsWorse);
        assert_eq!(usual.validate(), Ok(()));
        assert_eq!(serde_json::from_str::<MetricTerms>(r#"{"name":"latency"}"#).unwrap(), usual);
        let shown = serde_json::to_string(&usual).unwrap();
        assert_eq!(serde_json::from_str::<MetricTerms>(&shown).unwrap(), usual);
        let plain = r#"{"name":"a","rule":{"plain":{"percent":10.0}},"missing":"worse","direction":"lower-is-worse"}"#;
        let plain: MetricTerms = serde_json::from_str(plain).unwrap();
        assert_eq!((plain.rule, plain.missing), (Rule::Plain { percent: 10.0 }, Missing::Worse));
        assert!(serde_json::from_str::<MetricTerms>(r#"{"name":"a","tolerence":0.2}"#).is_err());
    }

    #[test]
    fn an_error_names_the_field_and_the_way_out() {
        type Change = fn(&mut MetricTerms);
        let cases: [(Change, &str); 9] = [
            (|t| t.name = " ".to_owned(), "`name` is empty: give"),
            (|t| t.tolerance = f64::NAN, "`tolerance` of metric `m` is NaN: choose a value from 0 to 10"),
            (|t| t.alpha = 0.5, "`alpha` of metric `m` is 0.5: choose a value from 1e-9 to 0.1"),
            (|t| t.absurd = 1.0, "`absurd` of metric `m` is 1: choose a value from 2"),
            (|t| t.samples_per_look = 4, "`samples_per_look` of metric `m` is 4: choose a value from 5"),
            (|t| t.looks = 6, "`looks` of metric `m` is 6: choose a value from 2 to 5"),
            (|t| t.baseline = 49, "`baseline` of metric `m` is 49, less than a look: raise it to 50"),
            (|t| t.rule = Rule::Plain { percent: -1.0 }, "`percent` of metric `m` is -1: choose a value from 0"),
            (
                |t| (t.baseline, t.samples_per_look, t.looks, t.alpha) = (5, 5, 2, 1e-3),
                "metric `m` could never be rolled back: raise `samples_per_look` or `baseline`",
            ),
        ];
        for (change, error) in cases {
            let mut terms = MetricTerms::new("m", Direction::HigherIsWorse);
            change(&mut terms);
            let found = terms.validate().unwrap_err().to_string();
            assert!(found.starts_with(error), "{found}");
        }
    }
}
