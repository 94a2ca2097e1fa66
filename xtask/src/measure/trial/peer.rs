//! The peer: cargo-mutants, at a pinned version, beside the other build results of this workspace.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::super::run::{Run, cargo};
use super::{LIMIT, Verdict, Verdicts};

const VERSION: &str = "27.1.0";

/// A mutant as the peer lists it.
#[derive(Debug, Clone)]
pub struct Mutant {
    pub name: String,
    pub file: String,
    pub diff: String,
}

/// Every so many of a crate's mutants.
#[derive(Debug)]
pub struct Mutants {
    pub list: Vec<Mutant>,
    stride: usize,
}

/// The installed program.
pub struct Peer(PathBuf);

impl Peer {
    /// Installs it, unless it is there.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub fn install() -> Result<Self> {
        let root = crate::root().join("target/peers").join(format!("cargo-mutants-{VERSION}"));
        let program = root.join("bin/cargo-mutants");
        if !program.exists() {
            eprintln!("installing cargo-mutants {VERSION}");
            let args = ["install", "cargo-mutants", "--locked", "--version", VERSION, "--root"];
            Run::new(cargo(), &crate::root()).args(args).args([&root]).succeed()?;
        }
        Ok(Self(program))
    }

    fn run_on(&self, tree: &Path, stride: usize) -> Run {
        let shard = format!("0/{}", stride.max(1));
        Run::new(&self.0, tree)
            .args(["mutants", "--no-shuffle", "--sharding", "round-robin", "--shard", &shard])
            .env("CARGO_NET_OFFLINE", "true")
    }

    fn listed(&self, tree: &Path, stride: usize) -> Result<Vec<Mutant>> {
        let listed = self.run_on(tree, stride).args(["--list", "--json", "--diff"]).succeed()?;
        let listed: Value = serde_json::from_str(&listed.stdout).context("the list of mutants")?;
        let text = |mutant: &Value, key: &str| mutant[key].as_str().map(str::to_owned);
        let all = listed.as_array().into_iter().flatten();
        all.map(|mutant| {
            let (name, file, diff) = (text(mutant, "name")?, text(mutant, "file")?, text(mutant, "diff")?);
            // The second name in the head of its diffs is what it did.
            let hunks = diff.get(diff.find("@@")?..)?;
            Some(Mutant { diff: format!("--- {file}\n+++ {file}\n{hunks}"), name, file })
        })
        .collect::<Option<Vec<Mutant>>>()
        .context("a mutant without name, file or diff")
    }

    /// About so many mutants of a crate, at a fixed stride.
    ///
    /// # Errors
    /// When there are none.
    pub fn mutants(&self, tree: &Path, about: usize) -> Result<Mutants> {
        let all = self.listed(tree, 1)?.len();
        let stride = all.div_ceil(about).max(1);
        let list = self.listed(tree, stride)?;
        ensure!(!list.is_empty(), "cargo-mutants finds nothing to change");
        Ok(Mutants { list, stride })
    }

    /// What the peer says of each of them.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, tree: &Path, mutants: &Mutants, jobs: usize, out: &Path) -> Result<Verdicts> {
        std::fs::create_dir_all(out)?;
        let (jobs, limit) = (jobs.to_string(), LIMIT.as_secs().to_string());
        let args = ["--baseline=skip", "--jobs", &jobs, "--timeout", &limit, "--output"];
        // It ends with an error when a mutant survives, which is none of ours.
        let ended = self.run_on(tree, mutants.stride).args(args).args([out]).end()?;
        let file = out.join("mutants.out/outcomes.json");
        let text = std::fs::read_to_string(&file).with_context(|| format!("{}\n{}", ended.stdout, ended.stderr))?;
        let outcomes: Value = serde_json::from_str(&text)?;
        let mut verdicts = Verdicts::new();
        for outcome in outcomes["outcomes"].as_array().into_iter().flatten() {
            let Some(name) = outcome["scenario"]["Mutant"]["name"].as_str() else { continue };
            let verdict = match outcome["summary"].as_str() {
                Some("CaughtMutant") => Verdict::Caught,
                Some("MissedMutant") => Verdict::Survives,
                Some("Unviable") => Verdict::DoesNotBuild,
                Some("Timeout") => Verdict::NeverEnds,
                _ => continue,
            };
            let phases = outcome["phase_results"].as_array().into_iter().flatten();
            let seconds: f64 = phases.filter_map(|phase| phase["duration"].as_f64()).sum();
            verdicts.insert(name.to_owned(), (verdict, Duration::from_secs_f64(seconds)));
        }
        Ok(verdicts)
    }
}
