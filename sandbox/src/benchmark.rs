//! Compares the speed of two trees with a program that was written for it: built on both, run in turn, judged by a
//! sign test on the pairs. The program comes from whoever claims the change is faster; its clock is ours.
//!
//! The sign test needs no assumption about the noise: of ten pairs, nine or ten on one side have a chance of 2.1 %
//! when nothing changed (two-sided binomial). Processor time is compared, not time on the clock.

use std::time::Duration;

use kaizen_domain::RelPath;
use kaizen_domain::trial::{Speed, SpeedVerdict};

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::progress::Progress;
use crate::runner::{Call, Runner, TrialError};

/// Pairs that are run.
const PAIRS: usize = 10;
/// Pairs on one side that decide.
const DECISIVE: usize = 9;
/// A difference smaller than this is not worth a change, in thousandths of the base's time.
const LEAST_MILLI: u64 = 1_030;
/// What the program is called inside.
const NAME: &str = "kaizen_speed";
/// Fixed; the package's name comes in as an argument and is never part of the script.
const BUILD: &str = "cargo build --release --offline --package \"$1\" --example kaizen_speed 1>&2 && exec cat \"$CARGO_TARGET_DIR/release/examples/kaizen_speed\"";

impl Runner {
    /// Compares the tree with `after` applied to the one with `before` applied, both seen from the warm base.
    ///
    /// # Errors
    /// When the sandbox cannot run it. A program that does not build or run gives no data, which is a result.
    pub fn compare_speed(
        &self,
        base: &WarmBase,
        program: &str,
        before: &[TreeChange],
        after: &[TreeChange],
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<Speed, TrialError> {
        let metadata = self.metadata(base, after.to_vec(), cancel)?;
        let touched = |manifest: &str| {
            let folder = manifest.trim_end_matches("Cargo.toml");
            after.iter().any(|change| changed_path(change).as_str().starts_with(folder))
        };
        let with_library =
            || metadata.packages.iter().filter(|package| package.kinds.iter().any(|kind| kind.contains("lib")));
        let chosen =
            with_library().filter(|package| touched(&package.manifest)).max_by_key(|package| package.manifest.len());
        let Some(package) = chosen.or_else(|| with_library().next()) else {
            return Ok(no_data("no package with a library is there to be measured"));
        };
        let folder = package.manifest.trim_end_matches("Cargo.toml").trim_end_matches('/');
        let Ok(path) = RelPath::below(folder, &format!("examples/{NAME}.rs")) else {
            return Ok(no_data("the package lies where no example can be"));
        };
        let source = TreeChange::Write { path, bytes: program.as_bytes().to_vec(), executable: false };
        let mut built = Vec::new();
        for changes in [before, after] {
            let changes = changes.iter().chain([&source]).cloned().collect();
            match self.build_program(base, &package.name, changes, cancel, on)? {
                Ok(bytes) => built.push(bytes),
                Err(why) => return Ok(no_data(&why)),
            }
        }
        let [old, new] = built.as_slice() else { return Ok(no_data("nothing was built")) };
        self.run_pairs(base, old, new, cancel, on)
    }

    fn build_program(
        &self,
        base: &WarmBase,
        package: &str,
        changes: Vec<TreeChange>,
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<Result<Vec<u8>, String>, TrialError> {
        on(Progress::Compiling { krate: "the benchmark".to_owned(), begun: 1 });
        let args = ["-c", BUILD, "build", package].map(Into::into).into();
        let wall = self.settings.build_wall;
        let call = Call {
            program: "/bin/sh".into(),
            args,
            changes,
            warm: false,
            merge_output: false,
            wall,
            ..Call::default()
        };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        if done.exit == Exit::Code(0) && !done.stdout.is_empty() {
            return Ok(Ok(done.stdout));
        }
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        let line = text.lines().find(|line| line.starts_with("error")).unwrap_or("it does not build");
        Ok(Err(format!("the benchmark does not build: {line}")))
    }

    fn run_pairs(
        &self,
        base: &WarmBase,
        old: &[u8],
        new: &[u8],
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<Speed, TrialError> {
        let mut pairs: Vec<(Duration, Duration)> = Vec::new();
        // The first pair warms up and is not counted.
        for index in 0..=PAIRS {
            on(Progress::Measuring { done: index.saturating_sub(1), of: PAIRS });
            // A B, then B A: what drifts hits both alike.
            let order = if index % 2 == 0 { [old, new] } else { [new, old] };
            let mut times = Vec::new();
            for program in order {
                match self.run_program(base, program, cancel)? {
                    Ok(run) => times.push(run),
                    Err(why) => return Ok(no_data(&why)),
                }
            }
            if index % 2 == 1 {
                times.reverse();
            }
            let [(old_time, old_output), (new_time, new_output)] = times.as_slice() else { continue };
            if old_output != new_output {
                return Ok(no_data("the benchmark prints something else on the candidate than on the base"));
            }
            if index > 0 {
                pairs.push((*old_time, *new_time));
            }
        }
        Ok(judge(&pairs))
    }

    fn run_program(
        &self,
        base: &WarmBase,
        program: &[u8],
        cancel: &Cancel,
    ) -> Result<Result<(Duration, Vec<u8>), String>, TrialError> {
        let Ok(path) = RelPath::below(&base.folder, NAME) else { return Ok(Err("it cannot be placed".to_owned())) };
        let inside = base.inside(path.as_str());
        let changes = vec![TreeChange::Write { path, bytes: program.to_vec(), executable: true }];
        let wall = self.settings.limits.wall;
        let call = Call {
            program: inside.into(),
            args: Vec::new(),
            changes,
            warm: false,
            merge_output: false,
            wall,
            ..Call::default()
        };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        Ok(match done.exit {
            Exit::Code(0) => Ok((done.cpu, done.stdout)),
            other => Err(format!("the benchmark ended by {other}")),
        })
    }
}

fn changed_path(change: &TreeChange) -> &RelPath {
    match change {
        TreeChange::Write { path, .. } | TreeChange::Remove { path } => path,
    }
}

fn no_data(why: &str) -> Speed {
    Speed { verdict: SpeedVerdict::NoData, ratio_milli: 0, pairs: 0, detail: why.to_owned() }
}

/// The sign test over pairs of base and candidate times.
fn judge(pairs: &[(Duration, Duration)]) -> Speed {
    let faster = pairs.iter().filter(|(old, new)| new < old).count();
    let slower = pairs.iter().filter(|(old, new)| new > old).count();
    let mut ratios: Vec<u64> = pairs.iter().map(|(old, new)| milli(*old, *new)).collect();
    ratios.sort_unstable();
    let ratio_milli = ratios.get(ratios.len() / 2).copied().unwrap_or(0);
    let verdict = match () {
        () if pairs.len() < PAIRS => SpeedVerdict::NoData,
        () if faster >= DECISIVE && ratio_milli >= LEAST_MILLI => SpeedVerdict::Better,
        () if slower >= DECISIVE && ratio_milli.saturating_mul(LEAST_MILLI) <= 1_000_000 => SpeedVerdict::Worse,
        () => SpeedVerdict::Inconclusive,
    };
    let detail = format!(
        "base time over candidate time {}.{:02}x (median), faster in {faster} of {} pairs",
        ratio_milli / 1000,
        ratio_milli % 1000 / 10,
        pairs.len()
    );
    Speed { verdict, ratio_milli, pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX), detail }
}

fn milli(old: Duration, new: Duration) -> u64 {
    let ratio = old.as_nanos().saturating_mul(1000) / new.as_nanos().max(1);
    u64::try_from(ratio).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(pairs: &[(u64, u64)]) -> SpeedVerdict {
        let pairs: Vec<_> = pairs.iter().map(|(a, b)| (Duration::from_millis(*a), Duration::from_millis(*b))).collect();
        judge(&pairs).verdict
    }

    #[test]
    fn only_what_is_beyond_the_noise_and_worth_it_is_better() {
        assert_eq!(verdict(&[(100, 50); 10]), SpeedVerdict::Better);
        assert_eq!(verdict(&[(50, 100); 10]), SpeedVerdict::Worse);
        assert_eq!(verdict(&[(100, 99); 10]), SpeedVerdict::Inconclusive);
        assert_eq!(verdict(&[(100, 100); 10]), SpeedVerdict::Inconclusive);
        assert_eq!(verdict(&[(100, 50); 3]), SpeedVerdict::NoData);
        let mut mixed = vec![(100, 50); 8];
        mixed.extend([(50, 100); 2]);
        assert_eq!(verdict(&mixed), SpeedVerdict::Inconclusive);
    }
}
