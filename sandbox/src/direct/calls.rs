//! How cargo called the compiler while it built the base: each call with its folder, its environment and its arguments,
//! noted down by a wrapper that cargo was told to use, and what each call made from which sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::{WarmBase, read_plain};
use crate::cargo_json::Artifacts;
use crate::isolation::MOST_TASKS;
use crate::runner::TrialError;
use crate::toolchain::Toolchain;

/// Notes down a call and makes it. Nothing of its own is left in the environment of the call.
const RUSTC: &str = "#!/bin/sh\nnotes='NOTES'\nprintf '%s\\0' \"$PWD\" \"$@\" > \"$notes/rustc.$$\"\n\
                     env -0 > \"$notes/rustc.$$.env\"\nunset RUSTC_WRAPPER notes\nexec \"$@\"\n";
/// Notes down a call and leaves it at that: tests in docs are run later.
const RUSTDOC: &str = "#!/bin/sh\nnotes='NOTES'\nif [ \"$1\" = -vV ] || [ \"$1\" = --version ]; then exec 'TOOL' \"$@\"; fi\n\
                       printf '%s\\0' \"$PWD\" \"$@\" > \"$notes/rustdoc.$$\"\n\
                       env -0 > \"$notes/rustdoc.$$.env\"\n";

/// The largest note that is read, bytes; a call has less.
const NOTE: u64 = 4 << 20;

/// Names in the environment that belong to the call of cargo itself.
const NOT_KEPT: [&str; 8] =
    ["RUSTC_WRAPPER", "RUSTDOC", "CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS", "PWD", "OLDPWD", "SHLVL"];

/// A folder on the host for notes.
pub(crate) struct Noted {
    pub(crate) dir: PathBuf,
    /// What cargo said that it built.
    pub(crate) artifacts: Artifacts,
}

impl Noted {
    /// A fresh folder with the wrappers in it.
    pub(crate) fn new(base: &WarmBase, toolchain: &Toolchain) -> Result<Self, TrialError> {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = base.notes_dir();
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).map_err(TrialError::io("creating", &dir))?;
        for (name, text) in [("rustc", RUSTC), ("rustdoc", RUSTDOC)] {
            let file = dir.join(name);
            let within_quotes = |path: &Path| path.display().to_string().replace('\'', "'\\''");
            let text = text
                .replace("NOTES", &within_quotes(base.notes_inside()))
                .replace("TOOL", &within_quotes(&toolchain.program("rustdoc")));
            std::fs::write(&file, text).map_err(TrialError::io("writing", &file))?;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))
                .map_err(TrialError::io("writing", &file))?;
        }
        Ok(Self { dir, artifacts: Artifacts::default() })
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// All calls that concern sources of the repository.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Calls {
    pub(crate) units: Vec<Unit>,
    pub(crate) docs: Vec<DocCall>,
}

/// A call of the compiler.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) cwd: String,
    pub(crate) env: BTreeMap<String, String>,
    /// Without the compiler's own name.
    pub(crate) args: Vec<String>,
    pub(crate) package: String,
    /// The name of the crate, with its suffix: what files of its are called.
    pub(crate) stem: String,
    pub(crate) out_dir: String,
    /// The target whose tests it holds, as test ids name it, and the program.
    pub(crate) tests: Option<String>,
    pub(crate) kind: Kind,
    /// What it was made from, absolute and inside.
    pub(crate) sources: Vec<String>,
    /// Files of other calls that it was made with.
    pub(crate) externs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Library,
    /// A library, a program or an example as a program of tests.
    Tests,
    Program,
    Example,
    /// A build script, a macro, or a library for others than Rust: cargo does more with it than to call the compiler.
    Special,
}

/// A call of rustdoc that runs the tests in the docs of a library.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DocCall {
    pub(crate) cwd: String,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) args: Vec<String>,
    /// As test ids name it.
    pub(crate) target: String,
    pub(crate) externs: Vec<String>,
}

impl Unit {
    /// The source that the crate begins with, absolute and inside.
    pub(crate) fn root(&self) -> String {
        let source = self.args.iter().find(|arg| arg.ends_with(".rs") && !arg.starts_with('-'));
        source.map(|source| absolute(&self.cwd, source)).unwrap_or_default()
    }

