//! The scan: what rustc and clippy have to say about a tree, as diagnostics.

use std::collections::BTreeSet;
use std::ffi::OsString;

use kaizen_domain::Diagnostic;

use crate::base::WarmBase;
use crate::cargo_json::diagnostic;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::Metadata;
use crate::progress::Progress;
use crate::runner::{Call, Runner, TrialError, Watcher};

/// What is asked of clippy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanSettings {
    /// Lints and groups that are raised to warnings, such as `clippy::pedantic`.
    pub warn: Vec<String>,
    /// Lints that are silenced.
    pub allow: Vec<String>,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Findings, each once, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the tree compiles.
    pub builds: bool,
    /// The last lines cargo printed when it does not.
    pub tail: String,
}

impl Runner {
    /// Runs clippy (or, without it, `cargo check`) over the libraries, programs, tests and examples of the workspace.
    ///
    /// # Errors
    /// When the sandbox cannot run it. Code that does not compile is a result, not an error.
    pub fn scan(
        &self,
        base: &WarmBase,
        changes: Vec<TreeChange>,
        metadata: &Metadata,
        settings: &ScanSettings,
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<Scan, TrialError> {
        let warm = changes.is_empty();
        let call = Call {
            program: self.toolchain.program("cargo"),
            args: arguments(self.toolchain.clippy, metadata, settings),
            changes,
            warm,
            merge_output: true,
            wall: self.settings.build_wall,
            ..Call::default()
        };
        let mut scan = Scan::default();
        let mut seen = BTreeSet::new();
        let mut watcher = Watcher::new(0, on);
        let mut tail: Vec<String> = Vec::new();
        let done = self.call(base, call, cancel, &mut |line| {
            watcher.line(line);
            if let Some(found) = diagnostic(line, &base.folder) {
                // A library is compiled once for itself and once for its tests, and says everything twice.
                if seen.insert(found.key()) {
                    scan.diagnostics.push(found);
                }
            } else if !line.starts_with('{') {
                tail.push(line.to_owned());
                if tail.len() > 20 {
                    tail.remove(0);
                }
            }
        })?;
        scan.builds = done.exit == Exit::Code(0);
        if !scan.builds {
            scan.tail = tail.join("\n");
        }
        scan.diagnostics.sort_by(|a, b| (&a.path, a.bytes, &a.code).cmp(&(&b.path, b.bytes, &b.code)));
        Ok(scan)
    }
}

fn arguments(clippy: bool, metadata: &Metadata, settings: &ScanSettings) -> Vec<OsString> {
    // Not `--all-targets`: benches often need a nightly compiler, and one that fails hides the findings of the rest.
    let mut args: Vec<OsString> = vec![if clippy { "clippy" } else { "check" }.into()];
    args.extend(
        ["--workspace", "--bins", "--tests", "--examples", "--offline", "--keep-going", "--message-format=json"]
            .map(Into::into),
    );
    if metadata.has_library() {
        args.push("--lib".into());
    }
    if clippy {
        // A crate that denies warnings would stop at its first finding.
        args.extend(["--", "--cap-lints", "warn"].map(Into::into));
        for (flag, lints) in [("-W", &settings.warn), ("-A", &settings.allow)] {
            for lint in lints {
                args.extend([flag.into(), OsString::from(lint)]);
            }
        }
    }
    args
}
