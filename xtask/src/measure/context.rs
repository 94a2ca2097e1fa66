//! Context: what a task is shown. How long the choice takes in a workspace of 100,000 lines, with nothing known and with
//! the sources known; and whether what a single-function task needs is in it: the item, every function that calls it,
//! and its tests, within 8,000 tokens. Who calls whom is found out here in another way: by the text and its indentation.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kaizen_context::{Focus, Index, Selection, SourceFile, select};
use kaizen_domain::RelPath;
use kaizen_llm::Tokenizer;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::corpus::{self, CrateName};
use super::dice::Dice;
use super::run::{Run, cargo};
use super::samples::{Samples, shown};
use super::scratch::{Scratch, everything_below};
use super::table::Table;
use super::{Options, Outcome};

/// Lines of the large workspace.
const LINES: usize = 100_000;
const COLD: Duration = Duration::from_secs(3);
const WARM: Duration = Duration::from_millis(500);
/// What a task may be shown, tokens.
const ROOM: u64 = 8_000;
const TASKS: usize = 20;
const BAR: usize = 19;
const CRATES: [&str; 6] =
    ["heck@0.5.0", "humantime@2.4.0", "arrayvec@0.7.8", "url@2.5.8", "csv@1.4.0", "semver@1.0.28"];

/// Measures it.
///
/// # Errors
/// When the sources cannot be had.
pub fn measure(options: &Options) -> Result<Outcome> {
    let header = ["what", "median", "slowest", "bar", "samples"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (cold, warm, lines) = times(options, &mut outcome)?;
    let (found, tokens) = tasks(options, &mut outcome)?;
    outcome.require(cold < COLD, format!("chosen cold in {}", shown(cold)));
    outcome.require(warm < WARM, format!("chosen warm in {}", shown(warm)));
    outcome.require(found >= BAR, format!("{found} of {TASKS} tasks have what they need"));
    outcome.summary = format!(
        "{lines} lines: {} cold (bar {}), {} warm (bar {}); {found} of {TASKS} tasks have item, callers and tests (bar {BAR}), \
         {tokens} tokens at most",
        shown(cold),
        shown(COLD),
        shown(warm),
        shown(WARM)
    );
    Ok(outcome)
}

/// The slowest choice with nothing known and with the sources known, and how many lines there were.
fn times(options: &Options, outcome: &mut Outcome) -> Result<(Duration, Duration, usize)> {
    let files = workspace()?;
    let lines: usize = files.iter().map(|file| file.text.lines().count()).sum();
    let samples = if options.quick { 3 } else { 9 };
    let (mut cold, mut warm): (Samples, Samples) = ([].into_iter().collect(), [].into_iter().collect());
    let mut dice = Dice(options.seed);
    // The tables of the tokenizer are read once in the life of a process, whatever is asked.
    let count = |text: &str| Tokenizer::O200k.count(text).0;
    count("warm");
    let mut items = 0;
    for _ in 0..samples {
        let focus = somewhere(&files, &mut dice);
        let started = Instant::now();
        let index = Index::of(files.clone(), None);
        let _ = select(&index, &focus, ROOM, &count);
        cold.add(started.elapsed());
        let focus = somewhere(&files, &mut dice);
        let started = Instant::now();
        let again = Index::of(files.clone(), Some(&index));
        let _ = select(&again, &focus, ROOM, &count);
        warm.add(started.elapsed());
        items = again.items();
    }
    for (what, samples, bar) in [("cold", &cold, COLD), ("warm", &warm, WARM)] {
        let cells = [format!("{lines} lines, {what}"), shown(samples.median()), shown(samples.max()), shown(bar)];
        outcome.table.row(cells.into_iter().chain([samples.count().to_string()]));
    }
    outcome.notes.push(format!(
        "the large workspace is {} files of the crates that this one depends on, {items} items; warm: the sources are known and \
         the task is another one",
        files.len()
    ));
    Ok((cold.max(), warm.max(), lines))
}

/// Sources of the crates that this workspace depends on, as cargo has them, until there are enough lines.
fn workspace() -> Result<Vec<SourceFile>> {
    let metadata =
        Run::new(cargo(), &crate::root()).args(["metadata", "--format-version", "1", "--offline"]).succeed()?;
    let metadata: Value = serde_json::from_str(metadata.stdout.trim())?;
    let mut folders: Vec<PathBuf> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| !package["source"].is_null())
        .filter_map(|package| Some(Path::new(package["manifest_path"].as_str()?).parent()?.to_path_buf()))
        .collect();
    folders.sort();
    let (mut files, mut lines) = (Vec::new(), 0);
    for folder in folders {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Bindings that a program wrote are no workspace that anybody works in.
        if name.starts_with("windows") || name.starts_with("linux-raw-sys") || name.starts_with("web-sys") {
            continue;
        }
        for file in sources(&folder, &name)? {
            lines += file.text.lines().count();
            files.push(file);
            if lines >= LINES {
                return Ok(files);
            }
        }
    }
    anyhow::bail!("the dependencies have no more than {lines} lines of Rust")
}

