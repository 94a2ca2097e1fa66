//! Servers of others as child processes: each in a group of its own, ended by its id when it is dropped, so that
//! nothing is left over.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(90);
/// How long one may take to end before it is killed.
const END: Duration = Duration::from_secs(3);

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it; what it prints goes to a log file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        use std::os::unix::process::CommandExt as _;
        let file = File::create(log).expect("a log can be made");
        let copy = file.try_clone().expect("a log can be shared");
        command.stdin(Stdio::null()).stdout(file).stderr(copy).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    /// Waits until something listens on a port of 127.0.0.1.
    ///
    /// # Panics
    /// When it ends before, or takes too long: with what it printed.
    pub fn listens(&mut self, port: u16) {
        self.until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    }

    /// Waits until something holds.
    ///
    /// # Panics
    /// As [`Self::listens`].
    pub fn until(&mut self, holds: impl Fn() -> bool) {
        let end = Instant::now() + START;
        while !holds() {
            let ended = self.child.try_wait().expect("a child can be asked");
            let said = || std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(ended.is_none(), "the server ended before it listened: {ended:?}\n{}", said());
            assert!(Instant::now() < end, "the server does not listen\n{}", said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its process, which leads a group of its own.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::TERM);
        let end = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        // What its own children left, or itself when it did not listen.
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// A port of 127.0.0.1 that is free now. Somebody else may take it before the server does, who then says so.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address can be listened on");
    listener.local_addr().expect("a bound listener has an address").port()
}
