//! The peer of the sandbox: bubblewrap, which gives one command namespaces of its own as well.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::run::Run;

/// The version that is measured against, and the package that has it.
const VERSION: &str = "0.8.0";
const PACKAGE: &str = "bubblewrap=0.8.0-*";

/// Finds it, after installing it where that can be done.
///
/// # Errors
/// When it is not there and cannot be installed, or is of another version.
pub fn install() -> Result<PathBuf> {
    if version().is_none() {
        let apt = |args: &[&str]| Run::new("apt-get", "/".as_ref()).args(args).env("DEBIAN_FRONTEND", "noninteractive");
        eprintln!("installing bubblewrap {VERSION}");
        let fresh = apt(&["update", "-qq"]).succeed();
        let done = fresh.and_then(|_| apt(&["install", "-y", "-qq", "--no-install-recommends", PACKAGE]).succeed());
        done.with_context(|| {
            format!("bubblewrap {VERSION} must be installed: as root, `apt-get install '{PACKAGE}'`")
        })?;
    }
    match version() {
        Some(found) if found == VERSION => {}
        Some(found) => {
            eprintln!("warning: bubblewrap {found} is installed, the figures in the documents are of {VERSION}")
        }
        None => bail!("bubblewrap was installed and cannot be run"),
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join("bwrap"));
    places.find(|place| place.is_file()).context("bwrap is not in the search path")
}

/// The version that is installed.
pub fn version() -> Option<String> {
    let said = Command::new("bwrap").arg("--version").stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    Some(said.trim().strip_prefix("bubblewrap ")?.to_owned())
}

/// All namespaces that it knows, which are those of the sandbox, and as little of a root as it needs.
pub const ARGS: [&str; 11] =
    ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--"];
