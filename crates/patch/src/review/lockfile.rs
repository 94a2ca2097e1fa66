//! Rule `lock-file`: packages come into `Cargo.lock`, or change, only as far as a manifest asks for it.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::RelPath;
use toml::{Table, Value};

use super::manifest::{NEW, REMOVED, SOURCE};
use super::{Findings, ReviewInput, manifest};
use crate::shown::shown;

pub(super) const RULE: &str = "lock-file";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: Option<String>,
    checksum: Option<String>,
}

/// Whether a path is that of a lock file of Cargo, by its name.
#[must_use]
pub fn is_lock_file(path: &RelPath) -> bool {
    path.file_name().eq_ignore_ascii_case("cargo.lock")
}

pub(super) fn check(input: &ReviewInput<'_>, manifests: &manifest::Outcome, findings: &mut Findings) {
    for change in input.changes.iter().filter(|change| is_lock_file(&change.path)) {
        let path = &change.path;
        let Some((before, after)) = super::texts(change) else { continue };
        if change.after.is_none() {
            findings.ask(RULE, path, "removes the lock file, so that any version may be built");
            continue;
        }
        match packages(after) {
            Ok(new) => compare(input, manifests, path, &packages(before).unwrap_or_default(), &new, findings),
            Err(why) => findings.refuse(super::parse::RULE, path, format!("is not a lock file: {why}")),
        }
    }
}

pub(super) fn packages(text: &str) -> Result<BTreeSet<Package>, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let list = table.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let field = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    list.iter()
        .map(|entry| {
            let (Some(name), Some(version)) = (field(entry, "name"), field(entry, "version")) else {
                return Err("a package has no name or no version".to_owned());
            };
            Ok(Package { name, version, source: field(entry, "source"), checksum: field(entry, "checksum") })
        })
        .collect()
}

fn compare(
    input: &ReviewInput<'_>,
    manifests: &manifest::Outcome,
    path: &RelPath,
    old: &BTreeSet<Package>,
    new: &BTreeSet<Package>,
    findings: &mut Findings,
) {
    let gone: Vec<&Package> = old.difference(new).collect();
    let by_version: BTreeMap<(&str, &str), &Package> =
        old.iter().map(|package| ((package.name.as_str(), package.version.as_str()), package)).collect();
    let by_name: BTreeSet<&str> = gone.iter().map(|package| package.name.as_str()).collect();
    let mut followed = BTreeSet::new();
    for package in new.difference(old) {
        let label = format!("`{} {}`", shown(&package.name, 60), shown(&package.version, 40));
        followed.insert(package.name.as_str());
        if package.source.as_deref().is_some_and(|source| !is_registry(source)) {
            findings.refuse(SOURCE, path, format!("takes {label} from elsewhere than the registry"));
            continue;
        }
        if let Some(before) = by_version.get(&(package.name.as_str(), package.version.as_str())) {
            if before.source == package.source {
                findings.refuse(
                    RULE,
                    path,
                    format!("changes the checksum of {label}, which names other code by the same version"),
                );
            } else if manifests.dependencies_changed {
                findings.ask(RULE, path, format!("changes where {label} comes from"));
            } else {
                findings.refuse(RULE, path, format!("changes where {label} comes from, but no manifest does"));
            }
        } else if by_name.contains(package.name.as_str()) {
            bumped(input, path, &label, findings);
        } else if manifests.dependencies_changed {
            added(input, path, &label, package.source.is_some(), findings);
        } else {
            findings.refuse(RULE, path, format!("adds {label}, but no manifest asks for it"));
        }
    }
    for package in gone.iter().filter(|package| !followed.contains(package.name.as_str())) {
        findings.note(
            REMOVED,
            path,
            format!("takes `{} {}` out", shown(&package.name, 60), shown(&package.version, 40)),
        );
    }
}

fn added(input: &ReviewInput<'_>, path: &RelPath, label: &str, foreign: bool, findings: &mut Findings) {
    if input.policy.allow_new_dependencies && foreign {
        findings.note(NEW, path, format!("adds {label}"));
    } else {
        findings.ask(NEW, path, format!("adds {label}; a person must agree"));
    }
}

fn bumped(input: &ReviewInput<'_>, path: &RelPath, label: &str, findings: &mut Findings) {
    if input.policy.allow_lock_updates {
        findings.note(RULE, path, format!("changes the version to {label}"));
    } else {
        findings.ask(RULE, path, format!("changes the version to {label}; a person must agree"));
    }
}

pub(super) fn is_registry(source: &str) -> bool {
    matches!(source, "registry+https://github.com/rust-lang/crates.io-index" | "sparse+https://index.crates.io/")
}
