//! Many calls in one sandbox: what to run after what, by how many at once, and what to say in between.
//!
//! Plain data, fixed before the sandbox starts. The sandbox's own init carries it out and starts every call under all
//! layers, so that nothing that runs inside can change the list, stop it, or speak for it: what is said comes from init,
//! on the same pipe as what the calls print.

use std::ffi::OsString;
use std::path::PathBuf;

/// The most tasks of a batch.
pub const MOST_TASKS: usize = 16_384;

/// Tasks, in the order in which they are taken up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// The tasks. The first that nothing holds up is taken up next.
    pub tasks: Vec<Task>,
    /// How many are at work at the same time. What the first one's calls print goes to stdout, what the second one's do
    /// goes to stderr, and what is said of them too.
    pub workers: Workers,
}

/// How many tasks are at work at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Workers {
    /// One after the other.
    #[default]
    One,
    /// Two beside each other.
    Two,
}

/// Steps that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// Places of other tasks that have to be [`Ready`](BatchStep::Ready), or at their end, before this one begins.
    pub needs: Vec<usize>,
    /// What is done.
    pub steps: Vec<BatchStep>,
}

/// One step of a task. A code is that of the task's last call: its exit code, 128 and the number of a signal that ended
/// it, or 127 where it could not be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStep {
    /// Prints a text as it is.
    Say(String),
    /// Prints a text, a space, the code, and the end of the line.
    SayCode(String),
    /// Runs a program to its end.
    Call(BatchCall),
    /// Leaves out as many of the next steps unless the code is as it says.
    Unless(Code, usize),
    /// Those that need this task may begin.
    Ready,
    /// Ends the whole batch, with exit code 1, unless the code is 0.
    EndUnlessZero,
}

/// What a code may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 0.
    Zero,
    /// Anything else.
    NotZero,
    /// 127: the program, or a library that it needs, could not be started.
    CannotStart,
}

impl Code {
    /// Whether `code` is as it says.
    pub(super) fn is(self, code: i32) -> bool {
        match self {
            Self::Zero => code == 0,
            Self::NotZero => code != 0,
            Self::CannotStart => code == 127,
        }
    }
}

/// A program to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchCall {
    /// An absolute path inside. No search path is consulted.
    pub program: PathBuf,
    /// Its arguments, without the program's name.
    pub args: Vec<OsString>,
    /// The working directory, an absolute path inside.
    pub cwd: PathBuf,
    /// The whole environment; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
}
