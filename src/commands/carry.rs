//! Carries a cycle from its terms to its end and tells its story; what `run-cycle`, `try`, `approve` and `demo` have in
//! common. A signal parks the cycle where it stands.

use std::sync::Arc;

use kaizen_agents::Kaizen;
use kaizen_domain::{Cycle, CycleRequest, CycleStage, Event, LandingMode};

use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::listener::Listener;
use crate::session::{Session, heard};
use crate::terms::CycleTerms;

/// Runs a cycle, after those that were cut off. Where one of those was asked for in the same words, it is the one that
/// is meant.
///
/// # Errors
/// When the repository cannot be worked on, or a cycle cannot go on or has failed.
pub(crate) async fn carry(
    session: &mut Session,
    terms: CycleTerms,
    story: &mut impl Listener,
) -> Result<Arc<Cycle>, Failure> {
    carry_until(session, terms, Vec::new(), story, stop_signal()).await
}

/// The same, after recording what it is run for, until it is asked to stop.
///
/// # Errors
/// As [`carry`].
pub(crate) async fn carry_until(
    session: &mut Session,
    mut terms: CycleTerms,
    first: Vec<Event>,
    story: &mut impl Listener,
    stop: impl Future<Output = &'static str>,
) -> Result<Arc<Cycle>, Failure> {
    let proposes = terms.landing.unwrap_or(session.settings.landing.mode) == LandingMode::PullRequest;
    let desk = if proposes { Some(Desk::open(session).await?) } else { None };
    if let Some(desk) = &desk {
        if let Some(refusal) = desk.refusal(&session.settings) {
            return Err(refusal);
        }
        desk.follow_conventions(&mut session.settings);
        terms.start = Some((desk.tip.clone(), desk.onto.to_ref()));
    }
    let session = &*session;
    let kaizen = session.start().await?;
    let outcome = {
        let work = async {
            if !first.is_empty() {
                kaizen.journal().append(first).await?;
            }
            work(session, &kaizen, desk.as_ref(), terms, story).await
        };
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            signal = stop => {
                kaizen.park(signal);
                work.await
            }
        }
    };
    kaizen.stop().await;
    story.end();
    let cycle = outcome?;
    match (&cycle.failure, cycle.stage) {
        (Some((reason, help)), CycleStage::Failed) => {
            Err(Failure { exit: Exit::Base, message: reason.trim_end().to_owned(), help: help.clone() })
        }
        _ => Ok(cycle),
    }
}

async fn work(
    session: &Session,
    kaizen: &Kaizen,
    desk: Option<&Desk>,
    terms: CycleTerms,
    story: &mut impl Listener,
) -> Result<Arc<Cycle>, Failure> {
    session.settle_revert(kaizen).await?;
    let mut resumed = None;
    for id in kaizen.cut_off().await? {
        story.goes_on(id);
        resumed = Some(session.resume(kaizen, id, &mut |notice| story.hear(notice)).await?);
    }
    let request = session.request(terms.clone())?;
    let folder = request.base.folder.clone();
    let cycle = match resumed {
        Some(cycle) if same(&cycle.request, &request) => cycle,
        _ => session.run(kaizen, terms, &mut |notice| story.hear(notice)).await?,
    };
    if let Some(desk) = desk.filter(|_| !cycle.request.dry_run) {
        let keeper = desk.keeper(session, kaizen, folder).await?;
        let told = heard(kaizen, keeper.round(), &mut |notice| story.hear(notice)).await?;
        told.iter().for_each(|told| story.pull_request(told));
    }
    Ok(cycle)
}

/// Whether two requests ask for the same. What a merge landed before it was cut off has moved its base along.
fn same(one: &CycleRequest, other: &CycleRequest) -> bool {
    let moved_along =
        one.landing == LandingMode::Merge && one.base.target.is_some() && one.base.target == other.base.target;
    let base = if moved_along { other.base.clone() } else { one.base.clone() };
    CycleRequest { base, ..one.clone() } == *other
}

/// Waits for a signal that asks the program to end.
pub(crate) async fn stop_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => "asked to end (SIGTERM)",
        _ = hang_up.recv() => "the terminal is gone (SIGHUP)",
        _ = tokio::signal::ctrl_c() => "interrupted",
    }
}
