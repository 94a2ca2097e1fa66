//! Reads cargo's JSON messages: diagnostics of the compiler and of clippy, and the executables that were built.
//!
//! Unknown messages and fields are passed over: cargo adds new ones. File names come from the compiler and are
//! checked; a diagnostic whose primary span lies outside the repository (a dependency, a macro of std) has no path.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::{Diagnostic, Level, RelPath, Tool};
use serde::Deserialize;

/// Executables by path, and packages by crate name.
#[derive(Debug, Clone, Default)]
pub struct Artifacts {
    executables: BTreeMap<String, String>,
    packages: BTreeMap<String, String>,
    /// Executables that hold tests, by file name.
    tests: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    test: bool,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<String>,
    message: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(default)]
    kind: Vec<String>,
    #[serde(default)]
    name: String,
}

impl Artifacts {
    /// Takes one line of output; lines that are no artifact message are passed over.
    pub fn line(&mut self, line: &str) {
        if !line.starts_with("{\"reason\":\"compiler-artifact\"") {
            return;
        }
        let Ok(Message { package_id, target: Some(target), executable, profile, .. }) = serde_json::from_str(line)
        else {
            return;
        };
        let package = package_name(&package_id);
        let kind = target.kind.first().map_or("", String::as_str);
        if is_library(kind) {
            self.packages.insert(target.name.replace('-', "_"), package.clone());
        }
        if let Some(executable) = executable {
            let name =
                if is_library(kind) { format!("{package}/lib") } else { format!("{package}/{kind} {}", target.name) };
            let file = executable.rsplit('/').next().unwrap_or(&executable).to_owned();
            if profile.is_some_and(|profile| profile.test) {
                self.tests.insert(file.clone());
            }
            self.executables.insert(file, name);
        }
    }

    /// Takes up what another call of cargo announced.
    pub fn extend(&mut self, other: &Self) {
        self.executables.extend(other.executables.clone());
        self.packages.extend(other.packages.clone());
        self.tests.extend(other.tests.iter().cloned());
    }

    /// The target of an executable as cargo names it in `Running .. (target/debug/deps/NAME)`.
    #[must_use]
    pub fn target_of(&self, executable: &str) -> Option<String> {
        self.executables.get(executable.rsplit('/').next()?).cloned()
    }

    /// The package whose library has this crate name; the name itself when it is not known.
    #[must_use]
    pub fn package_of_crate(&self, name: &str) -> String {
        self.packages.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// How many test programs were announced.
    #[must_use]
    pub fn len(&self) -> usize {
        self.executables.len()
    }

    /// Whether an executable holds tests, by its file name.
    #[must_use]
    pub fn holds_tests(&self, file: &str) -> bool {
        self.tests.contains(file)
    }

    /// The programs that hold tests: file name, then target.
    pub fn test_programs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tests.iter().filter_map(|file| Some((file.as_str(), self.executables.get(file)?.as_str())))
    }

    /// How many of them hold tests.
    #[must_use]
    pub fn tests(&self) -> usize {
        self.tests.len()
    }

    /// Whether none was announced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.executables.is_empty()
    }
}

fn is_library(kind: &str) -> bool {
    matches!(kind, "lib" | "rlib" | "dylib" | "cdylib" | "staticlib" | "proc-macro")
}

/// The package's name in a package id: `path+file:///repo#name@1.0.0`, `path+file:///repo/name#1.0.0`, or the older
/// `name 1.0.0 (path+file:///repo)`.
fn package_name(id: &str) -> String {
    if let Some((name, _)) = id.split_once(' ') {
        return name.to_owned();
    }
    let Some((url, fragment)) = id.rsplit_once('#') else { return id.to_owned() };
    match fragment.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => url.rsplit('/').next().unwrap_or(url).to_owned(),
    }
}

#[derive(Deserialize)]
struct CompilerMessage {
    #[serde(default)]
    message: String,
    code: Option<Code>,
    #[serde(default)]
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<CompilerMessage>,
    #[serde(default)]
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    #[serde(default)]
    byte_start: u32,
    #[serde(default)]
    byte_end: u32,
    #[serde(default)]
    line_start: u32,
    #[serde(default)]
    is_primary: bool,
    suggestion_applicability: Option<String>,
}

