//! By tests alone: functions that change and that made-up inputs do not come to. Nothing but tests would show a change in them
//! that is wrong, so tests must notice the lines that change: those that are brought in, and those that are taken away, for a
//! check that nobody tested is gone without a sound.

use std::collections::BTreeSet;

use kaizen_domain::{Behaviour, ByTestsAlone, Mutants, Noticed, RelPath};
use kaizen_sandbox::TrialError;

use super::wrong_versions::{Counted, Counts, Side};
use super::{Noticing, Source};

impl Noticing<'_> {
    /// Looks at lines that change in functions that made-up inputs do not come to, unless tests tell the two sides apart.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub(crate) fn look_at_rest(&self, noticed: &mut Noticed, behaviour: &Behaviour) -> Result<(), TrialError> {
        let Some((now, before)) = self.counts.get() else { return Ok(()) };
        let rest: BTreeSet<(RelPath, String)> = left_to_tests(noticed, behaviour);
        if rest.is_empty() || behaviour.is_told() {
            return Ok(());
        }
        // Nothing more is said of what cannot be looked at: that was said before.
        let mut scratch = Noticed::default();
        let sources = self.sources(self.metadata()?, &mut scratch);
        let known = |path: &RelPath, name: &str| before.iter().any(|(of, function, _)| of == path && function == name);
        let missing = |source: &Source<'_>| -> BTreeSet<String> {
            let of = rest.iter().filter(|(path, name)| path == source.path && !known(path, name));
            of.map(|(_, name)| name.clone()).collect()
        };
        let mut before = before.clone();
        if sources.iter().any(|source| !missing(source).is_empty()) {
            before.extend(self.counted(Side::Before, &sources, &missing, &mut scratch)?.unwrap_or_default());
        }
        let (open_now, open_before) = (open(now), open(&before));
        for one in noticed.functions.iter_mut().filter(|one| rest.contains(&(one.path.clone(), one.function.clone()))) {
            let of = |all: &Counts, other: &[String]| {
                let found = all.iter().find(|(path, function, _)| *path == one.path && *function == one.function);
                found.map(|(_, _, counted)| without(counted, other)).unwrap_or_default()
            };
            one.by_tests_alone = Some(ByTestsAlone { brought: of(now, &open_before), taken: of(&before, &open_now) });
        }
        Ok(())
    }
}

/// The functions that were there before, change, and that made-up inputs do not come to.
pub(crate) fn left_to_tests(noticed: &Noticed, behaviour: &Behaviour) -> BTreeSet<(RelPath, String)> {
    let rest = noticed.functions.iter().filter(|one| !one.is_new && !behaviour.may_come_to(&one.function));
    rest.map(|one| (one.path.clone(), one.function.clone())).collect()
}

/// What no test notices on lines that change, in all functions: what is taken out of one may be brought into another.
fn open(all: &Counts) -> Vec<String> {
    all.iter().flat_map(|(_, _, counted)| &counted.open).map(|(_, what)| what.clone()).collect()
}

/// The wrong versions on lines that change without those that no test notices on the other side either.
fn without(counted: &Counted, other: &[String]) -> Mutants {
    let mut other: Vec<&String> = other.iter().collect();
    let mut left = Mutants { tried: counted.changed.caught, caught: counted.changed.caught, ..Mutants::default() };
    for (line, what) in &counted.open {
        match other.iter().position(|one| *one == what) {
            Some(at) => drop(other.swap_remove(at)),
            None => left.count(true, false, *line, what),
        }
    }
    left
}
