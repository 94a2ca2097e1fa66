//! Runs untrusted code: the isolation, the warm base of a repository, and the trial on top of them.
//!
//! Floor 2. Blocking: callers run it on threads of their own. Whatever belongs to a repository (build scripts, macros,
//! tests, and cargo itself) runs inside; only `cargo fetch` runs outside, in a folder where no configuration of the
//! repository is read, because it downloads and runs no code.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "Kaizen runs untrusted code in a sandbox that only the Linux kernel can give. On this system, run it in a Linux virtual \
     machine or container (Lima, WSL 2, Docker), with the repository cloned inside."
);

mod admission;
pub mod base;
pub mod benches;
pub mod benchmark;
pub mod cargo_json;
mod cargo_output;
pub mod counting;
mod direct;
pub mod driven;
mod durations;
mod expanded;
pub mod features;
mod fetching;
pub mod formatting;
pub mod harness;
pub mod in_blocks;
pub mod isolation;
pub mod lockfile;
pub mod metadata;
mod nextest;
mod printing;
pub mod progress;
pub mod runner;
pub mod same_code;
pub mod scan;
pub mod switched;
pub mod toolchain;
pub mod trial;

pub use base::{Wanted, WarmBase};
pub use benches::BenchProgram;
pub use benchmark::ProgramRun;
pub use driven::{DriverBuilt, DriverSource};
pub use features::Features;
pub use formatting::Touched;
pub use in_blocks::{BenchPair, InBlocks, Printed, Sides, Told};
pub use isolation::{Cancel, Exit, Isolation, IsolationError, Limits, TreeChange};
pub use metadata::{BenchTarget, CrateRoot, Metadata, Package};
pub use progress::Progress;
pub use runner::{Runner, RunnerSettings, TrialError, nonce};
pub use scan::{Scan, ScanSettings};
pub use switched::{Switched, SwitchedOutcome, SwitchedRun};
pub use toolchain::Toolchain;
