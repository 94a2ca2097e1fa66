//! Whether changed files are still Rust: an edit that leaves a file which does not parse is not taken, and whoever wrote
//! it is told where.

use kaizen_domain::edit::Change;

use crate::error::ApplyError;
use crate::shown::shown;
use crate::syntax::{on_big_stack, parse_file};

/// Checks every changed Rust file that parsed before, or was not there.
///
/// # Errors
/// At the first one that no longer parses, with the place and what the parser said.
pub fn still_parses(changes: &[Change]) -> Result<(), ApplyError> {
    for change in changes.iter().filter(|change| change.path.is_rust()) {
        let text = |state: &Option<kaizen_domain::edit::FileState>| {
            state.as_ref().and_then(|state| String::from_utf8(state.bytes.clone()).ok())
        };
        let (before, Some(after)) = (text(&change.before), text(&change.after)) else { continue };
        let fault = on_big_stack(|| match parse_file(&after) {
            Ok(_) => None,
            // What did not parse before may stay as it is.
            Err(_) if before.as_ref().is_some_and(|before| parse_file(before).is_err()) => None,
            Err(fault) => Some(fault),
        });
        let broken = |line: usize, column: usize, why: String| {
            let quoted = after.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim();
            let (path, quoted) = (change.path.clone(), shown(quoted, 160));
            ApplyError::Broken { path, line, column, why, quoted }
        };
        match fault {
            Ok(None) => {}
            Ok(Some(fault)) => return Err(broken(fault.line, fault.column, shown(&fault.why, 200))),
            Err(fault) => return Err(broken(1, 1, fault.to_string())),
        }
    }
    Ok(())
}

/// Why a text is not Rust, with the line; none when it is.
#[must_use]
pub fn parse_error(text: &str) -> Option<String> {
    match on_big_stack(|| parse_file(text).err()) {
        Ok(fault) => fault.map(|fault| format!("line {}: {}", fault.line, shown(&fault.why, 200))),
        Err(fault) => Some(fault.to_string()),
    }
}
