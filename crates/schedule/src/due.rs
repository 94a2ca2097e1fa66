//! Due: what of a schedule is to be run now, what is left out and why, and when the next run is due.
//!
//! A question of what is settled ([`Progress`]) and the time, without memory: asked again after a crash, it gives the same
//! answer. The caller journals the nominal time of a run before it begins it, and of what is left out when there is
//! nothing to run; both by [`Progress::settle`].
//!
//! What clocks do to it:
//! - Forward: what lay between is missed, and the policy decides. It is counted up to [`COUNTED`], and at most
//!   [`MOST_AT_ONCE`] runs come of it, were it decades.
//! - Back: nothing is run until the clock is past what is settled. Behind a leap of more than a day that turned out to be
//!   wrong, runs go on where they stood before it.

use std::fmt;

use kaizen_domain::{Millis, Timestamp};

use crate::instant::earlier;
use crate::progress::{FAR, Progress, Span};
use crate::schedule::Schedule;
use crate::terms::CatchUp;

/// Missed runs that are caught up at a time; of more, the newest.
pub const MOST_AT_ONCE: usize = 24;
/// Missed runs that are counted one by one before those that are too old anyway are skipped.
const COUNTED: usize = 10_000;

/// One run of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// The time that the schedule names, which is also what tells it from other runs.
    pub nominal: Timestamp,
    /// When it is to begin: the nominal time and its jitter.
    pub due: Timestamp,
}

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// To be run now, oldest first. Each is to be settled before it is begun.
    pub run: Vec<Occurrence>,
    /// What is left out. It is older than all that is run, and settled with the first of them.
    pub left_out: LeftOut,
    /// The next one that is not yet due; none when the calendar ends before.
    pub next: Option<Occurrence>,
    /// How far the clock stands behind what is settled already, when it was set back.
    pub behind: Option<Millis>,
}

/// Runs that are left out, by the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Missed for longer than the terms allow: `grace_secs`, or `catch_up_secs` where missed runs are caught up.
    pub late: u64,
    /// A newer one is run in their place.
    pub superseded: u64,
    /// Beyond the number that is caught up at a time.
    pub too_many: u64,
    /// Whether there were more than were counted.
    pub at_least: bool,
    /// The newest of them, or a time right behind it, to be settled when nothing is run.
    pub through: Option<Timestamp>,
}

impl LeftOut {
    /// All of them.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.late + self.superseded + self.too_many
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = if self.count() == 1 { "run was" } else { "runs were" };
        let more = if self.at_least { "at least " } else { "" };
        write!(f, "{more}{} {runs} left out", self.count())?;
        let reasons = [
            (self.late, "missed for longer than may be caught up"),
            (self.superseded, "for a newer one"),
            (self.too_many, "as too many were missed"),
        ];
        let mut mark = ": ";
        for (count, why) in reasons.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{mark}{count} {why}")?;
            mark = ", ";
        }
        Ok(())
    }
}

impl Schedule {
    /// What is due when the clock shows `now`.
    #[must_use]
    pub fn due(&self, progress: &Progress, now: Timestamp) -> Due {
        let (settled, ahead) = progress.at(now, self.jitter.saturating_add(self.grace).min(FAR));
        let allowed = match self.catch_up {
            CatchUp::Skip => self.grace,
            CatchUp::Once | CatchUp::All => self.grace.max(self.bound),
        };
        let mut left_out = LeftOut::default();
        let mut pending: Vec<Occurrence> = Vec::new();
        let mut next = self.next_open(settled, ahead);
        let mut skipped = None;
        while let Some(occurrence) = next.filter(|next| next.due <= now) {
            pending.push(occurrence);
            let recent = earlier(now, allowed.saturating_add(self.jitter));
            let mut after = occurrence.nominal;
            if pending.len() == COUNTED && after < recent {
                // All that lies before is late, and settled as a whole.
                after = earlier(recent, 1);
                skipped = Some(after);
            }
            next = self.next_open(after, ahead);
        }
        let is_late = |run: &Occurrence| now.0.saturating_sub(run.due.0) > allowed;
        let late = pending.iter().rposition(is_late).map_or(0, |last| last + 1);
        let in_time = pending.len() - late;
        let most = if self.catch_up == CatchUp::All { MOST_AT_ONCE } else { 1 };
        let surplus = in_time.saturating_sub(most);
        let run = pending.split_off(late + surplus);
        left_out.late = late as u64;
        match self.catch_up {
            CatchUp::All => left_out.too_many = surplus as u64,
            CatchUp::Skip | CatchUp::Once => left_out.superseded = surplus as u64,
        }
        left_out.at_least = skipped.is_some();
        left_out.through = pending.last().map(|last| last.nominal).max(skipped);
        let behind = settled.0.checked_sub(now.0).filter(|behind| *behind > 0).map(Millis);
        Due { run, left_out, next, behind }
    }

    /// The first run after `after` that was not settled ahead of its time.
    fn next_open(&self, after: Timestamp, ahead: &[Span]) -> Option<Occurrence> {
        let mut after = after;
        loop {
            let next = self.next_after(after)?;
            match ahead.iter().find(|span| span.from <= next.nominal && next.nominal <= span.to) {
                Some(span) => after = span.to,
                None => return Some(next),
            }
        }
    }
}
