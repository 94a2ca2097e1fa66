//! Our side of the measurements of trials: a crate on a warm base, and changes tried on it by the runner.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_domain::{CommitId, Comparison, RelPath, TrialId, TrialOutcome, TrialReport};
use kaizen_patch::{MemorySource, apply_diff};
use kaizen_sandbox::trial::Tried;
use kaizen_sandbox::{Cancel, Limits, Runner, RunnerSettings, Switched, SwitchedOutcome, TreeChange, Wanted, WarmBase};

use super::super::scratch;
use super::{LIMIT, Mutant, Verdict};

/// A crate whose base was built and tried.
pub struct Ours {
    runner: Runner,
    commit: CommitId,
    base: WarmBase,
    report: TrialReport,
}

/// A change that was tried.
pub struct Found {
    pub report: TrialReport,
    /// On the clock.
    pub wall: Duration,
    /// The part of it in which cargo, the compiler or tests were at work.
    pub working: Duration,
}

/// Limits as for every other trial, but for what a mutant takes that never ends.
pub fn usual_limits() -> Limits {
    Limits { wall: LIMIT, ..Limits::default() }
}

impl Ours {
    /// Builds the files in `tree` as a warm base in `state`, and tries it.
    ///
    /// # Errors
    /// When the sandbox cannot run it, or the crate does not pass its own tests.
    pub fn prepare(state: &Path, name: &str, tree: &Path, limits: Limits) -> Result<Self> {
        let settings = RunnerSettings {
            limits,
            build_wall: Duration::from_secs(1800),
            waived: Vec::new(),
            arrangement: None,
            state_dir: state.to_path_buf(),
            base_runs: 2,
        };
        let runner = Runner::new(settings, None)?;
        let (commit, cancel) = (CommitId::new("a".repeat(40))?, Cancel::new()?);
        let export = |to: &Path| copy_inside(tree, to).map_err(|error| error.to_string());
        let base = runner.prepare(Wanted::plain(name, &commit), &export, &cancel, &mut |_| {})?;
        let report = runner.try_base(&base, id(0), &commit, &[], &cancel, &mut |_| {})?;
        ensure!(report.outcome == TrialOutcome::Ran, "the crate does not pass its tests: {:?}", report.outcome);
        runner.get_ready_to_screen(&base, &report, &cancel)?;
        Ok(Self { runner, commit, base, report })
    }

    /// Tries a change.
    ///
    /// # Errors
    /// When the sandbox cannot run it, or it is cancelled.
    pub fn try_changes(&self, changes: &[TreeChange], cancel: &Cancel) -> Result<Found> {
        let Self { commit, base, report: against, .. } = self;
        let tried = Tried { base, id: id(1), commit, changes, against, confirm: false };
        let began = Instant::now();
        let (report, working) = self.runner.try_tree_timed(&tried, cancel, &mut |_| {})?;
        Ok(Found { report, wall: began.elapsed(), working })
    }

    /// Runs its tests with wrong versions behind a switch.
    ///
    /// # Errors
    /// When the sandbox cannot run it, or it is cancelled.
    pub fn try_switched(&self, switched: &Switched<'_>, cancel: &Cancel) -> Result<SwitchedOutcome> {
        Ok(self.runner.try_switched(&self.base, switched, cancel)?)
    }

    /// What became of a mutant.
    #[must_use]
    pub fn verdict(&self, found: &TrialReport) -> Verdict {
        match &found.outcome {
            TrialOutcome::BuildFailed { .. } => Verdict::DoesNotBuild,
            TrialOutcome::LimitHit { .. } => Verdict::NeverEnds,
            TrialOutcome::Unclear { .. } => Verdict::Caught,
            TrialOutcome::Ran if found.stopped_early => Verdict::Caught,
            TrialOutcome::Ran => {
                let compared = Comparison::of(&self.report, found);
                let same = compared.broken.is_empty() && compared.missing.is_empty();
                if same { Verdict::Survives } else { Verdict::Caught }
            }
        }
    }
}

fn id(number: u8) -> TrialId {
    TrialId::new(u64::from(number), [number; 10])
}

/// What a mutant changes in the files below `tree`.
///
/// # Errors
/// When its diff does not fit.
pub fn changes(tree: &Path, mutant: &Mutant) -> Result<Vec<TreeChange>> {
    let path = RelPath::new(mutant.file.clone())?;
    let source = MemorySource::new().with(path, std::fs::read(tree.join(&mutant.file))?);
    let changed = apply_diff(&mutant.diff, &source).with_context(|| mutant.diff.clone())?;
    let written = changed.into_iter().filter_map(|change| Some((change.path, change.after?.bytes)));
    Ok(written.map(|(path, bytes)| TreeChange::Write { path, bytes, executable: false }).collect())
}

/// Copies what is in a folder, but for what cargo built and git keeps.
fn copy_inside(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() != "target" && entry.file_name() != ".git" {
            scratch::copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
