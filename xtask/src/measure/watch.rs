//! Watch: simulated landings, of which it is known whether they made a metric worse. How many does the watch roll back
//! with its usual terms, and how many do the rules that are used otherwise, on the very same samples?
//!
//! Durations have a long right tail. They are drawn from lognormal distributions, with which the usual terms were
//! chosen, and from gamma distributions, with which they were not: at a coefficient of variation of 1 that is the
//! exponential one. Every draw follows from the seed, however many threads there are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};
use kaizen_watch::{Boundaries, Direction, Look, MetricTerms, Rule, Series, greater, verdict_within};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Gamma, LogNormal};

use super::table::Table;
use super::{Options, Outcome};

/// Landings of a cell in a whole run and in a quick one.
const LANDINGS: [usize; 2] = [4000, 400];
/// Independent streams of random numbers that share the landings of a cell.
const STREAMS: usize = 4;
/// Rolled back at most, in per cent, where nothing changed.
const FALSE: f64 = 0.5;
/// The level at which a test that is repeated at each look is mostly used.
const PEEKING: f64 = 0.05;
const THREADS: usize = 2;

/// What a landing did to a metric.
#[derive(Debug, Clone, Copy)]
struct Cell {
    shape: Shape,
    /// The coefficient of variation: standard deviation by mean.
    variation: f64,
    /// By which factor everything takes longer.
    slowdown: f64,
}

/// How durations are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lognormal,
    Gamma,
}

/// Durations with a mean of 1.
enum Durations {
    Lognormal(LogNormal<f64>),
    Gamma(Gamma<f64>),
}

/// What became of the landings of a cell.
#[derive(Debug, Clone, Default)]
struct Tally {
    landings: usize,
    /// Rolled back by the watch, by the look at which.
    rolled_back: Vec<usize>,
    kept: usize,
    /// Samples after the landing until the end, of all landings together.
    samples: usize,
    plain: usize,
    peeking: usize,
}

/// Simulates it.
///
/// # Errors
/// When the usual terms do not hold or a thread fails.
pub fn measure(options: &Options) -> Result<Outcome> {
    let terms = MetricTerms::new("duration", Direction::HigherIsWorse);
    let landings = if options.quick { LANDINGS[1] } else { LANDINGS[0] };
    let cells = cells();
    let tallies = simulate(&terms, &cells, landings / STREAMS, options.seed)?;
    let header = [
        "durations",
        "variation",
        "slowdown",
        "rolled back",
        "worst stream",
        "kept",
        "inconclusive",
        "median look",
        "samples",
        "plain 10 %",
        "peeking p < 0.05",
        "bar",
    ];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut most_false, mut most_tolerated, mut least) = (0.0_f64, 0.0_f64, [100.0_f64; 2]);
    for (cell, streams) in cells.iter().zip(&tallies) {
        let tally = Tally::sum(streams);
        let found = tally.percent(tally.rolled_back.len());
        let of_stream = |tally: &Tally| tally.percent(tally.rolled_back.len());
        let bar = cell.bar(&terms, tally.landings);
        let (shown, holds, worst) = match bar {
            Some(Bar::AtMost(bar)) => {
                let most = if cell.slowdown > 1.0 { &mut most_tolerated } else { &mut most_false };
                *most = most.max(found);
                (format!("<= {bar:.2} %"), found <= bar, streams.iter().map(of_stream).fold(0.0, f64::max))
            }
            Some(Bar::AtLeast(bar)) => {
                let least = &mut least[usize::from(cell.variation > 0.5)];
                *least = least.min(found);
                (format!(">= {bar} %"), found >= bar, streams.iter().map(of_stream).fold(100.0, f64::min))
            }
            None => (String::new(), true, streams.iter().map(of_stream).fold(100.0, f64::min)),
        };
        outcome.table.row([
            cell.shape.shown().to_owned(),
            format!("{:.1}", cell.variation),
            format!("{:.1}x", cell.slowdown),
            format!("{found:.2} %"),
            format!("{worst:.2} %"),
            format!("{:.1} %", tally.percent(tally.kept)),
            format!("{:.1} %", tally.percent(tally.landings - tally.kept - tally.rolled_back.len())),
            tally.median_look().map_or("-".to_owned(), |look| look.to_string()),
            format!("{:.0}", tally.samples as f64 / tally.landings as f64),
            format!("{:.2} %", tally.percent(tally.plain)),
            format!("{:.2} %", tally.percent(tally.peeking)),
            shown.clone(),
        ]);
        let name = format!("{}, {}, {}x", cell.shape.shown(), cell.variation, cell.slowdown);
        outcome.require(holds, format!("{name}: {found:.2} % rolled back, bar {shown}"));
    }
    outcome.notes = notes(&terms, landings, options.seed);
    outcome.summary = format!(
        "{most_false:.2} % false roll-backs (bar {FALSE} %), {most_tolerated:.2} % at 1.1x; found at least {:.1} % of 1.3x \
         at 0.3 (bar 95 %) and {:.1} % of 2x at 1.0 (bar 94 %); {landings} landings a cell",
        least[0], least[1],
    );
    Ok(outcome)
}

