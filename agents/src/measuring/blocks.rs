//! Blocks: takes runs as they come, and says when there are enough of them, or no time for more.

use std::time::{Duration, Instant};

use kaizen_domain::trial::{Speed, SpeedVerdict};
use kaizen_sandbox::{Progress, Told};
use kaizen_speed::{Block, Report, Standing, Terms, judge};

use super::Measured;
use super::output::block_of;

/// The part of the time that is planned with: what a run takes differs from run to run.
const PLANNED: f64 = 0.9;

/// A comparison that is under way.
pub(super) struct Taking {
    names: Vec<String>,
    budget: Duration,
    terms: Terms,
    since: Instant,
    blocks: Vec<Block>,
    /// What came of it before it was decided.
    early: Option<Measured>,
    report: Option<Report>,
}

impl Taking {
    /// A comparison of what is called so, which may take so long.
    pub(super) fn new(names: Vec<String>, budget: Duration) -> Self {
        Self {
            names,
            budget,
            terms: Terms::default(),
            since: Instant::now(),
            blocks: Vec::new(),
            early: None,
            report: None,
        }
    }

    /// Takes what was run; whether it is to go on.
    pub(super) fn take(&mut self, told: Told, on: &mut dyn FnMut(Progress)) -> bool {
        match told {
            Told::Warm(took) => {
                let planned = self.plan(took);
                self.since = Instant::now();
                planned
            }
            Told::Block(runs) => {
                match block_of(&self.names, &runs) {
                    Ok(block) => self.blocks.push(block),
                    Err(error) => {
                        self.early = Some(Measured::without(SpeedVerdict::NoData, error.to_string()));
                        return false;
                    }
                }
                let spent = self.since.elapsed();
                let one = spent / u32::try_from(self.blocks.len()).unwrap_or(u32::MAX).max(1);
                let most = usize::try_from(self.terms.most()).unwrap_or(usize::MAX);
                on(Progress::Measuring { done: self.blocks.len(), of: most });
                match judge(&self.terms, &self.blocks, spent + one > self.budget) {
                    Standing::More { .. } => true,
                    Standing::Done(report) => {
                        self.report = Some(report);
                        false
                    }
                }
            }
        }
    }

    /// Fixes how many blocks there can be, when a fourth of one takes so long; whether so many decide anything. All of it
    /// is fixed before the first run that counts.
    fn plan(&mut self, took: Duration) -> bool {
        let fit = self.budget.as_secs_f64() * PLANNED / (4.0 * took.as_secs_f64().max(1e-6));
        // The cast of a float stops at the ends.
        let blocks = (fit as u32).min(self.terms.most());
        match Terms::default().at_most(blocks) {
            Ok(terms) => {
                self.terms = terms;
                true
            }
            Err(_) => {
                let (took, budget) = (took.as_secs_f64(), self.budget.as_secs());
                let why = format!(
                    "the benchmarks take {took:.1} s a run, too long to be compared in {budget} s (`gate.benchmarks_secs`)"
                );
                self.early = Some(Measured::without(SpeedVerdict::Inconclusive, why));
                false
            }
        }
    }

    /// What came of it, when it ended so.
    pub(super) fn measured(self, ended: Result<(), String>) -> Measured {
        if let Some(early) = self.early {
            return early;
        }
        if let Err(why) = ended {
            return Measured::without(SpeedVerdict::NoData, why);
        }
        let report = self.report.or_else(|| match judge(&self.terms, &self.blocks, true) {
            Standing::Done(report) => Some(report),
            Standing::More { .. } => None,
        });
        match report {
            Some(report) => Measured { speed: told(&report), report: Some(report) },
            None => Measured::without(SpeedVerdict::NoData, "there was no benchmark to compare"),
        }
    }
}

/// In the words of a trial, with the name of the benchmark.
fn told(report: &Report) -> Speed {
    let mut speed = report.speed();
    if let (1, Some(name)) = (report.benchmarks.len(), &report.decisive) {
        speed.detail = format!("`{name}`: {}", speed.detail);
    }
    speed
}

#[cfg(test)]
mod tests {
    use kaizen_sandbox::Printed;

    use super::*;

    fn runs(nanoseconds: [u32; 4]) -> Told {
        let printed = |nanoseconds| {
            let text = format!("test sort ... bench: {nanoseconds} ns/iter (+/- 1)\n");
            Printed { text, took: Duration::from_millis(1) }
        };
        Told::Block(vec![nanoseconds.map(printed)])
    }

    fn taking() -> Taking {
        Taking::new(vec!["words".to_owned()], Duration::from_secs(120))
    }

    #[test]
    fn it_goes_on_until_it_is_decided_and_names_the_benchmark() {
        let mut taking = taking();
        assert!(taking.take(Told::Warm(Duration::from_millis(10)), &mut |_| {}));
        for block in 1..6 {
            assert!(taking.take(runs([10_000 + block, 20_000, 20_001, 10_001]), &mut |_| {}), "block {block}");
        }
        assert!(!taking.take(runs([10_000, 20_000, 20_001, 10_001]), &mut |_| {}));
        let measured = taking.measured(Ok(()));
        assert_eq!(measured.speed.verdict, SpeedVerdict::Worse);
        assert!(measured.speed.detail.starts_with("`sort`: base over candidate 0.50x"), "{}", measured.speed.detail);
        assert_eq!(measured.report.map(|report| report.benchmarks.len()), Some(1));
    }

    #[test]
    fn what_takes_too_long_is_inconclusive_before_a_block_is_run() {
        let mut slow = taking();
        assert!(!slow.take(Told::Warm(Duration::from_secs(10)), &mut |_| {}));
        let measured = slow.measured(Ok(()));
        assert_eq!(measured.speed.verdict, SpeedVerdict::Inconclusive);
        assert!(measured.speed.detail.contains("10.0 s a run"), "{}", measured.speed.detail);
        // As many as fit decide, when they are enough.
        let mut some = taking();
        assert!(some.take(Told::Warm(Duration::from_secs(5)), &mut |_| {}));
        assert_eq!(some.terms.most(), 5);
    }

    #[test]
    fn what_fails_or_prints_nonsense_is_no_data() {
        let measured = taking().measured(Err("a run ended by exit code 1".to_owned()));
        assert_eq!(measured.speed.verdict, SpeedVerdict::NoData);
        assert_eq!(taking().measured(Ok(())).speed.verdict, SpeedVerdict::NoData);
        let mut odd = taking();
        let nonsense = Printed { text: "test sort ... bench: 1 week/iter (+/- 1)\n".to_owned(), took: Duration::ZERO };
        let block = Told::Block(vec![[nonsense.clone(), nonsense.clone(), nonsense.clone(), nonsense]]);
        assert!(!odd.take(block, &mut |_| {}));
        assert!(odd.measured(Ok(())).speed.detail.contains("no unit of time"));
    }
}
