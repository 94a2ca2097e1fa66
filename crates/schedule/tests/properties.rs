//! For any line, zone, policy and history: never doubled, never lost beyond the policy; pacing is never exceeded.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use kaizen_domain::Timestamp;
use kaizen_schedule::{CatchUp, MOST_AT_ONCE, Pacing, PacingState, PacingTerms, Progress, Schedule, ScheduleTerms};
use proptest::prelude::*;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// 2026-01-01.
const START: u64 = 1_767_225_600_000;
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Africa/Casablanca",
];

fn cron() -> impl Strategy<Value = String> {
    let minute = prop_oneof![(0..60_u8).prop_map(|at| at.to_string()), Just("*/15".into()), Just("7,37".into())];
    let hour =
        prop_oneof![(0..24_u8).prop_map(|at| at.to_string()), Just("*".into()), Just("*/6".into()), Just("1-3".into())];
    let day = prop_oneof![3 => Just("*".to_owned()), 1 => (1..29_u8).prop_map(|at| at.to_string())];
    let week = prop_oneof![2 => Just("*".to_owned()), 1 => Just("1-5".to_owned()), 1 => Just("0".to_owned())];
    (minute, hour, day, week).prop_map(|(minute, hour, day, week)| format!("{minute} {hour} {day} * {week}"))
}

prop_compose! {
    fn terms()(
        cron in cron(),
        zone in prop::sample::select(ZONES),
        jitter_secs in prop_oneof![Just(0), 0..300_u64],
        catch_up in prop::sample::select(&[CatchUp::Skip, CatchUp::Once, CatchUp::All][..]),
        catch_up_secs in 0..3 * 86_400_u64,
        grace_secs in 0..900_u64,
    ) -> ScheduleTerms {
        ScheduleTerms { cron, time_zone: zone.to_owned(), jitter_secs, catch_up, catch_up_secs, grace_secs }
    }
}

/// Which part of what is due is journalled before the program dies, and how far the clock goes.
fn steps() -> impl Strategy<Value = Vec<(u64, usize)>> {
    let minutes = prop_oneof![4 => 1..90_u64, 2 => 90..3_000_u64, 1 => 3_000..60_000_u64];
    prop::collection::vec((minutes, 0..30_usize), 1..60)
}

