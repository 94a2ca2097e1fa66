//! Oracle: what a schedule must do, found the slow way and without the code that is measured. It steps through time minute
//! by minute, looks at what a clock of the zone shows, and keeps a note for each nominal time.

use anyhow::{Context, Result, ensure};
use jiff::civil::DateTime;
use jiff::tz::TimeZoneDatabase;
use jiff::{Timestamp, ToSpan as _};
use kaizen_schedule::{CatchUp, ScheduleTerms};
use sha2::{Digest as _, Sha256};

pub const MINUTE: u64 = 60_000;
pub const DAY: u64 = 24 * 60 * MINUTE;
/// What is documented of [`CatchUp::All`].
const AT_ONCE: usize = 24;

/// The five fields of a cron line, each as the values it allows.
struct Fields {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Option<Vec<i8>>,
    months: Vec<i8>,
    week: Option<Vec<i8>>,
}

impl Fields {
    fn parse(line: &str) -> Result<Self> {
        let fields: Vec<&str> = line.split(' ').collect();
        let [minutes, hours, days, months, week] = fields[..] else { anyhow::bail!("{line}") };
        let unless_star =
            |field, from, to| -> Result<_> { Ok(if field == "*" { None } else { Some(values(field, from, to)?) }) };
        Ok(Self {
            minutes: values(minutes, 0, 59)?,
            hours: values(hours, 0, 23)?,
            days: unless_star(days, 1, 31)?,
            months: values(months, 1, 12)?,
            week: unless_star(week, 0, 6)?,
        })
    }

    fn match_at(&self, civil: DateTime) -> bool {
        let day = |list: &Vec<i8>| list.contains(&civil.day());
        let week = |list: &Vec<i8>| list.contains(&civil.weekday().to_sunday_zero_offset());
        self.minutes.contains(&civil.minute())
            && self.hours.contains(&civil.hour())
            && self.months.contains(&civil.month())
            && match (&self.days, &self.week) {
                (None, None) => true,
                (Some(days), None) => day(days),
                (None, Some(weekdays)) => week(weekdays),
                (Some(days), Some(weekdays)) => day(days) || week(weekdays),
            }
    }
}

/// `*`, `*/5`, `3`, `1-5` and lists of them.
fn values(field: &str, from: i8, to: i8) -> Result<Vec<i8>> {
    let mut values = Vec::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (from, to),
            Some((first, last)) => (first.parse()?, last.parse()?),
            None => (range.parse()?, range.parse()?),
        };
        values.extend((first..=last).step_by(step.parse()?));
    }
    Ok(values)
}

/// What became of a nominal time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Open,
    Run,
    /// Left out when this one was settled.
    LeftOut(u64),
}

/// A nominal time.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    pub nominal: u64,
    pub due: u64,
    pub fate: Fate,
}

/// What must be done at one look at the clock: places in the list.
#[derive(Debug, Default)]
pub struct Expected {
    pub run: Vec<usize>,
    pub left_out: Vec<usize>,
    /// The first that is not yet due.
    pub next: Option<usize>,
}

/// All nominal times of one schedule.
pub struct Oracle {
    pub noted: Vec<Noted>,
    terms: ScheduleTerms,
    /// Nothing before is open again.
    first: usize,
}

impl Oracle {
    /// Steps through some stretches of time, in order and apart.
    pub fn step_through(repository: &str, name: &str, terms: &ScheduleTerms, stretches: &[(u64, u64)]) -> Result<Self> {
        let fields = Fields::parse(&terms.cron).with_context(|| format!("the oracle cannot read {}", terms.cron))?;
        let zone = TimeZoneDatabase::bundled().get(&terms.time_zone)?;
        let interval = fields.hours.len() == 24;
        let mut noted = Vec::new();
        for (from, to) in stretches {
            ensure!(from % MINUTE == 0, "a stretch begins within a minute");
            let show = |at: u64| -> Result<DateTime> {
                Ok(zone.to_datetime(Timestamp::from_millisecond(i64::try_from(at)?)?))
            };
            let mut latest = show(from - MINUTE)?;
            for minute in (*from..*to).step_by(usize::try_from(MINUTE)?) {
                let shown = show(minute)?;
                let fires = if interval {
                    fields.match_at(shown)
                } else {
                    // Every reading that the clock has come to or jumped over, and had not shown before.
                    let mut fires = false;
                    while latest < shown {
                        latest = latest.checked_add(1.minute())?;
                        fires |= fields.match_at(latest);
                    }
                    fires
                };
                if fires {
                    let due = minute + put_off(repository, name, minute, terms.jitter_secs * 1_000);
                    noted.push(Noted { nominal: minute, due, fate: Fate::Open });
                }
            }
        }
        Ok(Self { noted, terms: terms.clone(), first: 0 })
    }

