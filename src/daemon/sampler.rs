//! The sampler: runs the commands of watched metrics all the while, so that there are samples from before a landing. They are
//! a person's own, from the settings file, and run as the daemon does; none of its environment goes to them but what finds
//! programs and names the user.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use kaizen_metrics::{Kept, printed};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::daemon::plan::{Plan, now};
use crate::daemon::planned_watch::Sampled;

/// What a command may print, bytes; the last line counts.
const MOST: usize = 1 << 20;
/// No command runs longer, however rarely it is run.
const LONGEST: Duration = Duration::from_secs(60);
/// What a command is told of the daemon's environment.
const ENVIRONMENT: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "XDG_RUNTIME_DIR"];

/// Runs the commands of all watched metrics.
pub(crate) struct Sampler {
    state_dir: PathBuf,
    /// Commands start in the folder of the settings file.
    folder: PathBuf,
    running: BTreeMap<(String, String), (Sampled, JoinHandle<()>)>,
}

/// Where the samples of a repository are.
pub(crate) fn samples_dir(state_dir: &Path, key: &str) -> PathBuf {
    state_dir.join("samples").join(key)
}

impl Sampler {
    pub fn new(state_dir: &Path, settings: &Path) -> Self {
        let folder = settings.canonicalize().ok().and_then(|file| file.parent().map(Path::to_path_buf));
        Self {
            state_dir: state_dir.to_path_buf(),
            folder: folder.unwrap_or_else(|| PathBuf::from("/")),
            running: BTreeMap::new(),
        }
    }

    /// Runs what a plan asks for, and nothing else any more.
    pub fn follow(&mut self, plan: &Plan) {
        let mut wanted: BTreeMap<(String, String), Sampled> = BTreeMap::new();
        for planned in &plan.repositories {
            for sampled in planned.watch.iter().flat_map(|watch| watch.sampled()) {
                wanted.insert((planned.key.clone(), sampled.metric.clone()), sampled);
            }
        }
        self.running.retain(|of, (sampled, task)| {
            let goes_on = wanted.get(of) == Some(sampled) && !task.is_finished();
            if !goes_on {
                task.abort();
            }
            goes_on
        });
        for (of, sampled) in wanted {
            let kept = Kept::of(&samples_dir(&self.state_dir, &of.0), &of.1);
            let folder = self.folder.clone();
            self.running.entry(of).or_insert_with(|| (sampled.clone(), tokio::spawn(sample(sampled, kept, folder))));
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.running.values().for_each(|(_, task)| task.abort());
    }
}

/// Takes one sample after the other. What goes wrong is said when it is new.
async fn sample(sampled: Sampled, kept: Kept, folder: PathBuf) {
    let mut tick = tokio::time::interval(sampled.every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut said = None;
    loop {
        tick.tick().await;
        let outcome = match run(&sampled, &folder).await {
            Ok(value) => kept.add((now(), value), sampled.keep).map_err(|error| format!("it cannot be kept: {error}")),
            Err(why) => Err(why),
        };
        match outcome {
            Ok(()) => said = None,
            Err(why) if said.as_ref() != Some(&why) => {
                tracing::warn!(metric = sampled.metric, why, "a command gave no sample");
                said = Some(why);
            }
            Err(_) => {}
        }
    }
}

/// Runs a command once and reads the number that it printed.
async fn run(sampled: &Sampled, folder: &Path) -> Result<f64, String> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &sampled.command]).current_dir(folder).env_clear();
    command.envs(ENVIRONMENT.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let group = Group(child.id());
    let out = child.stdout.take();
    let limit = sampled.every.clamp(Duration::from_secs(1), LONGEST);
    let whole = tokio::time::timeout(limit, async {
        let text = read(out).await;
        (child.wait().await, text)
    });
    let (status, text) = whole.await.map_err(|_| format!("it did not end within {} s", limit.as_secs()))?;
    drop(group);
    match status {
        Ok(status) if status.success() => {
            printed(&text).map(|printed| printed.value).map_err(|error| error.to_string())
        }
        Ok(status) => Err(format!("it ended by {status}")),
        Err(error) => Err(error.to_string()),
    }
}

/// What a command printed, as far as it is not far too much.
async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    use tokio::io::AsyncReadExt as _;
    let mut bytes = Vec::new();
    let mut piece = vec![0_u8; 16 << 10];
    let Some(mut from) = from else { return String::new() };
    while let Ok(read) = from.read(&mut piece).await
        && read > 0
    {
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        let over = bytes.len().saturating_sub(MOST);
        if over > MOST {
            bytes.drain(..over);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The processes of a command. They end with it.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}
