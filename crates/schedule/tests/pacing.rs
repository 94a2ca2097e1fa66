//! What may be opened and land, when, and how it is said.
#![expect(clippy::unwrap_used, reason = "tests")]

use jiff::tz::TimeZone;
use kaizen_domain::Timestamp;
use kaizen_schedule::{NotNow, Pacing, PacingError, PacingState, PacingTerms, QuietTerms, Weekday};

const HOUR: u64 = 3_600_000;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond() as u64)
}

fn quiet(from: &str, to: &str, zone: &str, days: &[Weekday]) -> QuietTerms {
    QuietTerms { from: from.to_owned(), to: to.to_owned(), time_zone: zone.to_owned(), days: days.to_vec() }
}

fn pacing(quiet: Vec<QuietTerms>) -> Pacing {
    Pacing::parse(&PacingTerms { quiet, ..PacingTerms::default() }, &TimeZone::UTC).unwrap()
}

fn said(answer: Result<(), NotNow>) -> String {
    answer.map_or_else(|not_now| not_now.to_string(), |()| "now".to_owned())
}

#[test]
fn open_pull_requests_and_landings_are_limited() {
    let pacing = pacing(Vec::new());
    let now = at("2026-05-04T12:00Z");
    let state = PacingState { open: 3, landings: vec![at("2026-05-04T06:00Z")], rejections: Vec::new() };
    assert_eq!(said(pacing.may_open(&state, now)), "3 pull requests are open, and `max_open` is 3");
    assert_eq!(
        said(pacing.may_land(&state, now)),
        "1 change has landed within 24 h, and `max_landings` is 1; not before 2026-05-05 06:00 UTC"
    );
    assert_eq!(said(pacing.may_land(&state, at("2026-05-05T06:00Z"))), "now");
    assert_eq!(said(pacing.may_open(&PacingState { open: 2, ..state }, now)), "now");
}

#[test]
fn rejections_in_a_row_double_the_pause_up_to_its_cap_and_a_merge_ends_it() {
    let pacing = pacing(Vec::new());
    let start = at("2026-05-04T00:00Z");
    let mut state = PacingState::default();
    let mut pauses = Vec::new();
    for rejection in 0..70 {
        state.rejections.push(Timestamp(start.0 + rejection * HOUR));
        let last = *state.rejections.last().unwrap();
        let until = pacing.may_open(&state, last).unwrap_err().until.unwrap();
        pauses.push((until.0 - last.0) / (24 * HOUR));
    }
    assert_eq!(pauses[..6], [1, 2, 4, 8, 14, 14]);
    assert_eq!(pauses[69], 14);
    state.rejections.truncate(2);
    assert_eq!(
        said(pacing.may_open(&state, Timestamp(start.0 + 2 * HOUR))),
        "the last 2 pull requests were closed without being merged, so the next one waits 48 h; not before \
         2026-05-06 01:00 UTC"
    );
    state.landings.push(Timestamp(start.0 + 2 * HOUR));
    assert_eq!(said(pacing.may_open(&state, Timestamp(start.0 + 2 * HOUR))), "now");
}

#[test]
fn quiet_hours_wrap_midnight_and_follow_the_clocks_of_their_zone() {
    let state = PacingState::default();
    let berlin = pacing(vec![quiet("22:00", "06:00", "Europe/Berlin", &[])]);
    let ends = |now: &str| berlin.may_open(&state, at(now)).unwrap_err().until;
    assert_eq!(ends("2026-01-10T21:00Z"), Some(at("2026-01-11T05:00Z")));
    assert_eq!(ends("2026-07-10T20:00Z"), Some(at("2026-07-11T04:00Z")));
    assert_eq!(ends("2026-03-28T23:00Z"), Some(at("2026-03-29T04:00Z")));
    assert_eq!(said(berlin.may_open(&state, at("2026-01-11T05:00Z"))), "now");
    assert_eq!(
        said(berlin.may_land(&state, at("2026-01-11T04:59Z"))),
        "quiet hours are from 22:00 to 06:00 (Europe/Berlin); not before 2026-01-11 05:00 UTC"
    );
    // An end that clocks skip, and one that they show twice.
    let odd = pacing(vec![quiet("00:00", "02:30", "Europe/Berlin", &[])]);
    let ends = |now: &str| odd.may_open(&state, at(now)).unwrap_err().until;
    assert_eq!(ends("2026-03-29T00:30Z"), Some(at("2026-03-29T01:30Z")));
    assert_eq!(ends("2026-10-24T23:00Z"), Some(at("2026-10-25T00:30Z")));
    assert_eq!(ends("2026-10-25T01:10Z"), Some(at("2026-10-25T01:30Z")));
}

#[test]
fn the_days_of_quiet_hours_are_those_on_which_they_begin() {
    let state = PacingState::default();
    // Friday evening to Monday morning, in three pieces; 2026-05-08 is a Friday.
    let weekend = pacing(vec![
        quiet("18:00", "08:00", "UTC", &[Weekday::Fri, Weekday::Sun]),
        quiet("08:00", "24:00", "UTC", &[Weekday::Sat]),
        quiet("00:00", "24:00", "UTC", &[Weekday::Sun]),
    ]);
    assert_eq!(weekend.may_open(&state, at("2026-05-08T18:00Z")).unwrap_err().until, Some(at("2026-05-11T08:00Z")));
    assert_eq!(said(weekend.may_open(&state, at("2026-05-08T17:59Z"))), "now");
    assert_eq!(said(weekend.may_open(&state, at("2026-05-05T20:00Z"))), "now");
    // A window of landings that has room again in quiet hours waits for their end too.
    let landed = PacingState { landings: vec![at("2026-05-07T20:00Z")], ..PacingState::default() };
    assert_eq!(weekend.may_land(&landed, at("2026-05-08T12:00Z")).unwrap_err().until, Some(at("2026-05-11T08:00Z")));
}

#[test]
fn terms_that_make_no_pacing_are_refused() {
    let parse = |terms: PacingTerms| Pacing::parse(&terms, &TimeZone::UTC).unwrap_err();
    let quiet_terms = |quiet| parse(PacingTerms { quiet, ..PacingTerms::default() });
    let none = parse(PacingTerms { max_open: 0, ..PacingTerms::default() });
    assert_eq!(none.to_string(), "`max_open = 0`: nothing could ever be opened");
    let all = vec![quiet("00:00", "12:00", "UTC", &[]), quiet("12:00", "24:00", "UTC", &[])];
    assert_eq!(quiet_terms(all), PacingError::Always);
    for time in ["7:00", "24:01", "12:60", "noon", "-1:30", "٠١:٠٠"] {
        assert!(matches!(quiet_terms(vec![quiet(time, "08:00", "UTC", &[])]), PacingError::Time { .. }), "{time}");
    }
    assert!(matches!(quiet_terms(vec![quiet("08:00", "08:00", "UTC", &[])]), PacingError::Empty { .. }));
    let zone = quiet_terms(vec![quiet("08:00", "09:00", "Asia/Katmandoo", &[])]);
    assert_eq!(zone.help(), "did you mean `Asia/Katmandu`?");
}

#[test]
fn what_is_dated_later_than_now_still_counts() {
    let pacing = pacing(Vec::new());
    let state = PacingState { landings: vec![at("2026-05-04T12:00Z")], ..PacingState::default() };
    assert!(pacing.may_land(&state, at("2026-05-04T11:00Z")).is_err());
    assert!(pacing.may_land(&state, Timestamp(0)).is_err());
    assert_eq!(said(pacing.may_land(&state, Timestamp(u64::MAX))), "now");
}
