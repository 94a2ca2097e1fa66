//! Rules about `Cargo.toml`: `new-dependency`, `dependency-source`, `dependency-removed`, `manifest`.
//!
//! Manifests are compared as data. A new dependency, another source or version, and whatever runs at build time or
//! turns tests off asks a person; git sources and patched registries are refused.

use std::collections::BTreeMap;

use kaizen_domain::RelPath;
use toml::{Table, Value};

use super::{Findings, ReviewInput};
use crate::shown::shown;

pub(super) const NEW: &str = "new-dependency";
pub(super) const SOURCE: &str = "dependency-source";
pub(super) const REMOVED: &str = "dependency-removed";
const MANIFEST: &str = "manifest";

pub(super) fn is_manifest(path: &RelPath) -> bool {
    path.file_name().eq_ignore_ascii_case("cargo.toml")
}

/// What the manifests of a patch come to.
#[derive(Default)]
pub(super) struct Outcome {
    /// A manifest adds a dependency or changes one, so the lock file may follow.
    pub(super) dependencies_changed: bool,
}

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) -> Outcome {
    let mut outcome = Outcome::default();
    for change in input.changes.iter().filter(|change| is_manifest(&change.path)) {
        let path = &change.path;
        let Some((before, after)) = super::texts(change) else { continue };
        if change.after.is_none() {
            findings.ask(MANIFEST, path, "removes a package's manifest, and with it its tests");
            outcome.dependencies_changed = true;
            continue;
        }
        let (old, new) = (before.parse::<Table>(), after.parse::<Table>());
        let new = match (&old, new) {
            (_, Ok(new)) => new,
            (Ok(_), Err(error)) => {
                findings.refuse(super::parse::RULE, path, format!("does not parse as TOML: {}", error.message()));
                continue;
            }
            (Err(_), Err(_)) => {
                findings.ask(
                    MANIFEST,
                    path,
                    "parses as TOML neither before nor after, so nothing in it can be checked",
                );
                continue;
            }
        };
        let old = old.unwrap_or_default();
        let found = compare(input, path, &old, &new, findings);
        outcome.dependencies_changed |= found;
        other_settings(path, &old, &new, findings);
    }
    outcome
}

const TABLES: [&str; 5] =
    ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"];

/// Every dependency table of a manifest, by a name such as `target.cfg(unix).dependencies`.
fn dependency_tables(manifest: &Table) -> BTreeMap<String, &Table> {
    let mut found = BTreeMap::new();
    tables_in("", manifest, &mut found);
    if let Some(workspace) = manifest.get("workspace").and_then(Value::as_table) {
        tables_in("workspace.", workspace, &mut found);
    }
    for (target, table) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        if let Some(table) = table.as_table() {
            tables_in(&format!("target.{target}."), table, &mut found);
        }
    }
    found
}

fn tables_in<'m>(prefix: &str, table: &'m Table, found: &mut BTreeMap<String, &'m Table>) {
    for name in TABLES {
        if let Some(table) = table.get(name).and_then(Value::as_table) {
            found.insert(format!("{prefix}{name}"), table);
        }
    }
}

fn compare(input: &ReviewInput<'_>, path: &RelPath, old: &Table, new: &Table, findings: &mut Findings) -> bool {
    let (old_tables, new_tables) = (dependency_tables(old), dependency_tables(new));
    let mut changed = false;
    for (table, entries) in &new_tables {
        for (name, entry) in *entries {
            let before = old_tables.get(table).and_then(|table| table.get(name));
            if before == Some(entry) {
                continue;
            }
            changed = true;
            match before {
                Some(before) => changed_entry(path, table, name, before, entry, findings),
                None => new_entry(input, path, table, name, entry, &old_tables, findings),
            }
        }
    }
    for (table, entries) in &old_tables {
        for name in entries.keys().filter(|name| new_tables.get(table).is_none_or(|table| !table.contains_key(*name))) {
            findings.note(REMOVED, path, format!("takes `{}` out of [{table}]", shown(name, 60)));
        }
    }
    changed
}

