//! How a sandbox can be arranged: with namespaces, or without them where the machine refuses them to its users.
//!
//! Only names and words. Which one can be had is found out by trying it, in `probe`.

use std::path::{Path, PathBuf};

use super::job::Places;

/// How the sandbox is arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arrangement {
    /// Namespaces give the command a root, processes and a network of its own. Everything else stands behind them.
    Namespaces,
    /// Without namespaces: Landlock for files and ports, a filter that leaves no sockets, a copy of the tree, and a process
    /// that gathers and ends all others. Commands see the paths of the host, and only those that they may read or write.
    Restricted,
}

impl Arrangement {
    /// Both, the stronger one first.
    pub const ALL: [Self; 2] = [Self::Namespaces, Self::Restricted];

    /// The name that people use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Restricted => "restricted",
        }
    }

    /// What it means, for people.
    pub(super) fn means(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces: commands have a root, processes and a network of their own",
            Self::Restricted => {
                "restricted: this machine gives its users no namespaces; commands run in a copy of the tree without any \
                 network, and see names, sizes and times of the host's files, but nothing in them"
            }
        }
    }

    /// Keeps apart what is built at one place and at another.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Namespaces => "",
            Self::Restricted => "-restricted",
        }
    }

    /// Where tree and scratch folders are inside, for a tree that is kept in `dir`.
    pub(super) fn places(self, dir: &Path) -> Places {
        match self {
            Self::Namespaces => {
                let [tree, home, tmp] = ["/repo", "/home/kaizen", "/tmp"].map(PathBuf::from);
                Places { tree, home, tmp }
            }
            Self::Restricted => {
                let [tree, home, tmp] = ["inside/repo", "inside/home", "inside/tmp"].map(|name| dir.join(name));
                Places { tree, home, tmp }
            }
        }
    }
}
