//! Sandbox start: what it costs to start a sandbox and to have it gone again, beside a plain command and bubblewrap, one
//! after the other in one loop, so that whatever else the machine does hits all alike. As root and as an ordinary user.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kaizen_sandbox::isolation::{Cancel, Exit, Isolation, Job, Tree};
use serde_json::{Value, json};

use super::run::tail;
use super::samples::{Samples, shown};
use super::scratch::{self, Scratch};
use super::table::Table;
use super::{Options, Outcome, arrangement, bwrap, os};

/// Sandboxes that are started, and those of a quick run.
const SAMPLES: (usize, usize) = (500, 60);
/// Of each kind, before it counts.
const WARM_UP: usize = 10;
/// What half of them, and 95 of a hundred, may take over the plain command.
const BARS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(10));
/// What they may take of the peer's time.
const RATIO: f64 = 1.0;
/// What is run.
const COMMAND: &str = "/bin/true";
/// The user and group that nobody is.
const NOBODY: u32 = 65534;

/// Measures it.
///
/// # Errors
/// When the peer cannot be had, or a layer of the sandbox is missing.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("sandbox-start")?;
    let peer = bwrap::install()?;
    let samples = if options.quick { SAMPLES.1 } else { SAMPLES.0 };
    let header = ["user", "arrangement", "what", "p50", "p95", "ours of it, p50", "p95", "samples"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let mut said = Vec::new();
    let users: &[Option<u32>] = if os::is_root() { &[None, Some(NOBODY)] } else { &[None] };
    for user in users {
        let who = match (user, os::is_root()) {
            (None, true) => "root",
            (None, false) => "this user",
            (Some(_), _) => "ordinary",
        };
        let found = in_own_process(&scratch, *user, samples, &peer).with_context(|| format!("as {who}"))?;
        for arrangement in found.as_array().into_iter().flatten() {
            judge(&mut outcome, &mut said, who, arrangement)?;
        }
    }
    if !os::is_root() {
        outcome.notes.push("started by an ordinary user, so that root was not measured".to_owned());
    }
    let version = bwrap::version().unwrap_or_default();
    outcome.notes.push(format!("bwrap {version} with {}", bwrap::ARGS.join(" ")));
    outcome.notes.push("over plain: each sandbox against the plain command of the same round".to_owned());
    outcome.summary = format!("{} (bars {} / {}, {RATIO} of bwrap)", said.join("; "), shown(BARS.0), shown(BARS.1));
    Ok(outcome)
}

/// Has a copy of this program do it, as this or another user.
fn in_own_process(scratch: &Scratch, user: Option<u32>, samples: usize, peer: &Path) -> Result<Value> {
    use std::os::unix::process::CommandExt as _;
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755));
    let program = scratch.join("xtask");
    std::fs::copy(std::env::current_exe()?, &program)?;
    let folder = scratch.join(format!("of-{}", user.unwrap_or(0)));
    std::fs::create_dir(&folder)?;
    for path in [scratch.path(), &program, &folder] {
        open(path)?;
    }
    let mut command = Command::new(&program);
    command.args(["worker", "sandbox-start", "--samples", &samples.to_string(), "--folder"]).arg(&folder);
    command.arg("--peer").arg(peer).current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped());
    if let Some(user) = user {
        std::os::unix::fs::chown(&folder, Some(user), Some(user))?;
        // Without privileges of root's, this gives up its groups as well.
        command.uid(user).gid(user);
    }
    let child = scratch::start(&mut command)?;
    let id = child.id();
    let ended = child.wait_with_output()?;
    scratch::ended(id);
    let text = String::from_utf8_lossy(&ended.stdout);
    ensure!(ended.status.success(), "the worker ended with {}: {}", ended.status, tail(&text));
    Ok(serde_json::from_str(text.trim())?)
}

