//! Rewrites that clippy suggests, each by itself.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Result;
use rustfix::{Filter, Suggestion};

use super::super::super::corpus::LINTS;
use super::super::super::run::{Run, cargo};
use super::{Patch, sources};

/// All of them, for the library.
///
/// # Errors
/// When cargo cannot be started.
pub(in super::super) fn patches(folder: &Path, target: &Path) -> Result<Vec<Patch>> {
    let args = ["clippy", "--offline", "--lib", "--message-format=json", "--"];
    let lints = LINTS.iter().flat_map(|lint| ["-W", lint]);
    let ended = Run::new(cargo(), folder).args(args).args(lints).env("CARGO_TARGET_DIR", target).end()?;
    let texts: BTreeMap<String, String> = sources(folder)?.into_iter().collect();
    let mut all: Vec<Patch> = Vec::new();
    for line in ended.stdout.lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let json = message["message"].to_string();
        let found = rustfix::get_suggestions_from_json(&json, &HashSet::new(), Filter::MachineApplicableOnly);
        for suggestion in found.unwrap_or_default() {
            all.extend(patch(&texts, &suggestion));
        }
    }
    Ok(all)
}

fn patch(texts: &BTreeMap<String, String>, suggestion: &Suggestion) -> Option<Patch> {
    let path = &suggestion.snippets.first()?.file_name;
    let before = texts.get(path)?;
    let after = rustfix::apply_suggestions(before, std::slice::from_ref(suggestion)).ok()?;
    let what = format!("{path}: {}", suggestion.message);
    (after != *before).then(|| Patch { path: path.clone(), before: before.clone(), after, what })
}
