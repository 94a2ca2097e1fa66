//! Soak: a daemon with many repositories and hundreds of cycles. A person commits findings and takes pull requests, the
//! forge drops connections, refuses and fails; in the first two fifths the daemon is killed again and again. In the end every
//! journal must fold, no cycle may be open, and what the daemon uses must have stayed level.

mod history;
mod level;
mod stand;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::history::History;
use self::level::{KINDS, Samples};
use self::stand::Stand;
use super::daemon::{Daemon, free};
use super::dice::Dice;
use super::program::{Place, Program};
use super::run::tail;
use super::samples::shown;
use super::scratch::{Scratch, processes_naming, wait_until};
use super::table::Table;
use super::{Options, Outcome};

/// Every minute; what was missed is caught up.
const BUSY: &str = "cron = \"* * * * *\"\ncatch_up = \"all\"";
/// Once in years; what was missed is left out.
const QUIET: &str = "cron = \"0 3 29 2 *\"\ncatch_up = \"skip\"";
/// How long the daemon was off, for the schedules: as many runs are caught up as are at most.
const OFF: u64 = 30 * 60_000;
/// Between two samples.
const BEAT: Duration = Duration::from_millis(1000);
/// Far longer than a few cycles take.
const STUCK: Duration = Duration::from_secs(300);

/// Measures it.
///
/// # Errors
/// When the stand cannot be set up, the daemon does not start, or nothing goes on.
pub fn measure(options: &Options) -> Result<Outcome> {
    let (repositories, cycles) = if options.quick { (6, 40) } else { (20, 500) };
    let scratch = Scratch::new("soak")?;
    let program = Program::release(&scratch)?;
    let stand = Stand::set(&scratch, repositories)?;
    let mut soak = Soak {
        place: Place { repo: stand.places.first().context("a repository")?.path.clone(), state: scratch.join("state") },
        scratch: &scratch,
        program,
        stand: Mutex::new(stand),
        dice: Dice(options.seed),
        samples: Samples::default(),
        kills: 0,
        faults: Vec::new(),
    };
    let began = Instant::now();
    soak.catch_up_on(repositories)?;
    let over = AtomicBool::new(false);
    let worked = std::thread::scope(|threads| {
        threads.spawn(|| live(&soak.stand, options.seed, &over));
        let worked = work(&mut Working {
            place: &soak.place,
            scratch: soak.scratch,
            program: &soak.program,
            stand: &soak.stand,
            dice: &mut soak.dice,
            samples: &mut soak.samples,
            kills: &mut soak.kills,
            repositories,
            cycles,
        });
        over.store(true, Ordering::SeqCst);
        worked
    });
    worked?;
    let took = began.elapsed();
    soak.come_to_rest()?;
    soak.outcome(options, repositories, cycles, took)
}

struct Soak<'a> {
    place: Place,
    scratch: &'a Scratch,
    program: Program,
    stand: Mutex<Stand>,
    dice: Dice,
    samples: Samples,
    kills: usize,
    faults: Vec<String>,
}

/// What the daemon needs as it works, apart from what the person and the forge do meanwhile.
struct Working<'a> {
    place: &'a Place,
    scratch: &'a Scratch,
    program: &'a Program,
    stand: &'a Mutex<Stand>,
    dice: &'a mut Dice,
    samples: &'a mut Samples,
    kills: &'a mut usize,
    repositories: usize,
    cycles: usize,
}

/// The person and the troubles of the forge.
fn live(stand: &Mutex<Stand>, seed: u64, over: &AtomicBool) {
    let mut dice = Dice(seed.wrapping_add(77));
    while !over.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(dice.between(300, 1200)));
        let Ok(mut stand) = stand.lock() else { return };
        let done = match dice.below(4) {
            0 => {
                stand.trouble(&mut dice);
                Ok(())
            }
            1 => {
                stand.take(&mut dice);
                Ok(())
            }
            _ => stand.find(&mut dice),
        };
        if let Err(error) = done {
            eprintln!("warning: a person could not commit: {error:#}");
        }
    }
}

fn start(program: &Program, place: &Place, scratch: &Scratch, stand: &Mutex<Stand>, schedule: &str) -> Result<Daemon> {
    let listen = free()?;
    let file = scratch.join("soak.toml");
    let text = stand.lock().map(|stand| stand.settings(&listen, schedule)).ok().context("the stand broke down")?;
    std::fs::write(&file, text)?;
    let mut daemon = Daemon::start(program, place, &file, &listen, &[])?;
    daemon.answers().with_context(|| log_of(scratch))?;
    Ok(daemon)
}

fn log_of(scratch: &Scratch) -> String {
    tail(&std::fs::read_to_string(scratch.join("soak.log")).unwrap_or_default())
}

