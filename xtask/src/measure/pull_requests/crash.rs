//! Crash: each step of the path with the program killed right after each of its records and at random instants, and with
//! the connection dropped at each of its requests, before the request is passed on and after its answer came. Then it is
//! run again. What counts is the same end as without: one pull request for each patch, each comment said once.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kaizen_forgestand::scripted::{Dialect, Memory};
use kaizen_forgestand::{Cache, Fault};

use super::super::dice::Dice;
use super::super::program::Program;
use super::super::records;
use super::super::run::{Ended, tail};
use super::super::samples::shown;
use super::super::scratch::{self, Scratch, processes_naming, wait_until};
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::path::{self, Step};
use super::stand::{Behind, Kind, Stand};
use super::world::{Difference, World};

/// The program's own hook: it dies right after so many records.
const CRASH_AFTER: &str = "KAIZEN_CRASH_AFTER";
/// How often the program is run again, at most, until the end must be reached.
const AGAIN: usize = 4;
/// The forge: ours, and git's own backend, both behind proxies that can drop connections.
const KIND: Kind = Kind { dialect: Dialect::GitHub, emulated: false, contract: false, nginx: false };

/// What is done to a run of the program.
#[derive(Debug, Clone, Copy)]
enum Harm {
    /// Killed right after this record.
    Record(usize),
    /// Killed this long after its start.
    Instant(Duration),
    /// The connection of this request dropped, at the door named, before it is passed on.
    Before(usize, usize),
    /// The same after the answer came.
    After(usize, usize),
}

/// The doors that requests go through, in the order of [`Stand::recorders`].
const DOORS: [&str; 2] = ["the forge", "git"];

/// A moment before a step, to go back to.
struct Moment {
    folder: PathBuf,
    memory: Memory,
}

/// A step with what it comes to when nothing is done to it.
struct Known {
    step: Step,
    before: Moment,
    wanted: World,
    wall: Duration,
    /// Requests through each door.
    requests: [usize; 2],
}

/// What one kind of harm did, over all steps.
#[derive(Default)]
struct Tally {
    points: usize,
    found: Difference,
    broken: Vec<String>,
}

struct Stage<'a> {
    scratch: &'a Scratch,
    program: Program,
    stand: Stand,
}

/// Measures it.
///
/// # Errors
/// When the path cannot be taken even if nothing is done to it.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("pull-requests-crash")?;
    let cache = Cache::at(&scratch.join("cache"));
    let program = Program::release(&scratch)?;
    let stand = Stand::set(&scratch, "stand", KIND, &cache)?;
    let stage = Stage { scratch: &scratch, program, stand };
    let known = stage.learn()?;
    let (every, random) = if options.quick { (6, 1) } else { (1, 10) };
    let mut dice = Dice(options.seed);

    let header = ["what", "points", "lost", "doubled", "comments lost", "comments doubled", "other", "broken"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut killed, mut at_random, mut before, mut after) =
        (Tally::default(), Tally::default(), Tally::default(), Tally::default());
    for known in &known {
        let mut next = 1;
        while stage.record(known, next, &mut killed)? {
            next += every;
        }
        for _ in 0..random {
            stage.harm(known, Harm::Instant(dice.time(known.wall)), &mut at_random)?;
        }
        for (door, requests) in known.requests.iter().enumerate() {
            for request in (1..=*requests).step_by(every) {
                stage.harm(known, Harm::Before(door, request), &mut before)?;
                stage.harm(known, Harm::After(door, request), &mut after)?;
            }
        }
    }
    let mut wrong = 0;
    let what = |what: &str| if every == 1 { what.to_owned() } else { format!("{what}, every {every}th") };
    for (what, tally) in [
        (what("killed after a record"), killed),
        (format!("killed at random, seed {}", options.seed), at_random),
        (what("dropped before it is passed on"), before),
        (what("dropped after the answer"), after),
    ] {
        let Tally { points, found, broken } = tally;
        let counts = [&found.lost, &found.doubled, &found.unsaid, &found.repeated, &found.other, &broken].map(Vec::len);
        wrong += counts.iter().sum::<usize>();
        let cells = counts.iter().map(usize::to_string);
        outcome.table.row([what, points.to_string()].into_iter().chain(cells));
        outcome.missed.extend([found.lost, found.doubled, found.unsaid, found.repeated, found.other, broken].concat());
    }
    let steps: Vec<String> = known.iter().map(|known| known.shown()).collect();
    outcome.notes.push(format!("left alone: {}", steps.join("; ")));
    outcome.summary = format!("{wrong} faults (bar 0)");
    Ok(outcome)
}

