//! What is due after outages, restarts and jumps of the clock.
#![expect(clippy::unwrap_used, reason = "tests")]

use jiff::tz::TimeZone;
use kaizen_domain::{Millis, Timestamp};
use kaizen_schedule::{CatchUp, LeftOut, MOST_AT_ONCE, Progress, Schedule, ScheduleTerms};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn schedule(cron: &str, catch_up: CatchUp, catch_up_secs: u64) -> Schedule {
    let terms = ScheduleTerms { cron: cron.to_owned(), catch_up, catch_up_secs, ..ScheduleTerms::default() };
    Schedule::parse("ledger", "nightly", &terms, &TimeZone::UTC).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond() as u64)
}

fn after(at: Timestamp, millis: u64) -> Timestamp {
    Timestamp(at.0 + millis)
}

/// The nominal times to be run, in hours since `start`.
fn hours(schedule: &Schedule, progress: &Progress, start: Timestamp, now: u64) -> Vec<u64> {
    let due = schedule.due(progress, after(start, now));
    due.run.iter().map(|run| (run.nominal.0 - start.0) / HOUR).collect()
}

#[test]
fn each_policy_catches_up_what_it_says() {
    let start = at("2026-05-01T00:30Z");
    let start = Timestamp(start.0 - 30 * MINUTE);
    let progress = Progress::new(start);
    // Ten hours and ten minutes later: the last run is ten minutes late.
    let now = 10 * HOUR + 10 * MINUTE;
    let skip = schedule("0 * * * *", CatchUp::Skip, 0);
    assert!(hours(&skip, &progress, start, now).is_empty());
    let due = skip.due(&progress, after(start, now));
    assert_eq!(due.left_out, LeftOut { late: 10, through: Some(after(start, 10 * HOUR)), ..LeftOut::default() });
    assert_eq!(due.next.map(|next| next.nominal), Some(after(start, 11 * HOUR)));
    // Within the grace it is on time, and the older ones are missed.
    assert_eq!(hours(&skip, &progress, start, 10 * HOUR + 2 * MINUTE), [10]);

    let once = schedule("0 * * * *", CatchUp::Once, 3 * 3600);
    assert_eq!(hours(&once, &progress, start, now), [10]);
    let left_out = once.due(&progress, after(start, now)).left_out;
    assert_eq!((left_out.late, left_out.superseded), (7, 2));
    assert_eq!(
        left_out.to_string(),
        "9 runs were left out: 7 missed for longer than may be caught up, 2 for a newer one"
    );

    let all = schedule("0 * * * *", CatchUp::All, 3 * 3600);
    assert_eq!(hours(&all, &progress, start, now), [8, 9, 10]);
    let long = schedule("0 * * * *", CatchUp::All, 31 * 86_400);
    let due = long.due(&progress, after(start, 20 * 24 * HOUR));
    assert_eq!((due.run.len(), due.left_out.too_many), (MOST_AT_ONCE, 20 * 24 - 24));
}

#[test]
fn a_crash_in_the_middle_repeats_nothing_and_loses_nothing() {
    let all = schedule("0 * * * *", CatchUp::All, 86_400);
    let start = at("2026-05-01T00:00Z");
    let mut progress = Progress::new(start);
    assert_eq!(hours(&all, &progress, start, 3 * HOUR), [1, 2, 3]);
    assert_eq!(all.due(&progress, after(start, 3 * HOUR)), all.due(&progress.clone(), after(start, 3 * HOUR)));
    progress.settle(after(start, HOUR));
    let kept = serde_json::to_string(&progress).unwrap();
    assert_eq!(hours(&all, &serde_json::from_str(&kept).unwrap(), start, 3 * HOUR), [2, 3]);
}

#[test]
fn a_clock_that_goes_back_repeats_nothing_and_says_so() {
    let all = schedule("*/30 * * * *", CatchUp::All, 86_400);
    let start = at("2026-05-01T00:00Z");
    let mut progress = Progress::new(start);
    progress.settle(after(start, 5 * HOUR));
    for now in ["2026-05-01T04:00Z", "2026-04-20T00:00Z", "1970-01-01T00:00Z"] {
        let due = all.due(&progress, at(now));
        assert!(due.run.is_empty() && due.left_out.count() == 0, "{now}");
        assert_eq!(due.next.map(|next| next.nominal), Some(after(start, 5 * HOUR + 30 * MINUTE)));
        assert_eq!(due.behind, Some(Millis(after(start, 5 * HOUR).0 - at(now).0)));
    }
}

#[test]
fn a_clock_that_leaps_decades_ahead_runs_little_and_may_come_back() {
    for (catch_up, most) in [(CatchUp::Skip, 1), (CatchUp::Once, 1), (CatchUp::All, MOST_AT_ONCE)] {
        let every_minute = schedule("* * * * *", catch_up, 31 * 86_400);
        let start = at("2026-05-01T00:00Z");
        let mut progress = Progress::new(start);
        progress.settle(after(start, MINUTE));
        for ahead in [at("2038-01-19T03:14:08Z"), at("9999-01-01T00:00Z"), Timestamp(u64::MAX)] {
            let due = every_minute.due(&progress, ahead);
            assert!(due.run.len() <= most, "{}", due.run.len());
            assert!(due.left_out.at_least && due.left_out.count() >= 10_000, "{:?}", due.left_out);
        }
        let due = every_minute.due(&progress, at("2038-01-19T03:14:08Z"));
        for run in &due.run {
            progress.settle(run.nominal);
        }
        // Back again, it goes on with the next minute and not in 2038.
        let due = every_minute.due(&progress, after(start, 2 * MINUTE));
        assert_eq!((due.run.len(), due.run[0].nominal, due.behind), (1, after(start, 2 * MINUTE), None));
    }
}

#[test]
fn a_leap_after_which_nothing_is_run_is_settled_as_a_whole() {
    let skip = schedule("*/15 * * * *", CatchUp::Skip, 0);
    let start = at("2026-05-01T00:00Z");
    let mut progress = Progress::new(start);
    progress.settle(after(start, HOUR));
    let ahead = at("2038-01-19T03:10:00Z");
    let due = skip.due(&progress, ahead);
    assert!(due.run.is_empty() && due.left_out.at_least);
    progress.settle(due.left_out.through.unwrap());
    assert_eq!(skip.due(&progress, ahead).left_out.count(), 0);
    // Nothing between here and there was touched.
    for day in (0..400).step_by(25) {
        let now = after(start, day * 24 * HOUR + 2 * HOUR);
        assert_eq!(skip.due(&progress, now).run.first().map(|run| run.nominal), Some(now));
    }
}

#[test]
fn jitter_puts_a_run_off_and_stays_the_same() {
    let terms = ScheduleTerms { cron: "0 * * * *".to_owned(), jitter_secs: 3600, ..ScheduleTerms::default() };
    let schedule = Schedule::parse("ledger", "hourly", &terms, &TimeZone::UTC).unwrap();
    let progress = Progress::new(at("2026-05-01T00:10Z"));
    let first = schedule.next_after(at("2026-05-01T00:10Z")).unwrap();
    assert_eq!(first.nominal, at("2026-05-01T01:00Z"));
    assert!(first.due > first.nominal && first.due < after(first.nominal, HOUR));
    assert_eq!(schedule.due(&progress, Timestamp(first.due.0 - 1)).next, Some(first));
    assert_eq!(schedule.due(&progress, first.due).run, [first]);
}
