//! Roll-back: a patch lands, a person goes on, and a scripted Prometheus says that the landing hurts. The daemon takes it
//! back, left alone, killed after each record of the roll-back and at random instants. What counts is that the tree
//! then is, byte for byte, the one before the landing with the later commits on top, and that there is one revert.

mod prometheus;
mod variants;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use self::prometheus::Prometheus;
use self::variants::Variant;
use super::daemon::{Daemon, free};
use super::dice::Dice;
use super::program::{Place, Program};
use super::run::tail;
use super::scratch::{self, Scratch, processes_naming, wait_until};
use super::table::Table;
use super::{Options, Outcome, git};

/// Far longer than a roll-back takes.
const LIMIT: Duration = Duration::from_secs(180);
/// How long a daemon that has done its work is watched for doing it again.
const AFTERWARDS: Duration = Duration::from_millis(2500);
/// Repositories that are worked on side by side.
const AT_ONCE: usize = 3;

/// What came of one variant.
#[derive(Debug, Default)]
struct Found {
    commits: usize,
    records: usize,
    kills: usize,
    rolled_back: usize,
    same: usize,
    faults: Vec<String>,
}

/// When a daemon is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    Never,
    Record(usize),
    Instant(Duration),
}

/// Measures it.
///
/// # Errors
/// When a repository cannot be prepared, or nothing lands in it.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("rollback")?;
    let program = Program::release(&scratch)?;
    let variants = variants::all();
    let next = Mutex::new(variants.iter().enumerate());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|threads| {
        for _ in 0..AT_ONCE {
            threads.spawn(|| {
                loop {
                    let taken = next.lock().ok().and_then(|mut next| next.next());
                    let Some((at, variant)) = taken else { return };
                    let of = Stage::set(&scratch, &program, at, variant).and_then(|stage| stage.play(options));
                    if let Ok(mut found) = found.lock() {
                        found.push((at, of.with_context(|| variant.name)));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(at, _)| *at);
    let header = ["repository", "later commits", "records", "killed", "rolled back", "trees equal", "faults"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut runs, mut same, mut faults) = (0, 0, 0);
    for ((_, of), variant) in found.into_iter().zip(&variants) {
        let of = of?;
        let cells = [of.commits, of.records, of.kills, of.rolled_back, of.same, of.faults.len()];
        outcome.table.row(std::iter::once(variant.name.to_owned()).chain(cells.map(|cell| cell.to_string())));
        runs += of.kills + 1;
        same += of.same;
        faults += of.faults.len();
        for fault in of.faults {
            outcome.require(false, format!("{}: {fault}", variant.name));
        }
    }
    outcome.require(same == runs, format!("{same} of {runs} trees are the one before with the later commits"));
    outcome
        .notes
        .push("records: of the watch and the roll-back, left alone; killed: roll-backs that were cut off".to_owned());
    outcome.notes.push("the tree is computed by `git merge-tree`, and again by `git diff` and `git apply`".to_owned());
    outcome.summary =
        format!("{same} of {runs} trees equal, {faults} faults (bars {runs} and 0), seed {}", options.seed);
    Ok(outcome)
}

/// One repository after the landing and the later commits, put back before every point.
struct Stage<'a> {
    program: &'a Program,
    variant: &'a Variant,
    prometheus: Prometheus,
    folder: PathBuf,
    place: Place,
    seed: u64,
    /// What the person left, and the tree that must come.
    tip: String,
    wanted: String,
}

impl<'a> Stage<'a> {
    fn set(scratch: &Scratch, program: &'a Program, at: usize, variant: &'a Variant) -> Result<Self> {
        let folder = scratch.join(format!("room-{at}"));
        let place = Place { repo: folder.join("repo"), state: folder.join("state") };
        variant.make(&place.repo)?;
        let before = git::say(&place.repo, &["rev-parse", "main"])?;
        let cycle = ["run-cycle", "--landing", "merge", "--update-worktree", "--max-landings", "1"];
        let said = program.run(&place, &[cycle.as_slice(), variant.cycle].concat()).succeed()?;
        let landed = git::say(&place.repo, &["rev-parse", "main"])?;
        ensure!(landed != before, "nothing landed in `{}`:\n{}", variant.name, tail(&said.stdout));
        let prometheus = Prometheus::from_now(3.0)?;
        variant.go_on(&place.repo)?;
        let tip = git::say(&place.repo, &["rev-parse", "main"])?;
        let wanted = wanted(&folder, &place.repo, &before, &landed, &tip)?;
        let pristine = folder.join("pristine");
        std::fs::create_dir(&pristine)?;
        std::fs::rename(&place.repo, pristine.join("repo"))?;
        std::fs::rename(&place.state, pristine.join("state"))?;
        // Enough samples after the landing for both looks.
        std::thread::sleep(Duration::from_secs(14));
        let seed = at as u64;
        Ok(Self { program, variant, prometheus, folder, place, seed, tip, wanted })
    }

    fn play(&self, options: &Options) -> Result<Found> {
        let mut found = Found { commits: self.variant.later.len(), ..Found::default() };
        let (records, wall) = self.point(Point::Never, &mut found)?;
        eprintln!("{}: {records} records in {:.1} s left alone", self.variant.name, wall.as_secs_f64());
        found.records = records;
        let (every, random) = if options.quick { (4, 2) } else { (1, 10) };
        let mut dice = Dice(options.seed.wrapping_mul(1000).wrapping_add(self.seed));
        let first = 1 + usize::try_from(self.seed).unwrap_or(0) % every;
        let after = (first..=records).step_by(every).map(Point::Record);
        let points: Vec<Point> = after.chain((0..random).map(|_| Point::Instant(dice.time(wall)))).collect();
        for point in points {
            let known = found.faults.len();
            self.point(point, &mut found)?;
            found.faults.iter().skip(known).for_each(|fault| eprintln!("  {}: {fault}", self.variant.name));
        }
        Ok(found)
    }

    /// Plays the roll-back once. Gives its records and how long it took.
    fn point(&self, point: Point, found: &mut Found) -> Result<(usize, Duration)> {
        for part in ["repo", "state"] {
            let _ = std::fs::remove_dir_all(self.folder.join(part));
            scratch::copy(&self.folder.join("pristine").join(part), &self.folder.join(part))?;
        }
        let had = self.records()?.len();
        let began = Instant::now();
        match point {
            Point::Never => {}
            Point::Record(number) => {
                let mut daemon = self.daemon(&[("KAIZEN_CRASH_AFTER", number.to_string())])?;
                let begun = Instant::now();
                while daemon.has_ended().is_none() && begun.elapsed() < LIMIT {
                    std::thread::sleep(Duration::from_millis(20));
                }
                if daemon.has_ended().is_none() {
                    found.faults.push(format!("{point:?}: the daemon did not die"));
                }
                found.kills += 1;
            }
            Point::Instant(at) => {
                let mut daemon = self.daemon(&[])?;
                std::thread::sleep(at);
                daemon.kill()?;
                found.kills += 1;
            }
        }
        let mut daemon = self.daemon(&[])?;
        daemon.answers()?;
        let over = |records: &[Value]| count(records, "rolled_back") + count(records, "rollback_failed") > 0;
        let idle =
            |daemon: &Daemon| daemon.status().is_some_and(|status| status["repositories"][0]["running"].is_null());
        let begun = Instant::now();
        let mut took = None;
        while begun.elapsed() < LIMIT {
            if took.is_none() && over(&self.records()?) {
                took = Some(began.elapsed());
            }
            if took.is_some() && idle(&daemon) {
                break;
            }
            std::thread::sleep(Duration::from_millis(150));
        }
        std::thread::sleep(AFTERWARDS);
        daemon.terminate()?;
        let records = self.records()?;
        let faults = self.look(&records, found)?;
        found.faults.extend(faults.into_iter().map(|fault| format!("{point:?}: {fault}")));
        Ok((records.len() - had, took.unwrap_or(LIMIT)))
    }

    fn daemon(&self, more: &[(&str, String)]) -> Result<Daemon> {
        let (listen, path) = (free()?, self.place.repo.display().to_string());
        let text = format!(
            "[daemon]\nlisten = \"{listen}\"\n[[repository]]\npath = \"{path}\"\nlanding = \"merge\"\nupdate_worktree = true\n\
             [repository.watch]\nwindow_secs = 86400\nlook_secs = 1\n\
             [[repository.watch.metric]]\nname = \"latency\"\nprometheus = \"http://{}\"\nquery = \"latency\"\n\
             every_secs = 1\nsamples_per_look = 6\nlooks = 2\nbaseline = 20\n",
            self.prometheus.address
        );
        let file = self.folder.join("daemon.toml");
        std::fs::write(&file, text)?;
        Daemon::start(self.program, &self.place, &file, &listen, more)
    }

    fn records(&self) -> Result<Vec<Value>> {
        let said = self.program.run(&self.place, &["log", "--json", "--last", "1000000"]).succeed()?;
        Ok(said.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// What is wrong now.
    fn look(&self, records: &[Value], found: &mut Found) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let verified = self.program.run(&self.place, &["log", "--verify"]).end()?;
        if !verified.status.success() {
            faults.push(format!("the journal is not whole: {}", tail(&verified.stderr)));
        }
        for (did, wanted) in [("watch_begun", 1), ("judged", 1), ("rolled_back", 1), ("rollback_failed", 0)] {
            let is = count(records, did);
            if is != wanted {
                faults.push(format!("{is} records of `{did}` in place of {wanted}: {}", reasons(records)));
            }
        }
        found.rolled_back += usize::from(count(records, "rolled_back") == 1);
        let events = || records.iter().map(|record| &record["event"]);
        let begun = events().filter(|event| event["event"] == "started").count();
        let ended = events().filter(|event| event["event"] == "finished").count();
        if (begun, ended) != (2, 2) {
            faults.push(format!("{begun} cycles began and {ended} finished, in place of 2"));
        }
        let repo = &self.place.repo;
        let range = format!("{}..main", self.tip);
        let subjects = git::say(repo, &["log", "--format=%s", &range])?;
        let reverts = subjects.lines().filter(|line| line.starts_with("Revert \"")).count();
        if reverts != 1 || subjects.lines().count() != 1 {
            faults.push(format!("{reverts} reverts and {} commits in place of 1", subjects.lines().count()));
        }
        let tree = git::say(repo, &["rev-parse", "main^{tree}"])?;
        if tree == self.wanted {
            found.same += 1;
        } else {
            let differs = git::say(repo, &["diff", "--stat", &self.wanted, &tree])?;
            faults.push(format!("the tree differs from the one before with the later commits:\n{differs}"));
        }
        let dirty = git::say(repo, &["status", "--porcelain"])?;
        if !dirty.is_empty() {
            faults.push(format!("the work tree does not hold what the branch holds: {dirty}"));
        }
        let locks = scratch::everything_below(&repo.join(".git"));
        let locks = locks.iter().filter(|path| path.extension().is_some_and(|ending| ending == "lock"));
        faults.extend(locks.map(|path| format!("the lock {} is left", path.display())));
        if !wait_until(Duration::from_secs(5), || processes_naming(&self.folder).is_empty()) {
            faults.push(format!("processes are left: {:?}", processes_naming(&self.folder)));
        }
        Ok(faults)
    }
}

fn count(records: &[Value], did: &str) -> usize {
    records.iter().filter(|record| record["event"]["event"]["did"] == did || record["event"]["did"] == did).count()
}

/// Why something did not go, as far as the journal says it.
fn reasons(records: &[Value]) -> String {
    let failed = records.iter().map(|record| record.to_string()).filter(|text| text.contains("rollback_failed"));
    failed.collect::<Vec<_>>().join(" ")
}

/// The tree before the landing with the later commits on top, computed in two ways that must agree.
fn wanted(folder: &Path, repo: &Path, before: &str, landed: &str, tip: &str) -> Result<String> {
    let base = format!("--merge-base={landed}");
    let merged = git::say(repo, &["merge-tree", "--write-tree", &base, tip, before])?;
    let index = folder.join("index");
    let in_index = |args: &[&str]| git::git(repo, args).env("GIT_INDEX_FILE", &index).succeed();
    in_index(&["read-tree", before])?;
    let patch = folder.join("later.diff").display().to_string();
    git::say(repo, &["diff", "--binary", &format!("--output={patch}"), landed, tip])?;
    in_index(&["apply", "--cached", "--whitespace=nowarn", &patch])?;
    let applied = in_index(&["write-tree"])?.stdout.trim().to_owned();
    ensure!(merged == applied, "git computes two trees: {merged} and {applied}");
    Ok(merged)
}
