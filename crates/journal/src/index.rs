//! What can be looked up without reading events: the kind and the cycle of an event, the things it brings into being,
//! and the tables of cycles and things that are kept in the same transaction.
//!
//! Everything here follows from the events alone; `verify` works it out again and compares.

use std::fmt;

use kaizen_domain::plan::Answer;
use kaizen_domain::{AttemptEvent, CycleEvent, CycleId, Event, Record};
use rusqlite::{Transaction, params};

use crate::row::signed;

/// The nouns that can be found by the prefix of their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noun {
    /// One run from signals to lessons.
    Cycle,
    /// One observation.
    Signal,
    /// One thing worth changing.
    Opportunity,
    /// The Architect's answer to an opportunity.
    Plan,
    /// A set of edits against one base commit.
    Patch,
    /// What the sandbox measured.
    Trial,
    /// What an outcome taught.
    Lesson,
}

impl Noun {
    const ALL: [Self; 7] =
        [Self::Cycle, Self::Signal, Self::Opportunity, Self::Plan, Self::Patch, Self::Trial, Self::Lesson];

    /// The noun as a word, lower case.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cycle => "cycle",
            Self::Signal => "signal",
            Self::Opportunity => "opportunity",
            Self::Plan => "plan",
            Self::Patch => "patch",
            Self::Trial => "trial",
            Self::Lesson => "lesson",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|noun| noun.word() == word)
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The cycle that an event belongs to.
pub(crate) fn cycle(event: &Event) -> Option<CycleId> {
    match event {
        Event::Cycle { cycle, .. } => Some(*cycle),
        _ => None,
    }
}

/// Whether the cycle is over with this event.
pub(crate) fn ends(event: &Event) -> bool {
    matches!(event, Event::Cycle { event: CycleEvent::Finished | CycleEvent::Failed { .. }, .. })
}

/// The things that an event brings into being, by written id.
pub(crate) fn things(event: &Event) -> Vec<(String, Noun)> {
    use AttemptEvent as A;
    use CycleEvent as C;
    let one = |id: String, noun| vec![(id, noun)];
    let (id, event) = match event {
        Event::Cycle { cycle, event } => (cycle, event),
        Event::Rebuilt { landed, .. } => {
            return landed.iter().map(|(patch, _)| (patch.to_string(), Noun::Patch)).collect();
        }
        Event::PullRequest { .. }
        | Event::Watch { .. }
        | Event::ScheduleSeen { .. }
        | Event::ScheduleSettled { .. }
        | Event::RevertIntended { .. }
        | Event::Reverted { .. }
        | Event::RevertFailed { .. }
        | Event::TurnedDown { .. } => return Vec::new(),
    };
    match event {
        C::Started { .. } => one(id.to_string(), Noun::Cycle),
        C::BaseTried { report } => one(report.id.to_string(), Noun::Trial),
        C::Collected { signals, .. } => signals.iter().map(|s| (s.id.to_string(), Noun::Signal)).collect(),
        C::Ranked { opportunities, .. } => {
            opportunities.iter().map(|o| (o.id.to_string(), Noun::Opportunity)).collect()
        }
        C::Learned { lesson } => one(lesson.id.to_string(), Noun::Lesson),
        C::Attempt { what: A::Answered { answer: Answer::Plan(plan), .. }, .. } => one(plan.id.to_string(), Noun::Plan),
        C::Attempt { what: A::Written { patch }, .. } => one(patch.id.to_string(), Noun::Patch),
        C::Attempt { what: A::TrialStarted { trial }, .. } => one(trial.to_string(), Noun::Trial),
        C::Attempt { .. } | C::TipMoved { .. } | C::Failed { .. } | C::Finished => Vec::new(),
    }
}

/// Keeps the tables of cycles and things up with a record that was just inserted.
pub(crate) fn insert(tx: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    let seq = signed(record.seq)?;
    let cycle = cycle(&record.event).map(|cycle| cycle.to_string());
    if let Some(cycle) = &cycle {
        let sql = "INSERT INTO cycles (id, repo, tenant, at, first, last, records, over)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6)
                   ON CONFLICT (id) DO UPDATE SET
                       last = excluded.last, records = records + 1, over = max(over, excluded.over)";
        let at = signed(record.at.0)?;
        let over = ends(&record.event);
        tx.prepare_cached(sql)?.execute(params![cycle, record.repo, record.tenant.as_str(), at, seq, over])?;
    }
    // What is named first counts: a later event only refers to it.
    let sql = "INSERT INTO things (id, noun, cycle, repo, seq) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING";
    let mut statement = tx.prepare_cached(sql)?;
    for (id, noun) in things(&record.event) {
        statement.execute(params![id, noun.word(), cycle, record.repo, seq])?;
    }
    Ok(())
}