fn notes(terms: &MetricTerms, landings: usize, seed: u64) -> Vec<String> {
    let last = seed.wrapping_add(STREAMS as u64 - 1);
    vec![
        format!(
            "usual terms in all cells: tolerance {} %, alpha {} %, {} samples before, {} looks at {} new samples each, and \
             as many to confirm",
            terms.tolerance * 100.0,
            terms.alpha * 100.0,
            terms.baseline,
            terms.looks,
            terms.samples_per_look,
        ),
        "1.1x is exactly what is tolerated: to roll it back is a false alarm, and alpha bounds how often that may be \
         (bar: alpha and three standard errors); the plain rule, set to 10 % too, stands on its own edge there"
            .to_owned(),
        format!(
            "the peers see the same samples: plain compares medians after look {}; peeking is a one-sided Mann-Whitney \
             test of any slowdown after each of the {} looks",
            terms.looks, terms.looks,
        ),
        "median look: of those rolled back, the one that confirmed; samples: mean of all landings".to_owned(),
        format!("{landings} landings a cell, from the seeds {seed} to {last}; `--seed` takes others"),
    ]
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for shape in [Shape::Lognormal, Shape::Gamma] {
        for variation in [0.3, 1.0] {
            cells.extend([1.0, 1.1, 1.3, 2.0].map(|slowdown| Cell { shape, variation, slowdown }));
        }
    }
    cells
}

/// What must hold of a cell, in per cent of its landings.
enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Cell {
    fn bar(&self, terms: &MetricTerms, landings: usize) -> Option<Bar> {
        match (self.variation, self.slowdown) {
            (_, 1.0) => Some(Bar::AtMost(FALSE)),
            // On the edge of what is tolerated alpha is the bound, and chance may add three standard errors.
            (_, slowdown) if slowdown <= 1.0 + terms.tolerance => {
                let error = (terms.alpha * (1.0 - terms.alpha) / landings.max(1) as f64).sqrt();
                Some(Bar::AtMost(100.0 * (terms.alpha + 3.0 * error)))
            }
            (0.3, 1.3) => Some(Bar::AtLeast(95.0)),
            (1.0, 2.0) => Some(Bar::AtLeast(94.0)),
            _ => None,
        }
    }

    fn durations(&self) -> Result<Durations> {
        let square = self.variation * self.variation;
        Ok(match self.shape {
            Shape::Lognormal => {
                let spread = (1.0 + square).ln();
                Durations::Lognormal(LogNormal::new(-spread / 2.0, spread.sqrt())?)
            }
            Shape::Gamma => Durations::Gamma(Gamma::new(1.0 / square, square)?),
        })
    }
}

impl Shape {
    fn shown(self) -> &'static str {
        match self {
            Self::Lognormal => "lognormal",
            Self::Gamma => "gamma (unseen)",
        }
    }
}

impl Durations {
    fn take(&self, count: usize, factor: f64, random: &mut StdRng) -> Vec<f64> {
        let one = |random: &mut StdRng| match self {
            Self::Lognormal(durations) => durations.sample(random),
            Self::Gamma(durations) => durations.sample(random),
        };
        (0..count).map(|_| one(random) * factor).collect()
    }
}

/// The tallies of all cells, each in as many parts as there are streams.
fn simulate(terms: &MetricTerms, cells: &[Cell], landings: usize, seed: u64) -> Result<Vec<Vec<Tally>>> {
    terms.validate()?;
    let rules = Rules::new(terms)?;
    let next = AtomicUsize::new(0);
    let done = Mutex::new(vec![vec![Tally::default(); STREAMS]; cells.len()]);
    let work = || -> Result<()> {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            let (at, stream) = (job / STREAMS, job % STREAMS);
            let Some(cell) = cells.get(at) else { return Ok(()) };
            // The cell is part of the seed, or all cells would have the same luck.
            let random = seed.wrapping_add(stream as u64) ^ ((at as u64 + 1) << 40);
            let tally = rules.run(cell, landings, &mut StdRng::seed_from_u64(random))?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = done.get_mut(at).and_then(|streams| streams.get_mut(stream)) {
                *place = tally;
            }
        }
    };
    std::thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a thread of the simulation ended early"))??;
        }
        Ok(())
    })?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The three rules that are compared.
