//! Worker: parts of measurements that need a process of their own, as this program run again in a hidden way. What they
//! find goes to standard output as one line of JSON.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use super::{hostile, sandbox_start, trial};

/// What a process of its own is needed for.
#[derive(Debug, Subcommand)]
pub enum Worker {
    /// Starts and stops sandboxes, beside plain commands and the peer
    SandboxStart {
        /// How often
        #[arg(long)]
        samples: usize,
        /// A folder of the user's own
        #[arg(long)]
        folder: PathBuf,
        /// Where the peer is
        #[arg(long)]
        peer: PathBuf,
    },
    /// Tries a crate again and again, and does nothing else
    TrialMemory {
        /// The files of the crate
        #[arg(long)]
        tree: PathBuf,
        /// The state of the runner
        #[arg(long)]
        state: PathBuf,
        /// How many changes are tried
        #[arg(long)]
        trials: usize,
    },
    /// Becomes a tree of processes that does not want to end
    Hostile {
        /// Found in the command line of each
        marker: String,
    },
}

/// Does it.
///
/// # Errors
/// When it cannot be done.
pub fn work(worker: Worker) -> Result<()> {
    let found = match worker {
        Worker::SandboxStart { samples, folder, peer } => sandbox_start::work(samples, &folder, &peer)?,
        Worker::TrialMemory { tree, state, trials } => trial::memory::work(&tree, &state, trials)?,
        Worker::Hostile { .. } => hostile::run(),
    };
    println!("{found}");
    Ok(())
}
