//! The workspace's own tools, run as `cargo xtask`: `tidy` checks the rules that no compiler knows, `measure` shows the
//! figures that the documents claim. Neither is part of the program, and no crate of the program may use this one.

pub mod measure;
pub mod tidy;

use std::path::{Path, PathBuf};

/// The root of the workspace that this program was built from.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
