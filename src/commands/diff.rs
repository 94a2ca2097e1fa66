//! `kaizen diff`: a patch as a diff that `git apply` and `kaizen try` take.

use std::path::PathBuf;

use crate::commands::show;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Prints the patch.
///
/// # Errors
/// When there is no such patch.
pub fn run(state: Option<PathBuf>, id: &str, json: bool) -> Result<Exit, Failure> {
    let (_, patch, _) = show::patch(state, id)?;
    if json {
        output::json(&serde_json::json!({"of": "patch", "id": patch.id, "title": patch.title, "diff": patch.diff}));
    } else {
        output::text(&patch.diff);
    }
    Ok(Exit::Done)
}
