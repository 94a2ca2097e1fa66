//! A cron line on the plain calendar, where every day has 24 hours. What a time zone makes of it is another matter.

use croner::parser::{CronParser, Seconds, Year};
use croner::{Cron, Weekday};
use jiff::civil::{Date, DateTime, date};

/// Days after which the weeks and leap years of a calendar without exceptions repeat.
const CYCLE: usize = 28 * 366;
/// Days after which the calendar repeats for good.
const FULL_CYCLE: usize = 400 * 366;

/// A cron line that has been read.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    cron: Cron,
    /// Whether it may fire in every hour of the day.
    pub every_hour: bool,
    /// The shortest time between two firings, in seconds.
    pub shortest: u64,
}

/// Why it cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    Malformed(String),
    Never,
}

impl Line {
    pub(crate) fn parse(line: &str) -> Result<Self, Unusable> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(line).map_err(|error| Unusable::Malformed(reason(&error)))?;
        let pattern = &cron.pattern;
        let hours: Vec<u32> = (0..24).filter(|hour| pattern.hour_match(*hour).unwrap_or(false)).collect();
        let minutes: Vec<u32> = (0..60).filter(|minute| pattern.minute_match(*minute).unwrap_or(false)).collect();
        let apart = days_apart(&cron).ok_or(Unusable::Never)?;
        let times: Vec<u32> =
            hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute)).collect();
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return Err(Unusable::Never) };
        let within = times.windows(2).filter_map(|pair| Some(u64::from(pair.last()? - pair.first()?))).min();
        let over_night = apart * 24 * 60 + u64::from(*first) - u64::from(*last);
        let shortest = within.unwrap_or(u64::MAX).min(over_night) * 60;
        Ok(Self { every_hour: hours.len() == 24, shortest, cron })
    }

    /// The first time that it names after `civil`, or from it on; seconds do not count.
    pub(crate) fn next(&self, civil: DateTime, inclusive: bool) -> Option<DateTime> {
        self.cron.find_next_occurrence(&civil, inclusive).ok()
    }
}

/// The fewest days between two that the line names; none when it names no day at all.
fn days_apart(cron: &Cron) -> Option<u64> {
    let mut last: Option<usize> = None;
    let mut least = None;
    for (at, day) in date(2000, 1, 1).series(jiff::Span::new().days(1)).take(FULL_CYCLE).enumerate() {
        if at > CYCLE && least.is_some() {
            break;
        }
        if is_named(cron, day) {
            if let Some(last) = last.replace(at) {
                least = Some(least.unwrap_or(usize::MAX).min(at - last));
            }
            if least == Some(1) {
                break;
            }
        }
    }
    // A day that comes once in 400 years comes again after them.
    last.map(|_| least.unwrap_or(FULL_CYCLE) as u64)
}

fn is_named(cron: &Cron, day: Date) -> bool {
    let field = |value: i8| u32::try_from(value).unwrap_or(0);
    let (month, number) = (field(day.month()), field(day.day()));
    let weekday = Weekday::from_days_from_sunday(field(day.weekday().to_sunday_zero_offset()));
    cron.pattern.month_match(month).unwrap_or(false)
        && cron.pattern.day_match(i32::from(day.year()), month, number, weekday).unwrap_or(false)
}

/// What the parser says, without the names of its own types and with one full stop less.
fn reason(error: &croner::errors::CronError) -> String {
    let said = error.to_string();
    let said = said.split_once(": ").map_or(said.as_str(), |(_, said)| said);
    said.replace("CronPattern", "it").trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_interval_is_known_over_midnight_and_over_months_too() {
        let shortest = |line: &str| Line::parse(line).unwrap().shortest;
        assert_eq!(shortest("*/15 * * * *"), 15 * 60);
        assert_eq!(shortest("0 3 * * *"), 24 * 3600);
        assert_eq!(shortest("0 0,23 * * *"), 3600);
        assert_eq!(shortest("0 0,23 * * 1"), 23 * 3600);
        assert_eq!(shortest("0 3 * * 1,3"), 2 * 24 * 3600);
        assert_eq!(shortest("0 3 1 * *"), 28 * 24 * 3600);
        assert_eq!(shortest("0 0 29 2 *"), (4 * 365 + 1) * 24 * 3600);
    }

    #[test]
    fn lines_that_cannot_be_used_are_refused() {
        for line in ["", "* * * *", "61 * * * *", "* * * * * *", "0 0 * * * * 2030", "a b c d e"] {
            assert!(matches!(Line::parse(line), Err(Unusable::Malformed(_))), "{line}");
        }
        for line in ["0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert!(matches!(Line::parse(line), Err(Unusable::Never)), "{line}");
        }
        assert!(Line::parse("0 0 29 2 *").is_ok());
    }

    #[test]
    fn only_lines_of_every_hour_are_intervals() {
        let every = |line: &str| Line::parse(line).unwrap().every_hour;
        assert!(every("*/15 * * * *") && every("0 0-23 * * 1-5") && every("@hourly"));
        assert!(!every("0 */2 * * *") && !every("* 3 * * *") && !every("@daily"));
    }
}
