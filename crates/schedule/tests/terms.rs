//! What is refused, in which words, and schedules that meet.
#![expect(clippy::unwrap_used, reason = "tests")]

use jiff::tz::TimeZone;
use kaizen_domain::Timestamp;
use kaizen_schedule::{Schedule, ScheduleError, ScheduleTerms, collisions};

fn terms(cron: &str, zone: &str) -> ScheduleTerms {
    ScheduleTerms { cron: cron.to_owned(), time_zone: zone.to_owned(), ..ScheduleTerms::default() }
}

fn refused(terms: &ScheduleTerms) -> ScheduleError {
    Schedule::parse("ledger", "nightly", terms, &TimeZone::UTC).unwrap_err()
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond() as u64)
}

#[test]
fn each_error_names_the_input_and_the_way_out() {
    let malformed = refused(&terms("61 * * * *", "UTC"));
    assert!(malformed.to_string().starts_with("schedule `nightly`: `cron = \"61 * * * *\"` is no cron line: "));
    assert!(malformed.help().contains("minute, hour, day of month, month, day of week"));
    let never = refused(&terms("0 0 30 2 *", "UTC"));
    assert_eq!(
        never.to_string(),
        "schedule `nightly`: `cron = \"0 0 30 2 *\"` never fires, as no day of any year matches it"
    );
    let zone = refused(&terms("0 3 * * *", "Europe/Berln"));
    assert_eq!(zone.to_string(), "schedule `nightly`: there is no time zone `Europe/Berln`");
    assert_eq!(zone.help(), "did you mean `Europe/Berlin`?");
    let jitter = refused(&ScheduleTerms { jitter_secs: 901, ..terms("*/15 * * * *", "UTC") });
    assert_eq!(
        jitter.to_string(),
        "schedule `nightly`: a jitter of 901 s is longer than the 15 min between two runs of `*/15 * * * *`"
    );
    assert!(jitter.help().contains("`jitter_secs` to 900 or less"));
    let long = refused(&ScheduleTerms { catch_up_secs: 32 * 86_400, ..terms("0 3 * * *", "UTC") });
    assert_eq!(long.to_string(), "schedule `nightly`: `catch_up_secs = 2764800` is more than 31 days");
}

#[test]
fn schedules_of_one_repository_that_meet_are_named_with_the_first_time() {
    let of = |repository: &str, name: &str, cron: &str, zone: &str| {
        Schedule::parse(repository, name, &terms(cron, zone), &TimeZone::UTC).unwrap()
    };
    let schedules = [
        of("ledger", "nightly", "0 3 * * *", "UTC"),
        of("ledger", "weekly", "0 4 * * 1", "Europe/Berlin"),
        of("ledger", "odd", "1-59/2 * * * *", "UTC"),
        of("other", "nightly", "0 3 * * *", "UTC"),
    ];
    let found = collisions(&schedules, at("2026-06-01T12:00Z"));
    // In winter four in Berlin is three in UTC: the first Monday after the change.
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].to_string(), "schedules `nightly` and `weekly` of ledger both fire at 2026-10-26 03:00 UTC");
    assert!(found[0].help().contains("move one"));
}
