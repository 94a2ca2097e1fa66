//! Looking closer at a change that may land: whether anything would notice if it were wrong, and whether functions do the same as
//! before. What is behind features that are off is tried and looked at with those on.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use kaizen_domain::edit::Change;
use kaizen_domain::trial::WithFeatures;
use kaizen_domain::{CommitId, TrialOutcome, TrialReport};
use kaizen_sandbox::trial::Tried;
use kaizen_sandbox::{Cancel, Features, Metadata, Progress, Runner, TreeChange, WarmBase};
use kaizen_settings::GateSettings;

use crate::behaving::Behaving;
use crate::behind_features::{BehindFeatures, Sources, may_have_features};
use crate::error::AgentError;
use crate::noticing::{Noticing, is_code};
use crate::shop::{Known, may_land};
use crate::trial_pool::Compared;

/// A tree, the features that were on, and what came of it.
type LastWithMore = (CommitId, Features, TrialReport);

/// The last report of a base with more features on. There is one such base at a time, for whoever holds this.
pub(crate) type WithMore = Mutex<Option<LastWithMore>>;

/// A change that may land.
pub(crate) struct LookingCloser<'a> {
    pub settings: &'a GateSettings,
    /// The features that are on.
    pub features: &'a Features,
    pub runner: &'a Runner,
    pub warm: &'a WarmBase,
    /// What leads from the warm base to the tree after the change.
    pub after: &'a [TreeChange],
    pub compared: &'a Compared,
    pub known: &'a Known,
    pub cancel: &'a Cancel,
    /// Makes the warm base with more features on.
    pub prepare: &'a dyn Fn(&Features) -> Result<WarmBase, AgentError>,
    pub with_more: &'a WithMore,
}

impl LookingCloser<'_> {
    /// Looks, and puts what was found into the report.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub(crate) fn look(&self, report: &mut TrialReport, on: &mut dyn FnMut(Progress)) -> Result<(), AgentError> {
        on(Progress::Noticing);
        let changes = &self.known.changes;
        let (metadata, behind) = self.behind()?;
        let Some(behind) = behind else {
            return self.look_at(self.warm, changes, &self.compared.against, report, metadata);
        };
        let mut last = self.with_more.lock().unwrap_or_else(PoisonError::into_inner);
        let warm = (self.prepare)(&self.features.with(&behind.names))?;
        let mut more = match self.with_features(&behind, &warm, &mut last, &report.commit, on)? {
            Ok(more) => more,
            Err(why) => {
                self.look_at(self.warm, changes, &self.compared.against, report, metadata)?;
                if let Some(noticed) = report.noticed.as_mut() {
                    noticed.no_data.push(why);
                }
                return Ok(());
            }
        };
        on(Progress::Noticing);
        if behind.without.iter().any(is_code) {
            self.look_at(self.warm, &behind.without, &self.compared.against, report, metadata.clone())?;
        }
        if may_land(&more.base, &more.candidate) {
            self.look_at(&warm, &behind.with, &more.base, &mut more.candidate, metadata)?;
            if let Some(noticed) = more.candidate.noticed.as_mut().filter(|_| behind.left) {
                noticed.unseen.push("what is there without some features only".to_owned());
                noticed.same_code = false;
            }
        }
        report.with_features = Some(Box::new(more));
        Ok(())
    }

    /// What of the change is behind features that are off, and what cargo says of the tree when that had to be asked.
    fn behind(&self) -> Result<(OnceCell<Metadata>, Option<BehindFeatures>), AgentError> {
        let (known, metadata) = (self.known, OnceCell::new());
        let read = |path: &str| known.read(path);
        if !known.changes.iter().any(|change| change.path.is_rust()) || !may_have_features(&known.files, &read) {
            return Ok((metadata, None));
        }
        let asked = self.runner.metadata(self.warm, self.after.to_vec(), self.cancel)?;
        let behind = Sources { changes: &known.changes, metadata: &asked, read: &read }.behind(self.features);
        Ok((OnceCell::from(asked), behind))
    }

    /// The trials of the tree before the change and the one after it with more features on, or why nothing can be said.
    fn with_features(
        &self,
        behind: &BehindFeatures,
        warm: &WarmBase,
        last: &mut Option<LastWithMore>,
        commit: &CommitId,
        on: &mut dyn FnMut(Progress),
    ) -> Result<Result<WithFeatures, String>, AgentError> {
        let features: Vec<String> = behind.names.iter().cloned().collect();
        let base = self.base_with(warm, &self.features.with(&behind.names), last, on)?;
        if base.outcome != TrialOutcome::Ran {
            let names = features.join("`, `");
            return Ok(Err(format!(
                "it is behind `{names}`, and with that on the base does not build and run its tests"
            )));
        }
        let (id, changes, confirm) = (self.compared.trial, self.after, self.compared.confirm);
        let tried = Tried { base: warm, id, commit, changes, against: &base, confirm };
        let candidate = self.runner.try_tree(&tried, self.cancel, on)?;
        Ok(Ok(WithFeatures { features, base, candidate }))
    }

    /// The report of the tree before the change with more features on; the last one is kept.
    fn base_with(
        &self,
        warm: &WarmBase,
        features: &Features,
        last: &mut Option<LastWithMore>,
        on: &mut dyn FnMut(Progress),
    ) -> Result<TrialReport, AgentError> {
        let commit = &self.compared.base;
        if let Some((of, with, report)) = &*last
            && of == commit
            && with == features
        {
            return Ok(report.clone());
        }
        let (runner, id, before) = (self.runner, self.compared.trial, &self.known.before);
        let mut report = runner.try_base(warm, id, &warm.commit, &[], self.cancel, on)?;
        if !before.is_empty() && report.outcome == TrialOutcome::Ran {
            report = runner.try_base(warm, id, commit, before, self.cancel, on)?;
        }
        *last = Some((commit.clone(), features.clone(), report.clone()));
        Ok(report)
    }

    /// Whether anything would notice if changes were wrong, and whether functions do the same as before them.
    fn look_at(
        &self,
        warm: &WarmBase,
        changes: &[Change],
        against: &TrialReport,
        report: &mut TrialReport,
        metadata: OnceCell<Metadata>,
    ) -> Result<(), AgentError> {
        let read = |path: &str| self.known.read(path);
        let noticing = Noticing {
            runner: self.runner,
            warm,
            settings: self.settings,
            trees: (&self.known.before, self.after),
            changes,
            report,
            cancel: self.cancel,
            files: &self.known.files,
            read: &read,
            metadata,
            wrong: OnceCell::new(),
            counts: OnceCell::new(),
        };
        let mut noticed = noticing.look()?;
        let behaviour = if noticed.same_code || self.settings.inputs == 0 {
            None
        } else {
            Behaving { of: &noticing, against, claimed: self.compared.claims_same, noticed: &noticed }.look()?
        };
        if let Some(behaviour) = &behaviour {
            noticing.look_at_rest(&mut noticed, behaviour)?;
        }
        report.noticed = Some(Box::new(noticed));
        report.behaviour = behaviour.map(Box::new);
        Ok(())
    }
}

/// The features that a person wants to be on.
pub(crate) fn wanted(settings: &kaizen_settings::TrialSettings) -> Features {
    let names: BTreeSet<String> = settings.features.iter().cloned().collect();
    match (settings.all_features, names.is_empty()) {
        (true, _) => Features::All,
        (false, true) => Features::Default,
        (false, false) => Features::These(names),
    }
}
