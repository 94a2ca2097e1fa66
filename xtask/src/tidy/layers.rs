//! Layers: which crate may use which. The floors are those of the architecture; the manifests say what is really used.
//!
//! Development dependencies are free, since tests may look at a room from any side. A few outside crates have one room
//! that may use them, so that a replacement touches that room alone.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::{Files, Report};

/// Outside crates that only some rooms may use.
const RESERVED: &[(&str, &[&str])] = &[
    ("ractor", &["kaizen-agents"]),
    ("git2", &["kaizen-repo", "kaizen-testkit"]),
    (
        "syn",
        &[
            "kaizen-context",
            "kaizen-patch",
            "kaizen-fixers",
            "kaizen-mutants",
            "kaizen-behaviour",
            "kaizen-source",
            "kaizen-sandbox",
        ],
    ),
    ("async-openai", &["kaizen-llm"]),
    ("reqwest", &["kaizen-llm", "kaizen-forge", "kaizen-metrics", "kaizen"]),
    ("rusqlite", &["kaizen-journal"]),
];

/// A manifest's tables of dependencies that end up in what the crate builds.
const TABLES: &[&str] = &["dependencies", "build-dependencies"];

/// Where a crate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Floor {
    /// On a numbered floor: it uses lower ones.
    At(u8),
    /// Outside the house: it may use everything, and nothing in the house may use it.
    Outside,
}

struct Member {
    manifest: String,
    floor: Option<Floor>,
    /// The packages it uses, sorted.
    uses: Vec<String>,
}

/// Reports dependencies that go upwards or sideways, and reserved crates in the wrong room.
///
/// # Errors
/// When the root manifest cannot be read.
pub fn check(files: &Files, report: &mut Report) -> Result<()> {
    let root: Table = files.text("Cargo.toml").context("Cargo.toml cannot be read")?.parse().context("Cargo.toml")?;
    let members = members(files, &root, report);
    for (name, member) in &members {
        let Some(floor) = member.floor else {
            report.violation(
                &member.manifest,
                0,
                format!("`{name}` stands on no floor: name its folder in the architecture"),
            );
            continue;
        };
        for used in &member.uses {
            if let Some(below) = members.get(used).and_then(|used| used.floor)
                && !may_use(floor, below)
            {
                report.violation(
                    &member.manifest,
                    0,
                    format!("`{name}` ({floor}) must not depend on `{used}` ({below})"),
                );
            }
            if let Some((_, rooms)) = RESERVED.iter().find(|(reserved, _)| reserved == used)
                && !rooms.contains(&name.as_str())
            {
                report.violation(
                    &member.manifest,
                    0,
                    format!("`{name}` must not depend on `{used}`: only {} may", rooms.join(" and ")),
                );
            }
        }
    }
    Ok(())
}

fn may_use(user: Floor, used: Floor) -> bool {
    match (user, used) {
        (Floor::Outside, _) => true,
        (Floor::At(_), Floor::Outside) => false,
        (Floor::At(user), Floor::At(used)) => used < user,
    }
}

impl std::fmt::Display for Floor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(floor) => write!(out, "floor {floor}"),
            Self::Outside => write!(out, "outside the floors"),
        }
    }
}

/// The floor of the crate in a folder.
fn floor(folder: &str) -> Option<Floor> {
    match folder {
        "crates/domain" | "crates/source" => Some(Floor::At(1)),
        "crates/testkit" | "crates/forgestand" | "xtask" => Some(Floor::Outside),
        "sandbox" => Some(Floor::At(2)),
        "agents" => Some(Floor::At(3)),
        "" => Some(Floor::At(4)),
        folder => folder.strip_prefix("crates/").filter(|name| !name.contains('/')).map(|_| Floor::At(2)),
    }
}

fn members(files: &Files, root: &Table, report: &mut Report) -> BTreeMap<String, Member> {
    let shared = root.get("workspace").and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    let mut members = BTreeMap::new();
    for folder in folders(files, root) {
        let manifest = if folder.is_empty() { "Cargo.toml".to_owned() } else { format!("{folder}/Cargo.toml") };
        let parsed = files.text(&manifest).map(|text| text.parse::<Table>());
        let Some(Ok(table)) = parsed else {
            report.violation(&manifest, 0, "cannot be read as a manifest");
            continue;
        };
        let Some(name) = table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str) else {
            continue;
        };
        let member = Member { manifest, floor: floor(&folder), uses: uses(&table, shared) };
        members.insert(name.to_owned(), member);
    }
    members
}