proptest! {
    // A leap of decades takes its time in a build for tests.
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 48 } else { 512 }))]

    #[test]
    fn forward_each_time_is_run_once_or_left_out_for_a_reason(terms in terms(), steps in steps()) {
        let schedule = Schedule::parse("ledger", "any", &terms, &TimeZone::UTC).unwrap();
        let (mut progress, mut now) = (Progress::new(Timestamp(START)), START);
        let (mut run, mut left_out) = (BTreeSet::new(), 0);
        let mut all = BTreeSet::new();
        let mut next = schedule.next_after(Timestamp(START));
        for (minutes, lived) in steps {
            now += minutes * MINUTE;
            while let Some(occurrence) = next.filter(|next| next.nominal.0 <= now) {
                all.insert(occurrence.nominal);
                next = schedule.next_after(occurrence.nominal);
            }
            let due = schedule.due(&progress, Timestamp(now));
            prop_assert_eq!(&due, &schedule.due(&progress, Timestamp(now)));
            prop_assert!(due.next.is_none_or(|next| next.due.0 > now));
            let allowed = match terms.catch_up {
                CatchUp::Skip => terms.grace_secs,
                CatchUp::Once | CatchUp::All => terms.grace_secs.max(terms.catch_up_secs),
            } * 1_000;
            let most = if terms.catch_up == CatchUp::All { MOST_AT_ONCE } else { 1 };
            prop_assert!(due.run.len() <= most);
            for (at, occurrence) in due.run.iter().enumerate().take_while(|(at, _)| *at < lived) {
                if at == 0 {
                    left_out += due.left_out.count();
                }
                prop_assert!(all.contains(&occurrence.nominal), "{:?} is no time of {}", occurrence, terms.cron);
                prop_assert!(occurrence.due.0 <= now && now - occurrence.due.0 <= allowed);
                prop_assert!(run.insert(occurrence.nominal), "{:?} is run twice", occurrence);
                progress.settle(occurrence.nominal);
            }
            if let (true, Some(through)) = (due.run.is_empty(), due.left_out.through) {
                left_out += due.left_out.count();
                progress.settle(through);
            }
        }
        let due = schedule.due(&progress, Timestamp(now));
        let open = all.iter().filter(|nominal| due.next.is_none_or(|next| **nominal < next.nominal)).count() as u64;
        let accounted = run.len() as u64 + left_out + due.run.len() as u64 + due.left_out.count();
        prop_assert_eq!(open, accounted, "{} run, {} left out", run.len(), left_out);
    }

    #[test]
    fn whatever_the_clock_does_nothing_is_run_twice(
        terms in terms(),
        clock in prop::collection::vec((prop_oneof![
            6 => 0..200 * HOUR,
            1 => Just(2_147_483_648_000 - START),
            1 => (0..2_000_000_000_000_u64).prop_map(|at| at.wrapping_sub(START)),
        ], 0..30_usize), 1..24),
    ) {
        let schedule = Schedule::parse("ledger", "any", &terms, &TimeZone::UTC).unwrap();
        let mut progress = Progress::new(Timestamp(START));
        let mut run = BTreeSet::new();
        for (since, lived) in clock {
            let now = Timestamp(START.wrapping_add(since));
            progress.see(now);
            let due = schedule.due(&progress, now);
            prop_assert!(due.run.len() <= MOST_AT_ONCE);
            for occurrence in due.run.iter().take(lived) {
                prop_assert!(run.insert(occurrence.nominal), "{:?} is run twice", occurrence);
                progress.settle(occurrence.nominal);
            }
            if let (true, Some(through)) = (due.run.is_empty(), due.left_out.through) {
                progress.settle(through);
            }
            let again = schedule.due(&progress, now);
            prop_assert!(again.run.iter().all(|occurrence| !run.contains(&occurrence.nominal)));
        }
    }

    #[test]
    fn pacing_is_never_exceeded_and_its_until_is_right(
        (max_open, max_landings, hours, pause) in (1..4_u32, 1..4_u32, 1..72_u64, 0..48_u64),
        events in prop::collection::vec((0..5_u8, 0..400_u64), 1..150),
    ) {
        let terms = PacingTerms {
            max_open, max_landings, window_secs: hours * 3600, pause_secs: pause * 3600, ..PacingTerms::default()
        };
        let pacing = Pacing::parse(&terms, &TimeZone::UTC).unwrap();
        let (mut state, mut now) = (PacingState::default(), Timestamp(START));
        for (event, minutes) in events {
            now.0 += minutes * MINUTE;
            let asked = if event < 3 { pacing.may_open(&state, now) } else { pacing.may_land(&state, now) };
            if let Err(not_now) = &asked && let Some(until) = not_now.until {
                prop_assert!(until > now);
                let ask = |at| if event < 3 { pacing.may_open(&state, at) } else { pacing.may_land(&state, at) };
                prop_assert!(ask(Timestamp(until.0 - 1)).is_err() && ask(until).is_ok());
            }
            match event {
                0 | 1 if asked.is_ok() => state.open += 1,
                2 if state.open > 0 => {
                    state.open -= 1;
                    state.rejections.push(now);
                }
                3 | 4 if asked.is_ok() && state.open > 0 => {
                    state.open -= 1;
                    state.landings.push(now);
                }
                _ => {}
            }
            prop_assert!(state.open <= max_open);
            let windows = state.landings.iter().map(|first| {
                state.landings.iter().filter(|at| **at >= *first && at.0 < first.0 + hours * HOUR).count()
            });
            prop_assert!(windows.max().unwrap_or(0) <= max_landings as usize);
        }
    }
}
