//! The shop: the sandbox work of one repository, as plain blocking calls. The pool's workers run them.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kaizen_domain::edit::{Change, FileMode};
use kaizen_domain::moved_tests::paired;
use kaizen_domain::trial::{Comparison, SpeedVerdict};
use kaizen_domain::{CommitId, RelPath, TrialId, TrialOutcome, TrialReport};
use kaizen_repo::Repo;
use kaizen_sandbox::isolation::Arrangement;
use kaizen_sandbox::trial::Tried;
use kaizen_sandbox::{
    Cancel, Features, Limits, Progress, Runner, RunnerSettings, Scan, ScanSettings, Touched, TreeChange, TrialError,
    Wanted, WarmBase,
};

use kaizen_settings::Settings;

use crate::error::AgentError;
use crate::looking_closer::{self, LookingCloser, WithMore};
use crate::measuring::{Measuring, together};
use crate::trial_pool::{Compared, Printed, Printing, progress};
use crate::world::World;

/// A tree to work on: a commit, seen from the warm base of its cycle.
#[derive(Debug, Clone)]
pub struct TreeOf {
    /// The commit that the warm base holds.
    pub warm: CommitId,
    /// The commit whose tree is meant.
    pub commit: CommitId,
    /// The folder of the cargo project; empty when it is the top.
    pub folder: String,
}

/// The sandbox work of one repository.
pub struct Shop {
    world: Arc<World>,
    /// Made at the first use: probing the sandbox and finding a toolchain take a moment.
    runner: Mutex<Option<Arc<Runner>>>,
    /// The last scan, which is asked for again while its findings are worked on.
    scanned: Mutex<Option<(CommitId, Arc<Scan>)>>,
    /// How many trials only screened.
    screened: AtomicU32,
    /// The features that are on.
    features: Features,
    with_more: WithMore,
}

impl Shop {
    /// The shop of a system's repository.
    #[must_use]
    pub fn new(world: Arc<World>) -> Self {
        let features = looking_closer::wanted(&world.settings.trial);
        let (runner, scanned, with_more) = (Mutex::new(None), Mutex::new(None), Mutex::new(None));
        Self { world, runner, scanned, screened: AtomicU32::new(0), features, with_more }
    }

