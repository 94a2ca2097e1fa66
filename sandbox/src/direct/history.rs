//! Which targets had tests that failed for earlier changes: they are run first. A hint about the order and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kaizen_domain::{TestId, TestOutcome, TestResult};

use crate::base::WarmBase;

/// How often each target caught something, beside the base on disk.
pub(super) struct History(BTreeMap<String, u32>);

impl History {
    fn file(base: &WarmBase) -> PathBuf {
        base.dir().join("caught.json")
    }

    /// What is known; nothing where nothing can be read.
    pub(super) fn of(base: &WarmBase) -> Self {
        let text = std::fs::read(Self::file(base)).unwrap_or_default();
        Self(serde_json::from_slice(&text).unwrap_or_default())
    }

    /// How often a target caught something.
    pub(super) fn caught(&self, target: &str) -> u32 {
        self.0.get(target).copied().unwrap_or(0)
    }

    /// Counts what failed now. That it cannot be kept does no harm.
    pub(super) fn add(&mut self, base: &WarmBase, tests: &BTreeMap<TestId, TestResult>) {
        let failed = tests.iter().filter(|(_, test)| test.outcome == TestOutcome::Failed);
        let mut targets: Vec<&str> = failed.filter_map(|(id, _)| Some(id.0.split_once("::")?.0)).collect();
        targets.dedup();
        for target in targets {
            let count = self.0.entry(target.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        let text = serde_json::to_vec(&self.0).unwrap_or_default();
        let draft = Self::file(base).with_extension("new");
        let _ = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, Self::file(base)));
    }
}