fn field<'v>(entry: &'v Value, name: &str) -> Option<&'v Value> {
    entry.as_table().and_then(|table| table.get(name))
}

fn refuse_git(path: &RelPath, table: &str, name: &str, entry: &Value, findings: &mut Findings) -> bool {
    let git = field(entry, "git").is_some();
    if git {
        let detail =
            format!("takes `{}` in [{table}] from a git repository; use a release from the registry", shown(name, 60));
        findings.refuse(SOURCE, path, detail);
    }
    git
}

fn new_entry(
    input: &ReviewInput<'_>,
    path: &RelPath,
    table: &str,
    name: &str,
    entry: &Value,
    old: &BTreeMap<String, &Table>,
    findings: &mut Findings,
) {
    if refuse_git(path, table, name, entry, findings) {
        return;
    }
    let shown_name = shown(name, 60);
    if old.values().any(|table| table.get(name) == Some(entry)) {
        return findings.note(NEW, path, format!("moves `{shown_name}` to [{table}]"));
    }
    let elsewhere = ["path", "registry", "registry-index"].iter().any(|key| field(entry, key).is_some());
    if input.policy.allow_new_dependencies && !elsewhere {
        findings.note(NEW, path, format!("adds `{shown_name}` to [{table}]"));
    } else {
        findings.ask(NEW, path, format!("adds the dependency `{shown_name}` to [{table}]; a person must agree"));
    }
}

fn changed_entry(path: &RelPath, table: &str, name: &str, old: &Value, new: &Value, findings: &mut Findings) {
    let shown_name = shown(name, 60);
    let was_git = field(old, "git").is_some();
    if field(new, "git") != field(old, "git") && refuse_git(path, table, name, new, findings) {
        return;
    }
    if was_git
        || ["path", "registry", "registry-index", "package", "rev", "branch", "tag"]
            .iter()
            .any(|key| field(old, key) != field(new, key))
    {
        return findings.ask(NEW, path, format!("changes where `{shown_name}` in [{table}] comes from"));
    }
    let version =
        |entry: &Value| entry.as_str().or_else(|| field(entry, "version").and_then(Value::as_str)).map(str::to_owned);
    if version(old) != version(new) {
        let text = |version: Option<String>| version.map_or_else(|| "none".to_owned(), |version| shown(&version, 40));
        let detail = format!(
            "changes the version of `{shown_name}` in [{table}] from {} to {}",
            text(version(old)),
            text(version(new))
        );
        return findings.ask(NEW, path, detail);
    }
    let features = |entry: &Value| field(entry, "features").and_then(Value::as_array).cloned().unwrap_or_default();
    let gains = |new: &Value, old: &Value| features(new).into_iter().any(|feature| !features(old).contains(&feature));
    let defaults = |entry: &Value| field(entry, "default-features").and_then(Value::as_bool).unwrap_or(true);
    if gains(new, old) || (defaults(new) && !defaults(old)) {
        findings.ask(NEW, path, format!("turns on more features of `{shown_name}` in [{table}]"));
    } else if gains(old, new) || defaults(new) != defaults(old) {
        // Built together with others, it may have them all the same, so that no test shows what is missing without.
        findings.ask(NEW, path, format!("turns off features of `{shown_name}` in [{table}]"));
    } else if field(old, "workspace") != field(new, "workspace") || field(old, "optional") != field(new, "optional") {
        findings.ask(NEW, path, format!("changes how `{shown_name}` in [{table}] is taken"));
    } else {
        findings.note(NEW, path, format!("writes how `{shown_name}` in [{table}] is taken otherwise"));
    }
}

/// Settings that need nobody: they say what a package is, not what is built or run.
const HARMLESS: [&str; 11] = [
    "package.description",
    "package.keywords",
    "package.categories",
    "package.homepage",
    "package.repository",
    "package.documentation",
    "package.readme",
    "package.authors",
    "package.license",
    "package.version",
    "package.exclude",
];