fn sources(folder: &Path, below: &str) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for path in everything_below(folder) {
        let rust = path.extension().is_some_and(|end| end == "rs") && !path.starts_with("target");
        let Ok(text) = std::fs::read_to_string(folder.join(&path)) else { continue };
        if !rust || text.len() > 1 << 20 {
            continue;
        }
        let Ok(path) = RelPath::new(format!("{below}/{}", path.display())) else { continue };
        files.push(SourceFile { path, key: hex(&text), text: Arc::from(text) });
    }
    Ok(files)
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn somewhere(files: &[SourceFile], dice: &mut Dice) -> Focus {
    let file = dice.one(files);
    let line = usize::try_from(dice.below(file.text.lines().count() as u64)).unwrap_or(0) + 1;
    Focus { reach: vec![file.path.clone()], places: vec![(file.path.clone(), line)], ..Focus::default() }
}

/// A function with those who need it, found by the text.
struct Task {
    path: RelPath,
    name: String,
    line: usize,
    /// The lines of calls: the file and the line.
    calls: Vec<(RelPath, usize)>,
    /// Whether a call stands in a test; otherwise a test of a caller will do.
    tests: Vec<(RelPath, usize)>,
}

fn tasks(options: &Options, outcome: &mut Outcome) -> Result<(usize, u64)> {
    let scratch = Scratch::new("context")?;
    let usual = CRATES.iter().map(|name| name.parse::<CrateName>().map_err(anyhow::Error::msg));
    let crates = if options.crates.is_empty() { usual.collect::<Result<Vec<_>>>()? } else { options.crates.clone() };
    let mut all: Vec<(Arc<Index>, Task)> = Vec::new();
    for name in &crates {
        let folder = scratch.join(name.to_string());
        corpus::repository(name, &folder)?;
        let files = sources(&folder, "c")?;
        let index = Arc::new(Index::of(files.clone(), None));
        all.extend(tasks_of(&files).into_iter().map(|task| (Arc::clone(&index), task)));
    }
    ensure!(all.len() >= TASKS, "these crates have {} functions with few callers and a test", all.len());
    let mut dice = Dice(options.seed);
    let count = |text: &str| Tokenizer::O200k.count(text).0;
    let (mut found, mut most) = (0, 0);
    for _ in 0..TASKS {
        let at = usize::try_from(dice.below(all.len() as u64)).unwrap_or(0);
        let (index, task) = all.swap_remove(at);
        let focus =
            Focus { reach: vec![task.path.clone()], places: vec![(task.path.clone(), task.line)], ..Focus::default() };
        let selection = select(&index, &focus, ROOM, &count);
        most = most.max(selection.tokens);
        let missing = missing(&task, &selection);
        if missing.is_empty() && selection.tokens <= ROOM {
            found += 1;
        } else {
            outcome.notes.push(format!("{} `{}`: not in it: {}", task.path, task.name, missing.join(", ")));
        }
    }
    Ok((found, most))
}

fn missing(task: &Task, selection: &Selection) -> Vec<String> {
    let shown = |(path, line): &(RelPath, usize)| {
        selection
            .pieces
            .iter()
            .any(|piece| piece.path == *path && piece.lines.is_none_or(|(first, last)| (first..=last).contains(line)))
    };
    let mut missing = Vec::new();
    if !shown(&(task.path.clone(), task.line)) {
        missing.push("the item".to_owned());
    }
    missing
        .extend(task.calls.iter().filter(|call| !shown(call)).map(|(path, line)| format!("the call at {path}:{line}")));
    if !task.tests.is_empty() && !task.tests.iter().any(shown) {
        missing.push("any test".to_owned());
    }
    missing
}

