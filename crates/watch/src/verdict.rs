//! The verdict on one metric. All looks that the samples reach are gone through from the first one, and the first that
//! decides is the answer: so the answer does not depend on how often somebody asked before.

use crate::hodges_lehmann;
use crate::look::{Absent, Look, Why};
use crate::mann_whitney::greater;
use crate::series::{Control, Series, Usable, median};
use crate::spending::Boundaries;
use crate::terms::{Direction, MetricTerms, Missing, Rule};

/// What the fresh samples of a look must show alone to confirm what the look before has found. Alpha is held by the
/// boundaries; this only takes away from it, and catches what was worse for the length of one look.
const CONFIRMS: f64 = 0.05;
/// A control that moved by so unlikely a measure has moved.
const MOVED: f64 = 0.01;
/// Usable samples that a control needs on both sides.
const CONTROL: usize = 5;

/// What can be said about a metric so far. `finished`: no more samples will come.
#[must_use]
pub fn verdict(terms: &MetricTerms, baseline: &[f64], after: &[f64], finished: bool) -> Look {
    verdict_of(terms, &Series { baseline, after, control: None }, finished)
}

/// The same for a series that may have a control.
#[must_use]
pub fn verdict_of(terms: &MetricTerms, series: &Series<'_>, finished: bool) -> Look {
    if let Err(error) = terms.validate() {
        return Look::Inconclusive { why: Why::Terms { error: error.to_string() } };
    }
    let usable = Usable::of(series.baseline).values.len();
    let boundaries = match terms.rule {
        Rule::Sequential if usable >= terms.baseline => terms.boundaries(usable),
        _ => Boundaries::default(),
    };
    verdict_within(terms, &boundaries, series, finished)
}

/// The same for terms that are known to be valid, with boundaries for as many samples as the baseline has that can be
/// used: for whoever asks again and again.
#[must_use]
pub fn verdict_within(terms: &MetricTerms, boundaries: &Boundaries, series: &Series<'_>, finished: bool) -> Look {
    let judged = match terms.rule {
        Rule::Sequential => Bench::new(terms, series).and_then(|bench| bench.sequential(boundaries, finished)),
        Rule::Plain { percent } => Bench::new(terms, series).and_then(|bench| bench.plain(percent, finished)),
    };
    let (Ok(look) | Err(look)) = judged;
    match look {
        // There was a baseline, or it would have said so.
        Look::NoData { what: Absent::After { have: 0, .. } } if terms.missing == Missing::Worse => Look::Silent,
        look => look,
    }
}

/// What is judged. A look that ends it early is an error here, so that each check stands in one line.
struct Bench<'a> {
    terms: &'a MetricTerms,
    series: &'a Series<'a>,
    baseline: Usable,
}

/// A look that ends it, as an error.
type Judged<T> = Result<T, Look>;

fn inconclusive<T>(why: Why) -> Judged<T> {
    Err(Look::Inconclusive { why })
}

impl<'a> Bench<'a> {
    fn new(terms: &'a MetricTerms, series: &'a Series<'a>) -> Judged<Self> {
        let baseline = Usable::of(series.baseline);
        let (have, need) = (baseline.values.len(), terms.baseline);
        if baseline.is_spoilt() {
            return inconclusive(Why::Unusable { bad: baseline.bad, of: series.baseline.len() });
        }
        if have < need {
            return Err(Look::NoData { what: Absent::Baseline { have, need } });
        }
        if baseline.is_constant() {
            return Err(Look::NoData { what: Absent::Movement });
        }
        Ok(Self { terms, series, baseline })
    }

    /// The group-sequential test.
    fn sequential(&self, boundaries: &Boundaries, finished: bool) -> Judged<Look> {
        let mut suspect: Option<(f64, f64)> = None;
        let mut look = 1;
        // It ends at the look after the last at the latest: that one has no boundary to cross.
        loop {
            let Some((all, fresh)) = self.samples(look)? else {
                return Ok(self.waiting(look, suspect, finished));
            };
            if let Some((_, p)) = suspect
                && self.p(&fresh) < CONFIRMS
            {
                self.control_stood(look, Way::Worse)?;
                return Ok(Look::Worse { ratio: self.ratio(&all, look)?, p: Some(p), look });
            }
            let p = self.p(&all);
            suspect = match (boundaries.of(look).is_some_and(|boundary| p < boundary), suspect) {
                (true, _) => Some((self.ratio(&all, look)?, p)),
                (false, Some((ratio, _))) if look > self.terms.looks => {
                    return inconclusive(Why::Unconfirmed { ratio });
                }
                (false, _) if look >= self.terms.looks => return self.end(self.ratio(&all, look)?, p),
                (false, _) => None,
            };
            look += 1;
        }
    }

    /// The comparison of medians.
    fn plain(&self, percent: f64, finished: bool) -> Judged<Look> {
        let look = self.terms.looks;
        let mut all = Vec::new();
        for look in 1..=look {
            let Some((taken, _)) = self.samples(look)? else { return Ok(self.waiting(look, None, finished)) };
            all = taken;
        }
        let (Some(before), Some(after)) = (median(&self.baseline.values), median(&all)) else {
            return inconclusive(Why::Absurd { ratio: None, look });
        };
        let ratio = after / before;
        if !ratio.is_finite() || ratio <= 0.0 {
            return inconclusive(Why::Absurd { ratio: None, look });
        }
        let limit = 1.0 + percent / 100.0;
        let worse = match self.terms.direction {
            Direction::HigherIsWorse => ratio > limit,
            Direction::LowerIsWorse => ratio < 1.0 / limit,
        };
        self.control_stood(look, if worse { Way::Worse } else { Way::Better })?;
        Ok(if worse { Look::Worse { ratio, p: None, look } } else { Look::Fine { ratio } })
    }

