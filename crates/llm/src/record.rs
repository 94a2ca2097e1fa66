//! Record: how often what a model wrote was accepted, and whether that has changed. A provider may exchange a model
//! behind the same name: then what it did before says nothing about it any more.

use rand::Rng;
use rand_distr::{Beta, Distribution as _};

/// Outcomes that are looked at; older ones count for nothing.
const NEWEST: usize = 60;
/// So many outcomes must lie on each side of a change.
const SIDE: usize = 6;
/// How much better two rates must explain the outcomes than one, in natural logarithms. On 60 outcomes without a change
/// about one record in a hundred reaches it (by simulation, see the test).
const THRESHOLD: f64 = 6.5;

/// The outcomes of a model on one kind of work, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    outcomes: Vec<bool>,
    /// Since when what was learned before does not count, as an index.
    since: usize,
    /// The rate went down there, and was not that of chance.
    pub worse: bool,
}

impl Record {
    /// A record of so many outcomes, in an order that shows no change.
    #[must_use]
    pub fn of(accepted: u32, refused: u32) -> Self {
        let (mut yes, mut no, mut record) = (accepted, refused, Self::default());
        while yes + no > 0 {
            let accept = u64::from(yes) * u64::from(accepted + refused) >= u64::from(yes + no) * u64::from(accepted);
            let accept = yes > 0 && (accept || no == 0);
            if accept {
                yes -= 1
            } else {
                no -= 1
            }
            record.outcomes.push(accept);
        }
        record
    }

    /// Adds an outcome and looks for a change.
    pub fn push(&mut self, accepted: bool) {
        self.outcomes.push(accepted);
        if self.outcomes.len() > NEWEST {
            self.outcomes.remove(0);
            self.since = self.since.saturating_sub(1);
        }
        let known = self.outcomes.get(self.since..).unwrap_or_default();
        if let Some((at, worse)) = change(known) {
            self.since += at;
            self.worse = worse;
        }
    }

    /// Outcomes that count: accepted, and all.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let counted = self.outcomes.get(self.since..).unwrap_or_default();
        (counted.iter().filter(|accepted| **accepted).count(), counted.len())
    }

    /// The share that is accepted, with one of each imagined besides: an unknown model is at one half.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let (accepted, all) = self.counts();
        (accepted as f64 + 1.0) / (all as f64 + 2.0)
    }

    /// A draw from what the share may be.
    pub fn draw(&self, random: &mut impl Rng) -> f64 {
        let (accepted, all) = self.counts();
        let (yes, no) = (accepted as f64 + 1.0, (all - accepted) as f64 + 1.0);
        Beta::new(yes, no).map_or_else(|_| self.mean(), |beta| beta.sample(random))
    }
}

/// Where outcomes changed, and whether for the worse: the split that explains them best, when it does so much better
/// than none (a likelihood ratio over all splits).
fn change(outcomes: &[bool]) -> Option<(usize, bool)> {
    let all = outcomes.len();
    let total = outcomes.iter().filter(|accepted| **accepted).count();
    let one = likelihood(total, all);
    let mut best: Option<(f64, usize, bool)> = None;
    let mut before = 0;
    for (at, accepted) in outcomes.iter().enumerate() {
        if at >= SIDE && all - at >= SIDE {
            let gain = likelihood(before, at) + likelihood(total - before, all - at) - one;
            let worse = before * (all - at) > (total - before) * at;
            if best.is_none_or(|(known, ..)| gain > known) {
                best = Some((gain, at, worse));
            }
        }
        before += usize::from(*accepted);
    }
    best.filter(|(gain, ..)| *gain >= THRESHOLD).map(|(_, at, worse)| (at, worse))
}

/// The log likelihood of so many successes at their own rate.
fn likelihood(yes: usize, all: usize) -> f64 {
    let part = |count: usize| {
        if count == 0 || all == 0 { 0.0 } else { count as f64 * (count as f64 / all as f64).ln() }
    };
    part(yes) + part(all - yes)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    #[test]
    fn a_model_that_was_exchanged_is_noticed_and_starts_anew() {
        let mut record = Record::of(18, 2);
        assert!(!record.worse);
        for _ in 0..12 {
            record.push(false);
        }
        assert!(record.worse, "the alarm");
        let (accepted, all) = record.counts();
        assert!(accepted <= 2 && all <= 15, "what it did before no longer counts: {accepted} of {all}");
    }

    #[test]
    fn changes_are_found_and_rarely_imagined() {
        let run = |seed: u64, rates: [f64; 2]| {
            let mut random = StdRng::seed_from_u64(seed);
            let mut record = Record::default();
            for step in 0..60 {
                record.push(random.random::<f64>() < rates[usize::from(step >= 30)]);
            }
            record.worse
        };
        let alarms = |rates| (0..500).filter(|seed| run(*seed, rates)).count();
        let (same, worse) = (alarms([0.7, 0.7]), alarms([0.9, 0.2]));
        assert!(same <= 25, "{same} of 500 without a change, looked at after each outcome");
        assert!(worse >= 480, "{worse} of 500");
    }

    #[test]
    fn an_unknown_model_is_at_one_half_and_draws_stay_between_none_and_all() {
        assert!((Record::default().mean() - 0.5).abs() < 1e-9);
        assert_eq!(Record::of(3, 2).counts(), (3, 5));
        let mut random = StdRng::seed_from_u64(1);
        let draws: Vec<f64> = (0..1_000).map(|_| Record::of(40, 2).draw(&mut random)).collect();
        assert!(draws.iter().all(|draw| (0.0..=1.0).contains(draw)));
        assert!(draws.iter().sum::<f64>() / 1_000.0 > 0.88);
    }
}
