//! Crash: a cycle is killed right after each of its records, and at random instants, and then run again. What counts is
//! that the second run brings it to the same end as one that was never killed: nothing lost, nothing done twice, nothing
//! left lying about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::dice::Dice;
use super::program::{Place, Program};
use super::records::{self, CycleRecords};
use super::run::tail;
use super::samples::{Samples, shown};
use super::scratch::{self, Scratch, mounts_naming, processes_naming, wait_until};
use super::table::Table;
use super::{Options, Outcome, git, tiny};

/// The program's own hook: it dies right after so many records.
const CRASH_AFTER: &str = "KAIZEN_CRASH_AFTER";
/// From the start of the second run to its first line.
const RESUME: Duration = Duration::from_secs(1);
/// Far longer than one cycle takes.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// The cycle that is killed: a few landings of several kinds, with a suggestion among them that must not land.
const CYCLE: &[&str] = &["run-cycle", "--landing", "branch", "--max-landings", "3", "--json"];

/// Where a cycle is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// Right after this record.
    Record(usize),
    /// This long after its start.
    Instant(Duration),
}

/// What went wrong at one point.
#[derive(Debug, Default)]
struct Found {
    lost: Vec<String>,
    doubled: Vec<String>,
    left: Vec<String>,
    broken: Vec<String>,
    resumed: Option<Duration>,
}

/// The stage: one repository and one state at fixed paths, put back before every point. The state begins with the warm
/// base of the repository, so that the time goes into what is measured.
struct Stage<'a> {
    scratch: &'a Scratch,
    program: Program,
    place: Place,
    wanted: Wanted,
}

/// How the cycle ends when nobody kills it.
#[derive(Debug, Default)]
struct Wanted {
    titles: BTreeSet<String>,
    refs: usize,
    state: BTreeSet<PathBuf>,
    records: usize,
    wall: Duration,
}

/// Measures it.
///
/// # Errors
/// When the example cannot be prepared or its cycle fails even if it is left alone.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("crash")?;
    let stage = Stage::set(&scratch)?;
    let (every, random) = if options.quick { (6, 5) } else { (1, 100) };
    let wanted = &stage.wanted;
    eprintln!("alone: {} records, {} landings, {}", wanted.records, wanted.titles.len(), shown(wanted.wall));
    let records: Vec<Point> = (1..=wanted.records).step_by(every).map(Point::Record).collect();
    let mut dice = Dice(options.seed);
    let instants: Vec<Point> = (0..random).map(|_| Point::Instant(dice.time(wanted.wall))).collect();

    let header = ["killed", "points", "lost", "doubled", "left over", "broken", "resume, median", "resume, slowest"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut wrong, mut slowest) = (0, Duration::ZERO);
    let after = if every == 1 { "after each record".to_owned() } else { format!("after every {every}th record") };
    for (what, points) in [(after, records), (format!("at random instants, seed {}", options.seed), instants)] {
        let (mut lost, mut doubled, mut left, mut broken, mut resumed) = (0, 0, 0, 0, Samples::default());
        for point in &points {
            let found = stage.kill(*point).with_context(|| format!("{point:?}"))?;
            for (what, list) in [
                ("lost", &found.lost),
                ("doubled", &found.doubled),
                ("left over", &found.left),
                ("broken", &found.broken),
            ] {
                for item in list {
                    outcome.require(false, format!("killed at {point:?}: {what}: {item}"));
                    eprintln!("  {point:?}: {what}: {item}");
                }
            }
            eprintln!("  {point:?}: resumed in {}", found.resumed.map_or("-".to_owned(), shown));
            lost += found.lost.len();
            doubled += found.doubled.len();
            left += found.left.len();
            broken += found.broken.len();
            found.resumed.into_iter().for_each(|time| resumed.add(time));
        }
        outcome.table.row([
            what.clone(),
            points.len().to_string(),
            lost.to_string(),
            doubled.to_string(),
            left.to_string(),
            broken.to_string(),
            shown(resumed.median()),
            shown(resumed.max()),
        ]);
        outcome.require(resumed.max() < RESUME, format!("{what}: the slowest resume took {}", shown(resumed.max())));
        wrong += lost + doubled + left + broken;
        slowest = slowest.max(resumed.max());
    }
    let (titles, count, wall) = (wanted.titles.len(), wanted.records, shown(wanted.wall));
    outcome.notes.push(format!("left alone, the cycle has {count} records, lands {titles} patches and takes {wall}"));
    outcome.notes.push("resume: from the start of the second run to its first line".to_owned());
    outcome.summary = format!("{wrong} faults, slowest resume {} (bars 0 and {})", shown(slowest), shown(RESUME));
    Ok(outcome)
}

