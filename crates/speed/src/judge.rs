//! Judging a comparison: all looks that the blocks reach are gone through from the first one, and the first that
//! decides is the answer. So the answer does not depend on how often somebody asked before.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::trial::SpeedVerdict;

use crate::block::{Block, Runs};
use crate::name::Name;
use crate::report::Report;
use crate::terms::Terms;
use crate::verdict::{Finding, Ground, Look, no_data, open};

/// How a comparison stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It is not decided.
    More {
        /// Blocks, in all, after which to ask again.
        blocks: u32,
    },
    /// It is decided, or has come to its end.
    Done(Report),
}

/// How a comparison stands with the blocks so far. `ended`: no more will come.
///
/// It goes on until every benchmark is decided; a single one that is worse, or that only the base could be measured
/// with, ends it, since nothing that comes after could speak for the candidate. How many benchmarks there are must not
/// change from block to block: one that is missing in a block is one without data.
#[must_use]
pub fn judge(terms: &Terms, blocks: &[Block], ended: bool) -> Standing {
    let names: BTreeSet<&Name> = blocks.iter().flat_map(BTreeMap::keys).collect();
    let mut found = BTreeMap::new();
    for (after, level) in terms.levels(names.len()) {
        let reached = usize::try_from(after).ok().and_then(|after| blocks.get(..after));
        let Some(seen) = reached else {
            // Between looks nothing is decided but what can no longer be measured.
            set_aside(blocks, &names, &mut found);
            if ended || is_settled(&found, &names) && !blocks.is_empty() {
                return Standing::Done(report(terms, blocks, &names, found));
            }
            return Standing::More { blocks: after };
        };
        set_aside(seen, &names, &mut found);
        let look = Look { terms, level, last: after == terms.most() };
        for name in &names {
            if !found.contains_key(*name)
                && let Some(finding) = look.find(&runs(seen, name))
            {
                found.insert((*name).clone(), finding);
            }
        }
        if is_settled(&found, &names) || look.last {
            return Standing::Done(report(terms, seen, &names, found));
        }
    }
    // Terms have looks, so this is not reached; without any there is nothing to wait for.
    Standing::Done(report(terms, blocks, &names, found))
}

/// Writes down benchmarks that have a number which is no measurement, whatever was found of them before.
fn set_aside(blocks: &[Block], names: &BTreeSet<&Name>, found: &mut BTreeMap<Name, Finding>) {
    for name in names {
        let of = || blocks.iter().map(|block| block.get(*name));
        let ground = if !of().all(|runs| runs.is_some_and(Runs::base_measured)) {
            Ground::Unmeasured
        } else if !of().flatten().all(Runs::candidate_measured) {
            Ground::Lost
        } else {
            continue;
        };
        found.insert((*name).clone(), no_data(ground, blocks.len()));
    }
}

/// Whether more blocks could change nothing that matters.
fn is_settled(found: &BTreeMap<Name, Finding>, names: &BTreeSet<&Name>) -> bool {
    let stops = |finding: &Finding| finding.verdict == SpeedVerdict::Worse || finding.ground == Ground::Lost;
    found.len() == names.len() || found.values().any(stops)
}

fn runs(blocks: &[Block], name: &Name) -> Vec<Runs> {
    blocks.iter().filter_map(|block| block.get(name)).copied().collect()
}

