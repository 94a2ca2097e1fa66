//! Router: which of several models is asked, and which after it. The cheapest whose record on this kind of work is good
//! enough; a stronger one once a trial of this matter has failed; another when a provider is down.
//!
//! What a model's record is worth is a distribution, not a number: with few outcomes it is wide. Now and then, as often as
//! the terms allow, the choice goes by a draw from it (Thompson sampling: Thompson 1933, and Chapelle and Li 2011 on how
//! well it does), so that a model that was unlucky at first, or has become better, gets another chance. All draws
//! follow from a seed, so that a cycle that is resumed asks whom it asked before.

use kaizen_domain::Usd;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::record::Record;

/// How models are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RouterTerms {
    /// The share of patches that must have been accepted for a model to be good enough, from 0 to 1.
    pub good_enough: f64,
    /// The share of choices that may be made to learn, from 0 to 1; 0 never.
    pub explore: f64,
}

impl Default for RouterTerms {
    fn default() -> Self {
        Self { good_enough: 0.5, explore: 0.1 }
    }
}

/// A model that may be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<'r> {
    /// Its route.
    pub route: &'r str,
    /// How strong it is: escalation goes upwards.
    pub strength: u64,
    /// What this question would about cost with it.
    pub cost: Usd,
    /// How it did on this kind of work.
    pub record: Record,
    /// Whether its provider takes calls at present.
    pub up: bool,
}

/// Why a model comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no other.
    Only,
    /// It is the cheapest whose record is good enough.
    Cheapest,
    /// None is good enough, and it is the best.
    Best,
    /// It is stronger than what has failed.
    Stronger,
    /// To learn about it.
    Explored,
    /// The better ones are not reachable.
    Fallback,
}

/// The order in which models are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Indices of the candidates, the first choice first.
    pub order: Vec<usize>,
    /// Why the first is first.
    pub reason: Reason,
}

