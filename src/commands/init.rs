//! `kaizen init`: writes a commented kaizen.toml, never over one that is there.

use std::io::Write as _;
use std::path::Path;

use kaizen_settings::nearest::nearest;
use kaizen_settings::{DEFAULTS, explain};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::project;

/// The line from which on the defaults are a person's own and not a repository's.
const OWN_PART: &str = "# The sections below are yours";

/// Writes the file at the top of the repository, or explains a section.
///
/// # Errors
/// When there is a file already, or it cannot be written.
pub fn run(repo: &Path, section: Option<&str>, json: bool) -> Result<Exit, Failure> {
    if let Some(section) = section {
        return explained(section, json);
    }
    let top = project::open(repo)?.top().ok_or_else(|| {
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
    let own = crate::state_dir::own_settings();
    if json {
        output::json(&serde_json::json!({"of": "init", "wrote": path, "own_settings": own}));
        return Ok(Exit::Done);
    }
    say!("wrote {}: every key with its default, all commented out", path.display());
    if let Some(own) = own {
        say!("settings about this machine (model, sandbox) belong in {}", own.display());
    }
    Ok(Exit::Done)
}

/// Prints a section of the defaults, or all of them.
fn explained(section: &str, json: bool) -> Result<Exit, Failure> {
    let mut known: Vec<&str> = DEFAULTS.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']')).collect();
    known.push("providers");
    // A key is explained by its section.
    let name = section.split('.').next().unwrap_or_default();
    if !section.is_empty() && !known.contains(&name) {
        let help = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `kaizen init --explain {meant}`?"),
            None => format!("the sections are {}", known.join(", ")),
        };
        return Err(Failure::input(format!("there is no section `{section}`"), help));
    }
    let text = explain(Some(name).filter(|name| !name.is_empty()));
    if json {
        output::json(&serde_json::json!({"of": "explained", "section": name, "text": text}));
    } else {
        output::text(&text);
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
