//! Report: what all benchmarks of a comparison say together.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use kaizen_domain::trial::{Speed, SpeedVerdict};
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::verdict::{Finding, Ground};

/// The end of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The verdict on the candidate: worse if any benchmark is, without data if one was lost on the way, better if any
    /// is and none of that holds.
    pub verdict: SpeedVerdict,
    /// The benchmark that the verdict rests on. Of an inconclusive one, the one that moved most.
    pub decisive: Option<Name>,
    /// What was found of each.
    pub benchmarks: BTreeMap<Name, Finding>,
}

impl Report {
    pub(crate) fn of(benchmarks: BTreeMap<Name, Finding>) -> Self {
        let any = |verdict: SpeedVerdict| benchmarks.values().any(|finding| finding.verdict == verdict);
        let lost = benchmarks.values().any(|finding| finding.ground == Ground::Lost);
        let verdict = match () {
            () if any(SpeedVerdict::Worse) => SpeedVerdict::Worse,
            () if lost => SpeedVerdict::NoData,
            () if any(SpeedVerdict::Better) => SpeedVerdict::Better,
            () if any(SpeedVerdict::Inconclusive) => SpeedVerdict::Inconclusive,
            () => SpeedVerdict::NoData,
        };
        let of_verdict = benchmarks.iter().filter(|(_, finding)| finding.verdict == verdict);
        let decisive = of_verdict.max_by(|(_, one), (_, other)| says_more(one, other)).map(|(name, _)| name.clone());
        Self { verdict, decisive, benchmarks }
    }

    /// In the words of a trial.
    #[must_use]
    pub fn speed(&self) -> Speed {
        let verdict = self.verdict;
        let Some((name, finding)) = self.decisive.as_ref().and_then(|name| self.benchmarks.get_key_value(name)) else {
            let detail = "there was no benchmark to compare".to_owned();
            return Speed { verdict, ratio_milli: 0, pairs: 0, detail };
        };
        let detail = match self.benchmarks.len() {
            1 => finding.detail.clone(),
            _ => format!("`{name}`: {}; {}", finding.detail, self.tally()),
        };
        // A block has two pairs of a run of the base and one of the candidate.
        Speed { verdict, ratio_milli: finding.ratio_milli, pairs: finding.blocks.saturating_mul(2), detail }
    }

    /// How many benchmarks say what.
    fn tally(&self) -> String {
        let verdicts = [
            (SpeedVerdict::Better, "better"),
            (SpeedVerdict::Worse, "worse"),
            (SpeedVerdict::Inconclusive, "inconclusive"),
            (SpeedVerdict::NoData, "without data"),
        ];
        let said = verdicts.into_iter().filter_map(|(verdict, word)| {
            let count = self.benchmarks.values().filter(|finding| finding.verdict == verdict).count();
            (count > 0).then(|| format!("{count} {word}"))
        });
        format!("of {} benchmarks {}", self.benchmarks.len(), said.collect::<Vec<_>>().join(", "))
    }
}

/// Which of two findings with the same verdict says more: one that was lost, then one that is further from no change.
fn says_more(one: &Finding, other: &Finding) -> Ordering {
    let lost = |finding: &Finding| finding.ground == Ground::Lost;
    let far = |finding: &Finding| (finding.ratio_milli as f64 / 1000.0).ln().abs();
    lost(one).cmp(&lost(other)).then(far(one).total_cmp(&far(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(verdict: SpeedVerdict, ratio_milli: u64) -> Finding {
        let ground = if verdict == SpeedVerdict::NoData { Ground::Unmeasured } else { Ground::Shown };
        let detail = format!("{ratio_milli}");
        Finding { verdict, ground, ratio_milli, interval_milli: None, blocks: 6, noise: 0.0, detail }
    }

    fn report(of: &[(&str, SpeedVerdict, u64)]) -> Report {
        Report::of(of.iter().map(|(name, verdict, ratio)| (Name::of(name), finding(*verdict, *ratio))).collect())
    }

    #[test]
    fn worse_outweighs_better_and_what_is_furthest_from_no_change_is_named() {
        use SpeedVerdict::{Better, Inconclusive, NoData, Worse};
        let verdict = |of: &[(&str, SpeedVerdict, u64)]| {
            let report = report(of);
            (report.verdict, report.decisive.map(|name| name.to_string()).unwrap_or_default())
        };
        let named = |verdict, name: &str| (verdict, name.to_owned());
        assert_eq!(verdict(&[("a", Better, 9_000), ("b", Worse, 900), ("c", Worse, 500)]), named(Worse, "c"));
        assert_eq!(verdict(&[("a", Better, 1_100), ("b", Better, 2_000), ("c", NoData, 0)]), named(Better, "b"));
        assert_eq!(verdict(&[("a", Inconclusive, 1_010), ("b", Inconclusive, 950)]), named(Inconclusive, "b"));
        assert_eq!(verdict(&[]), named(NoData, ""));
    }

    #[test]
    fn a_trial_is_told_in_one_line() {
        use SpeedVerdict::{Better, Inconclusive, NoData};
        let speed = report(&[("a", Better, 1_100), ("b", Inconclusive, 1_000), ("c", NoData, 0)]).speed();
        assert_eq!(speed.detail, "`a`: 1100; of 3 benchmarks 1 better, 1 inconclusive, 1 without data");
        assert_eq!((speed.verdict, speed.ratio_milli, speed.pairs), (Better, 1_100, 12));
        assert_eq!(report(&[("a", Better, 1_100)]).speed().detail, "1100");
        assert_eq!(report(&[]).speed().verdict, NoData);
    }
}
