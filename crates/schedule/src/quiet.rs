//! Quiet hours: times of day, by the clocks of a time zone, at which nothing is opened and nothing lands.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use kaizen_domain::Timestamp;

use crate::error::PacingError;
use crate::instant::{instant, later, stamp};
use crate::terms::{QuietTerms, Weekday};
use crate::zone;

/// Minutes of a day.
const DAY: i64 = 24 * 60;
/// Quiet hours that may follow each other without a pause before they are taken to have no end.
const IN_A_ROW: usize = 64;

/// One pair of times.
#[derive(Debug, Clone)]
pub(crate) struct Quiet {
    /// In minutes from the midnight of the day on which they begin; the end may lie on the next.
    from: i64,
    to: i64,
    days: Vec<Weekday>,
    zone: TimeZone,
    pub terms: QuietTerms,
}

impl Quiet {
    pub(crate) fn parse(terms: &QuietTerms, local: &TimeZone) -> Result<Self, PacingError> {
        let names = || (terms.from.clone(), terms.to.clone());
        let minutes = |time: &str| {
            minutes(time).ok_or_else(|| {
                let (from, to) = names();
                PacingError::Time { from, to, time: time.to_owned() }
            })
        };
        let (from, to) = (minutes(&terms.from)?, minutes(&terms.to)?);
        if from == to || from == DAY {
            return Err(PacingError::Empty { from: terms.from.clone() });
        }
        let zone = zone::find(&terms.time_zone, local).map_err(|near| {
            let (from, to) = names();
            PacingError::TimeZone { from, to, time_zone: terms.time_zone.clone(), near }
        })?;
        let to = if to < from { to + DAY } else { to };
        Ok(Self { from, to, days: terms.days.clone(), zone, terms: terms.clone() })
    }

    /// When they end, if they cover this time.
    fn end(&self, at: Timestamp) -> Option<Timestamp> {
        let civil = self.zone.to_datetime(instant(at));
        let minute = i64::from(civil.hour()) * 60 + i64::from(civil.minute());
        [civil.date(), civil.date().yesterday().ok()?].into_iter().zip([minute, minute + DAY]).find_map(
            |(day, minute)| {
                let covers = self.from <= minute && minute < self.to && self.is_on(day.weekday());
                let end =
                    covers.then(|| day.to_datetime(Time::midnight()).checked_add(self.to.minutes()).ok()).flatten()?;
                Some(self.instant_after(end, at))
            },
        )
    }

    /// The first instant after `at` at which clocks show this time; when they skip it, as much later as they skip.
    fn instant_after(&self, civil: DateTime, at: Timestamp) -> Timestamp {
        let ambiguous = self.zone.to_ambiguous_timestamp(civil);
        let shown = [ambiguous.compatible(), ambiguous.later()];
        let past = shown.into_iter().flatten().map(stamp).find(|shown| *shown > at);
        past.unwrap_or_else(|| later(at, SignedDuration::from_mins(1).as_millis() as u64))
    }

    fn is_on(&self, day: jiff::civil::Weekday) -> bool {
        use jiff::civil::Weekday as Day;
        let day = match day {
            Day::Monday => Weekday::Mon,
            Day::Tuesday => Weekday::Tue,
            Day::Wednesday => Weekday::Wed,
            Day::Thursday => Weekday::Thu,
            Day::Friday => Weekday::Fri,
            Day::Saturday => Weekday::Sat,
            Day::Sunday => Weekday::Sun,
        };
        self.days.is_empty() || self.days.contains(&day)
    }
}

/// The first of them that covers this time.
pub(crate) fn covering(quiet: &[Quiet], at: Timestamp) -> Option<&Quiet> {
    quiet.iter().find(|quiet| quiet.end(at).is_some())
}

/// The first time from `at` on that none covers; none when they do not end.
pub(crate) fn over(quiet: &[Quiet], at: Timestamp) -> Option<Timestamp> {
    let mut at = at;
    for _ in 0..IN_A_ROW {
        match quiet.iter().filter_map(|quiet| quiet.end(at)).max() {
            Some(end) => at = end,
            None => return Some(at),
        }
    }
    None
}

/// `HH:MM` in minutes.
fn minutes(time: &str) -> Option<i64> {
    let (hours, minutes) = time.split_once(':')?;
    let number = |text: &str| text.parse::<i64>().ok().filter(|_| text.len() == 2 && text.is_ascii());
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    ((0..60).contains(&minutes) && (0..=DAY).contains(&total)).then_some(total)
}
