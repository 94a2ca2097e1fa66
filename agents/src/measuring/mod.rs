//! Measuring: whether a change makes the repository faster or slower. The benchmarks that it has are run before the change
//! and after it, in turn, and so is the program that a patch brings to show that it is faster. What the numbers say is
//! decided by a test that is fixed beforehand (`kaizen_speed`); here they are got, and put into the words of a trial.

mod benches;
mod blocks;
mod counts;
mod output;
mod program;

use kaizen_domain::edit::Change;
use kaizen_domain::trial::{Speed, SpeedVerdict};
use kaizen_sandbox::{Cancel, Runner, TreeChange, TrialError, WarmBase};
use kaizen_settings::GateSettings;
use kaizen_speed::Report;

pub use benches::Own;

/// Two trees, one before a change and one after it, and what is known of them.
pub struct Measuring<'a> {
    /// What runs them.
    pub runner: &'a Runner,
    /// What both are seen from.
    pub warm: &'a WarmBase,
    /// What is measured, and how long that may take.
    pub settings: &'a GateSettings,
    /// What leads from the warm base to the tree before the change, and to the one after it.
    pub trees: (&'a [TreeChange], &'a [TreeChange]),
    /// The change.
    pub changes: &'a [Change],
    /// The paths of all files before the change.
    pub files: &'a [String],
    /// Reads a file of the tree before the change.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// What ends it.
    pub cancel: &'a Cancel,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// In the words of a trial.
    pub speed: Speed,
    /// What it rests on, benchmark by benchmark; none where nothing could be compared.
    pub report: Option<Report>,
}

/// Why there are no numbers to judge.
enum Stop {
    /// The sandbox cannot run it.
    Sandbox(TrialError),
    /// What was run gave none.
    NoData(String),
}

impl From<TrialError> for Stop {
    fn from(error: TrialError) -> Self {
        Self::Sandbox(error)
    }
}

impl Measured {
    fn without(verdict: SpeedVerdict, why: impl Into<String>) -> Self {
        Self { speed: Speed { verdict, ratio_milli: 0, pairs: 0, detail: why.into() }, report: None }
    }
}

/// What the program of a patch and the repository's own benchmarks show together: one that got slower is enough to refuse,
/// and only the program can show that the patch does what it claims.
#[must_use]
pub fn together(program: Option<Speed>, own: Option<Speed>) -> Option<Speed> {
    let (program, own) = match (program, own) {
        (Some(program), Some(own)) => (program, own),
        (program, own) => return program.or(own),
    };
    let told = format!("the repository's own benchmarks: {}", own.detail);
    Some(match own.verdict {
        SpeedVerdict::Worse => Speed { detail: told, ..own },
        _ => Speed { detail: format!("{}; {told}", program.detail), ..program },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(verdict: SpeedVerdict, detail: &str) -> Speed {
        Speed { verdict, ratio_milli: 1000, pairs: 12, detail: detail.to_owned() }
    }

    #[test]
    fn an_own_benchmark_that_is_slower_outweighs_the_program_and_one_that_is_faster_does_not_stand_in_for_it() {
        use SpeedVerdict::{Better, Inconclusive, NoData, Worse};
        let verdict = |program: Option<SpeedVerdict>, own: Option<SpeedVerdict>| {
            let of = |verdict: Option<SpeedVerdict>, detail| verdict.map(|verdict| speed(verdict, detail));
            together(of(program, "program"), of(own, "own")).map(|speed| (speed.verdict, speed.detail))
        };
        let told = |verdict, detail: &str| Some((verdict, detail.to_owned()));
        assert_eq!(verdict(Some(Better), Some(Worse)), told(Worse, "the repository's own benchmarks: own"));
        for own in [Better, Inconclusive, NoData] {
            let detail = "program; the repository's own benchmarks: own";
            assert_eq!(verdict(Some(Inconclusive), Some(own)), told(Inconclusive, detail));
            assert_eq!(verdict(Some(Better), Some(own)), told(Better, detail));
        }
        assert_eq!(verdict(None, Some(Worse)), told(Worse, "own"));
        assert_eq!(verdict(Some(Better), None), told(Better, "program"));
        assert_eq!(verdict(None, None), None);
    }
}