    /// The folder of its package.
    pub(crate) fn package_dir(&self) -> &str {
        self.env.get("CARGO_MANIFEST_DIR").map_or("", String::as_str)
    }

    /// The name of the crate.
    pub(crate) fn krate(&self) -> String {
        value_of(&self.args, "--crate-name").unwrap_or_default().to_owned()
    }

    /// Where a program or an example is found by its own name.
    pub(crate) fn uplifted(&self) -> Option<String> {
        let name = self.env.get("CARGO_BIN_NAME")?;
        match self.kind {
            Kind::Example => Some(format!("{}/{name}", self.out_dir)),
            Kind::Program => Some(format!("{}/{name}", self.out_dir.rsplit_once('/')?.0)),
            _ => None,
        }
    }

    /// The program that it makes.
    pub(crate) fn program(&self) -> String {
        format!("{}/{}", self.out_dir, self.stem)
    }
}

impl Calls {
    /// Whether any crate is built with a feature of this name.
    pub(super) fn has_feature(&self, name: &str) -> bool {
        let set = format!("feature=\"{name}\"");
        let args = self.units.iter().flat_map(|unit| &unit.args).chain(self.docs.iter().flat_map(|doc| &doc.args));
        args.into_iter().any(|arg| arg.contains(&set))
    }

    /// Reads what was noted down; `None` when that is not all there is to know.
    pub(crate) fn read(base: &WarmBase, noted: &Noted) -> Option<Self> {
        let mut calls = Self::default();
        for entry in std::fs::read_dir(&noted.dir).ok()? {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            if name.ends_with(".env") || !name.contains('.') {
                continue;
            }
            let words = words(&read_plain(&path, NOTE)?)?;
            let env = environment(&read_plain(&path.with_file_name(format!("{name}.env")), NOTE)?)?;
            let (cwd, args) = words.split_first()?;
            if name.starts_with("rustdoc.") {
                calls.docs.extend(doc_call(cwd, args, env, &noted.artifacts));
            } else if let Some(unit) = unit(base, cwd, args.get(1..)?, env, &noted.artifacts)? {
                calls.units.push(unit);
            }
        }
        calls.units = in_order(calls.units)?;
        calls.docs.sort_by(|one, other| one.target.cmp(&other.target));
        // Every program of tests that cargo knows must have been made by one of the calls.
        let made = calls.units.iter().filter(|unit| unit.tests.is_some()).count();
        let fits = calls.units.len() + calls.docs.len() < MOST_TASKS;
        (fits && made > 0 && made == noted.artifacts.tests()).then_some(calls)
    }
}

fn words(bytes: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(bytes.strip_suffix(b"\0")?).ok()?;
    Some(text.split('\0').map(str::to_owned).collect())
}

fn environment(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let all = words(bytes)?;
    let pairs = all.iter().filter_map(|pair| pair.split_once('='));
    Some(
        pairs
            .filter(|(name, _)| !NOT_KEPT.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    )
}

pub(super) fn value_of<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let at = args.iter().position(|arg| arg == name);
    at.and_then(|at| args.get(at + 1))
        .map(String::as_str)
        .or_else(|| args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('=')))
}

/// The value of a `-C name=value`.
pub(super) fn codegen<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().find_map(|arg| arg.strip_prefix("-C").unwrap_or(arg).strip_prefix(name)?.strip_prefix('='))
}

fn externs(args: &[String]) -> Vec<String> {
    let named = args.windows(2).filter(|pair| matches!(pair, [flag, _] if flag == "--extern"));
    named.filter_map(|pair| pair.get(1)?.split_once('=').map(|(_, path)| path.to_owned())).collect()
}

/// The folder of a path.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn absolute(cwd: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") }
}

