//! `kaizen diff`: a patch as a diff that `git apply` and `kaizen try` take.

use std::path::PathBuf;

use kaizen_journal::Noun;

use crate::commands::show;
use crate::exit::Exit;
use crate::failure::Failure;

/// Prints the patch.
///
/// # Errors
/// When there is no such patch.
pub fn run(state: Option<PathBuf>, id: &str, json: bool) -> Result<Exit, Failure> {
    let (_, patch) = show::patch(state, id, Noun::Patch)?;
    if json {
        println!("{}", serde_json::json!({"of": "patch", "id": patch.id, "title": patch.title, "diff": patch.diff}));
    } else {
        print!("{}", patch.diff);
    }
    Ok(Exit::Done)
}
