//! Wrong versions of public functions that the tests of a crate miss.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use kaizen_mutants::changed;

use super::super::super::dice::Dice;
use super::super::super::trial::switched::Left;
use super::super::super::trial::{ours, switched};
use super::{Patch, sources};

/// Some of them in code that is built here, found as the gate does it: behind one switch. So many that other tests miss are run
/// with those in docs. Whether tests miss them is asked again when each is tried.
///
/// # Errors
/// When a file cannot be read, or the crate does not pass its own tests.
pub(super) fn missed(name: &str, folder: &Path, state: &Path, most: usize, dice: &mut Dice) -> Result<Vec<Patch>> {
    let mut public: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources(folder)? {
        let Ok(found) = changed("", &text) else { continue };
        let names = found.functions.into_iter().filter(|(_, line)| is_public(&text, *line)).map(|(name, _)| name);
        public.insert(path, names.collect());
    }
    let ours = ours::Ours::prepare(state, name, folder, ours::usual_limits())?;
    let versions = switched::versions(&ours, folder, &mut |left| {
        let is_public = |left: &Left<'_>| public.get(left.path).is_some_and(|names| names.contains(left.of));
        let mut left: Vec<Left<'_>> = left.into_iter().filter(|left| left.built && is_public(left)).collect();
        dice.shuffle(&mut left);
        left.truncate(most);
        left
    })?;
    let patch = |version: switched::Version| Patch {
        what: format!("{}:{}: `{}` {}", version.path, version.line, version.of, version.what),
        path: version.path,
        before: version.before.to_string(),
        after: version.after,
    };
    Ok(versions.into_iter().filter(|version| !version.caught).map(patch).collect())
}

/// Whether the function that begins in a line is public, as far as its line tells.
fn is_public(text: &str, line: u32) -> bool {
    let from = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let head = text.lines().skip(from).map(str::trim_start).find(|line| line.contains("fn "));
    head.is_some_and(|line| line.starts_with("pub ") && !line.contains(" unsafe "))
}
