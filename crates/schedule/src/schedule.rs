//! Schedule: the terms after they were checked, and the runs that follow from them.

use jiff::tz::TimeZone;
use kaizen_domain::Timestamp;

use crate::cron::{Line, Unusable};
use crate::due::Occurrence;
use crate::error::ScheduleError;
use crate::instant::{instant, later, stamp};
use crate::terms::{CatchUp, ScheduleTerms};
use crate::{jitter, nominal, zone};

/// The longest that a missed run may be looked for, that a run may be late, or be put off.
pub(crate) const LONGEST_SECS: u64 = 31 * 24 * 3600;

/// When cycles of a repository run.
#[derive(Debug, Clone)]
pub struct Schedule {
    repository: String,
    name: String,
    line: Line,
    zone: TimeZone,
    /// Milliseconds, as the two that follow.
    pub(crate) jitter: u64,
    pub(crate) grace: u64,
    pub(crate) bound: u64,
    pub(crate) catch_up: CatchUp,
}

impl Schedule {
    /// The schedule `name` of a repository, by its terms. `local` is the machine's own time zone.
    ///
    /// # Errors
    /// When the terms make no schedule.
    pub fn parse(repository: &str, name: &str, terms: &ScheduleTerms, local: &TimeZone) -> Result<Self, ScheduleError> {
        let (schedule, cron) = (name.to_owned(), terms.cron.clone());
        let line = match Line::parse(&terms.cron) {
            Ok(line) => line,
            Err(Unusable::Malformed(why)) => return Err(ScheduleError::Cron { schedule, cron, why }),
            Err(Unusable::Never) => return Err(ScheduleError::Never { schedule, cron }),
        };
        let zone = zone::find(&terms.time_zone, local).map_err(|near| ScheduleError::TimeZone {
            schedule: schedule.clone(),
            time_zone: terms.time_zone.clone(),
            near,
        })?;
        let lengths = [
            ("catch_up_secs", terms.catch_up_secs),
            ("grace_secs", terms.grace_secs),
            ("jitter_secs", terms.jitter_secs),
        ];
        if terms.jitter_secs > line.shortest {
            let (jitter_secs, interval_secs) = (terms.jitter_secs, line.shortest);
            return Err(ScheduleError::Jitter { schedule, cron, jitter_secs, interval_secs });
        }
        if let Some((key, secs)) = lengths.into_iter().find(|(_, secs)| *secs > LONGEST_SECS) {
            return Err(ScheduleError::TooLong { schedule, key, secs });
        }
        Ok(Self {
            repository: repository.to_owned(),
            name: schedule,
            line,
            zone,
            jitter: terms.jitter_secs * 1_000,
            grace: terms.grace_secs * 1_000,
            bound: terms.catch_up_secs * 1_000,
            catch_up: terms.catch_up,
        })
    }

    /// The repository it belongs to.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first run whose nominal time lies after `after`; none when the calendar ends before, in the year 9999.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Occurrence> {
        nominal::next(&self.line, &self.zone, instant(after)).map(|at| self.occurrence(stamp(at)))
    }

    /// The run of a nominal time, with the time at which it is due.
    fn occurrence(&self, nominal: Timestamp) -> Occurrence {
        let put_off = jitter::jitter(&self.repository, &self.name, nominal, self.jitter);
        Occurrence { nominal, due: later(nominal, put_off) }
    }
}
