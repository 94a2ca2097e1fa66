//! `kaizen log`: what happened, one line a record, the newest last.

use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::watch::WatchEvent;
use kaizen_domain::{Answer, AttemptEvent, Decision, Event, PullRequestEvent, Record, Verdict};
use kaizen_journal::Filter;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::project;
use crate::session::SessionOptions;
use crate::story::lines::{self, shown};
use crate::story::outcome::count;

/// Lists the records of the repository.
///
/// # Errors
/// When the journal cannot be read, or its chain is broken.
pub fn run(options: &SessionOptions, last: usize, verify: bool, json: bool) -> Result<Exit, Failure> {
    let journal = super::journal(options.state_dir.clone())?;
    if verify {
        return check(journal.as_ref(), json);
    }
    let repo = project::open(&options.repo)?;
    let Some(journal) = journal else {
        if !json {
            say!("nothing has happened yet: `kaizen run-cycle` runs a cycle");
        }
        return Ok(Exit::Done);
    };
    let records = journal.records(&Filter::repo(repo.key()))?;
    if records.is_empty() && !json {
        say!("nothing has happened to this repository yet: `kaizen run-cycle` runs a cycle");
    }
    for record in records.iter().skip(records.len().saturating_sub(last)) {
        if json {
            output::json(record);
        } else {
            say!("{:>6}  {}  {}", record.seq, at(record), line(&record.event));
        }
    }
    Ok(Exit::Done)
}

fn check(journal: Option<&kaizen_journal::Journal>, json: bool) -> Result<Exit, Failure> {
    let (records, head) = match journal {
        Some(journal) => {
            let verified = journal.verify()?;
            (verified.records, Some(verified.head.to_string()))
        }
        None => (0, None),
    };
    match (json, head) {
        (true, head) => output::json(&serde_json::json!({"of": "verified", "records": records, "head": head})),
        (false, Some(head)) => say!("the journal holds {records} records, each follows the one before; head {head}"),
        (false, None) => say!("there is no journal yet"),
    }
    Ok(Exit::Done)
}

