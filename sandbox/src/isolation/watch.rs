//! What a sandbox uses at this moment: memory, processes and processor time of all its processes together.
//!
//! Read from the host's `/proc` while they run. Processes come and go during a look; one that is gone counts nothing.

use std::fs;
use std::str::SplitAsciiWhitespace;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was in use at one look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Bytes of memory that is not backed by files.
    pub memory: u64,
    /// Processes and threads.
    pub tasks: u64,
    /// Processor time so far, of those that run and those that they waited for.
    pub cpu: Duration,
}

/// Looks at the processes of the sandbox with this monitor. Monitor and init are Kaizen's own and not counted.
pub(super) fn usage(monitor: libc::pid_t) -> Usage {
    let mut usage = Usage::default();
    let Some(init) = children(i64::from(monitor)).first().copied() else { return usage };
    usage.cpu += cpu_time(init, Own::Leave);
    let mut todo = children(init);
    while let Some(pid) = todo.pop() {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
        let (memory, threads) = memory_and_threads(&status);
        usage.memory = usage.memory.saturating_add(memory);
        usage.tasks = usage.tasks.saturating_add(threads);
        usage.cpu += cpu_time(pid, Own::Count);
        todo.extend(children(pid));
    }
    usage
}

/// The children of all threads of a process.
fn children(pid: i64) -> Vec<i64> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Anonymous and shared memory in bytes, and threads, out of `/proc/PID/status`. Pages of files are left out: many
/// processes share them, and the kernel can drop them.
fn memory_and_threads(status: &str) -> (u64, u64) {
    let (mut memory, mut threads) = (0u64, 0);
    for line in status.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let number = || value.split_ascii_whitespace().next().and_then(|number| number.parse::<u64>().ok());
        match name {
            "RssAnon" | "RssShmem" => {
                memory = memory.saturating_add(number().unwrap_or_default().saturating_mul(1024));
            }
            "Threads" => threads = number().unwrap_or_default(),
            _ => {}
        }
    }
    (memory, threads)
}

/// How long a count of all processes may serve: counting takes longer than anything else about a sandbox on a machine
/// with many, and what others start meanwhile cannot be known anyway.
const COUNT_SERVES: Duration = Duration::from_secs(1);

/// Processes and threads that the user of this process has on the whole machine, or had a moment ago.
pub(super) fn tasks_of_this_user() -> u64 {
    static LAST: Mutex<Option<(Instant, u64)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, count)) = last.filter(|(then, _)| then.elapsed() < COUNT_SERVES) {
        return count;
    }
    let count = count_tasks_of_this_user();
    *last = Some((Instant::now(), count));
    count
}

fn count_tasks_of_this_user() -> u64 {
    // SAFETY: takes nothing and cannot fail.
    let user = unsafe { libc::getuid() }.to_string();
    let Ok(all) = fs::read_dir("/proc") else { return 0 };
    all.flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit))
        .filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok())
        .filter(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
            line.and_then(|line| line.split_ascii_whitespace().next()) == Some(user.as_str())
        })
        .map(|status| memory_and_threads(&status).1)
        .sum()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    Count,
    Leave,
}

fn cpu_time(pid: i64, own: Own) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // SAFETY: takes a number.
    let per_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(100).max(1);
    let ticks = ticks(&stat, own).unwrap_or_default();
    Duration::from_millis(ticks.saturating_mul(1000) / per_second)
}

/// User and system time of a process and of the children that it waited for, out of `/proc/PID/stat`.
fn ticks(stat: &str, own: Own) -> Option<u64> {
    // The name before may hold anything, parentheses and spaces too.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split_ascii_whitespace();
    let mut next = |skip| SplitAsciiWhitespace::nth(&mut times, skip).and_then(|text| text.parse::<u64>().ok());
    let own_time = next(11)?.saturating_add(next(0)?);
    let waited = next(0)?.saturating_add(next(0)?);
    Some(if own == Own::Count { own_time.saturating_add(waited) } else { waited })
}

/// Bytes of memory that the machine can still give, and the least that a job must leave of it.
pub(crate) fn machine_memory() -> Option<(u64, u64)> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let (total, available) = total_and_available(&info)?;
    Some((available, (total / 32).clamp(64 << 20, 512 << 20)))
}

fn total_and_available(info: &str) -> Option<(u64, u64)> {
    let bytes = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some((bytes("MemTotal")?, bytes("MemAvailable")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_files_do_not_back() {
        let status = "Name:\tx\nRssAnon:\t  100 kB\nRssFile:\t 9000 kB\nRssShmem:\t   20 kB\nThreads:\t7\n";
        assert_eq!(memory_and_threads(status), (120 * 1024, 7));
        assert_eq!(memory_and_threads("Name:\tzombie\nThreads:\tx\nRssAnon:\t99999999999999999999 kB"), (0, 0));
    }

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a ) 1 2) S 1 7 7 0 -1 4194560 10 20 0 0 30 12 400 5 20 0 1 0 100 1 1";
        assert_eq!(ticks(stat, Own::Count), Some(447));
        assert_eq!(ticks(stat, Own::Leave), Some(405));
        assert_eq!(ticks("", Own::Count), None);
        assert_eq!(ticks("7 (x) S 1", Own::Count), None);
    }

    #[test]
    fn the_machine_says_what_memory_is_left() {
        assert_eq!(total_and_available("MemTotal: 10 kB\nMemAvailable:   5 kB\n"), Some((10240, 5120)));
        assert_eq!(total_and_available("MemTotal: 10 kB\n"), None);
        assert!(machine_memory().is_some());
    }
}
