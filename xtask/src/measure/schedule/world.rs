//! World: a year of repositories with schedules of all kinds, a machine that is down at times, and a clock that is wrong
//! at times.

use kaizen_schedule::{CatchUp, ScheduleTerms};

use super::oracle::{DAY, MINUTE};
use crate::measure::dice::Dice;

/// 2026-01-01 UTC.
pub const START: u64 = 1_767_225_600_000;
pub const END: u64 = START + 365 * DAY;
const HOUR: u64 = 60 * MINUTE;
/// 2038-01-18 UTC, a day before a clock of 32 bits ends.
const YEAR_2038: u64 = 2_147_385_600_000;

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Nuuk",
    "America/Havana",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
];

/// Lines, with the longest jitter that stays below their interval also where clocks are changed.
const LINES: &[(&str, u64)] = &[
    ("0 3 * * *", 1_500),
    ("30 2 * * *", 900),
    ("0 0 * * *", 1_500),
    ("15,45 2 * * 0", 600),
    ("0 1,2,3 * * *", 600),
    ("30 23 * * *", 900),
    ("0 3 * * 1-5", 1_500),
    ("0 4 * * 0", 1_500),
    ("30 1 1,15 * *", 900),
    ("0 12 13 * 5", 1_500),
    ("0 */6 * * *", 1_500),
    ("20 */2 * * *", 900),
    ("*/15 * * * *", 600),
    ("*/20 * * * *", 300),
    ("*/5 * * * 1-5", 120),
    ("7 * * * *", 900),
    ("0 9-17 * * 1-5", 900),
    ("*/10 2 * * *", 0),
];

/// A schedule and its repository.
pub struct Entry {
    pub repository: String,
    pub terms: ScheduleTerms,
}

/// A year.
pub struct World {
    pub entries: Vec<Entry>,
    /// From when to when nothing runs, by real time, in order and apart.
    pub down: Vec<(u64, u64)>,
    /// From when to when the clock is wrong, and by how many milliseconds.
    pub wrong: Vec<(u64, u64, i64)>,
}

impl World {
    /// The year of a seed.
    pub fn new(repositories: u64, dice: &mut Dice) -> Self {
        let entries = (0..repositories).map(|number| entry(number, dice)).collect();
        let mut down: Vec<(u64, u64)> = Vec::new();
        for _ in 0..150 {
            let from = dice.between(START + DAY, END);
            down.push((from, from + dice.between(1_000, 2 * MINUTE)));
        }
        for _ in 0..40 {
            // From minutes to days, as often of one length as of twice that.
            let length = ((2 * MINUTE) << dice.below(12)) + dice.below(5 * MINUTE);
            let from = dice.between(START + DAY, END);
            down.push((from, from + length));
        }
        down.sort_unstable();
        // One that begins before the last has ended makes it longer.
        let mut apart: Vec<(u64, u64)> = Vec::new();
        for (from, to) in down {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        Self { entries, down: apart, wrong: wrong(dice) }
    }

    /// What the clock shows.
    pub fn clock(&self, real: u64) -> u64 {
        let wrong = self.wrong.iter().find(|(from, to, _)| (*from..*to).contains(&real));
        real.saturating_add_signed(wrong.map_or(0, |(_, _, by)| *by))
    }

    /// Whether the clock stands within days of the real time.
    pub fn is_near(&self, real: u64) -> bool {
        self.clock(real).abs_diff(real) < 4 * DAY
    }

    /// When it is up again, if it is down.
    pub fn up_again(&self, real: u64) -> Option<u64> {
        self.down.iter().find(|(from, to)| (*from..*to).contains(&real)).map(|(_, to)| *to)
    }

    /// What clocks may show: the year, and the days to which they leap.
    pub fn stretches() -> [(u64, u64); 2] {
        [(START + MINUTE, END + 40 * DAY), (YEAR_2038 - 5 * DAY, YEAR_2038 + 3 * DAY)]
    }
}

fn entry(number: u64, dice: &mut Dice) -> Entry {
    // Every line and every zone is there in any year; what comes together is chance.
    let at = |list: usize, offset: u64| usize::try_from((number + offset) % list as u64).unwrap_or(0);
    let (cron, most_jitter) = LINES[at(LINES.len(), 0)];
    let zone = ZONES[at(ZONES.len(), dice.below(2) * number / 18 + number / 18)];
    let jitter_secs = if dice.below(3) == 0 { 0 } else { dice.below(most_jitter + 1) };
    let terms = ScheduleTerms {
        cron: cron.to_owned(),
        time_zone: zone.to_owned(),
        jitter_secs,
        catch_up: *dice.one(&[CatchUp::Skip, CatchUp::Once, CatchUp::All]),
        catch_up_secs: *dice.one(&[3600, 6 * 3600, 24 * 3600, 2 * 86_400]),
        grace_secs: *dice.one(&[60, 300, 900]),
    };
    Entry { repository: format!("github.com/example/repository-{number}"), terms }
}

/// A wrong clock in each month, for minutes to half a day.
fn wrong(dice: &mut Dice) -> Vec<(u64, u64, i64)> {
    let hour = i64::try_from(HOUR).unwrap_or(0);
    let mut kinds = vec![hour, -hour, hour, -hour, 20 * hour, -20 * hour, 72 * hour, 72 * hour];
    let months = 12;
    kinds.resize(months, 0);
    let mut wrong = Vec::new();
    for month in 0..months as u64 {
        let from = START + month * 30 * DAY + dice.between(DAY, 25 * DAY);
        let to = from + dice.between(10 * MINUTE, 12 * HOUR);
        let left = kinds.len() as u64;
        let at = usize::try_from(dice.below(left)).unwrap_or(0);
        let kind = kinds.swap_remove(at);
        let leap = |to: u64| i64::try_from(to).unwrap_or(0) - i64::try_from(from).unwrap_or(0);
        let by = match kind {
            // Two of each: a clock that has lost its battery, and one that shows far too much.
            0 if wrong.len() % 2 == 0 => leap(YEAR_2038 + dice.below(DAY)),
            0 => leap(dice.below(DAY)),
            by => by,
        };
        wrong.push((from, to, by));
    }
    wrong
}
