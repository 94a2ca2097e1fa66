//! Between the journal's milliseconds and the instants of the calendar.

use jiff::Timestamp as Instant;
use kaizen_domain::Timestamp;

/// The instant; what lies past the calendar's end is its end.
pub(crate) fn instant(at: Timestamp) -> Instant {
    i64::try_from(at.0).ok().and_then(|at| Instant::from_millisecond(at).ok()).unwrap_or(Instant::MAX)
}

/// The instant in milliseconds; what lies before the epoch is the epoch.
pub(crate) fn stamp(at: Instant) -> Timestamp {
    Timestamp(u64::try_from(at.as_millisecond()).unwrap_or(0))
}

/// So many milliseconds later.
pub(crate) fn later(at: Timestamp, millis: u64) -> Timestamp {
    Timestamp(at.0.saturating_add(millis))
}

/// So many milliseconds earlier.
pub(crate) fn earlier(at: Timestamp, millis: u64) -> Timestamp {
    Timestamp(at.0.saturating_sub(millis))
}

/// How a person reads it: `2026-03-29 01:00 UTC`.
pub(crate) fn shown(at: Timestamp) -> String {
    instant(at).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A duration in seconds as a person reads it: `90 s`, `15 min`, `36 h`, `14 days`.
pub(crate) fn span(secs: u64) -> String {
    match secs {
        secs if secs > 48 * 3600 && secs % 86_400 == 0 => format!("{} days", secs / 86_400),
        secs if secs >= 3600 && secs % 3600 == 0 => format!("{} h", secs / 3600),
        secs if secs >= 60 && secs % 60 == 0 => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_past_the_calendar_are_its_end_and_nothing_wraps() {
        assert_eq!(stamp(instant(Timestamp(1_234_567))), Timestamp(1_234_567));
        assert_eq!(instant(Timestamp(u64::MAX)), Instant::MAX);
        assert_eq!(stamp(Instant::MIN), Timestamp(0));
        assert_eq!((later(Timestamp(u64::MAX), 1).0, earlier(Timestamp(1), 2).0), (u64::MAX, 0));
        assert_eq!([90, 900, 129_600, 1_209_600].map(span), ["90 s", "15 min", "36 h", "14 days"]);
    }
}
