//! The verdict on one benchmark at one look, and what it rests on.

use kaizen_domain::trial::SpeedVerdict;
use serde::{Deserialize, Serialize};

use crate::block::Runs;
use crate::noise::noise;
use crate::stratified::Ratios;
use crate::terms::Terms;

/// How sure it must be, in one direction, that a change is too small to matter. It only ends the search for one, so it
/// can raise no false verdict, and need not be shared out.
const NEGLIGIBLE: f64 = 0.005;

/// Why a verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The whole interval lies beyond the threshold.
    Shown,
    /// The whole interval lies between the thresholds: whatever changed is not worth a verdict.
    Negligible,
    /// The last look could not tell.
    Hidden,
    /// It ended before it was decided.
    Ended,
    /// The base has no number that can be compared: this benchmark says nothing about the candidate.
    Unmeasured,
    /// The base was measured and the candidate was not.
    Lost,
}

/// What was found of one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The verdict.
    pub verdict: SpeedVerdict,
    /// Why.
    pub ground: Ground,
    /// Base time over candidate time, in thousandths: 2000 means twice as fast. 0 without data. Of a comparison that
    /// was decided early it is a little exaggerated, as every estimate is that had to be large to end the search.
    pub ratio_milli: u64,
    /// The interval that the verdict rests on, likewise. Nothing when there were too few blocks for one.
    pub interval_milli: Option<(u64, u64)>,
    /// Blocks that it rests on.
    pub blocks: u32,
    /// The standard deviation of one run of the base, as a share: how much this machine differs from itself.
    pub noise: f64,
    /// All that in one line, for a person.
    pub detail: String,
}

/// What a look has to go by.
pub(crate) struct Look<'a> {
    pub(crate) terms: &'a Terms,
    /// The chance that it may be wrong, in one direction.
    pub(crate) level: f64,
    /// No look comes after it.
    pub(crate) last: bool,
}

impl Look<'_> {
    /// What it finds in runs that are all measurements; nothing when it takes more of them.
    pub(crate) fn find(&self, runs: &[Runs]) -> Option<Finding> {
        let ratios = Ratios::of(runs);
        let (worse, better) = self.terms.negligible();
        let interval = ratios.interval(self.level);
        let shown = match interval {
            Some((low, _)) if low > better => Some(SpeedVerdict::Better),
            Some((_, high)) if high < worse => Some(SpeedVerdict::Worse),
            _ => None,
        };
        if let Some(verdict) = shown {
            return Some(finding(verdict, Ground::Shown, runs, &ratios, interval));
        }
        let within = ratios.interval(NEGLIGIBLE).filter(|(low, high)| *low >= worse && *high <= better);
        let (ground, interval) = match within {
            Some(within) => (Ground::Negligible, Some(within)),
            // What never varies says the same however often it is asked.
            None if self.last || ratios.constant() => (Ground::Hidden, interval),
            None => return None,
        };
        Some(finding(SpeedVerdict::Inconclusive, ground, runs, &ratios, interval))
    }
}

/// What is said of a benchmark that was not decided when it ended. `level` is that of a single look.
pub(crate) fn open(runs: &[Runs], level: f64) -> Finding {
    let ratios = Ratios::of(runs);
    finding(SpeedVerdict::Inconclusive, Ground::Ended, runs, &ratios, ratios.interval(level))
}

/// What is said of a benchmark without data.
pub(crate) fn no_data(ground: Ground, blocks: usize) -> Finding {
    let detail = match ground {
        Ground::Lost => "the base was measured, the candidate was not",
        _ => "the base gave no number above zero in every run",
    };
    Finding {
        verdict: SpeedVerdict::NoData,
        ground,
        ratio_milli: 0,
        interval_milli: None,
        blocks: count(blocks),
        noise: 0.0,
        detail: detail.to_owned(),
    }
}

fn finding(
    verdict: SpeedVerdict,
    ground: Ground,
    runs: &[Runs],
    ratios: &Ratios,
    interval: Option<(f64, f64)>,
) -> Finding {
    let (ratio, noise, blocks) = (ratios.estimate().exp(), noise(runs), count(runs.len()));
    let interval = interval.map(|(low, high)| (low.exp(), high.exp()));
    let bounds = interval.map(|(low, high)| format!(" ({} to {})", factor(low), factor(high))).unwrap_or_default();
    let noise_percent = noise * 100.0;
    let reason = match ground {
        Ground::Negligible => ": too small a change to matter",
        Ground::Hidden => ": the noise hides whether that is a change",
        Ground::Ended => ": ended before it could be told",
        Ground::Shown | Ground::Unmeasured | Ground::Lost => "",
    };
    let detail = format!(
        "base over candidate {}x{bounds}, {blocks} blocks of A B B A, noise {noise_percent:.1} %{reason}",
        factor(ratio)
    );
    Finding {
        verdict,
        ground,
        ratio_milli: milli(ratio),
        interval_milli: interval.map(|(low, high)| (milli(low), milli(high))),
        blocks,
        noise,
        detail,
    }
}