impl<'a> Stage<'a> {
    fn set(scratch: &'a Scratch) -> Result<Self> {
        let program = Program::release(scratch)?;
        let place = Place { repo: scratch.join("shelf"), state: scratch.join("state") };
        let pristine = scratch.join("pristine");
        tiny::shelf(&pristine)?;
        let mut stage = Self { scratch, program, place, wanted: Wanted::default() };
        // The first run makes the warm base that the others begin with; the second shows how long one then takes.
        stage.put_back()?;
        stage.cycle(None)?;
        std::fs::rename(stage.place.state.join("bases"), scratch.join("bases"))?;
        stage.put_back()?;
        let alone = stage.cycle(None)?;
        let cycle = records::cycles(&alone.stdout).pop().context("the cycle told nothing")?;
        let landed = cycle.landed();
        ensure!(cycle.finished() && landed.len() > 1, "left alone, the cycle landed {} patches", landed.len());
        stage.wanted = Wanted {
            titles: landed.into_iter().map(|patch| patch.title).collect(),
            refs: git::refs(&stage.place.repo, "refs/heads/kaizen/")?.len(),
            state: stage.state(),
            records: cycle.count(),
            wall: alone.wall,
        };
        Ok(stage)
    }

    /// The repository and the state as they were before anything ran.
    fn put_back(&self) -> Result<()> {
        for folder in [&self.place.repo, &self.place.state] {
            let _ = std::fs::remove_dir_all(folder);
            ensure!(!folder.exists(), "{} cannot be removed", folder.display());
        }
        scratch::copy(&self.scratch.join("pristine"), &self.place.repo)?;
        let bases = self.scratch.join("bases");
        if bases.exists() {
            std::fs::create_dir(&self.place.state)?;
            scratch::copy(&bases, &self.place.state.join("bases"))?;
        }
        Ok(())
    }

    fn cycle(&self, until: Option<Point>) -> Result<super::run::Ended> {
        let run = self.program.run(&self.place, CYCLE).limit(LIMIT);
        match until {
            None => run.succeed(),
            Some(Point::Record(number)) => run.env(CRASH_AFTER, number.to_string()).end(),
            Some(Point::Instant(at)) => run.kill_at(at).end(),
        }
    }

    /// Kills a cycle at a point, runs it again, and looks at what became of it.
    fn kill(&self, point: Point) -> Result<Found> {
        let killed = self.killed(point)?;
        let mut found = Found::default();
        if matches!(point, Point::Record(_)) && killed.status.code().is_some() {
            found.broken.push(format!("the program did not die: {}", tail(&killed.stderr)));
        }
        // One that was over already is not run again: that would be a new cycle.
        if !self.journalled()?.iter().any(CycleRecords::finished) {
            let again = self.cycle(None);
            match again {
                Ok(ended) => found.resumed = ended.first_line,
                Err(error) => found.broken.push(format!("the second run failed: {error:#}")),
            }
        }
        self.look_at_journal(&mut found)?;
        self.look_for_leftovers(&mut found);
        Ok(found)
    }

    /// Kills a cycle at a point. One that was over before its instant came is begun again and killed earlier.
    fn killed(&self, mut point: Point) -> Result<super::run::Ended> {
        loop {
            self.put_back()?;
            let ended = self.cycle(Some(point))?;
            match point {
                Point::Instant(at) if ended.status.success() => point = Point::Instant(at * 3 / 4),
                _ => return Ok(ended),
            }
        }
    }

    fn journalled(&self) -> Result<Vec<CycleRecords>> {
        let log = self.program.run(&self.place, &["log", "--json", "--last", "1000000"]).succeed()?;
        Ok(records::cycles(&log.stdout))
    }

