//! Changes to `Cargo.toml` that keep everything else in it as it was written.

use thiserror::Error;
use toml_edit::{DocumentMut, Item, TableLike};

/// Why a manifest could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// It is not TOML.
    #[error("the manifest does not parse: {0}")]
    NotToml(String),
    /// The dependency is not in it.
    #[error("the manifest has no `{dependency}` under `{table}`")]
    NotThere {
        /// The dependency.
        dependency: String,
        /// The table.
        table: String,
    },
}

/// The manifest without one dependency of one table; comments, order and spacing of the rest stay.
///
/// # Errors
/// When the manifest does not parse or does not declare it.
pub fn remove_dependency(manifest: &str, table: &str, dependency: &str) -> Result<String, ManifestError> {
    let mut document: DocumentMut =
        manifest.parse().map_err(|error: toml_edit::TomlError| ManifestError::NotToml(error.message().to_owned()))?;
    let missing = || ManifestError::NotThere { dependency: dependency.to_owned(), table: table.to_owned() };
    let entries = document.get_mut(table).and_then(Item::as_table_like_mut).ok_or_else(missing)?;
    let kept = comment_above(entries, dependency);
    entries.remove(dependency).ok_or_else(missing)?;
    let empty = entries.is_empty();
    if empty && kept.is_none() {
        document.remove(table);
    }
    Ok(document.to_string())
}

/// A comment that stands above the entry speaks of it and goes with it; whether there is one decides whether an empty
/// table is kept for what people wrote around it.
fn comment_above(entries: &dyn TableLike, dependency: &str) -> Option<String> {
    let prefix = entries.key(dependency)?.leaf_decor().prefix()?.as_str()?.trim().to_owned();
    prefix.starts_with('#').then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_else_stays_as_it_was_written() {
        let manifest = "# top\n[package]\nname = \"a\"   # name\n\n[dependencies]\nitertools = \"0.14\"\n# why serde\nserde = { version = \"1\" }\n";
        let got = remove_dependency(manifest, "dependencies", "itertools").unwrap();
        assert_eq!(got, manifest.replace("itertools = \"0.14\"\n", ""));
    }

    #[test]
    fn an_empty_table_goes_too() {
        let manifest = "[package]\nname = \"a\"\n\n[dependencies]\nitertools = \"0.14\"\n\n[features]\nx = []\n";
        let got = remove_dependency(manifest, "dependencies", "itertools").unwrap();
        assert_eq!(got, "[package]\nname = \"a\"\n\n[features]\nx = []\n");
    }

    #[test]
    fn what_is_not_there_is_an_error_by_name() {
        let error = remove_dependency("[dependencies]\n", "dependencies", "x").unwrap_err();
        assert_eq!(error.to_string(), "the manifest has no `x` under `dependencies`");
    }
}