/// A ratio for people.
fn factor(ratio: f64) -> String {
    // Far from one the places behind the point say nothing, and far below it there would be none to see.
    match ratio {
        ratio if ratio >= 100.0 => format!("{ratio:.0}"),
        ratio if ratio < 0.095 => format!("{ratio:.1e}"),
        ratio => format!("{ratio:.2}"),
    }
}

/// In thousandths, as far as such a number goes: the cast of a float stops at the ends.
fn milli(ratio: f64) -> u64 {
    (ratio * 1000.0).round() as u64
}

fn count(blocks: usize) -> u32 {
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(runs: &[Runs], last: bool) -> Option<Finding> {
        Look { terms: &Terms::default(), level: 0.0025, last }.find(runs)
    }

    fn noisy(base: f64, candidate: f64) -> Vec<Runs> {
        let off = |at: i32, by: f64| 1.0 + by * f64::from(at % 5 - 2);
        (0..10)
            .map(|at| Runs {
                base: [base * off(at, 0.002), base * off(at + 3, 0.002)],
                candidate: [candidate * off(at + 1, 0.002), candidate * off(at * 3, 0.002)],
            })
            .collect()
    }

    #[test]
    fn what_a_person_reads_says_how_much_how_sure_and_how_noisy() {
        let found = find(&noisy(107.3, 100.1), false).unwrap();
        assert_eq!((found.verdict, found.ground), (SpeedVerdict::Better, Ground::Shown));
        assert_eq!(found.detail, "base over candidate 1.07x (1.07 to 1.08), 10 blocks of A B B A, noise 0.4 %");
        assert_eq!((found.ratio_milli, found.blocks), (1_071, 10));
        assert!(matches!(found.interval_milli, Some((low, high)) if low < 1_071 && 1_071 < high));
    }

    #[test]
    fn the_whole_interval_must_lie_beyond_the_threshold() {
        let verdict = |base, candidate| find(&noisy(base, candidate), true).map(|found| (found.verdict, found.ground));
        assert_eq!(verdict(100.1, 110.3), Some((SpeedVerdict::Worse, Ground::Shown)));
        assert_eq!(verdict(103.2, 100.1), Some((SpeedVerdict::Inconclusive, Ground::Hidden)));
        assert_eq!(verdict(100.1, 102.1), Some((SpeedVerdict::Inconclusive, Ground::Hidden)));
        assert_eq!(verdict(101.1, 100.1), Some((SpeedVerdict::Inconclusive, Ground::Negligible)));
        // Before the last look that is no answer yet.
        assert_eq!(find(&noisy(103.2, 100.1), false), None);
    }

    #[test]
    fn counts_that_never_vary_decide_at_once() {
        let find = |base: f64, candidate: f64| {
            let runs = [Runs { base: [base; 2], candidate: [candidate; 2] }; 6];
            // A level that no six blocks reach.
            let found = Look { terms: &Terms::default(), level: 1e-9, last: false }.find(&runs).unwrap();
            (found.verdict, found.ground)
        };
        assert_eq!(find(1_000_000.0, 900_000.0), (SpeedVerdict::Better, Ground::Shown));
        assert_eq!(find(1_000_000.0, 1_021_000.0), (SpeedVerdict::Worse, Ground::Shown));
        assert_eq!(find(1_000_000.0, 1_019_000.0), (SpeedVerdict::Inconclusive, Ground::Negligible));
        assert_eq!(find(1_000_000.0, 1_000_000.0), (SpeedVerdict::Inconclusive, Ground::Negligible));
        // 12 and 13 may be 12.4 and 12.6.
        assert_eq!(find(13.0, 12.0), (SpeedVerdict::Inconclusive, Ground::Hidden));
        assert_eq!(find(130.0, 120.0), (SpeedVerdict::Better, Ground::Shown));
    }

    #[test]
    fn no_number_is_too_far_out_to_be_said() {
        let runs = [Runs { base: [f64::MAX; 2], candidate: [f64::MIN_POSITIVE; 2] }; 6];
        let found = find(&runs, true).unwrap();
        assert_eq!((found.verdict, found.ratio_milli), (SpeedVerdict::Better, u64::MAX));
        assert_eq!([factor(0.5), factor(0.001), factor(1234.5), factor(10.0)], ["0.50", "1.0e-3", "1234", "10.00"]);
        assert_eq!((milli(f64::NAN), milli(-1.0)), (0, 0));
    }
}
