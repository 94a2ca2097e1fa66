//! `kaizen man`: the manual pages, from the same definitions as the help.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Prints the manual page of the program, or of one command.
///
/// # Errors
/// When there is no such command.
pub fn run(command: Option<&str>) -> Result<Exit, Failure> {
    let mut whole = crate::cli::command();
    // Gives the commands their whole names, such as `kaizen-run-cycle`.
    whole.build();
    let page = match command {
        None => whole,
        Some(name) => match whole.find_subcommand(name) {
            Some(found) => found.clone(),
            None => {
                let names: Vec<&str> = whole.get_subcommands().map(clap::Command::get_name).collect();
                return Err(Failure::input(
                    format!("there is no command `{name}`"),
                    format!("one of: {}", names.join(", ")),
                ));
            }
        },
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|error| Failure::fault(format!("the manual page cannot be made: {error}")))?;
    output::text(&String::from_utf8_lossy(&text));
    Ok(Exit::Done)
}