struct Rules {
    ours: MetricTerms,
    boundaries: Boundaries,
    plain: MetricTerms,
}

impl Rules {
    fn new(terms: &MetricTerms) -> Result<Self> {
        let plain = MetricTerms { rule: Rule::Plain { percent: 10.0 }, ..terms.clone() };
        plain.validate()?;
        Ok(Self { ours: terms.clone(), boundaries: terms.boundaries(terms.baseline), plain })
    }

    fn run(&self, cell: &Cell, landings: usize, random: &mut StdRng) -> Result<Tally> {
        let durations = cell.durations()?;
        let mut tally = Tally::default();
        for _ in 0..landings {
            let baseline = durations.take(self.ours.baseline, 1.0, random);
            let after = durations.take(self.ours.most_samples(), cell.slowdown, random);
            self.judge(&baseline, &after, &mut tally)?;
        }
        Ok(tally)
    }

    fn judge(&self, baseline: &[f64], after: &[f64], tally: &mut Tally) -> Result<()> {
        tally.landings += 1;
        let up_to = |look: usize| after.get(..look * self.ours.samples_per_look).unwrap_or(after);
        for look in 1..=self.ours.looks + 1 {
            let after = up_to(look);
            let series = Series { baseline, after, control: None };
            match verdict_within(&self.ours, &self.boundaries, &series, false) {
                Look::NeedMore { .. } | Look::Suspect { .. } => continue,
                Look::Worse { look, .. } => tally.rolled_back.push(look),
                Look::Fine { .. } => tally.kept += 1,
                Look::Inconclusive { .. } => {}
                other => anyhow::bail!("whole data were taken for {other:?}"),
            }
            tally.samples += after.len();
            break;
        }
        let all = Series { baseline, after: up_to(self.ours.looks), control: None };
        let plain = verdict_within(&self.plain, &Boundaries::default(), &all, true);
        ensure!(!plain.is_open(), "the plain rule came to no end: {plain:?}");
        tally.plain += usize::from(matches!(plain, Look::Worse { .. }));
        let peeking = (1..=self.ours.looks).any(|look| greater(baseline, up_to(look)).p < PEEKING);
        tally.peeking += usize::from(peeking);
        Ok(())
    }
}

impl Tally {
    fn sum(parts: &[Self]) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.landings += part.landings;
            sum.rolled_back.extend(&part.rolled_back);
            sum.kept += part.kept;
            sum.samples += part.samples;
            sum.plain += part.plain;
            sum.peeking += part.peeking;
        }
        sum.rolled_back.sort_unstable();
        sum
    }

    fn percent(&self, of: usize) -> f64 {
        100.0 * of as f64 / self.landings.max(1) as f64
    }

    fn median_look(&self) -> Option<usize> {
        self.rolled_back.get(self.rolled_back.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_mean_and_variation_that_are_claimed() {
        let mut random = StdRng::seed_from_u64(7);
        for cell in cells() {
            let taken = cell.durations().unwrap().take(40_000, cell.slowdown, &mut random);
            let mean = taken.iter().sum::<f64>() / taken.len() as f64;
            let square = taken.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / taken.len() as f64;
            assert!((mean / cell.slowdown - 1.0).abs() < 0.03, "{cell:?}: {mean}");
            assert!((square.sqrt() / mean / cell.variation - 1.0).abs() < 0.08, "{cell:?}: {}", square.sqrt() / mean);
        }
    }

    #[test]
    fn a_simulation_follows_from_its_seed() {
        let terms = MetricTerms::new("duration", Direction::HigherIsWorse);
        let cell = [Cell { shape: Shape::Gamma, variation: 0.3, slowdown: 1.3 }];
        let run = |seed| {
            let tallies = simulate(&terms, &cell, 3, seed).unwrap();
            tallies.concat().iter().map(|tally| (tally.rolled_back.clone(), tally.samples)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_eq!(run(1).len(), STREAMS);
        let all = Tally::sum(&simulate(&terms, &cell, 3, 1).unwrap().concat());
        assert_eq!(all.landings, 3 * STREAMS);
        assert!(all.rolled_back.len() >= 10, "{all:?}");
    }
}