    fn look_at_journal(&self, found: &mut Found) -> Result<()> {
        let verified = self.program.run(&self.place, &["log", "--verify"]).end()?;
        if !verified.status.success() {
            found.broken.push(format!("the journal: {}", tail(&verified.stderr)));
        }
        let cycles = self.journalled()?;
        let [cycle] = cycles.as_slice() else {
            found.broken.push(format!("there are {} cycles", cycles.len()));
            return Ok(());
        };
        if !cycle.finished() {
            found.broken.push("the cycle did not come to its end".to_owned());
        }
        let landed = cycle.landed();
        let titles: BTreeSet<String> = landed.iter().map(|patch| patch.title.clone()).collect();
        found.lost.extend(self.wanted.titles.difference(&titles).cloned());
        found.doubled.extend(
            titles.difference(&self.wanted.titles).map(|title| format!("{title} (not landed when left alone)")),
        );
        let opportunities: BTreeSet<&String> = landed.iter().map(|patch| &patch.opportunity).collect();
        if opportunities.len() != landed.len() {
            found.doubled.push(format!("{} landings for {} opportunities", landed.len(), opportunities.len()));
        }
        self.look_at_refs(&landed, found)
    }

    /// The branch must hold exactly the commits that the journal says landed, in their order.
    fn look_at_refs(&self, landed: &[records::Landed], found: &mut Found) -> Result<()> {
        let refs = git::refs(&self.place.repo, "refs/heads/kaizen/")?;
        match refs.len() {
            count if count < self.wanted.refs => found.lost.push(format!("{} refs of {}", count, self.wanted.refs)),
            count if count > self.wanted.refs => {
                found.doubled.push(format!("{} refs in place of {}", count, self.wanted.refs))
            }
            _ => {}
        }
        let Some(target) = landed.first().map(|patch| patch.target.clone()) else { return Ok(()) };
        let range = format!("main..{target}");
        let held = git::git(&self.place.repo, &["rev-list", "--reverse", &range]).end()?;
        let held: Vec<&str> = held.stdout.lines().collect();
        let commits: Vec<&str> = landed.iter().map(|patch| patch.commit.as_str()).collect();
        if held != commits {
            found.broken.push(format!("{target} holds {} commits, the journal has {}", held.len(), commits.len()));
        }
        Ok(())
    }

    fn look_for_leftovers(&self, found: &mut Found) {
        let scratch = self.scratch.path();
        if !wait_until(Duration::from_secs(5), || processes_naming(scratch).is_empty()) {
            found.left.push(format!("processes {:?}", processes_naming(scratch)));
        }
        if mounts_naming(scratch) > 0 {
            found.left.push(format!("{} mounts", mounts_naming(scratch)));
        }
        let in_git = scratch::everything_below(&self.place.repo.join(".git"));
        let locks = in_git.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "lock"));
        found.left.extend(locks.map(|path| format!("lock {}", path.display())));
        found.left.extend(
            self.state().difference(&self.wanted.state).map(|path| format!("in the state: {}", path.display())),
        );
        let tmp = self.scratch.join("tmp");
        found.left.extend(
            scratch::everything_below(&tmp).iter().map(|path| format!("in the temporary folder: {}", path.display())),
        );
    }

    /// What the state directory holds, not looking into warm bases.
    fn state(&self) -> BTreeSet<PathBuf> {
        let entries = |folder: &Path| -> Vec<PathBuf> {
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
        };
        // The journal may be one file or three: looking at it is enough to change that.
        let part =
            |path: &PathBuf| path.to_string_lossy().ends_with("-wal") || path.to_string_lossy().ends_with("-shm");
        let mut all: BTreeSet<PathBuf> = entries(&self.place.state).into_iter().filter(|path| !part(path)).collect();
        let folders: Vec<PathBuf> = all.iter().filter(|path| path.is_dir()).cloned().collect();
        folders.iter().for_each(|folder| all.extend(entries(folder)));
        all.iter().filter_map(|path| path.strip_prefix(&self.place.state).ok().map(Path::to_path_buf)).collect()
    }
}