impl Known {
    fn shown(&self) -> String {
        let [forge, git] = self.requests;
        format!("{} {}, {forge} requests to the forge and {git} to git", self.step.name(), shown(self.wall))
    }
}

impl Stage<'_> {
    /// Takes the path once and keeps the moments before each step.
    fn learn(&self) -> Result<Vec<Known>> {
        let mut known = Vec::new();
        for step in Step::ALL {
            let counts =
                || self.stand.recorders().map(|doors| doors.map(|door| door.calls().len())).unwrap_or_default();
            path::people(&self.stand, step)?;
            let before = self.keep(step)?;
            let requests = counts();
            let ended = self.run(step.command(), None)?;
            ensure!(ended.status.success(), "left alone, {} fails: {}", step.name(), tail(&ended.stderr));
            let mut done = path::Done::default();
            path::look(&self.stand, &self.program, step, &mut done)?;
            ensure!(done.wrong.is_empty(), "left alone, {} does not work: {}", step.name(), done.wrong.join("; "));
            let requests = [0, 1].map(|door| counts()[door] - requests[door]);
            let wanted = self.settle()?;
            known.push(Known { step, before, wanted, wall: ended.wall, requests });
            let last = known.last().map(Known::shown).unwrap_or_default();
            eprintln!("left alone: {last}");
        }
        Ok(known)
    }

    /// Runs rounds until another one changes nothing: what comes of it then.
    fn settle(&self) -> Result<World> {
        let mut world = World::look(&self.stand, &self.program)?;
        for _ in 0..AGAIN {
            let ended = self.run(&["pull-requests"], None)?;
            ensure!(ended.status.success(), "left alone, a round fails: {}", tail(&ended.stderr));
            let next = World::look(&self.stand, &self.program)?;
            if next == world {
                return Ok(world);
            }
            eprintln!("  another round changes more: {:?}", next.differs_from(&world));
            world = next;
        }
        bail!("left alone, it comes to no rest")
    }

    fn run(&self, command: &[&str], harm: Option<Harm>) -> Result<Ended> {
        let run = self.program.run(&self.stand.place, &self.stand.args(command)?);
        match harm {
            Some(Harm::Record(number)) => run.env(CRASH_AFTER, number.to_string()).end(),
            Some(Harm::Instant(at)) => run.kill_at(at).end(),
            Some(Harm::Before(door, request)) => {
                self.doors()?[door].fault(request, Fault::DropBefore);
                run.end()
            }
            Some(Harm::After(door, request)) => {
                self.doors()?[door].fault(request, Fault::DropAfter);
                run.end()
            }
            None => run.end(),
        }
    }

    fn doors(&self) -> Result<[&kaizen_forgestand::Recorder; 2]> {
        self.stand.recorders().context("the stand has no doors")
    }

    /// Kills after a record; says whether there was such a record.
    fn record(&self, known: &Known, number: usize, tally: &mut Tally) -> Result<bool> {
        self.put_back(&known.before)?;
        let ended = self.run(known.step.command(), Some(Harm::Record(number)))?;
        if ended.status.code().is_some() {
            return Ok(false);
        }
        self.look(known, Harm::Record(number), tally)?;
        Ok(true)
    }

    fn harm(&self, known: &Known, harm: Harm, tally: &mut Tally) -> Result<()> {
        self.put_back(&known.before)?;
        self.run(known.step.command(), Some(harm))?;
        self.look(known, harm, tally)
    }

    /// Runs the program again and looks at what became of it.
    fn look(&self, known: &Known, harm: Harm, tally: &mut Tally) -> Result<()> {
        tally.points += 1;
        let at = match harm {
            Harm::Record(number) => format!("{}, killed after record {number}", known.step.name()),
            Harm::Instant(time) => format!("{}, killed after {}", known.step.name(), shown(time)),
            Harm::Before(door, n) => format!("{}, request {n} to {} dropped before", known.step.name(), DOORS[door]),
            Harm::After(door, n) => format!("{}, request {n} to {} dropped after", known.step.name(), DOORS[door]),
        };
        let mut found = Difference::default();
        for again in 0..AGAIN {
            let cut_off = again == 0 && !self.is_cycle_over()?;
            let command = if cut_off { known.step.command() } else { &["pull-requests"] };
            let ended = self.run(command, None)?;
            if !ended.status.success() {
                tally.broken.push(format!("{at}: run again, it ends with {}: {}", ended.status, tail(&ended.stderr)));
            }
            found = World::look(&self.stand, &self.program)?.differs_from(&known.wanted);
            if found.is_none() {
                break;
            }
        }
        let verified = self.program.run(&self.stand.place, &["log", "--verify"]).end()?;
        if !verified.status.success() {
            tally.broken.push(format!("{at}: the journal: {}", tail(&verified.stderr)));
        }
        eprintln!("  {at}: {}", if found.is_none() { "the same end".to_owned() } else { format!("{found:?}") });
        let sum = &mut tally.found;
        for (all, these) in [
            (&mut sum.lost, found.lost),
            (&mut sum.doubled, found.doubled),
            (&mut sum.unsaid, found.unsaid),
            (&mut sum.repeated, found.repeated),
            (&mut sum.other, found.other),
        ] {
            all.extend(these.into_iter().map(|what| format!("{at}: {what}")));
        }
        Ok(())
    }

    /// Whether a cycle that looked for work came to its end: then running it again would begin another.
    fn is_cycle_over(&self) -> Result<bool> {
        let log = self.program.run(&self.stand.place, &["log", "--json", "--last", "1000000"]).succeed()?;
        Ok(records::cycles(&log.stdout).iter().any(records::CycleRecords::finished))
    }

    /// The folders that a moment is made of, with their names in it.
    fn folders(&self) -> [(&'static str, PathBuf); 3] {
        let place = &self.stand.place;
        [("repo", place.repo.clone()), ("state", place.state.clone()), ("bare", self.stand.bare.path().to_path_buf())]
    }

    fn keep(&self, step: Step) -> Result<Moment> {
        let Behind::Scripted(forge) = &self.stand.behind else { bail!("only our own forge can go back") };
        let folder = self.scratch.join(format!("before-{step:?}"));
        std::fs::create_dir(&folder)?;
        for (name, from) in self.folders().into_iter().filter(|(_, from)| from.exists()) {
            scratch::copy(&from, &folder.join(name))?;
        }
        Ok(Moment { folder, memory: forge.memory() })
    }

    fn put_back(&self, moment: &Moment) -> Result<()> {
        let Behind::Scripted(forge) = &self.stand.behind else { bail!("only our own forge can go back") };
        let scratch = self.scratch.path();
        let alone = wait_until(Duration::from_secs(20), || processes_naming(scratch).is_empty());
        ensure!(alone, "processes were left behind: {:?}", processes_naming(scratch));
        let mut put = Ok(());
        forge.put_back(&moment.memory, || put = self.put_files_back(moment));
        put
    }

    fn put_files_back(&self, moment: &Moment) -> Result<()> {
        for (name, to) in self.folders() {
            let _ = std::fs::remove_dir_all(&to);
            ensure!(!to.exists(), "{} cannot be removed", to.display());
            let from = moment.folder.join(name);
            if from.exists() {
                scratch::copy(&from, &to)?;
            }
        }
        Ok(())
    }
}