/// The end, with a word on what is still open.
fn report(terms: &Terms, blocks: &[Block], names: &BTreeSet<&Name>, mut found: BTreeMap<Name, Finding>) -> Report {
    let level = terms.single_level(names.len());
    for name in names {
        found.entry((*name).clone()).or_insert_with(|| open(&runs(blocks, name), level));
    }
    Report::of(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers of every kind, most of them measurements.
    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![40 => 0.5..2.0, 5 => prop::num::f64::POSITIVE, 1 => prop::num::f64::ANY]
    }

    proptest! {
        #[test]
        fn whatever_is_measured_the_end_is_reached_and_bad_numbers_are_never_better(
            numbers in prop::collection::vec([number(), number(), number(), number()], 0..32),
        ) {
            let runs = |[a, b, c, d]: [f64; 4]| Runs { base: [a, b], candidate: [c, d] };
            let blocks: Vec<Block> = numbers.iter().map(|four| [(Name::of("a"), runs(*four))].into()).collect();
            let report = done(&blocks, true);
            for finding in report.benchmarks.values() {
                let seen = &numbers[..finding.blocks as usize];
                let measured = seen.iter().flatten().all(|value| value.is_finite() && *value > 0.0);
                prop_assert_eq!(finding.verdict == SpeedVerdict::NoData, !measured);
                if let Some((low, high)) = finding.interval_milli {
                    prop_assert!(low <= finding.ratio_milli && finding.ratio_milli <= high);
                }
            }
            // The other way round the verdict is the opposite one.
            let even = Terms::default().with_thresholds(3.0, 3.0).unwrap();
            let back = |[a, b, c, d]: [f64; 4]| Runs { base: [c, d], candidate: [a, b] };
            let swapped: Vec<Block> = numbers.iter().map(|four| [(Name::of("a"), back(*four))].into()).collect();
            let verdict = |blocks: &[Block]| match judge(&even, blocks, true) {
                Standing::Done(report) => report.verdict,
                Standing::More { .. } => SpeedVerdict::NoData,
            };
            let opposite = match verdict(&swapped) {
                SpeedVerdict::Better => SpeedVerdict::Worse,
                SpeedVerdict::Worse => SpeedVerdict::Better,
                other => other,
            };
            prop_assert_eq!(verdict(&blocks), opposite);
        }
    }

    /// Blocks of constant counts: base and candidate by benchmark.
    fn constant(blocks: usize, of: &[(&str, f64, f64)]) -> Vec<Block> {
        let runs = |base: f64, candidate: f64| Runs { base: [base; 2], candidate: [candidate; 2] };
        let block: Block = of.iter().map(|(name, base, candidate)| (Name::of(name), runs(*base, *candidate))).collect();
        vec![block; blocks]
    }

    /// Blocks of one benchmark in which the candidate is faster in a way that takes time to tell.
    fn unclear(blocks: usize) -> Vec<Block> {
        let runs = |at: usize| Runs { base: [104.3, 104.0], candidate: [95.1 + 2.0 * (at % 9) as f64, 100.4] };
        (0..blocks).map(|at| [(Name::of("unclear"), runs(at))].into()).collect()
    }

    fn done(blocks: &[Block], ended: bool) -> Report {
        match judge(&Terms::default(), blocks, ended) {
            Standing::Done(report) => report,
            more => panic!("{more:?}"),
        }
    }

    #[test]
    fn it_asks_for_the_next_look_until_it_is_decided() {
        let more = |blocks: usize| match judge(&Terms::default(), &unclear(blocks), false) {
            Standing::More { blocks } => Some(blocks),
            Standing::Done(_) => None,
        };
        assert_eq!([more(0), more(5), more(6), more(7)], [Some(6), Some(6), Some(8), Some(8)]);
        assert_eq!(more(28), None);
        assert_eq!(done(&unclear(28), false), done(&unclear(40), false));
        let early = done(&unclear(7), true);
        assert_eq!(early.benchmarks[&Name::of("unclear")].ground, Ground::Ended);
        assert_eq!(early.verdict, SpeedVerdict::Inconclusive);
    }

    #[test]
    fn constant_counts_decide_at_the_first_look() {
        let benchmarks = [("a", 1e6, 0.9e6), ("b", 1e6, 1e6)];
        assert_eq!(judge(&Terms::default(), &constant(5, &benchmarks), false), Standing::More { blocks: 6 });
        let report = done(&constant(6, &benchmarks), false);
        assert_eq!(report.verdict, SpeedVerdict::Better);
        assert_eq!(report.benchmarks[&Name::of("a")].ratio_milli, 1_111);
        assert_eq!(done(&constant(30, &benchmarks), true), report);
    }

    #[test]
    fn one_that_is_worse_ends_it_for_all() {
        let mut blocks = unclear(6);
        for (block, more) in blocks.iter_mut().zip(constant(6, &[("slow", 1e6, 1.1e6), ("fast", 1e6, 0.5e6)])) {
            block.extend(more);
        }
        let report = done(&blocks, false);
        assert_eq!(report.verdict, SpeedVerdict::Worse);
        assert_eq!(report.benchmarks[&Name::of("unclear")].ground, Ground::Ended);
        assert_eq!(report.benchmarks[&Name::of("fast")].verdict, SpeedVerdict::Better);
    }

    #[test]
    fn what_is_no_number_is_no_data_and_never_better() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -5.0] {
            for at in [0, 5, 27] {
                for candidate in [false, true] {
                    let mut blocks = constant(28, &[("a", 1e6, 0.5e6)]);
                    let runs = blocks[at].get_mut(&Name::of("a")).unwrap();
                    *(if candidate { &mut runs.candidate[1] } else { &mut runs.base[0] }) = bad;
                    // Blocks after the one that decides are not looked at: they would not have been run.
                    let verdict = done(&blocks, true).verdict;
                    assert_eq!(verdict, if at < 6 { SpeedVerdict::NoData } else { SpeedVerdict::Better });
                }
            }
        }
        assert_eq!(done(&[], true).verdict, SpeedVerdict::NoData);
        assert_eq!(done(&[Block::new()], true).verdict, SpeedVerdict::NoData);
        // Before the first look too, since nothing can come of it any more.
        assert_eq!(done(&constant(1, &[("a", 1e6, f64::NAN)]), false).verdict, SpeedVerdict::NoData);
    }

    #[test]
    fn a_benchmark_that_only_the_base_runs_keeps_it_from_being_better() {
        let lost = done(&constant(2, &[("fast", 1e6, 0.5e6), ("gone", 1e6, f64::NAN)]), false);
        assert_eq!((lost.verdict, lost.benchmarks[&Name::of("gone")].ground), (SpeedVerdict::NoData, Ground::Lost));
        // One that says nothing about the base either does not.
        let new = done(&constant(6, &[("fast", 1e6, 0.5e6), ("new", f64::NAN, 1e6), ("empty", 0.0, 0.0)]), false);
        assert_eq!((new.verdict, new.benchmarks[&Name::of("new")].ground), (SpeedVerdict::Better, Ground::Unmeasured));
        // One that is missing in a block has no data.
        let mut blocks = constant(6, &[("fast", 1e6, 0.5e6)]);
        blocks[3].clear();
        assert_eq!(done(&blocks, false).verdict, SpeedVerdict::NoData);
    }
}
