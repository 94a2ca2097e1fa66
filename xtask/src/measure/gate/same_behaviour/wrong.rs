//! Wrong versions of public functions.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use kaizen_mutants::{changed, versions};

use super::{Patch, sources};

/// Wrong versions of one function, at most.
const EACH: usize = 40;

/// All of them.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn patches(folder: &Path) -> Result<Vec<Patch>> {
    let mut all = Vec::new();
    for (path, text) in sources(folder)? {
        let Ok(found) = changed("", &text) else { continue };
        let public = found.functions.into_iter().filter(|(_, line)| is_public(&text, *line)).map(|(name, _)| name);
        let public: BTreeSet<String> = public.collect();
        for version in versions("", &text, &public, EACH).unwrap_or_default() {
            let what = format!("{path}:{}: `{}` {}", version.line, version.of, version.what);
            all.push(Patch { path: path.clone(), before: text.clone(), after: version.text, what });
        }
    }
    Ok(all)
}

/// Whether the function that begins in a line is public, as far as its line tells.
fn is_public(text: &str, line: u32) -> bool {
    let from = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let head = text.lines().skip(from).map(str::trim_start).find(|line| line.contains("fn "));
    head.is_some_and(|line| line.starts_with("pub ") && !line.contains(" unsafe "))
}
