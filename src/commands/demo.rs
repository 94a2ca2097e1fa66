//! `kaizen demo`: copies the example repository into a new git repository and runs a whole cycle on it, told in full.
//! Nothing of the example is known to Kaizen: it is a repository like any other.

use std::path::{Path, PathBuf};

use kaizen_repo::Repo;

use crate::commands::carry::carry;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::session::{Session, SessionOptions};
use crate::story::{Detail, Story, Voice};
use crate::terms::CycleTerms;

include!(concat!(env!("OUT_DIR"), "/example.rs"));

/// Runs the demo.
///
/// # Errors
/// When the directory cannot be used, or the cycle cannot go on.
pub fn run(into: Option<PathBuf>, state_dir: Option<PathBuf>, json: bool) -> Result<Exit, Failure> {
    let dir = match into {
        Some(dir) => fresh(dir)?,
        None => temporary()?,
    };
    let at = dir.join("ledger");
    unpack(&at)
        .map_err(|error| Failure::fault(format!("the example cannot be written to {}: {error}", at.display())))?;
    let seconds = i64::try_from(kaizen_agents::Clock::now(&kaizen_agents::SystemClock).0 / 1000).unwrap_or(0);
    Repo::begin(&at, "Begin the ledger", seconds)?;
    // Its state lies beside it, so that the whole demo can be thrown away.
    let state_dir = state_dir.unwrap_or_else(|| dir.join("state"));
    let options = SessionOptions { state_dir: Some(state_dir.clone()), ..SessionOptions::new(&at) };
    let mut session = Session::open(options)?;
    if !json {
        say!(
            "A small invoicing library, with what such libraries have: findings, an unused dependency, a failing test."
        );
        say!("It is copied to {} and made a git repository of its own.\n", at.display());
    }
    let mut story = Story::new(Voice::choose(json), Detail::Full, &session);
    super::runtime()?.block_on(carry(&mut session, CycleTerms::default(), &mut story))?;
    if json {
        output::json(&serde_json::json!({"of": "demo", "repo": at, "state_dir": state_dir}));
    } else {
        say!("\nEverything is in {}; look around with", dir.display());
        say!("  cd {} && git log --stat --all", at.display());
        say!("  export KAIZEN_STATE_DIR={}    so that `kaizen show`, `diff` and `revert` find it", state_dir.display());
    }
    Ok(Exit::Done)
}

fn fresh(dir: PathBuf) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(&dir).map_err(|error| {
        Failure::input(format!("{} cannot be made: {error}", dir.display()), "name another directory")
    })?;
    if dir.join("ledger").exists() {
        return Err(Failure::input(format!("{} holds a ledger already", dir.display()), "name an empty directory"));
    }
    dir.canonicalize().map_err(|error| Failure::fault(format!("{}: {error}", dir.display())))
}

/// A directory that outlives the program: a person wants to look at it afterwards.
fn temporary() -> Result<PathBuf, Failure> {
    let dir = tempfile::Builder::new().prefix("kaizen-demo-").tempdir();
    dir.map(tempfile::TempDir::keep)
        .map_err(|error| Failure::fault(format!("no temporary directory can be made: {error}")))
}

fn unpack(at: &Path) -> std::io::Result<()> {
    for (path, bytes) in EXAMPLE {
        let file = at.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(file, bytes)?;
    }
    Ok(())
}
