//! Pace: a year of pull requests of one repository that are written, opened, approved, merged and closed at random, and
//! what pacing says each time, held against the rules as a person would check them.

use anyhow::{Context, Result};
use jiff::Timestamp as Instant;
use jiff::civil::Weekday as Day;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use kaizen_domain::Timestamp;
use kaizen_schedule::{Pacing, PacingState, PacingTerms, QuietTerms, Waiting, Weekday, next_in_queue};

use super::oracle::MINUTE;
use super::world::{END, START};
use crate::measure::dice::Dice;

/// What was found in a year.
#[derive(Debug, Default)]
pub struct Paced {
    pub asked: u64,
    pub opened: u64,
    pub landed: u64,
    /// Opened or landed against a rule.
    pub exceeded: u64,
    /// Refused although no rule is against it, or taken out of turn.
    pub held_up: u64,
    pub first: Option<String>,
}

impl Paced {
    pub fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.opened += other.opened;
        self.landed += other.landed;
        self.exceeded += other.exceeded;
        self.held_up += other.held_up;
        self.first = self.first.take().or(other.first);
    }

    /// Holds an answer against the rules.
    fn judge(&mut self, may: bool, allowed: bool, what: impl FnOnce() -> String) {
        self.asked += 1;
        self.exceeded += u64::from(may && !allowed);
        self.held_up += u64::from(!may && allowed);
        if may != allowed {
            self.first.get_or_insert_with(what);
        }
    }

    /// Whether the one that is taken is the one whose turn it is.
    fn turn(&mut self, taken: &Change, of: &[Change]) {
        let before = of.iter().any(|other| match (other.security, taken.security) {
            (true, false) => true,
            (false, true) => false,
            _ => other.since < taken.since,
        });
        self.held_up += u64::from(before);
        if before {
            self.first.get_or_insert_with(|| format!("{taken:?} went before its turn"));
        }
    }
}

type Change = Waiting<u64>;

/// The rules as they are written, over everything that has happened.
struct Rules<'a> {
    terms: &'a PacingTerms,
    zone: TimeZone,
    /// When, and whether it was merged.
    closed: Vec<(u64, bool)>,
}

impl Rules<'_> {
    fn is_quiet(&self, now: u64) -> Result<bool> {
        let shown = self.zone.to_datetime(Instant::from_millisecond(i64::try_from(now)?)?);
        let clock = format!("{:02}:{:02}", shown.hour(), shown.minute());
        let (today, yesterday) = (shown.date().weekday(), shown.date().yesterday()?.weekday());
        let on = |quiet: &QuietTerms, day: Day| quiet.days.is_empty() || quiet.days.iter().any(|named| is(*named, day));
        Ok(self.terms.quiet.iter().any(|quiet| {
            let (begun, over) = (clock >= quiet.from, clock >= quiet.to);
            if quiet.from < quiet.to {
                begun && !over && on(quiet, today)
            } else {
                (begun && on(quiet, today)) || (!over && on(quiet, yesterday))
            }
        }))
    }

    fn may_open(&self, open: usize, now: u64) -> Result<bool> {
        let (mut pause, mut until) = (self.terms.pause_secs, 0);
        for (at, merged) in &self.closed {
            if *merged {
                (pause, until) = (self.terms.pause_secs, 0);
            } else {
                until = at + pause.min(self.terms.max_pause_secs) * 1_000;
                pause = (pause * 2).min(self.terms.max_pause_secs);
            }
        }
        Ok(open < self.terms.max_open as usize && now >= until && !self.is_quiet(now)?)
    }

    fn may_land(&self, now: u64) -> Result<bool> {
        let window = self.terms.window_secs * 1_000;
        let landed = self.closed.iter().rev().take_while(|(at, _)| at + window > now).filter(|(_, merged)| *merged);
        Ok(landed.count() < self.terms.max_landings as usize && !self.is_quiet(now)?)
    }
}

fn is(named: Weekday, day: Day) -> bool {
    let days = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    usize::try_from(day.to_monday_zero_offset()).ok().and_then(|at| days.get(at)) == Some(&named)
}

