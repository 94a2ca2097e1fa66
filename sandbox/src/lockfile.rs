//! Settles a lock file after a manifest changed: cargo does it, inside, offline, and only what it prints comes out.

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::runner::{Call, Runner, TrialError};

/// What the shell runs inside. It is fixed: nothing from outside becomes part of it.
const SCRIPT: &str = "cargo metadata --offline --format-version 1 >/dev/null && exec cat Cargo.lock";

impl Runner {
    /// The lock file as cargo would leave it with these changes applied.
    ///
    /// # Errors
    /// When cargo cannot resolve the changed manifests without the network.
    pub fn settled_lock(
        &self,
        base: &WarmBase,
        changes: Vec<TreeChange>,
        cancel: &Cancel,
    ) -> Result<Vec<u8>, TrialError> {
        let call = Call {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), SCRIPT.into()],
            changes,
            warm: false,
            merge_output: false,
            wall: self.settings.limits.wall,
            ..Call::default()
        };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        if done.exit == Exit::Code(0) && !done.stdout.is_empty() {
            return Ok(done.stdout);
        }
        Err(TrialError::Metadata { output: String::from_utf8_lossy(&done.stderr).trim().to_owned() })
    }
}
