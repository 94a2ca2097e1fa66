//! Downloads what the manifests of a base ask for: the only call of cargo outside the sandbox.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::base::WarmBase;
use crate::isolation::Cancel;
use crate::runner::{Runner, TrialError};

impl Runner {
    /// Downloads what the manifests ask for. Runs outside the sandbox, in a folder where cargo and rustup read no
    /// configuration of the repository; `cargo fetch` compiles and runs nothing.
    pub(crate) fn fetch(&self, base: &WarmBase, cancel: &Cancel) -> Result<(), TrialError> {
        // What is downloaded already is taken as it is: most runs need no network at all.
        if self.run_fetch(base, &["--offline"], cancel)?.is_ok() {
            return Ok(());
        }
        match self.run_fetch(base, &[], cancel)? {
            Ok(()) => Ok(()),
            // With vendored sources there is nothing to fetch; whether they suffice shows inside.
            Err(_) if vendored(&base.project_dir()) || vendored(&base.tree_dir()) => Ok(()),
            Err(output) => Err(TrialError::Fetch { output }),
        }
    }

    fn run_fetch(&self, base: &WarmBase, args: &[&str], cancel: &Cancel) -> Result<Result<(), String>, TrialError> {
        if cancel.is_cancelled() {
            return Err(TrialError::Cancelled);
        }
        let cargo = self.toolchain.sysroot.join("bin/cargo");
        let done = Command::new(&cargo)
            .args(["fetch", "--manifest-path"])
            .arg(base.project_dir().join("Cargo.toml"))
            .args(args)
            .current_dir(&self.settings.state_dir)
            .env("PATH", path_with(&self.toolchain.sysroot))
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null())
            .output()
            .map_err(TrialError::io("running", &cargo))?;
        let tail = || {
            let text = String::from_utf8_lossy(&done.stderr);
            let lines: Vec<&str> = text.lines().collect();
            lines.iter().skip(lines.len().saturating_sub(12)).map(|line| format!("{line}\n")).collect::<String>()
        };
        Ok(if done.status.success() { Ok(()) } else { Err(tail()) })
    }
}

fn vendored(dir: &Path) -> bool {
    ["config.toml", "config"]
        .iter()
        .any(|name| fs::read_to_string(dir.join(".cargo").join(name)).is_ok_and(|text| text.contains("[source.")))
}

fn path_with(sysroot: &Path) -> std::ffi::OsString {
    let mut path = sysroot.join("bin").into_os_string();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}