/// Functions whose name is that of no other item, with one to six calls and a test that calls them or a caller of theirs.
fn tasks_of(files: &[SourceFile]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for file in files.iter().filter(|file| file.path.as_str().starts_with("c/src/")) {
        for (number, line) in file.text.lines().enumerate() {
            let Some(name) = defined(line) else { continue };
            if name.len() < 5 || is_test(&file.text, number) || definitions(files, &name) != 1 {
                continue;
            }
            let calls = calls(files, &name);
            if calls.is_empty() || calls.len() > 6 {
                continue;
            }
            let in_test = |(path, line): &(RelPath, usize)| {
                files.iter().any(|file| {
                    file.path == *path && (path.as_str().starts_with("c/tests/") || is_test(&file.text, line - 1))
                })
            };
            let mut tests: Vec<(RelPath, usize)> = calls.iter().filter(|call| in_test(call)).cloned().collect();
            if tests.is_empty() {
                let callers: BTreeSet<String> = calls.iter().filter_map(|call| caller(files, call)).collect();
                let of_callers = callers
                    .iter()
                    .filter(|name| definitions(files, name) == 1)
                    .flat_map(|name| self::calls(files, name));
                tests = of_callers.filter(in_test).collect();
            }
            // A macro calls from wherever it is used.
            let in_macro = calls.iter().any(|call| caller(files, call).is_none());
            if !tests.is_empty() && !in_macro {
                tasks.push(Task { path: file.path.clone(), name, line: number + 1, calls, tests });
            }
        }
    }
    tasks
}

/// The name of the function that a line defines.
fn defined(line: &str) -> Option<String> {
    let code = line.trim_start();
    let before = code.split("fn ").next()?;
    let plain =
        before.split_whitespace().all(|word| word.starts_with("pub") || matches!(word, "const" | "unsafe" | "async"));
    let name: String = code.split("fn ").nth(1)?.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (plain && !name.is_empty()).then_some(name)
}

fn definitions(files: &[SourceFile], name: &str) -> usize {
    let word = |line: &str| {
        ["fn ", "struct ", "enum ", "trait ", "macro_rules! "].iter().any(|mark| {
            line.split(mark).skip(1).any(|rest| {
                rest.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            })
        })
    };
    files.iter().flat_map(|file| file.text.lines()).filter(|line| word(line)).count()
}

/// Where a function is called or named as a value, comments and its own definition left out.
fn calls(files: &[SourceFile], name: &str) -> Vec<(RelPath, usize)> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if defined(line).as_deref() == Some(name) || code.trim_start().starts_with("use ") {
                continue;
            }
            let called = code.match_indices(name).any(|(at, _)| {
                let before = code.get(..at).and_then(|before| before.chars().next_back());
                let after = code.get(at + name.len()..).and_then(|after| after.chars().next());
                let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !word(before) && !word(after) && before != Some('"') && matches!(after, Some('(' | ':' | ')' | ','))
            });
            if called {
                found.push((file.path.clone(), number + 1));
            }
        }
    }
    found
}

/// The function around a call: the nearest line above that defines one and is indented less.
fn caller(files: &[SourceFile], (path, line): &(RelPath, usize)) -> Option<String> {
    let file = files.iter().find(|file| file.path == *path)?;
    let lines: Vec<&str> = file.text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut depth = indent(lines.get(line - 1)?);
    for above in lines.get(..line - 1)?.iter().rev().filter(|line| !line.trim().is_empty()) {
        if indent(above) < depth {
            if let Some(name) = defined(above) {
                return Some(name);
            }
            if above.contains("macro_rules!") {
                return None;
            }
            depth = indent(above);
        }
    }
    None
}

/// Whether a line stands in a module of tests or in a test: the nearest such mark above is less indented.
fn is_test(text: &str, number: usize) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(line) = lines.get(number) else { return false };
    let mut depth = indent(line) + 1;
    for (at, above) in lines.iter().enumerate().take(number + 1).rev().filter(|(_, line)| !line.trim().is_empty()) {
        if indent(above) < depth {
            depth = indent(above);
            let attributes =
                lines.get(..at).unwrap_or_default().iter().rev().take_while(|line| line.trim_start().starts_with('#'));
            if attributes.clone().any(|line| line.contains("#[test]") || line.contains("cfg(test)")) {
                return true;
            }
        }
    }
    false
}
