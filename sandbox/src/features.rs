//! Features of packages: which are on when tests are built. Cargo is told by its manifests: what is to be on is on by default in
//! the tree that is built, and so every call of cargo, of whatever kind and for whatever package, builds the same.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::RelPath;
use serde::{Deserialize, Serialize};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

use crate::base::WarmBase;
use crate::isolation::{Cancel, TreeChange};
use crate::runner::{Runner, TrialError};

/// A larger manifest is none, bytes.
const LARGEST: u64 = 1 << 20;
/// The tables of dependencies.
const SORTS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
/// What is on when nobody says anything.
const DEFAULT: &str = "default";

/// Which features are on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Features {
    /// Those that are on by default.
    #[default]
    Default,
    /// All that packages of the workspace have.
    All,
    /// Those that are on by default, and these: `serde` of each package that has it, `shop/serde` of one.
    These(BTreeSet<String>),
}

impl Features {
    /// Behind the name of the compiler in a report; empty for those that are on by default.
    pub(crate) fn said(&self) -> String {
        match self {
            Self::Default => String::new(),
            Self::All => "; all features".to_owned(),
            Self::These(names) => {
                format!("; features {}", names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// These features as well.
    #[must_use]
    pub fn with(&self, more: &BTreeSet<String>) -> Self {
        match self {
            Self::Default => Self::These(more.clone()),
            Self::All => Self::All,
            Self::These(names) => Self::These(names.union(more).cloned().collect()),
        }
    }

    /// The features of a package that are on, by its manifest and those of the packages around it: those that were asked for, those
    /// that others ask for, and what they turn on.
    #[must_use]
    pub fn on(&self, manifest: &str, others: &[&str]) -> BTreeSet<String> {
        let Some(manifest) = Manifest::read(manifest) else { return BTreeSet::new() };
        let mut open: Vec<String> = vec![DEFAULT.to_owned()];
        open.extend(self.asked(&manifest));
        open.extend(others.iter().flat_map(|other| asked_of(&manifest.package, other)));
        let mut on = BTreeSet::new();
        while let Some(name) = open.pop() {
            let Some(turns_on) = manifest.features.get(&name) else { continue };
            if on.insert(name) {
                open.extend(turns_on.iter().filter_map(|entry| feature_in(entry)).map(str::to_owned));
            }
        }
        on
    }

    /// Those of a package that were asked for.
    fn asked(&self, manifest: &Manifest) -> Vec<String> {
        let is_asked = |name: &String| match self {
            Self::Default => false,
            Self::All => name != DEFAULT,
            Self::These(names) => names.contains(name) || names.contains(&format!("{}/{name}", manifest.package)),
        };
        manifest.features.keys().filter(|name| is_asked(name)).cloned().collect()
    }

    /// A manifest in which they are on by default; none where it stays as it is.
    pub(crate) fn turned_on(&self, text: &str) -> Option<String> {
        let asked = self.asked(&Manifest::read(text)?);
        let mut document: DocumentMut = text.parse().ok()?;
        let features = document.entry("features").or_insert(Item::Table(Table::new())).as_table_like_mut()?;
        let list = features.entry(DEFAULT).or_insert(value(Array::new())).as_array_mut()?;
        let known: BTreeSet<String> = list.iter().filter_map(|name| name.as_str()).map(str::to_owned).collect();
        let more: Vec<String> = asked.into_iter().filter(|name| !known.contains(name)).collect();
        if more.is_empty() {
            return None;
        }
        list.extend(more);
        Some(document.to_string())
    }

    /// Changes with the same features on where they change a manifest.
    pub(crate) fn in_changes(&self, changes: &mut [TreeChange]) {
        if *self == Self::Default {
            return;
        }
        for change in changes {
            let TreeChange::Write { path, bytes, .. } = change else { continue };
            if path.as_str().rsplit('/').next() == Some("Cargo.toml")
                && let Some(text) = std::str::from_utf8(bytes).ok().and_then(|text| self.turned_on(text))
            {
                *bytes = text.into_bytes();
            }
        }
    }
}

/// The feature of the package itself that an entry of a feature's list turns on.
fn feature_in(entry: &str) -> Option<&str> {
    match entry.split_once('/') {
        _ if entry.starts_with("dep:") => None,
        Some((package, _)) => Some(package).filter(|package| !package.ends_with('?')),
        None => Some(entry),
    }
}

/// The dependencies in a manifest, whatever they are for, by the names that they have there.
fn dependencies(document: &DocumentMut) -> Vec<(String, &Item)> {
    let of_targets = document.get("target").map(entries).unwrap_or_default();
    let tables = [Some(document.as_item()), document.get("workspace")].into_iter().flatten();
    let tables = tables.chain(of_targets.into_iter().map(|(_, table)| table));
    tables.flat_map(|table| SORTS.iter().filter_map(|sort| table.get(sort))).flat_map(entries).collect()
}

/// What stands in a table, each with its name.
fn entries(table: &Item) -> Vec<(String, &Item)> {
    let table = table.as_table_like().into_iter().flat_map(TableLike::iter);
    table.map(|(name, item)| (name.to_owned(), item)).collect()
}

/// The features of a package that another manifest asks for.
fn asked_of(package: &str, other: &str) -> Vec<String> {
    let Ok(document) = other.parse::<DocumentMut>() else { return Vec::new() };
    let mut asked = Vec::new();
    for (name, dependency) in dependencies(&document) {
        let real = dependency.get("package").and_then(Item::as_str).unwrap_or(&name);
        if real == package {
            let names = dependency.get("features").and_then(Item::as_array).into_iter().flatten();
            asked.extend(names.filter_map(|name| name.as_str()).map(str::to_owned));
        }
    }
    asked
}

/// What a manifest says about features.
struct Manifest {
    package: String,
    /// Each feature, and what it turns on. An optional dependency that no feature asks for by `dep:` is one as well.
    features: BTreeMap<String, Vec<String>>,
}

impl Manifest {
    /// None where it is none of a package.
    fn read(text: &str) -> Option<Self> {
        let document: DocumentMut = text.parse().ok()?;
        let package = document.get("package")?.get("name")?.as_str()?.to_owned();
        let mut features = BTreeMap::new();
        for (name, list) in document.get("features").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
        {
            let list = list.as_array().into_iter().flatten().filter_map(|entry| entry.as_str());
            features.insert(name.to_owned(), list.map(str::to_owned).collect::<Vec<String>>());
        }
        let named: BTreeSet<String> =
            features.values().flatten().filter_map(|entry| entry.strip_prefix("dep:")).map(str::to_owned).collect();
        for (name, dependency) in dependencies(&document) {
            let is_optional = dependency.get("optional").and_then(Item::as_bool) == Some(true);
            if is_optional && !named.contains(&name) {
                features.entry(name).or_default();
            }
        }
        Some(Self { package, features })
    }
}

impl Runner {
    /// Turns the features on that a base is to be built with.
    ///
    /// # Errors
    /// When one of them is none of any package.
    pub(crate) fn turn_on(&self, base: &WarmBase, cancel: &Cancel) -> Result<(), TrialError> {
        let features = &base.features;
        if *features == Features::Default {
            return Ok(());
        }
        let packages = self.metadata(base, Vec::new(), cancel)?.packages;
        let (mut known, mut found) = (BTreeSet::new(), BTreeSet::new());
        for package in packages {
            // What lies elsewhere is none of this tree, whatever cargo was made to say.
            let text = RelPath::new(&package.manifest).ok().and_then(|path| base.read_plain(path.as_str(), LARGEST));
            let Some(text) = text.and_then(|bytes| String::from_utf8(bytes).ok()) else { continue };
            let Some(manifest) = Manifest::read(&text) else { continue };
            for name in manifest.features.keys() {
                known.insert(name.clone());
                found.extend([name.clone(), format!("{}/{name}", manifest.package)]);
            }
            if let Some(text) = features.turned_on(&text) {
                let path = base.tree_dir().join(&package.manifest);
                std::fs::write(&path, text).map_err(TrialError::io("writing", &path))?;
            }
        }
        let Features::These(names) = features else { return Ok(()) };
        match names.difference(&found).next() {
            Some(name) => Err(TrialError::Features {
                name: name.clone(),
                known: known.into_iter().collect::<Vec<_>>().join(", "),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"[package]
name = "shop" # ours

[features]
default = ["std"]
std = ["alloc"]
alloc = []
full = ["serde?/derive", "rand/std", "dep:time", "std"]

[dependencies]
serde = { version = "1", optional = true }
time = { version = "1", optional = true }
log = "1"

[target.'cfg(unix)'.dependencies.rand]
version = "1"
optional = true
"#;

    fn these(names: &[&str]) -> Features {
        Features::These(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn what_is_on_follows_from_the_manifest() {
        let on = |features: Features| features.on(MANIFEST, &[]).into_iter().collect::<Vec<_>>();
        assert_eq!(on(Features::Default), ["alloc", "default", "std"]);
        assert_eq!(on(these(&["serde"])), ["alloc", "default", "serde", "std"]);
        assert_eq!(on(these(&["other/serde", "shop/full"])), ["alloc", "default", "full", "rand", "std"]);
        assert_eq!(on(Features::All), ["alloc", "default", "full", "rand", "serde", "std"]);
        assert!(
            Features::All.on("[workspace]\nmembers = []", &[]).is_empty()
                && Features::All.on("no manifest", &[]).is_empty()
        );
    }

    #[test]
    fn what_others_ask_for_is_on() {
        let on = |other: &str| Features::Default.on(MANIFEST, &[other]).contains("full");
        assert!(on("[package]\nname = \"a\"\n[dependencies.shop]\nfeatures = [\"full\"]\n"));
        assert!(on("[workspace.dependencies]\nours = { package = \"shop\", features = [\"full\"] }\n"));
        assert!(on("[target.'cfg(unix)'.dev-dependencies]\nshop = { path = \"..\", features = [\"full\"] }\n"));
        assert!(!on("[dependencies]\nshop = { package = \"other\", features = [\"full\"] }\n"));
    }

    #[test]
    fn what_is_turned_on_is_on_by_default_and_nothing_else_changes() {
        let text = these(&["serde", "shop/full", "nothing"]).turned_on(MANIFEST).expect("it changes");
        assert_eq!(text, MANIFEST.replace("[\"std\"]\nstd", "[\"std\", \"full\", \"serde\"]\nstd"));
        assert_eq!(
            these(&["alloc", "serde"]).turned_on(&text).map(|text| text.contains("\"alloc\"]\nstd")),
            Some(true)
        );
        assert_eq!(these(&["std"]).turned_on(MANIFEST), None);
        assert_eq!(Features::Default.turned_on(MANIFEST), None);
        let none = "[package]\nname = \"shop\"\n\n[dependencies]\nserde = { version = \"1\", optional = true }\n";
        let text = Features::All.turned_on(none).expect("it changes");
        assert!(text.ends_with("[features]\ndefault = [\"serde\"]\n"), "{text}");
    }

    #[test]
    fn a_changed_manifest_has_the_same_features_on() {
        let write = |path: &str| TreeChange::Write {
            path: RelPath::new(path).expect("it is a path"),
            bytes: MANIFEST.as_bytes().to_vec(),
            executable: false,
        };
        let mut changes = [write("crates/shop/Cargo.toml"), write("other.toml")];
        these(&["serde"]).in_changes(&mut changes);
        let texts = changes.map(|change| match change {
            TreeChange::Write { bytes, .. } => String::from_utf8(bytes).expect("it is text"),
            TreeChange::Remove { .. } => String::new(),
        });
        assert!(texts[0].contains("\"serde\"]") && texts[1] == MANIFEST);
    }
}
