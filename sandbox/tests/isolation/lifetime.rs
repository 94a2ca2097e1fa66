//! The end of a job: whatever it does, and whatever happens to its caller, no process of it is left.

use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Stdio, exit};
use std::time::Duration;

use kaizen_sandbox::isolation::{Cancel, Exit, LimitKind, Limits};

use crate::support::{GOT_THROUGH, Held, inside, isolation, plain_command, probe_job, run, run_holding, text};

/// Time for something that happens at once, on a machine that is very busy.
const SOON: i32 = 60_000;

#[test]
fn a_daemon_is_gone_when_the_command_has_ended() {
    let (mut job, _dir) = probe_job("daemon", "300");
    job.limits = Limits { wall: Duration::from_secs(60), ..Limits::default() };
    let (finished, held) = run_holding(&job, "up");
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH));
    assert!(held.len() >= 4, "monitor, init, the command and the daemon: {}", held.len());
    assert_eq!(held.still_running_after(0), Vec::<i32>::new());
}

#[test]
fn a_daemon_does_not_keep_the_job_from_ending() {
    assert_eq!(inside("daemon", "").exit, Exit::Code(GOT_THROUGH));
}

#[test]
fn ignoring_every_signal_does_not_help() {
    let (mut job, _dir) = probe_job("stubborn", "");
    let wall = Duration::from_millis(1500);
    job.limits = Limits { wall, ..Limits::default() };
    let (finished, held) = run_holding(&job, "up");
    assert_eq!(finished.exit, Exit::Limit(LimitKind::Wall(wall)));
    assert_eq!(held.still_running_after(0), Vec::<i32>::new());
}

#[test]
fn killing_everything_in_reach_harms_only_the_command_s_own() {
    let finished = inside("kill all", "");
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH));
    assert!(text(&finished.stdout).contains("still here"), "{}", text(&finished.stdout));
}

#[test]
fn cancelling_ends_a_running_job_at_once() {
    let (job, _dir) = probe_job("sleep", "");
    let cancel = Cancel::new().expect("a flag");
    let clone = cancel.clone();
    let mut held = None;
    let finished = isolation()
        .run(&job, &cancel, &mut |_, line| {
            if text(line).ends_with("up") {
                held = Some(Held::below_this_thread());
                clone.cancel();
            }
        })
        .expect("run");
    assert_eq!(finished.exit, Exit::Cancelled);
    assert!(finished.wall < job.limits.wall, "not by the wall time");
    assert_eq!(held.expect("held").still_running_after(0), Vec::<i32>::new());
}

#[test]
fn cancelling_from_another_thread_ends_all_jobs_that_share_the_flag() {
    let cancel = Cancel::new().expect("a flag");
    let (said, heard) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..3)
            .map(|_| {
                let (said, cancel) = (said.clone(), &cancel);
                scope.spawn(move || {
                    let (job, _dir) = probe_job("sleep", "");
                    let mut up = |_, line: &[u8]| {
                        if text(line).ends_with("up") {
                            said.send(()).expect("heard");
                        }
                    };
                    isolation().run(&job, cancel, &mut up).expect("run").exit
                })
            })
            .collect();
        // Or a job that fails would leave this waiting for it.
        drop(said);
        for _ in &jobs {
            heard.recv().expect("a job is up");
        }
        cancel.cancel();
        for job in jobs {
            assert_eq!(job.join().expect("no panic"), Exit::Cancelled);
        }
    });
}

#[test]
fn a_job_whose_flag_is_set_already_does_not_get_far() {
    let (job, _dir) = probe_job("sleep", "");
    let cancel = Cancel::new().expect("a flag");
    cancel.cancel();
    assert_eq!(isolation().run(&job, &cancel, &mut |_, _| {}).expect("run").exit, Exit::Cancelled);
}

#[test]
fn a_panic_of_the_caller_leaves_no_process() {
    let (job, _dir) = probe_job("sleep", "");
    let mut held = None;
    let caught = catch_unwind(AssertUnwindSafe(|| {
        isolation().run(&job, &Cancel::new().expect("a flag"), &mut |_, line| {
            if text(line).ends_with("up") {
                held = Some(Held::below_this_thread());
                // Unwinds without the noise of a panic.
                std::panic::resume_unwind(Box::new("the caller's own fault"));
            }
        })
    }));
    assert!(caught.is_err());
    assert_eq!(held.expect("held").still_running_after(0), Vec::<i32>::new());
}

/// The probe that stands for Kaizen: runs a job that sleeps, and hands on its lines.
pub fn call_and_wait() -> ! {
    let (job, _dir) = probe_job("daemon", "1000000000");
    let _ = isolation().run(&job, &Cancel::new().expect("a flag"), &mut |_, line| println!("job: {}", text(line)));
    exit(1)
}

#[test]
fn killing_the_caller_leaves_no_process() {
    let mut caller = plain_command("caller", "").stdout(Stdio::piped()).spawn().expect("started");
    let mut lines = BufReader::new(caller.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.ends_with("up"))), "the job came up");
    let held = Held::below_process(caller.id());
    assert!(held.len() >= 4, "monitor, init, the command and a daemon of it: {}", held.len());
    assert!(held.still_running_after(0).len() >= 4, "they run before the kill");
    caller.kill().expect("killed");
    caller.wait().expect("waited for");
    assert_eq!(held.still_running_after(SOON), Vec::<i32>::new());
}

#[test]
fn killing_the_monitor_leaves_no_process_and_is_reported() {
    let (job, _dir) = probe_job("sleep", "");
    let mut held = None;
    let result = isolation().run(&job, &Cancel::new().expect("a flag"), &mut |_, line| {
        if text(line).ends_with("up") {
            let below = Held::below_this_thread();
            below.kill_first();
            held = Some(below);
        }
    });
    assert!(result.is_err(), "nobody knows how the command would have ended");
    assert_eq!(held.expect("held").still_running_after(SOON), Vec::<i32>::new());
}

#[test]
fn jobs_beside_each_other_do_not_mix() {
    std::thread::scope(|scope| {
        for code in 10..18 {
            scope.spawn(move || {
                let (job, _dir) = probe_job("exit code", &code.to_string());
                assert_eq!(run(&job).exit, Exit::Code(code));
            });
        }
    });
}
