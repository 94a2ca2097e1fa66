//! One play of a probe: the suite starts a caller, the caller starts the act inside or outside. Both ways are the same
//! but for the sandbox: the caller stands for Kaizen, with a secret in its environment.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, exit};
use std::time::{Duration, Instant};

use kaizen_sandbox::isolation::{Cancel, Exit};

use crate::own;
use crate::scene::{HELD, Scene, WhenUp};
use crate::support::{self, Arrangement, Given, Places};
use crate::table::{Probe, Witness};

/// What an act says by its exit code.
const GOT_THROUGH: i32 = 0;
const REFUSED: i32 = 3;
/// Tells an act outside to go into namespaces of its own first.
const OWN_NAMESPACES: &str = "PROBE_OWN_NAMESPACES";
/// How long a play may take in all before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(120);

/// How an act ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It says that it got through.
    GotThrough,
    /// It was refused, and by what.
    Refused(String),
    /// It was ended by a limit.
    Limit(String),
    /// It did not end; outside, nobody but the suite ends it.
    StillThere,
    /// Its caller was ended before it could say anything.
    CallerEnded(i32),
    /// It could not be played.
    Broken(String),
}

/// A play that is over.
pub struct Played {
    pub end: End,
    pub output: String,
}

/// Plays a probe in a scene: inside, or outside when there is no arrangement.
pub fn play(probe: &Probe, scene: &mut Scene, arrangement: Option<Arrangement>) -> Played {
    let result = scene.at("job/result");
    let mut command = Command::new(support::program());
    command.arg("call").arg(arrangement.map_or("outside", Arrangement::name));
    command.arg(&probe.name).arg(&scene.token).args(&scene.args);
    command.env("API_KEY", &scene.secret).env("PROBE_SCENE", scene.at(""));
    command.stdin(scene.stdin.take().map_or(Stdio::null(), Stdio::from)).stdout(Stdio::piped());
    if arrangement.is_none() && probe.witness == Witness::Namespaces {
        command.env(OWN_NAMESPACES, "");
    }
    match &scene.terminal {
        Some(terminal) => terminal.lend(&mut command),
        None => drop(command.process_group(0)),
    }
    let inherited = scene.inherited.as_ref().map(AsRawFd::as_raw_fd);
    // SAFETY: between fork and exec, numbers only.
    unsafe {
        command.pre_exec(move || {
            if let Some(fd) = inherited {
                libc::dup2(fd, HELD);
            }
            Ok(())
        });
    }
    let mut caller = command.spawn().expect("a caller");
    drop(command);
    if let Some(out) = caller.stdout.take() {
        let mut line = String::new();
        let up = BufReader::new(out).read_line(&mut line).is_ok() && line.trim() == "up";
        match &mut scene.when_up {
            WhenUp::KillCaller if up => caller.kill().expect("ended"),
            WhenUp::Do(act) if up => act(),
            _ => {}
        }
    }
    let status = wait(&mut caller);
    read_result(&result).unwrap_or_else(|| Played {
        end: status.map_or(End::Broken("it took too long".into()), |status| match status.signal() {
            Some(signal) => End::CallerEnded(signal),
            None => End::Broken(format!("the caller said nothing: {status}")),
        }),
        output: String::new(),
    })
}

fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("a status") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn read_result(path: &Path) -> Option<Played> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (end, output) = text.split_once('\n')?;
    let (kind, words) = end.split_once(' ')?;
    let refused = output.lines().find_map(|line| line.strip_prefix("refused: ")).unwrap_or("it says").to_owned();
    let end = match (kind, words) {
        ("code", code) if code == GOT_THROUGH.to_string() => End::GotThrough,
        ("code", code) if code == REFUSED.to_string() => End::Refused(refused),
        ("signal", signal) if signal == libc::SIGSYS.to_string() => End::Refused("ended by the filter".into()),
        ("limit", limit) => End::Limit(limit.to_owned()),
        ("still", _) => End::StillThere,
        (kind, words) => End::Broken(format!("{kind} {words}: {}", output.lines().last().unwrap_or_default())),
    };
    Some(Played { end, output: output.to_owned() })
}

/// The caller: `call HOW NAME TOKEN ARGUMENT..`.
pub fn call(probe: &Probe, how: &str, token: &str, args: &[String]) -> ! {
    let scene = PathBuf::from(std::env::var_os("PROBE_SCENE").expect("a scene"));
    let words: Vec<OsString> =
        ["play", &probe.name, token].into_iter().chain(args.iter().map(String::as_str)).map(Into::into).collect();
    let (end, output) = match crate::support::named(how) {
        Some(arrangement) => call_inside(arrangement, probe, &scene, &words),
        None => call_outside(probe, &scene, &words),
    };
    let draft = scene.join("job/result.new");
    let text = [end.as_bytes(), b"\n", &output].concat();
    fs::write(&draft, text).and_then(|()| fs::rename(&draft, scene.join("job/result"))).expect("written");
    exit(0)
}

