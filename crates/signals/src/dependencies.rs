//! Dependencies that no source names, and crates that the lock file holds in several versions.
//!
//! "Unused" is a suspicion here, by names in the source, and a trial without the dependency is what proves it. Where a
//! dependency can be of use without being named, it is left alone: renamed, optional or target-specific ones, `-sys`
//! crates, those that only switch features on, and proc-macro helpers of a build script.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::signal::Place;
use kaizen_domain::{RelPath, Signal, SignalId, SignalKind};
use serde::Deserialize;
use toml::{Table, Value};

/// A manifest with the Rust sources of its package.
#[derive(Debug, Clone)]
pub struct DeclaredIn<'a> {
    /// The manifest's path.
    pub manifest: RelPath,
    /// Its text.
    pub text: &'a str,
    /// The texts of the package's sources, tests, benches, examples and build script included.
    pub sources: Vec<&'a str>,
    /// Texts that name dependencies in their code blocks, such as a README that is tested.
    pub docs: Vec<&'a str>,
}

/// The dependencies of a package that nothing names. A manifest that does not parse gives none: cargo will say so.
pub fn unused(package: &DeclaredIn<'_>, mint: &mut dyn FnMut() -> SignalId) -> Vec<Signal> {
    let Ok(manifest) = package.text.parse::<Table>() else { return Vec::new() };
    let name =
        manifest.get("package").and_then(|p| p.get("name")).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut words = BTreeSet::new();
    for text in &package.sources {
        collect_words(text, &mut words);
    }
    for text in &package.docs {
        code_blocks(text).for_each(|line| collect_words(line, &mut words));
    }
    let featured = names_in_features(&manifest);
    let mut signals = Vec::new();
    for table in ["dependencies", "dev-dependencies"] {
        let Some(entries) = manifest.get(table).and_then(Value::as_table) else { continue };
        for (dependency, value) in entries {
            let krate = dependency.replace('-', "_");
            if words.contains(krate.as_str()) || featured.contains(dependency) || !removable(dependency, value) {
                continue;
            }
            signals.push(Signal {
                id: mint(),
                place: Some(Place { path: package.manifest.clone(), line: line_of(package.text, dependency) }),
                kind: SignalKind::UnusedDependency {
                    package: name.clone(),
                    dependency: dependency.clone(),
                    table: table.to_owned(),
                },
            });
        }
    }
    signals
}

fn removable(dependency: &str, value: &Value) -> bool {
    let plain = match value {
        Value::String(_) => true,
        Value::Table(table) => {
            !["optional", "package", "features", "default-features"].iter().any(|key| table.contains_key(*key))
        }
        _ => false,
    };
    plain && !dependency.ends_with("-sys") && !dependency.ends_with("_sys")
}

/// Every word of a text that could name a crate.
fn collect_words<'a>(text: &'a str, words: &mut BTreeSet<&'a str>) {
    words.extend(text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()));
}

/// The lines of a Markdown text that stand in fenced code blocks: prose names crates without using them.
fn code_blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        inside ^= fence;
        inside && !fence
    })
}

/// Dependencies that a feature switches on: `a`, `dep:a`, `a/x`, `a?/x`.
fn names_in_features(manifest: &Table) -> BTreeSet<String> {
    let features = manifest.get("features").and_then(Value::as_table).into_iter().flat_map(|table| table.values());
    features
        .flat_map(|list| list.as_array().cloned().unwrap_or_default())
        .filter_map(|entry| {
            let text = entry.as_str()?.trim_start_matches("dep:").to_owned();
            Some(text.split(['/', '?']).next().unwrap_or_default().to_owned())
        })
        .collect()
}

fn line_of(manifest: &str, dependency: &str) -> u32 {
    let at = manifest.lines().position(|line| {
        let line = line.trim_start();
        line.strip_prefix(dependency).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
    });
    at.and_then(|index| u32::try_from(index + 1).ok()).unwrap_or(0)
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
}

/// The crates that a lock file holds in several versions. A lock file that does not parse gives none.
pub fn duplicates(path: &RelPath, lock: &str, mint: &mut dyn FnMut() -> SignalId) -> Vec<Signal> {
    let Ok(lock) = toml::from_str::<Lock>(lock) else { return Vec::new() };
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for locked in lock.package {
        versions.entry(locked.name).or_default().push(locked.version);
    }
    versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| Signal {
            id: mint(),
            place: Some(Place { path: path.clone(), line: 0 }),
            kind: SignalKind::DuplicateDependency { name, versions },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str, source: &str) -> Vec<String> {
        let package = DeclaredIn {
            manifest: RelPath::new("Cargo.toml").unwrap(),
            text: manifest,
            sources: vec![source],
            docs: Vec::new(),
        };
        let mut mint = || SignalId::new(1, [0; 10]);
        unused(&package, &mut mint)
            .into_iter()
            .map(|signal| match signal.kind {
                SignalKind::UnusedDependency { dependency, .. } => {
                    format!("{dependency}:{}", signal.place.unwrap().line)
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn what_no_source_names_is_suspected() {
        let manifest =
            "[package]\nname = \"a\"\n[dependencies]\nitertools = \"0.14\"\nserde-json = \"1\"\nfnv = \"1\"\n";
        assert_eq!(found(manifest, "use serde_json::Value; fn f() { fnv::hash() }"), ["itertools:4"]);
    }

    #[test]
    fn a_readme_that_only_talks_about_a_crate_does_not_use_it() {
        let talk: Vec<&str> = code_blocks("itertools\n```rust\nuse fnv::X;\n```\nserde").collect();
        assert_eq!(talk, ["use fnv::X;"]);
    }

    #[test]
    fn what_may_be_of_use_unnamed_is_left_alone() {
        let manifest = "[dependencies]\nopenssl-sys = \"1\"\na = { version = \"1\", optional = true }\nb = { version = \"1\", features = [\"x\"] }\nc = \"1\"\n[features]\nx = [\"c/std\"]\n";
        assert!(found(manifest, "").is_empty());
        assert!(found("not [ toml", "").is_empty());
    }

    #[test]
    fn crates_in_several_versions_are_found() {
        let lock = "[[package]]\nname='a'\nversion='1.0.0'\n[[package]]\nname='a'\nversion='2.0.0'\n[[package]]\nname='b'\nversion='1.0.0'\n";
        let mut mint = || SignalId::new(1, [0; 10]);
        let signals = duplicates(&RelPath::new("Cargo.lock").unwrap(), lock, &mut mint);
        assert!(
            matches!(&signals[..], [Signal { kind: SignalKind::DuplicateDependency { name, versions }, .. }] if name == "a" && versions.len() == 2)
        );
    }
}
