//! Peer: croner alone, as a loop around it is usually written. It asks for what follows the last look at the clock, and a
//! restart looks from then on.

use std::collections::HashSet;

use anyhow::{Context, Result};
use croner::Cron;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use kaizen_schedule::ScheduleTerms;

use super::oracle::Oracle;
use super::world::{END, START};

/// The loop.
pub struct Peer {
    cron: Cron,
    zone: TimeZone,
    last: u64,
    next: Option<u64>,
    pub run: HashSet<u64>,
    pub doubled: u64,
}

impl Peer {
    pub fn new(terms: &ScheduleTerms, now: u64) -> Result<Self> {
        let cron = terms.cron.parse().ok().context("croner cannot read it")?;
        let zone = TimeZoneDatabase::bundled().get(&terms.time_zone)?;
        Ok(Self { cron, zone, last: now, next: None, run: HashSet::new(), doubled: 0 })
    }

    pub fn restart(&mut self, now: u64) {
        (self.last, self.next) = (now, None);
    }

    /// Runs what has come since the last look.
    pub fn look(&mut self, now: u64) -> Result<()> {
        if now < self.last {
            self.restart(now);
        }
        if self.next.is_none() {
            self.next = self.after(self.last)?;
        }
        if let Some(next) = self.next.filter(|next| *next <= now) {
            self.doubled += u64::from(!self.run.insert(next));
            self.next = None;
        }
        self.last = now;
        Ok(())
    }

    fn after(&self, at: u64) -> Result<Option<u64>> {
        let at: Zoned = Timestamp::from_millisecond(i64::try_from(at)?)?.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&at, false).ok();
        Ok(next.and_then(|next| u64::try_from(next.timestamp().as_millisecond()).ok()))
    }

    /// How many nominal times of the year differ from the oracle's.
    pub fn differs(&self, oracle: &Oracle) -> Result<u64> {
        let mut own = HashSet::new();
        let mut at = START;
        while let Some(next) = self.after(at)?.filter(|next| *next < END) {
            own.insert(next);
            at = next;
        }
        let wanted: HashSet<u64> =
            oracle.noted.iter().map(|noted| noted.nominal).filter(|nominal| *nominal < END).collect();
        Ok(own.symmetric_difference(&wanted).count() as u64)
    }
}
