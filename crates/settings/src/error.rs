//! What can be wrong with a settings file.

use thiserror::Error;

/// Something in a settings file that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// It is not TOML.
    #[error("{file} is not valid TOML: {message}")]
    NotToml {
        /// The file.
        file: String,
        /// What the parser says, with the line.
        message: String,
    },
    /// A key that does not exist.
    #[error("unknown key `{key}` in {file}, line {line}")]
    UnknownKey {
        /// The key, dotted.
        key: String,
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key that was probably meant.
        near: Option<String>,
    },
    /// A value of the wrong type.
    #[error("`{key}` in {file}, line {line}, must be {wanted}, not {found}")]
    WrongType {
        /// The key, dotted.
        key: String,
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The type it must have.
        wanted: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// A section that only a person's own file may hold.
    #[error("`{key}` in {file}, line {line}, cannot be set by a repository")]
    NotYours {
        /// The key, dotted.
        key: String,
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A value of the right type that cannot be taken.
    #[error("`{key}` in {file}, line {line}: {why}")]
    Value {
        /// The key, dotted.
        key: String,
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The files together make no settings.
    #[error("{0}")]
    Together(String),
}

impl SettingsError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::UnknownKey { near, .. } => match near {
                Some(near) => {
                    let section = near.split('.').next().unwrap_or(near);
                    format!("did you mean `{near}`?  `kaizen init --explain {section}` lists the keys")
                }
                None => "`kaizen init --explain` lists the keys".to_owned(),
            },
            Self::WrongType { key, .. } | Self::Value { key, .. } => {
                format!(
                    "`kaizen init --explain {}` shows each key with its default",
                    key.split('.').next().unwrap_or(key)
                )
            }
            Self::NotYours { key, .. } => {
                format!("`{key}` decides what this machine may do; set it in your own file, see `kaizen doctor`")
            }
            Self::NotToml { .. } => "see https://toml.io, or `kaizen init --explain` for an example".to_owned(),
            Self::Together(_) => "`kaizen init --explain` shows each key with its default".to_owned(),
        }
    }
}
