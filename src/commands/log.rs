//! `kaizen log`: what happened, one line a record, the newest last.

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{AttemptEvent, Event, Record};
use kaizen_journal::Filter;
use kaizen_repo::Repo;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::SessionOptions;
use crate::story::lines::shown;

/// Lists the records of the repository.
///
/// # Errors
/// When the journal cannot be read, or its chain is broken.
pub fn run(options: &SessionOptions, last: usize, verify: bool, json: bool) -> Result<Exit, Failure> {
    let Some(journal) = super::journal(options.state_dir.clone())? else {
        println!("nothing has happened yet");
        return Ok(Exit::Done);
    };
    if verify {
        let verified = journal.verify()?;
        println!("the journal holds {} records, each follows the one before; head {}", verified.records, verified.head);
        return Ok(Exit::Done);
    }
    let repo = Repo::open(&options.repo)?;
    let records = journal.records(&Filter::repo(repo.key()))?;
    for record in records.iter().skip(records.len().saturating_sub(last)) {
        if json {
            println!("{}", serde_json::to_string(record).unwrap_or_default());
        } else {
            println!("{:>6}  {}  {}", record.seq, at(record), line(&record.event));
        }
    }
    Ok(Exit::Done)
}

fn at(record: &Record) -> String {
    let millis = i64::try_from(record.at.0).unwrap_or(0);
    jiff::Timestamp::from_millisecond(millis)
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

fn line(event: &Event) -> String {
    match event {
        Event::Cycle { cycle, event } => format!("{}  {}", cycle.short(), cycle_line(event)),
        Event::RevertIntended { patch, .. } => format!("{}  is to be taken back", patch.short()),
        Event::Reverted { patch, commit } => format!("{}  taken back by {}", patch.short(), commit.short()),
        Event::RevertFailed { patch, reason } => format!("{}  not taken back: {}", patch.short(), shown(reason)),
        Event::Rebuilt { from, landed } => format!("journal begun anew, {} landed patches found; the old one is in {}", landed.len(), shown(from)),
    }
}

fn cycle_line(event: &CycleEvent) -> String {
    match event {
        CycleEvent::Started { request } => format!("started on {}", request.base.commit.short()),
        CycleEvent::BaseTried { report } => {
            let (passed, failed, _) = report.counts();
            format!("base tried: {passed} tests pass, {failed} fail")
        }
        CycleEvent::Collected { signals, .. } => format!("{} signals collected", signals.len()),
        CycleEvent::Ranked { opportunities, chosen, .. } => format!("{} of {} opportunities chosen", chosen.len(), opportunities.len()),
        CycleEvent::Attempt { opportunity, what } => format!("{}  {}", opportunity.short(), attempt_line(what)),
        CycleEvent::TipMoved { to } => format!("the branch moved to {}", to.short()),
        CycleEvent::Learned { lesson } => format!("learned: {} {}", lesson.word.shout(), shown(&lesson.topic)),
        CycleEvent::Failed { reason, .. } => format!("failed: {}", shown(reason)),
        CycleEvent::Finished => "finished".to_owned(),
    }
}

fn attempt_line(what: &AttemptEvent) -> String {
    match what {
        AttemptEvent::Written { patch } => format!("written: {}  {}", patch.id.short(), shown(&patch.title)),
        AttemptEvent::Reviewed { review } => format!("reviewed: {:?}, {} findings", review.verdict, review.findings.len()),
        AttemptEvent::TrialFinished { report } => {
            let (passed, failed, _) = report.counts();
            format!("tried: {passed} tests pass, {failed} fail")
        }
        AttemptEvent::LandingIntended { landing } => format!("to land {} on {}", landing.to.short(), landing.target.short()),
        AttemptEvent::GaveUp { reasons, .. } => format!("gave up: {}", shown(&reasons.join("; "))),
        AttemptEvent::Reworked { reason } | AttemptEvent::BaseMoved { reason } | AttemptEvent::LandingFailed { reason }
        | AttemptEvent::Stopped { reason } => format!("{}: {}", what.name().replace('_', " "), shown(reason)),
        other => other.name().replace('_', " "),
    }
}
