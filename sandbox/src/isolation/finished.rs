//! How a job ended, what it printed and what it used.
//!
//! Plain data. Output is untrusted bytes: nothing here decodes or trusts it.

use std::fmt;
use std::time::Duration;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output; with merged output, both.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A job that has ended, with every process of it.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How.
    pub exit: Exit,
    /// What it printed on stdout, up to the output limit; with merged output, both. Empty where it was not to be kept.
    pub stdout: Vec<u8>,
    /// What it printed on stderr, up to the output limit.
    pub stderr: Vec<u8>,
    /// Time on the clock, from before the sandbox was built until nothing was left of it.
    pub wall: Duration,
    /// The part of it from when the program had started until it ended or was told to end. What is left is the sandbox's
    /// own: building it up and taking it down.
    pub running: Duration,
    /// Processor time of all its processes.
    pub cpu: Duration,
    /// The most bytes of memory seen at once over all its processes; 0 when it ended before the first look.
    pub peak_memory: u64,
    /// How often something in it tried to reach anything but its own loopback, as the kernel counts it; 0 when it was
    /// ended before it ended, and without namespaces, where no socket can be made.
    pub network_attempts: u32,
}

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It was ended for using too much.
    Limit(LimitKind),
    /// It was ended because somebody asked for it.
    Cancelled,
}

/// A limit that was reached, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Time on the clock.
    Wall(Duration),
    /// Processor time.
    Cpu(Duration),
    /// Bytes of memory.
    Memory(u64),
    /// Bytes of memory that must stay free on the machine.
    MachineMemory(u64),
    /// Processes and threads.
    Processes(u64),
    /// Bytes in one file.
    FileSize(u64),
    /// Bytes changed in the tree.
    Disk(u64),
    /// Bytes gone from a disk of the machine while the job could write to it.
    MachineDisk(u64),
    /// Bytes in `/tmp`, the home folder and `/dev/shm`.
    Tmp(u64),
    /// Bytes of output.
    Output(u64),
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Limit(limit) => write!(f, "limit: {limit}"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wall(time) => write!(f, "wall time {} s", time.as_secs_f64()),
            Self::Cpu(time) => write!(f, "processor time {} s", time.as_secs_f64()),
            Self::Memory(bytes) => write!(f, "memory {}", Bytes(*bytes)),
            Self::MachineMemory(bytes) => write!(f, "less than {} of memory left on the machine", Bytes(*bytes)),
            Self::Processes(count) => write!(f, "{count} processes and threads"),
            Self::FileSize(bytes) => write!(f, "file size {}", Bytes(*bytes)),
            Self::Disk(bytes) => write!(f, "changes to the tree {}", Bytes(*bytes)),
            Self::MachineDisk(bytes) => write!(f, "{} of disk space used up on the machine", Bytes(*bytes)),
            Self::Tmp(bytes) => write!(f, "temporary files {}", Bytes(*bytes)),
            Self::Output(bytes) => write!(f, "output {}", Bytes(*bytes)),
        }
    }
}

/// Bytes in the largest unit that divides them.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.into_iter().find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{} {unit}", self.0 / size),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_its_name_and_value() {
        assert_eq!(Exit::Limit(LimitKind::Wall(Duration::from_secs(300))).to_string(), "limit: wall time 300 s");
        assert_eq!(LimitKind::Wall(Duration::from_millis(1500)).to_string(), "wall time 1.5 s");
        assert_eq!(LimitKind::Memory(4 << 30).to_string(), "memory 4 GiB");
        assert_eq!(LimitKind::Disk((4 << 30) + (1 << 20)).to_string(), "changes to the tree 4097 MiB");
        assert_eq!(LimitKind::Output(1000).to_string(), "output 1000 bytes");
    }
}