/// Everything but the dependencies.
fn other_settings(path: &RelPath, old: &Table, new: &Table, findings: &mut Findings) {
    for key in ["patch", "replace"] {
        match (old.get(key), new.get(key)) {
            (before, Some(after)) if before != Some(after) => {
                findings.refuse(
                    SOURCE,
                    path,
                    format!("changes [{key}], which puts other code in place of a dependency"),
                );
            }
            (Some(_), None) => {
                findings.ask(SOURCE, path, format!("takes [{key}] away, which changes what dependencies are"))
            }
            _ => {}
        }
    }
    let (old, new) = (leaves(old), leaves(new));
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys.into_iter().filter(|key| old.get(*key) != new.get(*key)) {
        if HARMLESS.contains(&key.as_str()) || is_compared_elsewhere(key) {
            continue;
        }
        let (rule, why) = meaning(key);
        let detail = format!("changes `{}`{why}; a person must agree", shown(key, 80));
        findings.ask(rule, path, detail);
    }
}

/// Dependencies, and what replaces them.
fn is_compared_elsewhere(key: &str) -> bool {
    let key = key.strip_prefix("workspace.").unwrap_or(key);
    let first = key.split('.').next().unwrap_or(key);
    TABLES.contains(&first) || matches!(first, "target" | "patch" | "replace")
}

fn meaning(key: &str) -> (&'static str, &'static str) {
    let last = key.rsplit('.').next().unwrap_or(key);
    match last {
        "build" | "links" | "proc-macro" | "proc_macro" => (MANIFEST, ", which runs code at build time"),
        "test" | "doctest" | "harness" | "bench" | "autotests" | "autobenches" | "required-features" => {
            (super::weakened::RULE, ", which decides whether tests run")
        }
        _ if key.starts_with("lints.") || key.starts_with("workspace.lints.") => {
            (super::lints::RULE, ", which lints are on")
        }
        _ if key.starts_with("features.") => (MANIFEST, ", what is built by default or by feature"),
        _ if key.starts_with("workspace.") => (MANIFEST, ", which packages are built and tested"),
        _ => (MANIFEST, ""),
    }
}

/// The values of a manifest by dotted key; lists of tables by position.
fn leaves(table: &Table) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<(String, &Value)> = table.iter().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((key, value)) = waiting.pop() {
        match value {
            Value::Table(table) if !table.is_empty() => {
                waiting.extend(table.iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            Value::Array(items) if items.iter().any(Value::is_table) => {
                waiting.extend(items.iter().enumerate().map(|(at, value)| (format!("{key}.{at}"), value)));
            }
            _ => {
                found.insert(key, value);
            }
        }
    }
    found
}

/// Folders and files whose code runs while the change is judged, by what the base's manifests say.
pub(super) fn judging_folders(input: &ReviewInput<'_>) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let changed = input.changes.iter().filter(|change| is_manifest(&change.path));
    let before = changed.filter_map(|change| {
        let text = std::str::from_utf8(&change.before.as_ref()?.bytes).ok()?;
        Some((&change.path, text))
    });
    let given = input.manifests.iter().map(|manifest| (&manifest.path, manifest.text.as_str()));
    for (path, text) in given.chain(before) {
        let Ok(manifest) = text.parse::<Table>() else { continue };
        let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
        let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let lib = manifest.get("lib").and_then(Value::as_table);
        if lib.is_some_and(|lib| {
            ["proc-macro", "proc_macro"].iter().any(|key| lib.get(*key).and_then(Value::as_bool) == Some(true))
        }) {
            found.push((below("src"), "is code of a procedural macro, which runs in the compiler"));
            found.push((path.to_string(), "is the manifest of a procedural macro, which runs in the compiler"));
        }
        let build = manifest.get("package").and_then(|package| package.get("build")).and_then(Value::as_str);
        found.extend(build.map(|build| (below(build), "is a build script, which runs when the change is built")));
        for kind in ["test", "bench"] {
            for target in manifest.get(kind).and_then(Value::as_array).into_iter().flatten() {
                let target = target.get("path").and_then(Value::as_str);
                found.extend(target.map(|target| (below(target), super::paths::OF_THE_TESTS)));
            }
        }
    }
    found
}
