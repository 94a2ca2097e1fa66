//! Collisions: schedules of one repository that fire at the same nominal minute, of which one would wait for the other.

use kaizen_domain::Timestamp;
use thiserror::Error;

use crate::instant::{earlier, later, shown};
use crate::schedule::Schedule;

/// How far ahead is looked, enough for the 29th of February.
const AHEAD: u64 = 5 * 366 * 24 * 3_600_000;
/// Steps after which two schedules that keep missing each other are left in peace.
const STEPS: usize = 50_000;
const MINUTE: u64 = 60_000;

/// Two schedules that meet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("schedules `{first}` and `{second}` of {repository} both fire at {}", shown(*.at))]
pub struct Collision {
    /// Their repository.
    pub repository: String,
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// The first minute at which they do.
    pub at: Timestamp,
}

impl Collision {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        format!("move one of them by some minutes; as they are, `{}` waits for `{}`", self.second, self.first)
    }
}

/// The pairs of schedules that meet within five years of `from`, by the order in which they are given.
#[must_use]
pub fn collisions(schedules: &[Schedule], from: Timestamp) -> Vec<Collision> {
    let mut found = Vec::new();
    for (at, first) in schedules.iter().enumerate() {
        for second in schedules.iter().skip(at + 1).filter(|second| second.repository() == first.repository()) {
            if let Some(at) = meet(first, second, from) {
                found.push(Collision {
                    repository: first.repository().to_owned(),
                    first: first.name().to_owned(),
                    second: second.name().to_owned(),
                    at,
                });
            }
        }
    }
    found
}

/// The first minute in which both fire.
fn meet(first: &Schedule, second: &Schedule, from: Timestamp) -> Option<Timestamp> {
    let minute = |at: Timestamp| Timestamp(at.0 - at.0 % MINUTE);
    let mut one = minute(first.next_after(from)?.nominal);
    let mut other = minute(second.next_after(from)?.nominal);
    for _ in 0..STEPS {
        if one.max(other) > later(from, AHEAD) {
            return None;
        }
        // The one that is behind goes straight to where the other one is.
        match one.cmp(&other) {
            std::cmp::Ordering::Equal => return Some(one),
            std::cmp::Ordering::Less => one = minute(first.next_after(earlier(other, 1))?.nominal),
            std::cmp::Ordering::Greater => other = minute(second.next_after(earlier(one, 1))?.nominal),
        }
    }
    None
}
