//! First landing: from a fresh clone with nothing built to the first improvement that landed, with the one command that
//! a newcomer types. The program's own share is the processor time of its process alone: cargo, rustc and the tests are
//! its children and do not count.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::run::{Run, cargo};
use super::samples::shown;
use super::scratch::{Scratch, wait_until};
use super::table::Table;
use super::{Options, Outcome, git, os, records};

/// From the command to the first landing.
const BAR: Duration = Duration::from_secs(8 * 60);
/// The program's own share of it.
const OWN: Duration = Duration::from_secs(2);

/// What is known of the demo's process, which begins its life as cargo.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    /// When it became the program, since the command.
    became: Option<Duration>,
    /// The time that cargo had used in this process before.
    before: Duration,
    /// The time used when last looked.
    last: Duration,
    /// The time used when the first patch landed.
    at_landing: Option<Duration>,
}

/// Measures it.
///
/// # Errors
/// When the clone or the demo cannot be made to run.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("first-landing")?;
    let root = crate::root();
    let source = if options.quick {
        root
    } else {
        let clone = scratch.join("clone");
        let from = root.to_string_lossy().into_owned();
        git::say(scratch.path(), &["clone", "--quiet", "--no-hardlinks", "--", &from, &clone.to_string_lossy()])?;
        clone
    };
    let commit = git::say(&source, &["rev-parse", "--short", "HEAD"])?;
    eprintln!("cargo run -- demo in {}", source.display());
    let demo = demo(&scratch, &source)?;
    let mut outcome = Outcome { table: Table::new(&["what", "time", "bar", "samples"]), ..Outcome::default() };
    let build = demo.seen.became.unwrap_or_default();
    let own = demo.seen.last.saturating_sub(demo.seen.before);
    let own_at_landing = demo.seen.at_landing.unwrap_or_default().saturating_sub(demo.seen.before);
    let landing = demo.landed.map_or("-".to_owned(), shown);
    outcome.table.row(["command to first landing".to_owned(), landing.clone(), shown(BAR), "1".to_owned()]);
    outcome.table.row([
        "  of it: cargo, until the program starts".to_owned(),
        shown(build),
        "-".to_owned(),
        "1".to_owned(),
    ]);
    outcome.table.row([
        "  of it: own processor time, to the landing".to_owned(),
        shown(own_at_landing),
        "-".to_owned(),
        "1".to_owned(),
    ]);
    outcome.table.row(["own processor time, whole demo".to_owned(), shown(own), shown(OWN), "1".to_owned()]);
    outcome.table.row([
        "whole demo, from the program's start".to_owned(),
        shown(demo.wall.saturating_sub(build)),
        "-".to_owned(),
        "1".to_owned(),
    ]);
    if options.quick {
        outcome
            .notes
            .push("quick: in the working copy, with the target directory as it was; not a cold start".to_owned());
    } else {
        outcome.notes.push(format!(
            "a fresh clone of {commit} with an empty target directory; crates come from cargo's own cache"
        ));
    }
    outcome.require(demo.landed.is_some_and(|landed| landed <= BAR), format!("the first landing came after {landing}"));
    outcome.require(demo.seen.became.is_some(), "the program was not seen to start");
    outcome.require(own < OWN, format!("the program itself used {}", shown(own)));
    outcome.require(demo.success, format!("the demo failed:\n{}", demo.errors));
    outcome.summary =
        format!("{landing} to the first landing (bar {}), own share {} (bar {})", shown(BAR), shown(own), shown(OWN));
    Ok(outcome)
}

struct Demo {
    seen: Seen,
    landed: Option<Duration>,
    wall: Duration,
    success: bool,
    errors: String,
}

fn demo(scratch: &Scratch, source: &Path) -> Result<Demo> {
    let run = Run::new(cargo(), source).args(["run", "--quiet", "--", "demo", "--json"]);
    let run = run.env("TMPDIR", scratch.join("tmp")).env("XDG_CONFIG_HOME", scratch.join("config"));
    let (seen, over) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
    let mut landed = None;
    let sampler = Cell::new(None);
    let ended = run.watch(
        |pid| {
            let (seen, over) = (seen.clone(), over.clone());
            sampler.set(Some(std::thread::spawn(move || sample(pid, &seen, &over))));
        },
        |line, since| {
            if landed.is_none() && records::is_landing(line) {
                landed = Some(since);
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.at_landing = Some(seen.last);
            }
        },
        |pid| {
            // The last look is at a process that has ended and was not asked about yet: then the figure is final.
            wait_until(Duration::from_secs(10), || os::own_time(pid).is_none_or(|(_, ended)| ended));
            over.store(true, Ordering::SeqCst);
            if let Some(sampler) = sampler.take() {
                let _ = sampler.join();
            }
            if let Some((time, _)) = os::own_time(pid) {
                seen.lock().unwrap_or_else(PoisonError::into_inner).last = time;
            }
        },
    )?;
    let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Demo {
        seen,
        landed,
        wall: ended.wall,
        success: ended.status.success(),
        errors: super::run::tail(&ended.stderr),
    })
}

/// Looks at a process until told to stop: when it became the program, and what time it has used.
fn sample(pid: u32, seen: &Mutex<Seen>, over: &AtomicBool) {
    let started = Instant::now();
    while !over.load(Ordering::SeqCst) {
        let is_program = program_of(pid).is_some_and(|path| path.file_name().is_some_and(|name| name == "kaizen"));
        if let Some((time, _)) = os::own_time(pid) {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.became.is_none() {
                seen.before = time;
                seen.became = is_program.then(|| started.elapsed());
            }
            seen.last = time;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn program_of(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}