fn terms(zone: &str, dice: &mut Dice) -> PacingTerms {
    let quiet = |from: &str, to: &str, days: &[Weekday]| QuietTerms {
        from: from.to_owned(),
        to: to.to_owned(),
        time_zone: zone.to_owned(),
        days: days.to_vec(),
    };
    let hours = [
        vec![],
        vec![quiet("22:00", "06:30", &[])],
        vec![quiet("12:00", "13:00", &[]), quiet("18:00", "08:00", &[Weekday::Fri, Weekday::Sat])],
        vec![quiet("00:00", "24:00", &[Weekday::Sat, Weekday::Sun]), quiet("02:30", "02:15", &[Weekday::Wed])],
    ];
    PacingTerms {
        max_open: u32::try_from(dice.between(1, 5)).unwrap_or(3),
        max_landings: u32::try_from(dice.between(1, 4)).unwrap_or(1),
        window_secs: dice.between(4, 49) * 3600,
        quiet: dice.one(&hours).clone(),
        pause_secs: *dice.one(&[0, 1800, 3600, 86_400]),
        max_pause_secs: *dice.one(&[86_400, 5 * 86_400]),
    }
}

/// Lives through the year.
pub fn live(zone: &str, dice: &mut Dice) -> Result<Paced> {
    let terms = terms(zone, dice);
    let pacing = Pacing::parse(&terms, &TimeZone::UTC)?;
    let zone = TimeZoneDatabase::bundled().get(zone)?;
    let mut rules = Rules { terms: &terms, zone, closed: Vec::new() };
    let mut found = Paced::default();
    let mut state = PacingState::default();
    let (mut written, mut open, mut approved): (Vec<Change>, Vec<Change>, Vec<Change>) = Default::default();
    let mut now = START;
    for id in 0.. {
        now += dice.between(1_000, 6 * 60 * MINUTE);
        if now >= END {
            break;
        }
        match dice.below(10) {
            0..5 => written.push(Waiting { id, since: Timestamp(now), security: dice.below(8) == 0 }),
            5..7 if !open.is_empty() => {
                let change = open.swap_remove(usize::try_from(dice.below(open.len() as u64))?);
                approved.push(change);
            }
            7 if !open.is_empty() => {
                open.swap_remove(usize::try_from(dice.below(open.len() as u64))?);
                rules.closed.push((now, false));
                state.rejections.push(Timestamp(now));
                state.open -= 1;
            }
            8 => state = serde_json::from_str(&serde_json::to_string(&state)?)?,
            _ => {}
        }
        // What is closed and what lands at the very same moment has no order that anybody could tell.
        now += 1_000;
        while let Some(next) = next_in_queue(&approved).first().map(|next| (*next).clone()) {
            let may = pacing.may_land(&state, Timestamp(now)).is_ok();
            found.judge(may, rules.may_land(now)?, || format!("landing at {now}, {terms:?}"));
            if !may {
                break;
            }
            found.turn(&next, &approved);
            approved.retain(|change| change.id != next.id);
            rules.closed.push((now, true));
            state.landings.push(Timestamp(now));
            state.open -= 1;
            found.landed += 1;
        }
        while let Some(next) = next_in_queue(&written).first().map(|next| (*next).clone()) {
            let may = pacing.may_open(&state, Timestamp(now)).is_ok();
            let allowed = rules.may_open(open.len() + approved.len(), now)?;
            found.judge(may, allowed, || format!("opening at {now}, {terms:?}, {state:?}"));
            if !may {
                break;
            }
            found.turn(&next, &written);
            written.retain(|change| change.id != next.id);
            open.push(next);
            state.open += 1;
            found.opened += 1;
        }
    }
    let landed: Vec<u64> = rules.closed.iter().filter(|(_, merged)| *merged).map(|(at, _)| *at).collect();
    for (at, first) in landed.iter().enumerate() {
        let window = landed.iter().skip(at).take_while(|at| **at < first + terms.window_secs * 1_000).count();
        found.exceeded += u64::from(window > terms.max_landings as usize);
    }
    usize::try_from(found.landed).ok().filter(|count| *count == landed.len()).context("landings were lost count of")?;
    Ok(found)
}
