//! Where Kaizen keeps its state: in the user's state directory, never in a work tree.

use std::path::PathBuf;

use crate::failure::Failure;

/// The state directory that was asked for, else `KAIZEN_STATE_DIR`, else `XDG_STATE_HOME/kaizen`, else
/// `~/.local/state/kaizen`; always as an absolute path.
///
/// # Errors
/// When none is known.
pub fn resolve(asked: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let named = asked.or_else(|| std::env::var_os("KAIZEN_STATE_DIR").map(PathBuf::from));
    if let Some(dir) = named.filter(|dir| !dir.as_os_str().is_empty()) {
        return std::path::absolute(&dir).map_err(|error| {
            Failure::input(format!("{} is no place for Kaizen's state: {error}", dir.display()), "name a directory")
        });
    }
    std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join("kaizen"))
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/state/kaizen")))
        .ok_or_else(|| {
            Failure::input(
                "there is no place for Kaizen's state",
                "set HOME, or name a directory with KAIZEN_STATE_DIR",
            )
        })
}

/// A person's own settings file: `XDG_CONFIG_HOME/kaizen/kaizen.toml`, else `~/.config/kaizen/kaizen.toml`.
#[must_use]
pub fn own_settings() -> Option<PathBuf> {
    std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".config")))
        .map(|dir| dir.join("kaizen/kaizen.toml"))
}
