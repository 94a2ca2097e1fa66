//! Wrong versions of public functions that the tests of a crate miss.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use kaizen_mutants::changed;

use super::super::super::trial::{ours, switched};
use super::{Patch, sources};

/// All of them in code that is built here, found as the gate does it: behind one switch. Whether tests miss them is asked again when each is tried.
///
/// # Errors
/// When a file cannot be read, or the crate does not pass its own tests.
pub(super) fn missed(name: &str, folder: &Path, state: &Path) -> Result<Vec<Patch>> {
    let mut public: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources(folder)? {
        let Ok(found) = changed("", &text) else { continue };
        let names = found.functions.into_iter().filter(|(_, line)| is_public(&text, *line)).map(|(name, _)| name);
        public.insert(path, names.collect());
    }
    let ours = ours::Ours::prepare(state, name, folder, ours::usual_limits())?;
    let versions = switched::versions(&ours, folder)?;
    let is_wanted = |version: &switched::Version| {
        !version.caught && version.built && public.get(&version.path).is_some_and(|names| names.contains(&version.of))
    };
    let patch = |version: switched::Version| Patch {
        what: format!("{}:{}: `{}` {}", version.path, version.line, version.of, version.what),
        path: version.path,
        before: version.before.to_string(),
        after: version.after,
    };
    Ok(versions.into_iter().filter(is_wanted).map(patch).collect())
}

/// Whether the function that begins in a line is public, as far as its line tells.
fn is_public(text: &str, line: u32) -> bool {
    let from = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let head = text.lines().skip(from).map(str::trim_start).find(|line| line.contains("fn "));
    head.is_some_and(|line| line.starts_with("pub ") && !line.contains(" unsafe "))
}