fn call_inside(arrangement: Arrangement, probe: &Probe, scene: &Path, words: &[OsString]) -> (String, Vec<u8>) {
    let isolation = match support::sandbox(arrangement) {
        Ok(isolation) => isolation,
        Err(error) => return (format!("broken {error}"), Vec::new()),
    };
    let (tree, shown, kept) = (scene.join("state/bases/one/tree"), scene.join("shown"), scene.join("kept"));
    let given = Given { dir: &scene.join("job"), tree: &tree, shown: &shown, kept: &kept };
    let job = support::job(arrangement, &isolation, &given, words, probe.limits.clone());
    let cancel = Cancel::new().expect("a flag");
    match isolation.run(&job, &cancel, &mut |_, line| relay(line)) {
        Ok(finished) => {
            let end = match finished.exit {
                Exit::Code(code) => format!("code {code}"),
                Exit::Signal(signal) => format!("signal {signal}"),
                Exit::Limit(limit) => format!("limit {limit}"),
                Exit::Cancelled => "broken cancelled".to_owned(),
            };
            (end, [finished.stdout, finished.stderr].concat())
        }
        Err(error) => (format!("broken {error}: {:?}", std::error::Error::source(&error)), Vec::new()),
    }
}

/// As somebody would do it who has no sandbox: a child with a time limit, which is told to end when that is over.
fn call_outside(probe: &Probe, scene: &Path, words: &[OsString]) -> (String, Vec<u8>) {
    let tree = scene.join("state/bases/one/tree");
    let places = Places { tree: tree.clone(), home: scene.join("home"), tmp: scene.join("tmp") };
    let mut command = Command::new(support::program());
    command.args(words).current_dir(&tree);
    command.envs(support::environment(&places, &scene.join("shown"), &scene.join("kept")));
    let on_terminal = own::is_terminal();
    if !on_terminal {
        command.stdout(Stdio::piped());
    }
    let mut child = command.spawn().expect("a child");
    let output = child.stdout.take().map(|out| std::thread::spawn(move || read_out(out)));
    let begun = Instant::now();
    let mut told = false;
    let end = loop {
        match child.try_wait().expect("a status") {
            Some(status) => {
                break match (status.code(), status.signal()) {
                    (Some(code), _) => format!("code {code}"),
                    (None, signal) => format!("signal {}", signal.unwrap_or(0)),
                };
            }
            None if !told && begun.elapsed() > probe.limits.wall => {
                told = true;
                // SAFETY: takes numbers; the child is not waited for.
                unsafe { libc::kill(child.id().cast_signed(), libc::SIGTERM) };
            }
            None if begun.elapsed() > probe.limits.wall + Duration::from_millis(300) => break "still there".to_owned(),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    // Something that was left behind may hold the pipe open.
    let output = output.filter(|reader| !end.starts_with("still") && { reader_is_done(reader) });
    (end, output.and_then(|reader| reader.join().ok()).unwrap_or_default())
}

fn reader_is_done(reader: &std::thread::JoinHandle<Vec<u8>>) -> bool {
    let begun = Instant::now();
    while !reader.is_finished() && begun.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(2));
    }
    reader.is_finished()
}

fn read_out(out: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    let mut reader = BufReader::new(out);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        relay(line.trim_ascii_end());
        all.append(&mut line);
    }
    all
}

/// Tells the suite that the act is up; nothing else of what it prints.
fn relay(line: &[u8]) {
    if line == b"up" {
        let mut out = std::io::stdout();
        let _ = out.write_all(b"up\n").and_then(|()| out.flush());
    }
}

/// The act itself: `play NAME TOKEN ARGUMENT..`. It is the only thing that runs inside.
pub fn act(probe: &Probe, args: &[String]) -> ! {
    if std::env::var_os(OWN_NAMESPACES).is_some()
        && let Err(error) = own::namespaces()
    {
        println!("refused: no namespaces of its own: {error}");
        exit(REFUSED)
    }
    match (probe.act)(args) {
        Ok(()) => exit(GOT_THROUGH),
        Err(error) => {
            println!("refused: {error}");
            exit(REFUSED)
        }
    }
}