fn at(record: &Record) -> String {
    let millis = i64::try_from(record.at.0).unwrap_or(0);
    jiff::Timestamp::from_millisecond(millis)
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

pub(crate) fn line(event: &Event) -> String {
    match event {
        Event::Cycle { cycle, event } => format!("{}  {}", cycle.short(), cycle_line(event)),
        Event::PullRequest { patch, event } => format!("{}  {}", patch.short(), pull_request_line(event)),
        Event::Watch { patch, event } => format!("{}  {}", patch.short(), watch_line(event)),
        Event::ScheduleSeen { schedule, .. } => format!("schedule {} seen for the first time", shown(schedule)),
        Event::ScheduleSettled { schedule, left_out: None, .. } => format!("schedule {}: a run", shown(schedule)),
        Event::ScheduleSettled { schedule, left_out: Some(why), .. } => {
            format!("schedule {}: left out, {}", shown(schedule), brief(why))
        }
        Event::RevertIntended { patch, .. } => format!("{}  is to be taken back", patch.short()),
        Event::Reverted { patch, commit } => format!("{}  taken back by {}", patch.short(), commit.short()),
        Event::RevertFailed { patch, reason } => format!("{}  not taken back: {}", patch.short(), brief(reason)),
        Event::TurnedDown { patch, reason, .. } => format!("{}  turned down: {}", patch.short(), brief(reason)),
        Event::Rebuilt { from, landed } => {
            format!(
                "journal begun anew, {} found; the old one is in {}",
                count(landed.len(), "landed patch"),
                shown(from)
            )
        }
    }
}

fn watch_line(event: &WatchEvent) -> String {
    match event {
        WatchEvent::WatchBegun { commit, terms, .. } => {
            format!("is watched as {}, by {}", commit.short(), count(terms.len(), "metric"))
        }
        WatchEvent::SeenRed { checks } if checks.is_empty() => "no check fails any more".to_owned(),
        WatchEvent::SeenRed { checks } => format!("seen to fail: {}", brief(&checks.join(", "))),
        WatchEvent::Tested { evidence, .. } => brief(evidence),
        WatchEvent::Measured { metric, samples } => match &samples.trouble {
            Some(why) => format!("{metric} could not be measured: {}", brief(why)),
            None => format!("{metric} was measured, {} before and {} after", samples.before.len(), samples.after.len()),
        },
        WatchEvent::Judged { verdict, evidence } => {
            format!("{}: {}", format!("{verdict:?}").to_lowercase(), brief(&evidence.join("; ")))
        }
        WatchEvent::RolledBack { commit, proposed: false } => format!("taken back by {}", commit.short()),
        WatchEvent::RolledBack { commit, proposed: true } => format!("proposed to be taken back by {}", commit.short()),
        WatchEvent::RollbackFailed { reason } => format!("could not be taken back: {}", brief(reason)),
    }
}

fn pull_request_line(event: &PullRequestEvent) -> String {
    use PullRequestEvent as E;
    match event {
        E::OpeningIntended { proposal } => format!("is to be proposed for {}", shown(proposal.onto.as_str())),
        E::Opened { number, url } => format!("opened as #{number} {}", shown(url)),
        E::Withheld { reason } => format!("not proposed: {}", brief(reason)),
        E::Checked { commit, failed } if failed.is_empty() => format!("checks of {} passed", commit.short()),
        E::Checked { commit, failed } => format!("checks of {} failed: {}", commit.short(), brief(&failed.join(", "))),
        E::Heard { asks: Some(asks), .. } => format!("was asked: {}", brief(asks)),
        E::Heard { asks: None, .. } => "a remark was read".to_owned(),
        E::RevisionBegun { reason } => format!("is changed: {}", reason.kind().replace('_', " ")),
        E::RevisionFailed { reason } => format!("could not be changed: {}", brief(reason)),
        E::PushIntended { to, .. } => format!("is to move to {}", to.short()),
        E::Pushed { .. } => "moved".to_owned(),
        E::CommentIntended { key, .. } => format!("a comment is to be made ({})", shown(key)),
        E::Commented { key } => format!("commented ({})", shown(key)),
        E::Merged { .. } => "merged".to_owned(),
        E::CloseIntended { reason, .. } => format!("is to be closed: {}", brief(reason)),
        E::Closed { by_us: true } => "closed by Kaizen".to_owned(),
        E::Closed { by_us: false } => "closed by somebody: remembered as a no".to_owned(),
    }
}

fn cycle_line(event: &CycleEvent) -> String {
    match event {
        CycleEvent::Started { request } => {
            let what = request.source.title().map(|title| format!(", to judge: {}", brief(title))).unwrap_or_default();
            format!("started on {}{what}", request.base.commit.short())
        }
        CycleEvent::BaseTried { report } => format!("base tried: {}", lines::result(report)),
        CycleEvent::Collected { signals, .. } => format!("{} collected", count(signals.len(), "signal")),
        CycleEvent::Ranked { opportunities, chosen, .. } => {
            format!("{} of {} chosen", chosen.len(), count(opportunities.len(), "opportunity"))
        }
        CycleEvent::Attempt { opportunity, what } => format!("{}  {}", opportunity.short(), attempt_line(what)),
        CycleEvent::TipMoved { to } => format!("the branch moved to {}", to.short()),
        CycleEvent::Learned { lesson } => format!("learned: {} {}", lesson.word.shout(), brief(&lesson.topic)),
        CycleEvent::Failed { reason, .. } => format!("failed: {}", brief(reason)),
        CycleEvent::Finished => "finished".to_owned(),
    }
}

fn attempt_line(what: &AttemptEvent) -> String {
    match what {
        AttemptEvent::Answered { answer: Answer::Plan(plan), .. } => {
            format!("planned: {} with {}", plan.task.specialist.word(), plan.task.engine.word())
        }
        AttemptEvent::Answered { answer: Answer::Declined { reason }, .. } => format!("declined: {}", brief(reason)),
        AttemptEvent::Written { patch } => format!("written: {}  {}", patch.id.short(), brief(&patch.title)),
        AttemptEvent::Reviewed { review } => {
            let verdict = match review.verdict {
                Verdict::Pass => "passed",
                Verdict::AskPerson => "a person is to be asked",
                Verdict::Refuse => "refused",
            };
            format!("reviewed: {verdict}, {}", count(review.findings.len(), "finding"))
        }
        AttemptEvent::TrialFinished { report } => format!("tried: {}", lines::result(report)),
        AttemptEvent::Read { findings, .. } => {
            let read: Vec<&str> = findings.iter().map(|finding| finding.detail.as_str()).collect();
            format!("read: {}", brief(&read.join("; ")))
        }
        AttemptEvent::Decided { decision } => match decision {
            Decision::Land => "decided: to land".to_owned(),
            Decision::Ask { reasons } => format!("decided: to ask, {}", brief(&reasons.join("; "))),
            Decision::Reject { reasons } => format!("decided: refused, {}", brief(&reasons.join("; "))),
            Decision::Inconclusive { reasons } => format!("decided: inconclusive, {}", brief(&reasons.join("; "))),
        },
        AttemptEvent::LandingIntended { landing } => {
            format!("to land {} on {}", landing.to.short(), shown(landing.target.short()))
        }
        AttemptEvent::GaveUp { reasons, .. } => format!("gave up: {}", brief(&reasons.join("; "))),
        AttemptEvent::Reworked { reason }
        | AttemptEvent::BaseMoved { reason }
        | AttemptEvent::LandingFailed { reason }
        | AttemptEvent::Stopped { reason } => format!("{}: {}", what.name().replace('_', " "), brief(reason)),
        AttemptEvent::TrialStarted { .. } | AttemptEvent::Landed | AttemptEvent::Withheld => {
            what.name().replace('_', " ")
        }
    }
}

/// The first line of a text, as a terminal may show it.
fn brief(text: &str) -> String {
    shown(text.lines().next().unwrap_or_default())
}