    /// What is usable of all samples up to a look, and of those that are new with it; nothing when it is not due.
    fn samples(&self, look: usize) -> Judged<Option<(Vec<f64>, Vec<f64>)>> {
        let need = look * self.terms.samples_per_look;
        let Some(taken) = self.series.after.get(..need).filter(|_| self.series.complete() >= need) else {
            return Ok(None);
        };
        let (_, fresh) = taken.split_at(need - self.terms.samples_per_look);
        let (all, fresh) = (Usable::of(taken), Usable::of(fresh));
        for usable in [&all, &fresh] {
            if usable.is_spoilt() {
                return inconclusive(Why::Unusable { bad: usable.bad, of: usable.bad + usable.values.len() });
            }
        }
        // A probe that is stuck is no slower program, however high it is stuck.
        if fresh.is_constant() {
            return Err(Look::NoData { what: Absent::Movement });
        }
        // Another unit may begin in the middle of the window, so each look answers for its own samples.
        self.ratio(&fresh.values, look)?;
        Ok(Some((all.values, fresh.values)))
    }

    /// By which factor it changed, unless no regression has such a factor.
    fn ratio(&self, after: &[f64], look: usize) -> Judged<f64> {
        let ratio =
            hodges_lehmann::ratio(&self.baseline.values, after).filter(|ratio| ratio.is_finite() && *ratio > 0.0);
        let most = self.terms.absurd;
        match ratio {
            Some(ratio) if ratio <= most && ratio >= 1.0 / most => Ok(ratio),
            ratio => inconclusive(Why::Absurd { ratio, look }),
        }
    }

    /// How likely such samples are, or worse ones, if they are exactly as much worse as is tolerated.
    fn p(&self, after: &[f64]) -> f64 {
        worse(&self.baseline.values, after, self.terms.direction, 1.0 + self.terms.tolerance)
    }

    /// What is said when the next look is not due.
    fn waiting(&self, look: usize, suspect: Option<(f64, f64)>, finished: bool) -> Look {
        let (have, need) = (self.series.complete(), look * self.terms.samples_per_look);
        match (suspect, finished) {
            (Some((ratio, p)), false) => Look::Suspect { ratio, p, look: look - 1, need },
            (None, false) => Look::NeedMore { have, need },
            (Some((ratio, _)), true) => Look::Inconclusive { why: Why::Unconfirmed { ratio } },
            // Samples that came without their control are not silence.
            (None, true) if have == 0 && !self.series.after.is_empty() => Look::Inconclusive { why: Why::NoControl },
            (None, true) => {
                let need = self.terms.samples_per_look * self.terms.looks;
                Look::NoData { what: Absent::After { have, need } }
            }
        }
    }

    /// The end of a plan that found no harm. That it was not found does not show that there is none: where it seems to
    /// be there all the same, nothing is claimed.
    fn end(&self, ratio: f64, p: f64) -> Judged<Look> {
        let limit = 1.0 + self.terms.tolerance;
        let tolerated = match self.terms.direction {
            Direction::HigherIsWorse => ratio <= limit,
            Direction::LowerIsWorse => ratio >= 1.0 / limit,
        };
        // By the test too: ties and zeros can hide in the estimate what the ranks show.
        if !tolerated || p < self.terms.alpha {
            return inconclusive(Why::Undecided { ratio });
        }
        self.control_stood(self.terms.looks, Way::Better)?;
        Ok(Look::Fine { ratio })
    }

    /// Ends it when there is a control that moved the same way by this look. A slower machine is no reason to roll back;
    /// a faster one may hide harm.
    fn control_stood(&self, look: usize, way: Way) -> Judged<()> {
        let Some(Control { baseline, after }) = self.series.control else { return Ok(()) };
        let taken = after.get(..look * self.terms.samples_per_look).unwrap_or_default();
        let (before, after) = (Usable::of(baseline), Usable::of(taken));
        let short = before.values.len() < CONTROL || after.values.len() < CONTROL;
        if short || before.is_spoilt() || after.is_spoilt() {
            return inconclusive(Why::NoControl);
        }
        let direction = match (self.terms.direction, way) {
            (same, Way::Worse) => same,
            (Direction::HigherIsWorse, Way::Better) => Direction::LowerIsWorse,
            (Direction::LowerIsWorse, Way::Better) => Direction::HigherIsWorse,
        };
        if worse(&before.values, &after.values, direction, 1.0) < MOVED {
            let ratio = hodges_lehmann::ratio(&before.values, &after.values);
            return inconclusive(Why::Control { ratio: ratio.filter(|ratio| ratio.is_finite()) });
        }
        Ok(())
    }
}

/// Which way a control moved, seen from the metric.
#[derive(Debug, Clone, Copy)]
enum Way {
    Worse,
    Better,
}

/// The p-value of being worse by more than a factor.
fn worse(before: &[f64], after: &[f64], direction: Direction, factor: f64) -> f64 {
    let scaled = |values: &[f64]| values.iter().map(|value| value * factor).collect::<Vec<f64>>();
    match direction {
        Direction::HigherIsWorse => greater(&scaled(before), after).p,
        Direction::LowerIsWorse => greater(&scaled(after), before).p,
    }
}
