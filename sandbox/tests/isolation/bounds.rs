//! Bombs: each ends at its limit, the limit is named, and the host does not notice.

use std::time::Duration;

use kaizen_sandbox::isolation::{Exit, LimitKind, Limits};

use crate::support::{REFUSED, probe_job, run, run_holding, text};

fn ends_with(name: &str, argument: &str, limits: Limits) -> Exit {
    let (mut job, _dir) = probe_job(name, argument);
    job.limits = limits;
    run(&job).exit
}

#[test]
fn a_fork_bomb_ends() {
    let limits = Limits { processes: 40, ..Limits::default() };
    assert_eq!(ends_with("fork bomb", "", limits), Exit::Limit(LimitKind::Processes(40)));
}

#[test]
fn a_thread_bomb_ends() {
    let limits = Limits { processes: 40, ..Limits::default() };
    assert_eq!(ends_with("thread bomb", "", limits), Exit::Limit(LimitKind::Processes(40)));
}

#[test]
fn a_memory_bomb_ends() {
    let (mut job, _dir) = probe_job("memory bomb", "");
    job.limits = Limits { memory: 200 << 20, ..Limits::default() };
    let finished = run(&job);
    assert_eq!(finished.exit, Exit::Limit(LimitKind::Memory(200 << 20)));
    assert!(finished.peak_memory > 200 << 20, "{}", finished.peak_memory);
}

#[test]
fn memory_is_counted_over_all_processes() {
    let limits = Limits { memory: 100 << 20, ..Limits::default() };
    assert_eq!(ends_with("many small memories", "", limits), Exit::Limit(LimitKind::Memory(100 << 20)));
}

#[test]
fn a_disk_bomb_in_the_tree_ends() {
    let limits = Limits { disk: 8 << 20, ..Limits::default() };
    assert_eq!(ends_with("fill file", "/repo/big", limits), Exit::Limit(LimitKind::Disk(8 << 20)));
}

#[test]
fn a_disk_bomb_in_a_folder_of_the_host_ends_even_when_the_file_is_deleted() {
    let kept = tempfile::tempdir().expect("a folder");
    let (mut job, _dir) = probe_job("fill deleted file", "/repo/target/big");
    job.writable.push((kept.path().to_path_buf(), "/repo/target".into()));
    job.limits = Limits { disk: 64 << 20, ..Limits::default() };
    assert_eq!(run(&job).exit, Exit::Limit(LimitKind::MachineDisk(64 << 20)));
}

#[test]
fn a_disk_bomb_in_scratch_space_ends_wherever_it_is() {
    for path in ["/tmp/big", "/home/kaizen/big", "/dev/shm/big"] {
        let limits = Limits { tmp: 8 << 20, ..Limits::default() };
        assert_eq!(ends_with("fill file", path, limits), Exit::Limit(LimitKind::Tmp(8 << 20)), "{path}");
    }
}

#[test]
fn a_file_that_grows_too_large_ends_the_job() {
    let limits = Limits { file_size: 4 << 20, ..Limits::default() };
    assert_eq!(ends_with("fill file", "/tmp/big", limits), Exit::Limit(LimitKind::FileSize(4 << 20)));
}

#[test]
fn a_full_disk_in_one_job_is_not_full_in_the_next() {
    let (mut job, _dir) = probe_job("fill file", "/repo/big");
    job.limits = Limits { disk: 8 << 20, ..Limits::default() };
    assert_eq!(run(&job).exit, Exit::Limit(LimitKind::Disk(8 << 20)));
    job.env = vec![("KAIZEN_PROBE".into(), "write file".into()), ("KAIZEN_PROBE_ARGUMENT".into(), "/repo/a".into())];
    assert_eq!(run(&job).exit, Exit::Code(0));
}

#[test]
fn an_output_bomb_ends_and_what_came_before_is_kept() {
    let (mut job, _dir) = probe_job("output bomb", "");
    job.limits = Limits { output: 100_000, ..Limits::default() };
    let finished = run(&job);
    assert_eq!(finished.exit, Exit::Limit(LimitKind::Output(100_000)));
    assert_eq!(finished.stdout.len() + finished.stderr.len(), 100_000);
    assert!(text(&finished.stdout).contains("line\nline\n"));
}

#[test]
fn an_endless_line_is_handed_on_in_part_and_kept_in_full() {
    let (job, _dir) = probe_job("endless line", "");
    let mut longest = 0;
    let cancel = kaizen_sandbox::isolation::Cancel::new().expect("a flag");
    let finished = crate::support::isolation()
        .run(&job, &cancel, &mut |_, line: &[u8]| longest = longest.max(line.len()))
        .expect("run");
    assert!(longest > 1000 && longest < 100 << 10, "{longest}");
    assert!(finished.stdout.len() > 1 << 20);
    assert!(text(&finished.stdout).ends_with("\nafter\n"));
}

#[test]
fn an_endless_loop_ends_at_the_wall_time_with_no_process_left() {
    let (mut job, _dir) = probe_job("endless loop", "");
    let wall = Duration::from_millis(1500);
    job.limits = Limits { wall, ..Limits::default() };
    let (finished, held) = run_holding(&job, "up");
    assert_eq!(finished.exit, Exit::Limit(LimitKind::Wall(wall)));
    assert!(finished.wall >= wall);
    assert!(finished.cpu > Duration::ZERO, "the loop's time is counted though it was killed");
    assert!(held.len() >= 3, "monitor, init and the command");
    assert_eq!(held.still_running_after(0), Vec::<i32>::new());
}

#[test]
fn processor_time_of_one_process_is_limited() {
    let cpu = Duration::from_secs(1);
    let limits = Limits { cpu, ..Limits::default() };
    assert_eq!(ends_with("endless loop", "", limits), Exit::Limit(LimitKind::Cpu(cpu)));
}

#[test]
fn processor_time_is_counted_over_children_that_are_gone() {
    let cpu = Duration::from_secs(1);
    let limits = Limits { cpu, ..Limits::default() };
    assert_eq!(ends_with("busy children", "", limits), Exit::Limit(LimitKind::Cpu(cpu)));
}

#[test]
fn a_refused_write_is_no_limit_when_there_is_room() {
    let (job, _dir) = probe_job("write file", "/etc/passwd");
    assert_eq!(run(&job).exit, Exit::Code(REFUSED));
}
