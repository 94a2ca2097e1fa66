//! Exit codes: documented, stable, and the same for every command.

use std::process::ExitCode;

/// What a command's exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked; `try`: the patch landed.
    Done = 0,
    /// A fault of Kaizen's own, or of the machine it runs on.
    Fault = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// `try`, `approve`: a person is asked.
    Asked = 3,
    /// `try`, `approve`: the patch is refused.
    Rejected = 4,
    /// `try`, `approve`: nothing could be shown either way.
    Inconclusive = 5,
    /// Something given cannot be worked with: the repository, a settings file, a diff, an id.
    Input = 10,
    /// The base does not build, or its tests prove nothing.
    Base = 11,
    /// The sandbox lacks a layer.
    Sandbox = 12,
    /// Somebody else works on the repository.
    Busy = 13,
    /// Stopped from outside; the next run goes on.
    Stopped = 14,
    /// The forge cannot be reached, or asks to wait.
    Forge = 15,
}

impl Exit {
    /// The table of codes, for help texts.
    pub const TABLE: &str = "\
Exit codes:
   0  done; `try` and `approve`: landed
   1  a fault of Kaizen or of the machine
   2  the command line cannot be understood
   3  `try`, `approve`: a person is asked
   4  `try`, `approve`: the patch is refused
   5  `try`, `approve`: nothing could be shown either way
  10  the repository, a settings file, a diff or an id cannot be worked with
  11  the base does not build, or its tests prove nothing
  12  the sandbox lacks a layer
  13  somebody else works on the repository
  14  stopped from outside; the next run goes on where this one stood
  15  the forge cannot be reached, or asks to wait";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
