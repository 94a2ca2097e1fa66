//! Terms: what is fixed before the first run, and cannot be bent afterwards.

use serde::{Deserialize, Serialize};

use crate::spending;

/// The chance of a false verdict in a whole comparison.
const ALPHA: f64 = 0.005;
/// Blocks at which is looked. The first can decide a large change of a single benchmark if nothing speaks against it;
/// the last is where 5 % are still found in noise of 2 % a run, when one run in ten is disturbed as well.
const LOOKS: [u32; 7] = [6, 8, 10, 13, 17, 22, 28];
/// Fewer blocks cannot decide anything: not even when all their runs agree.
const FEWEST: u32 = 4;
/// More blocks than anybody waits for.
const MOST: u32 = 200;
/// Changes below this are worth a verdict, percent.
const WORSE: f64 = 2.0;
const BETTER: f64 = 3.0;

/// What is fixed beforehand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Terms {
    alpha: f64,
    worse_percent: f64,
    better_percent: f64,
    looks: Vec<u32>,
}

/// Terms that make no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidTerms {
    /// A chance that is none.
    #[error("the chance of a false verdict is {alpha}; it must be above 0 and at most 0.05")]
    Alpha {
        /// What was asked for.
        alpha: f64,
    },
    /// A threshold that is none.
    #[error("a change of {percent} % cannot be a threshold; it must be from 0 to 50 %")]
    Threshold {
        /// What was asked for.
        percent: f64,
    },
    /// Looks that cannot be gone through.
    #[error("looks after {looks:?} blocks make no test; they must grow, from {FEWEST} on, to {MOST} at most")]
    Looks {
        /// What was asked for.
        looks: Vec<u32>,
    },
}

impl Default for Terms {
    fn default() -> Self {
        Self { alpha: ALPHA, worse_percent: WORSE, better_percent: BETTER, looks: LOOKS.to_vec() }
    }
}

impl Terms {
    /// The same terms with another chance of a false verdict.
    ///
    /// # Errors
    /// When it is no chance that a test may have.
    pub fn with_alpha(self, alpha: f64) -> Result<Self, InvalidTerms> {
        if alpha > 0.0 && alpha <= 0.05 { Ok(Self { alpha, ..self }) } else { Err(InvalidTerms::Alpha { alpha }) }
    }

    /// The same terms with other changes that are worth a verdict, in percent: how much longer the candidate takes to
    /// be worse, and how much longer the base takes for the candidate to be better.
    ///
    /// # Errors
    /// When one of them is no threshold.
    pub fn with_thresholds(self, worse_percent: f64, better_percent: f64) -> Result<Self, InvalidTerms> {
        for percent in [worse_percent, better_percent] {
            if !(0.0..=50.0).contains(&percent) {
                return Err(InvalidTerms::Threshold { percent });
            }
        }
        Ok(Self { worse_percent, better_percent, ..self })
    }

    /// The same terms with looks after other numbers of blocks.
    ///
    /// # Errors
    /// When they do not grow, or are too few or too many blocks.
    pub fn with_looks(self, looks: &[u32]) -> Result<Self, InvalidTerms> {
        let grow = looks.windows(2).all(|two| matches!(two, [one, next] if one < next));
        let within =
            looks.first().is_some_and(|first| *first >= FEWEST) && looks.last().is_some_and(|last| *last <= MOST);
        if !grow || !within {
            return Err(InvalidTerms::Looks { looks: looks.iter().take(20).copied().collect() });
        }
        Ok(Self { looks: looks.to_vec(), ..self })
    }

    /// The same terms with at most so many blocks, for whoever has less time: usual looks as far as they go, and one at
    /// the end.
    ///
    /// # Errors
    /// When so few blocks decide nothing.
    pub fn at_most(self, blocks: u32) -> Result<Self, InvalidTerms> {
        let looks: Vec<u32> =
            LOOKS.into_iter().filter(|look| look.saturating_add(1) < blocks).chain([blocks]).collect();
        self.with_looks(&looks)
    }

