//! Daemon: one schedule through a year. It sleeps until the next run is due, or for some minutes; at a restart all that is
//! left of it is its settings and its journal. Each look at the clock is held against the oracle.

use std::collections::HashSet;

use anyhow::Result;
use jiff::tz::TimeZone;
use kaizen_domain::Timestamp;
use kaizen_schedule::{Due, Progress, Schedule, ScheduleTerms};

use super::oracle::{Expected, Fate, MINUTE, Oracle};
use super::peer::Peer;
use super::world::{END, Entry, START, World};
use crate::measure::dice::Dice;

/// The longest sleep.
const SLEEP: u64 = 20 * MINUTE;
const NAME: &str = "upkeep";

/// What was found in a year.
#[derive(Debug, Default)]
pub struct Found {
    pub looks: u64,
    pub restarts: u64,
    /// Nominal times of the year, by the oracle.
    pub nominal: u64,
    pub run: u64,
    /// Of those, runs that began later than their grace.
    pub caught_up: u64,
    pub left_out: u64,
    pub missed: u64,
    pub doubled: u64,
    /// Runs at no nominal time, too early or that the policy leaves out; reports of what is left out or comes next that
    /// are wrong.
    pub wrong: u64,
    pub first_wrong: Option<String>,
    pub peer_missed: u64,
    pub peer_doubled: u64,
    /// Nominal times that differ when croner alone goes through the year.
    pub peer_differs: u64,
}

impl Found {
    pub fn add(&mut self, other: Self) {
        for (sum, other) in [
            (&mut self.looks, other.looks),
            (&mut self.restarts, other.restarts),
            (&mut self.nominal, other.nominal),
            (&mut self.run, other.run),
            (&mut self.caught_up, other.caught_up),
            (&mut self.left_out, other.left_out),
            (&mut self.missed, other.missed),
            (&mut self.doubled, other.doubled),
            (&mut self.wrong, other.wrong),
            (&mut self.peer_missed, other.peer_missed),
            (&mut self.peer_doubled, other.peer_doubled),
            (&mut self.peer_differs, other.peer_differs),
        ] {
            *sum += other;
        }
        self.first_wrong = self.first_wrong.take().or(other.first_wrong);
    }

    fn wrong(&mut self, what: impl FnOnce() -> String) {
        self.wrong += 1;
        self.first_wrong.get_or_insert_with(what);
    }
}

/// All that outlives the process.
struct Kept {
    settings: String,
    journal: String,
}

impl Kept {
    fn start(&self, repository: &str) -> Result<(Schedule, Progress)> {
        let terms: ScheduleTerms = serde_json::from_str(&self.settings)?;
        let schedule = Schedule::parse(repository, NAME, &terms, &TimeZone::UTC)?;
        Ok((schedule, serde_json::from_str(&self.journal)?))
    }
}

/// Lives through the year.
pub fn live(entry: &Entry, world: &World, dice: &mut Dice) -> Result<Found> {
    let mut oracle = Oracle::step_through(&entry.repository, NAME, &entry.terms, &World::stretches())?;
    let mut found =
        Found { nominal: oracle.noted.iter().filter(|noted| noted.nominal < END).count() as u64, ..Found::default() };
    let settings = serde_json::to_string(&entry.terms)?;
    let seen = Progress::new(Timestamp(START));
    let mut kept = Kept { settings, journal: serde_json::to_string(&seen)? };
    let (mut schedule, mut progress) = kept.start(&entry.repository)?;
    let mut peer = Peer::new(&entry.terms, START)?;
    found.peer_differs = peer.differs(&oracle)?;
    let mut run: HashSet<u64> = HashSet::new();
    let mut real = START;
    while real < END {
        let died = world.up_again(real);
        if let Some(up) = died {
            real = up;
            kept.journal = serde_json::to_string(&progress)?;
            (schedule, progress) = kept.start(&entry.repository)?;
            peer.restart(world.clock(real));
            found.restarts += 1;
            continue;
        }
        let now = world.clock(real);
        found.looks += 1;
        progress.see(Timestamp(now));
        let due = schedule.due(&progress, Timestamp(now));
        let expected = oracle.expect(now);
        compare(&due, &expected, &oracle, world.is_near(real), &mut found, &|| format!("{:?} at {now}", entry.terms));
        peer.look(now)?;
        // Now and then it dies when it has journalled some of what is due.
        let dies = dice.below(400) == 0;
        let lived = if dies { dice.below(due.run.len() as u64 + 1) } else { u64::MAX };
        let lived = usize::try_from(lived).unwrap_or(usize::MAX);
        for occurrence in due.run.iter().take(lived) {
            found.doubled += u64::from(!run.insert(occurrence.nominal.0));
            found.run += 1;
            found.caught_up += u64::from(now - occurrence.due.0 > entry.terms.grace_secs * 1_000);
            progress.settle(occurrence.nominal);
        }
        if let (true, Some(through)) = (due.run.is_empty(), due.left_out.through) {
            progress.settle(through);
        }
        oracle.note(&expected, lived);
        real += if dies {
            kept.journal = serde_json::to_string(&progress)?;
            (schedule, progress) = kept.start(&entry.repository)?;
            found.restarts += 1;
            let down = dice.between(1_000, 30 * MINUTE);
            peer.restart(world.clock(real + down));
            down
        } else {
            let sleep = due.next.map_or(SLEEP, |next| next.due.0.saturating_sub(now)).min(SLEEP);
            sleep + dice.between(1, 2_000)
        };
    }
    for noted in oracle.noted.iter().filter(|noted| noted.nominal < END) {
        match noted.fate {
            Fate::Run => {
                found.missed += u64::from(!run.contains(&noted.nominal));
                found.peer_missed += u64::from(!peer.run.contains(&noted.nominal));
            }
            Fate::LeftOut(_) => found.left_out += 1,
            // Not yet due when the year ended, or while nothing ran any more.
            Fate::Open => found.missed += u64::from(noted.due + 8 * 24 * 60 * MINUTE < END),
        }
    }
    found.peer_doubled = peer.doubled;
    Ok(found)
}

fn compare(due: &Due, expected: &Expected, oracle: &Oracle, near: bool, found: &mut Found, on: &dyn Fn() -> String) {
    let at = |place: &usize| oracle.noted.get(*place).map(|noted| (noted.nominal, noted.due));
    let wanted: Vec<(u64, u64)> = expected.run.iter().filter_map(at).collect();
    let given: Vec<(u64, u64)> = due.run.iter().map(|run| (run.nominal.0, run.due.0)).collect();
    if wanted != given {
        found.missed += wanted.iter().filter(|run| !given.contains(run)).count() as u64;
        found.wrong(|| format!("{}: to be run {wanted:?}, is run {given:?}", on()));
    }
    // Far from home the oracle does not know all that lies between.
    if near && due.left_out.count() != expected.left_out.len() as u64 {
        found.wrong(|| format!("{}: {} to be left out, {}", on(), expected.left_out.len(), due.left_out));
    }
    let next = due.next.map(|next| (next.nominal.0, next.due.0));
    if near && expected.next.as_ref().and_then(at) != next {
        found.wrong(|| format!("{}: {:?} is next, not {next:?}", on(), expected.next.as_ref().and_then(at)));
    }
}
