//! Review: how long the static review of a patch takes, parse and policy, for ten changed files of 500 lines. The files
//! are put together from the sources of this workspace, so that they hold what real code holds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_patch::{Policy, ReviewInput};
use serde_json::{Value, json};

use super::program::build;
use super::run::Run;
use super::samples::{Samples, shown};
use super::table::Table;
use super::{Options, Outcome, os};
use crate::tidy::Files;

/// Files that the patch changes.
const FILES: usize = 10;
/// Lines of each.
const LINES: usize = 500;
/// Lines that change in each, by the places where they stand together.
const HUNKS: [usize; 3] = [4, 3, 3];
const CHANGED: usize = HUNKS[0] + HUNKS[1] + HUNKS[2];
/// The median that a review may take.
const BAR: Duration = Duration::from_millis(20);

/// Measures it, in a release build of this tool.
///
/// # Errors
/// When that does not build.
pub fn measure(options: &Options) -> Result<Outcome> {
    let samples = if options.quick { 20 } else { 50 };
    let this = build("xtask", "xtask")?;
    let ended = Run::new(this, &crate::root()).args(["bench-review", "--samples", &samples.to_string()]).succeed()?;
    let line = ended.stdout.lines().next_back().context("the benchmark said nothing")?;
    let found: Value = serde_json::from_str(line)?;
    let of = |name: &str| -> Samples {
        found[name].as_array().into_iter().flatten().filter_map(Value::as_u64).map(Duration::from_micros).collect()
    };
    let (used, wall) = (of("used"), of("wall"));
    ensure!(used.count() == samples && wall.count() == samples, "the benchmark took {} samples", used.count());
    let header = ["what", "wall, median", "slowest", "bar", "processor time, median", "samples"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    outcome.table.row([
        format!("{FILES} files of {LINES} lines, {} changed", found["changed"]),
        shown(wall.median()),
        shown(wall.max()),
        shown(BAR),
        shown(used.median()),
        samples.to_string(),
    ]);
    let (items, findings) = (&found["items"], &found["findings"]);
    outcome.notes.push(format!("{items} items changed, {findings} findings, verdict {}", found["verdict"]));
    outcome.notes.push("files are dealt out to the processors, so that it takes less time than it uses".to_owned());
    outcome.require(wall.median() < BAR, format!("the median is {}", shown(wall.median())));
    outcome.summary = format!("median {} of {samples} (bar {})", shown(wall.median()), shown(BAR));
    Ok(outcome)
}

/// Reviews the patch again and again in this process, and says how long each review took as one JSON line.
///
/// # Errors
/// When the sources of the workspace do not give such a patch.
pub fn bench(samples: usize) -> Result<Value> {
    let changes = changes(&Files::list(&crate::root())?)?;
    let policy = Policy::default();
    let input = ReviewInput { changes: &changes, reach: None, policy: &policy, manifests: &[] };
    let once = kaizen_patch::review(&input)?;
    // A review that stops at the first rule would be measured as a fast one.
    ensure!(!once.items.is_empty(), "the review did not come to the code: {:?}", once.findings);
    let (mut used, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        let (started, before) = (Instant::now(), os::own_time_now());
        let review = kaizen_patch::review(black_box(&input))?;
        used.push(os::own_time_now().saturating_sub(before).as_micros());
        wall.push(started.elapsed().as_micros());
        black_box(review);
    }
    Ok(json!({
        "used": used,
        "wall": wall,
        "changed": FILES * CHANGED,
        "items": once.items.len(),
        "findings": once.findings.len(),
        "verdict": format!("{:?}", once.verdict),
    }))
}

/// The patch: files put together from whole sources, with some statements changed in each.
fn changes(files: &Files) -> Result<Vec<Change>> {
    let sources: Vec<String> = files
        .rust()
        .filter(|path| path.starts_with("crates/") && path.contains("/src/"))
        .filter_map(|path| files.text(path))
        .map(|text| without_header(&text))
        .filter(|text| text.parse::<proc_macro2::TokenStream>().is_ok())
        .collect();
    let mut used = vec![false; sources.len()];
    let mut changes = Vec::new();
    while changes.len() < FILES {
        let before = put_together(&sources, &mut used).context("the workspace has too few sources")?;
        // Files of declarations have too little in them that can change.
        let Some(after) = changed(&before) else { continue };
        let state = |text: String| FileState { mode: FileMode::Regular, bytes: text.into_bytes() };
        let path = RelPath::new(format!("src/part_{}.rs", changes.len()))?;
        changes.push(Change { path, before: Some(state(before)), after: Some(state(after)) });
    }
    Ok(changes)
}

/// A file of so many lines: sources that were not used yet, one after the other, and comments for what is left.
fn put_together(sources: &[String], used: &mut [bool]) -> Option<String> {
    let mut text = String::from("//! Put together from several files.\n");
    let mut left = LINES - 1;
    for (source, used) in sources.iter().zip(used.iter_mut()) {
        let lines = source.lines().count();
        if !*used && lines <= left {
            text.push_str(source);
            (*used, left) = (true, left - lines);
        }
    }
    // Nothing but comments would be no file worth reviewing.
    (left < LINES / 5).then(|| text + &"// The end.\n".repeat(left))
}

/// A source without what may only stand at the top of a file.
fn without_header(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with("//!") && !line.starts_with("#!"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The same file with some plain statements changed, in a few places.
fn changed(before: &str) -> Option<String> {
    let statement = |line: &str| {
        let line = line.trim_start();
        let plain = line.ends_with(';') && line.matches(';').count() == 1 && !line.contains("//");
        line.starts_with("let ") && line.contains(" = ") && plain && !line.contains(" else ")
    };
    let candidates: Vec<usize> =
        before.lines().enumerate().filter(|(_, line)| statement(line)).map(|(at, _)| at).collect();
    let chosen: Vec<usize> = HUNKS
        .iter()
        .enumerate()
        .flat_map(|(hunk, size)| {
            let first = candidates.len() * hunk / HUNKS.len();
            candidates.get(first..first + size).unwrap_or_default().to_vec()
        })
        .collect();
    let lines = before.lines().enumerate().map(|(at, line)| match line.split_once(" = ") {
        Some((name, value)) if chosen.contains(&at) => {
            format!("{name} = std::convert::identity({});\n", value.trim_end_matches(';'))
        }
        _ => format!("{line}\n"),
    });
    let text: String = lines.collect();
    (chosen.len() == CHANGED && candidates.len() > 2 * CHANGED).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_is_of_the_size_that_is_claimed_and_reaches_every_rule() {
        let changes = changes(&Files::list(&crate::root()).unwrap()).unwrap();
        assert_eq!(changes.len(), FILES);
        for change in &changes {
            let (before, after) = change.texts().unwrap();
            assert_eq!((before.lines().count(), after.lines().count()), (LINES, LINES), "{}", change.path);
            assert_eq!(before.lines().zip(after.lines()).filter(|(a, b)| a != b).count(), CHANGED);
        }
        let found = bench(1).unwrap();
        assert!(found["items"].as_u64().unwrap() >= 10, "{found}");
    }
}
