//! What can be wrong with the terms of a schedule or of pacing: what, on which one, and the way out.

use thiserror::Error;

use crate::instant::span;

/// Terms that make no schedule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScheduleError {
    /// The cron line cannot be read.
    #[error("schedule `{schedule}`: `cron = \"{cron}\"` is no cron line: {why}")]
    Cron {
        /// The schedule.
        schedule: String,
        /// The line.
        cron: String,
        /// What is wrong with it.
        why: String,
    },
    /// No day that the cron line names exists.
    #[error("schedule `{schedule}`: `cron = \"{cron}\"` never fires, as no day of any year matches it")]
    Never {
        /// The schedule.
        schedule: String,
        /// The line.
        cron: String,
    },
    /// There is no such time zone.
    #[error("schedule `{schedule}`: there is no time zone `{time_zone}`")]
    TimeZone {
        /// The schedule.
        schedule: String,
        /// The name.
        time_zone: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// A run could be put off past the next one.
    #[error("schedule `{schedule}`: a jitter of {} is longer than the {} between two runs of `{cron}`",
        span(*.jitter_secs), span(*.interval_secs))]
    Jitter {
        /// The schedule.
        schedule: String,
        /// The line.
        cron: String,
        /// The jitter.
        jitter_secs: u64,
        /// The shortest time between two runs.
        interval_secs: u64,
    },
    /// Missed runs would be looked for too far back.
    #[error("schedule `{schedule}`: `{key} = {secs}` is more than 31 days")]
    TooLong {
        /// The schedule.
        schedule: String,
        /// The key.
        key: &'static str,
        /// Its value.
        secs: u64,
    },
}

impl ScheduleError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Cron { .. } => {
                "five fields are wanted: minute, hour, day of month, month, day of week; `0 3 * * 1-5` is 03:00 from \
                 Monday to Friday"
                    .to_owned()
            }
            Self::Never { .. } => "take a day that the month has; `0 0 L 2 *` is the last day of February".to_owned(),
            Self::TimeZone { near, .. } => zone_help(near.as_deref()),
            Self::Jitter { interval_secs, .. } => {
                format!("set `jitter_secs` to {interval_secs} or less, or let it run less often")
            }
            Self::TooLong { key, .. } => format!("set `{key}` to {} or less", crate::schedule::LONGEST_SECS),
        }
    }
}

/// Terms that make no pacing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PacingError {
    /// A limit under which nothing would ever happen.
    #[error("`{key} = 0`: nothing could ever {what}")]
    Nothing {
        /// The key.
        key: &'static str,
        /// What could not happen.
        what: &'static str,
    },
    /// No time of day.
    #[error("quiet hours {from} to {to}: `{time}` is no time of day")]
    Time {
        /// Where they begin.
        from: String,
        /// Where they end.
        to: String,
        /// The one that cannot be read.
        time: String,
    },
    /// They begin where they end.
    #[error("quiet hours {from} to {from} begin where they end")]
    Empty {
        /// The time.
        from: String,
    },
    /// There is no such time zone.
    #[error("quiet hours {from} to {to}: there is no time zone `{time_zone}`")]
    TimeZone {
        /// Where they begin.
        from: String,
        /// Where they end.
        to: String,
        /// The name.
        time_zone: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// They leave no time.
    #[error("the quiet hours together leave no time of the week")]
    Always,
}

impl PacingError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Nothing { key, .. } => format!("set `{key}` to 1 or more; to stop Kaizen here, remove its schedules"),
            Self::Time { .. } => "write it as `HH:MM`, from `00:00` to `24:00`".to_owned(),
            Self::Empty { .. } => "for a whole day write `from = \"00:00\"`, `to = \"24:00\"`".to_owned(),
            Self::TimeZone { near, .. } => zone_help(near.as_deref()),
            Self::Always => "shorten one of them; to stop Kaizen here, remove its schedules".to_owned(),
        }
    }
}

fn zone_help(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "take a name of the IANA database such as `Europe/Berlin`, or `UTC`, or `local`".to_owned(),
    }
}
