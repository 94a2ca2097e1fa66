//! Counts: how many instructions a program takes before a change and after it. Where they can be counted they decide, since
//! what else the machine does hardly moves them. They say nothing of memory and waiting, so a clock that clearly says the
//! opposite leaves it open.

use std::time::Duration;

use kaizen_domain::trial::{Speed, SpeedVerdict};
use kaizen_sandbox::TrialError;
use kaizen_speed::{Block, Name, Report, Runs, Standing, Terms, judge};

use super::Measuring;

/// Blocks that are enough when no count differs from another one of the same program.
const FEW: usize = 2;
/// Blocks otherwise: fewer cannot decide.
const MANY: u32 = 4;
/// Counts in so few blocks, which share the time.
const COUNTS: u32 = 8;
/// Beyond this, in thousandths, a clock says the opposite of what counts do: base over candidate.
const OPPOSITE: (u64, u64) = (970, 1_030);

/// Instructions, before and after.
#[derive(Debug)]
pub(super) struct Counted {
    verdict: SpeedVerdict,
    ratio_milli: u64,
    base: f64,
    candidate: f64,
}

impl Measuring<'_> {
    /// Counts the instructions of a program on both sides; none where that cannot be done here, or takes too long.
    pub(super) fn counted(&self, before: &[u8], after: &[u8]) -> Result<Option<Counted>, TrialError> {
        let wall = Duration::from_secs(self.settings.benchmarks_secs) / COUNTS;
        let mut blocks: Vec<Runs> = Vec::new();
        while blocks.len() < FEW || (!is_constant(&blocks) && blocks.len() < MANY as usize) {
            let mut counts = [0.0; 4];
            for (count, program) in counts.iter_mut().zip([before, after, after, before]) {
                match self.runner.count_instructions(self.warm, program, wall, self.cancel)? {
                    Some(counted) => *count = counted as f64,
                    None => return Ok(None),
                }
            }
            let [first, second, third, fourth] = counts;
            blocks.push(Runs { base: [first, fourth], candidate: [second, third] });
        }
        Ok(Counted::of(&blocks))
    }
}

fn is_constant(blocks: &[Runs]) -> bool {
    blocks.windows(2).all(|two| matches!(two, [one, other] if one == other))
        && blocks.iter().all(|runs| runs.base[0] == runs.base[1] && runs.candidate[0] == runs.candidate[1])
}

impl Counted {
    /// What counts say; none when that is nothing.
    fn of(blocks: &[Runs]) -> Option<Self> {
        let first = blocks.first()?;
        let name = Name::of("instructions");
        // What never varies would say the same however often it were asked.
        let all = blocks.iter().cycle().take((MANY as usize).max(blocks.len()));
        let all: Vec<Block> = all.map(|runs| Block::from([(name.clone(), *runs)])).collect();
        let terms = Terms::default().with_looks(&[MANY]).ok()?;
        let Standing::Done(report) = judge(&terms, &all, true) else { return None };
        let finding = report.benchmarks.get(&name).filter(|finding| finding.verdict != SpeedVerdict::NoData)?;
        let [base, candidate] = [first.base[0], first.candidate[0]];
        Some(Self { verdict: finding.verdict, ratio_milli: finding.ratio_milli, base, candidate })
    }

    /// The verdict of counts, with what the clock says beside it.
    pub(super) fn beside(&self, clock: &Report) -> Speed {
        let timed = clock.speed();
        let (slower, faster) = (timed.ratio_milli < OPPOSITE.0, timed.ratio_milli > OPPOSITE.1);
        let disagree = match self.verdict {
            SpeedVerdict::Better => slower || timed.verdict == SpeedVerdict::Worse,
            SpeedVerdict::Worse => faster || timed.verdict == SpeedVerdict::Better,
            SpeedVerdict::Inconclusive | SpeedVerdict::NoData => false,
        };
        // Rounded by hand: nothing is to be told as less than nothing.
        let percent = ((self.candidate / self.base - 1.0) * 1000.0).round() / 10.0 + 0.0;
        let (base, candidate) = (shown(self.base), shown(self.candidate));
        let end = if disagree { "; the two disagree" } else { "" };
        let detail =
            format!("instructions {percent:+.1} % ({base} to {candidate}); processor time, {}{end}", timed.detail);
        let verdict = if disagree { SpeedVerdict::Inconclusive } else { self.verdict };
        Speed { verdict, ratio_milli: self.ratio_milli, pairs: timed.pairs, detail }
    }
}

/// A count for people.
fn shown(count: f64) -> String {
    match count {
        count if count >= 1e9 => format!("{:.2} G", count / 1e9),
        count if count >= 1e6 => format!("{:.2} M", count / 1e6),
        count => format!("{count:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(base: [f64; 2], candidate: [f64; 2]) -> Runs {
        Runs { base, candidate }
    }

    fn clock(base: f64, candidate: f64) -> Report {
        let block = Block::from([(Name::of("processor time"), runs([base; 2], [candidate; 2]))]);
        match judge(&Terms::default(), &vec![block; 6], true) {
            Standing::Done(report) => report,
            Standing::More { .. } => panic!("six blocks that never vary decide"),
        }
    }

    #[test]
    fn two_blocks_that_never_vary_decide_and_four_that_hardly_do() {
        let verdict = |blocks: &[Runs]| Counted::of(blocks).map(|counted| counted.verdict);
        let same = runs([45_529_524.0; 2], [36_423_619.0; 2]);
        assert!(is_constant(&[same; 2]));
        assert_eq!(verdict(&[same; 2]), Some(SpeedVerdict::Better));
        let hardly = runs([6_936_569.0, 6_932_787.0], [7_534_119.0, 7_531_002.0]);
        assert!(!is_constant(&[hardly; 2]));
        assert_eq!(verdict(&[hardly; 4]), Some(SpeedVerdict::Worse));
        assert_eq!(verdict(&[runs([1e6; 2], [1e6; 2]); 2]), Some(SpeedVerdict::Inconclusive));
        assert_eq!(verdict(&[]), None);
        assert_eq!(verdict(&[runs([0.0; 2], [1.0; 2]); 2]), None);
    }

    #[test]
    fn counts_decide_unless_the_clock_says_the_opposite() {
        let fewer = Counted::of(&[runs([45_529_524.0; 2], [36_423_619.0; 2]); 2]).unwrap();
        let agreed = fewer.beside(&clock(124.5, 100.1));
        assert_eq!((agreed.verdict, agreed.ratio_milli), (SpeedVerdict::Better, 1_250));
        let start = "instructions -20.0 % (45.53 M to 36.42 M); processor time, base over candidate 1.24x";
        assert!(agreed.detail.starts_with(start), "{}", agreed.detail);
        // Nothing to be seen on the clock is no contradiction.
        assert_eq!(fewer.beside(&clock(100.1, 100.1)).verdict, SpeedVerdict::Better);
        let opposite = fewer.beside(&clock(100.1, 120.5));
        assert_eq!(opposite.verdict, SpeedVerdict::Inconclusive);
        assert!(opposite.detail.ends_with("; the two disagree"), "{}", opposite.detail);
        let more = Counted::of(&[runs([1e6; 2], [2e6; 2]); 2]).unwrap();
        assert_eq!(more.beside(&clock(100.1, 100.1)).verdict, SpeedVerdict::Worse);
        assert_eq!(more.beside(&clock(120.1, 100.1)).verdict, SpeedVerdict::Inconclusive);
    }
}
