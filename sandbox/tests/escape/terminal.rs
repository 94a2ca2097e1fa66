//! The terminal that Kaizen was started from: typing into it, writing to it, and sequences that it would obey.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::own::check;
use crate::scene::Scene;
use crate::support::is_root;
use crate::table::{Probe, Shown, Witness};

/// A terminal: the side of the screen and keyboard, and the side of the programs.
pub struct Terminal {
    screen: OwnedFd,
    programs: OwnedFd,
}

impl Terminal {
    pub fn new() -> Self {
        let (mut screen, mut programs) = (-1, -1);
        let none = std::ptr::null_mut();
        // SAFETY: room for two descriptors; nothing else is asked for.
        check(unsafe { libc::openpty(&raw mut screen, &raw mut programs, none, none.cast(), none.cast()) })
            .expect("a terminal");
        // SAFETY: both are new.
        let terminal =
            unsafe { Self { screen: OwnedFd::from_raw_fd(screen), programs: OwnedFd::from_raw_fd(programs) } };
        for fd in [&terminal.screen, &terminal.programs] {
            // SAFETY: takes numbers; a structure that is valid for both calls.
            unsafe {
                libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC);
                libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
                let mut how: libc::termios = std::mem::zeroed();
                libc::tcgetattr(fd.as_raw_fd(), &raw mut how);
                libc::cfmakeraw(&raw mut how);
                libc::tcsetattr(fd.as_raw_fd(), libc::TCSANOW, &raw const how);
            }
        }
        terminal
    }

    /// Gives it to a program as its own, as a shell does.
    pub fn lend(&self, command: &mut Command) {
        let end = || Stdio::from(self.programs.try_clone().expect("a copy"));
        command.stdin(end()).stdout(end()).stderr(end());
        // SAFETY: between fork and exec, numbers only.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                check(libc::ioctl(0, libc::TIOCSCTTY, 0)).map(drop)
            });
        }
    }
}

pub fn probes() -> Vec<Probe> {
    let typing = if typing_is_for_root() { Witness::Root } else { Witness::Plain };
    vec![
        Probe::new("terminal: type into it (TIOCSTI)", typed, type_in).witness(typing),
        Probe::new("terminal: type into it, with bits above", typed, type_in_with_bits).witness(typing),
        Probe::new("terminal: write to /dev/tty", written, |_| {
            OpenOptions::new().write(true).open("/dev/tty")?.write_all(OBEYED)
        }),
        Probe::new("terminal: sequences that it obeys, in the output", written, |_| {
            io::stdout().write_all(OBEYED).and_then(|()| io::stderr().write_all(OBEYED))
        }),
    ]
}

/// Sets the title, and asks for an answer as if it were typed.
const OBEYED: &[u8] = b"\x1b]0;owned\x07\x1b[6n\n";
const TYPED: &[u8] = b"owned\n";

fn typing_is_for_root() -> bool {
    let allowed = std::fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti").is_ok_and(|text| text.trim() == "1");
    !allowed && !is_root()
}

/// What can be read from one side of the terminal now.
fn waiting(from: &OwnedFd) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let count = from.try_clone().map(File::from).and_then(|mut file| file.read(&mut bytes)).unwrap_or(0);
    bytes.truncate(count);
    bytes
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

/// What was typed waits for the next program that reads.
fn typed(scene: &mut Scene) -> Shown {
    let terminal = Terminal::new();
    let programs = terminal.programs.try_clone().expect("a copy");
    scene.terminal = Some(terminal);
    Shown::Host(Box::new(move || holds(&waiting(&programs), TYPED)))
}

fn written(scene: &mut Scene) -> Shown {
    let terminal = Terminal::new();
    let screen = terminal.screen.try_clone().expect("a copy");
    scene.terminal = Some(terminal);
    Shown::Host(Box::new(move || holds(&waiting(&screen), b"\x1b]0;owned")))
}

fn type_in(_: &[String]) -> io::Result<()> {
    type_by(libc::TIOCSTI as i64)
}

/// The kernel looks at 32 bits of the command; a filter that compares 64 would be passed.
fn type_in_with_bits(_: &[String]) -> io::Result<()> {
    type_by(libc::TIOCSTI as i64 | 1 << 40)
}

fn type_by(command: i64) -> io::Result<()> {
    let terminal = File::open("/dev/tty").map_or(0, std::os::fd::IntoRawFd::into_raw_fd);
    let mut done = Err(crate::own::refused("no terminal"));
    for fd in [terminal, 0, 1, 2] {
        let type_one = |byte: &u8| {
            crate::own::call(libc::SYS_ioctl, [fd.into(), command, std::ptr::from_ref(byte) as i64, 0, 0]).map(drop)
        };
        done = TYPED.iter().try_for_each(type_one);
        if done.is_ok() {
            break;
        }
    }
    done
}
