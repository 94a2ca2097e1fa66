//! Pacing: how fast a repository may be changed. Nothing goes past it, security fixes neither; those only come first in
//! the queue.
//!
//! A question of what the journal and the forge tell ([`PacingState`]) and the time. What is dated later than now, after a
//! clock was set back, counts all the same, and from its own date on: in doubt it waits.

use jiff::tz::TimeZone;
use kaizen_domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::PacingError;
use crate::instant::later;
use crate::not_now::{NotNow, Why};
use crate::quiet::{Quiet, covering, over};
use crate::terms::PacingTerms;

/// How fast a repository may be changed.
#[derive(Debug, Clone)]
pub struct Pacing {
    terms: PacingTerms,
    quiet: Vec<Quiet>,
}

/// What has happened in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PacingState {
    /// Pull requests that are open.
    pub open: u32,
    /// When changes landed, pull requests that were merged among them, in any order; those of the last window at least, and
    /// the last one.
    pub landings: Vec<Timestamp>,
    /// When pull requests were closed without being merged, in any order; those since the last landing at least.
    pub rejections: Vec<Timestamp>,
}

impl Pacing {
    /// Pacing by its terms. `local` is the machine's own time zone.
    ///
    /// # Errors
    /// When the terms make no pacing, or leave no time for anything.
    pub fn parse(terms: &PacingTerms, local: &TimeZone) -> Result<Self, PacingError> {
        let limits = [("max_open", terms.max_open, "be opened"), ("max_landings", terms.max_landings, "land")];
        if let Some((key, _, what)) = limits.into_iter().find(|(_, limit, _)| *limit == 0) {
            return Err(PacingError::Nothing { key, what });
        }
        let quiet = terms.quiet.iter().map(|quiet| Quiet::parse(quiet, local)).collect::<Result<Vec<_>, _>>()?;
        // Any week shows it.
        over(&quiet, Timestamp(0)).ok_or(PacingError::Always)?;
        Ok(Self { terms: terms.clone(), quiet })
    }

    /// Whether a pull request may be opened.
    ///
    /// # Errors
    /// When not, with the reason and the time when it may.
    pub fn may_open(&self, state: &PacingState, now: Timestamp) -> Result<(), NotNow> {
        let (open, max) = (state.open, self.terms.max_open);
        if open >= max {
            return Err(NotNow { until: None, why: Why::Open { open, max } });
        }
        self.not_before(self.pause(state), now)
    }

    /// Whether a change may land.
    ///
    /// # Errors
    /// When not, with the reason and the time when it may.
    pub fn may_land(&self, state: &PacingState, now: Timestamp) -> Result<(), NotNow> {
        self.not_before(self.window(state, now), now)
    }

    /// How many changes may land now, were it no quiet time.
    #[must_use]
    pub fn room(&self, state: &PacingState, now: Timestamp) -> u32 {
        let window = self.terms.window_secs.saturating_mul(1_000);
        let started = now.0.checked_sub(window).map(Timestamp);
        let landed = state.landings.iter().filter(|at| started.is_none_or(|started| **at > started)).count();
        self.terms.max_landings.saturating_sub(u32::try_from(landed).unwrap_or(u32::MAX))
    }

    /// Waits for a time, and for quiet hours that begin until then or have begun.
    fn not_before(&self, wait: Option<(Timestamp, Why)>, now: Timestamp) -> Result<(), NotNow> {
        let wait = wait.filter(|(until, _)| *until > now);
        let from = wait.as_ref().map_or(now, |(until, _)| *until);
        let why = wait.map(|(_, why)| why).or_else(|| {
            covering(&self.quiet, now).map(|quiet| Why::Quiet {
                from: quiet.terms.from.clone(),
                to: quiet.terms.to.clone(),
                time_zone: quiet.terms.time_zone.clone(),
            })
        });
        why.map_or(Ok(()), |why| Err(NotNow { until: over(&self.quiet, from), why }))
    }

    /// The pause after the last pull requests in a row that were closed without being merged.
    fn pause(&self, state: &PacingState) -> Option<(Timestamp, Why)> {
        let merged = state.landings.iter().max().copied();
        let since = state.rejections.iter().filter(|at| merged.is_none_or(|merged| **at >= merged));
        let (last, rejections) = (since.clone().max()?, since.count());
        let doubled = u32::try_from(rejections - 1).ok().and_then(|times| 1_u64.checked_shl(times)).unwrap_or(u64::MAX);
        let pause_secs = self.terms.pause_secs.saturating_mul(doubled).min(self.terms.max_pause_secs);
        let until = later(*last, pause_secs.saturating_mul(1_000));
        Some((until, Why::Rejected { rejections, pause_secs }))
    }

    /// When the window has room again, if it is full.
    fn window(&self, state: &PacingState, now: Timestamp) -> Option<(Timestamp, Why)> {
        let (max, window_secs) = (self.terms.max_landings, self.terms.window_secs);
        let window = window_secs.saturating_mul(1_000);
        let started = now.0.checked_sub(window).map(Timestamp);
        let counts = |at: &&Timestamp| started.is_none_or(|started| **at > started);
        let mut landed: Vec<Timestamp> = state.landings.iter().filter(counts).copied().collect();
        landed.sort_unstable_by(|a, b| b.cmp(a));
        let makes_room = landed.get(usize::try_from(max).unwrap_or(usize::MAX).checked_sub(1)?)?;
        Some((later(*makes_room, window), Why::Landed { landed: landed.len(), max, window_secs }))
    }
}