fn judge(outcome: &mut Outcome, said: &mut Vec<String>, who: &str, found: &Value) -> Result<()> {
    let of = |name: &str| -> Samples {
        found[name].as_array().into_iter().flatten().filter_map(Value::as_u64).map(Duration::from_micros).collect()
    };
    let name = found["arrangement"].as_str().unwrap_or_default();
    let (plain, ours, over, peer) = (of("plain"), of("ours"), of("over"), of("peer"));
    ensure!(ours.count() > 0 && over.count() == ours.count(), "the worker has no samples");
    let ratio = |part: usize| ours.percentile(part).as_secs_f64() / peer.percentile(part).as_secs_f64().max(1e-9);
    for (what, times) in [("plain", &plain), ("ours", &ours), ("ours over plain", &over), ("bwrap", &peer)] {
        if times.count() == 0 {
            continue;
        }
        let ratios = if what == "bwrap" {
            [50, 95].map(|part| format!("{:.2}", ratio(part)))
        } else {
            ["-"; 2].map(str::to_owned)
        };
        let [half, most] = ratios;
        let (p50, p95) = (shown(times.percentile(50)), shown(times.percentile(95)));
        outcome.table.row([who, name, what, &p50, &p95, &half, &most, &times.count().to_string()]);
    }
    let (half, most) = (over.percentile(50), over.percentile(95));
    outcome.require(half <= BARS.0, format!("{who}, {name}: p50 is {} over the plain command", shown(half)));
    outcome.require(most <= BARS.1, format!("{who}, {name}: p95 is {} over the plain command", shown(most)));
    let mut text = format!("{who} {} / {} over plain", shown(half), shown(most));
    if peer.count() > 0 {
        for part in [50, 95] {
            outcome.require(ratio(part) <= RATIO, format!("{who}, {name}: p{part} is {:.2} of bwrap's", ratio(part)));
        }
        text.push_str(&format!(", {:.2} / {:.2} of bwrap", ratio(50), ratio(95)));
    }
    said.push(text);
    Ok(())
}

/// Starts and stops them in this process, and says how long each took.
///
/// # Errors
/// When a layer is missing, or a command does not do what it should.
pub fn work(samples: usize, folder: &Path, peer: &Path) -> Result<Value> {
    let lower = folder.join("tree");
    std::fs::create_dir_all(&lower)?;
    let mut found = Vec::new();
    for arrangement in arrangement::all()? {
        let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        for round in 0..WARM_UP + samples {
            // What one leaves for the kernel to clear up later must not always hit the same other one.
            for turn in 0..3 {
                let (kind, time) = match (round + turn) % 3 {
                    0 => ("plain", plain(Command::new(COMMAND))?),
                    1 => ("ours", ours(&arrangement.isolation, &lower)?),
                    _ if arrangement.has_peer => {
                        let mut command = Command::new(peer);
                        command.args(bwrap::ARGS).arg(COMMAND);
                        ("peer", plain(command)?)
                    }
                    _ => continue,
                };
                if round >= WARM_UP {
                    times.entry(kind).or_default().push(time);
                }
            }
        }
        let of = |kind: &str| times.get(kind).cloned().unwrap_or_default();
        let (plain, ours) = (of("plain"), of("ours"));
        let over: Vec<Duration> = ours.iter().zip(&plain).map(|(ours, plain)| ours.saturating_sub(*plain)).collect();
        let micros =
            |times: &[Duration]| times.iter().map(Duration::as_micros).map(|time| json!(time)).collect::<Value>();
        found.push(json!({
            "arrangement": arrangement.name,
            "plain": micros(&plain),
            "ours": micros(&ours),
            "over": micros(&over),
            "peer": micros(&of("peer")),
        }));
    }
    Ok(Value::from(found))
}

fn plain(mut command: Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status().with_context(|| command.get_program().display().to_string())?;
    let took = began.elapsed();
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(took)
}

fn ours(isolation: &Isolation, lower: &Path) -> Result<Duration> {
    let tree = Tree::CopyOnWrite { lower: lower.to_path_buf(), changes: Vec::new() };
    let job = Job::new(PathBuf::from(COMMAND), tree, isolation.places(lower.parent().unwrap_or(lower)));
    let cancel = Cancel::new()?;
    let began = Instant::now();
    let finished = isolation.run(&job, &cancel, &mut |_, _| {})?;
    let took = began.elapsed();
    ensure!(finished.exit == Exit::Code(0), "{COMMAND} ended by {}", finished.exit);
    Ok(took)
}
