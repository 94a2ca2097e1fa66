//! The watchdog: fed by turns of the main loop and by progress in jobs, not by a timer. When the main loop stands still, or a
//! job that runs does not move any more, it says what every thread is at and ends the process: whoever started it starts
//! it again, and the journal has everything. With systemd it passes the food on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::daemon::board::Board;
use crate::daemon::service;

/// How long the main loop may stand still.
const STANDS: Duration = Duration::from_secs(8);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// The exit code of a process that was ended by its watchdog.
const BITTEN: i32 = 70;

/// A watchdog that runs.
pub(crate) struct Watchdog {
    ended: Arc<AtomicBool>,
}

impl Watchdog {
    /// Calls it off.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Starts it, on a thread of its own: one of the runtime's would stand still with it.
pub(crate) fn start(board: Arc<Board>, stuck: Duration) -> Watchdog {
    let ended = Arc::new(AtomicBool::new(false));
    let called_off = ended.clone();
    let watch = move || {
        let (mut beats, mut since) = (0, Instant::now());
        while !called_off.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
            let now = board.beats();
            if now != beats {
                (beats, since) = (now, Instant::now());
                service::notify("WATCHDOG=1");
            }
            let jobs = board.stuck(stuck);
            if since.elapsed() > STANDS {
                bite(&format!("the main loop stands still for {} s", since.elapsed().as_secs()));
            } else if !jobs.is_empty() {
                bite(&format!("nothing moved for {} s in {}", stuck.as_secs(), jobs.join(", ")));
            }
        }
    };
    // Without a thread for it there is no watchdog; the daemon works all the same.
    if let Err(error) = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch) {
        tracing::error!(%error, "there is no watchdog");
    }
    Watchdog { ended }
}

fn bite(why: &str) {
    eprintln!("error: {why}; the process ends so that it can be started again, nothing is lost\n{}", threads());
    std::process::exit(BITTEN);
}

/// What every thread is at, as far as the kernel tells.
fn threads() -> String {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file: &str| std::fs::read_to_string(entry.path().join(file)).unwrap_or_default().trim().to_owned();
        let state = read("stat").rsplit(')').next().and_then(|rest| rest.split_whitespace().next().map(str::to_owned));
        lines.push(format!(
            "  thread {} {}: state {}, waits in {}, call {}",
            entry.file_name().to_string_lossy(),
            read("comm"),
            state.unwrap_or_default(),
            read("wchan"),
            read("syscall").split(' ').next().unwrap_or_default()
        ));
    }
    lines.join("\n")
}