    /// Whether a nominal time is still to be decided, when a clock shows this. One that was left out when a clock had
    /// leapt more than a day ahead is, as long as the clock has not come to where the leap led.
    fn is_open(&self, noted: &Noted, now: u64) -> bool {
        match noted.fate {
            Fate::Open => true,
            Fate::Run => false,
            Fate::LeftOut(with) => {
                let slack = ((self.terms.jitter_secs + self.terms.grace_secs) * 1_000).min(DAY);
                noted.nominal + DAY < with && now + DAY < with + slack
            }
        }
    }

    /// What must be done when the clock shows this.
    pub fn expect(&mut self, now: u64) -> Expected {
        // No clock of these years is set back by more than a day, but for those that show 1970 or have leapt ahead.
        while self.noted.get(self.first).is_some_and(|noted| match noted.fate {
            Fate::Open => false,
            Fate::Run => true,
            Fate::LeftOut(with) => noted.nominal + DAY >= with || with + 5 * DAY < now,
        }) {
            self.first += 1;
        }
        let mut pending: Vec<usize> = Vec::new();
        let mut expected = Expected::default();
        for (at, noted) in self.noted.iter().enumerate().skip(self.first) {
            if self.is_open(noted, now) {
                if noted.due > now {
                    expected.next = Some(at);
                    break;
                }
                pending.push(at);
            }
        }
        let allowed = match self.terms.catch_up {
            CatchUp::Skip => self.terms.grace_secs,
            CatchUp::Once | CatchUp::All => self.terms.grace_secs.max(self.terms.catch_up_secs),
        } * 1_000;
        let most = if self.terms.catch_up == CatchUp::All { AT_ONCE } else { 1 };
        while let Some(at) = pending.pop() {
            if expected.run.len() < most && now - self.noted[at].due <= allowed {
                expected.run.push(at);
            } else {
                expected.left_out = pending;
                expected.left_out.push(at);
                break;
            }
        }
        expected.run.reverse();
        expected
    }

    /// Notes what was journalled: the first so many runs, and with them what was left out.
    pub fn note(&mut self, expected: &Expected, runs: usize) {
        let settled = if expected.run.is_empty() { expected.left_out.last() } else { expected.run.first() };
        let Some(with) = settled.map(|at| self.noted[*at].nominal) else { return };
        if !expected.run.is_empty() && runs == 0 {
            return;
        }
        for at in &expected.left_out {
            self.noted[*at].fate = Fate::LeftOut(with);
        }
        for at in expected.run.iter().take(runs) {
            self.noted[*at].fate = Fate::Run;
        }
    }
}

/// The jitter as it is documented: eight bytes of a SHA-256 over three parts, each behind its length.
fn put_off(repository: &str, name: &str, nominal: u64, most: u64) -> u64 {
    let mut text = Vec::new();
    for part in [repository.as_bytes(), name.as_bytes(), &nominal.to_be_bytes()] {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(&text)[..8]);
    u64::from_be_bytes(first).checked_rem(most).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oracle_knows_both_changes_of_the_clocks() {
        let count = |cron: &str, from: &str| {
            let from: Timestamp = from.parse().unwrap();
            let from = from.as_millisecond() as u64;
            let terms = ScheduleTerms {
                cron: cron.to_owned(),
                time_zone: "Europe/Berlin".to_owned(),
                ..ScheduleTerms::default()
            };
            let oracle = Oracle::step_through("a", "b", &terms, &[(from, from + DAY)]).unwrap();
            oracle.noted.iter().map(|noted| (noted.nominal - from) / MINUTE).collect::<Vec<_>>()
        };
        // 2026-03-29 and 2026-10-25 in Berlin: an hour is skipped, or shown twice, at 01:00 UTC.
        assert_eq!(count("0,30 2 * * *", "2026-03-29T00:00Z"), [60]);
        assert_eq!(count("0,30 2 * * *", "2026-10-25T00:00Z"), [0, 30]);
        assert_eq!(count("*/30 0-23 * * *", "2026-03-29T00:00Z").len(), 48);
        assert_eq!(count("0 3 * * 1-5", "2026-10-25T00:00Z"), Vec::<u64>::new());
    }
}
