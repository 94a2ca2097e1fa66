//! The program under measurement: the release build of this workspace, copied aside so that a build that goes on
//! meanwhile cannot change it, and run on a repository with a state of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::run::{Run, cargo};
use super::scratch::Scratch;

/// A build of the program.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    home: PathBuf,
}

/// Where the program works.
#[derive(Debug, Clone)]
pub struct Place {
    /// The repository.
    pub repo: PathBuf,
    /// Its state.
    pub state: PathBuf,
}

impl Program {
    /// Builds the program in the release profile and copies it into the scratch folder.
    ///
    /// # Errors
    /// When it does not build.
    pub fn release(scratch: &Scratch) -> Result<Self> {
        let path = scratch.join("kaizen");
        std::fs::copy(build("kaizen", "kaizen")?, &path).context("the program cannot be copied")?;
        Ok(Self { path, home: scratch.path().to_path_buf() })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A run of it that leaves nothing outside of the scratch folder.
    pub fn run(&self, place: &Place, args: &[&str]) -> Run {
        Run::new(&self.path, &place.repo)
            .env("TMPDIR", self.home.join("tmp"))
            .env("XDG_CONFIG_HOME", self.home.join("config"))
            .env("KAIZEN_STATE_DIR", &place.state)
            .args(args)
    }

    /// The same surroundings for a command that is not run to its end.
    pub fn surround(&self, command: &mut Command, place: &Place) {
        for (name, _) in std::env::vars_os().filter(|(name, _)| super::run::is_foreign(name)) {
            command.env_remove(name);
        }
        command.current_dir(&place.repo).env("TMPDIR", self.home.join("tmp"));
        command.env("XDG_CONFIG_HOME", self.home.join("config")).env("KAIZEN_STATE_DIR", &place.state);
    }
}

/// Builds one program of the workspace in the release profile, as the workspace's own builds do, and says where it is.
///
/// # Errors
/// When it does not build.
pub fn build(package: &str, program: &str) -> Result<PathBuf> {
    eprintln!("building {program} (release)");
    let args =
        ["build", "--release", "--package", package, "--bin", program, "--message-format=json-render-diagnostics"];
    let mut run = Run::new(cargo(), &crate::root()).args(args).told();
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
        run = run.env("CARGO_TARGET_DIR", target);
    }
    let built = run.succeed()?;
    let executable =
        built.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
            let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == program;
            message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
        });
    executable.with_context(|| format!("cargo did not say where it put {program}"))
}
