//! `kaizen man`: the manual page, from the same definitions as the help.

use crate::exit::Exit;
use crate::failure::Failure;

/// Prints the manual page.
///
/// # Errors
/// When standard output is closed.
pub fn run() -> Result<Exit, Failure> {
    clap_mangen::Man::new(crate::cli::command())
        .render(&mut std::io::stdout())
        .map_err(|error| Failure::fault(format!("the manual page cannot be printed: {error}")))?;
    Ok(Exit::Done)
}
