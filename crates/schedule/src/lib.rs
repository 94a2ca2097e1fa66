//! When a repository's cycles run, and when a pull request may be opened or land.
//!
//! Pure: no I/O and no clock. The time, and what the journal holds, come in as arguments, so that a question that is asked
//! again after a crash gets the same answer. Time zones come from a database that is part of the program.
//!
//! - [`Schedule`]: a cron line in a time zone, with jitter and a policy for runs that were missed.
//! - [`Schedule::due`]: what is to be run now, what is left out and why, and when the next run is due, by [`Progress`].
//! - [`collisions`]: schedules of one repository that meet.
//! - [`Pacing`]: how many pull requests may be open, how many may land, and when not at all.

mod collide;
mod cron;
mod due;
mod error;
mod instant;
mod jitter;
mod nearest;
mod nominal;
mod not_now;
mod pacing;
mod progress;
mod queue;
mod quiet;
mod schedule;
mod terms;
mod zone;

pub use collide::{Collision, collisions};
pub use due::{Due, LeftOut, MOST_AT_ONCE, Occurrence};
pub use error::{PacingError, ScheduleError};
pub use not_now::{NotNow, Why};
pub use pacing::{Pacing, PacingState};
pub use progress::{FAR, Progress, Span};
pub use queue::{Waiting, next_in_queue};
pub use schedule::Schedule;
pub use terms::{CatchUp, PacingTerms, QuietTerms, ScheduleTerms, Weekday};
