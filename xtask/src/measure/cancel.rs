//! Cancel: a hostile tree of processes in the sandbox is cancelled, or runs out of its time. What counts is how long it
//! takes until the call has returned and no process of it is left anywhere on the machine.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_sandbox::isolation::{Cancel, Exit, Isolation, Job, LimitKind, Limits, Tree};

use super::samples::{Samples, shown};
use super::scratch::{Scratch, processes_naming, wait_until};
use super::table::Table;
use super::{Options, Outcome, arrangement, hostile, os};

/// Trees that are ended, and those of a quick run.
const SAMPLES: (usize, usize) = (100, 10);
/// What each of them may take.
const BAR: Duration = Duration::from_millis(500);
/// What a tree that runs out of time is given: enough to be all there.
const WALL: Duration = Duration::from_millis(2000);
/// A tree that is not all there by then does not come up.
const UP_WITHIN: Duration = Duration::from_secs(60);
/// A process that is there after this stays.
const GONE_WITHIN: Duration = Duration::from_secs(20);
/// Where the program is inside.
const PROGRAM: &str = "/measure/hostile";
/// More than the tree has, so that it is not this limit that ends it.
const PROCESSES: u64 = 2000;
/// Fewer would be no hostile tree.
const LEAST_SEEN: usize = 100;

/// What ends a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Cancelled,
    OutOfTime,
}

/// One tree that was ended.
struct Ended {
    took: Duration,
    /// Its processes that were seen at once, by what they were called with.
    seen: usize,
    /// Those that were still there when nobody waited for them any more.
    left: usize,
}

/// Measures it.
///
/// # Errors
/// When a layer of the sandbox is missing, or the tree does not come up.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("cancel")?;
    let lower = scratch.join("tree");
    std::fs::create_dir(&lower)?;
    let samples = if options.quick { SAMPLES.1 } else { SAMPLES.0 };
    let header =
        ["arrangement", "ended by", "gone after, median", "longest", "processes seen, least", "left", "samples"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let mut said = Vec::new();
    for arrangement in arrangement::all()? {
        for (end, word) in [(End::Cancelled, "cancelled"), (End::OutOfTime, "out of time")] {
            let (mut times, mut least, mut left) = (Samples::default(), usize::MAX, 0);
            for number in 0..samples / 2 {
                let marker = format!("{}-{word}-{number}", scratch.path().display()).replace(' ', "-");
                let one = one(&arrangement.isolation, &lower, &marker, end)
                    .with_context(|| format!("{}, {word}, tree {number}", arrangement.name))?;
                times.add(one.took);
                least = least.min(one.seen);
                left += one.left;
            }
            let (name, longest) = (arrangement.name, times.max());
            let counts = [least, left, times.count()].map(|count| count.to_string());
            let [least, gone, count] = counts;
            outcome.table.row([name, word, &shown(times.median()), &shown(longest), &least, &gone, &count]);
            outcome.require(longest <= BAR, format!("{name}, {word}: {} until all were gone", shown(longest)));
            outcome.require(left == 0, format!("{name}, {word}: {left} processes were left"));
            said.push(format!("{word} {}", shown(longest)));
        }
    }
    outcome
        .notes
        .push("cancelled: by the flag above the one that the job was given, as a search cancels its trials".to_owned());
    outcome.notes.push(
        "gone: the call has returned, what was held by a descriptor has ended, and no process of the machine has the \
         tree's mark in its command line"
            .to_owned(),
    );
    outcome.summary = format!("longest of {samples}: {} (bar {})", said.join(", "), shown(BAR));
    Ok(outcome)
}

fn one(isolation: &Isolation, lower: &Path, marker: &str, end: End) -> Result<Ended> {
    let tree = Tree::CopyOnWrite { lower: lower.to_path_buf(), changes: Vec::new() };
    let own = std::env::current_exe()?;
    // Without namespaces a program is seen at its own place.
    let namespaces = isolation.arrangement() == kaizen_sandbox::isolation::Arrangement::Namespaces;
    let program = if namespaces { PROGRAM.into() } else { own.clone() };
    let mut job = Job::new(&program, tree, isolation.places(lower.parent().unwrap_or(lower)));
    job.args = ["worker", "hostile", marker].map(Into::into).into();
    job.read_only = vec![(own, program)];
    let wall = if end == End::OutOfTime { WALL } else { UP_WITHIN * 2 };
    job.limits = Limits { wall, processes: PROCESSES, ..Limits::default() };
    let above = Cancel::new()?;
    let flag = above.below()?;
    let (say, heard) = channel();
    std::thread::scope(|scope| {
        let begun = Instant::now();
        let running = scope.spawn(|| {
            isolation.run(&job, &flag, &mut |_, line| {
                if line == hostile::UP.as_bytes() {
                    let _ = say.send(());
                }
            })
        });
        let up = heard.recv_timeout(UP_WITHIN);
        let held = descendants();
        let seen = processes_naming(Path::new(marker)).len();
        let told = match end {
            End::Cancelled => Instant::now(),
            End::OutOfTime => begun + wall,
        };
        let late = Instant::now() > told + Duration::from_millis(1);
        if end == End::Cancelled || up.is_err() {
            above.cancel();
        }
        let finished = running.join().map_err(|_| anyhow::anyhow!("the sandbox panicked"))??;
        let gone = || held.iter().all(os::has_ended) && processes_naming(Path::new(marker)).is_empty();
        let all_gone = wait_until(GONE_WITHIN, gone);
        let took = told.elapsed();
        ensure!(up.is_ok(), "the tree did not come up, but ended by {}", finished.exit);
        ensure!(!late, "the tree was up only when its time was over");
        let wanted = if end == End::Cancelled { Exit::Cancelled } else { Exit::Limit(LimitKind::Wall(wall)) };
        ensure!(finished.exit == wanted, "it ended by {}", finished.exit);
        ensure!(seen >= LEAST_SEEN && held.len() >= LEAST_SEEN, "only {seen} processes were seen, {} held", held.len());
        let left = if all_gone { 0 } else { processes_naming(Path::new(marker)).len().max(1) };
        Ok(Ended { took, seen, left })
    })
}

/// Every process that this one has started, directly or not, each held.
fn descendants() -> Vec<OwnedFd> {
    let (mut held, mut todo) = (Vec::new(), vec![std::process::id()]);
    while let Some(pid) = todo.pop() {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_ascii_whitespace().filter_map(|child| child.parse().ok()) {
                held.extend(os::hold(child));
                todo.push(child);
            }
        }
    }
    held
}
