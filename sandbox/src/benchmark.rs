//! The program that is written to show that a change is faster: built on a tree, and run. The program comes from whoever
//! claims the change is faster; its clock is ours, and what it prints is compared. Each run has a sandbox of its own, so
//! that one tree's cannot do anything to the other's. What is made of the times is for others to say.

use std::time::Duration;

use kaizen_domain::RelPath;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::{Metadata, Package};
use crate::progress::Progress;
use crate::runner::{Call, Runner, TrialError};

/// What the program is called inside.
const NAME: &str = "kaizen_speed";
/// Fixed; the package's name comes in as an argument and is never part of the script. What is built incrementally is less
/// optimised than what is used later.
const BUILD: &str = "CARGO_INCREMENTAL=0 cargo build --release --offline --package \"$1\" --example kaizen_speed 1>&2 && exec cat \"$CARGO_TARGET_DIR/release/examples/kaizen_speed\"";

/// A run of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRun {
    /// The processor time that it took.
    pub cpu: Duration,
    /// What it printed.
    pub printed: Vec<u8>,
}

/// The package that a program measures: the innermost one with a library below which something changes, or the first one
/// with a library.
#[must_use]
pub fn measured_package<'m>(metadata: &'m Metadata, changes: &[TreeChange]) -> Option<&'m Package> {
    let touched = |package: &Package| changes.iter().any(|change| change.path().as_str().starts_with(package.folder()));
    let has_library = |package: &&Package| package.kinds.iter().any(|kind| kind.contains("lib"));
    let with_library = || metadata.packages.iter().filter(has_library);
    let chosen = with_library().filter(|package| touched(package)).max_by_key(|package| package.manifest.len());
    chosen.or_else(|| with_library().next())
}

impl Runner {
    /// Builds the program as an example of a package in the tree with `changes`; or, as a text, why that cannot be.
    ///
    /// # Errors
    /// When the sandbox cannot run it. What does not build is a result.
    pub fn build_program(
        &self,
        base: &WarmBase,
        package: &Package,
        program: &str,
        changes: &[TreeChange],
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<Result<Vec<u8>, String>, TrialError> {
        let folder = package.folder().trim_end_matches('/');
        let Ok(path) = RelPath::below(folder, &format!("examples/{NAME}.rs")) else {
            return Ok(Err("the package lies where no example can be".to_owned()));
        };
        on(Progress::Compiling { krate: "the benchmark".to_owned(), begun: 1 });
        let mut changes = changes.to_vec();
        changes.push(TreeChange::Write { path, bytes: program.as_bytes().to_vec(), executable: false });
        let args = ["-c", BUILD, "build", &package.name].map(Into::into).into();
        let wall = self.settings.build_wall;
        let call = Call { program: "/bin/sh".into(), args, changes, wall, ..Call::default() };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        if done.exit == Exit::Code(0) && !done.stdout.is_empty() {
            return Ok(Ok(done.stdout));
        }
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        let line = text.lines().find(|line| line.starts_with("error")).unwrap_or("it does not build");
        Ok(Err(format!("the benchmark does not build: {line}")))
    }

    /// Runs the program once, for so long at most; or, as a text, how it failed.
    ///
    /// # Errors
    /// When the sandbox cannot run it. A program that fails is a result.
    pub fn run_program(
        &self,
        base: &WarmBase,
        program: &[u8],
        wall: Duration,
        cancel: &Cancel,
    ) -> Result<Result<ProgramRun, String>, TrialError> {
        let Ok(path) = RelPath::below(&base.folder, NAME) else { return Ok(Err("it cannot be placed".to_owned())) };
        let inside = base.inside(path.as_str());
        let changes = vec![TreeChange::Write { path, bytes: program.to_vec(), executable: true }];
        let call = Call { program: inside.into(), changes, wall, ..Call::default() };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        Ok(match done.exit {
            Exit::Code(0) => Ok(ProgramRun { cpu: done.cpu, printed: done.stdout }),
            other => Err(format!("the benchmark ended by {other}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_package_with_a_library_that_changes_is_measured() {
        let package = |name: &str, folder: &str, kind: &str| Package {
            name: name.to_owned(),
            manifest: format!("{folder}Cargo.toml"),
            kinds: vec![kind.to_owned()],
            edition: "2021".to_owned(),
            roots: Vec::new(),
            benches: Vec::new(),
            needs: Default::default(),
            uses: Vec::new(),
        };
        let packages =
            vec![package("tool", "tool/", "bin"), package("top", "", "lib"), package("inner", "crates/inner/", "rlib")];
        let metadata = Metadata { packages };
        let of = |path: &str| {
            let change = TreeChange::Remove { path: RelPath::new(path).unwrap() };
            measured_package(&metadata, &[change]).map(|package| package.name.as_str())
        };
        assert_eq!(of("crates/inner/src/lib.rs"), Some("inner"));
        assert_eq!(of("src/lib.rs"), Some("top"));
        assert_eq!(of("tool/src/main.rs"), Some("top"));
        assert_eq!(measured_package(&Metadata::default(), &[]), None);
    }
}
