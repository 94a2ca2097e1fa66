//! Measurements of the library in the measuring process itself: they are handed on to a release build of this program,
//! as nobody runs trials with another one.

use std::process::Command;

use anyhow::{Result, bail};

use super::program::build;
use super::{Name, Options, scratch};

/// Measures in a release build of this program, which prints what it finds.
///
/// # Errors
/// When it does not build, or cannot measure.
pub fn measure(name: Name, options: &Options) -> Result<bool> {
    let mut command = Command::new(build("xtask", "xtask")?);
    command.args(["measure", &name.shown(), "--seed", &options.seed.to_string()]);
    if options.quick {
        command.arg("--quick");
    }
    for name in &options.crates {
        command.args(["--crate", &name.to_string()]);
    }
    let mut child = scratch::start(&mut command)?;
    let status = child.wait()?;
    scratch::ended(child.id());
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => bail!("the release build of this program ended with {status}"),
    }
}