impl CompilerMessage {
    fn fixable(&self) -> bool {
        let own = self.spans.iter().any(|span| span.suggestion_applicability.as_deref() == Some("MachineApplicable"));
        own || self.children.iter().any(Self::fixable)
    }
}

/// Reads one line; `None` when it is not a warning or an error that names a lint, a code or a place.
///
/// `folder` is where the workspace lies below the top of the repository: cargo's paths start there.
#[must_use]
pub fn diagnostic(line: &str, folder: &str) -> Option<Diagnostic> {
    if !line.starts_with("{\"reason\":\"compiler-message\"") {
        return None;
    }
    let Message { reason, package_id, message: Some(raw), .. } = serde_json::from_str(line).ok()? else { return None };
    debug_assert_eq!(reason, "compiler-message");
    let raw_text = raw.to_string();
    let message: CompilerMessage = serde_json::from_value(raw).ok()?;
    let level = match message.level.as_str() {
        "error" | "error: internal compiler error" => Level::Error,
        "warning" => Level::Warning,
        _ => return None,
    };
    let code = message.code.as_ref().map(|code| code.code.clone()).unwrap_or_default();
    let primary = message.spans.iter().find(|span| span.is_primary);
    if code.is_empty() && primary.is_none() {
        return None; // "2 warnings emitted", "aborting due to .."
    }
    let tool = if code.starts_with("clippy::") { Tool::Clippy } else { Tool::Rustc };
    let fixable = message.fixable();
    let path = primary.and_then(|span| RelPath::below(folder, &span.file_name).ok());
    Some(Diagnostic {
        tool,
        level,
        package: package_name(&package_id),
        fixable: fixable && path.is_some(),
        line: primary.map_or(0, |span| span.line_start),
        bytes: primary.map_or((0, 0), |span| (span.byte_start, span.byte_end)),
        path,
        rendered: message.rendered.clone().unwrap_or_default(),
        raw: if fixable { raw_text } else { String::new() },
        message: message.message,
        code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn package_ids_of_all_ages_are_read() {
        for id in
            ["path+file:///repo#ledger@0.1.0", "path+file:///repo/ledger#0.1.0", "ledger 0.1.0 (path+file:///repo)"]
        {
            assert_eq!(package_name(id), "ledger");
        }
    }

    #[test]
    fn a_machine_applicable_suggestion_in_a_child_makes_it_fixable() {
        let line = r#"{"reason":"compiler-message","package_id":"path+file:///repo#a@0.1.0","message":{"message":"needless","code":{"code":"clippy::needless_return"},"level":"warning","spans":[{"file_name":"src/lib.rs","byte_start":3,"byte_end":9,"line_start":2,"is_primary":true}],"children":[{"message":"remove","level":"help","spans":[{"file_name":"src/lib.rs","is_primary":true,"suggestion_applicability":"MachineApplicable"}],"children":[]}],"rendered":"warning"}}"#;
        let got = diagnostic(line, "tool").unwrap();
        assert_eq!((got.tool, got.fixable, got.line), (Tool::Clippy, true, 2));
        assert_eq!(got.path.unwrap().as_str(), "tool/src/lib.rs");
    }

    #[test]
    fn a_span_outside_the_repository_has_no_path() {
        let line = r#"{"reason":"compiler-message","message":{"message":"m","code":{"code":"x"},"level":"warning","spans":[{"file_name":"/toolchain/std.rs","is_primary":true}],"children":[]}}"#;
        assert_eq!(diagnostic(line, "").unwrap().path, None);
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_passed_over(rest in "\\PC{0,80}") {
            let _ = diagnostic(&format!("{{\"reason\":\"compiler-message\"{rest}"), "");
            Artifacts::default().line(&format!("{{\"reason\":\"compiler-artifact\"{rest}"));
        }
    }
}
