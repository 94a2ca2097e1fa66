//! `kaizen daemon`: works until it is asked to end; `kaizen daemon install` writes the unit by which systemd starts it.

use std::path::PathBuf;

use crate::arguments::{DaemonAction, DaemonArgs, Global};
use crate::daemon::service::Unit;
use crate::daemon::{DaemonOptions, repositories_of, run as serve};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::state_dir;

/// Runs the daemon, or writes its unit.
///
/// # Errors
/// When the settings cannot be used, or the unit cannot be written.
pub fn run(args: DaemonArgs, global: Global) -> Result<Exit, Failure> {
    let settings = global.settings.or_else(state_dir::own_settings).ok_or_else(|| {
        Failure::input("there is no settings file to find repositories in", "name one with `--settings`")
    })?;
    let settings = settings.canonicalize().unwrap_or(settings);
    let options = DaemonOptions { settings, state_dir: state_dir::resolve(global.state_dir)? };
    match args.action {
        None => serve(&options),
        Some(DaemonAction::Install(install)) => {
            let unit = Unit {
                program: std::env::current_exe().map_err(|error| Failure::fault(format!("where am I? {error}")))?,
                repositories: repositories_of(&options)?,
                settings: options.settings.clone(),
                state_dir: options.state_dir.clone(),
                system_user: install.system.then(user).transpose()?,
                toolchain: toolchain(),
                path: std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned()),
            };
            let text = unit.text()?;
            if install.print {
                output::text(&text);
                return Ok(Exit::Done);
            }
            let place = unit.place()?;
            write(&place, &text)?;
            let scope = if install.system { "" } else { "--user " };
            say!("wrote {}", place.display());
            say!("  start     systemctl {scope}daemon-reload && systemctl {scope}enable --now kaizen");
            say!("  look      kaizen status --follow, journalctl {scope}-u kaizen");
            if !install.system {
                say!("  stay      loginctl enable-linger (so that it runs while you are not logged in)");
            }
            Ok(Exit::Done)
        }
    }
}

fn write(place: &std::path::Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::input(
            format!("{} cannot be written: {error}", place.display()),
            "use `--print` and put it where it belongs",
        )
    };
    if let Some(dir) = place.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    std::fs::write(place, text).map_err(failed)
}

/// The folders of rustup and cargo: crates are fetched into one of them.
fn toolchain() -> Vec<PathBuf> {
    let home = std::env::home_dir();
    let folder = |name: &str, else_in: &str| {
        std::env::var_os(name).map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(else_in)))
    };
    [folder("CARGO_HOME", ".cargo"), folder("RUSTUP_HOME", ".rustup")]
        .into_iter()
        .flatten()
        .filter(|path| path.exists())
        .collect()
}

/// Who a unit of the whole machine runs as: whoever writes it, and not root.
fn user() -> Result<String, Failure> {
    let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default();
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if !plain || name == "root" {
        return Err(Failure::input(
            "a service of the whole machine must not run as root, and no other user is known",
            "run it with sudo as the user whose repositories these are, or set USER",
        ));
    }
    Ok(name)
}