/// A call as a unit: `Some(None)` for one that is not about sources of the repository, `None` for one that cannot be
/// understood.
#[expect(clippy::option_option, reason = "three answers: not ours, not understood, ours")]
fn unit(
    base: &WarmBase,
    cwd: &str,
    args: &[String],
    env: BTreeMap<String, String>,
    artifacts: &Artifacts,
) -> Option<Option<Unit>> {
    let dir = env.get("CARGO_MANIFEST_DIR").cloned().unwrap_or_default();
    let ours = base.below_tree(&format!("{dir}/")).is_some();
    let Some(krate) = value_of(args, "--crate-name").filter(|name| ours && *name != "___") else { return Some(None) };
    let stem = format!("{krate}{}", codegen(args, "extra-filename").unwrap_or(""));
    let out_dir = value_of(args, "--out-dir")?.to_owned();
    let types: Vec<&str> = args
        .windows(2)
        .filter_map(|pair| match pair {
            [flag, kind] if flag == "--crate-type" => Some(kind.as_str()),
            _ => None,
        })
        .collect();
    // A program of tests without the usual harness is called like any other program.
    let tests = args.iter().any(|arg| arg == "--test") || artifacts.holds_tests(&stem);
    let kind = match types.as_slice() {
        _ if krate == "build_script_build" || krate.starts_with("build_script_") => Kind::Special,
        ["proc-macro"] => Kind::Special,
        _ if tests => Kind::Tests,
        ["lib" | "rlib"] => Kind::Library,
        ["bin"] if out_dir.ends_with("/examples") => Kind::Example,
        ["bin"] => Kind::Program,
        _ => Kind::Special,
    };
    let sources = sources(base, cwd, &out_dir, &stem)?;
    let tests = if kind == Kind::Tests { Some(artifacts.target_of(&stem)?) } else { None };
    Some(Some(Unit {
        cwd: cwd.to_owned(),
        package: env.get("CARGO_PKG_NAME").cloned()?,
        env,
        args: args.to_vec(),
        stem,
        out_dir,
        tests,
        kind,
        sources,
        externs: externs(args),
    }))
}

/// What the compiler says that it read.
fn sources(base: &WarmBase, cwd: &str, out_dir: &str, stem: &str) -> Option<Vec<String>> {
    let inside = format!("{out_dir}/{stem}.d");
    let text = String::from_utf8(base.read_plain(base.below_tree(&inside)?, 16 << 20)?).ok()?;
    let mut sources: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, list)) = line.split_once(": ") else { continue };
        // A space in a name is written with a backslash before it.
        let list = list.replace("\\ ", "\u{0}");
        sources.extend(list.split_whitespace().map(|name| absolute(cwd, &name.replace('\u{0}', " "))));
    }
    sources.sort();
    sources.dedup();
    Some(sources)
}

fn doc_call(cwd: &str, args: &[String], env: BTreeMap<String, String>, artifacts: &Artifacts) -> Option<DocCall> {
    let krate = value_of(args, "--crate-name")?;
    Some(DocCall {
        cwd: cwd.to_owned(),
        target: format!("{}/doc", artifacts.package_of_crate(krate)),
        externs: externs(args),
        args: args.to_vec(),
        env,
    })
}

/// Units behind those that they are made with; `None` when two have the same name or one needs itself.
fn in_order(mut left: Vec<Unit>) -> Option<Vec<Unit>> {
    left.sort_by(|one, other| one.stem.cmp(&other.stem));
    let twice = left.windows(2).any(|pair| matches!(pair, [one, other] if one.stem == other.stem));
    if twice {
        return None;
    }
    let mut done: Vec<Unit> = Vec::new();
    while !left.is_empty() {
        let (ready, waiting): (Vec<Unit>, Vec<Unit>) =
            left.iter().cloned().partition(|unit| !left.iter().any(|other| needs(unit, other)));
        if ready.is_empty() {
            return None;
        }
        done.extend(ready);
        left = waiting;
    }
    Some(done)
}

/// Whether a unit is made with another one.
pub(crate) fn needs(unit: &Unit, other: &Unit) -> bool {
    made_with(&unit.externs, other)
        || (other.kind == Kind::Program
            && other
                .env
                .get("CARGO_BIN_NAME")
                .is_some_and(|name| unit.env.contains_key(&format!("CARGO_BIN_EXE_{name}"))))
}

/// Whether one of the files is what a unit made.
pub(crate) fn made_with(externs: &[String], unit: &Unit) -> bool {
    externs.iter().any(|path| {
        let file = path.rsplit('/').next().unwrap_or(path);
        let name = file.split('.').next().unwrap_or(file);
        name.strip_prefix("lib").unwrap_or(name) == unit.stem
    })
}
