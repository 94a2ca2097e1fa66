//! Makes a git repository of a published crate, from cargo's own copy of it. Benchmarks go: what they depend on is most
//! of a cold build and has no part in what is measured.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::super::run::{Run, cargo};
use super::super::{git, scratch};

/// Crates that are there for benchmarks alone.
const FOR_BENCHMARKS: &[&str] =
    &["criterion", "bencher", "iai", "iai-callgrind", "codspeed-criterion-compat", "divan", "tango-bench"];
/// What packaging left in the folder.
const LEFTOVERS: &[&str] = &[".cargo-ok", ".cargo_vcs_info.json", "Cargo.toml.orig"];

/// Makes the repository, with a lock file and one commit.
///
/// # Errors
/// When the crate cannot be fetched or locked.
pub fn repository(name: &str, version: &str, folder: &Path) -> Result<()> {
    scratch::copy(&source(name, version, folder)?, folder)?;
    for leftover in LEFTOVERS {
        remove(&folder.join(leftover))?;
    }
    remove(&folder.join("benches"))?;
    let manifest = folder.join("Cargo.toml");
    let stripped = without_benchmarks(&std::fs::read_to_string(&manifest)?)?;
    std::fs::write(&manifest, stripped)?;
    let ignore = folder.join(".gitignore");
    let ignored = std::fs::read_to_string(&ignore).unwrap_or_default();
    std::fs::write(&ignore, format!("{ignored}\n/target\n"))?;
    Run::new(cargo(), folder).args(["generate-lockfile"]).succeed()?;
    Run::new(cargo(), folder).args(["fetch"]).succeed()?;
    git::begin(folder)
}

fn remove(path: &Path) -> Result<()> {
    let gone = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context(path.display().to_string()),
        _ => Ok(()),
    }
}

/// Where cargo keeps the crate, after a crate that depends on it was fetched.
fn source(name: &str, version: &str, beside: &Path) -> Result<PathBuf> {
    let seed = beside.with_extension("seed");
    std::fs::create_dir_all(seed.join("src"))?;
    std::fs::write(seed.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"seed\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
    );
    std::fs::write(seed.join("Cargo.toml"), manifest)?;
    Run::new(cargo(), &seed).args(["fetch"]).succeed()?;
    let metadata = Run::new(cargo(), &seed).args(["metadata", "--format-version", "1", "--offline"]).succeed()?;
    let metadata: serde_json::Value = serde_json::from_str(metadata.stdout.trim())?;
    std::fs::remove_dir_all(&seed)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["name"] == name && package["version"] == version)
        .find_map(|package| Path::new(package["manifest_path"].as_str()?).parent().map(Path::to_path_buf))
        .with_context(|| format!("cargo fetched no {name} {version}"))
}

/// A manifest without its benchmarks and what only they need.
fn without_benchmarks(text: &str) -> Result<String> {
    let mut manifest: Table = text.parse().context("Cargo.toml")?;
    manifest.remove("bench");
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        package.insert("autobenches".to_owned(), Value::Boolean(false));
    }
    strip(manifest.get_mut("dev-dependencies"));
    if let Some(Value::Table(targets)) = manifest.get_mut("target") {
        for (_, target) in targets.iter_mut() {
            strip(target.get_mut("dev-dependencies"));
        }
    }
    Ok(toml::to_string(&manifest)?)
}

fn strip(dependencies: Option<&mut Value>) {
    if let Some(Value::Table(dependencies)) = dependencies {
        dependencies.retain(|name, _| !FOR_BENCHMARKS.contains(&name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_go_and_the_rest_stays() {
        let before = "[package]\nname = \"a\"\n[dev-dependencies.criterion]\nversion = \"1\"\n[dev-dependencies.rand]\nversion = \"1\"\n\
                      [[bench]]\nname = \"b\"\n[[test]]\nname = \"t\"\n[target.'cfg(unix)'.dev-dependencies]\ndivan = \"1\"\n";
        let after: Table = without_benchmarks(before).unwrap().parse().unwrap();
        assert!(after.get("bench").is_none() && after["test"].is_array());
        assert_eq!(after["package"]["autobenches"], Value::Boolean(false));
        let left: Vec<&String> = after["dev-dependencies"].as_table().unwrap().keys().collect();
        assert_eq!(left, ["rand"]);
        assert!(after["target"]["cfg(unix)"]["dev-dependencies"].as_table().unwrap().is_empty());
    }
}
