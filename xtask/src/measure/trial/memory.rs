//! Memory of the runner of trials: the most that a process holds which does nothing else, without its children, while it
//! tries a crate whose tests print as much as they may, and more.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_domain::{RelPath, TrialOutcome};
use kaizen_sandbox::{Cancel, Limits, TreeChange};
use serde_json::{Value, json};

use super::super::run::Run;
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome, git};
use super::{Ours, usual_limits};

/// The most that it may hold, MB.
const BAR: f64 = 50.0;
/// Changes that are tried, and those of a quick run.
const TRIALS: (usize, usize) = (12, 6);
const SOURCE: &str = "src/lib.rs";
/// Bytes that the tests print: what fits, what a test that fails prints, and what is more than it may.
const FITS: usize = 12 << 20;
const TOO_MUCH: usize = 24 << 20;

const LIBRARY: &str = "//! Talks a lot.\n\n/// What is said.\npub fn line(number: usize) -> String {\n    format!(\"line {} of many\", number)\n}\n";

/// Measures it.
///
/// # Errors
/// When the process fails.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("trial-memory")?;
    let tree = scratch.join("tree");
    write_crate(&tree)?;
    let trials = if options.quick { TRIALS.1 } else { TRIALS.0 };
    let this = std::env::current_exe()?;
    let args = |state: PathBuf, trials: usize| -> Vec<std::ffi::OsString> {
        let words = ["worker".into(), "trial-memory".into(), "--tree".into(), tree.clone().into()];
        let more = ["--state".into(), state.into(), "--trials".into(), trials.to_string().into()];
        words.into_iter().chain(more).collect()
    };
    let ended = Run::new(this, Path::new("/")).args(args(scratch.join("state"), trials)).succeed()?;
    let found: Value = serde_json::from_str(ended.stdout.trim())?;
    let megabytes = |name: &str| -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "sizes of programs are far below the limit of exact numbers")]
        found[name].as_u64().map(|bytes| bytes as f64 / 1e6).with_context(|| format!("the worker did not say {name}"))
    };
    let (begun, base, peak) = (megabytes("begun")?, megabytes("base")?, megabytes("peak")?);
    let header = ["what", "peak memory", "samples"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    for (what, value, count) in
        [("the process alone", begun, 1), ("after the base", base, 1), ("after all trials", peak, trials)]
    {
        outcome.table.row([what, &format!("{value:.1} MB"), &count.to_string()]);
    }
    outcome.notes.push(format!("trials: {}", found["ends"].as_str().unwrap_or_default()));
    outcome.require(peak < BAR, format!("the runner holds {peak:.1} MB"));
    outcome.summary = format!("{peak:.1} MB at most over a base and {trials} trials (bar {BAR} MB)");
    Ok(outcome)
}

/// A crate whose tests talk: some are heard only when they fail, one past the harness.
fn write_crate(tree: &Path) -> Result<()> {
    let write = |path: &str, text: &str| -> std::io::Result<()> {
        let file = tree.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(tree))?;
        std::fs::write(file, text)
    };
    write("Cargo.toml", "[package]\nname = \"talker\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")?;
    write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"talker\"\nversion = \"0.1.0\"\n")?;
    write(SOURCE, &format!("{LIBRARY}{}", talk("talks", FITS / 3, "")))?;
    write("tests/all.rs", &format!("use talker::line;\n{}", talk("talks_too", FITS / 3, "")))?;
    write(".gitignore", "/target\n")?;
    git::begin(tree)
}

/// A test that prints so many bytes past the harness, and then does something.
fn talk(name: &str, bytes: usize, then: &str) -> String {
    format!(
        "\n#[test]\nfn {name}() {{\n    use std::io::Write;\n    let mut said = 0;\n    let mut out = std::io::stdout().lock();\n    \
         while said < {bytes} {{\n        let line = line(said) + \"\\n\";\n        out.write_all(line.as_bytes()).unwrap();\n        \
         said += line.len();\n    }}\n    drop(out);\n    {then}\n}}\n"
    )
}

/// A test that prints so many bytes for the harness to keep, which are shown when it fails.
fn talk_and_fail(bytes: usize) -> String {
    format!(
        "\n#[test]\nfn talks_and_fails() {{\n    let mut said = 0;\n    while said < {bytes} {{\n        let line = line(said);\n        \
         println!(\"{{line}}\");\n        said += line.len() + 1;\n    }}\n    panic!(\"enough\");\n}}\n"
    )
}

/// Tries the base and some changes in this process, and says what it held at most.
///
/// # Errors
/// When the crate cannot be tried, or a trial does not end as it is meant to.
pub fn work(tree: &Path, state: &Path, trials: usize) -> Result<Value> {
    let begun = peak()?;
    let limits = Limits { wall: Duration::from_secs(60), ..usual_limits() };
    let ours = Ours::prepare(state, "talker", tree, limits)?;
    let base = peak()?;
    let cancel = Cancel::new()?;
    let source = std::fs::read_to_string(tree.join(SOURCE))?;
    let mut ends = [0_usize; 3];
    for number in 0..trials {
        let more = match number % 3 {
            0 => format!("\n// {number}\n"),
            1 => talk_and_fail(FITS / 3),
            _ => talk("talks_too_much", TOO_MUCH, ""),
        };
        let bytes = format!("{source}{more}").into_bytes();
        let change = TreeChange::Write { path: RelPath::new(SOURCE)?, bytes, executable: false };
        let found = ours.try_changes(&[change], &cancel)?.report;
        let as_meant = match number % 3 {
            2 => matches!(found.outcome, TrialOutcome::LimitHit { .. }),
            _ => found.outcome == TrialOutcome::Ran,
        };
        ensure!(as_meant, "trial {number} ended as {:?}", found.outcome);
        if let Some(count) = ends.get_mut(number % 3) {
            *count += 1;
        }
    }
    let [plain, fail, much] = ends;
    let ends = format!("{plain} pass, {fail} fail, {much} print more than they may; all print 8 MiB or more");
    Ok(json!({ "begun": begun, "base": base, "peak": peak()?, "ends": ends }))
}

/// The most memory that this process has held so far, bytes.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel does not say VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1024)
}