    /// Tries a tree that nothing is compared with.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn try_base(&self, tree: &TreeOf, trial: TrialId, cancel: &Cancel) -> Result<TrialReport, AgentError> {
        let mut on = |what: Progress| progress(&self.world, None, &what);
        let (runner, warm, changes) = self.set_up(tree, cancel, &mut on)?;
        Ok(runner.try_base(&warm, trial, &tree.commit, &changes, cancel, &mut on)?)
    }

    /// Tries a tree against the report of its base.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn try_tree(&self, tree: &TreeOf, compared: &Compared, cancel: &Cancel) -> Result<TrialReport, AgentError> {
        let mut on = |what: Progress| progress(&self.world, Some(compared.opportunity), &what);
        let (runner, warm, changes) = self.set_up(tree, cancel, &mut on)?;
        let (against, confirm) = (&compared.against, compared.confirm);
        let tried =
            Tried { base: &warm, id: compared.trial, commit: &tree.commit, changes: &changes, against, confirm };
        // The second one of those that only screen shows that a search has begun.
        if !confirm && self.screened.fetch_add(1, Ordering::Relaxed) > 0 {
            runner.get_ready_to_screen(&warm, against, cancel)?;
        }
        let mut report = runner.try_tree(&tried, cancel, &mut on)?;
        if against.tests.keys().any(|id| !report.tests.contains_key(id)) && report.outcome == TrialOutcome::Ran {
            let changes = self.known(tree, compared)?.changes;
            report.moved = paired(&kaizen_patch::moved_tests(&changes)?, against, &report);
        }
        let closer = (compared.notice || compared.guard) && may_land(against, &report);
        let asked = compared.benchmark.is_some() || closer;
        if !asked || report.outcome != TrialOutcome::Ran {
            return Ok(report);
        }
        let known = self.known(tree, compared)?;
        let read = |path: &str| known.read(path);
        if let Some(benchmark) = &compared.benchmark {
            let measuring = self.measuring(&runner, &warm, (&known, &changes), &read, cancel);
            report.speed = Some(measuring.program(benchmark, &mut on)?);
        }
        if compared.notice && may_land(against, &report) {
            let beside = format!("{}-more", self.world.key);
            let prepare = |features: &Features| {
                self.prepared(&runner, &known.repo, tree, (&beside, features), cancel, &mut |_| {})
            };
            let closer = LookingCloser {
                settings: &self.world.settings.gate,
                features: &self.features,
                runner: &runner,
                warm: &warm,
                after: &changes,
                compared,
                known: &known,
                cancel,
                prepare: &prepare,
                with_more: &self.with_more,
            };
            closer.look(&mut report, &mut on)?;
        }
        let same_code = report.is_same_code();
        if compared.guard && !same_code && may_land(against, &report) {
            let measuring = self.measuring(&runner, &warm, (&known, &changes), &read, cancel);
            let own = measuring.own(&mut on)?;
            let measured = measuring.compare(&own, &mut on)?;
            report.speed = together(report.speed.take(), measured.map(|measured| measured.speed));
        }
        Ok(report)
    }

    /// Collects diagnostics; those of a commit that was scanned before are not collected again.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn scan(&self, tree: &TreeOf, cancel: &Cancel) -> Result<Arc<Scan>, AgentError> {
        if let Some((commit, scan)) = &*self.scanned.lock().unwrap_or_else(PoisonError::into_inner)
            && *commit == tree.commit
        {
            return Ok(scan.clone());
        }
        let mut on = |what: Progress| progress(&self.world, None, &what);
        let (runner, warm, changes) = self.set_up(tree, cancel, &mut on)?;
        let metadata = runner.metadata(&warm, changes.clone(), cancel)?;
        let asked = ScanSettings {
            warn: self.world.settings.signals.warn.clone(),
            allow: self.world.settings.signals.allow.clone(),
        };
        let scan = Arc::new(runner.scan(&warm, changes, &metadata, &asked, cancel, &mut on)?);
        *self.scanned.lock().unwrap_or_else(PoisonError::into_inner) = Some((tree.commit.clone(), scan.clone()));
        Ok(scan)
    }

    /// The lock file as cargo leaves it with these changes made to a tree.
    ///
    /// # Errors
    /// When cargo cannot resolve the manifests offline.
    pub fn settle_lock(&self, tree: &TreeOf, more: &[Change], cancel: &Cancel) -> Result<Vec<u8>, AgentError> {
        let (runner, warm, mut changes) = self.set_up(tree, cancel, &mut |_| {})?;
        changes.extend(more.iter().filter_map(tree_change));
        Ok(runner.settled_lock(&warm, changes, cancel)?)
    }

    /// The sources of changes to a tree, formatted where they were so before. What cannot be formatted stays as it is: no
    /// change fails of that.
    ///
    /// # Errors
    /// When the sandbox cannot be set up.
    pub fn format(&self, tree: &TreeOf, mut changes: Vec<Change>, cancel: &Cancel) -> Result<Vec<Change>, AgentError> {
        let touched = |change: &Change| {
            let (before, after) = change.texts()?;
            change.after.as_ref()?;
            let before = change.before.as_ref().map(|_| before.to_owned());
            Some(Touched { path: change.path.clone(), before, after: after.to_owned() })
        };
        let (places, sources): (Vec<usize>, Vec<Touched>) = changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.path.is_rust())
            .filter_map(|(place, change)| Some((place, touched(change)?)))
            .unzip();
        if sources.is_empty() {
            return Ok(changes);
        }
        let (runner, warm, base) = self.set_up(tree, cancel, &mut |_| {})?;
        let formatted = runner
            .metadata(&warm, base.clone(), cancel)
            .and_then(|metadata| runner.formatted(&warm, &base, &metadata, &sources, cancel));
        let formatted = match formatted {
            Ok(formatted) => formatted,
            Err(error @ TrialError::Cancelled) => return Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "a change is left as it was written: it cannot be formatted");
                return Ok(changes);
            }
        };
        for (place, text) in places.into_iter().zip(formatted) {
            // What only changes the form of a formatted file would be gone with that.
            if let Some(change) = changes.get_mut(place)
                && change.before.as_ref().is_none_or(|before| before.bytes != text.as_bytes())
                && let Some(after) = change.after.as_mut()
            {
                after.bytes = text.into_bytes();
            }
        }
        Ok(changes)
    }

    /// Lets a command print in a tree.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn print(&self, tree: &TreeOf, asked: &Printing, cancel: &Cancel) -> Result<Printed, AgentError> {
        let (runner, warm, changes) = self.set_up(tree, cancel, &mut |_| {})?;
        Ok(runner.print_repeatedly(&warm, &asked.command, &changes, asked.times, cancel)?)
    }

    /// What is known of a change without running anything.
    fn known(&self, tree: &TreeOf, compared: &Compared) -> Result<Known, AgentError> {
        let (repo, base) = (self.world.repo()?, compared.base.clone());
        let before = self.changes_from(&repo, &tree.warm, &base)?;
        let changes = repo.changes(&base, &tree.commit)?;
        let files = repo.files(&base)?.files.iter().map(|(path, ..)| path.to_string()).collect();
        Ok(Known { repo, base, before, changes, files })
    }

    fn measuring<'a>(
        &'a self,
        runner: &'a Runner,
        warm: &'a WarmBase,
        (known, after): (&'a Known, &'a [TreeChange]),
        read: &'a dyn Fn(&str) -> Option<String>,
        cancel: &'a Cancel,
    ) -> Measuring<'a> {
        Measuring {
            runner,
            warm,
            settings: &self.world.settings.gate,
            trees: (&known.before, after),
            changes: &known.changes,
            files: &known.files,
            read,
            cancel,
        }
    }

    fn set_up(
        &self,
        tree: &TreeOf,
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<(Arc<Runner>, WarmBase, Vec<TreeChange>), AgentError> {
        let repo = self.world.repo()?;
        let runner = self.runner(&repo, &tree.warm, &tree.folder)?;
        let warm = self.prepared(&runner, &repo, tree, (&self.world.key, &self.features), cancel, on)?;
        let changes = self.changes_from(&repo, &tree.warm, &tree.commit)?;
        Ok((runner, warm, changes))
    }

    /// The warm base of a tree, under a name and with features on.
    fn prepared(
        &self,
        runner: &Runner,
        repo: &Repo,
        tree: &TreeOf,
        (key, features): (&str, &Features),
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<WarmBase, AgentError> {
        let export = |into: &Path| repo.export(&tree.warm, into).map(drop).map_err(|error| error.to_string());
        let wanted = Wanted { key, commit: &tree.warm, folder: &tree.folder, features };
        Ok(runner.prepare(wanted, &export, cancel, on)?)
    }

    fn changes_from(&self, repo: &Repo, warm: &CommitId, commit: &CommitId) -> Result<Vec<TreeChange>, AgentError> {
        if warm == commit {
            return Ok(Vec::new());
        }
        Ok(repo.changes(warm, commit)?.iter().filter_map(tree_change).collect())
    }

    fn runner(&self, repo: &Repo, commit: &CommitId, folder: &str) -> Result<Arc<Runner>, AgentError> {
        let mut slot = self.runner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runner) = &*slot {
            return Ok(runner.clone());
        }
        let runner = Arc::new(Runner::new(self.runner_settings(), asked_toolchain(repo, commit, folder).as_deref())?);
        *slot = Some(runner.clone());
        Ok(runner)
    }

    fn runner_settings(&self) -> RunnerSettings {
        const MIB: u64 = 1 << 20;
        let trial = &self.world.settings.trial;
        let limits = Limits {
            wall: Duration::from_secs(trial.wall_secs),
            cpu: Duration::from_secs(trial.cpu_secs),
            memory: trial.memory_mib.saturating_mul(MIB),
            processes: trial.processes,
            disk: trial.disk_mib.saturating_mul(MIB),
            output: trial.output_mib.saturating_mul(MIB),
            ..Limits::default()
        };
        RunnerSettings {
            limits,
            build_wall: Duration::from_secs(trial.build_wall_secs),
            waived: self.world.settings.sandbox.waived.clone(),
            arrangement: arrangement(&self.world.settings),
            state_dir: self.world.state_dir.clone(),
            base_runs: self.world.settings.base.runs,
        }
    }
}

