//! `kaizen run-cycle`: one cycle, told as it goes.

use kaizen_domain::CycleStage;
use kaizen_settings::FailingTests;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, SessionOptions};
use crate::story::{Detail, Story, Voice};
use crate::terms::CycleTerms;

/// Runs a cycle; one that was cut off earlier goes on instead.
///
/// # Errors
/// When the repository cannot be worked on, or the cycle cannot go on.
pub fn run(options: SessionOptions, terms: CycleTerms, allow_failing_base: bool, json: bool) -> Result<Exit, Failure> {
    let mut session = Session::open(options)?;
    if allow_failing_base {
        session.settings.base.failing_tests = FailingTests::Compare;
    }
    let mut story = Story::new(Voice::choose(json), Detail::Brief, &session);
    super::runtime()?.block_on(carry(&session, terms, &mut story))
}

/// Runs a cycle and tells its story. A signal parks it where it stands.
pub(crate) async fn carry(session: &Session, terms: CycleTerms, story: &mut Story) -> Result<Exit, Failure> {
    let kaizen = session.start().await?;
    let outcome = {
        let work = async {
            let cut_off = session.finish_cut_off(&kaizen, &mut |notice| story.hear(notice)).await?;
            match cut_off.last() {
                Some(cycle) => Ok(cycle.clone()),
                None => session.run(&kaizen, terms, &mut |notice| story.hear(notice)).await,
            }
        };
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            signal = stop_signal() => {
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
            Err(Failure { exit: Exit::Base, message: reason.clone(), help: help.clone() })
        }
        _ => Ok(Exit::Done),
    }
}

/// Waits for a signal that asks the program to end.
pub(crate) async fn stop_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => "asked to end (SIGTERM)",
        _ = tokio::signal::ctrl_c() => "interrupted",
    }
}
