//! The test, tried on machines that are made up: how often it says something false, and how often it finds what is
//! there.

use kaizen_domain::trial::SpeedVerdict;

use crate::block::{Block, Runs};
use crate::judge::{Standing, judge};
use crate::name::Name;
use crate::terms::Terms;

/// Numbers that look like chance and are the same every time (xorshift64*, Vigna 2016).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Between zero and one, neither included.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// From the standard normal distribution (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }
}

/// How a machine disturbs runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Noise {
    /// Each run for itself, lognormal with this deviation.
    Plain(f64),
    /// 1 % a run; the machine gets 10 % slower on the way, and goes up and down by 2 %.
    Drift,
    /// This deviation, and one run in ten takes 20 to 50 % longer.
    Spikes(f64),
    /// 0.5 % a run, and 1 % that each process keeps for itself.
    Process,
    /// 2 % a run, of which the next one keeps two fifths.
    Lasting,
    /// 1 % a run; now and then the machine changes between two speeds that are 8 % apart.
    Steps,
    /// 1 % a run; the first one of each block takes 5 % longer, as after a pause.
    First,
    /// 1 % a run, of 300 ns that are told in whole ones.
    Coarse,
}

/// Blocks of a candidate that takes `factor` as long as the base.
pub(crate) fn blocks(noise: Noise, factor: f64, count: usize, random: &mut Random) -> Vec<Block> {
    let (phase, period) = (7.0 * random.uniform(), 20.0 + 60.0 * random.uniform());
    let (mut kept, mut slow, mut at) = (0.0, false, 0.0);
    let mut run = |factor: f64| {
        let spike = |random: &mut Random| {
            let spiked = random.uniform() < 0.1;
            if spiked { (1.2 + 0.3 * random.uniform()).ln() } else { 0.0 }
        };
        at += 1.0;
        let log = match noise {
            Noise::Plain(deviation) => deviation * random.normal(),
            Noise::Drift => {
                let drift = 0.1 * at / (4 * count) as f64;
                drift + 0.02 * (phase + 2.0 * std::f64::consts::PI * at / period).sin() + 0.01 * random.normal()
            }
            Noise::Spikes(deviation) => deviation * random.normal() + spike(random),
            Noise::Process => 0.005 * random.normal() + 0.01 * random.normal(),
            Noise::Lasting => {
                kept = 0.4 * kept + (1.0f64 - 0.16).sqrt() * random.normal();
                0.02 * kept
            }
            Noise::Steps => {
                slow ^= random.uniform() < 0.05;
                f64::from(u8::from(slow)) * 0.08 + 0.01 * random.normal()
            }
            Noise::First => f64::from(u8::from(at % 4.0 == 1.0)) * 0.05 + 0.01 * random.normal(),
            Noise::Coarse => return (300.0 * factor * (0.01 * random.normal()).exp()).round(),
        };
        1234.5 * factor * log.exp()
    };
    (0..count)
        .map(|_| {
            let (first, second, third, fourth) = (run(1.0), run(factor), run(factor), run(1.0));
            [(Name::of("it"), Runs { base: [first, fourth], candidate: [second, third] })].into()
        })
        .collect()
}

/// Of so many comparisons, how many end better, and how many worse.
fn verdicts(terms: &Terms, noise: Noise, factor: f64, comparisons: u64) -> (u32, u32) {
    let (mut better, mut worse) = (0, 0);
    for seed in 0..comparisons {
        let blocks = blocks(noise, factor, terms.most() as usize, &mut Random::new(seed + 1));
        match judge(terms, &blocks, true) {
            Standing::Done(report) if report.verdict == SpeedVerdict::Better => better += 1,
            Standing::Done(report) if report.verdict == SpeedVerdict::Worse => worse += 1,
            _ => {}
        }
    }
    (better, worse)
}

const ALL: [Noise; 10] = [
    Noise::Plain(0.005),
    Noise::Plain(0.01),
    Noise::Plain(0.02),
    Noise::Plain(0.03),
    Noise::Drift,
    Noise::Spikes(0.01),
    Noise::Process,
    Noise::Lasting,
    Noise::Steps,
    Noise::Coarse,
];

#[test]
fn no_change_is_called_none_on_any_machine() {
    for noise in ALL {
        assert_eq!(verdicts(&Terms::default(), noise, 1.0, 100), (0, 0), "{noise:?}");
    }
}

/// That breaks what the test rests on: the order within a block matters. The thresholds keep it from making up a change
/// where there is none; one in the candidate's favour is exaggerated, which only whoever measures can prevent.
#[test]
fn a_first_run_that_is_always_slower_hides_changes_but_makes_up_none() {
    assert_eq!(verdicts(&Terms::default(), Noise::First, 1.0, 300), (0, 0));
    assert_eq!(verdicts(&Terms::default(), Noise::First, 1.05, 100).0, 0);
    assert_eq!(verdicts(&Terms::default(), Noise::First, 0.9, 100), (100, 0));
}

#[test]
fn without_thresholds_false_verdicts_stay_within_alpha() {
    // At 5 %, so that few comparisons show it: of 200 on each machine, 2000 in all, 100 may be false.
    let terms = Terms::default().with_alpha(0.05).unwrap().with_thresholds(0.0, 0.0).unwrap();
    let wrong: u32 =
        ALL.into_iter().map(|noise| verdicts(&terms, noise, 1.0, 200)).map(|(one, other)| one + other).sum();
    assert!((5..=100).contains(&wrong), "{wrong}");
}

#[test]
fn a_change_at_the_threshold_is_not_claimed() {
    let at = |factor| verdicts(&Terms::default(), Noise::Plain(0.01), factor, 300);
    let ((_, worse), (better, _)) = (at(1.02), at(1.0 / 1.03));
    assert!(worse <= 3 && better <= 3, "{worse} {better}");
}

#[test]
fn five_percent_slower_is_caught_where_a_run_varies_by_two_percent_at_most() {
    for noise in ALL.into_iter().filter(|noise| !matches!(noise, Noise::Plain(deviation) if *deviation > 0.02)) {
        let (better, worse) = verdicts(&Terms::default(), noise, 1.05, 100);
        assert!(better == 0 && worse >= 98, "{noise:?}: {better} {worse}");
    }
}

#[test]
fn ten_percent_faster_is_seen_on_every_machine() {
    for noise in ALL {
        let (better, worse) = verdicts(&Terms::default(), noise, 0.9, 100);
        assert!(worse == 0 && better >= 99, "{noise:?}: {better} {worse}");
    }
}