/// Orders candidates. `failed` is the strength of the strongest model whose patch has failed in this matter.
#[must_use]
pub fn choose(candidates: &[Candidate<'_>], failed: Option<u64>, terms: &RouterTerms, seed: u64) -> Choice {
    let mut random = StdRng::seed_from_u64(seed);
    let explores = candidates.len() > 1 && random.random::<f64>() < terms.explore;
    let greedy = ordered(candidates, failed, terms, |record| record.mean());
    let mut order = greedy.clone();
    if explores {
        order = ordered(candidates, failed, terms, |record| record.draw(&mut random));
    }
    let place = |index: usize| candidates.get(index);
    let first = order.first().copied();
    let stronger = |index: usize| failed.zip(place(index)).is_some_and(|(failed, one)| one.strength > failed);
    let good = |index: usize| place(index).is_some_and(|one| one.record.mean() >= terms.good_enough);
    let reason = match first {
        _ if candidates.len() < 2 => Reason::Only,
        Some(first) if explores && greedy.first() != Some(&first) => Reason::Explored,
        Some(first) if stronger(first) => Reason::Stronger,
        Some(first)
            if candidates.iter().any(|one| !one.up) && would_be_first(candidates, failed, terms) != Some(first) =>
        {
            Reason::Fallback
        }
        Some(first) if good(first) => Reason::Cheapest,
        _ => Reason::Best,
    };
    Choice { order, reason }
}

/// Who would be asked if every provider were up.
fn would_be_first(candidates: &[Candidate<'_>], failed: Option<u64>, terms: &RouterTerms) -> Option<usize> {
    let up: Vec<_> = candidates.iter().map(|one| Candidate { up: true, ..one.clone() }).collect();
    ordered(&up, failed, terms, |record| record.mean()).first().copied()
}

fn ordered(
    candidates: &[Candidate<'_>],
    failed: Option<u64>,
    terms: &RouterTerms,
    mut worth: impl FnMut(&Record) -> f64,
) -> Vec<usize> {
    let worths: Vec<f64> = candidates.iter().map(|one| worth(&one.record)).collect();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    // Free models differ by nothing but their worth; a millionth keeps the quotient finite.
    let dear = |index: usize| {
        let (one, worth) = (candidates.get(index), worths.get(index).copied().unwrap_or(0.0));
        one.map_or(f64::INFINITY, |one| (one.cost.0 as f64 + 1.0) / worth.max(0.01))
    };
    let class = |index: usize| {
        let Some(one) = candidates.get(index) else { return 9 };
        let worth = worths.get(index).copied().unwrap_or(0.0);
        let enough = match failed {
            Some(failed) => one.strength > failed,
            None => worth >= terms.good_enough,
        };
        u8::from(!one.up) * 2 + u8::from(!enough)
    };
    order.sort_by(|a, b| {
        let by_class = class(*a).cmp(&class(*b));
        // Good enough: by price for each patch that is accepted. Not good enough: the best first, or the strongest.
        let within = if class(*a) % 2 == 0 {
            dear(*a).total_cmp(&dear(*b))
        } else {
            let (one, other) = (candidates.get(*a), candidates.get(*b));
            let by_worth = worths.get(*b).unwrap_or(&0.0).total_cmp(worths.get(*a).unwrap_or(&0.0));
            let by_strength = other.map(|other| other.strength).cmp(&one.map(|one| one.strength));
            if failed.is_some() { by_strength.then(by_worth) } else { by_worth }
        };
        by_class.then(within).then(a.cmp(b))
    });
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(route: &str, strength: u64, cost: u64, outcomes: (u32, u32)) -> Candidate<'_> {
        let record = Record::of(outcomes.0, outcomes.1);
        Candidate { route, strength, cost: Usd(cost), record, up: true }
    }

    fn first(candidates: &[Candidate<'_>], failed: Option<u64>) -> (String, Reason) {
        let terms = RouterTerms { explore: 0.0, ..RouterTerms::default() };
        let choice = choose(candidates, failed, &terms, 7);
        (candidates[choice.order[0]].route.to_owned(), choice.reason)
    }

    #[test]
    fn the_cheapest_that_is_good_enough_comes_first() {
        let (small, large) = (one("small", 1, 10, (0, 0)), one("large", 2, 100, (0, 0)));
        assert_eq!(first(&[large.clone(), small.clone()], None), ("small".to_owned(), Reason::Cheapest));
        let poor = one("small", 1, 10, (1, 9));
        assert_eq!(first(&[large.clone(), poor.clone()], None), ("large".to_owned(), Reason::Cheapest));
        let both_poor = [one("large", 2, 100, (2, 7)), poor];
        assert_eq!(first(&both_poor, None), ("large".to_owned(), Reason::Best));
        assert_eq!(first(&[small], None).1, Reason::Only);
    }

    #[test]
    fn a_failed_trial_goes_to_a_stronger_one_and_from_the_strongest_nowhere_else() {
        let all = [one("small", 1, 10, (9, 1)), one("middle", 2, 40, (5, 5)), one("large", 3, 100, (0, 0))];
        assert_eq!(first(&all, Some(1)), ("middle".to_owned(), Reason::Stronger));
        assert_eq!(first(&all, Some(2)), ("large".to_owned(), Reason::Stronger));
        assert_eq!(first(&all, Some(3)).0, "large");
    }

    #[test]
    fn a_provider_that_is_down_comes_last() {
        let mut all = [one("small", 1, 10, (9, 1)), one("large", 3, 100, (0, 0))];
        all[0].up = false;
        assert_eq!(first(&all, None), ("large".to_owned(), Reason::Fallback));
        all[1].up = false;
        assert_eq!(first(&all, None).0, "small", "somebody has to be asked");
    }

    #[test]
    fn the_same_seed_makes_the_same_choice_and_exploration_stays_within_its_share() {
        let all = [one("small", 1, 10, (2, 2)), one("large", 3, 100, (3, 1))];
        let terms = RouterTerms { explore: 0.2, ..RouterTerms::default() };
        let choices: Vec<Choice> = (0..2_000).map(|seed| choose(&all, None, &terms, seed)).collect();
        assert_eq!(choices, (0..2_000).map(|seed| choose(&all, None, &terms, seed)).collect::<Vec<_>>());
        let explored = choices.iter().filter(|choice| choice.reason == Reason::Explored).count();
        assert!((20..=440).contains(&explored), "{explored} of 2,000, at most a fifth");
        let off = RouterTerms { explore: 0.0, ..terms };
        assert!((0..2_000).all(|seed| choose(&all, None, &off, seed).reason != Reason::Explored));
    }

    /// Two models, of which the cheap one is bad at this work: how much is spent for each accepted patch.
    #[test]
    fn records_make_it_cheaper_in_the_long_run() {
        let (mut records, mut asked) = ([Record::default(), Record::default()], [0_u32; 2]);
        let truth = [0.15, 0.8];
        let mut random = StdRng::seed_from_u64(3);
        for seed in 0..400 {
            let candidates = [("cheap", 1, 10), ("dear", 2, 30)]
                .iter()
                .zip(&records)
                .map(|(&(route, strength, cost), record)| Candidate {
                    route,
                    strength,
                    cost: Usd(cost),
                    record: record.clone(),
                    up: true,
                })
                .collect::<Vec<_>>();
            let index = choose(&candidates, None, &RouterTerms::default(), seed).order[0];
            asked[index] += 1;
            records[index].push(random.random::<f64>() < truth[index]);
        }
        assert!(asked[1] > 330, "{asked:?}");
    }

    proptest! {
        #[test]
        fn everybody_is_in_the_order_once(
            outcomes in proptest::collection::vec((0_u32..9, 0_u32..9, any::<bool>(), 0_u64..4), 0..6),
            failed in proptest::option::of(0_u64..4),
            seed: u64,
        ) {
            let all: Vec<_> = outcomes
                .iter()
                .map(|&(yes, no, up, strength)| Candidate { up, ..one("x", strength, strength * 7, (yes, no)) })
                .collect();
            let mut order = choose(&all, failed, &RouterTerms::default(), seed).order;
            order.sort_unstable();
            prop_assert_eq!(order, (0..all.len()).collect::<Vec<_>>());
        }
    }
}
