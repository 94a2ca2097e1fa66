//! Schedules and pacing as they stand in a settings file.

use serde::{Deserialize, Serialize};

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleTerms {
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// A name of the IANA database, `UTC`, or `local`.
    pub time_zone: String,
    /// A run begins up to so many seconds after its nominal time, so that not everything begins at three.
    pub jitter_secs: u64,
    /// What becomes of runs that were missed.
    pub catch_up: CatchUp,
    /// How old a missed run may be that is caught up; at most 31 days.
    pub catch_up_secs: u64,
    /// A run that begins so late is still on time.
    pub grace_secs: u64,
}

impl Default for ScheduleTerms {
    fn default() -> Self {
        Self {
            cron: "0 3 * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            jitter_secs: 0,
            catch_up: CatchUp::Once,
            catch_up_secs: 24 * 3600,
            grace_secs: 300,
        }
    }
}

/// What becomes of runs that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// They are left out.
    Skip,
    /// The newest is run in place of all.
    #[default]
    Once,
    /// Each is run, oldest first, up to [`crate::MOST_AT_ONCE`].
    All,
}

/// How fast a repository may be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PacingTerms {
    /// Pull requests that may be open at a time.
    pub max_open: u32,
    /// Landings in any window.
    pub max_landings: u32,
    /// The length of a window.
    pub window_secs: u64,
    /// Times at which nothing is opened and nothing lands.
    pub quiet: Vec<QuietTerms>,
    /// The pause after a pull request was closed without being merged; each further one in a row doubles it.
    pub pause_secs: u64,
    /// No pause is longer.
    pub max_pause_secs: u64,
}

impl Default for PacingTerms {
    fn default() -> Self {
        Self {
            max_open: 3,
            max_landings: 1,
            window_secs: 24 * 3600,
            quiet: Vec::new(),
            pause_secs: 24 * 3600,
            max_pause_secs: 14 * 24 * 3600,
        }
    }
}

/// Quiet hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietTerms {
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`, up to `24:00`; when it lies before `from`, of the next day.
    pub to: String,
    /// A name of the IANA database, `UTC`, or `local`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// The days on which they begin; none means every day.
    #[serde(default)]
    pub days: Vec<Weekday>,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_as_they_stand_in_a_file() {
        let terms: ScheduleTerms =
            toml::from_str("cron = \"0 3 * * 1-5\"\ntime_zone = \"Europe/Berlin\"\ncatch_up = \"all\"\n").unwrap();
        assert_eq!((terms.cron.as_str(), terms.catch_up, terms.jitter_secs), ("0 3 * * 1-5", CatchUp::All, 0));
        let pacing: PacingTerms =
            toml::from_str("quiet = [{ from = \"22:00\", to = \"06:00\", days = [\"fri\", \"sat\"] }]\n").unwrap();
        assert_eq!((pacing.max_open, pacing.max_landings, pacing.window_secs), (3, 1, 86_400));
        assert_eq!(pacing.quiet[0].days, [Weekday::Fri, Weekday::Sat]);
        assert_eq!(toml::from_str::<PacingTerms>(&toml::to_string(&pacing).unwrap()).unwrap(), pacing);
        assert!(toml::from_str::<ScheduleTerms>("crom = \"* * * * *\"\n").is_err());
    }
}