/// A change, and the tree before it.
pub(crate) struct Known {
    repo: Repo,
    base: CommitId,
    /// What leads from the warm base to that tree.
    pub before: Vec<TreeChange>,
    pub changes: Vec<Change>,
    /// The paths of all files before the change.
    pub files: Vec<String>,
}

impl Known {
    /// The text of a file before the change.
    pub fn read(&self, path: &str) -> Option<String> {
        let state = self.repo.read(&self.base, &RelPath::new(path).ok()?).ok()??;
        String::from_utf8(state.bytes).ok()
    }
}

/// Whether the tests of a trial leave it open that the patch lands.
pub(crate) fn may_land(against: &TrialReport, report: &TrialReport) -> bool {
    let comparison = Comparison::of(against, report);
    report.outcome == TrialOutcome::Ran
        && comparison.broken.is_empty()
        && comparison.held + comparison.repaired.len() > 0
        && report.speed.as_ref().is_none_or(|speed| speed.verdict != SpeedVerdict::Worse)
}

/// How a person wants the sandbox to be built; none when it is all the same.
#[must_use]
pub fn arrangement(settings: &Settings) -> Option<Arrangement> {
    match settings.sandbox.arrangement {
        kaizen_settings::Arrangement::Auto => None,
        kaizen_settings::Arrangement::Namespaces => Some(Arrangement::Namespaces),
        kaizen_settings::Arrangement::Restricted => Some(Arrangement::Restricted),
    }
}

/// What the repository says about the toolchain it wants, as text.
fn asked_toolchain(repo: &Repo, commit: &CommitId, folder: &str) -> Option<String> {
    ["rust-toolchain.toml", "rust-toolchain"].iter().find_map(|name| {
        let path = RelPath::below(folder, name).ok()?;
        let state = repo.read(commit, &path).ok()??;
        String::from_utf8(state.bytes).ok()
    })
}

/// A change as the sandbox makes it. Links and submodules have no place in a trial's changes: the review refuses them.
pub(crate) fn tree_change(change: &Change) -> Option<TreeChange> {
    match &change.after {
        None => Some(TreeChange::Remove { path: change.path.clone() }),
        Some(state) if state.mode.is_file() => Some(TreeChange::Write {
            path: change.path.clone(),
            bytes: state.bytes.clone(),
            executable: state.mode == FileMode::Executable,
        }),
        Some(_) => None,
    }
}