/// Lets the daemon work until so many cycles are over.
fn work(on: &mut Working<'_>) -> Result<()> {
    let start = |on: &Working<'_>| start(on.program, on.place, on.scratch, on.stand, BUSY);
    let mut daemon = start(on)?;
    let mut kill_at = Instant::now() + Duration::from_secs(on.dice.between(2, 12));
    let (mut known, mut since) = (0, Instant::now());
    loop {
        std::thread::sleep(BEAT);
        let (over, _) = history::over(&on.place.state)?;
        if over != known {
            (known, since) = (over, Instant::now());
            if over % 10 == 0 {
                eprintln!("{over} of {} cycles, {} kills", on.cycles, on.kills);
            }
        }
        ensure!(since.elapsed() < STUCK, "no cycle came to its end within {STUCK:?}:\n{}", log_of(on.scratch));
        if let Some(status) = daemon.has_ended() {
            anyhow::bail!("the daemon ended by itself with {status}:\n{}", log_of(on.scratch));
        }
        if over >= on.cycles {
            break;
        }
        if over * 5 < on.cycles * 2 {
            if Instant::now() >= kill_at {
                std::thread::sleep(on.dice.time(BEAT));
                daemon.kill()?;
                *on.kills += 1;
                daemon = start(on)?;
                kill_at = Instant::now() + Duration::from_secs(on.dice.between(2, 12));
            }
        } else {
            on.samples.add(over, daemon.id(), on.scratch.path(), &on.place.state, on.repositories);
        }
    }
    daemon.terminate()
}

impl Soak<'_> {
    /// Has the schedules seen, and then says that this was long ago.
    fn catch_up_on(&mut self, repositories: usize) -> Result<()> {
        let daemon = start(&self.program, &self.place, self.scratch, &self.stand, BUSY)?;
        let all = wait_until(STUCK, || history::seen(&self.place.state).is_ok_and(|seen| seen.len() == repositories));
        ensure!(all, "not every schedule was seen:\n{}", log_of(self.scratch));
        daemon.terminate()?;
        history::was_off(&self.place.state, &history::seen(&self.place.state)?, "schedule-1", OFF)
    }

    /// Starts the daemon once more with nothing new to do, until nothing is open.
    fn come_to_rest(&mut self) -> Result<()> {
        let mut daemon = start(&self.program, &self.place, self.scratch, &self.stand, QUIET)?;
        let state = &self.place.state;
        let rested = wait_until(STUCK, || history::over(state).is_ok_and(|(_, open)| open == 0));
        if !rested {
            self.faults.push(format!("cycles stay open:\n{}", log_of(self.scratch)));
        }
        if let Some(status) = daemon.has_ended() {
            self.faults.push(format!("the daemon ended by itself with {status}"));
        }
        // Pull requests that wait for the forge.
        let rounds = Duration::from_secs(12);
        std::thread::sleep(rounds);
        daemon.terminate()
    }

    fn outcome(mut self, options: &Options, repositories: usize, cycles: usize, took: Duration) -> Result<Outcome> {
        let history = History::read(&self.place.state)?;
        self.faults.extend(history.faults.iter().cloned());
        let verified = self.program.run(&self.place, &["log", "--verify"]).end()?;
        if !verified.status.success() {
            self.faults.push(format!("the journal is not whole: {}", tail(&verified.stderr)));
        }
        if history.open > 0 {
            self.faults.push(format!("{} cycles are open", history.open));
        }
        if !wait_until(Duration::from_secs(5), || processes_naming(self.scratch.path()).is_empty()) {
            self.faults.push(format!("processes are left: {:?}", processes_naming(self.scratch.path())));
        }
        let stand = self.stand.lock().ok().context("the stand broke down")?;
        let opened: usize = history.opened.values().sum();
        let there: usize = stand
            .places
            .iter()
            .filter(|place| place.landing == "pull-request")
            .map(|place| stand.api.pulls(&format!("acme/{}", place.name)))
            .sum();
        if opened != there {
            self.faults.push(format!("the forge has {there} pull requests, the journal {opened}"));
        }
        let mut outcome =
            Outcome { table: Table::new(&["what", "third quarter", "last quarter", "level"]), ..Outcome::default() };
        for (kind, (name, _)) in KINDS.iter().enumerate() {
            let of = self.samples.quarters(kind, cycles);
            let word = if of.level { "yes" } else { "no" };
            outcome.table.row([
                (*name).to_owned(),
                format!("{:.1}", of.third),
                format!("{:.1}", of.last),
                word.to_owned(),
            ]);
            outcome.require(of.level, format!("{name} is not level: {:.1}, then {:.1}", of.third, of.last));
        }
        let (asked, met) = stand.asked();
        let over = history.finished + history.failed;
        let journal = size(&self.place.state.join("journal.sqlite"));
        outcome.notes.push(format!(
            "{over} cycles over ({} finished, {} failed) and {} open in {repositories} repositories, {} landings, {there} pull requests, {} in {}",
            history.finished, history.failed, history.open, history.landed, history.records, shown(took)
        ));
        outcome.notes.push(format!(
            "{} kills, {} findings committed meanwhile, {met} of {asked} requests to the forge met a trouble",
            self.kills,
            stand.findings()
        ));
        outcome
            .notes
            .push(format!("the journal has {} KiB for each cycle", journal / 1024 / u64::try_from(over.max(1))?));
        outcome.notes.push(format!(
            "level: the median of the last quarter of the cycles is at most a tenth above that of the quarter before, and {}; {} samples",
            KINDS.map(|(name, room)| format!("{room} ({name})")).join(", "),
            self.samples.count()
        ));
        for fault in &self.faults {
            outcome.require(false, fault.clone());
        }
        outcome.require(over >= cycles, format!("{over} cycles of {cycles}"));
        outcome.require(self.kills > 0, "the daemon was never killed");
        outcome.summary = format!(
            "{over} cycles, {} kills, {} open, {} faults (bars {cycles}, 1, 0, 0), seed {}",
            self.kills,
            history.open,
            self.faults.len(),
            options.seed
        );
        Ok(outcome)
    }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |about| about.len())
}