/// The folders of the members; the root's own package has the empty one.
fn folders(files: &Files, root: &Table) -> Vec<String> {
    let listed = root.get("workspace").and_then(|workspace| workspace.get("members")).and_then(Value::as_array);
    let mut folders = vec![String::new()];
    for member in listed.into_iter().flatten().filter_map(Value::as_str) {
        match member.strip_suffix("/*") {
            None => folders.push(member.to_owned()),
            Some(parent) => folders.extend(files.paths().iter().filter_map(|path| {
                let folder = path.strip_suffix("/Cargo.toml")?;
                (folder.rsplit_once('/')?.0 == parent).then(|| folder.to_owned())
            })),
        }
    }
    folders
}

/// The packages that a manifest's crate is built with, for any target.
fn uses(manifest: &Table, shared: Option<&Table>) -> Vec<String> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let places =
        std::iter::once(manifest).chain(targets.into_iter().flat_map(Table::values).filter_map(Value::as_table));
    let mut uses: Vec<String> = places
        .flat_map(|place| TABLES.iter().filter_map(|table| place.get(*table)?.as_table()))
        .flatten()
        .map(|(key, value)| package(key, value, shared).to_owned())
        .collect();
    uses.sort();
    uses.dedup();
    uses
}

/// The package behind a dependency: its key, unless it was renamed here or in the workspace's table.
fn package<'a>(key: &'a str, value: &'a Value, shared: Option<&'a Table>) -> &'a str {
    let renamed = |value: &'a Value| value.get("package").and_then(Value::as_str);
    let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
    let of_workspace = || shared.filter(|_| inherited).and_then(|shared| shared.get(key)).and_then(renamed);
    renamed(value).or_else(of_workspace).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace with the given manifests beside the usual ones.
    fn found(manifests: &[(&str, &str)]) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let root = "[workspace]\nmembers = [\"crates/*\", \"sandbox\", \"agents\", \"xtask\"]\n[workspace.dependencies]\n\
                    graph = { package = \"ractor\", version = \"0\" }\n[package]\nname = \"kaizen\"\n";
        let domain = "[package]\nname = \"kaizen-domain\"\n";
        for (folder, text) in [("", root), ("crates/domain", domain)].iter().chain(manifests) {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
            std::fs::write(dir.path().join(folder).join("Cargo.toml"), text).unwrap();
        }
        let mut report = Report::default();
        check(&Files::list(dir.path()).unwrap(), &mut report).unwrap();
        report
            .violations
            .iter()
            .filter(|found| found.what.contains("must not"))
            .map(|found| found.what.clone())
            .collect()
    }

    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn going_down_is_fine() {
        let patch = manifest("kaizen-patch", "[dependencies]\nkaizen-domain.workspace = true\nsyn = \"3\"\n");
        let agents = manifest("kaizen-agents", "[dependencies]\nkaizen-patch.workspace = true\nractor = \"0\"\n");
        let xtask = manifest("xtask", "[dependencies]\nkaizen-agents.workspace = true\n");
        assert!(found(&[("crates/patch", &patch), ("agents", &agents), ("xtask", &xtask)]).is_empty());
    }

    #[test]
    fn going_up_sideways_or_outside_is_not() {
        let patch =
            manifest("kaizen-patch", "[dependencies]\nkaizen-repo = {}\n[dev-dependencies]\nkaizen-agents = {}\n");
        let repo = manifest("kaizen-repo", "[build-dependencies]\nkaizen-testkit = {}\n");
        let testkit = manifest("kaizen-testkit", "");
        let sandbox = manifest("kaizen-sandbox", "[target.'cfg(unix)'.dependencies]\nkaizen-agents.workspace = true\n");
        let agents = manifest("kaizen-agents", "");
        let all = found(&[
            ("crates/patch", &patch),
            ("crates/repo", &repo),
            ("crates/testkit", &testkit),
            ("sandbox", &sandbox),
            ("agents", &agents),
        ]);
        assert_eq!(
            all,
            [
                "`kaizen-patch` (floor 2) must not depend on `kaizen-repo` (floor 2)",
                "`kaizen-repo` (floor 2) must not depend on `kaizen-testkit` (outside the floors)",
                "`kaizen-sandbox` (floor 2) must not depend on `kaizen-agents` (floor 3)",
            ]
        );
    }

    #[test]
    fn a_reserved_crate_is_found_under_any_name() {
        let one = manifest("kaizen-one", "[dependencies]\ndb = { package = \"rusqlite\", version = \"0\" }\n");
        let two = manifest("kaizen-two", "[dependencies]\ngraph.workspace = true\n[dev-dependencies]\ngit2 = \"0\"\n");
        let all = found(&[("crates/one", &one), ("crates/two", &two)]);
        assert_eq!(
            all,
            [
                "`kaizen-one` must not depend on `rusqlite`: only kaizen-journal may",
                "`kaizen-two` must not depend on `ractor`: only kaizen-agents may",
            ]
        );
    }
}
