//! Processes of the host: tracing, signalling and slowing them down; and staying when the job is over.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use crate::own::{call, check, fork, number, parent, say_up, signal};
use crate::scene::{Scene, WhenUp, running};
use crate::table::{Probe, Shown};

pub fn probes() -> Vec<Probe> {
    let short = |limits: &mut kaizen_sandbox::Limits| limits.wall = Duration::from_millis(800);
    vec![
        Probe::new("process: trace a process of the host", victim_said, |args| {
            call(libc::SYS_ptrace, [libc::PTRACE_SEIZE.into(), number(args, 0), 0, 0, 0]).map(drop)
        }),
        Probe::new(
            "process: trace the parent",
            |_| Shown::Said,
            |_| call(libc::SYS_ptrace, [libc::PTRACE_SEIZE.into(), parent().into(), 0, 0, 0]).map(drop),
        ),
        Probe::new("process: end a process of the host", victim_ends, |args| signal(number(args, 0), libc::SIGKILL)),
        Probe::new("process: end it by a descriptor of it", victim_ends, |args| {
            let process = call(libc::SYS_pidfd_open, [number(args, 0), 0, 0, 0, 0])?;
            call(libc::SYS_pidfd_send_signal, [process, libc::SIGKILL.into(), 0, 0, 0]).map(drop)
        }),
        Probe::new(
            "process: signal the parent",
            |_| Shown::CallerEnded(libc::SIGUSR1),
            |_| signal(parent(), libc::SIGUSR1),
        ),
        Probe::new("process: signal the group", |_| Shown::CallerEnded(libc::SIGUSR1), signal_group),
        Probe::new("process: slow down a process of the host", victim_priority, |args| {
            // SAFETY: takes numbers.
            check(unsafe { libc::setpriority(libc::PRIO_PROCESS, number(args, 0), 7) }).map(drop)
        }),
        Probe::new("process: limit a process of the host", victim_limits, |args| {
            let files = libc::rlimit { rlim_cur: 5, rlim_max: 5 };
            // SAFETY: the structure is valid for reading.
            check(unsafe {
                libc::prlimit(number(args, 0), libc::RLIMIT_NOFILE, &raw const files, std::ptr::null_mut())
            })
            .map(drop)
        }),
        Probe::new("process: see what runs on the host", victim_said, |args| {
            fs::read(format!("/proc/{}/cmdline", number::<u32>(args, 0))).map(drop)
        }),
        Probe::new("process: stay as a daemon", stays, |_| daemon()),
        Probe::new("process: stay by ignoring every signal", stays, |_| ignore_all()).limits(short),
        Probe::new("process: outlive a Kaizen that is killed", outlives, |_| {
            say_up();
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }),
        Probe::new("process: outlive it as a daemon", outlives, |_| {
            daemon()?;
            say_up();
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }),
    ]
}

fn victim_said(scene: &mut Scene) -> Shown {
    scene.args = vec![scene.victim().0.to_string()];
    Shown::Said
}

fn victim_ends(scene: &mut Scene) -> Shown {
    let (pid, _) = scene.victim();
    scene.args = vec![pid.to_string()];
    // One that has ended and is not waited for has no command line.
    let ended = move || fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.is_empty());
    Shown::Host(Box::new(move || soon(Duration::from_millis(200), ended)))
}

/// Whether something holds, or comes to hold in time.
fn soon(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() && begun.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(5));
    }
    holds()
}

fn signal_group(_: &[String]) -> io::Result<()> {
    // SAFETY: ignoring is always valid; this one is to stay.
    unsafe { libc::signal(libc::SIGUSR1, libc::SIG_IGN) };
    signal(0, libc::SIGUSR1)
}

fn victim_priority(scene: &mut Scene) -> Shown {
    let (pid, _) = scene.victim();
    scene.args = vec![pid.to_string()];
    // SAFETY: takes numbers.
    Shown::Host(Box::new(move || unsafe { libc::getpriority(libc::PRIO_PROCESS, pid) == 7 }))
}

fn victim_limits(scene: &mut Scene) -> Shown {
    let (pid, _) = scene.victim();
    scene.args = vec![pid.to_string()];
    let limits = move || fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let before = limits();
    Shown::Host(Box::new(move || limits() != before))
}

/// It is still there when whoever started it has ended.
fn stays(scene: &mut Scene) -> Shown {
    let token = scene.token.clone();
    Shown::Host(Box::new(move || !running(&token).is_empty()))
}

fn outlives(scene: &mut Scene) -> Shown {
    scene.when_up = WhenUp::KillCaller;
    let token = scene.token.clone();
    // What belongs to the sandbox ends as soon as it learns of it, which may take a moment.
    Shown::Host(Box::new(move || !soon(Duration::from_secs(4), || running(&token).is_empty())))
}

/// Leaves session, parent and output behind.
fn daemon() -> io::Result<()> {
    let (mut reader, writer) = io::pipe()?;
    if fork()? {
        // SAFETY: takes nothing.
        unsafe { libc::setsid() };
        if fork()? {
            drop(writer);
            // SAFETY: takes numbers.
            unsafe { libc::close_range(0, libc::c_uint::MAX, 0) };
            std::thread::sleep(Duration::from_secs(60));
        }
        std::process::exit(0);
    }
    drop(writer);
    // Ends when the daemon has closed all it had.
    io::copy(&mut reader, &mut io::sink()).map(drop)
}

fn ignore_all() -> io::Result<()> {
    for number in 1..=64 {
        // SAFETY: ignoring is always valid.
        unsafe { libc::signal(number, libc::SIG_IGN) };
    }
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        std::hint::spin_loop();
    }
    Ok(())
}
