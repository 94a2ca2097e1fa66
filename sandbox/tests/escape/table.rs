//! The table: what a probe is, and every probe there is.
//!
//! A probe is data. Its act is played by a child that is started the same way inside and outside; the one difference is
//! the sandbox in between. What the act says does not count where something of the host can be looked at instead.

use std::io;
use std::time::Duration;

use kaizen_sandbox::isolation::Limits;

use crate::scene::Scene;
use crate::support::Arrangement;
use crate::{bombs, files, kernel, links, network, processes, secrets, terminal, writes};

/// What the playing child does: it got through, or why not.
pub type Act = fn(&[String]) -> io::Result<()>;
/// What lies outside before the act is played; the arguments of the act go into the scene.
pub type Prepare = Box<dyn Fn(&mut Scene) -> Shown>;

/// What shows that an act succeeded.
pub enum Shown {
    /// The act says so itself.
    Said,
    /// It printed the secret of the scene.
    Secret,
    /// Something of the host is as only the act can have made it.
    Host(Box<dyn FnMut() -> bool>),
    /// The caller was ended by this signal.
    CallerEnded(i32),
}

/// Where the witness plays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// As a plain child.
    Plain,
    /// As a plain child of root: the kernel does not let others do it anywhere.
    Root,
    /// In namespaces of its own, where the kernel lets the act pass without any effect on the machine.
    Namespaces,
    /// As a plain child. When this machine cannot do it at all, another answer shows that the refusal is ours.
    Answer,
}

/// One attempt to get out.
pub struct Probe {
    /// What is attempted.
    pub name: String,
    pub prepare: Prepare,
    pub act: Act,
    pub witness: Witness,
    pub limits: Limits,
}

impl Probe {
    pub fn new(name: impl Into<String>, prepare: impl Fn(&mut Scene) -> Shown + 'static, act: Act) -> Self {
        Self {
            name: name.into(),
            prepare: Box::new(prepare),
            act,
            witness: Witness::Plain,
            limits: Limits { wall: Duration::from_secs(30), ..Limits::default() },
        }
    }

    /// An act that needs nothing outside and says itself whether it got through.
    pub fn alone(name: impl Into<String>, act: Act) -> Self {
        Self::new(name, |_| Shown::Said, act)
    }

    pub fn witness(mut self, witness: Witness) -> Self {
        self.witness = witness;
        self
    }

    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }
}

/// Probes that are known to succeed in an arrangement, and why that is accepted. They are shown as such.
const KNOWN: [(Arrangement, &str, &str); 1] = [(
    Arrangement::Restricted,
    "file: learn that it is there",
    "without a root of its own, names, sizes and times of files are seen; nothing in them is",
)];

/// Why it is accepted that a probe succeeds in an arrangement; none where it is not.
pub fn known(arrangement: Arrangement, name: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|(at, probe, _)| (*at, *probe) == (arrangement, name)).map(|(_, _, why)| why)
}

/// Every probe that one child plays. Those through cargo are played together, in `cargo.rs` and `trials.rs`.
pub fn probes() -> Vec<Probe> {
    let groups = [
        secrets::probes(),
        writes::probes(),
        files::probes(),
        links::probes(),
        network::probes(),
        processes::probes(),
        bombs::probes(),
        kernel::probes(),
        terminal::probes(),
    ];
    groups.into_iter().flatten().collect()
}
