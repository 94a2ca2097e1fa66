//! What a lease needs to know of the machine: a clock that all processes of one boot share, the boot itself, and
//! whether a process still lives.
//!
//! Never reads the wall clock: setting it must neither free nor keep a lease.

use std::fs;
use std::io;

use rustix::process::Pid;
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};

/// A clock that starts with the machine, is the same for every process and goes on while the machine sleeps.
pub trait BootClock: Send + Sync {
    /// Milliseconds since the machine started.
    fn now_ms(&self) -> u64;
}

/// The system's `CLOCK_BOOTTIME`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl BootClock for SystemClock {
    fn now_ms(&self) -> u64 {
        let now = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let millis = u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
        seconds.saturating_mul(1000).saturating_add(millis)
    }
}

/// A process, told apart from every other one of this and earlier boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// When it started, in clock ticks since boot: a pid is used again, this pair is not.
    pub(crate) start: u64,
    /// The pid namespace: a pid means nothing outside its own.
    pub(crate) namespace: String,
    /// The machine, and its boot, with a slash between. Earlier versions wrote the boot alone.
    pub(crate) boot: String,
}

impl Process {
    /// This process.
    pub(crate) fn current() -> io::Result<Self> {
        let pid = std::process::id();
        let start = match stat(pid)? {
            Some(Stat { start, .. }) => start,
            None => return Err(io::Error::other("/proc/self/stat has no start time")),
        };
        Ok(Self { pid, start, namespace: namespace(), boot: boot_id()? })
    }

    /// Whether it runs, or ran, on another machine: its clock and its process ids mean nothing here.
    pub(crate) fn is_elsewhere(&self, observer: &Self) -> bool {
        let machine = |of: &Self| of.boot.split_once('/').map(|(machine, _)| machine.to_owned());
        !self.shares_boot(observer) && machine(self).is_some_and(|other| Some(other) != machine(observer))
    }

    fn shares_boot(&self, observer: &Self) -> bool {
        let boot = |of: &Self| of.boot.rsplit('/').next().map(str::to_owned);
        boot(self) == boot(observer)
    }

    /// Whether this process, which wrote itself down once, is certainly gone, as `observer` can tell.
    pub(crate) fn is_gone(&self, observer: &Self) -> bool {
        if !self.shares_boot(observer) {
            // An earlier boot of this machine has no processes any more; of another machine nothing can be told.
            return !self.is_elsewhere(observer);
        }
        if self.namespace != observer.namespace {
            return false;
        }
        match stat(self.pid) {
            Ok(Some(stat)) => stat.start != self.start || stat.dead,
            // `/proc` may hide the processes of others: ask in another way.
            Ok(None) => {
                let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
                pid.is_none_or(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
            }
            Err(_) => false,
        }
    }
}

struct Stat {
    start: u64,
    /// It has ended and only waits for its parent to notice.
    dead: bool,
}

fn stat(pid: u32) -> io::Result<Option<Stat>> {
    match fs::read(format!("/proc/{pid}/stat")) {
        // The name of a program need not be text.
        Ok(bytes) => parse_stat(&String::from_utf8_lossy(&bytes))
            .map(Some)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is odd"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // The process ended while its entry was read.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads state (field 3) and start time (field 22). The name in field 2 may hold spaces and parentheses.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let dead = matches!(fields.next()?, "Z" | "X" | "x");
    Some(Stat { start: fields.nth(18)?.parse().ok()?, dead })
}

fn namespace() -> String {
    fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The machine and its boot. A machine is told by what its system calls it and by its name: copies of one virtual machine
/// share the first, containers of one machine the kernel, whose boot decides alone where it is the same.
fn boot_id() -> io::Result<String> {
    let system = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let digest = Sha256::new().chain_update(system.trim()).chain_update([0]).chain_update(name).finalize();
    let machine: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{machine}/{}", fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_start_time_are_read_behind_an_odd_process_name() {
        let line = "41 (a) Z (b) S 1 41 41 0 -1 4194560 9 0 0 0 1 2 0 0 20 0 1 0 7788 1000 2 18446744073709551615";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.start, stat.dead), (7788, false));
        assert!(parse_stat(&line.replace(") S", ") Z")).unwrap().dead);
        for odd in ["", "1 (x", "1 (x) S 1 2", "1 (x) S 1 41 41 0 -1 4 9 0 0 0 1 2 0 0 20 0 1 0 soon"] {
            assert!(parse_stat(odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn a_process_is_gone_when_boot_or_start_time_differ() {
        let me = Process::current().unwrap();
        assert!(!me.is_gone(&me));
        let (machine, boot) = me.boot.split_once('/').unwrap();
        assert!(Process { boot: "earlier".to_owned(), ..me.clone() }.is_gone(&me));
        assert!(Process { boot: format!("{machine}/earlier"), ..me.clone() }.is_gone(&me));
        let elsewhere = Process { boot: "other/earlier".to_owned(), ..me.clone() };
        assert!(!elsewhere.is_gone(&me) && elsewhere.is_elsewhere(&me), "of another machine nothing can be told");
        let neighbour = Process { boot: format!("other/{boot}"), namespace: "pid:[1]".to_owned(), ..me.clone() };
        assert!(!neighbour.is_gone(&me) && !neighbour.is_elsewhere(&me), "containers share the kernel and its clock");
        assert!(Process { start: me.start + 1, ..me.clone() }.is_gone(&me));
        let elsewhere = Process { namespace: "pid:[1]".to_owned(), start: me.start + 1, ..me.clone() };
        assert!(!elsewhere.is_gone(&me), "a pid of another namespace says nothing");
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let before = SystemClock.now_ms();
        assert!(before > 0 && SystemClock.now_ms() >= before);
    }
}
