//! Nominal times: what a cron line means in a time zone whose clocks are changed.
//!
//! A nominal time is an instant. Two rules, by the hours that the line names:
//! - A line of **fixed hours** (any that leaves out an hour of the day: `30 2 * * *`, `0 */6 * * *`) runs each of its times
//!   of day once. A time that clocks skip in spring is run at the very instant of the change; several of them, at that
//!   one instant. A time that clocks show twice in autumn is run at the first.
//! - A line of **every hour** (`*/15 * * * *`, `0 * * * 1-5`) follows the minutes as they really pass: it fires whenever
//!   a clock of the zone shows a time it names. So its interval stays the same through both changes, as long as the
//!   change is a multiple of it. (On Lord Howe Island it is half an hour; `0 * * * *` stays with the full hours there.)
//!
//! The order of nominal times is that of the clock's readings within each rule, so a search never goes back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::cron::Line;

/// The first nominal time after an instant; none when the calendar ends before.
pub(crate) fn next(line: &Line, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    if line.every_hour { next_as_it_passes(line, zone, after) } else { next_of_day(line, zone, after) }
}

fn next_of_day(line: &Line, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut civil = zone.to_datetime(after);
    loop {
        civil = line.next(civil, false)?;
        let at = first_instant(zone, civil)?;
        // While clocks show an hour again, its times lie behind.
        if at > after {
            return Some(at);
        }
    }
}

/// The first instant at which clocks show this time, or are past it.
fn first_instant(zone: &TimeZone, civil: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { before, .. } => {
            let beyond = before.to_timestamp(civil).ok()?;
            let from = beyond.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?;
            zone.preceding(from).next().map(|change| change.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
    }
}

/// Goes from one change of the clocks to the next: between them the offset is the same.
fn next_as_it_passes(line: &Line, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let (mut from, mut inclusive) = (after, false);
    loop {
        let offset = zone.to_offset(from);
        let change = zone.following(from).map(|change| change.timestamp()).find(|change| *change > from);
        let at = offset.to_timestamp(line.next(offset.to_datetime(from), inclusive)?).ok()?;
        match change {
            Some(change) if at >= change => (from, inclusive) = (change, true),
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZoneDatabase;

    fn times(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let (line, zone) = (Line::parse(cron).unwrap(), TimeZoneDatabase::bundled().get(zone).unwrap());
        let mut at: Timestamp = from.parse().unwrap();
        let mut times = Vec::new();
        for _ in 0..count {
            at = next(&line, &zone, at).unwrap();
            times.push(at.to_zoned(zone.clone()).strftime("%d %H:%M %:z").to_string());
        }
        times
    }

    #[test]
    fn a_time_that_clocks_skip_is_run_once_right_after() {
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00Z", 3),
            ["28 02:30 +01:00", "29 03:00 +02:00", "30 02:30 +02:00"]
        );
        assert_eq!(
            times("0,30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 3),
            ["29 03:00 +02:00", "29 03:30 +02:00", "30 02:00 +02:00"]
        );
        // Where the change is at midnight, the day begins at one.
        assert_eq!(
            times("0 0 * * *", "Africa/Cairo", "2026-04-22T12:00Z", 3),
            ["23 00:00 +02:00", "24 01:00 +03:00", "25 00:00 +03:00"]
        );
        // Where it leads over midnight, the run goes with it.
        assert_eq!(
            times("30 23 * * 6", "America/Nuuk", "2026-03-27T12:00Z", 2),
            ["29 00:00 -01:00", "04 23:30 -01:00"]
        );
        assert_eq!(
            times("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00Z", 2),
            ["04 02:30 +11:00", "05 02:15 +11:00"]
        );
    }

    #[test]
    fn a_time_that_clocks_show_twice_is_run_at_the_first() {
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", 2),
            ["25 02:30 +02:00", "26 02:30 +01:00"]
        );
        // Asked in the middle of the second showing.
        assert_eq!(times("*/20 2 * * *", "Europe/Berlin", "2026-10-25T01:10Z", 1), ["26 02:00 +01:00"]);
        assert_eq!(
            times("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T16:00Z", 2),
            ["05 01:45 +11:00", "06 01:45 +10:30"]
        );
    }

    #[test]
    fn an_interval_stays_the_same_through_both_changes() {
        assert_eq!(
            times("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15Z", 3),
            ["29 01:30 +01:00", "29 03:00 +02:00", "29 03:30 +02:00"]
        );
        assert_eq!(
            times("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15Z", 4),
            ["25 02:30 +02:00", "25 02:00 +01:00", "25 02:30 +01:00", "25 03:00 +01:00"]
        );
        assert_eq!(
            times("*/15 * * * *", "Asia/Kathmandu", "2026-01-01T00:00Z", 2),
            ["01 06:00 +05:45", "01 06:15 +05:45"]
        );
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_run_once() {
        assert_eq!(
            times("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00Z", 3),
            ["29 12:00 -10:00", "31 00:00 +14:00", "31 12:00 +14:00"]
        );
    }

    #[test]
    fn the_calendar_ends_without_a_panic() {
        let line = Line::parse("* * * * *").unwrap();
        let berlin = TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
        assert_eq!(next(&line, &berlin, Timestamp::MAX), None);
        assert_eq!(next(&Line::parse("0 3 * * *").unwrap(), &berlin, Timestamp::MAX), None);
    }
}