    /// Blocks after which it is decided in any case.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.looks.last().copied().unwrap_or(FEWEST)
    }

    /// The looks in order: after how many blocks, and the chance that each may be wrong in one direction for one of so
    /// many benchmarks.
    pub(crate) fn levels(&self, benchmarks: usize) -> impl Iterator<Item = (u32, f64)> {
        let most = f64::from(self.most());
        let before = [0].into_iter().chain(self.looks.iter().copied());
        let level =
            move |before, now| spending::level(self.alpha, benchmarks, f64::from(before) / most, f64::from(now) / most);
        self.looks.iter().zip(before).map(move |(now, before)| (*now, level(before, *now)))
    }

    /// The level of a test that looks only once, for what is shown of data that decided nothing.
    pub(crate) fn single_level(&self, benchmarks: usize) -> f64 {
        spending::level(self.alpha, benchmarks, 0.0, 1.0)
    }

    /// The ratios of base to candidate that are worth no verdict, as logarithms.
    pub(crate) fn negligible(&self) -> (f64, f64) {
        (-(self.worse_percent / 100.0).ln_1p(), (self.better_percent / 100.0).ln_1p())
    }
}

/// Terms as they were written down; they are checked like any others.
#[derive(Deserialize)]
struct Written {
    alpha: f64,
    worse_percent: f64,
    better_percent: f64,
    looks: Vec<u32>,
}

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { alpha, worse_percent, better_percent, looks } = Written::deserialize(deserializer)?;
        Self::default()
            .with_alpha(alpha)
            .and_then(|terms| terms.with_thresholds(worse_percent, better_percent))
            .and_then(|terms| terms.with_looks(&looks))
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stratified::may_differ;

    #[test]
    fn the_usual_looks_spend_alpha_and_the_first_can_decide() {
        let terms = Terms::default();
        let levels: Vec<(u32, f64)> = terms.levels(1).collect();
        assert_eq!(levels.iter().map(|(blocks, _)| *blocks).collect::<Vec<_>>(), LOOKS);
        assert!((levels.iter().map(|(_, level)| level).sum::<f64>() - ALPHA / 2.0).abs() < 1e-12);
        assert!(levels.iter().all(|(blocks, level)| may_differ(*blocks as usize, *level).is_some()));
        // Ten benchmarks need one look more, a hundred two.
        let decides =
            |benchmarks| terms.levels(benchmarks).position(|(n, level)| may_differ(n as usize, level).is_some());
        assert_eq!((decides(10), decides(100)), (Some(1), Some(2)));
    }

    #[test]
    fn less_time_means_fewer_looks() {
        let at_most = |blocks| Terms::default().at_most(blocks).map(|terms| terms.looks);
        assert_eq!(at_most(14), Ok(vec![6, 8, 10, 14]));
        assert_eq!(at_most(28), Ok(LOOKS.to_vec()));
        assert_eq!(at_most(40).unwrap().last(), Some(&40));
        assert_eq!(at_most(4), Ok(vec![4]));
        assert_eq!(at_most(3), Err(InvalidTerms::Looks { looks: vec![3] }));
    }

    #[test]
    fn senseless_terms_are_refused_wherever_they_come_from() {
        for alpha in [0.0, -1.0, 0.06, f64::NAN] {
            assert!(Terms::default().with_alpha(alpha).is_err());
        }
        assert!(
            Terms::default().with_thresholds(2.0, f64::NAN).is_err()
                && Terms::default().with_thresholds(-1.0, 3.0).is_err()
        );
        assert!(Terms::default().with_thresholds(0.0, 0.0).is_ok());
        for looks in [&[][..], &[6, 6], &[8, 6], &[2, 6], &[6, 5_000]] {
            assert!(Terms::default().with_looks(looks).is_err(), "{looks:?}");
        }
        let json = serde_json::to_string(&Terms::default()).unwrap();
        assert_eq!(serde_json::from_str::<Terms>(&json).unwrap(), Terms::default());
        assert!(serde_json::from_str::<Terms>(&json.replace("0.005", "0.5")).is_err());
    }
}
