//! Rule `advisory`: no version of a package comes in that something is known against, unless it was there before.
//!
//! A vulnerability that comes in is refused; what is only worth knowing (unmaintained, unsound, a notice) asks a person.
//! What a patch takes away, or leaves as bad as it was, needs nobody.

mod advisory;

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::RelPath;

use super::{Findings, ReviewInput, lockfile};
use crate::shown::shown;

pub use advisory::{Advisory, AdvisoryFault};

/// The rule's name.
pub const RULE: &str = "advisory";

/// What is known against packages of the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advisories {
    /// By package, then by id, so that findings have one order.
    by_package: BTreeMap<String, BTreeMap<String, Advisory>>,
}

impl Advisories {
    /// Takes an advisory in, in place of one with its id on the same package.
    pub fn add(&mut self, advisory: Advisory) {
        self.by_package.entry(advisory.package.clone()).or_default().insert(advisory.id.clone(), advisory);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_package.values().map(BTreeMap::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_package.is_empty()
    }

    /// Those that hold for a version of a package.
    pub fn about(&self, package: &str, version: &str) -> impl Iterator<Item = &Advisory> {
        self.by_package.get(package).into_iter().flat_map(BTreeMap::values).filter(move |known| known.affects(version))
    }
}

impl FromIterator<Advisory> for Advisories {
    fn from_iter<T: IntoIterator<Item = Advisory>>(advisories: T) -> Self {
        let mut all = Self::default();
        advisories.into_iter().for_each(|advisory| all.add(advisory));
        all
    }
}

/// The versions of each package that a lock file takes from the registry.
type Locked = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    let known = input.policy.advisories.as_ref();
    if known.is_empty() {
        return;
    }
    for change in input.changes.iter().filter(|change| lockfile::is_lock_file(&change.path) && change.after.is_some()) {
        let Some((before, after)) = super::texts(change) else { continue };
        // What is no lock file is refused by the rule about lock files.
        let Some(new) = locked(after) else { continue };
        compare(known, &change.path, &locked(before).unwrap_or_default(), &new, findings);
    }
}

fn locked(text: &str) -> Option<Locked> {
    let mut all = Locked::new();
    for package in lockfile::packages(text).ok()? {
        if package.source.as_deref().is_some_and(lockfile::is_registry) {
            all.entry(package.name).or_default().insert(package.version);
        }
    }
    Some(all)
}

fn compare(known: &Advisories, path: &RelPath, old: &Locked, new: &Locked, findings: &mut Findings) {
    for (name, versions) in new {
        let before = old.get(name);
        let come_in = versions.iter().filter(|version| before.is_none_or(|before| !before.contains(*version)));
        for version in come_in {
            for advisory in known.about(name, version) {
                let affected =
                    |versions: &BTreeSet<String>| versions.iter().filter(|other| advisory.affects(other)).count();
                let more = affected(versions) > before.map_or(0, affected);
                report(advisory, path, version, more, findings);
            }
        }
    }
}

/// Says what is known; `more` when the advisory holds for more versions than before, and not for another in place of one.
fn report(advisory: &Advisory, path: &RelPath, version: &str, more: bool, findings: &mut Findings) {
    let label = format!("`{} {}`", shown(&advisory.package, 60), shown(version, 40));
    let known = known_of(advisory);
    match (&advisory.informational, more) {
        (None, true) => findings.refuse(RULE, path, format!("brings in {label}, which is vulnerable: {known}")),
        (Some(_), true) => {
            let detail = format!("brings in {label}, which has an advisory: {known}; a person must agree");
            findings.ask(RULE, path, detail);
        }
        (_, false) => findings.note(RULE, path, format!("{label} still has an advisory: {known}")),
    }
}

/// The id, what kind it is, what it is about, where it holds, and which versions are right.
fn known_of(advisory: &Advisory) -> String {
    let kind = advisory.informational.as_ref().map(|kind| format!(" ({kind})")).unwrap_or_default();
    let title = Some(&advisory.title).filter(|title| !title.is_empty()).map(|title| format!(", {title}"));
    // The repository may be built anywhere, so what holds somewhere counts.
    let only_on = match advisory.only_on.join(", ") {
        all if all.is_empty() => String::new(),
        some => format!(" (on {})", shown(&some, 40)),
    };
    let patched: Vec<String> = advisory.patched.iter().map(ToString::to_string).collect();
    let patched = match patched.join(" or ") {
        none if none.is_empty() => "no version is patched".to_owned(),
        some => format!("patched in {}", shown(&some, 80)),
    };
    format!("{}{kind}{}{only_on}; {patched}", advisory.id, title.unwrap_or_default())
}
