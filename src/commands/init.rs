//! `kaizen init`: writes a commented kaizen.toml, never over one that is there.

use std::io::Write as _;
use std::path::Path;

use kaizen_repo::Repo;
use kaizen_settings::{DEFAULTS, explain};

use crate::exit::Exit;
use crate::failure::Failure;

/// The line from which on the defaults are a person's own and not a repository's.
const OWN_PART: &str = "# The sections below are yours";

/// Writes the file at the top of the repository, or explains a section.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub fn run(repo: &Path, section: Option<&str>) -> Result<Exit, Failure> {
    if let Some(section) = section {
        print!("{}", explain(Some(section).filter(|section| !section.is_empty())));
        return Ok(Exit::Done);
    }
    let top = Repo::open(repo)?.top().ok_or_else(|| {
        Failure::input("the repository is bare, so there is no work tree to write kaizen.toml to", "run it in a clone")
    })?;
    let path = top.join("kaizen.toml");
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
        let help = "`kaizen init --explain` shows every key; move the file away to begin anew";
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => Failure::input(format!("{} is there already", path.display()), help),
            _ => Failure::fault(format!("{} cannot be written: {error}", path.display())),
        }
    })?;
    file.write_all(commented().as_bytes()).map_err(|error| Failure::fault(format!("{}: {error}", path.display())))?;
    println!("wrote {}: every key with its default, all commented out", path.display());
    if let Some(own) = crate::state_dir::own_settings() {
        println!("settings about this machine (model, sandbox) belong in {}", own.display());
    }
    Ok(Exit::Done)
}

/// The defaults that a repository may set, with every key commented out: a file that changes nothing until edited.
fn commented() -> String {
    let shared = DEFAULTS.split(OWN_PART).next().unwrap_or(DEFAULTS);
    let lines = shared.lines().map(|line| {
        let key = !line.is_empty() && !line.starts_with('#') && !line.starts_with('[');
        if key { format!("# {line}\n") } else { format!("{line}\n") }
    });
    format!("{}\n", lines.collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use kaizen_settings::{Layer, Origin, Settings, load};

    #[test]
    fn what_init_writes_is_taken_and_changes_nothing() {
        let text = super::commented();
        let layer = Layer { file: "kaizen.toml".to_owned(), text, origin: Origin::Repository };
        assert_eq!(load(&[layer]).unwrap(), Settings::default());
    }
}
