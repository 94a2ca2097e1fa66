//! The daemon: works for any number of repositories, on schedules, until it is asked to end. What runs is a cycle or a round
//! over pull requests, the same as by hand; everything that matters is in the journal, so that it can be killed anywhere.

mod board;
mod job;
mod plan;
mod planned_watch;
mod sampler;
mod scheduler;
mod server;
pub(crate) mod service;
mod watchdog;
mod webhook;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::daemon::board::Board;
use crate::daemon::plan::Plan;
use crate::daemon::sampler::Sampler;
use crate::daemon::scheduler::Scheduler;
use crate::exit::Exit;
use crate::failure::Failure;

/// How long cycles have to park when the daemon is asked to end.
const PARKING: Duration = Duration::from_secs(10);
/// How often the settings file is looked at, and the journal for what others recorded.
const LOOK: Duration = Duration::from_secs(2);

/// What a daemon is started with.
#[derive(Debug, Clone)]
pub(crate) struct DaemonOptions {
    /// The settings file.
    pub settings: PathBuf,
    /// Where state is kept.
    pub state_dir: PathBuf,
}

/// The repositories of a settings file, once it is checked.
///
/// # Errors
/// When it cannot be used.
pub(crate) fn repositories_of(options: &DaemonOptions) -> Result<Vec<PathBuf>, Failure> {
    Ok(Plan::read(options)?.repositories.iter().map(plan::Planned::path).collect())
}

/// Runs until it is asked to end.
///
/// # Errors
/// When the settings cannot be used, or the address is taken.
pub(crate) fn run(options: &DaemonOptions) -> Result<Exit, Failure> {
    let plan = Plan::read(options)?;
    let runtime = crate::commands::runtime()?;
    runtime.block_on(serve(options, plan))
}

async fn serve(options: &DaemonOptions, plan: Plan) -> Result<Exit, Failure> {
    let fault = |what: &str, error: std::io::Error| Failure::fault(format!("{what}: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| fault("no signals", error))?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(|error| fault("no signals", error))?;
    let listen = plan.settings.daemon.listen.clone();
    let board = Arc::new(Board::new(&plan));
    let watchdog = watchdog::start(board.clone(), Duration::from_secs(plan.settings.daemon.stuck_secs));
    let server = match listen.as_str() {
        "" => None,
        address => Some(server::start(address, &plan.settings.daemon, board.clone(), &options.state_dir).await?),
    };
    let mut sampler = Sampler::new(&options.state_dir, &options.settings);
    sampler.follow(&plan);
    let mut scheduler = Scheduler::new(options.clone(), plan, board.clone());
    service::notify("READY=1");
    tracing::info!(listen, "the daemon works");
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut look = tokio::time::interval(LOOK);
    let signal = loop {
        tokio::select! {
            _ = tick.tick() => {
                scheduler.tick();
                board.beat();
            }
            _ = look.tick() => if scheduler.reload(false) {
                sampler.follow(scheduler.plan());
            },
            _ = hang_up.recv() => {
                service::notify("RELOADING=1");
                scheduler.reload(true);
                sampler.follow(scheduler.plan());
                service::notify("READY=1");
            }
            _ = board.woken() => scheduler.tick(),
            _ = terminate.recv() => break "asked to end (SIGTERM)",
            _ = tokio::signal::ctrl_c() => break "interrupted",
        }
    };
    service::notify("STOPPING=1");
    tracing::info!(signal, "the daemon ends; cycles park where they stand");
    board.stop();
    let parked = scheduler.park(PARKING, || board.beat()).await;
    watchdog.end();
    if let Some(server) = server {
        server.abort();
    }
    if !parked {
        // What still runs holds nothing that the journal does not have.
        tracing::warn!("something did not park in time; the next start goes on with it");
    }
    Ok(Exit::Done)
}
